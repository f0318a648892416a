//! Making tasks.

use std::borrow::Cow;
use std::fmt::Debug;
use std::future::Future;
use std::panic::Location;

use super::Task;
use crate::backend::{self, SpawnOptions};
#[cfg(feature = "simulation")]
use crate::executor::DomainId;

/// Spawns a task and returns its handle; it begins when the caller comes to an await.
///
/// Its name in reports is `task#N`, the N-th unnamed child of its maker; see [`spawn_named`].
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// let sum = parcae::spawn(async { 1 + 2 });
/// assert_eq!(sum.await, 3);
/// # }).unwrap();
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> Task<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_with("parcae::spawn", None, future)
}

/// Spawns a task with a name, which stands in reports and in replay tokens.
///
/// Give names where tasks of one maker differ: a named task keeps its identity when an unrelated
/// one is spawned before it.
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// let worker = parcae::spawn_named("worker", async { 42 });
/// assert_eq!(worker.name(), "worker");
/// assert_eq!(worker.await, 42);
/// # }).unwrap();
/// ```
#[track_caller]
pub fn spawn_named<F>(name: impl Into<Cow<'static, str>>, future: F) -> Task<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_with("parcae::spawn_named", Some(name.into()), future)
}

/// Spawns a task whose error fails the run unless somebody awaits it.
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// let task = parcae::spawn_try(async { "7x".parse::<u32>() });
/// assert!(task.await.is_err(), "observed here, so the run does not fail");
/// # }).unwrap();
/// ```
#[track_caller]
pub fn spawn_try<F, V, E>(future: F) -> Task<Result<V, E>>
where
    F: Future<Output = Result<V, E>> + 'static,
    V: 'static,
    E: Debug + 'static,
{
    Builder::new().spawn_try(future)
}

/// Options of a task to be spawned.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// let flush = parcae::task::Builder::new().name("flush").spawn(async {});
/// flush.await;
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing before `spawn`"]
pub struct Builder {
    name: Option<Cow<'static, str>>,
    #[cfg(feature = "simulation")]
    domain: Option<DomainId>,
    is_eager: bool,
}

impl Builder {
    /// Makes the options that [`spawn`] uses.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the task a name.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    #[cfg(feature = "simulation")]
    /// Puts the task into a domain other than that of its maker. In a dead domain nothing starts, nor
    /// does what a task of a dead domain spawns elsewhere: the future is dropped, and joining the task
    /// reports that it is gone.
    pub fn domain(mut self, domain: DomainId) -> Self {
        self.domain = Some(domain);
        self
    }

    /// Lets the task begin inside of the call that spawns it, and run to its first wait there; it is not
    /// preempted until then. Outside of a poll, in a domain that may not run and more than 64 deep it
    /// begins as others do.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let task = parcae::task::Builder::new().eager().spawn(async { 42 });
    /// assert!(task.is_finished(), "it never waits");
    /// assert_eq!(task.await, 42);
    /// # }).unwrap();
    /// ```
    ///
    /// # Source
    /// Python's `asyncio.eager_task_factory`.
    pub fn eager(mut self) -> Self {
        self.is_eager = true;
        self
    }

    /// Spawns the task.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let options = self.options(Location::caller());
        Task::new(backend::spawn("parcae::task::Builder::spawn", future, options))
    }

    /// Spawns the task for a line other than that of the call.
    #[cfg(feature = "simulation")]
    pub(crate) fn spawn_at<F>(self, future: F, at: &'static Location<'static>) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let options = self.options(at);
        Task::new(backend::spawn("parcae::task::Builder::spawn", future, options))
    }

    /// Spawns the task; its error fails the run unless somebody awaits it.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn spawn_try<F, V, E>(self, future: F) -> Task<Result<V, E>>
    where
        F: Future<Output = Result<V, E>> + 'static,
        V: 'static,
        E: Debug + 'static,
    {
        let options = self.options(Location::caller());
        Task::new(backend::spawn_try("parcae::spawn_try", future, options))
    }

    fn options(self, spawned_at: &'static Location<'static>) -> SpawnOptions {
        SpawnOptions {
            #[cfg(feature = "simulation")]
            domain: self.domain,
            is_eager: self.is_eager,
            ..SpawnOptions::new(self.name, spawned_at)
        }
    }
}

#[track_caller]
fn spawn_with<F>(call: &str, name: Option<Cow<'static, str>>, future: F) -> Task<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    Task::new(backend::spawn(call, future, SpawnOptions::new(name, Location::caller())))
}
