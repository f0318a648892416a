//! Which values a choice may take.

use std::time::Duration;

use super::Ratio;

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
            Self::Integer { default, .. } => default,
            Self::Index { .. } | Self::Chance { .. } => 0,
            Self::Nanos { low, .. } => low,
        }
    }

    /// Tells whether a value belongs to the space.
    #[must_use]
    pub const fn contains(self, value: u64) -> bool {
        match self {
            Self::Integer { low, high, .. } | Self::Nanos { low, high } => {
                low <= value && value <= high
            }
            Self::Index { count } => value < count,
            Self::Chance { .. } => value <= 1,
        }
    }

    /// Maps evenly distributed bits to a value of the space.
    #[must_use]
    pub(crate) const fn sample(self, bits: u64) -> u64 {
        match self {
            Self::Integer { low, high, .. } | Self::Nanos { low, high } => {
                low + scale(bits, high - low)
            }
            Self::Index { count } => scale(bits, count - 1),
            Self::Chance { probability } => probability.accepts(bits) as u64,
        }
    }

    /// Panics on a space that holds nothing.
    #[track_caller]
    pub(crate) fn check(self) {
        match self {
            Self::Integer { low, high, default } => {
                assert!(low <= high, "an empty range to choose from: {low}..={high}");
                assert!(
                    low <= default && default <= high,
                    "the default {default} is outside of {low}..={high}"
                );
            }
            Self::Index { count } => assert!(count > 0, "nothing to choose from"),
            Self::Chance { .. } => {}
            Self::Nanos { low, high } => {
                assert!(low <= high, "an empty range of durations: {low} ns..={high} ns");
            }
        }
    }
}

/// Maps bits to `0..=span` by multiply and shift: one draw each, with a bias below 2^-32 for the
/// spans that occur, where rejection would make the number of draws depend on the data.
const fn scale(bits: u64, span: u64) -> u64 {
    ((bits as u128 * (span as u128 + 1)) >> 64) as u64
}
