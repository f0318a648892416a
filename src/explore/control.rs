//! Watching and stopping a check from another thread.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::failing::FailingSeed;

/// A handle on a check in progress: how far it is, and a way to stop it.
///
/// Clones are handles on the same check. What was found until the stop is reported.
#[derive(Clone, Debug, Default)]
pub struct Control {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    is_stopped: AtomicBool,
    seeds_done: AtomicU64,
    shrink_runs: AtomicU64,
    failing: Mutex<Vec<FailingSeed>>,
}

impl Control {
    /// Makes a handle for one check.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the check to stop; runs in progress end first.
    pub fn stop(&self) {
        self.shared.is_stopped.store(true, Ordering::Relaxed);
    }

    /// Tells whether the check was asked to stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.shared.is_stopped.load(Ordering::Relaxed)
    }

    /// Returns how many seeds have been run.
    #[must_use]
    pub fn seeds_done(&self) -> u64 {
        self.shared.seeds_done.load(Ordering::Relaxed)
    }

    /// Returns how many runs the shrinker has made.
    #[must_use]
    pub fn shrink_runs(&self) -> u64 {
        self.shared.shrink_runs.load(Ordering::Relaxed)
    }

    /// Takes the failing seeds that have been found since this was last called, by a check that keeps going
    /// ([`Check::keep_going`](super::Check::keep_going)); in its order.
    #[must_use]
    pub fn take_failing(&self) -> Vec<FailingSeed> {
        std::mem::take(&mut self.shared.failing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn note(&self, seed: FailingSeed) {
        self.shared.failing.lock().unwrap_or_else(PoisonError::into_inner).push(seed);
    }

    pub(super) fn count_seed(&self) {
        self.shared.seeds_done.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_shrink_run(&self) {
        self.shared.shrink_runs.fetch_add(1, Ordering::Relaxed);
    }
}
