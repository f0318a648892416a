//! Shuttle as a host, and its searches.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a search is timed, on a thread of its own"
)]

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use shuttle::future::{JoinHandle, block_on, spawn_local};
use shuttle::scheduler::{PctScheduler, RandomScheduler, UrwRandomScheduler};
use shuttle::sync::atomic::AtomicI64;
use shuttle::sync::{Mutex, MutexGuard};
use shuttle::{Config, FailurePersistence, Runner};

use super::Trial;
use super::host::Host;
use super::subjects::Subject;

pub(crate) struct Shuttle;

impl Host for Shuttle {
    type Cell = Arc<AtomicI64>;
    type Lock = Arc<Mutex<()>>;
    type Held<'a> = MutexGuard<'a, ()>;
    type Task = JoinHandle<()>;

    fn cell(value: i64) -> Self::Cell {
        Arc::new(AtomicI64::new(value))
    }

    async fn load(cell: &Self::Cell) -> i64 {
        cell.load(Ordering::SeqCst)
    }

    async fn store(cell: &Self::Cell, value: i64) {
        cell.store(value, Ordering::SeqCst);
    }

    async fn add(cell: &Self::Cell, summand: i64) -> i64 {
        cell.fetch_add(summand, Ordering::SeqCst) + summand
    }

    async fn swap(cell: &Self::Cell, value: i64) -> i64 {
        cell.swap(value, Ordering::SeqCst)
    }

    fn mutex() -> Self::Lock {
        Arc::new(Mutex::new(()))
    }

    async fn lock(lock: &Self::Lock) -> Self::Held<'_> {
        lock.lock().expect("a task that panics ends the run")
    }

    async fn unlock(held: Self::Held<'_>) {
        drop(held);
    }

    async fn spawn(task: impl Future<Output = ()> + 'static) -> Self::Task {
        spawn_local(task)
    }

    async fn join(task: Self::Task) {
        task.await.expect("a task that panics ends the run");
    }
}

/// How Shuttle explores.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scheduler {
    Random,
    Pct(usize),
    Urw,
}

impl Scheduler {
    pub(crate) const ALL: [Self; 5] =
        [Self::Random, Self::Pct(2), Self::Pct(3), Self::Pct(5), Self::Urw];

    pub(crate) fn name(self) -> String {
        match self {
            Self::Random => "random".to_owned(),
            Self::Pct(depth) => format!("PCT {depth}"),
            Self::Urw => "URW".to_owned(),
        }
    }
}

/// Searches on a thread of its own: after some failures Shuttle cannot run again on theirs.
pub(crate) fn search(subject: impl Subject, scheduler: Scheduler, trial: u64, cap: u64) -> Trial {
    let work = move || {
        let begin = Instant::now();
        let runs = Arc::new(AtomicU64::new(0));
        let counter = runs.clone();
        let program = move || {
            counter.fetch_add(1, Ordering::Relaxed);
            block_on(subject.run::<Shuttle>());
        };
        let iterations = usize::try_from(cap).expect("a cap in memory");
        let result = catch_unwind(AssertUnwindSafe(|| match scheduler {
            Scheduler::Random => {
                let scheduler = RandomScheduler::new_from_seed(trial, iterations);
                Runner::new(scheduler, config()).run(program)
            }
            Scheduler::Pct(depth) => {
                let scheduler = PctScheduler::new_from_seed(trial, depth, iterations);
                Runner::new(scheduler, config()).run(program)
            }
            Scheduler::Urw => {
                let scheduler = UrwRandomScheduler::new_from_seed(trial, iterations);
                Runner::new(scheduler, config()).run(program)
            }
        }));
        let runs = runs.load(Ordering::Relaxed);
        Trial { is_found: result.is_err(), runs, time: begin.elapsed() }
    };
    thread::spawn(work).join().expect("panics are caught")
}

fn config() -> Config {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config
}
