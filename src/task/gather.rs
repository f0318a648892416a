//! Waiting for all of several tasks.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::end_order::OwnedTasks;
use super::handle::{JoinError, Task};
use crate::ending::{JoinEnd, TaskPanic};

/// Waits for all tasks and returns what they returned, in the order given.
///
/// It takes tasks, not futures: spawned, they interleave in every way that the scheduler knows, have
/// names in reports, and each can be cancelled through a [`Task::cancel_handle`]. No task gives an
/// empty list, at once.
///
/// When a task panics the others are cancelled, and the panic goes on here when all have ended.
/// For futures that borrow, or that need no task each, `futures::join!` will do.
///
/// # Panics
/// When a task panicked, with its panic; when one was cancelled or destroyed with its domain, for
/// then there is nothing to return: see [`gather_results`].
///
/// # Cancel safety
/// Dropping the future cancels the tasks; whoever drops it ends after they have, as with
/// [`group`](super::group()).
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::{spawn, task::gather, time::sleep};
/// use std::time::Duration;
///
/// let squares = gather((1..=3).map(|number| {
///     spawn(async move {
///         sleep(Duration::from_secs(10 - number)).await;
///         number * number
///     })
/// }));
/// assert_eq!(squares.await, [1, 4, 9]);
/// # }).unwrap();
/// ```
#[track_caller]
pub fn gather<T: 'static>(tasks: impl IntoIterator<Item = Task<T>>) -> Gather<T> {
    Gather { gathering: Gathering::new(tasks, Ok) }
}

/// Waits for all tasks and returns their values in the order given, or the first error.
///
/// The first error in the order of completion cancels the other tasks, and is returned when all
/// have ended. Errors that come while they end are dropped: use [`group`](super::group()) where
/// none may be lost. See [`gather`] for why it takes tasks.
///
/// # Errors
/// The error of the task that failed first.
///
/// # Panics
/// As [`gather`].
///
/// # Cancel safety
/// Dropping the future cancels the tasks; whoever drops it ends after they have, as with
/// [`group`](super::group()).
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::{spawn_try, task::try_gather};
///
/// let parse = |text: &'static str| spawn_try(async move { text.parse::<u32>() });
/// assert_eq!(try_gather(["1", "2"].map(parse)).await, Ok(vec![1, 2]));
/// assert!(try_gather(["1", "x"].map(parse)).await.is_err());
/// # }).unwrap();
/// ```
#[track_caller]
pub fn try_gather<V: 'static, E: 'static>(
    tasks: impl IntoIterator<Item = Task<Result<V, E>>>,
) -> TryGather<V, E> {
    TryGather { gathering: Gathering::new(tasks, |result| result), is_rest_detached: false }
}

/// Waits for all tasks and returns how each ended, in the order given.
///
/// Nothing is lost and nothing is raised: a panic, a cancellation and a value are told apart by
/// type, so that a cancelled task cannot be counted as a success. Of a task that returns a `Result`
/// the value is that result.
///
/// # Cancel safety
/// Dropping the future cancels the tasks; whoever drops it ends after they have, as with
/// [`group`](super::group()).
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::task::{JoinError, gather_results};
///
/// let requests: Vec<_> = (0..10).map(|number| parcae::spawn(async move { number })).collect();
/// requests[3].cancel_handle().cancel();
/// let results = gather_results(requests).await;
/// assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 9);
/// assert!(matches!(results[3], Err(JoinError::Cancelled)));
/// # }).unwrap();
/// ```
#[track_caller]
pub fn gather_results<T: 'static>(tasks: impl IntoIterator<Item = Task<T>>) -> GatherResults<T> {
    let tasks = OwnedTasks::new(tasks);
    let results = (0..tasks.count()).map(|_| None).collect();
    GatherResults { tasks, results }
}

/// Future of [`gather`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Gather<T: 'static> {
    gathering: Gathering<T, T, Infallible>,
}

impl<T> Future for Gather<T> {
    type Output = Vec<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<T>> {
        let gathering = &mut self.get_mut().gathering;
        ready!(gathering.poll_all(context));
        let Ok(values) = gathering.take_result();
        Poll::Ready(values)
    }
}

/// Future of [`try_gather`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct TryGather<V: 'static, E: 'static> {
    gathering: Gathering<Result<V, E>, V, E>,
    is_rest_detached: bool,
}

impl<V, E> TryGather<V, E> {
    /// Lets the other tasks go on when one fails, detached as by [`Task::detach`], and returns the
    /// error at once. Errors of those that were made by `spawn_try` then fail the run.
    pub fn detach_rest(mut self) -> Self {
        self.is_rest_detached = true;
        self
    }
}

impl<V, E> Future for TryGather<V, E> {
    type Output = Result<Vec<V>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { gathering, is_rest_detached } = self.get_mut();
        while ready!(gathering.poll_one(context)) {
            if *is_rest_detached && matches!(gathering.stop, Some(Stop::Error(_))) {
                gathering.tasks.take_rest().into_iter().for_each(Task::detach);
                break;
            }
            gathering.cancel_if_stopped();
        }
        Poll::Ready(gathering.take_result())
    }
}

/// Future of [`gather_results`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct GatherResults<T: 'static> {
    tasks: OwnedTasks<T>,
    results: Vec<Option<Result<T, JoinError>>>,
}

// Results are never pinned: they are moved in and out.
impl<T> Unpin for GatherResults<T> {}

impl<T> Future for GatherResults<T> {
    type Output = Vec<Result<T, JoinError>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { tasks, results } = self.get_mut();
        while let Some((index, end)) = ready!(tasks.poll_end(context)) {
            results[index] = Some(JoinError::result_of(end));
        }
        Poll::Ready(results.drain(..).map(|result| result.expect(ALL_ENDED)).collect())
    }
}

/// Tasks whose values are wanted, all or none.
struct Gathering<T: 'static, V, E> {
    tasks: OwnedTasks<T>,
    values: Vec<Option<V>>,
    /// Why not all values are there.
    stop: Option<Stop<E>>,
    /// Whether the others were cancelled for that.
    is_cut: bool,
    split: fn(T) -> Result<V, E>,
}

enum Stop<E> {
    Error(E),
    Panic(Box<TaskPanic>),
    NoOutput,
}

// Values are never pinned: they are moved in and out.
impl<T, V, E> Unpin for Gathering<T, V, E> {}

impl<T: 'static, V, E> Gathering<T, V, E> {
    #[track_caller]
    fn new(tasks: impl IntoIterator<Item = Task<T>>, split: fn(T) -> Result<V, E>) -> Self {
        let tasks = OwnedTasks::new(tasks);
        let values = (0..tasks.count()).map(|_| None).collect();
        Self { tasks, values, stop: None, is_cut: false, split }
    }

    /// Waits for all tasks; once one has failed the others are cancelled.
    fn poll_all(&mut self, context: &Context<'_>) -> Poll<()> {
        while ready!(self.poll_one(context)) {
            self.cancel_if_stopped();
        }
        Poll::Ready(())
    }

    /// Waits for the next task to end; false when all have.
    fn poll_one(&mut self, context: &Context<'_>) -> Poll<bool> {
        let Some((index, end)) = ready!(self.tasks.poll_end(context)) else {
            return Poll::Ready(false);
        };
        let stop = match end {
            JoinEnd::Value(output) => match (self.split)(output) {
                Ok(value) => {
                    self.values[index] = Some(value);
                    return Poll::Ready(true);
                }
                Err(error) => Stop::Error(error),
            },
            JoinEnd::Panicked(panic) => Stop::Panic(panic),
            JoinEnd::Cancelled | JoinEnd::Gone => Stop::NoOutput,
        };
        match (&self.stop, &stop) {
            // A panic is never lost behind an error, and a reason never behind what it caused.
            (None, _) | (Some(Stop::Error(_) | Stop::NoOutput), Stop::Panic(_)) => {
                self.stop = Some(stop);
            }
            (Some(_), _) => {}
        }
        Poll::Ready(true)
    }

    fn cancel_if_stopped(&mut self) {
        // Once: it goes through all tasks, and this is called for the end of each.
        if self.stop.is_some() && !self.is_cut {
            self.is_cut = true;
            self.tasks.cancel_rest();
        }
    }

    fn take_result(&mut self) -> Result<Vec<V>, E> {
        match self.stop.take() {
            None => Ok(self.values.drain(..).map(|value| value.expect(ALL_ENDED)).collect()),
            Some(Stop::Error(error)) => Err(error),
            Some(Stop::Panic(panic)) => panic.resume(),
            Some(Stop::NoOutput) => panic!(
                "a task that was gathered was cancelled, or destroyed with its domain: \
                 `gather_results` returns that as a value"
            ),
        }
    }
}

impl<T> fmt::Debug for Gather<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gather").finish_non_exhaustive()
    }
}

impl<V, E> fmt::Debug for TryGather<V, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TryGather").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for GatherResults<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GatherResults").finish_non_exhaustive()
    }
}

const ALL_ENDED: &str = "every task has ended and left its result";
