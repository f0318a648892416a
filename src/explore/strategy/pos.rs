//! Partial order sampling.
//!
//! Each operation that could be next has a random priority, and the highest is done. Then the task's
//! next operation gets a priority of its own, and so do all that race with the one that was done: who
//! wins the second race is independent of who won the first.
//!
//! It has nothing to set. It is weak where one task has to win or to lose against many, because each
//! race is a new draw.
//!
//! # Source
//! Yuan, Yang and Gu, "Partial order aware concurrency sampling", CAV 2018.

use super::draws::Draws;
use super::priorities::Priorities;
use crate::executor::{Candidate, Decision, Pick};
use crate::kernel::Seed;

#[derive(Debug)]
pub(super) struct Pos {
    draws: Draws,
    priorities: Priorities,
}

impl Pos {
    pub(super) fn new(seed: Seed) -> Self {
        Self { draws: Draws::new(seed), priorities: Priorities::default() }
    }
}

impl Pick for Pos {
    fn pick(&mut self, decision: &Decision<'_>) -> usize {
        let Self { draws, priorities } = self;
        let indices = 0..decision.candidate_count();
        let best = indices.clone().max_by_key(|index| {
            // Of equal ones the first: what the default world would do.
            (priorities.of(decision.candidate(*index).task, draws), std::cmp::Reverse(*index))
        });
        let best = best.expect("a decision has candidates");
        let done = decision.candidate(best);
        self.priorities.forget(done.task);
        let others = indices.map(|index| decision.candidate(index));
        for other in others.filter(|other| other.operation.races_with(done.operation)) {
            self.priorities.forget(other.task);
        }
        best
    }

    fn went_on(&mut self, candidate: Candidate) {
        self.priorities.forget(candidate.task);
    }
}
