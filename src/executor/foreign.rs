//! Wakes that come from outside of the run: other threads, destructors of statics.
//!
//! A wake from another thread comes at a moment that no seed decides, so it fails the run that it
//! is for. A wake for a run that is over is ignored.

use std::backtrace::Backtrace;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::TaskId;

/// Numbers a run for the lifetime of the value, so that wakers of two live runs differ.
#[derive(Debug)]
pub(super) struct RunNumber {
    number: u16,
    serial: u64,
    seen: u64,
}

impl RunNumber {
    /// Takes the next free number.
    ///
    /// # Panics
    /// When 65,535 runs are alive at once in this process.
    pub(super) fn take() -> Self {
        let mut runs = runs();
        let number = (0..u16::MAX)
            .map(|step| runs.next.wrapping_add(step).max(1))
            .find(|number| !runs.live.contains_key(number))
            .expect("fewer than 65,535 runs at once");
        runs.next = number.wrapping_add(1);
        runs.live.insert(number, Vec::new());
        runs.serial += 1;
        Self { number, serial: runs.serial, seen: DELIVERED.load(Ordering::Acquire) }
    }

    /// Returns the number.
    pub(super) fn get(&self) -> u16 {
        self.number
    }

    /// Returns a number that no other run of this process has had or will have.
    pub(super) fn serial(&self) -> u64 {
        self.serial
    }

    /// Returns the first wake that came from outside since the last call.
    pub(super) fn first_wake(&mut self) -> Option<ForeignWake> {
        let delivered = DELIVERED.load(Ordering::Acquire);
        if delivered == self.seen {
            return None;
        }
        self.seen = delivered;
        let mut runs = runs();
        let wakes = std::mem::take(runs.live.get_mut(&self.number).expect("this run is alive"));
        wakes.into_iter().next()
    }
}

impl Drop for RunNumber {
    fn drop(&mut self) {
        runs().live.remove(&self.number);
    }
}

/// A wake that came from outside.
#[derive(Debug)]
pub(super) struct ForeignWake {
    pub(super) task: TaskId,
    pub(super) backtrace: String,
}

/// Keeps a wake for the run that the task belongs to, if that is alive.
#[cold]
pub(super) fn deliver(task: TaskId) {
    if !runs().live.contains_key(&task.run()) {
        return;
    }
    // Not while the runs are locked: it takes long.
    let backtrace = Backtrace::force_capture().to_string();
    if let Some(inbox) = runs().live.get_mut(&task.run()) {
        if inbox.len() < INBOX_WAKES_MAX {
            inbox.push(ForeignWake { task, backtrace });
        }
        DELIVERED.fetch_add(1, Ordering::AcqRel);
    }
}

#[derive(Debug)]
struct Runs {
    next: u16,
    serial: u64,
    live: BTreeMap<u16, Vec<ForeignWake>>,
}

fn runs() -> MutexGuard<'static, Runs> {
    RUNS.lock().unwrap_or_else(PoisonError::into_inner)
}

// Numbers of runs are not visible to a program: a waker does not show its bits, and they enter
// neither choices nor the chain.
static RUNS: Mutex<Runs> = Mutex::new(Runs { next: 1, serial: 0, live: BTreeMap::new() });
static DELIVERED: AtomicU64 = AtomicU64::new(0);

const INBOX_WAKES_MAX: usize = 16;
