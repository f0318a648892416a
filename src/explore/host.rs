//! The one file of the library that meets the machine: threads, wall clock, environment.
//!
//! None of it reaches a run. A run's result depends on its world; the wall clock here only stops a
//! search early, and says so.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "runs are spread over threads here, and bounded by wall time"
)]

use std::fmt;
use std::panic;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Which thread a run gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isolation {
    /// A fresh one for each run, so that thread-locals of other crates do not leak from run to run.
    #[default]
    Thread,
    /// One for many runs: faster, for programs in which nothing leaks.
    Reuse,
}

/// Returns how many threads a check uses by default: one for each core.
pub(super) fn default_jobs() -> usize {
    thread::available_parallelism().map_or(1, Into::into)
}

/// Calls `run` on the thread that the isolation asks for.
pub(super) fn isolated<R: Send>(isolation: Isolation, run: impl FnOnce() -> R + Send) -> R {
    match isolation {
        Isolation::Reuse => run(),
        Isolation::Thread => {
            let result = thread::scope(|scope| {
                let builder = thread::Builder::new().name("parcae run".to_owned());
                builder.spawn_scoped(scope, run).expect("a thread for a run").join()
            });
            result.unwrap_or_else(|payload| panic::resume_unwind(payload))
        }
    }
}

/// Calls `run` with 0, 1, 2, … on so many threads, in order of starting, until it says to stop or
/// `count` is reached. A panic in it panics here.
pub(super) fn in_parallel(jobs: usize, count: usize, run: impl Fn(usize) -> Flow + Sync) {
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return;
            }
            if let Flow::Stop = run(index) {
                next.store(count, Ordering::Relaxed);
            }
        }
    };
    if jobs <= 1 || count <= 1 {
        return work();
    }
    let panicked = Mutex::new(None);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.min(count)).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            if let Err(payload) = worker.join() {
                panicked.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(payload);
            }
        }
    });
    if let Some(payload) = panicked.into_inner().unwrap_or_else(PoisonError::into_inner) {
        panic::resume_unwind(payload);
    }
}

/// Whether a search goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// With the next number.
    Continue,
    /// Numbers that were begun are finished, no more are begun.
    Stop,
}

/// A bound in wall time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    at: Option<Instant>,
}

impl Deadline {
    pub(super) fn after(limit: Option<Duration>) -> Self {
        Self { at: limit.and_then(|limit| Instant::now().checked_add(limit)) }
    }

    pub(super) fn is_over(self) -> bool {
        self.at.is_some_and(|at| Instant::now() >= at)
    }
}

/// Measures wall time for reports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopwatch {
    start: Instant,
}

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(super) fn elapsed(self) -> Duration {
        self.start.elapsed()
    }
}

/// Reads an environment variable; one that is not Unicode is reported as such.
pub(crate) fn variable(name: &'static str) -> Result<Option<String>, NotUnicode> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(NotUnicode { name }),
    }
}

/// An environment variable that is not text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUnicode {
    /// Its name.
    pub name: &'static str,
}

impl fmt::Display for NotUnicode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the environment variable {} is not valid Unicode", self.name)
    }
}
