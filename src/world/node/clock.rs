//! Clocks of machines.

use std::fmt;
use std::time::Duration;

/// How the clock of a machine differs from the time of the run.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use parcae::time::{Instant, sleep};
/// use parcae::world::{self, ClockOptions};
///
/// parcae::check(10, || async {
///     let start = Instant::now();
///     // Fast by a tenth: it sleeps an hour in 55 minutes.
///     let fast = world::node("fast").clock(ClockOptions::default().with_rate(100_000));
///     fast.start(|| sleep(Duration::from_secs(66 * 60))).exited().await;
///     assert_eq!(start.elapsed(), Duration::from_secs(60 * 60));
/// });
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockOptions {
    /// How far its wall clock is ahead or behind when it is made. Default none.
    pub offset: TimeStep,
    /// How much faster it runs, in parts per million; below 0 it is slow. Default 0.
    pub rate: i32,
    /// When its wall clock jumps. Default never.
    pub steps: Option<ClockSteps>,
}

impl ClockOptions {
    /// Sets how far the wall clock is ahead or behind.
    #[must_use]
    pub fn with_offset(mut self, offset: TimeStep) -> Self {
        self.offset = offset;
        self
    }

    /// Sets how much faster it runs, in parts per million.
    #[must_use]
    pub fn with_rate(mut self, parts_per_million: i32) -> Self {
        self.rate = parts_per_million;
        self
    }

    /// Sets when the wall clock jumps.
    #[must_use]
    pub fn with_steps(mut self, steps: ClockSteps) -> Self {
        self.steps = Some(steps);
        self
    }
}

/// Jumps of a wall clock, as those of a time service that corrects it. The monotonic clock has none.
///
/// # Determinism
/// Each jump is drawn, site `clock step`, from `back` to `forward`; in the default world there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockSteps {
    /// Time of the run between two jumps, above 0.
    pub every: Duration,
    /// Farthest it jumps back.
    pub back: Duration,
    /// Farthest it jumps ahead.
    pub forward: Duration,
}

impl ClockSteps {
    /// Makes jumps every so often, by up to so much either way.
    ///
    /// # Panics
    /// When `every` or `most` is 0.
    #[must_use]
    #[track_caller]
    pub const fn new(every: Duration, most: Duration) -> Self {
        assert!(!every.is_zero(), "a clock that jumps every 0 ns would never stop jumping");
        assert!(!most.is_zero(), "a clock that jumps by 0 ns does not jump");
        Self { every, back: most, forward: most }
    }
}

/// A signed duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeStep {
    /// Into the future.
    Forward(Duration),
    /// Into the past.
    Back(Duration),
}

impl Default for TimeStep {
    fn default() -> Self {
        Self::Forward(Duration::ZERO)
    }
}

impl TimeStep {
    /// Returns it in nanoseconds; longer ones count as 292 years.
    pub(super) fn nanos(self) -> i64 {
        let nanos = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        match self {
            Self::Forward(duration) => nanos(duration),
            Self::Back(duration) => -nanos(duration),
        }
    }

    pub(super) fn of_nanos(nanos: i64) -> Self {
        let duration = Duration::from_nanos(nanos.unsigned_abs());
        if nanos < 0 { Self::Back(duration) } else { Self::Forward(duration) }
    }
}

impl fmt::Display for TimeStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forward(duration) => write!(formatter, "+{duration:?}"),
            Self::Back(duration) => write!(formatter, "-{duration:?}"),
        }
    }
}
