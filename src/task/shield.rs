//! Awaiting a task without owning it.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::handle::{JoinError, Task};

/// Waits for a task, and lets it go on when the waiting is dropped.
///
/// A [`Task`] is cancelled when it is dropped; behind a shield it is not. When the shield is dropped
/// the task is let go as by [`Task::detach`]: it must end before the program does, and its panic, or its
/// error if `spawn_try` made it, fails the run. The task itself is cancelled through a
/// [`Task::cancel_handle`], and then the shield ends with [`JoinError::Cancelled`].
///
/// **When not to use it**: for cleaning up. What is shielded is not waited for when who waits is
/// cancelled.
///
/// # Errors
/// As [`Task::join`].
///
/// # Cancel safety
/// Cancel safe: the task goes on.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::{spawn, sync::Event, task::shield, time::{sleep, timeout}};
/// use std::{sync::Arc, time::Duration};
///
/// let is_saved = Arc::new(Event::new());
/// let save = spawn({
///     let is_saved = is_saved.clone();
///     async move {
///         sleep(Duration::from_secs(2)).await;
///         is_saved.set();
///     }
/// });
/// assert!(timeout(Duration::from_secs(1), shield(save)).await.is_err());
/// is_saved.wait().await; // it went on
/// # }).unwrap();
/// ```
#[track_caller]
pub fn shield<T: 'static>(task: Task<T>) -> Shield<T> {
    Shield { task: Some(task), at: Location::caller() }
}

/// Future of [`shield`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Shield<T> {
    /// None when it has given its output.
    task: Option<Task<T>>,
    at: &'static Location<'static>,
}

impl<T: 'static> Future for Shield<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let task = self.task.as_ref().expect("a shield is not polled again when it has ended");
        let end = ready!(task.poll_end(context, self.at));
        self.task = None;
        Poll::Ready(JoinError::result_of(end))
    }
}

impl<T> Drop for Shield<T> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.detach();
        }
    }
}
