//! What makes one failing world simpler than another.

use std::collections::BTreeSet;
use std::time::Duration;

use super::class::Class;
use crate::executor::Log;
use crate::explore::sim::Outcome;
use crate::explore::world::World;
use crate::kernel::Overrides;

/// How much there is to understand in a run, most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    /// Faults that happen, and rare branches that are taken.
    pub(super) faults: usize,
    machines: usize,
    /// What the program itself draws: a client and an operation more draw more.
    operations: usize,
    overrides: usize,
    preemptions: usize,
    elapsed: Duration,
    /// Sum of how far values are from their defaults.
    distance: u128,
    steps: u64,
}

impl Cost {
    pub(super) fn of(world: &World, log: &Log, outcome: &Outcome) -> Self {
        let drawn = |is_wanted: fn(Class) -> bool| {
            let wanted = log.draws.iter().filter(move |drawn| is_wanted(Class::of_draw(drawn)));
            wanted.map(|drawn| drawn.draw)
        };
        let faults = drawn(Class::is_fault).filter(|draw| draw.value != draw.space.default_value());
        let machines: BTreeSet<&str> = log.domains.values().map(|name| &**name).collect();
        let preemptions = log
            .decisions
            .iter()
            .filter(|decision| decision.can_continue && decision.chosen != decision.default);
        let distances =
            log.draws.iter().map(|logged| logged.draw.space.distance(logged.draw.value));
        Self {
            faults: faults.count(),
            machines: machines.len(),
            operations: drawn(|class| class == Class::Workload).count(),
            overrides: world.overrides.len(),
            preemptions: preemptions.count(),
            elapsed: outcome.elapsed(),
            distance: distances.map(u128::from).sum(),
            steps: outcome.steps(),
        }
    }

    /// Returns what there is to read in a report: what is forced. Between two worlds on different ways from one failure it says
    /// more than how many operations the program happened to come to.
    pub(super) fn reading(&self) -> [usize; 4] {
        [self.faults, self.machines, self.overrides, self.operations]
    }

    /// Returns the part of it that has nothing to do with times and values.
    pub(super) fn shape(&self) -> [usize; 5] {
        [self.faults, self.machines, self.operations, self.overrides, self.preemptions]
    }
}

/// Tells whether some of the overrides were left out and all others are the same.
pub(super) fn is_part_of(some: &Overrides, all: &Overrides) -> bool {
    some.len() < all.len() && some.iter().all(|(key, value)| all.get(key) == Some(value))
}
