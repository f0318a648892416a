//! Seeds whose process ended before their run did.

use super::error::CheckError;
use crate::executor::Failure;
use crate::kernel::Seed;

/// A seed whose process ended before its run did, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostSeed {
    /// The seed.
    pub seed: Seed,
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
    /// Adds a seed.
    #[cfg(target_os = "linux")]
    pub(super) fn add(&mut self, place: usize, lost: LostSeed) {
        self.seeds.push((place, lost));
    }

    /// Tells whether there are so many up to a place that the check goes no further.
    pub(super) fn is_enough(&self, place: usize) -> bool {
        self.seeds.len() >= LOST_MAX
            && self.seeds.iter().filter(|(lost, _)| *lost <= place).count() >= LOST_MAX
    }

    /// Notes why no more seeds can be run.
    #[cfg(target_os = "linux")]
    pub(super) fn fail(&mut self, error: CheckError) {
        self.error.get_or_insert(error);
    }

    /// Returns those in front of a place, where the search has ended: which ones behind it were run depends on
    /// the machine.
    pub(super) fn until(self, end: usize) -> Result<Vec<LostSeed>, CheckError> {
        let Self { mut seeds, error } = self;
        if let Some(error) = error {
            return Err(error);
        }
        seeds.sort_by_key(|(place, _)| *place);
        Ok(seeds.into_iter().filter(|(place, _)| *place < end).map(|(_, lost)| lost).collect())
    }
}

/// A seed that is stuck costs seconds; with so many, the program is what to look at.
const LOST_MAX: usize = 16;
