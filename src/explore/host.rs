//! Where the library meets the machine: threads, wall clock, environment variables. Beside it, only
//! `report::save` and `harness` do, and only to write and read files.
//!
//! None of it reaches a run. A run's result depends on its world; the wall clock here only stops a
//! search early, and says so.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "runs are spread over threads here, and bounded by wall time"
)]

use std::fmt;
use std::io;
use std::panic;
use std::str::FromStr;
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
    /// A process of its own for each seed (Linux), so that statics of other crates do not leak either,
    /// and a seed that aborts, overflows its stack, allocates without end or spins costs no other.
    ///
    /// The check starts its executable once more for each of its threads, up to the same check: what
    /// stands in front of it runs there too, and must leave no thread behind. A world is the same run as with
    /// `Thread`. What is found is confirmed in the process of the check, on fresh threads; worlds on the way to a
    /// smaller one, and those that are replayed, are run in a process first.
    #[cfg(target_os = "linux")]
    Fork,
}

impl Isolation {
    /// All of them that there are on this system, in the order in which help texts list them.
    #[cfg(target_os = "linux")]
    pub const ALL: &[Self] = &[Self::Thread, Self::Reuse, Self::Fork];
    /// All of them that there are on this system, in the order in which help texts list them.
    #[cfg(not(target_os = "linux"))]
    pub const ALL: &[Self] = &[Self::Thread, Self::Reuse];

    /// Returns the name, as options use it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Thread => "thread",
            Self::Reuse => "reuse",
            #[cfg(target_os = "linux")]
            Self::Fork => "fork",
        }
    }
}

impl fmt::Display for Isolation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Isolation {
    type Err = ParseIsolationError;

    fn from_str(text: &str) -> Result<Self, ParseIsolationError> {
        let named = Self::ALL.iter().copied().find(|isolation| isolation.name() == text);
        named.ok_or_else(|| ParseIsolationError { text: text.to_owned() })
    }
}

/// A text that is not the name of an isolation on this system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseIsolationError {
    /// What was given.
    pub text: String,
}

impl fmt::Display for ParseIsolationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Isolation::ALL.iter().map(|isolation| isolation.name()).collect();
        let (text, names) = (&self.text, names.join("`, `"));
        write!(formatter, "{text:?} is not an isolation: expected one of `{names}`")
    }
}

impl std::error::Error for ParseIsolationError {}

/// Returns how many threads a check uses by default: one for each core.
pub(super) fn default_jobs() -> usize {
    thread::available_parallelism().map_or(1, Into::into)
}

/// Calls `run` on the thread that the isolation asks for. Without a thread it is not called: on
/// another one it might meet what earlier runs have left.
pub(super) fn isolated<R: Send>(
    isolation: Isolation,
    run: impl FnOnce() -> R + Send,
) -> Result<R, NoThread> {
    match isolation {
        Isolation::Reuse => Ok(run()),
        _ => thread::scope(|scope| {
            let builder = builder().name("parcae run".to_owned());
            let thread = builder.spawn_scoped(scope, run).map_err(|error| NoThread::of(&error))?;
            Ok(thread.join().unwrap_or_else(|payload| panic::resume_unwind(payload)))
        }),
    }
}

/// Returns what makes a thread.
fn builder() -> thread::Builder {
    let builder = thread::Builder::new();
    // Where a check serves another process no thread of the usual size can be made, and checks in front of it
    // need some.
    #[cfg(target_os = "linux")]
    if is_fork_server() {
        return builder.stack_size(STACK_BYTES);
    }
    builder
}

/// As the standard library has it for threads.
#[cfg(target_os = "linux")]
pub(super) const STACK_BYTES: usize = 2 << 20;

/// Calls `run` with 0, 1, 2, … on so many threads, in order of starting, until it says to stop or
/// `count` is reached. A panic in it panics here.
///
/// Where the machine gives fewer threads it goes on with those: a worker whose `run` gets none leaves
/// its own to the others, and the calling thread works last and alone. Only when `run` gets none then
/// is that an error.
pub(super) fn in_parallel(
    jobs: usize,
    count: usize,
    run: impl Fn(usize) -> Result<Flow, NoThread> + Sync,
) -> Result<(), NoThread> {
    let next = AtomicUsize::new(0);
    let take = || {
        let beyond = |next: usize| (next < count).then(|| next + 1);
        next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, beyond).ok()
    };
    let visit = |index| {
        if run(index)? == Flow::Stop {
            next.store(count, Ordering::Relaxed);
        }
        Ok(())
    };
    let put_off = Mutex::new(Vec::new());
    let work = || {
        while let Some(index) = take() {
            if let Err(NoThread { .. }) = visit(index) {
                put_off.lock().unwrap_or_else(PoisonError::into_inner).push(index);
                return;
            }
        }
    };
    thread::scope(|scope| {
        let spawn = |_| builder().spawn_scoped(scope, work).ok();
        let workers: Vec<_> = (1..jobs.min(count)).map_while(spawn).collect();
        work();
        for worker in workers {
            worker.join().unwrap_or_else(|payload| panic::resume_unwind(payload));
        }
    });
    // Those were begun, so they are finished, also after a stop.
    for index in put_off.into_inner().unwrap_or_else(PoisonError::into_inner) {
        visit(index)?;
    }
    while let Some(index) = take() {
        visit(index)?;
    }
    Ok(())
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

/// The machine gives no thread, so a run that asks for a fresh one ([`Isolation::Thread`]) cannot
/// begin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoThread {
    /// Why, as the system says it.
    pub message: String,
}

impl NoThread {
    pub(super) fn new(message: String) -> Self {
        Self { message }
    }

    fn of(error: &io::Error) -> Self {
        Self { message: error.to_string() }
    }
}

impl fmt::Display for NoThread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the machine gives no thread for a run: {}", self.message)
    }
}

impl std::error::Error for NoThread {}

/// Tells whether this process was started by a check to fork one for each of its runs ([`Isolation::Fork`]).
///
/// It is to come to the same check by the same way, and to start no thread before it does.
#[must_use]
pub fn is_fork_server() -> bool {
    std::env::var_os(SERVER_VARIABLE).is_some()
}

/// Names the check that a process was started for.
pub(super) const SERVER_VARIABLE: &str = "PARCAE_FORK_SERVER";

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

impl std::error::Error for NotUnicode {}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{Flow, NoThread, in_parallel};

    fn no_thread() -> NoThread {
        NoThread { message: "none".to_owned() }
    }

    /// Runs 0 to 99 where the first so many calls find no thread; returns what was run, sorted.
    fn visited(jobs: usize, refused_count: usize) -> (Vec<usize>, Result<(), NoThread>) {
        let calls = AtomicUsize::new(0);
        let visited = Mutex::new(Vec::new());
        let result = in_parallel(jobs, 100, |index| {
            if calls.fetch_add(1, Ordering::Relaxed) < refused_count {
                return Err(no_thread());
            }
            visited.lock().unwrap().push(index);
            Ok(if index == 60 { Flow::Stop } else { Flow::Continue })
        });
        let mut visited = visited.into_inner().unwrap();
        visited.sort_unstable();
        (visited, result)
    }

    #[test]
    fn each_number_that_was_begun_is_run_once_however_many_threads_there_are() {
        for jobs in [1, 2, 5] {
            for refused_count in 0..=jobs {
                let (visited, result) = visited(jobs, refused_count);
                assert_eq!(result, Ok(()), "{jobs} jobs, {refused_count} refused");
                assert!(visited.iter().copied().eq(0..visited.len()), "{visited:?}");
                assert!(visited.len() > 60, "{visited:?}");
            }
        }
    }

    #[test]
    fn without_any_thread_that_is_the_error() {
        let (visited, result) = visited(3, usize::MAX);
        assert_eq!((visited, result), (vec![], Err(no_thread())));
    }

    #[test]
    fn the_greatest_count_does_not_begin_anew_after_a_stop() {
        let runs = AtomicUsize::new(0);
        let result = in_parallel(4, usize::MAX, |_| {
            runs.fetch_add(1, Ordering::Relaxed);
            Ok(Flow::Stop)
        });
        assert_eq!(result, Ok(()));
        assert!(runs.into_inner() <= 4);
    }
}
