//! Programs on real time: the production backend.
//!
//! The same program text that a simulation runs, on the clock, the threads and the chance of the machine.
//! [`run`] runs a program on the calling thread; [`Runtime`] and its [`Options`] add worker threads, a
//! seed, and a shutdown that is orderly; `#[parcae::main]` makes a binary of it, which ends in
//! good order at Ctrl-C and SIGTERM.
//!
//! ```
//! use parcae::time::{Instant, sleep};
//! use std::time::Duration;
//!
//! let elapsed = parcae::real::run(async {
//!     let start = Instant::now();
//!     sleep(Duration::from_millis(10)).await;
//!     start.elapsed()
//! });
//! assert!(elapsed >= Duration::from_millis(10));
//! ```
//!
//! Tasks are pinned to the thread that spawned them, so they need not be `Send`. Work is spread by saying
//! where: [`task::spawn_on`](crate::task::spawn_on). Threads talk through the queues and channels of
//! [`sync`](crate::sync).
//!
//! # How a run ends
//! ```text
//!   program runs -> program has ended ------------------------.
//!      | a signal, or whoever cancels `task::shutdown_token()`  |
//!      v                                                        v
//!   program has `grace` to end -> it is cancelled -> no new tasks; those that are left are cancelled,
//!                                                    their cleanups have `grace` to end -> Outcome
//! ```
//! What has not ended then is listed in [`Outcome::unfinished`], and traced: a cleanup that hangs, or a
//! task that never comes to an await. A second signal ends the grace of the program at once, and a further one
//! that of the cleanups.
//!
//! # What differs from the simulation
//! Time-outs and sleeps are late, never early. Two workers run side by side. A panic is printed by the
//! process's panic hook. What a program leaves running is cancelled, and no failure. What serves the search
//! alone costs one look at a thread-local here, and nothing where the feature `simulation` is off.
//! `docs/BACKENDS.md` in the repository lists all, each with its test.

mod error;
mod options;
mod outcome;
mod runtime;
mod signals;

use std::future::Future;

pub use self::error::{RunError, StartError};
pub use self::options::{Options, PanicPolicy, Signals};
pub use self::outcome::{Outcome, TaskFailure, Unfinished};
pub use self::runtime::Runtime;

/// Runs a program on this thread, on real time, and returns what it returned.
///
/// As [`Runtime::run`] with [`Options::default`]: no other threads, a seed from the operating system,
/// signals left alone.
///
/// # Panics
/// When the program panics, with its panic; when a task does and nobody observes it; when this thread is
/// inside of a runtime already.
///
/// # Examples
/// ```
/// assert_eq!(parcae::real::run(async { parcae::spawn(async { 42 }).await }), 42);
/// ```
#[track_caller]
pub fn run<F>(future: F) -> F::Output
where
    F: Future + 'static,
    F::Output: 'static,
{
    let runtime = match Runtime::new(Options::default()) {
        Ok(runtime) => runtime,
        Err(error) => panic!("{:?}", RunError::from(error)),
    };
    runtime.run(future).unwrap()
}

/// Runs the program of a binary; called by what `#[parcae::main]` expands to.
///
/// The options are those of [`Options::default`] with [`Signals::Graceful`], then configured.
///
/// # Errors
/// [`RunError`] when the program gives no output.
///
/// # Panics
/// When this thread is inside of a runtime already.
#[track_caller]
pub fn main<F>(
    configure: impl FnOnce(Options) -> Options,
    program: impl FnOnce() -> F,
) -> Result<F::Output, RunError>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let options = configure(Options::default().with_signals(Signals::Graceful));
    Runtime::new(options)?.run(program()).into_result()
}
