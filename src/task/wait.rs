//! Waiting for some of several tasks, without owning them.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::end_order::EndOrder;
use super::handle::Task;
use crate::time::{Sleep, sleep};

/// What [`wait`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitUntil {
    /// At least one task has ended.
    FirstCompleted,
    /// A task has failed, or all have ended. A panic is a failure, and so is an error of a task that
    /// was made by `spawn_try`; a cancelled task has not failed.
    FirstFailure,
    /// All tasks have ended.
    All,
}

/// Waits for some of the tasks, takes those that have ended out of the list and returns them, in
/// the order in which they ended. What stays in the list is pending, in its order.
///
/// It never cancels and never fails: also after a time-out, and when it is dropped, the tasks run
/// on. The returned tasks are ready: awaiting them takes no time, and shows how they ended. More
/// than one may have ended when the first is waited for. An empty list is done at once.
///
/// **When not to use it**: to work off tasks as they end, use [`as_completed`](super::as_completed).
///
/// # Cancel safety
/// Cancel safe: the list is changed only when the future is ready.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::{spawn, task::{WaitUntil, wait}, time::sleep};
/// use std::time::Duration;
///
/// let after = |seconds| spawn(async move {
///     sleep(Duration::from_secs(seconds)).await;
///     seconds
/// });
/// let mut tasks = vec![after(3), after(1), after(2)];
/// let mut done = wait(&mut tasks, WaitUntil::FirstCompleted).await;
/// assert_eq!((done.remove(0).await, tasks.len()), (1, 2));
///
/// let limit = Duration::from_millis(1500);
/// let done = wait(&mut tasks, WaitUntil::All).timeout(limit).await;
/// assert_eq!((done.len(), tasks.len()), (1, 1));
/// # }).unwrap();
/// ```
#[track_caller]
pub fn wait<T: 'static>(tasks: &mut Vec<Task<T>>, until: WaitUntil) -> Wait<'_, T> {
    let ids = tasks.iter().map(Task::task_ref).collect();
    let order = EndOrder::new(ids, Location::caller());
    Wait { tasks, until, order, ended: Vec::new(), has_failed: false, timer: None }
}

/// Future of [`wait`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Wait<'a, T> {
    tasks: &'a mut Vec<Task<T>>,
    until: WaitUntil,
    order: EndOrder,
    /// Places in the list of those that have ended, in that order.
    ended: Vec<usize>,
    has_failed: bool,
    timer: Option<Sleep>,
}

impl<T> Wait<'_, T> {
    /// Waits no longer than so long from now. Whoever has ended at the very instant of the deadline
    /// is done.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn timeout(mut self, duration: Duration) -> Self {
        self.timer = Some(sleep(duration));
        self
    }

    fn is_enough(&self) -> bool {
        match self.until {
            WaitUntil::FirstCompleted => !self.ended.is_empty(),
            WaitUntil::FirstFailure => self.has_failed,
            WaitUntil::All => false,
        }
    }

    /// Takes what has ended out of the list, in the order in which it ended.
    fn take_ended(&mut self) -> Vec<Task<T>> {
        let mut left: Vec<Option<Task<T>>> = self.tasks.drain(..).map(Some).collect();
        let take = |index: usize| left[index].take().expect("a task ends once");
        let done = self.ended.drain(..).map(take).collect();
        self.tasks.extend(left.into_iter().flatten());
        done
    }
}

impl<T: 'static> Future for Wait<'_, T> {
    type Output = Vec<Task<T>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        // All that have ended are looked at, also when the first would do.
        while let Poll::Ready(next) = this.order.poll_next(context) {
            let Some(index) = next else { return Poll::Ready(this.take_ended()) };
            this.ended.push(index);
            this.has_failed |=
                this.until == WaitUntil::FirstFailure && this.tasks[index].task_ref().has_failed();
        }
        let mut is_over = this.is_enough();
        if let Some(timer) = &mut this.timer {
            is_over = is_over || Pin::new(timer).poll(context).is_ready();
        }
        if is_over { Poll::Ready(this.take_ended()) } else { Poll::Pending }
    }
}
