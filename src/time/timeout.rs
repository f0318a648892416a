//! Bounding how long something may take.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::Instant;
use super::sleep::Timer;
use crate::context;
use crate::executor::{self, Executor};

/// Waits for a future, but no longer than so long.
///
/// The future is polled before the timer: a value that is ready wins, also at the very instant of
/// the deadline, and the inner of two nested time-outs with one deadline wins. When the time is
/// over the future is dropped with the returned one, which cancels it.
///
/// # Errors
/// [`Elapsed`] when the time is over.
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Cancel safety
/// As cancel safe as the future itself.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::time::timeout;
/// use std::time::Duration;
///
/// assert_eq!(timeout(Duration::from_secs(1), async { 42 }).await, Ok(42));
/// assert!(timeout(Duration::from_secs(1), std::future::pending::<()>()).await.is_err());
/// # }).unwrap();
/// ```
#[track_caller]
pub fn timeout<F: IntoFuture>(duration: Duration, future: F) -> Timeout<F::IntoFuture> {
    let now = context::expect("parcae::time::timeout", Executor::local_now);
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let timer = Timer::new(now.saturating_add(nanos), Location::caller());
    Timeout { future: future.into_future(), timer }
}

/// Waits for a future, but no longer than until the clock shows this; see [`timeout`].
///
/// # Errors
/// [`Elapsed`] when the time is over.
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Cancel safety
/// As cancel safe as the future itself.
#[track_caller]
pub fn timeout_at<F: IntoFuture>(deadline: Instant, future: F) -> Timeout<F::IntoFuture> {
    let _ = context::expect("parcae::time::timeout_at", Executor::local_now);
    let timer = Timer::new(deadline.nanos(), Location::caller());
    Timeout { future: future.into_future(), timer }
}

pin_project! {
    /// Future of [`timeout`] and [`timeout_at`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        timer: Timer,
    }
}

impl<F> Timeout<F> {
    /// Returns the future, without its bound.
    pub fn into_inner(self) -> F {
        self.future
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(value) = this.future.poll(context) {
            return Poll::Ready(Ok(value));
        }
        // Preempted is not "not ready": the future has its say before the timer. The wake is for a
        // combinator around this one, which may have seen another of its children preempted.
        if executor::is_preempted() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        this.timer.poll(context).map(|()| Err(Elapsed(())))
    }
}

/// The time of a [`timeout`] was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(());

impl fmt::Display for Elapsed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the deadline has elapsed")
    }
}

impl std::error::Error for Elapsed {}
