//! How a program is run on real time.

use std::time::Duration;

use crate::kernel::Seed;

/// How a [`Runtime`](super::Runtime) runs its program.
///
/// # Examples
/// ```
/// use parcae::real::{Options, Runtime};
///
/// let runtime = Runtime::new(Options::default().with_workers(2).with_seed(7))?;
/// let outcome = runtime.run(async {
///     let workers = parcae::task::workers();
///     parcae::task::spawn_on(&workers[1], || async { 6 * 7 }).await
/// });
/// assert_eq!(outcome.unwrap(), 42);
/// # Ok::<(), parcae::real::StartError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Threads that run tasks, the one that runs the program among them; at least 1. The others do what
    /// [`spawn_on`](crate::task::spawn_on) gives them, and nothing else. Default 1.
    pub workers: usize,
    /// What [`rng`](crate::rng()) and [`choose`](crate::choose) draw from, as in a simulation under the
    /// same seed. Default none: the operating system gives one.
    pub seed: Option<Seed>,
    /// How long a program that is asked to end may take, and then how long its cleanups may. Default 10 s.
    pub grace: Duration,
    /// What becomes of the run when nobody observes that a task panicked, or that one of
    /// [`spawn_try`](crate::spawn_try) failed. Default: it ends.
    pub panics: PanicPolicy,
    /// What Ctrl-C and SIGTERM do. Default: what they did before.
    pub signals: Signals,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workers: 1,
            seed: None,
            grace: Duration::from_secs(10),
            panics: PanicPolicy::ShutDown,
            signals: Signals::Ignore,
        }
    }
}

impl Options {
    /// Sets how many threads run tasks.
    #[must_use]
    pub fn with_workers(self, workers: usize) -> Self {
        Self { workers, ..self }
    }

    /// Sets what random draws depend on.
    #[must_use]
    pub fn with_seed(self, seed: impl Into<Seed>) -> Self {
        Self { seed: Some(seed.into()), ..self }
    }

    /// Sets how long an end may take.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Sets what a panic that nobody observes does.
    #[must_use]
    pub fn with_panics(self, panics: PanicPolicy) -> Self {
        Self { panics, ..self }
    }

    /// Sets what signals do.
    #[must_use]
    pub fn with_signals(self, signals: Signals) -> Self {
        Self { signals, ..self }
    }
}

/// What becomes of a run when nobody observes that a task failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PanicPolicy {
    /// It ends, as a simulation does: the program is cancelled and the result is an error.
    ShutDown,
    /// It goes on; the failure is traced, and is in the outcome.
    GoOn,
}

/// What Ctrl-C and SIGTERM do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signals {
    /// What they do without this library: as a rule they kill the process.
    Ignore,
    /// They cancel [`shutdown_token`](crate::task::shutdown_token). They are caught for the rest of the life
    /// of the process, also when the runtime is gone: it is for programs, not for parts of them.
    Graceful,
}
