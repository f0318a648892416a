//! parcae as a host, and its searches.

use std::future::Future;
use std::rc::Rc;

use parcae::explore::{Check, Determinism, Isolation, Shrink, Strategy};
use parcae::sync::{Mutex, MutexGuard};
use parcae::testing::Shared;

use super::Trial;
use super::host::Host;
use super::subjects::Subject;

pub(crate) struct Parcae;

pub(crate) struct Lock {
    mutex: Mutex<()>,
    /// Read before the lock is let go, which is a point of Shuttle's and none of ours.
    unlock: Shared<()>,
}

impl Host for Parcae {
    type Cell = Rc<Shared<i64>>;
    type Lock = Rc<Lock>;
    type Held<'a> = (MutexGuard<'a, ()>, &'a Shared<()>);
    type Task = parcae::Task<()>;

    fn cell(value: i64) -> Self::Cell {
        Rc::new(Shared::new(value))
    }

    async fn load(cell: &Self::Cell) -> i64 {
        cell.get().await
    }

    async fn store(cell: &Self::Cell, value: i64) {
        cell.set(value).await;
    }

    async fn add(cell: &Self::Cell, summand: i64) -> i64 {
        let add = |value: &mut i64| {
            *value += summand;
            *value
        };
        cell.update(add).await
    }

    async fn swap(cell: &Self::Cell, new: i64) -> i64 {
        cell.update(|value| std::mem::replace(value, new)).await
    }

    fn mutex() -> Rc<Lock> {
        Rc::new(Lock { mutex: Mutex::new(()), unlock: Shared::new(()) })
    }

    async fn lock(lock: &Rc<Lock>) -> Self::Held<'_> {
        (lock.mutex.lock().await, &lock.unlock)
    }

    async fn unlock((guard, unlock): Self::Held<'_>) {
        unlock.get().await;
        drop(guard);
    }

    async fn spawn(task: impl Future<Output = ()> + 'static) -> Self::Task {
        // A point of Shuttle's and none of ours.
        Shared::new(()).get().await;
        parcae::spawn(task)
    }

    async fn join(task: Self::Task) {
        task.await;
    }
}

/// Searches with seeds of the trial's own; so are the pilots.
pub(crate) fn search(subject: impl Subject, strategy: Strategy, trial: u64, cap: u64) -> Trial {
    let mut shrink = Shrink::default();
    shrink.runs = 0;
    let check = Check::new(subject.name())
        .strategy(strategy)
        .first_seed(first_seed(trial))
        .pilot_seed(first_seed(trial))
        .seeds(cap)
        .jobs(1)
        .isolation(Isolation::Reuse)
        .determinism(Determinism::Off)
        .shrink(shrink);
    let report = check.run(move || subject.run::<Parcae>());
    let time = report.finding().map_or(report.wall_time(), parcae::explore::Finding::search_time);
    // The pilots are the first seeds of the search.
    Trial { is_found: report.finding().is_some(), runs: report.seeds_run(), time }
}

/// Returns the first seed of a trial.
pub(crate) fn first_seed(trial: u64) -> u64 {
    trial * SEEDS_APART
}

/// More than the cap, and none of the lengths in which strategies take turns.
const SEEDS_APART: u64 = 1_000_003;
