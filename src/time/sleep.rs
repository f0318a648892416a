//! Waiting for a point in time.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Instant;
use crate::backend::{self, SLEEP, Timer, note_unpolled};

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
    let timer = Timer::after("parcae::time::sleep", duration, Location::caller());
    Sleep { timer, has_pended: false }
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
    let _ = backend::local_now("parcae::time::sleep_until");
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

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let poll = self.timer.poll(context);
        if self.has_pended {
            return poll;
        }
        self.has_pended = true;
        match poll {
            Poll::Pending => self.timer.note_sleep(),
            // Others go first, once.
            Poll::Ready(()) => context.waker().wake_by_ref(),
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    #[inline]
    fn drop(&mut self) {
        if !self.has_pended {
            note_unpolled(None, &SLEEP, self.timer.place());
        }
    }
}
