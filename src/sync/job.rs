//! An item of a queue and its completion.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::error::GetError;
use super::queue::{Get, Queue};

/// An item that was taken by [`Queue::get_job`] and is not done yet.
///
/// Only [`Job::done`] reports it done. **Dropping it does not**: whoever drops a job, by an early
/// return, a panic or a time-out, has not done it, and [`Queue::join`] waits for ever. That is found
/// as a deadlock, where a drop that reported it done would hide it.
///
/// # Examples
/// A worker that gives up on a job, and is found out:
/// ```
/// use parcae::{Sim, sync::Queue};
///
/// let outcome = Sim::new(7).run(|| async {
///     let texts = Queue::unbounded().named("texts");
///     texts.put("7x").await.expect("open");
///     let job = texts.get_job().await.expect("not closed");
///     if let Ok(_number) = job.parse::<u32>() {
///         job.done();
///     } // else it is neither retried nor reported
///     texts.join().await;
/// });
/// let failure = outcome.into_result().unwrap_err().to_string();
/// assert!(failure.contains("`main` waits for Queue join of `texts`"));
/// ```
#[must_use = "a job that is not `done` holds up `join`"]
pub struct Job<T> {
    queue: Queue<T>,
    item: T,
}

impl<T> Job<T> {
    /// Reports the item done and returns it.
    ///
    /// # Panics
    /// When every item of the queue was reported done before, by [`Queue::task_done`].
    #[track_caller]
    pub fn done(self) -> T {
        self.queue.task_done();
        self.item
    }

    /// Returns the item without reporting it done: it owes a [`Queue::task_done`].
    pub fn into_inner(self) -> T {
        self.item
    }
}

impl<T> Deref for Job<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.item
    }
}

impl<T> DerefMut for Job<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.item
    }
}

impl<T: fmt::Debug> fmt::Debug for Job<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Job").field(&self.item).finish()
    }
}

/// Future of [`Queue::get_job`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct GetJob<'a, T> {
    get: Get<'a, T>,
}

impl<'a, T> GetJob<'a, T> {
    pub(super) fn new(get: Get<'a, T>) -> Self {
        Self { get }
    }
}

impl<T> Future for GetJob<'_, T> {
    type Output = Result<Job<T>, GetError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(Pin::new(&mut self.get).poll(context));
        Poll::Ready(result.map(|item| Job { queue: self.get.queue().clone(), item }))
    }
}
