//! The seeds that fail, and what is kept of them until they are examined.

use std::collections::BTreeSet;
use std::sync::Arc;

#[cfg(target_os = "linux")]
use super::fork::Facts;
use super::signature::Signature;
use super::world::World;
use crate::executor::Failure;
use crate::kernel::Seed;

/// A seed that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingSeed {
    seed: Seed,
    signature: Arc<str>,
}

impl FailingSeed {
    pub(super) fn of(run: &FailedRun) -> Self {
        Self { seed: run.world.seed, signature: run.signature.as_str().into() }
    }

    /// Returns the seed.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// Returns what is the same of failures that count as one, as [`Signature`] shows it.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.signature
    }
}

/// A run that failed.
#[derive(Clone, Debug)]
pub(super) struct FailedRun {
    pub(super) world: World,
    /// Its failure as it is known so far, as the signature that it counts under.
    pub(super) signature: String,
    /// Where two runs of the seed parted.
    pub(super) leak: Option<Failure>,
    /// How its process has ended before it did.
    pub(super) lost: Option<Failure>,
    /// The run in its own process, for comparison.
    #[cfg(target_os = "linux")]
    pub(super) forked: Option<Facts>,
}

impl FailedRun {
    pub(super) fn new(world: World, failure: &Failure) -> Self {
        Self {
            world,
            signature: Signature::of(failure).to_string(),
            leak: None,
            lost: None,
            #[cfg(target_os = "linux")]
            forked: None,
        }
    }
}

#[cfg(target_os = "linux")]
impl FailedRun {
    /// Takes the signature from what another process says of the run.
    pub(super) fn of_facts(world: World, facts: &Facts) -> Self {
        let signature = facts.signature.as_ref().map(ToString::to_string).unwrap_or_default();
        Self { world, signature, leak: None, lost: None, forked: None }
    }
}

/// Those of a search, in order.
#[derive(Debug, Default)]
pub(super) struct Failing {
    pub(super) seeds: Vec<FailingSeed>,
    /// The first of each signature.
    pub(super) firsts: Vec<FailedRun>,
    signatures: BTreeSet<Arc<str>>,
}

impl Failing {
    /// Adds the next one; returns it.
    pub(super) fn add(&mut self, run: FailedRun) -> FailingSeed {
        let known = self.signatures.get(run.signature.as_str()).cloned();
        let signature = known.unwrap_or_else(|| {
            let signature: Arc<str> = run.signature.as_str().into();
            self.signatures.insert(signature.clone());
            self.firsts.push(run.clone());
            signature
        });
        let seed = FailingSeed { seed: run.world.seed, signature };
        self.seeds.push(seed.clone());
        seed
    }
}
