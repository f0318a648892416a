//! Waiting for a point in time.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Instant;
use crate::context;
use crate::executor::{Executor, SLEEP, TimerKey, note_unpolled};

/// Waits for so long on the clock of the task's domain.
///
/// Counted from this call, not from the first poll. A sleep of zero lets other ready tasks go
/// first, once.
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Cancel safety
/// Cancel safe: dropping it removes the timer.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// parcae::time::sleep(std::time::Duration::from_secs(86_400)).await;
/// # }).unwrap();
/// ```
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    let now = context::expect("parcae::time::sleep", Executor::local_now);
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    Sleep::until(now.saturating_add(nanos), Location::caller())
}

/// Waits until the clock of the task's domain shows this or more.
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Cancel safety
/// Cancel safe: dropping it removes the timer.
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    let _ = context::expect("parcae::time::sleep_until", Executor::local_now);
    Sleep::until(deadline.nanos(), Location::caller())
}

/// Future of [`sleep`] and [`sleep_until`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Sleep {
    timer: Timer,
    has_pended: bool,
}

impl Sleep {
    fn until(deadline: u64, at: &'static Location<'static>) -> Self {
        Self { timer: Timer::new(deadline, at), has_pended: false }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let is_first = !self.has_pended;
        let poll = self.timer.poll_then(context, |executor, timer| {
            if is_first && executor.watches_holders {
                executor.note_sleep(timer.deadline, timer.at);
            }
        });
        if poll.is_ready() && !self.has_pended {
            context.waker().wake_by_ref();
            self.has_pended = true;
            return Poll::Pending;
        }
        self.has_pended = true;
        poll
    }
}

impl Drop for Sleep {
    #[inline]
    fn drop(&mut self) {
        if !self.has_pended {
            note_unpolled(None, &SLEEP, self.timer.at);
        }
    }
}

/// A timer of one future: set when it is first polled, removed when it is dropped.
#[derive(Debug)]
pub(super) struct Timer {
    deadline: u64,
    key: Option<TimerKey>,
    run: u16,
    at: &'static Location<'static>,
}

impl Timer {
    pub(super) fn new(deadline: u64, at: &'static Location<'static>) -> Self {
        Self { deadline, key: None, run: 0, at }
    }

    pub(super) fn deadline(&self) -> u64 {
        self.deadline
    }

    pub(super) fn place(&self) -> &'static Location<'static> {
        self.at
    }

    /// Moves the deadline; the timer is set anew at the next poll.
    pub(super) fn reset(&mut self, deadline: u64) {
        self.cancel();
        self.deadline = deadline;
    }

    fn cancel(&mut self) {
        if let Some(key) = self.key.take() {
            let _ = context::with(|executor: &Executor| {
                if self.run == executor.run() {
                    executor.cancel_timer(key);
                }
            });
        }
    }

    pub(super) fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        self.poll_then(context, |_, _| ())
    }

    /// Polls it, and calls a function if it pends.
    fn poll_then(
        &mut self,
        context: &Context<'_>,
        pends: impl FnOnce(&Executor, &Self),
    ) -> Poll<()> {
        context::expect("a timer", |executor: &Executor| {
            if self.key.is_none() {
                self.run = executor.run();
            }
            assert!(
                self.run == executor.run(),
                "a timer was polled inside of another simulation than its own"
            );
            let waker = context.waker();
            let poll = executor.poll_timer(&mut self.key, self.deadline, waker, self.at);
            if poll.is_pending() {
                pends(executor, self);
            }
            poll
        })
    }
}

impl Drop for Timer {
    #[inline]
    fn drop(&mut self) {
        self.cancel();
    }
}
