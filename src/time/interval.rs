//! Doing something again and again.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::Instant;
use crate::backend::{self, Timer};

/// Ticks at once and then every `period`.
///
/// # Panics
/// When the period is zero, and outside of a parcae runtime.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::time::{Instant, interval};
/// use std::time::Duration;
///
/// let start = Instant::now();
/// let mut interval = interval(Duration::from_secs(1));
/// for _ in 0..3 {
///     interval.tick().await;
/// }
/// assert_eq!(start.elapsed(), Duration::from_secs(2));
/// # }).unwrap();
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    let _ = backend::local_now("parcae::time::interval");
    interval_at(Instant::now(), period)
}

/// Ticks at `start` and then every `period`.
///
/// # Panics
/// When the period is zero, and outside of a parcae runtime.
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    let _ = backend::local_now("parcae::time::interval_at");
    assert!(!period.is_zero(), "the period of an interval is above zero");
    let at = Location::caller();
    let timer = Timer::new(start.nanos(), at);
    Interval { period, next: start, timer, behavior: MissedTickBehavior::default(), at }
}

/// Ticks at equal distances; made by [`interval`].
#[derive(Debug)]
pub struct Interval {
    period: Duration,
    next: Instant,
    timer: Timer,
    behavior: MissedTickBehavior,
    at: &'static Location<'static>,
}

impl Interval {
    /// Waits for the next tick and returns the instant it was due.
    ///
    /// # Cancel safety
    /// Cancel safe: no tick is lost.
    pub fn tick(&mut self) -> Tick<'_> {
        Tick { interval: self }
    }

    /// Returns the interval with another answer to late ticks.
    #[must_use]
    pub fn with_missed_tick_behavior(mut self, behavior: MissedTickBehavior) -> Self {
        self.behavior = behavior;
        self
    }

    /// Sets the answer to late ticks.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.behavior = behavior;
    }

    /// Returns the period.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Lets the next tick come one period from now.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn reset(&mut self) {
        self.arm(Instant::now().saturating_add(self.period));
    }

    fn arm(&mut self, next: Instant) {
        self.next = next;
        self.timer = Timer::new(next.nanos(), self.at);
    }

    fn poll_tick(&mut self, context: &mut Context<'_>) -> Poll<Instant> {
        ready!(self.timer.poll(context));
        let due = self.next;
        let next = self.behavior.next(due, Instant::now(), self.period);
        self.arm(next);
        Poll::Ready(due)
    }
}

/// Future of [`Interval::tick`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Tick<'a> {
    interval: &'a mut Interval,
}

impl Future for Tick<'_> {
    type Output = Instant;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Instant> {
        self.interval.poll_tick(context)
    }
}

/// What an [`Interval`] does when ticks were missed, because the task was busy. As in tokio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTickBehavior {
    /// Catches up: missed ticks come at once, one after the other.
    #[default]
    Burst,
    /// Counts the period anew from the late tick.
    Delay,
    /// Leaves missed ticks out and keeps to multiples of the period.
    Skip,
}

impl MissedTickBehavior {
    fn next(self, due: Instant, now: Instant, period: Duration) -> Instant {
        match self {
            Self::Burst => due.saturating_add(period),
            Self::Delay => now.max(due).saturating_add(period),
            Self::Skip => {
                let late = now.duration_since(due).as_nanos();
                let missed = late / period.as_nanos() + 1;
                let step = period.as_nanos().saturating_mul(missed);
                let step = Duration::from_nanos(u64::try_from(step).unwrap_or(u64::MAX));
                due.saturating_add(step)
            }
        }
    }
}
