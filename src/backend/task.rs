//! Tasks: making them, and what their handles do.

use std::borrow::Cow;
use std::fmt::Debug;
use std::future::Future;
#[cfg(feature = "simulation")]
use std::marker::PhantomData;
use std::panic::Location;
#[cfg(feature = "real")]
use std::sync::Arc;
#[cfg(feature = "simulation")]
use std::sync::Mutex;
use std::task::{Poll, Waker};

use super::on;
use crate::context;
use crate::ending::JoinEnd;
#[cfg(feature = "simulation")]
use crate::executor::{self, DomainId, Executor, TaskId, TaskName};
#[cfg(feature = "real")]
use crate::worker::{self, TaskCore, Worker};

/// How a task is made.
#[derive(Clone, Debug)]
pub(crate) struct SpawnOptions {
    pub(crate) name: Option<Cow<'static, str>>,
    /// None is the domain of the spawning task. On real time there is one.
    #[cfg(feature = "simulation")]
    pub(crate) domain: Option<DomainId>,
    /// Whether it is polled at once, inside of the poll of the running task.
    pub(crate) is_eager: bool,
    pub(crate) spawned_at: &'static Location<'static>,
}

impl SpawnOptions {
    /// A task like any other.
    pub(crate) fn new(
        name: Option<Cow<'static, str>>,
        spawned_at: &'static Location<'static>,
    ) -> Self {
        Self {
            name,
            #[cfg(feature = "simulation")]
            domain: None,
            is_eager: false,
            spawned_at,
        }
    }

    #[cfg(feature = "real")]
    fn real(self) -> worker::SpawnOptions {
        let Self { name, is_eager, spawned_at, .. } = self;
        worker::SpawnOptions { name, is_eager, spawned_at }
    }

    #[cfg(feature = "simulation")]
    fn simulated(self) -> executor::SpawnOptions {
        let name = match self.name {
            None => TaskName::Unnamed,
            Some(Cow::Borrowed(name)) => TaskName::Static(name),
            Some(Cow::Owned(name)) => TaskName::Shared(name.into()),
        };
        executor::SpawnOptions { name, domain: self.domain, spawned_at: self.spawned_at }
    }
}

/// Makes a task that is ready to run.
#[inline]
#[track_caller]
pub(crate) fn spawn<F>(call: &str, future: F, options: SpawnOptions) -> Handle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    on!(context::backend(call),
        simulation: context::expect(call, |executor: &Executor| {
            let is_eager = options.is_eager;
            begin(executor, executor.spawn(future, options.simulated()), is_eager)
        }),
        real: Handle::Real(context::expect(call, |worker: &Worker| worker.spawn(future, options.real()))),
    )
}

/// Makes a task whose error fails the run, if nobody observes it.
#[track_caller]
pub(crate) fn spawn_try<F, V, E>(
    call: &str,
    future: F,
    options: SpawnOptions,
) -> Handle<Result<V, E>>
where
    F: Future<Output = Result<V, E>> + 'static,
    V: 'static,
    E: Debug + 'static,
{
    on!(context::backend(call),
        simulation: context::expect(call, |executor: &Executor| {
            let is_eager = options.is_eager;
            begin(executor, executor.spawn_try(future, options.simulated()), is_eager)
        }),
        real: Handle::Real(context::expect(call, |worker: &Worker| {
            worker.spawn_try(future, options.real())
        })),
    )
}

#[cfg(feature = "simulation")]
#[inline]
fn begin<T>(executor: &Executor, task: TaskId, is_eager: bool) -> Handle<T> {
    if is_eager {
        executor.begin_now(task);
    }
    Handle::Simulated(task, PhantomData)
}

// Workers

/// A thread on which tasks run.
#[derive(Clone, Debug)]
pub(crate) enum WorkerRef {
    /// The one of the simulation.
    #[cfg(feature = "simulation")]
    Simulated,
    #[cfg(feature = "real")]
    Real(worker::WorkerRef),
}

impl WorkerRef {
    /// Returns which of them it is.
    pub(crate) fn index(&self) -> usize {
        match self {
            #[cfg(feature = "simulation")]
            Self::Simulated => 0,
            #[cfg(feature = "real")]
            Self::Real(worker) => worker.index(),
        }
    }
}

/// Returns the threads of the run that this thread belongs to.
#[track_caller]
pub(crate) fn workers(call: &str) -> Vec<WorkerRef> {
    on!(context::backend(call),
        simulation: vec![WorkerRef::Simulated],
        real: context::expect(call, |worker: &Worker| {
            worker.run.workers().map(WorkerRef::Real).collect()
        }),
    )
}

/// Makes a task on a worker, from any thread; its future is made there.
#[track_caller]
pub(crate) fn spawn_on<M, F>(
    call: &str,
    worker: &WorkerRef,
    make: M,
    options: SpawnOptions,
) -> Handle<F::Output>
where
    M: FnOnce() -> F + Send + 'static,
    F: Future + 'static,
    F::Output: Send + 'static,
{
    match worker {
        #[cfg(feature = "simulation")]
        WorkerRef::Simulated => {
            let task = async move {
                // On another thread they would not be there either.
                super::set_variables(SPAWN_ON, None);
                make().await
            };
            let spawn = |executor: &Executor| executor.spawn(task, options.simulated());
            Handle::Simulated(context::expect(call, spawn), PhantomData)
        }
        #[cfg(feature = "real")]
        WorkerRef::Real(worker) => {
            let _ = call;
            Handle::Real(worker.spawn(make, options.real()))
        }
    }
}

// Handles

/// A task, without its output.
#[derive(Clone, Debug)]
pub(crate) enum TaskRef {
    #[cfg(feature = "simulation")]
    Simulated(TaskId),
    #[cfg(feature = "real")]
    Real(Arc<TaskCore>),
}

/// A task and where its output is. It is as `Send` as the output, in either backend.
#[derive(Debug)]
pub(crate) enum Handle<T> {
    #[cfg(feature = "simulation")]
    Simulated(TaskId, PhantomData<Mutex<T>>),
    #[cfg(feature = "real")]
    Real(worker::Handle<T>),
}

// A handle holds no pinned value: what it has is behind a pointer, or nowhere.
impl<T> Unpin for Handle<T> {}

impl<T> Handle<T> {
    /// Returns the task.
    pub(crate) fn task(&self) -> TaskRef {
        match self {
            #[cfg(feature = "simulation")]
            Self::Simulated(task, _) => TaskRef::Simulated(*task),
            #[cfg(feature = "real")]
            Self::Real(handle) => TaskRef::Real(handle.core.clone()),
        }
    }

    /// Tells whether the task has ended; so does one whose run is over, or not this thread's.
    pub(crate) fn is_finished(&self) -> bool {
        match self {
            #[cfg(feature = "simulation")]
            Self::Simulated(task, _) => is_finished(*task),
            #[cfg(feature = "real")]
            Self::Real(handle) => handle.core.is_finished(),
        }
    }

    /// Returns the name that reports use; empty outside of the task's run.
    pub(crate) fn name(&self) -> String {
        match self {
            #[cfg(feature = "simulation")]
            Self::Simulated(task, _) => {
                in_run_of(*task, |executor| executor.task_name(*task)).flatten().unwrap_or_default()
            }
            #[cfg(feature = "real")]
            Self::Real(handle) => handle.core.path().to_string(),
        }
    }

    /// Marks the task: its future is destroyed at its next turn. The handle still joins it.
    pub(crate) fn cancel(&self) {
        match self {
            #[cfg(feature = "simulation")]
            Self::Simulated(task, _) => cancel(*task),
            #[cfg(feature = "real")]
            Self::Real(handle) => handle.core.cancel(),
        }
    }

    /// Lets go of a task whose handle is dropped: cancels it, or reports what nobody observed.
    #[inline]
    pub(crate) fn abandon(&self) {
        match self {
            #[cfg(feature = "simulation")]
            Self::Simulated(task, _) => {
                let _ = in_run_of(*task, |executor| executor.abandon(*task));
            }
            #[cfg(feature = "real")]
            Self::Real(handle) => handle.abandon(),
        }
    }

    /// Lets the task go on without a handle.
    pub(crate) fn detach(&self, is_background: bool) {
        match self {
            #[cfg(feature = "simulation")]
            Self::Simulated(task, _) => {
                let _ = in_run_of(*task, |executor| executor.detach(*task, is_background));
            }
            #[cfg(feature = "real")]
            Self::Real(handle) => {
                let _ = is_background;
                handle.detach();
            }
        }
    }
}

impl<T: 'static> Handle<T> {
    /// Takes the output of a task that has ended, and forgets it; else joins it.
    #[inline]
    #[track_caller]
    pub(crate) fn poll_join(
        &self,
        waker: &Waker,
        at: &'static Location<'static>,
    ) -> Poll<JoinEnd<T>> {
        match self {
            #[cfg(feature = "simulation")]
            Self::Simulated(task, _) => context::expect("Task::poll", |executor: &Executor| {
                assert!(
                    executor.run() == task.run(),
                    "a task was awaited inside of another simulation than its own"
                );
                executor.poll_join(*task, waker, at)
            }),
            #[cfg(feature = "real")]
            Self::Real(handle) => {
                let _ = at;
                handle.poll_join(waker)
            }
        }
    }
}

impl TaskRef {
    /// Marks the task: its future is destroyed at its next turn.
    pub(crate) fn cancel(&self) {
        match self {
            #[cfg(feature = "simulation")]
            Self::Simulated(task) => cancel(*task),
            #[cfg(feature = "real")]
            Self::Real(core) => core.cancel(),
        }
    }

    /// Tells whether the task has ended.
    pub(crate) fn is_finished(&self) -> bool {
        match self {
            #[cfg(feature = "simulation")]
            Self::Simulated(task) => is_finished(*task),
            #[cfg(feature = "real")]
            Self::Real(core) => core.is_finished(),
        }
    }

    /// Waits for the task to end, and leaves its output to whoever joins it.
    #[track_caller]
    pub(crate) fn poll_finished(&self, waker: &Waker, at: &'static Location<'static>) -> Poll<()> {
        match self {
            #[cfg(feature = "simulation")]
            Self::Simulated(task) => context::expect("waiting for tasks", |executor: &Executor| {
                assert!(
                    executor.run() == task.run(),
                    "a task was waited for inside of another simulation than its own"
                );
                executor.poll_finished(*task, waker, at)
            }),
            #[cfg(feature = "real")]
            Self::Real(core) => {
                let _ = at;
                core.poll_finished(waker)
            }
        }
    }

    /// Tells whether the task has panicked, or returned an error that nobody may overlook.
    pub(crate) fn has_failed(&self) -> bool {
        match self {
            #[cfg(feature = "simulation")]
            Self::Simulated(task) => {
                context::with(|executor: &Executor| executor.has_failed(*task)).unwrap_or(false)
            }
            #[cfg(feature = "real")]
            Self::Real(core) => core.has_failed(),
        }
    }

    /// Notes that the running task waits for this one.
    pub(crate) fn note_join(&self, at: &'static Location<'static>) {
        match self {
            #[cfg(feature = "simulation")]
            Self::Simulated(task) => {
                let _ = in_run_of(*task, |executor| executor.note_join(*task, at));
            }
            #[cfg(feature = "real")]
            Self::Real(_) => {
                let _ = at;
            }
        }
    }
}

#[cfg(feature = "simulation")]
fn cancel(task: TaskId) {
    let _ = in_run_of(task, |executor| executor.cancel(task));
}

#[cfg(feature = "simulation")]
fn is_finished(task: TaskId) -> bool {
    in_run_of(task, |executor| executor.is_finished(task)).unwrap_or(true)
}

/// Calls a function if this thread is inside of the run of a task.
#[cfg(feature = "simulation")]
#[inline]
fn in_run_of<R>(task: TaskId, act: impl FnOnce(&Executor) -> R) -> Option<R> {
    context::with(|executor: &Executor| (executor.run() == task.run()).then(|| act(executor)))
        .flatten()
}

#[cfg(feature = "simulation")]
const SPAWN_ON: &str = "parcae::task::spawn_on";
