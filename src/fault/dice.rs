//! Draws of faults: choices with a label and an ordinal of their own, so that one that is left out
//! renumbers no other.

use std::ops::RangeInclusive;
use std::panic::Location;
use std::time::Duration;

use crate::backend;
use crate::kernel::{Ratio, Site, Space};

/// Tells whether something happens; it does not in the default world.
#[track_caller]
pub(super) fn happens(label: &'static str, ordinal: u64, share: Ratio) -> bool {
    draw(label, ordinal, Space::Chance { probability: share }) == 1
}

/// Draws one of so many; the first in the default world.
#[track_caller]
pub(super) fn index(label: &'static str, ordinal: u64, count: usize) -> usize {
    let value = draw(label, ordinal, Space::Index { count: count.max(1) as u64 });
    usize::try_from(value).expect("it is below a `usize`")
}

/// Draws a duration, evenly; the least in the default world.
#[track_caller]
pub(super) fn duration(
    label: &'static str,
    ordinal: u64,
    range: &RangeInclusive<Duration>,
) -> Duration {
    Duration::from_nanos(draw(label, ordinal, Space::duration(*range.start(), *range.end())))
}

/// Draws a duration whose logarithm is spread evenly, by octaves: as often between 1 and 2 ms as
/// between 1 and 2 s.
#[track_caller]
pub(super) fn log_duration(
    label: &'static str,
    ordinal: u64,
    range: &RangeInclusive<Duration>,
) -> Duration {
    let (low, high) = (*range.start(), *range.end());
    let ratio = high.as_nanos() / low.as_nanos().max(1);
    let octaves = u128::BITS - ratio.max(1).leading_zeros();
    let octave = index(label, ordinal << 1, octaves as usize);
    let from = low.max(Duration::from_nanos(1)) * (1 << octave);
    duration(label, ordinal << 1 | 1, &(from..=from.saturating_mul(2).min(high).max(from)))
}

/// Draws a whole number from 0 to `most`; 0 in the default world.
#[track_caller]
pub(super) fn number(label: &'static str, ordinal: u64, most: u64) -> u64 {
    draw(label, ordinal, Space::Integer { low: 0, high: most, default: 0 })
}

#[track_caller]
fn draw(label: &'static str, ordinal: u64, space: Space) -> u64 {
    backend::choose("fault", Site::label(label), Some(ordinal), space, Location::caller())
}
