//! Values: nearer to their defaults, alone and together, and easy to read.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use super::class::Class;
use super::{Gate, Pass, Shrinker};
use crate::executor::SCHEDULE;
use crate::kernel::{Key, Overrides, Space};

impl Shrinker<'_> {
    /// Moves each value towards its default, as far as the failure stays.
    pub(super) fn lower(&mut self) -> Pass {
        let mut has_progressed = false;
        let keys: Vec<Key> = self.overrides().keys().copied().collect();
        for key in keys.into_iter().filter(|key| key.site != SCHEDULE.id()) {
            has_progressed |= self.lower_by_the_same(&[key])?;
        }
        ControlFlow::Continue(has_progressed)
    }

    /// Moves values of one class towards their defaults by the same amount: all of them, then each two.
    /// What matters may be that one is so much more than another.
    pub(super) fn lower_together(&mut self) -> Pass {
        let mut has_progressed = false;
        for class in [Class::Knob, Class::Workload, Class::Latency, Class::Detail] {
            let classes = self.classes();
            let is_of_class = |key: &&Key| classes.of_key(key) == class;
            let keys: Vec<Key> = self.overrides().keys().filter(is_of_class).copied().collect();
            if keys.len() > 2 {
                has_progressed |= self.lower_by_the_same(&keys)?;
            }
            for (place, second) in keys.iter().enumerate().take(TOGETHER_MAX) {
                for first in &keys[..place] {
                    has_progressed |= self.lower_by_the_same(&[*first, *second])?;
                }
            }
        }
        ControlFlow::Continue(has_progressed)
    }

    /// Lowers the nearest of them to its default, where it is left out, or else by halves as far as it goes; not at all if
    /// it does not go a little.
    fn lower_by_the_same(&mut self, keys: &[Key]) -> Pass {
        let mut has_progressed = false;
        // A value alone has been left out already.
        let mut tried = if keys.len() > 1 { Tried::Nothing } else { Tried::Default };
        loop {
            let drawn = keys.iter().filter_map(|key| Some((*key, self.drawn_at(*key)?)));
            let drawn: BTreeMap<Key, (Space, u64)> =
                drawn.filter(|(_, (space, value))| space.distance(*value) > 0).collect();
            let distances = drawn.values().map(|(space, value)| (space.distance(*value), *space));
            let Some((least, space)) = distances.min_by_key(|(distance, _)| *distance) else {
                break;
            };
            if drawn.len() < keys.len().min(2) {
                break;
            }
            let left = match tried {
                Tried::Nothing => 0,
                Tried::Default => least - precision(space, least),
                Tried::Below(passing)
                    if least.saturating_sub(passing) > precision(space, least) =>
                {
                    middle(space, passing, least)
                }
                Tried::Below(_) => break,
            };
            let mut lowered = self.overrides().clone();
            for (key, (space, value)) in &drawn {
                let distance = space.distance(*value) - (least - left);
                lowered.insert(*key, space.toward(*value, distance));
            }
            let is_lower = self.propose([lowered])?;
            has_progressed |= is_lower;
            tried = match (tried, is_lower) {
                // Of the others another one is the nearest now.
                (Tried::Nothing, true) => Tried::Nothing,
                (Tried::Nothing, false) => Tried::Default,
                (Tried::Default, true) => Tried::Below(0),
                (Tried::Default, false) => break,
                (Tried::Below(passing), true) => Tried::Below(passing),
                (Tried::Below(_), false) => Tried::Below(left),
            };
        }
        ControlFlow::Continue(has_progressed)
    }

    /// Rounds durations up, to the coarsest unit with which the failure stays and which is no more than
    /// twice as long. Nothing else of the run may become more.
    pub(super) fn round(&mut self) -> Pass {
        let mut has_progressed = false;
        let keys: Vec<Key> = self.overrides().keys().copied().collect();
        for key in keys {
            let Some((space, value)) = self.drawn_at(key) else { continue };
            let rounded: Vec<u64> = round_values(space, value);
            let base = self.overrides().clone();
            let candidates = rounded.into_iter().map(|value| {
                let mut rounded: Overrides = base.clone();
                rounded.insert(key, value);
                rounded
            });
            has_progressed |= self.propose_to(Gate::AsSimple, candidates)?;
        }
        ControlFlow::Continue(has_progressed)
    }

    /// Returns the space and the value of an override; none of a decision about the schedule.
    fn drawn_at(&self, key: Key) -> Option<(Space, u64)> {
        self.best().outcome.log()?.draw_at(key)
    }
}

/// How far several values have been lowered together.
#[derive(Clone, Copy, Debug)]
enum Tried {
    Nothing,
    /// The nearest to its default.
    Default,
    /// A little, which went, and so far, which did not.
    Below(u64),
}

/// Returns a distance between one that passes and one that fails, near the middle; of durations the roundest that
/// lies there, as limits of programs are round.
fn middle(space: Space, passing: u64, failing: u64) -> u64 {
    let gap = failing - passing;
    if let Space::Nanos { low, .. } | Space::Skewed { low, .. } = space {
        let (first, last) = (low + passing + gap / 4, low + failing - gap / 4);
        let decimals = (0..=u64::MAX.ilog10()).rev().map(|digits| 10_u64.pow(digits));
        let mut rounded = decimals.map(|unit| first.div_ceil(unit).saturating_mul(unit));
        if let Some(value) = rounded.find(|value| *value <= last)
            && (passing + 1..failing).contains(&(value - low))
        {
            return value - low;
        }
    }
    passing + gap / 2
}

/// Returns how exactly the least value is looked for. Durations are rounded in the end.
fn precision(space: Space, distance: u64) -> u64 {
    match space {
        Space::Nanos { .. } | Space::Skewed { .. } => (distance / 64).max(1),
        _ => 1,
    }
}

/// Returns what a duration may be rounded to, the coarsest first.
fn round_values(space: Space, value: u64) -> Vec<u64> {
    let (Space::Nanos { .. } | Space::Skewed { .. }) = space else { return Vec::new() };
    let to = |unit: Duration| {
        let unit = u64::try_from(unit.as_nanos()).expect("a unit is short");
        value.div_ceil(unit).saturating_mul(unit)
    };
    let mut values: Vec<u64> = UNITS.into_iter().map(to).collect();
    values.dedup();
    let is_near = |rounded: &u64| *rounded <= value.saturating_mul(2) && space.contains(*rounded);
    values.retain(|rounded| is_near(rounded));
    // What is round to a unit already needs no finer one.
    values.into_iter().take_while(|rounded| *rounded != value).collect()
}

const UNITS: [Duration; 7] = [
    Duration::from_secs(1),
    Duration::from_millis(100),
    Duration::from_millis(10),
    Duration::from_millis(1),
    Duration::from_micros(100),
    Duration::from_micros(10),
    Duration::from_micros(1),
];

/// Of so many of a class each two are lowered together.
const TOGETHER_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::{middle, round_values};
    use crate::kernel::Space;

    const MILLIS: u64 = 1_000_000;

    #[test]
    fn durations_are_rounded_up_to_the_coarsest_unit_that_does_not_double_them() {
        let space = Space::Nanos { low: 0, high: 10_000 * MILLIS };
        let check = |value: u64, expected: &[u64]| {
            assert_eq!(round_values(space, value), expected, "{value}");
        };
        check(
            37 * MILLIS + 123_456,
            &[
                40 * MILLIS,
                38 * MILLIS,
                37 * MILLIS + 200_000,
                37 * MILLIS + 130_000,
                37 * MILLIS + 124_000,
            ],
        );
        check(
            60 * MILLIS + 1,
            &[
                100 * MILLIS,
                70 * MILLIS,
                61 * MILLIS,
                60 * MILLIS + 100_000,
                60 * MILLIS + 10_000,
                60 * MILLIS + 1_000,
            ],
        );
        check(100 * MILLIS, &[]);
        check(40 * MILLIS, &[]);
        check(10_000 * MILLIS, &[]);
    }

    #[test]
    fn between_two_durations_the_roundest_is_tried_that_is_near_the_middle() {
        let space = Space::Nanos { low: MILLIS, high: 10_000 * MILLIS };
        assert_eq!(middle(space, 0, 1_999 * MILLIS), 999 * MILLIS, "a second");
        assert_eq!(middle(space, 1_950 * MILLIS, 2_031 * MILLIS), 1_999 * MILLIS, "two");
        assert_eq!(middle(space, 20, 23), 21, "and none at the ends");
        assert_eq!(middle(Space::Integer { low: 0, high: 100, default: 0 }, 10, 31), 20);
    }

    #[test]
    fn no_other_number_is_rounded_and_no_duration_beyond_its_range() {
        assert!(round_values(Space::Integer { low: 0, high: 100, default: 0 }, 37).is_empty());
        let space = Space::Nanos { low: 0, high: 38 };
        assert!(round_values(space, 37).is_empty());
    }
}
