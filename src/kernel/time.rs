//! Time of the simulated world.

use std::fmt;
use std::time::Duration;

/// A point on the global clock of a run: nanoseconds since its start.
///
/// The clocks that programs read ([`crate::time::Instant`]) are derived from it and may run fast,
/// slow or offset; this one never does. Sums that do not fit stop at [`VirtualTime::MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VirtualTime(u64);

impl VirtualTime {
    /// Start of the run.
    pub const ZERO: Self = Self(0);

    /// The end of time, 584 years after the start; "never" for a deadline.
    pub const MAX: Self = Self(u64::MAX);

    /// Makes the time so many nanoseconds after the start.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Returns the nanoseconds since the start.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns the time since the start.
    #[must_use]
    pub const fn elapsed(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// Returns the time `duration` later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// Prints seconds with as many decimals as are needed, in groups that stand for milli, micro and
/// nano: `0.010 s`, `1.000250 s`.
impl fmt::Display for VirtualTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0 / NANOS_PER_SECOND, self.0 % NANOS_PER_SECOND);
        if nanos.is_multiple_of(1_000_000) {
            write!(formatter, "{seconds}.{:03} s", nanos / 1_000_000)
        } else if nanos.is_multiple_of(1_000) {
            write!(formatter, "{seconds}.{:06} s", nanos / 1_000)
        } else {
            write!(formatter, "{seconds}.{nanos:09} s")
        }
    }
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;
