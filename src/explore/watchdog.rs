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

use super::check::Check;
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

/// The runs of a check that are in progress.
#[derive(Debug)]
pub(super) struct Running {
    check: String,
    limit: Duration,
    on_stuck: Option<fn(&StuckRun)>,
    since: Mutex<BTreeMap<Seed, Instant>>,
}

impl Running {
    pub(super) fn of(check: &Check) -> Self {
        Self {
            check: check.name.clone(),
            limit: check.stuck_after,
            on_stuck: check.on_stuck,
            since: Mutex::default(),
        }
    }

    /// Notes that a seed runs while `run` is called.
    pub(super) fn noted<R>(&self, seed: Seed, run: impl FnOnce() -> R) -> R {
        let lock = || self.since.lock().unwrap_or_else(PoisonError::into_inner);
        lock().insert(seed, Instant::now());
        let result = run();
        lock().remove(&seed);
        result
    }

    /// Takes out those that run for longer than the limit.
    fn stuck(&self) -> Vec<Seed> {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let is_stuck = |at: &Instant| at.elapsed() > self.limit;
        let stuck: Vec<Seed> =
            since.iter().filter(|(_, at)| is_stuck(at)).map(|(seed, _)| *seed).collect();
        since.retain(|seed, _| !stuck.contains(seed));
        stuck
    }

    /// Calls `act`, and tells of each run that takes longer, once, from another thread, if somebody wants to know.
    /// Without a thread nobody is told.
    pub(super) fn watched<R>(&self, act: impl FnOnce() -> R) -> R {
        let Some(on_stuck) = self.on_stuck else { return act() };
        let tell =
            |seed| on_stuck(&StuckRun { check: self.check.clone(), seed, after: self.limit });
        let (done, is_done) = mpsc::channel::<()>();
        let period = (self.limit / 4).clamp(SHORTEST_PERIOD, LONGEST_PERIOD);
        let watch = move || {
            while is_done.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                self.stuck().into_iter().for_each(tell);
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
