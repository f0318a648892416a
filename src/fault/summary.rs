//! What the faults of a chaos come to over a run and over all seeds of a check.

use std::cell::RefCell;
use std::fmt;

use super::kind::FaultKind;
use super::report::KindCount;

/// The faults of one run, by kind; of all its chaoses together.
#[derive(Debug, Default)]
pub(super) struct FaultCounts {
    kinds: RefCell<Vec<KindCount>>,
}

impl FaultCounts {
    /// Counts faults of a kind that have begun, and effects that they have had.
    pub(super) fn add(&self, kind: FaultKind, begun: u64, fired: u64) {
        let mut kinds = self.kinds.borrow_mut();
        let place = match kinds.binary_search_by_key(&kind, |count| count.kind) {
            Ok(place) => place,
            Err(place) => {
                kinds.insert(place, KindCount { kind, planned: 0, begun: 0, fired: 0 });
                place
            }
        };
        let count = &mut kinds[place];
        count.planned += begun;
        count.begun += begun;
        count.fired += fired;
    }

    pub(super) fn take(&self) -> Vec<KindCount> {
        self.kinds.take()
    }
}

/// What became of the faults of one kind over the seeds of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultSummary {
    /// Which kind.
    pub kind: FaultKind,
    /// In how many seeds one began.
    pub seeds: u64,
    /// In how many seeds one had an effect.
    pub seeds_fired: u64,
    /// How many have begun.
    pub begun: u64,
    /// How often they have had an effect: packets that they met, connections reset, machines hit. Of a fault that was
    /// on when its run ended, it is not known.
    pub fired: u64,
}

impl FaultSummary {
    /// Tells whether the kind was on, and never met anything: it has tested nothing.
    #[must_use]
    pub const fn is_without_effect(&self) -> bool {
        self.begun > 0 && self.fired == 0
    }
}

impl fmt::Display for FaultSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, seeds, begun, fired, .. } = self;
        write!(formatter, "{kind}: {begun} begun in {seeds} seeds, {fired} effects")
    }
}

/// The faults of a check, as its seeds are counted in their order.
#[derive(Debug, Default)]
pub(crate) struct FaultSummaries {
    kinds: Vec<FaultSummary>,
}

impl FaultSummaries {
    /// Adds the faults of one seed.
    pub(crate) fn add(&mut self, counts: &[KindCount]) {
        for &KindCount { kind, begun, fired, .. } in counts {
            let place = match self.kinds.binary_search_by_key(&kind, |summary| summary.kind) {
                Ok(place) => place,
                Err(place) => {
                    let new = FaultSummary { kind, seeds: 0, seeds_fired: 0, begun: 0, fired: 0 };
                    self.kinds.insert(place, new);
                    place
                }
            };
            let summary = &mut self.kinds[place];
            summary.seeds += u64::from(begun > 0);
            summary.seeds_fired += u64::from(fired > 0);
            summary.begun += begun;
            summary.fired += fired;
        }
    }

    /// Returns all kinds that have begun, in their order.
    pub(crate) fn into_list(self) -> Vec<FaultSummary> {
        self.kinds
    }
}
