//! Every candidate alike, at every decision.

use super::draws::Draws;
use crate::executor::{Decision, Pick};
use crate::kernel::Seed;

#[derive(Debug)]
pub(super) struct Random {
    draws: Draws,
}

impl Random {
    pub(super) fn new(seed: Seed) -> Self {
        Self { draws: Draws::new(seed) }
    }
}

impl Pick for Random {
    fn pick(&mut self, decision: &Decision<'_>) -> usize {
        self.draws.index(decision.candidate_count())
    }
}
