use std::cell::Cell;
use std::rc::Rc;

use parcae::Sim;
use parcae::sync::{Condition, Mutex};
use parcae::task::{Task, settle, yield_now};
use parcae::time::{sleep, timeout};

use super::{Hand, dropped_after, millis, on_every_seed, ported, under_fifo};
use crate::runs::Journal;

/// A list that consumers take from when they are notified.
struct Shelf {
    items: Mutex<Vec<usize>>,
    filled: Condition,
}

impl Shelf {
    fn new() -> Rc<Self> {
        Rc::new(Self { items: Mutex::new(Vec::new()), filled: Condition::new() })
    }

    async fn take(&self) -> usize {
        let guard = self.items.lock().await;
        let mut guard = self.filled.wait_for(guard, |items| !items.is_empty()).await;
        guard.remove(0)
    }

    async fn put(&self, item: usize) {
        self.items.lock().await.push(item);
        self.filled.notify_one();
    }

    fn taker(self: &Rc<Self>) -> Task<usize> {
        let shelf = self.clone();
        parcae::spawn(async move { shelf.take().await })
    }
}

/// A task that waits once and then says its number.
fn waiter(shelf: &Rc<Shelf>, journal: &Journal<usize>, number: usize) -> Task<()> {
    let (shelf, journal) = (shelf.clone(), journal.clone());
    parcae::spawn(async move {
        let guard = shelf.items.lock().await;
        let _guard = shelf.filled.wait(guard).await;
        journal.add(number);
    })
}

#[test]
fn a_cancelled_wait_leaves_the_lock_free_and_no_waiter() {
    ported(|| async {
        let (shelf, journal) = (Shelf::new(), Journal::new());
        let first = waiter(&shelf, &journal, 0);
        settle().await;
        first.cancel().await;
        assert!(shelf.items.try_lock().is_some());
        // It takes no notification of another.
        let second = waiter(&shelf, &journal, 1);
        settle().await;
        shelf.filled.notify_one();
        second.await;
        assert_eq!(journal.take(), [1]);
    });
}

// gh-111693
#[test]
fn a_wait_that_is_cancelled_while_it_locks_again_ends_at_once() {
    ported(|| async {
        let (shelf, journal) = (Shelf::new(), Journal::new());
        let task = waiter(&shelf, &journal, 0);
        settle().await;
        let guard = shelf.items.lock().await;
        shelf.filled.notify_one();
        settle().await;
        // It is notified and waits for the lock, which stays locked meanwhile.
        assert_eq!(task.cancel().await, None);
        drop(guard);
        assert!(shelf.items.try_lock().is_some());
        assert_eq!(journal.count(), 0);
    });
}

// bpo-32841
#[test]
fn a_wait_that_is_cancelled_after_a_notification_and_before_it_ran_ends_at_once() {
    ported(|| async {
        let (shelf, journal) = (Shelf::new(), Journal::new());
        let task = waiter(&shelf, &journal, 0);
        settle().await;
        let guard = shelf.items.lock().await;
        shelf.filled.notify_one();
        assert_eq!(task.cancel().await, None);
        drop(guard);
        assert!(shelf.items.try_lock().is_some());
        assert_eq!(journal.count(), 0);
    });
}

#[test]
fn a_wait_for_a_predicate_goes_on_when_it_is_true_and_not_before() {
    ported(|| async {
        let (count, changed) = (Rc::new(Mutex::new(0)), Rc::new(Condition::new()));
        let asked = Rc::new(Cell::new(0));
        let task = parcae::spawn({
            let (count, changed, asked) = (count.clone(), changed.clone(), asked.clone());
            async move {
                let guard = count.lock().await;
                let is_three = |count: &mut i32| {
                    asked.set(asked.get() + 1);
                    *count == 3
                };
                *changed.wait_for(guard, is_three).await
            }
        });
        for number in 1..=3 {
            settle().await;
            assert!(!task.is_finished());
            *count.lock().await = number;
            changed.notify_all();
        }
        assert_eq!(task.await, 3);
        assert_eq!(asked.get(), 4, "at first and after each notification");
        let guard = count.lock().await;
        assert_eq!(*changed.wait_for(guard, |count| *count == 3).await, 3, "it need not wait");
    });
}

#[test]
fn under_fifo_a_notification_of_several_reaches_as_many_in_order() {
    under_fifo(|| async {
        let (shelf, journal) = (Shelf::new(), Journal::new());
        let tasks: Vec<_> = (0..6).map(|number| waiter(&shelf, &journal, number)).collect();
        settle().await;
        for (count, expected) in [(1, &[0][..]), (2, &[1, 2]), (0, &[]), (9, &[3, 4, 5])] {
            shelf.filled.notify(count);
            settle().await;
            assert_eq!(journal.take(), expected);
        }
        for task in tasks {
            task.await;
        }
    });
}

#[test]
fn notifications_reach_waiters_in_the_order_of_arrival() {
    ported(|| async {
        let (shelf, journal) = (Shelf::new(), Journal::new());
        let mut tasks = Vec::new();
        for number in 0..4 {
            tasks.push(waiter(&shelf, &journal, number));
            settle().await;
        }
        for number in 0..4 {
            shelf.filled.notify_one();
            settle().await;
            assert_eq!(journal.take(), [number]);
        }
        for task in tasks {
            task.await;
        }
    });
}

#[test]
fn a_notification_of_all_reaches_all_who_wait_and_nobody_who_comes_later() {
    ported(|| async {
        let (shelf, journal) = (Shelf::new(), Journal::new());
        shelf.filled.notify_all();
        let tasks = [0, 1, 2].map(|number| waiter(&shelf, &journal, number));
        settle().await;
        assert_eq!(journal.count(), 0, "a notification that nobody waits for is lost");
        shelf.filled.notify_all();
        let late = waiter(&shelf, &journal, 3);
        settle().await;
        let mut woken = journal.take();
        woken.sort_unstable();
        assert_eq!(woken, [0, 1, 2]);
        shelf.filled.notify_all();
        for task in tasks.into_iter().chain([late]) {
            task.await;
        }
    });
}

// bpo-33638
#[test]
fn a_wait_that_times_out_leaves_a_lock_that_others_can_take() {
    ported(|| async {
        let shelf = Shelf::new();
        let guard = shelf.items.lock().await;
        assert!(timeout(millis(1), shelf.filled.wait(guard)).await.is_err());
        let guard = shelf.items.lock().await;
        let never = shelf.filled.wait_for(guard, |_| false);
        assert!(timeout(millis(1), never).await.is_err());
        shelf.put(1).await;
        assert_eq!(shelf.take().await, 1);
    });
}

// gh-112202, anyio#1075: the gallery's G5
#[test]
fn a_notification_in_the_step_of_a_cancel_reaches_another_consumer() {
    for notify_first in [false, true] {
        ported(move || async move {
            let shelf = Shelf::new();
            let mut takers = Vec::new();
            for _ in 0..2 {
                takers.push(shelf.taker());
                settle().await;
            }
            let mut guard = shelf.items.lock().await;
            guard.push(7);
            if notify_first {
                shelf.filled.notify_one();
            }
            let cancelled = takers.remove(0).cancel();
            if !notify_first {
                shelf.filled.notify_one();
            }
            drop(guard);
            assert_eq!(cancelled.await, None);
            assert_eq!(takers.remove(0).await, 7);
        });
    }
}

#[test]
fn a_notification_of_one_that_is_cancelled_while_it_locks_again_reaches_another_consumer() {
    ported(|| async {
        let shelf = Shelf::new();
        let mut takers = Vec::new();
        for _ in 0..2 {
            takers.push(shelf.taker());
            settle().await;
        }
        let mut guard = shelf.items.lock().await;
        guard.push(7);
        shelf.filled.notify_one();
        settle().await;
        // The first is notified and waits for the lock.
        assert_eq!(takers.remove(0).cancel().await, None);
        drop(guard);
        assert_eq!(takers.remove(0).await, 7);
    });
}

#[test]
fn a_wait_lets_go_of_the_lock_when_it_stands_in_the_line_and_not_before() {
    let (mutex, condition) = (Mutex::new(0), Condition::new());
    let mut wait = Hand::new(condition.wait(mutex.try_lock().unwrap()));
    assert!(mutex.try_lock().is_none(), "waiting begins at the first poll");
    condition.notify_one();
    assert!(wait.poll().is_pending());
    assert!(wait.poll().is_pending());
    assert!(mutex.try_lock().is_some());
    condition.notify_one();
    assert_eq!(wait.wake_count(), 1);
    let held = mutex.try_lock().unwrap();
    assert!(wait.poll().is_pending());
    assert_eq!(wait.wake_count(), 1);
    drop(held);
    assert_eq!(wait.wake_count(), 2);
    assert!(mutex.try_lock().is_none(), "it is assigned");
    *wait.ready() += 1;
    assert_eq!(*mutex.try_lock().unwrap(), 1);
}

#[test]
fn a_wait_that_is_dropped_before_its_first_poll_lets_go_of_the_lock() {
    let (mutex, condition) = (Mutex::new(0), Condition::new());
    drop(condition.wait(mutex.try_lock().unwrap()));
    assert!(mutex.try_lock().is_some());
}

#[test]
fn a_dropped_waiter_passes_on_what_it_was_given_and_nothing_else() {
    let (mutex, condition) = (Mutex::new(0), Condition::new());
    let wait = || Hand::waiting(condition.wait(mutex.try_lock().unwrap()));
    let (unnotified, first, mut second, third) = (wait(), wait(), wait(), wait());
    drop(unnotified);
    assert_eq!(first.wake_count(), 0);
    condition.notify(1);
    assert_eq!((first.wake_count(), second.wake_count()), (1, 0));
    drop(first);
    assert_eq!((second.wake_count(), third.wake_count()), (1, 0));
    drop(second.ready());
    drop(second);
    assert_eq!(third.wake_count(), 0, "it was used");
    condition.notify(1);
    condition.notify(1);
    drop(third);
    let late = wait();
    assert_eq!(late.wake_count(), 0, "what nobody is left for is lost");
}

#[test]
fn a_notification_counts_only_those_that_are_not_notified_yet() {
    let (mutex, condition) = (Mutex::new(0), Condition::new());
    let wait = || Hand::waiting(condition.wait(mutex.try_lock().unwrap()));
    let waits = [wait(), wait(), wait()];
    condition.notify(1);
    condition.notify(1);
    assert_eq!(waits.each_ref().map(Hand::wake_count), [1, 1, 0]);
    let [first, _second, mut third] = waits;
    // Of two that are notified, whichever.
    drop(first);
    assert_eq!(third.wake_count(), 1);
    drop(third.ready());
}

// Without `settle`: the lock must not be let go before the place in the line is taken.
#[test]
fn no_item_is_left_while_a_consumer_waits_whatever_is_dropped_where() {
    for polls in 0..6 {
        on_every_seed(move || async move {
            let shelf = Shelf::new();
            let takers: Vec<_> = (0..3).map(|_| shelf.taker()).collect();
            let dropped = parcae::spawn({
                let shelf = shelf.clone();
                async move { dropped_after(polls, shelf.take()).await }
            });
            let producers: Vec<_> = (0..2)
                .map(|producer| {
                    let shelf = shelf.clone();
                    parcae::spawn(async move {
                        shelf.put(producer * 2).await;
                        yield_now().await;
                        shelf.put(producer * 2 + 1).await;
                    })
                })
                .collect();
            let mut taken = Vec::new();
            for taker in takers {
                taken.push(taker.await);
            }
            taken.extend(dropped.await);
            for producer in producers {
                producer.await;
            }
            taken.extend(shelf.items.lock().await.drain(..));
            taken.sort_unstable();
            assert_eq!(taken, [0, 1, 2, 3]);
        });
    }
}

#[test]
fn a_change_that_nobody_is_notified_of_is_a_deadlock_that_names_the_condition() {
    let outcome = Sim::new(7).run(|| async {
        let (mutex, condition) = (Mutex::new(0), Condition::new().named("filled"));
        let guard = mutex.lock().await;
        drop(condition.wait(guard).await);
    });
    let failure = outcome.into_result().unwrap_err();
    let wait = failure.stalled_tasks()[0].wait.clone().unwrap();
    assert_eq!((wait.kind, wait.verb, wait.name.as_deref()), ("Condition", "wait", Some("filled")));
    assert!(wait.waits_at.unwrap().file.ends_with("condition.rs"));

    // Locking again is waiting for the lock, where the wait was called.
    let outcome = Sim::new(7).run(|| async {
        let (mutex, condition) = (Rc::new(Mutex::new(0).named("items")), Rc::new(Condition::new()));
        let waiter = parcae::spawn({
            let (mutex, condition) = (mutex.clone(), condition.clone());
            async move {
                let guard = mutex.lock().await;
                drop(condition.wait(guard).await);
            }
        });
        settle().await;
        let _kept = mutex.lock().await;
        condition.notify_one();
        waiter.await;
    });
    let failure = outcome.into_result().unwrap_err();
    let wait = failure.stalled_tasks()[1].wait.clone().unwrap();
    assert_eq!((wait.kind, wait.verb, wait.name.as_deref()), ("Mutex", "lock", Some("items")));
    assert!(wait.waits_at.unwrap().file.ends_with("tests/it/sync/condition.rs"));
}

#[test]
fn a_waiter_of_a_woken_crowd_that_times_out_at_that_instant_loses_no_notification() {
    on_every_seed(|| async {
        let shelf = Shelf::new();
        let impatient = parcae::spawn({
            let shelf = shelf.clone();
            async move { timeout(millis(5), shelf.take()).await.ok() }
        });
        settle().await;
        let patient = shelf.taker();
        settle().await;
        sleep(millis(5)).await;
        shelf.put(1).await;
        let taken = impatient.await;
        if taken.is_some() {
            shelf.put(1).await;
        }
        assert_eq!(patient.await, 1);
    });
}
