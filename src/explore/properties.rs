//! What the seeds of a check say of the program's properties together.

use super::check::Check;
use super::check_report::CheckReport;
use super::coverage::{Coverage, Reached};
use super::observed::Observed;
use crate::fault::{BuggifySummary, FaultSummaries, FaultSummary, Firings};
use crate::kernel::Seed;
use crate::oracle::{self, PropertySummary, Summaries};

/// What becomes of a check whose seeds have all passed, but in none of which a
/// [`sometimes!`](crate::sometimes!) was true, or a place was come to that was asked for.
///
/// It is judged only when all seeds were run that were planned, and none failed: not after a stop, nor
/// in a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unmet {
    /// It fails, if it has so many seeds or more. With fewer, what is rare need not have happened, and it
    /// is only reported.
    FailAfter(u64),
    /// It passes, and the report says so.
    Report,
}

impl Default for Unmet {
    /// Fails after 100 seeds, as many as a check has by default.
    fn default() -> Self {
        Self::FailAfter(100)
    }
}

/// The counts of all seeds so far, in their order.
#[derive(Debug, Default)]
pub(super) struct Merged {
    properties: Summaries,
    firings: Firings,
    faults: FaultSummaries,
    reached: Reached,
}

/// What they come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    properties: Vec<PropertySummary>,
    unmet: Vec<PropertySummary>,
    fails: bool,
    firings: Vec<BuggifySummary>,
    faults: Vec<FaultSummary>,
}

impl Merged {
    pub(super) fn add(&mut self, seed: Seed, chain: u64, observed: Observed) {
        self.reached.add(chain, &observed);
        self.properties.add(seed, observed.properties);
        self.firings.add(&observed.buggified);
        self.faults.add(&observed.faults);
    }

    /// Tells whether so many seeds have added nothing to the coverage.
    pub(super) fn is_settled(&self, seeds: u64) -> bool {
        self.reached.is_settled(seeds)
    }

    pub(super) fn coverage(&self) -> Coverage {
        self.reached.coverage()
    }

    /// Judges the properties; what is unmet is known only of a check that is whole, and was of so many seeds.
    pub(super) fn judge(mut self, check: &Check, whole: Option<u64>) -> Judged {
        for module in &check.expected_modules {
            oracle::under(module).into_iter().for_each(|property| self.properties.expect(property));
        }
        let properties = self.properties.into_list();
        let unmet: Vec<PropertySummary> =
            properties.iter().filter(|it| whole.is_some() && it.is_unmet()).cloned().collect();
        let fails = match check.unmet {
            Unmet::FailAfter(seeds) => !unmet.is_empty() && whole.is_some_and(|run| run >= seeds),
            Unmet::Report => false,
        };
        let (firings, faults) = (self.firings.into_list(), self.faults.into_list());
        Judged { properties, unmet, fails, firings, faults }
    }
}

impl CheckReport {
    /// Tells whether no seed failed and nothing is unmet that has to be met. A check that was stopped early
    /// may be so, too: see [`CheckReport::stop`].
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.findings.is_empty() && !self.judged.fails
    }

    /// Returns the properties that the seeds came to, with their counts, and those that were asked for by
    /// [`Check::expect_properties_of`]; in the order of files and lines. As all of the report, they are the
    /// same for any number of threads: seeds beyond the failing one do not count.
    #[must_use]
    pub fn properties(&self) -> &[PropertySummary] {
        &self.judged.properties
    }

    /// Returns the properties that ask for something that no seed has shown. Empty when a seed failed or
    /// not all were run.
    #[must_use]
    pub fn unmet(&self) -> &[PropertySummary] {
        &self.judged.unmet
    }

    /// Tells whether the check has failed for what is unmet.
    #[must_use]
    pub fn fails_for_unmet(&self) -> bool {
        self.judged.fails
    }

    /// Returns what became of the places of [`buggify!`](crate::buggify!) that the seeds came to.
    #[must_use]
    pub fn buggified(&self) -> &[BuggifySummary] {
        &self.judged.firings
    }

    /// Returns what became of the faults of a [`Chaos`](crate::fault::Chaos), by kind; those kinds of which one began.
    #[must_use]
    pub fn faults(&self) -> &[FaultSummary] {
        &self.judged.faults
    }
}
