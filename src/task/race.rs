//! The first of several futures.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::rotation::draw_rotation;
use crate::backend;
use crate::kernel::Site;

/// Waits for the first of several futures of one type to be ready, and returns its value.
///
/// The others are dropped, which cancels them, before this is ready. The futures are polled where
/// they are, so they may borrow, and need no task; it works on any executor. See
/// [`select!`](crate::select!) for futures of several types, or with code for each.
///
/// # Panics
/// When there is no future: it would never end.
///
/// # Cancel safety
/// As cancel safe as the futures: they are dropped with it.
///
/// # Determinism
/// Which future is polled first is one choice at site `race` of the running task, drawn at the first
/// poll when there are two or more; the default is the first one. The others follow in their order,
/// the first after the last. Outside of a runtime it is always the first.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::{task::race, time::sleep};
/// use std::time::Duration;
///
/// let replicas = [3, 1, 2].map(|seconds| async move {
///     sleep(Duration::from_secs(seconds)).await;
///     seconds
/// });
/// assert_eq!(race(replicas).await, 1);
/// # }).unwrap();
/// ```
#[track_caller]
pub fn race<I>(futures: I) -> Race<<I::Item as IntoFuture>::IntoFuture>
where
    I: IntoIterator,
    I::Item: IntoFuture,
{
    let boxed = |future: I::Item| Box::pin(future.into_future());
    let futures: Vec<_> = futures.into_iter().map(boxed).collect();
    assert!(!futures.is_empty(), "a race of no futures never ends");
    Race { futures, first: None, at: Location::caller() }
}

/// Future of [`race`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Race<F> {
    futures: Vec<Pin<Box<F>>>,
    /// Which is polled first, once that was drawn.
    first: Option<usize>,
    at: &'static Location<'static>,
}

impl<F: Future> Future for Race<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { futures, first, at } = self.get_mut();
        let count = futures.len();
        let first = *first.get_or_insert_with(|| draw_rotation(RACE, count, at));
        for index in (first..count).chain(0..first) {
            if let Poll::Ready(value) = futures[index].as_mut().poll(context) {
                futures.clear();
                return Poll::Ready(value);
            }
            // Preempted is not "not ready": this one has its say before the next.
            if backend::is_preempted() {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        assert!(count > 0, "a race is not polled again when it has ended");
        Poll::Pending
    }
}

impl<F> fmt::Debug for Race<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Race").field("count", &self.futures.len()).finish_non_exhaustive()
    }
}

const RACE: Site = Site::new("race");
