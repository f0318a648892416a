//! The wall clock.

use std::time::Duration;

use crate::backend;

/// A reading of the virtual wall clock of the task's domain: time since 1970, without leap seconds.
///
/// It starts at [`crate::SimBuilder::epoch`] (2020-01-01 by default) and, unlike
/// [`super::Instant`], can be stepped.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::time::SystemTime;
/// let start = SystemTime::now();
/// assert_eq!(start.since_epoch().as_secs(), 1_577_836_800);
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SystemTime {
    nanos: u64,
}

impl SystemTime {
    /// Reads the clock.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[must_use]
    #[track_caller]
    pub fn now() -> Self {
        Self { nanos: backend::wall_now("SystemTime::now") }
    }

    /// Returns the time since 1970-01-01.
    #[must_use]
    pub const fn since_epoch(self) -> Duration {
        Duration::from_nanos(self.nanos)
    }

    /// Returns the time since an earlier reading, or none if that is later, as after a step back.
    #[must_use]
    pub fn duration_since(self, earlier: Self) -> Option<Duration> {
        self.nanos.checked_sub(earlier.nanos).map(Duration::from_nanos)
    }
}
