//! What strategies draw: numbered and keyed apart from the choices of the run.

use crate::kernel::{Key, Seed, Site, StreamId, prf};

/// The draws of one strategy in one run, in order.
#[derive(Debug)]
pub(super) struct Draws {
    seed: Seed,
    count: u64,
}

impl Draws {
    pub(super) fn new(seed: Seed) -> Self {
        Self { seed, count: 0 }
    }

    /// Returns 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        let bits = prf(self.seed, Key::new(StreamId::ROOT, STRATEGY, self.count));
        self.count += 1;
        bits
    }

    /// Returns a number below a bound above 0, each alike.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.bits()) * u128::from(bound);
        u64::try_from(product >> 64).expect("below the bound")
    }

    /// Returns an index below a count above 0, each alike.
    pub(super) fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.below(count as u64)).expect("below the count")
    }
}

const STRATEGY: Site = Site::new("strategy");
