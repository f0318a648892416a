//! Bounding how long something may take.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::Instant;
use crate::backend::{self, CleanupSpan, Timer, cleanups_of};

/// Waits for a future, but no longer than so long.
///
/// The future is polled before the timer: a value that is ready wins, also at the very instant of
/// the deadline, and the inner of two nested time-outs with one deadline wins. When the time is
/// over the future is dropped, which cancels it; what it leaves behind to clean up (see
/// [`crate::task::finally`]) has ended before the error comes. A task whose handle is dropped so ends in
/// its own time; bound `&mut task` and use [`Task::cancel`](crate::task::Task::cancel) to wait for that.
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
    let deadline = Instant::in_run("parcae::time::timeout").saturating_add(duration);
    Timeout::new(deadline, duration, future)
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
    let now = Instant::in_run("parcae::time::timeout_at");
    Timeout::new(deadline, deadline - now, future)
}

pin_project! {
    /// Future of [`timeout`] and [`timeout_at`].
    ///
    /// ```text
    ///   running -> value
    ///          `-> time is over: future dropped -> its cleanups have ended -> error
    /// ```
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Timeout<F> {
        // None when the time was over.
        #[pin]
        future: Option<F>,
        timer: Timer,
        after: Duration,
        cleanups: Option<CleanupSpan>,
    }
}

impl<F> Timeout<F> {
    #[track_caller]
    fn new(deadline: Instant, after: Duration, future: impl IntoFuture<IntoFuture = F>) -> Self {
        let timer = Timer::new(deadline.nanos(), Location::caller());
        Self { future: Some(future.into_future()), timer, after, cleanups: None }
    }

    /// Returns the future, without its bound.
    ///
    /// # Panics
    /// When the time was over.
    #[track_caller]
    pub fn into_inner(self) -> F {
        self.future.expect("a time-out gives its future back before its time is over")
    }

    /// Returns when the time is over, on the clock of the task's domain.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        Instant::from_nanos(self.timer.deadline())
    }

    /// Moves the deadline, forward or back. Nothing happens when the time was over before.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    ///
    /// # Examples
    /// A connection that is closed when nothing came for a second, however long it lasts:
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::time::{Instant, sleep, timeout};
    /// use std::{future::pending, pin::pin, time::Duration};
    ///
    /// let second = Duration::from_secs(1);
    /// let start = Instant::now();
    /// let mut idle = pin!(timeout(second, pending::<()>()));
    /// for _ in 0..3 {
    ///     let news = sleep(second / 2);
    ///     assert!(timeout(second / 2, idle.as_mut()).await.is_err(), "idle for half a second");
    ///     idle.as_mut().reset(Instant::now() + second);
    ///     drop(news);
    /// }
    /// assert!(idle.await.is_err());
    /// assert_eq!(start.elapsed(), second * 5 / 2);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let now = Instant::in_run("Timeout::reset");
        let this = self.project();
        if this.future.is_some() {
            this.timer.reset(deadline.nanos());
            *this.after = deadline - now;
        }
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(future) = this.future.as_mut().as_pin_mut() {
            if let Poll::Ready(value) = future.poll(context) {
                return Poll::Ready(Ok(value));
            }
            // Preempted is not "not ready": the future has its say before the timer. The wake is for a
            // combinator around this one, which may have seen another of its children preempted.
            if backend::is_preempted() {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            ready!(this.timer.poll(context));
            *this.cleanups = cleanups_of(|| this.future.set(None));
        }
        let at = this.timer.place();
        if let Some(span) = this.cleanups {
            ready!(backend::poll_cleanups(span, context.waker(), at));
        }
        Poll::Ready(Err(Elapsed { after: *this.after, at }))
    }
}

/// The time of a [`timeout`] was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed {
    after: Duration,
    at: &'static Location<'static>,
}

impl Elapsed {
    /// Returns how long was waited: from the call, or from [`Timeout::reset`], to the deadline.
    #[must_use]
    pub fn after(&self) -> Duration {
        self.after
    }

    /// Returns the line that set the bound.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.at
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line) = (self.at.file(), self.at.line());
        write!(formatter, "not done within {:?} ({file}:{line})", self.after)
    }
}

impl std::error::Error for Elapsed {}
