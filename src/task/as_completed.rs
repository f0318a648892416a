//! Tasks as they end.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::end_order::OwnedTasks;
use super::handle::Task;

/// Takes tasks, to give them back one by one in the order in which they end.
///
/// Dropping what is returned cancels the tasks that it has not given back; whoever drops it ends after
/// they have, as with [`group`](super::group()).
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::{spawn, task::as_completed, time::sleep};
/// use std::time::Duration;
///
/// let mut tasks = as_completed([3, 1, 2].map(|seconds| {
///     spawn(async move {
///         sleep(Duration::from_secs(seconds)).await;
///         seconds
///     })
/// }));
/// let mut ended = Vec::new();
/// while let Some((index, task)) = tasks.next().await {
///     ended.push((index, task.await));
/// }
/// assert_eq!(ended, [(1, 1), (2, 2), (0, 3)]);
/// # }).unwrap();
/// ```
#[track_caller]
pub fn as_completed<T: 'static>(tasks: impl IntoIterator<Item = Task<T>>) -> AsCompleted<T> {
    AsCompleted { tasks: OwnedTasks::new(tasks) }
}

/// Gives tasks back as they end; made by [`as_completed`].
#[derive(Debug)]
#[must_use = "dropping it cancels the tasks"]
pub struct AsCompleted<T: 'static> {
    tasks: OwnedTasks<T>,
}

impl<T: 'static> AsCompleted<T> {
    /// Waits for the next task to end and returns it, with its place in the order given; none when
    /// all were returned. The task is ready: awaiting it takes no time, and shows how it ended.
    ///
    /// # Cancel safety
    /// Cancel safe: a task that was not returned comes at the next call. So a time-out around it ends
    /// nothing, and the iteration may go on later.
    #[expect(clippy::should_implement_trait, reason = "as of a stream, not of an iterator")]
    pub fn next(&mut self) -> NextCompleted<'_, T> {
        NextCompleted { completed: self }
    }

    /// Polls for what [`AsCompleted::next`] waits for, for streams made by hand.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<(usize, Task<T>)>> {
        self.tasks.poll_next(context)
    }

    /// Returns the tasks that were not given back, in the order given; they run on.
    #[must_use = "dropping the tasks cancels them"]
    pub fn into_rest(mut self) -> Vec<Task<T>> {
        self.tasks.take_rest()
    }
}

/// Future of [`AsCompleted::next`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct NextCompleted<'a, T: 'static> {
    completed: &'a mut AsCompleted<T>,
}

impl<T: 'static> Future for NextCompleted<'_, T> {
    type Output = Option<(usize, Task<T>)>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.completed.poll_next(context)
    }
}
