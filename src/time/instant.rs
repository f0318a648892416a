//! The monotonic clock.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::Duration;

use crate::backend;
use crate::kernel::VirtualTime;

/// A reading of the monotonic clock: in a simulation the virtual one of the task's domain, exact to the
/// nanosecond.
///
/// Shaped like [`std::time::Instant`]. It starts at zero with the run, so instants of two simulated runs
/// are equal when the runs are, and instants of different runs are not to be compared.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::time::{Instant, sleep};
/// use std::time::Duration;
///
/// let start = Instant::now();
/// sleep(Duration::from_secs(3600)).await;
/// assert_eq!(start.elapsed(), Duration::from_secs(3600));
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    nanos: u64,
}

impl Instant {
    /// Reads the clock.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[must_use]
    #[track_caller]
    pub fn now() -> Self {
        Self { nanos: backend::local_now("Instant::now") }
    }

    /// Returns the time since this reading; zero if it lies ahead.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[must_use]
    #[track_caller]
    pub fn elapsed(&self) -> Duration {
        Self::now().duration_since(*self)
    }

    /// Returns the time since an earlier reading; zero if that is later.
    #[must_use]
    pub fn duration_since(&self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos.saturating_sub(earlier.nanos))
    }

    /// Returns the time since an earlier reading, or none if that is later.
    #[must_use]
    pub fn checked_duration_since(&self, earlier: Self) -> Option<Duration> {
        self.nanos.checked_sub(earlier.nanos).map(Duration::from_nanos)
    }

    /// Returns the instant so much later, or none past the end of time (584 years).
    #[must_use]
    pub fn checked_add(&self, duration: Duration) -> Option<Self> {
        let nanos = self.nanos.checked_add(u64::try_from(duration.as_nanos()).ok()?)?;
        Some(Self { nanos })
    }

    /// Returns the instant so much earlier, or none before the start of the run.
    #[must_use]
    pub fn checked_sub(&self, duration: Duration) -> Option<Self> {
        let nanos = self.nanos.checked_sub(u64::try_from(duration.as_nanos()).ok()?)?;
        Some(Self { nanos })
    }

    /// Returns the instant so much later; the end of time if that is past it.
    pub(crate) fn saturating_add(self, duration: Duration) -> Self {
        self.checked_add(duration).unwrap_or(Self { nanos: u64::MAX })
    }

    /// Reads the clock for a call that is to be named when there is none.
    #[track_caller]
    pub(super) fn in_run(call: &str) -> Self {
        Self { nanos: backend::local_now(call) }
    }

    pub(super) const fn from_nanos(nanos: u64) -> Self {
        Self { nanos }
    }

    pub(crate) const fn nanos(self) -> u64 {
        self.nanos
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Instant({})", VirtualTime::from_nanos(self.nanos))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    #[track_caller]
    fn add(self, duration: Duration) -> Self {
        self.checked_add(duration).expect("an instant before the end of time")
    }
}

impl AddAssign<Duration> for Instant {
    #[track_caller]
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    #[track_caller]
    fn sub(self, duration: Duration) -> Self {
        self.checked_sub(duration).expect("an instant after the start of the run")
    }
}

impl SubAssign<Duration> for Instant {
    #[track_caller]
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.duration_since(earlier)
    }
}
