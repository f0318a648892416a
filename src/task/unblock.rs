//! Calls that block a thread, kept off the executor.

use std::fmt;
use std::future::Future;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use super::{Task, spawn_named};
use crate::backend;
use crate::context::Backend;
use crate::rng::choose_for;
use crate::sync::Semaphore;
use crate::time::sleep;

/// Runs a call that blocks or computes for long on a thread of the machine's pool, so that other tasks
/// go on meanwhile.
///
/// In the simulation there are no threads: the call waits for one of 512 virtual ones, first come first
/// served, then for a virtual duration of 1 µs to 1 ms, and is made at the end of that. What it does
/// shows there. [`BlockingPool`] has other numbers.
///
/// **When not to use it**: for what awaits; for work of which much waits at once, which needs a limit
/// of its own.
///
/// # Panics
/// Outside of a parcae runtime. A panic of the call goes on in whoever awaits it.
///
/// # Cancel safety
/// A call that has not begun is not made. One that has begun cannot be stopped: it is made, its thread is
/// busy until then, and its result is dropped.
///
/// # Determinism
/// The duration is a choice of the call's own task (`unblock#N`), label `unblock takes`, in nanoseconds; the
/// least is the default.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// let digest = parcae::task::unblock(|| (1..=20_u64).product::<u64>()).await;
/// assert_eq!(digest, 2_432_902_008_176_640_000);
/// # }).unwrap();
/// ```
#[track_caller]
pub fn unblock<T, F>(call: F) -> Unblock<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let make = || BlockingPool::threads(THREADS).named("blocking threads");
    backend::shared_local("parcae::task::unblock", make).unblock(call)
}

/// Threads or processes that make blocking calls, virtual ones in a simulation: so many at a time, first come first served.
///
/// A clone is another handle of the same pool. The two kinds differ in what becomes of a call that
/// nobody waits for any more: a thread finishes it, a process is killed.
///
/// # Examples
/// Eight jobs of a second on four threads:
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::task::BlockingPool;
/// use parcae::time::Instant;
/// use std::time::Duration;
///
/// let second = Duration::from_secs(1);
/// let pool = BlockingPool::threads(4).takes(second..=second);
/// let start = Instant::now();
/// let calls: Vec<_> = (0..8_u64).map(|number| pool.unblock(move || number * number)).collect();
/// let mut sum = 0;
/// for call in calls {
///     sum += call.await;
/// }
/// assert_eq!(sum, 140);
/// assert_eq!(start.elapsed(), 2 * second);
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct BlockingPool {
    slots: Arc<Semaphore>,
    kind: Kind,
    takes: (Duration, Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Threads,
    Processes,
}

impl BlockingPool {
    /// Makes a pool of threads: a call that has begun is made, whoever waits for it.
    ///
    /// # Panics
    /// When there are none.
    #[must_use]
    #[track_caller]
    pub fn threads(count: usize) -> Self {
        Self::new(count, Kind::Threads)
    }

    /// Makes a pool of processes: dropping the future kills the one that works for it, which frees its
    /// place at once, and the call is not made. On real time they are threads.
    ///
    /// # Panics
    /// When there are none.
    #[must_use]
    #[track_caller]
    pub fn processes(count: usize) -> Self {
        Self::new(count, Kind::Processes)
    }

    #[track_caller]
    fn new(count: usize, kind: Kind) -> Self {
        assert!(count > 0, "a pool of 0 makes no call: use 1 or more");
        Self { slots: Arc::new(Semaphore::new(count)), kind, takes: TAKES }
    }

    /// Gives it a name for reports.
    ///
    /// # Panics
    /// When it has been cloned already.
    #[must_use]
    #[track_caller]
    pub fn named(self, name: &'static str) -> Self {
        let slots = Arc::into_inner(self.slots).expect("a pool is named before it is cloned");
        Self { slots: Arc::new(slots.named(name)), ..self }
    }

    /// Sets how long a call takes, in the simulation. Default 1 µs to 1 ms. On real time it takes what it
    /// takes.
    ///
    /// # Panics
    /// On an empty range, and on one that ends after 584 years.
    #[must_use]
    #[track_caller]
    pub fn takes(mut self, range: RangeInclusive<Duration>) -> Self {
        let (least, most) = range.into_inner();
        assert!(least <= most, "a call cannot take from {least:?} to {most:?}");
        assert!(nanos(most) < u64::MAX, "a call cannot take {most:?}");
        self.takes = (least, most);
        self
    }

    /// Makes a call on one of them; see [`unblock`].
    ///
    /// # Panics
    /// Outside of a parcae runtime. A panic of the call goes on in whoever awaits it.
    ///
    /// # Cancel safety
    /// A call that has not begun is not made. What becomes of one that has is what the two kinds of pools
    /// differ in.
    ///
    /// # Determinism
    /// As [`unblock`].
    #[track_caller]
    pub fn unblock<T, F>(&self, call: F) -> Unblock<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let has_begun = Arc::new(AtomicBool::new(false));
        let (slots, begins, takes) = (self.slots.clone(), has_begun.clone(), self.takes);
        let job = async move {
            let _slot = slots.acquire_owned().await.expect("a pool is not closed");
            begins.store(true, Ordering::Relaxed);
            if Backend::current() == Some(Backend::Real) {
                return backend::call_on_thread(call).await;
            }
            let takes = choose_for("unblock takes", 0, nanos(takes.0)..=nanos(takes.1));
            sleep(Duration::from_nanos(takes)).await;
            call()
        };
        let job = spawn_named("unblock", job);
        Unblock { job: Some(job), has_begun, kind: self.kind }
    }
}

impl fmt::Debug for BlockingPool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BlockingPool")
            .field("kind", &self.kind)
            .field("free", &self.slots.available_permits())
            .field("takes", &self.takes)
            .finish()
    }
}

/// Future of [`unblock`] and [`BlockingPool::unblock`].
#[must_use = "dropping it takes back a call that has not begun"]
pub struct Unblock<T> {
    /// None when it has ended.
    job: Option<Task<T>>,
    has_begun: Arc<AtomicBool>,
    kind: Kind,
}

impl<T: 'static> Future for Unblock<T> {
    type Output = T;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let job = self.job.as_mut().expect("a call is not polled again when it has ended");
        let poll = Pin::new(job).poll(context);
        if poll.is_ready() {
            self.job = None;
        }
        poll
    }
}

impl<T> Drop for Unblock<T> {
    fn drop(&mut self) {
        let is_unstoppable = self.kind == Kind::Threads && self.has_begun.load(Ordering::Relaxed);
        if let Some(job) = self.job.take_if(|_| is_unstoppable) {
            job.background();
        }
    }
}

impl<T> fmt::Debug for Unblock<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Unblock").field("job", &self.job).finish_non_exhaustive()
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// As many as tokio has by default.
const THREADS: usize = 512;
const TAKES: (Duration, Duration) = (Duration::from_micros(1), Duration::from_millis(1));
