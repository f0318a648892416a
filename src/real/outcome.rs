//! What came of a run.

use std::any::Any;
use std::fmt;
use std::panic::{Location, resume_unwind};
use std::sync::{Mutex, PoisonError};

use super::error::RunError;
use crate::ending::TaskPanic;
use crate::kernel::{Place, Seed};
use crate::worker::{PROGRAM, TaskCore, Trouble};

/// What came of a run on real time.
#[derive(Debug)]
#[must_use = "it may be a failure"]
#[non_exhaustive]
pub struct Outcome<T> {
    /// What the program returned, or why it did not.
    pub result: Result<T, RunError>,
    /// What had not ended when the grace was over: tasks that come to no await, cleanups that hang.
    pub unfinished: Vec<Unfinished>,
    /// Panics, and errors of [`spawn_try`](crate::spawn_try), that nobody observed: the first 100.
    pub failures: Vec<TaskFailure>,
    /// What was drawn from.
    pub seed: Seed,
}

impl<T> Outcome<T> {
    /// Returns what the program returned.
    ///
    /// # Panics
    /// When there is nothing: with the panic of the program or task, if it was one.
    #[track_caller]
    pub fn unwrap(self) -> T {
        match self.result {
            Ok(value) => value,
            Err(RunError::Program(failure) | RunError::Task(failure)) => failure.resume(),
            Err(error) => panic!("{error}"),
        }
    }

    /// Returns what the program returned, or why it did not.
    ///
    /// # Errors
    /// [`RunError`] when it did not.
    pub fn into_result(self) -> Result<T, RunError> {
        self.result
    }
}

/// A task that had not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unfinished {
    /// Its name.
    pub task: String,
    /// Where it was spawned.
    pub spawned_at: &'static Location<'static>,
    /// Which worker it is on, from 0.
    pub worker: usize,
}

impl Unfinished {
    pub(super) fn of(core: &TaskCore) -> Self {
        let (task, spawned_at, worker) = (core.path().to_string(), core.spawned_at, core.worker);
        Self { task, spawned_at, worker }
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, spawned_at, worker } = self;
        let (file, line) = (spawned_at.file(), spawned_at.line());
        write!(formatter, "`{task}` (spawned at {file}:{line}) on worker {worker}")
    }
}

/// A task that panicked, or failed, and nobody observed it.
pub struct TaskFailure {
    /// Its name.
    pub task: String,
    /// The panic's message, or the error as `Debug` prints it.
    pub message: String,
    /// Where it panicked, if it did and that is known.
    pub place: Option<Place>,
    /// Locked, so that an error that has it is `Sync`.
    payload: Option<Mutex<Box<dyn Any + Send>>>,
}

impl TaskFailure {
    pub(super) fn of(trouble: Trouble) -> Self {
        let Trouble { task, message, place, payload } = trouble;
        Self { task, message, place, payload: payload.map(Mutex::new) }
    }

    pub(super) fn of_program(panic: TaskPanic) -> Self {
        let (message, place) = (panic.message(), panic.place());
        Self { task: PROGRAM.to_owned(), message, place, payload: Some(Mutex::new(panic.payload)) }
    }

    /// Returns what it panicked with; none if it returned an error.
    #[must_use]
    pub fn into_payload(self) -> Option<Box<dyn Any + Send>> {
        self.payload.map(|payload| payload.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    #[track_caller]
    fn resume(self) -> ! {
        let text = self.to_string();
        match self.into_payload() {
            // The panic hook has told of it before.
            Some(payload) => resume_unwind(payload),
            None => panic!("{text}"),
        }
    }
}

impl fmt::Display for TaskFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, message, place, payload } = self;
        match (payload, place) {
            (None, _) => write!(formatter, "task `{task}` failed: {message}"),
            (Some(_), None) => write!(formatter, "task `{task}` panicked: {message}"),
            (Some(_), Some(place)) => {
                write!(formatter, "task `{task}` panicked at {place}: {message}")
            }
        }
    }
}

impl std::error::Error for TaskFailure {}

impl fmt::Debug for TaskFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
