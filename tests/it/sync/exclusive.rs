//! What holds for everything that one task at a time can have: what asyncio, trio, anyio and tokio test
//! of their locks, for each of ours.

use std::cell::Cell;
use std::rc::Rc;

use futures::future::LocalBoxFuture;
use parcae::executor::DomainId;
use parcae::sync::{Mutex, RwLock, Semaphore};
use parcae::task::{Builder, Task, settle, yield_now};
use parcae::time::{sleep, timeout};

use super::{dropped_after, millis, on_every_seed, ported};
use crate::runs::Journal;

trait Exclusive: 'static {
    fn make() -> Rc<Self>;
    fn take(&self) -> LocalBoxFuture<'_, Box<dyn Held + '_>>;
    fn try_take(&self) -> Option<Box<dyn Held + '_>>;
}

trait Held {}

impl<T> Held for T {}

fn boxed<'a>(held: impl Held + 'a) -> Box<dyn Held + 'a> {
    Box::new(held)
}

impl Exclusive for Mutex<()> {
    fn make() -> Rc<Self> {
        Rc::new(Self::new(()))
    }

    fn take(&self) -> LocalBoxFuture<'_, Box<dyn Held + '_>> {
        Box::pin(async { boxed(self.lock().await) })
    }

    fn try_take(&self) -> Option<Box<dyn Held + '_>> {
        self.try_lock().map(boxed)
    }
}

impl Exclusive for Semaphore {
    fn make() -> Rc<Self> {
        Rc::new(Self::new(1))
    }

    fn take(&self) -> LocalBoxFuture<'_, Box<dyn Held + '_>> {
        Box::pin(async { boxed(self.acquire().await.unwrap()) })
    }

    fn try_take(&self) -> Option<Box<dyn Held + '_>> {
        self.try_acquire().ok().map(boxed)
    }
}

impl Exclusive for RwLock<()> {
    fn make() -> Rc<Self> {
        Rc::new(Self::new(()))
    }

    fn take(&self) -> LocalBoxFuture<'_, Box<dyn Held + '_>> {
        Box::pin(async { boxed(self.write().await) })
    }

    fn try_take(&self) -> Option<Box<dyn Held + '_>> {
        self.try_write().map(boxed)
    }
}

macro_rules! of_each {
    ($($test:ident)*) => {
        mod mutex {
            $(#[test] fn $test() { super::$test::<super::Mutex<()>>() })*
        }
        mod semaphore {
            $(#[test] fn $test() { super::$test::<super::Semaphore>() })*
        }
        mod rwlock {
            $(#[test] fn $test() { super::$test::<super::RwLock<()>>() })*
        }
    };
}

of_each! {
    one_waiter_goes_in_for_each_release_in_order
    whoever_takes_it_again_goes_to_the_back
    no_two_have_it
    what_was_taken_without_waiting_keeps_others_out
    a_cancelled_waiter_leaves_no_trace
    a_waiter_that_is_cancelled_in_the_step_of_the_release_passes_it_on
    a_waiter_that_is_cancelled_after_it_was_assigned_passes_it_on
    a_cancel_and_a_release_in_one_step_let_exactly_one_in
    a_holder_that_is_cancelled_releases
    what_a_machine_that_dies_has_or_was_assigned_is_the_next_ones
    what_is_assigned_to_a_waiter_is_not_to_be_had
    waits_that_time_out_leave_it_usable
    waits_that_are_dropped_anywhere_leave_it_usable
}

/// A task that takes it, says so and keeps it for a millisecond.
fn taker<L: Exclusive>(lock: &Rc<L>, journal: &Journal<usize>, number: usize) -> Task<()> {
    let (lock, journal) = (lock.clone(), journal.clone());
    parcae::spawn(async move {
        let _held = lock.take().await;
        journal.add(number);
        sleep(millis(1)).await;
    })
}

/// So many of them in the line, in order.
async fn takers<L: Exclusive>(
    lock: &Rc<L>,
    journal: &Journal<usize>,
    count: usize,
) -> Vec<Task<()>> {
    let mut tasks = Vec::new();
    for number in 0..count {
        tasks.push(taker(lock, journal, number));
        settle().await;
    }
    tasks
}

fn one_waiter_goes_in_for_each_release_in_order<L: Exclusive>() {
    ported(|| async {
        let (lock, journal) = (L::make(), Journal::new());
        let held = lock.take().await;
        let tasks = takers(&lock, &journal, 3).await;
        assert_eq!(journal.count(), 0);
        drop(held);
        for count in 1..=3 {
            settle().await;
            assert_eq!(journal.count(), count);
            sleep(millis(1)).await;
        }
        for task in tasks {
            task.await;
        }
        assert_eq!(journal.take(), [0, 1, 2]);
        assert!(lock.try_take().is_some());
    });
}

// bpo-45997
fn whoever_takes_it_again_goes_to_the_back<L: Exclusive>() {
    ported(|| async {
        let (lock, journal) = (L::make(), Journal::new());
        let held = lock.take().await;
        let mut tasks = Vec::new();
        for number in 0..3 {
            let (lock, journal) = (lock.clone(), journal.clone());
            tasks.push(parcae::spawn(async move {
                for _ in 0..3 {
                    let _held = lock.take().await;
                    journal.add(number);
                    // Until all others wait.
                    sleep(millis(1)).await;
                }
            }));
            settle().await;
        }
        drop(held);
        for task in tasks {
            task.await;
        }
        assert_eq!(journal.take(), [0, 1, 2, 0, 1, 2, 0, 1, 2]);
    });
}

fn no_two_have_it<L: Exclusive>() {
    on_every_seed(|| async {
        let (lock, inside) = (L::make(), Rc::new(Cell::new(false)));
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (lock, inside) = (lock.clone(), inside.clone());
                parcae::spawn(async move {
                    for _ in 0..3 {
                        let _held = lock.take().await;
                        assert!(!inside.replace(true), "two have it");
                        yield_now().await;
                        inside.set(false);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
    });
}

fn what_was_taken_without_waiting_keeps_others_out<L: Exclusive>() {
    ported(|| async {
        let (lock, journal) = (L::make(), Journal::new());
        let held = lock.try_take().unwrap();
        assert!(lock.try_take().is_none());
        let task = taker(&lock, &journal, 0);
        settle().await;
        assert_eq!(journal.count(), 0);
        drop(held);
        task.await;
    });
}

fn a_cancelled_waiter_leaves_no_trace<L: Exclusive>() {
    ported(|| async {
        let (lock, journal) = (L::make(), Journal::new());
        let held = lock.take().await;
        let task = taker(&lock, &journal, 0);
        settle().await;
        task.cancel().await;
        drop(held);
        assert!(lock.try_take().is_some());
        assert_eq!(journal.count(), 0);
    });
}

fn a_waiter_that_is_cancelled_in_the_step_of_the_release_passes_it_on<L: Exclusive>() {
    for release_first in [false, true] {
        ported(move || async move {
            let (lock, journal) = (L::make(), Journal::new());
            let mut held = Some(lock.take().await);
            let mut tasks = takers(&lock, &journal, 2).await;
            if release_first {
                held = None;
            }
            let cancelled = tasks.remove(0).cancel();
            drop(held);
            cancelled.await;
            tasks.remove(0).await;
            assert_eq!(journal.take(), [1]);
        });
    }
}

// bpo-27585, anyio#398
fn a_waiter_that_is_cancelled_after_it_was_assigned_passes_it_on<L: Exclusive>() {
    ported(|| async {
        let (lock, journal) = (L::make(), Journal::new());
        let held = lock.take().await;
        let mut tasks = takers(&lock, &journal, 2).await;
        drop(held);
        let has_run = tasks.remove(0).cancel().await.is_some();
        tasks.remove(0).await;
        assert!(!has_run);
        assert_eq!(journal.take().last(), Some(&1));
        assert!(lock.try_take().is_some());
    });
}

// bpo-32734
fn a_cancel_and_a_release_in_one_step_let_exactly_one_in<L: Exclusive>() {
    ported(|| async {
        let (lock, journal) = (L::make(), Journal::new());
        let held = lock.take().await;
        let mut tasks = takers(&lock, &journal, 3).await;
        let cancelled = tasks.remove(0).cancel();
        drop(held);
        settle().await;
        assert_eq!(journal.count(), 1, "not exactly one is in");
        cancelled.await;
        for task in tasks {
            task.await;
        }
        assert_eq!(journal.take(), [1, 2]);
    });
}

fn a_holder_that_is_cancelled_releases<L: Exclusive>() {
    ported(|| async {
        let (lock, journal) = (L::make(), Journal::new());
        let holder = parcae::spawn({
            let lock = lock.clone();
            async move {
                let _held = lock.take().await;
                std::future::pending::<()>().await;
            }
        });
        settle().await;
        let task = taker(&lock, &journal, 0);
        settle().await;
        holder.cancel().await;
        task.await;
        assert!(lock.try_take().is_some());
    });
}

fn what_a_machine_that_dies_has_or_was_assigned_is_the_next_ones<L: Exclusive>() {
    for have_run in [false, true] {
        ported(move || async move {
            let (lock, journal) = (L::make(), Journal::new());
            let machine = DomainId::create("machine", 0);
            let held = lock.take().await;
            let mut keepers = Vec::new();
            for _ in 0..2 {
                let lock = lock.clone();
                keepers.push(Builder::new().domain(machine).spawn(async move {
                    let _held = lock.take().await;
                    std::future::pending::<()>().await;
                }));
                settle().await;
            }
            let survivor = taker(&lock, &journal, 0);
            settle().await;
            drop(held);
            if have_run {
                settle().await;
            }
            machine.kill();
            survivor.await;
            for keeper in keepers {
                assert!(keeper.join().await.is_err());
            }
            assert!(lock.try_take().is_some());
        });
    }
}

fn what_is_assigned_to_a_waiter_is_not_to_be_had<L: Exclusive>() {
    ported(|| async {
        let (lock, journal) = (L::make(), Journal::new());
        let held = lock.take().await;
        let mut tasks = takers(&lock, &journal, 1).await;
        drop(held);
        assert!(lock.try_take().is_none(), "barged in");
        let snatcher = taker(&lock, &journal, 1);
        tasks.remove(0).await;
        snatcher.await;
        assert_eq!(journal.take(), [0, 1]);
        assert!(lock.try_take().is_some());
    });
}

fn waits_that_time_out_leave_it_usable<L: Exclusive>() {
    ported(|| async {
        let lock = L::make();
        let never = async {
            sleep(millis(1000)).await;
            lock.take().await
        };
        assert!(timeout(millis(1), never).await.is_err());
        let held = timeout(millis(1), lock.take()).await.ok().unwrap();
        assert!(timeout(millis(1), lock.take()).await.is_err());
        drop(held);
        assert!(timeout(millis(1), lock.take()).await.is_ok());
    });
}

fn waits_that_are_dropped_anywhere_leave_it_usable<L: Exclusive>() {
    for polls in 0..5 {
        on_every_seed(move || async move {
            let (lock, journal) = (L::make(), Journal::new());
            let takers: Vec<_> = (0..3).map(|number| taker(&lock, &journal, number)).collect();
            let dropped: Vec<_> = (0..3)
                .map(|more| {
                    let lock = lock.clone();
                    parcae::spawn(async move {
                        drop(dropped_after(polls + more, lock.take()).await);
                    })
                })
                .collect();
            for task in takers.into_iter().chain(dropped) {
                task.await;
            }
            assert_eq!(journal.count(), 3);
            assert!(lock.try_take().is_some());
        });
    }
}
