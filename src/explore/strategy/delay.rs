//! Delay bounding: the default schedule, but at a few decisions who would go on is passed over.
//!
//! With d delays among k decisions there are no more than k^d schedules, all close to the default:
//! what few delays show is found however many tasks there are. Alone it is weak, as most bugs of
//! wide programs need more. One to five are drawn for each seed; two that fall on one decision pass
//! over two tasks.
//!
//! # Source
//! Emmi, Qadeer and Rakamarić, "Delay-bounded scheduling", POPL 2011.

use super::draws::Draws;
use super::profile::Profile;
use crate::executor::{Decision, Pick};
use crate::kernel::Seed;

#[derive(Debug)]
pub(super) struct Delay {
    /// At which decisions, from 1.
    delays: Vec<u64>,
    decision_count: u64,
}

impl Delay {
    pub(super) fn new(seed: Seed, profile: &Profile) -> Self {
        let mut draws = Draws::new(seed);
        let length = profile.length(&mut draws);
        let count = 1 + draws.below(DELAYS_MAX);
        let delays = (0..count).map(|_| 1 + draws.below(length)).collect();
        Self { delays, decision_count: 0 }
    }
}

impl Pick for Delay {
    fn pick(&mut self, decision: &Decision<'_>) -> usize {
        self.decision_count += 1;
        let count = self.delays.iter().filter(|at| **at == self.decision_count).count();
        count % decision.candidate_count()
    }
}

const DELAYS_MAX: u64 = 5;
