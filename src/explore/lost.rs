//! Seeds whose process ended before their run did.

use super::error::CheckError;
use super::strategy::Strategy;
use crate::executor::Failure;
use crate::kernel::Seed;

/// A seed whose process ended before its run did, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostSeed {
    /// The seed.
    pub seed: Seed,
    /// What its schedule was explored by: for a pilot run, `Random`, whatever the strategy of the check.
    pub strategy: Strategy,
    /// A [`Failure::Process`].
    pub failure: Failure,
}

/// Those of one search, as they come in.
#[derive(Debug, Default)]
pub(super) struct Lost {
    seeds: Vec<(usize, LostSeed)>,
    error: Option<CheckError>,
}

impl Lost {
    /// Adds a seed; true when there are so many that the check goes no further.
    #[cfg(target_os = "linux")]
    pub(super) fn add(&mut self, place: usize, lost: LostSeed) -> bool {
        self.seeds.push((place, lost));
        self.seeds.len() >= LOST_MAX
    }

    /// Notes why no more seeds can be run.
    #[cfg(target_os = "linux")]
    pub(super) fn fail(&mut self, error: CheckError) {
        self.error.get_or_insert(error);
    }

    /// Returns those in front of the first failing seed: which ones behind it were run depends on the
    /// machine.
    pub(super) fn until(self, failed: Option<usize>) -> Result<Vec<LostSeed>, CheckError> {
        let Self { mut seeds, error } = self;
        if let Some(error) = error {
            return Err(error);
        }
        seeds.sort_by_key(|(place, _)| *place);
        let is_in_front = |place: usize| failed.is_none_or(|failed| place < failed);
        Ok(seeds
            .into_iter()
            .filter(|(place, _)| is_in_front(*place))
            .map(|(_, lost)| lost)
            .collect())
    }
}

/// A seed that is stuck costs seconds; with so many, the program is what to look at.
#[cfg(target_os = "linux")]
const LOST_MAX: usize = 16;
