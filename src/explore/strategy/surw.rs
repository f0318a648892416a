//! Uniform random walks: selective (SURW) and of all operations (URW).
//!
//! A naive random walk is far from uniform: it favours schedules in which tasks take turns, and of 25
//! operations of one task it does all before the one of another task once in 2^25 runs. Here the next
//! to go on is drawn by how many operations each task still has to do. If the counts are right and
//! none of the operations blocks, all their interleavings are equally likely. SURW does so for the
//! operations on one resource, drawn for each seed among those that tasks share, by how much it is
//! used: few interleavings, hit fast. All else goes by random priorities, so every schedule stays
//! possible.
//!
//! Who is *intended* to do the next such operation is drawn before it is known whether that task will
//! come to one; others that come to theirs are *blocked* until it has, or until nobody else is left.
//! The operations of tasks that are not spawned yet count for who will spawn them.
//!
//! # Source
//! Zhao, Wolff, Mathur and Roychoudhury, "Selectively uniform concurrency testing", ASPLOS 2025.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::draws::Draws;
use super::priorities::Priorities;
use super::profile::Profile;
use crate::executor::{Candidate, Decision, Operation, Pick};
use crate::kernel::{Seed, StreamId};

#[derive(Debug)]
pub(super) struct Surw {
    draws: Draws,
    priorities: Priorities,
    selected: Selected,
    /// By how much one operation lowers what is left: counts are sums over so many runs.
    unit: u64,
    /// What tasks that are not spawned yet and those below them will do.
    unspawned: BTreeMap<StreamId, u64>,
    /// What tasks still have to do, with those that they will spawn.
    remaining: BTreeMap<StreamId, u64>,
    intended: Option<StreamId>,
    blocked: Vec<StreamId>,
}

/// Which operations are to be in uniformly random order.
#[derive(Clone, Copy, Debug)]
enum Selected {
    All,
    Of(u64),
}

impl Surw {
    /// Makes it for the operations on one resource that tasks share; for all where none is known.
    pub(super) fn of_one(seed: Seed, profile: &Profile) -> Self {
        let mut draws = Draws::new(seed);
        let in_all: u64 = profile.shared().map(|(_, count)| count).sum();
        let selected = (in_all > 0).then(|| draws.below(in_all)).and_then(|mut place| {
            let is_behind = |(_, count): &(u64, u64)| {
                let is_behind = place < *count;
                place = place.saturating_sub(*count);
                is_behind
            };
            profile.shared().find(is_behind).map(|(resource, _)| Selected::Of(resource))
        });
        Self::of(draws, selected.unwrap_or(Selected::All), profile)
    }

    /// Makes it for all operations.
    pub(super) fn of_all(seed: Seed, profile: &Profile) -> Self {
        Self::of(Draws::new(seed), Selected::All, profile)
    }

    fn of(draws: Draws, selected: Selected, profile: &Profile) -> Self {
        let resource = match selected {
            Selected::All => None,
            Selected::Of(resource) => Some(resource),
        };
        let mut unspawned: BTreeMap<StreamId, u64> = BTreeMap::new();
        for (task, count) in profile.operations(resource) {
            let mut above = Some(task);
            while let Some(task) = above {
                *unspawned.entry(task).or_default() += count;
                above = profile.parent(task);
            }
        }
        Self {
            draws,
            priorities: Priorities::default(),
            selected,
            unit: profile.run_count(),
            unspawned,
            remaining: BTreeMap::new(),
            intended: None,
            blocked: Vec::new(),
        }
    }

    fn is_selected(&self, operation: Operation) -> bool {
        match self.selected {
            Selected::All => operation.resource != 0,
            Selected::Of(resource) => operation.resource == resource,
        }
    }

    /// Returns the index of the highest priority among those that are not blocked.
    fn best(&mut self, decision: &Decision<'_>) -> Option<usize> {
        let Self { draws, priorities, blocked, .. } = self;
        (0..decision.candidate_count())
            .filter(|index| !blocked.contains(&decision.candidate(*index).task))
            .max_by_key(|index| {
                (priorities.of(decision.candidate(*index).task, draws), Reverse(*index))
            })
    }

    /// Draws who is to do the next selected operation, by how many are left.
    fn intend(&mut self, decision: &Decision<'_>, arrived: StreamId) -> StreamId {
        let left = |task: StreamId| {
            let left = self.remaining.get(&task).copied().unwrap_or(0);
            // It has come to one, whatever the pilots' counts say.
            if task == arrived { left.max(self.unit) } else { left }
        };
        let tasks = (0..decision.candidate_count()).map(|index| decision.candidate(index).task);
        let weights: Vec<(StreamId, u64)> = tasks
            .filter(|task| !self.blocked.contains(task))
            .map(|task| (task, left(task)))
            .collect();
        let mut place = self.draws.below(weights.iter().map(|(_, weight)| weight).sum());
        for (task, weight) in weights {
            if place < weight {
                return task;
            }
            place -= weight;
        }
        arrived
    }

    /// Notes that a task does its next operation.
    fn done(&mut self, candidate: Candidate) {
        self.priorities.forget(candidate.task);
        if self.is_selected(candidate.operation) {
            if let Some(left) = self.remaining.get_mut(&candidate.task) {
                *left = left.saturating_sub(self.unit);
            }
            self.intended = None;
            self.blocked.clear();
        }
    }
}

impl Pick for Surw {
    fn pick(&mut self, decision: &Decision<'_>) -> usize {
        loop {
            let Some(best) = self.best(decision) else {
                self.blocked.clear();
                self.intended = None;
                continue;
            };
            let candidate = decision.candidate(best);
            let is_free = !self.is_selected(candidate.operation) || {
                let intended = match self.intended {
                    Some(intended) => intended,
                    None => self.intend(decision, candidate.task),
                };
                self.intended = Some(intended);
                intended == candidate.task
            };
            if is_free {
                self.done(candidate);
                return best;
            }
            self.blocked.push(candidate.task);
        }
    }

    fn went_on(&mut self, candidate: Candidate) {
        self.done(candidate);
    }

    fn spawned(&mut self, parent: StreamId, child: StreamId) {
        let of_child = self.unspawned.get(&child).copied().unwrap_or(0);
        self.remaining.insert(child, of_child);
        let Some(of_parent) = self.remaining.get_mut(&parent) else { return };
        // What was drawn for the parent was drawn for those below it, too.
        if self.intended == Some(parent)
            && *of_parent > 0
            && self.draws.below(*of_parent) < of_child
        {
            self.intended = Some(child);
        }
        *of_parent = of_parent.saturating_sub(of_child);
    }
}
