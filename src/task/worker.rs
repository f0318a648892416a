//! Threads that run tasks, and tasks on a stated one.

use std::fmt;
use std::future::Future;
use std::panic::Location;

use super::Task;
use crate::backend::{self, SpawnOptions, WorkerRef};

/// A thread that runs tasks. Cheap to clone and to send.
///
/// On real time each has tasks of its own, which stay there; see [`real`](crate::real). A simulation has
/// one, which runs all.
#[derive(Clone)]
pub struct Worker {
    inner: WorkerRef,
}

impl Worker {
    /// Returns it as the backend knows it.
    pub(crate) fn inner(&self) -> &WorkerRef {
        &self.inner
    }

    #[cfg(feature = "real")]
    pub(crate) fn of(worker: crate::worker::WorkerRef) -> Self {
        Self { inner: WorkerRef::Real(worker) }
    }

    /// Returns which it is, from 0: that of the program.
    #[must_use]
    pub fn index(&self) -> usize {
        self.inner.index()
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Worker").field(&self.index()).finish()
    }
}

/// Returns the threads that run the tasks of this program, that of the program first.
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// assert_eq!(parcae::task::workers().len(), 1);
/// # }).unwrap();
/// ```
#[must_use]
#[track_caller]
pub fn workers() -> Vec<Worker> {
    let workers = backend::workers("parcae::task::workers");
    workers.into_iter().map(|inner| Worker { inner }).collect()
}

/// Spawns a task on a worker, from any thread. Its future is made there, so it need not be `Send`.
///
/// As [`spawn`](super::spawn) otherwise: dropping the handle cancels the task. But it does not begin with the
/// [variables](super::ContextVar) of its maker, which stay on their thread. Where the run of the worker takes
/// no more tasks, it has ended before it began, and joining it gives
/// [`JoinError::Gone`](super::JoinError::Gone).
///
/// # Panics
/// In the simulation's worker, when called outside of it.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::task::{spawn_on, workers};
/// use std::rc::Rc;
///
/// let words = vec!["spread", "by", "saying", "where"];
/// let workers = workers();
/// let tasks: Vec<_> = (words.into_iter().zip(workers.iter().cycle()))
///     .map(|(word, worker)| spawn_on(worker, move || async move { Rc::new(word).len() }))
///     .collect();
/// assert_eq!(parcae::task::gather(tasks).await, [6, 2, 6, 5]);
/// # }).unwrap();
/// ```
#[track_caller]
pub fn spawn_on<M, F>(worker: &Worker, make: M) -> Task<F::Output>
where
    M: FnOnce() -> F + Send + 'static,
    F: Future + 'static,
    F::Output: Send + 'static,
{
    let options = SpawnOptions::new(None, Location::caller());
    Task::new(backend::spawn_on("parcae::task::spawn_on", &worker.inner, make, options))
}
