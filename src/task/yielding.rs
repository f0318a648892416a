//! Letting other tasks go first.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::backend;

/// Goes to the back of the queue of ready tasks, once. Works on any executor.
///
/// Time does not move while tasks yield; a loop that only yields is a livelock.
///
/// # Cancel safety
/// Cancel safe: nothing is kept.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// parcae::task::yield_now().await;
/// # }).unwrap();
/// ```
pub fn yield_now() -> YieldNow {
    YieldNow { has_yielded: false }
}

/// Future of [`yield_now`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct YieldNow {
    has_yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.has_yielded {
            return Poll::Ready(());
        }
        self.has_yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Waits until every other task of the run is blocked, before time moves. For tests.
///
/// On real time: until no other task of this worker is ready. Threads and timers may be at work.
///
/// Of several tasks that settle, the first goes on first.
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Cancel safety
/// Cancel safe: nothing is lost.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// let worker = parcae::spawn(async { parcae::task::yield_now().await });
/// parcae::task::settle().await;
/// assert!(worker.is_finished());
/// # }).unwrap();
/// ```
#[track_caller]
pub fn settle() -> Settle {
    Settle { ticket: None, at: Location::caller() }
}

/// Future of [`settle`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Settle {
    ticket: Option<u64>,
    at: &'static Location<'static>,
}

impl Future for Settle {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let at = self.at;
        backend::poll_settle(&mut self.ticket, context.waker(), at)
    }
}
