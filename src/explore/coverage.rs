//! What the seeds of a check have reached together.

use std::collections::BTreeSet;
use std::fmt;

use super::observed::Observed;
use crate::fault::FaultKind;
use crate::oracle::PropertyKind;

/// What the seeds of a check have reached together: a function of the seeds in their order, as all of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// How many different runs there were: their chains differ, so an event, its order, its time or a value.
    /// It is not counted beyond [`Coverage::RUNS_MAX`].
    pub distinct_runs: u64,
    /// How many properties were true at least once.
    pub properties_held: u64,
    /// How many properties were false at least once.
    pub properties_failed: u64,
    /// How many places of [`buggify!`](crate::buggify!) were come to.
    pub branches: u64,
    /// How many of those have fired.
    pub branches_fired: u64,
    /// How many kinds of faults have begun.
    pub fault_kinds: u64,
    /// How many of those have met something.
    pub fault_kinds_fired: u64,
    /// How many seeds were run since the last that added to one of these.
    pub seeds_since_new: u64,
}

impl Coverage {
    /// Up to so many different runs are told apart. With more, each run counts as new.
    pub const RUNS_MAX: u64 = 1 << 20;

    /// Tells whether there may be more different runs than are counted.
    #[must_use]
    pub const fn is_at_most_runs(&self) -> bool {
        self.distinct_runs >= Self::RUNS_MAX
    }
}

/// In one sentence, without what there is none of.
impl fmt::Display for Coverage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.is_at_most_runs() { " or more" } else { "" };
        let runs = if self.distinct_runs == 1 { "run" } else { "runs" };
        write!(formatter, "{}{more} distinct {runs}", self.distinct_runs)?;
        if self.properties_held + self.properties_failed > 0 {
            let (held, failed) = (self.properties_held, self.properties_failed);
            write!(formatter, "; properties: {held} seen true, {failed} seen false")?;
        }
        if self.branches > 0 {
            let (fired, branches) = (self.branches_fired, self.branches);
            write!(formatter, "; rare branches: {fired} of {branches} fired")?;
        }
        if self.fault_kinds > 0 {
            let (fired, kinds) = (self.fault_kinds_fired, self.fault_kinds);
            write!(formatter, "; kinds of faults: {fired} of {kinds} met something")?;
        }
        match self.seeds_since_new {
            0 => Ok(()),
            1 => formatter.write_str("; nothing new in the last seed"),
            seeds => write!(formatter, "; nothing new in the last {seeds} seeds"),
        }
    }
}

/// Collects it, seed by seed in their order.
#[derive(Debug, Default)]
pub(super) struct Reached {
    chains: BTreeSet<u64>,
    points: BTreeSet<Point>,
    seeds_since_new: u64,
}

/// One thing that can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Point {
    Held((&'static str, PropertyKind)),
    Failed((&'static str, PropertyKind)),
    Branch(&'static str),
    BranchFired(&'static str),
    Fault(FaultKind),
    FaultFired(FaultKind),
}

impl Reached {
    pub(super) fn add(&mut self, chain: u64, observed: &Observed) {
        let mut is_new =
            self.chains.len() as u64 >= Coverage::RUNS_MAX || self.chains.insert(chain);
        let properties = observed.properties.iter().flat_map(|count| {
            let property = count.property();
            let key = (property.message(), property.kind());
            [(Point::Held(key), count.held()), (Point::Failed(key), count.failed())]
        });
        let branches = observed.buggified.iter().flat_map(|place| {
            [(Point::Branch(place.name()), 1), (Point::BranchFired(place.name()), place.fired())]
        });
        let faults = observed.faults.iter().flat_map(|count| {
            [(Point::Fault(count.kind), count.begun), (Point::FaultFired(count.kind), count.fired)]
        });
        for (point, count) in properties.chain(branches).chain(faults) {
            is_new |= count > 0 && self.points.insert(point);
        }
        self.seeds_since_new = if is_new { 0 } else { self.seeds_since_new + 1 };
    }

    /// Tells whether so many seeds have added nothing.
    pub(super) fn is_settled(&self, seeds: u64) -> bool {
        self.seeds_since_new >= seeds
    }

    pub(super) fn coverage(&self) -> Coverage {
        let mut coverage = Coverage {
            distinct_runs: self.chains.len() as u64,
            seeds_since_new: self.seeds_since_new,
            ..Coverage::default()
        };
        for point in &self.points {
            let count = match point {
                Point::Held(_) => &mut coverage.properties_held,
                Point::Failed(_) => &mut coverage.properties_failed,
                Point::Branch(_) => &mut coverage.branches,
                Point::BranchFired(_) => &mut coverage.branches_fired,
                Point::Fault(_) => &mut coverage.fault_kinds,
                Point::FaultFired(_) => &mut coverage.fault_kinds_fired,
            };
            *count += 1;
        }
        coverage
    }
}
