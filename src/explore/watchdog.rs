//! Tells of runs that take too long in real time. It cannot end them: a thread ends by itself or not at all.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it is real time that is watched"
)]

use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::kernel::Seed;

/// A run that is not over after so much real time, as a task that spins inside of one poll leaves it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StuckRun {
    /// Name of the check.
    pub check: String,
    /// The seed.
    pub seed: Seed,
    /// The limit that has passed, [`Check::stuck_after`](super::Check::stuck_after).
    pub after: Duration,
}

/// The runs in progress.
#[derive(Debug, Default)]
pub(super) struct Running {
    since: Mutex<BTreeMap<Seed, Instant>>,
}

impl Running {
    /// Notes that a seed runs while `run` is called.
    pub(super) fn noted<R>(&self, seed: Seed, run: impl FnOnce() -> R) -> R {
        let lock = || self.since.lock().unwrap_or_else(PoisonError::into_inner);
        lock().insert(seed, Instant::now());
        let result = run();
        lock().remove(&seed);
        result
    }

    /// Takes out those that run for longer.
    fn longer_than(&self, limit: Duration) -> Vec<Seed> {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let stuck: Vec<Seed> =
            since.iter().filter(|(_, at)| at.elapsed() > limit).map(|(seed, _)| *seed).collect();
        since.retain(|seed, _| !stuck.contains(seed));
        stuck
    }

    /// Calls `act`, and `tell` from another thread with each run that takes longer, once. Without a
    /// thread nobody is told.
    pub(super) fn watched<R>(
        &self,
        limit: Duration,
        tell: impl Fn(Seed) + Sync,
        act: impl FnOnce() -> R,
    ) -> R {
        let (done, is_done) = mpsc::channel::<()>();
        let period = (limit / 4).clamp(SHORTEST_PERIOD, LONGEST_PERIOD);
        let tell = &tell;
        let watch = move || {
            while is_done.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                self.longer_than(limit).into_iter().for_each(tell);
            }
        };
        thread::scope(|scope| {
            let builder = thread::Builder::new().name("parcae watchdog".to_owned());
            let _watchdog = builder.spawn_scoped(scope, watch).ok();
            let result = act();
            drop(done);
            result
        })
    }
}

const SHORTEST_PERIOD: Duration = Duration::from_millis(10);
const LONGEST_PERIOD: Duration = Duration::from_secs(1);
