//! Probabilistic concurrency testing.
//!
//! Each task has a random priority, and of those that are ready the highest runs. At d - 1 decisions,
//! drawn among the k of a run, the task that would go on gets a priority below all of those, the
//! i-th drawn gets priority i: as they are drawn in any order, a task that is lowered late may still
//! go before one that was lowered early. A bug of depth d, one that d orderings are enough to show,
//! is found in a run with a probability of at least 1 / (n k^(d-1)), for n tasks.
//!
//! As in the paper, and unlike in Coyote and Shuttle, change points are drawn with replacement among
//! the decisions of pilot runs: when they are drawn apart, a depth above k lowers a task at every
//! decision and explores a single schedule. Only real decisions count, where two tasks or more could
//! go on. The depth is 3, or drawn from 1 to 10 (`pct-mix`): no depth suits all bugs.
//!
//! # Source
//! Burckhardt, Kothari, Musuvathi and Nagarakatte, "A randomized scheduler with probabilistic
//! guarantees of finding bugs", ASPLOS 2010.

use std::cmp::Reverse;

use super::draws::Draws;
use super::profile::Profile;
use crate::executor::{Decision, Pick};
use crate::kernel::{Key, Seed, Site, StreamId, prf};

#[derive(Debug)]
pub(super) struct Pct {
    seed: Seed,
    /// At which decisions, from 1, a task is lowered; the place in the list is its new priority.
    change_points: Vec<u64>,
    decision_count: u64,
    /// Tasks that were lowered, and to what: few.
    lowered: Vec<(StreamId, usize)>,
}

impl Pct {
    /// Makes it with depth 3.
    pub(super) fn new(seed: Seed, profile: &Profile) -> Self {
        Self::with_depth(seed, DEPTH, profile)
    }

    pub(super) fn with_depth(seed: Seed, depth: u64, profile: &Profile) -> Self {
        Self::of_depth(seed, depth, Draws::new(seed), profile)
    }

    /// Makes it with a depth that is drawn.
    pub(super) fn of_any_depth(seed: Seed, profile: &Profile) -> Self {
        let mut draws = Draws::new(seed);
        let depth = 1 + draws.below(DEPTH_MAX);
        Self::of_depth(seed, depth, draws, profile)
    }

    fn of_depth(seed: Seed, depth: u64, mut draws: Draws, profile: &Profile) -> Self {
        let length = profile.length(&mut draws);
        let change_points = (1..depth).map(|_| 1 + draws.below(length)).collect();
        Self { seed, change_points, decision_count: 0, lowered: Vec::new() }
    }

    /// Lowered ones come below all others.
    fn priority(&self, task: StreamId) -> (bool, u64) {
        match self.lowered.iter().find(|(lowered, _)| *lowered == task) {
            Some((_, priority)) => (false, *priority as u64),
            None => (true, prf(self.seed, Key::new(task, PRIORITY, 0))),
        }
    }

    /// Returns the index of the task of the highest priority.
    fn best(&self, decision: &Decision<'_>) -> usize {
        let priority = |index: &usize| self.priority(decision.candidate(*index).task);
        let best = (0..decision.candidate_count()).max_by_key(|at| (priority(at), Reverse(*at)));
        best.expect("a decision has candidates")
    }

    fn lower(&mut self, task: StreamId, priority: usize) {
        self.lowered.retain(|(lowered, _)| *lowered != task);
        self.lowered.push((task, priority));
    }
}

impl Pick for Pct {
    fn pick(&mut self, decision: &Decision<'_>) -> usize {
        self.decision_count += 1;
        let mut best = self.best(decision);
        for priority in 0..self.change_points.len() {
            if self.change_points[priority] == self.decision_count {
                self.lower(decision.candidate(best).task, priority);
                best = self.best(decision);
            }
        }
        best
    }
}

const PRIORITY: Site = Site::new("strategy priority");
const DEPTH: u64 = 3;
const DEPTH_MAX: u64 = 10;
