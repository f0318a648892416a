//! Draws of faults: choices with a label and an ordinal of their own, so that one that is left out
//! renumbers no other.

use std::ops::RangeInclusive;
use std::panic::Location;
use std::time::Duration;

use crate::backend;
use crate::kernel::{Ratio, Site, Space};

/// Draws for a line of the test.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dice {
    pub(super) at: &'static Location<'static>,
}

impl Dice {
    /// Tells whether something happens; it does not in the default world.
    pub(super) fn happens(self, label: &'static str, ordinal: u64, share: Ratio) -> bool {
        self.draw(label, ordinal, Space::Chance { probability: share }) == 1
    }

    /// Draws one of so many; the first in the default world.
    pub(super) fn index(self, label: &'static str, ordinal: u64, count: usize) -> usize {
        let value = self.draw(label, ordinal, Space::Index { count: count.max(1) as u64 });
        usize::try_from(value).expect("it is below a `usize`")
    }

    /// Draws a duration, evenly; the least in the default world.
    pub(super) fn duration(
        self,
        label: &'static str,
        ordinal: u64,
        range: &RangeInclusive<Duration>,
    ) -> Duration {
        let space = Space::duration(*range.start(), *range.end());
        Duration::from_nanos(self.draw(label, ordinal, space))
    }

    /// Draws a duration whose logarithm is spread evenly, by octaves: as often between 1 and 2 ms as
    /// between 1 and 2 s.
    pub(super) fn log_duration(
        self,
        label: &'static str,
        ordinal: u64,
        range: &RangeInclusive<Duration>,
    ) -> Duration {
        let (low, high) = (*range.start(), *range.end());
        let ratio = high.as_nanos() / low.as_nanos().max(1);
        let octaves = u128::BITS - ratio.max(1).leading_zeros();
        let octave = self.index(label, ordinal << 1, octaves as usize);
        let from = low.max(Duration::from_nanos(1)) * (1 << octave);
        self.duration(label, ordinal << 1 | 1, &(from..=from.saturating_mul(2).min(high).max(from)))
    }

    /// Draws a whole number from 0 to `most`; 0 in the default world.
    pub(super) fn number(self, label: &'static str, ordinal: u64, most: u64) -> u64 {
        self.draw(label, ordinal, Space::Integer { low: 0, high: most, default: 0 })
    }

    fn draw(self, label: &'static str, ordinal: u64, space: Space) -> u64 {
        backend::choose("fault", Site::label(label), Some(ordinal), space, self.at)
    }
}
