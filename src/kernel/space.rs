//! Which values a choice may take.

use std::time::Duration;

use super::{Ratio, Shape};

/// The sample space of one choice, with the default that the shrunk world takes.
///
/// All ranges are closed. A space that holds one value draws nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Space {
    /// Whole numbers from `low` to `high`, evenly.
    Integer {
        /// Least value.
        low: u64,
        /// Greatest value.
        high: u64,
        /// Value of the default world.
        default: u64,
    },
    /// Whole numbers from `low`, which is below 0, to `high`, evenly; the default is the one nearest
    /// to 0. Values are the 64 bits of the number in two's complement.
    Signed {
        /// Least value.
        low: i64,
        /// Greatest value.
        high: i64,
    },
    /// One of `count` things, evenly; the first is the default.
    Index {
        /// How many there are, at least 1.
        count: u64,
    },
    /// True with a probability; false is the default.
    Chance {
        /// The probability.
        probability: Ratio,
    },
    /// A duration in nanoseconds, evenly; the least is the default.
    Nanos {
        /// Least duration.
        low: u64,
        /// Greatest duration.
        high: u64,
    },
    /// A duration in nanoseconds, spread as a shape says; the least is the default. A value is the
    /// duration itself, so it is lowered as one when a failure is shrunk.
    Skewed {
        /// Least duration.
        low: u64,
        /// Greatest duration.
        high: u64,
        /// How they are spread.
        shape: Shape,
    },
    /// Whole numbers from `low` to `high` for something that has a usual value: that in half of the
    /// draws, each end of the range in an eighth, and any of the range evenly in the rest.
    Knob {
        /// Least value.
        low: u64,
        /// Greatest value.
        high: u64,
        /// The usual value, and that of the default world.
        default: u64,
    },
}

impl Space {
    /// Makes the space of the durations from `low` to `high`; longer ones count as 584 years.
    #[must_use]
    pub fn duration(low: Duration, high: Duration) -> Self {
        let nanos = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self::Nanos { low: nanos(low), high: nanos(high) }
    }

    /// Returns the value of the default world.
    #[must_use]
    pub const fn default_value(self) -> u64 {
        match self {
            Self::Integer { default, .. } | Self::Knob { default, .. } => default,
            Self::Signed { high, .. } => if high < 0 { high } else { 0 }.cast_unsigned(),
            Self::Index { .. } | Self::Chance { .. } => 0,
            Self::Nanos { low, .. } | Self::Skewed { low, .. } => low,
        }
    }

    #[cfg(feature = "simulation")]
    /// Returns the value of a space that holds one. A chance always holds two: an override of one
    /// that is certain keeps it from happening.
    #[must_use]
    pub(crate) const fn only_value(self) -> Option<u64> {
        let is_single = match self {
            Self::Integer { low, high, .. }
            | Self::Knob { low, high, .. }
            | Self::Nanos { low, high }
            | Self::Skewed { low, high, .. } => low == high,
            Self::Signed { low, high } => low == high,
            Self::Index { count } => count == 1,
            Self::Chance { .. } => false,
        };
        if is_single { Some(self.default_value()) } else { None }
    }

    #[cfg(feature = "simulation")]
    /// Returns all values that are ever drawn, the least first; none if there are more than `most`.
    #[must_use]
    pub(crate) fn values(self, most: u64) -> Option<Vec<u64>> {
        let (low, last) = match self {
            Self::Integer { low, high, .. }
            | Self::Knob { low, high, .. }
            | Self::Nanos { low, high }
            | Self::Skewed { low, high, .. } => (low, high - low),
            Self::Signed { low, high } => (low.cast_unsigned(), low.abs_diff(high)),
            Self::Index { count } => (0, count - 1),
            // Of a certain one both: the default world has the one, seeds have the other.
            Self::Chance { probability } => (0, u64::from(probability.numerator() > 0)),
        };
        (last < most).then(|| (0..=last).map(|distance| low.wrapping_add(distance)).collect())
    }

    /// Tells whether a value belongs to the space.
    #[must_use]
    pub const fn contains(self, value: u64) -> bool {
        match self {
            Self::Integer { low, high, .. }
            | Self::Knob { low, high, .. }
            | Self::Nanos { low, high }
            | Self::Skewed { low, high, .. } => low <= value && value <= high,
            Self::Signed { low, high } => low <= value.cast_signed() && value.cast_signed() <= high,
            Self::Index { count } => value < count,
            Self::Chance { .. } => value <= 1,
        }
    }

    /// Returns how far a value is from the default.
    #[must_use]
    pub const fn distance(self, value: u64) -> u64 {
        match self {
            Self::Signed { .. } => value.cast_signed().abs_diff(self.default_value().cast_signed()),
            _ => value.abs_diff(self.default_value()),
        }
    }

    /// Returns how far from the default the furthest value is on the side of `value`; none where values are
    /// no numbers.
    #[cfg(feature = "simulation")]
    #[must_use]
    pub(crate) const fn furthest(self, value: u64) -> Option<u64> {
        match self {
            Self::Integer { low, high, default } | Self::Knob { low, high, default } => {
                Some(if value >= default { high - default } else { default - low })
            }
            Self::Signed { low, high } => {
                let default = self.default_value().cast_signed();
                let is_above = value.cast_signed() >= default;
                Some(if is_above { high.abs_diff(default) } else { low.abs_diff(default) })
            }
            Self::Nanos { low, high } | Self::Skewed { low, high, .. } => Some(high - low),
            Self::Index { .. } | Self::Chance { .. } => None,
        }
    }

    #[cfg(feature = "simulation")]
    /// Returns the value that is `distance` from the default, on the side of `value`.
    #[must_use]
    pub(crate) const fn toward(self, value: u64, distance: u64) -> u64 {
        let default = self.default_value();
        let is_above = match self {
            Self::Signed { .. } => value.cast_signed() > default.cast_signed(),
            _ => value > default,
        };
        // Between the value and the default, so within 64 bits; two's complement does the rest.
        if is_above { default.wrapping_add(distance) } else { default.wrapping_sub(distance) }
    }

    /// Returns a value as people write it: signed numbers with their sign, durations with a unit.
    #[must_use]
    pub fn show(self, value: u64) -> String {
        match self {
            Self::Chance { .. } => (value == 1).to_string(),
            Self::Nanos { .. } | Self::Skewed { .. } => {
                format!("{:?}", Duration::from_nanos(value))
            }
            Self::Signed { .. } => value.cast_signed().to_string(),
            Self::Integer { .. } | Self::Index { .. } | Self::Knob { .. } => value.to_string(),
        }
    }

    /// Maps evenly distributed bits to a value of the space.
    #[must_use]
    pub(crate) const fn sample(self, bits: u64) -> u64 {
        match self {
            Self::Integer { low, high, .. } | Self::Nanos { low, high } => {
                low + scale(bits, high - low)
            }
            Self::Signed { low, high } => {
                low.cast_unsigned().wrapping_add(scale(bits, high.abs_diff(low)))
            }
            Self::Index { count } => scale(bits, count - 1),
            Self::Chance { probability } => probability.accepts(bits) as u64,
            Self::Skewed { low, high, shape } => shape.sample(bits, low, high),
            // The upper bits say which, the others where.
            Self::Knob { low, high, default } => match bits >> 61 {
                0..4 => default,
                4 => low,
                5 => high,
                _ => low + scale(bits << 3, high - low),
            },
        }
    }

    /// Panics on a space that holds nothing.
    #[track_caller]
    pub(crate) fn check(self) {
        match self {
            Self::Integer { low, high, default } | Self::Knob { low, high, default } => {
                assert!(low <= high, "an empty range to choose from: {low}..={high}");
                assert!(
                    low <= default && default <= high,
                    "the default {default} is outside of {low}..={high}"
                );
            }
            Self::Signed { low, high } => {
                assert!(low <= high, "an empty range to choose from: {low}..={high}");
                assert!(low < 0, "a range from {low} needs no sign");
            }
            Self::Index { count } => assert!(count > 0, "nothing to choose from"),
            Self::Chance { .. } => {}
            Self::Nanos { low, high } => {
                assert!(low <= high, "an empty range of durations: {low} ns..={high} ns");
            }
            Self::Skewed { low, high, shape } => {
                assert!(low <= high, "an empty range of durations: {low} ns..={high} ns");
                shape.check(low, high);
            }
        }
    }
}

/// Maps bits to `0..=span` by multiply and shift: one draw each, with a bias below 2^-32 for the
/// spans that occur, where rejection would make the number of draws depend on the data.
const fn scale(bits: u64, span: u64) -> u64 {
    ((bits as u128 * (span as u128 + 1)) >> 64) as u64
}
