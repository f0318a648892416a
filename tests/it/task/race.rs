//! Racing futures.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::{pending, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures::executor::block_on;
use parcae::explore::Check;
use parcae::sync::{Mutex, Queue};
use parcae::task::{as_completed, race, settle, yield_now};
use parcae::time::{Instant, timeout};
use parcae::{Task, spawn};

use super::{after, everywhere, on_seeds};
use crate::runs::{Journal, fifo, millis, panic_of, random, secs};

#[test]
fn the_first_to_be_ready_wins_and_the_losers_are_dropped_before_it_returns() {
    everywhere(|| async {
        let (start, dropped) = (Instant::now(), Journal::new());
        let mut racing = race([30, 10, 20].map(|delay| after(delay, delay, dropped.clone())));
        let winner = (&mut racing).await;
        let mut losers = dropped.take();
        losers.sort_unstable();
        assert_eq!((winner, losers, start.elapsed()), (10, vec![20, 30], millis(10)));
    });
}

#[test]
fn of_several_that_are_ready_each_may_win_and_by_default_the_first() {
    let winners: BTreeSet<i32> = on_seeds(|| race([1, 2, 3, 4].map(ready))).into_iter().collect();
    assert_eq!(winners, BTreeSet::from([1, 2, 3, 4]));
    // `Fifo` draws too, and an override-free default world takes the first.
    let report = Check::new("race").seeds(100).run(|| async {
        assert_eq!(race([1, 2, 3].map(ready)).await, 1);
    });
    let world = report.finding().expect("another one wins").world();
    assert_eq!(world.overrides.values().copied().collect::<Vec<_>>(), [1], "not lowered");
}

#[test]
fn one_future_alone_is_no_choice() {
    let count = |futures: usize| {
        let outcome = fifo(move || race((0..futures).map(ready)));
        let events = outcome.event_count();
        outcome.unwrap();
        events
    };
    assert_eq!(count(2), count(1) + 1);
    assert_eq!(count(3), count(2), "one rotation for all of them");
}

#[test]
fn a_race_of_nothing_panics_at_once() {
    let message = panic_of(|| drop(race(Vec::<std::future::Ready<()>>::new())));
    assert_eq!(message, "a race of no futures never ends");
}

#[test]
fn outside_of_a_simulation_the_first_that_is_ready_wins() {
    assert_eq!(block_on(race([1, 2].map(ready))), 1);
    let futures: [Pin<Box<dyn Future<Output = i32>>>; 2] =
        [Box::pin(pending()), Box::pin(ready(2))];
    assert_eq!(block_on(race(futures)), 2);
}

#[test]
fn being_preempted_is_not_being_beaten() {
    for outcome in random(300, || async {
        let lock = Rc::new(Mutex::new(()));
        let other = spawn({
            let lock = lock.clone();
            async move { drop(lock.lock().await) }
        });
        let free = Mutex::new(());
        let is_first = Cell::new(true);
        let branches: [Pin<Box<dyn Future<Output = &str>>>; 2] = [
            Box::pin(async {
                let _guard = free.lock().await;
                is_first.set(false);
                "lock"
            }),
            Box::pin(async {
                if is_first.get() { "other" } else { unreachable!("a race goes on after its end") }
            }),
        ];
        let winner = race(branches).await;
        other.await;
        winner
    }) {
        // Whichever is polled first wins: neither has to wait.
        let _winner = outcome.unwrap();
    }
    // With the first place drawn as 0, the lock wins however often its task is preempted.
    let report = Check::new("race").seeds(300).run(|| async {
        let (free, busy) = (Mutex::new(()), Rc::new(Mutex::new(())));
        let other = spawn({
            let busy = busy.clone();
            async move {
                for _ in 0..3 {
                    drop(busy.lock().await);
                }
            }
        });
        let lock: Pin<Box<dyn Future<Output = bool>>> = Box::pin(async {
            drop(free.lock().await);
            true
        });
        let rest = [ready(false)];
        let is_lock = parcae::select! {
            biased;
            is_lock = lock => is_lock,
            is_lock = race(rest) => is_lock,
        };
        other.await;
        assert!(is_lock, "a preemption was taken for a wait");
    });
    assert!(report.finding().is_none());
}

#[test]
fn no_item_is_lost_in_a_race_for_two_queues() {
    for outcome in random(300, || async {
        let queues = [Queue::unbounded(), Queue::unbounded()];
        let producers: Vec<_> = queues
            .iter()
            .map(|queue| {
                let queue = queue.clone();
                spawn(async move {
                    for item in 0..3 {
                        queue.put(item).await.unwrap();
                        yield_now().await;
                    }
                })
            })
            .collect();
        let mut sum = 0;
        for _ in 0..6 {
            sum += race(queues.each_ref().map(Queue::get)).await.unwrap();
        }
        for producer in producers {
            producer.await;
        }
        assert_eq!(sum, 6, "an item was taken by a future that lost");
    }) {
        outcome.unwrap();
    }
}

// Staggered starts, as for connecting to several addresses: each attempt begins a delay after the one
// before, or as soon as that one has failed; the first success wins and the others are cancelled.

type Attempt = Box<dyn FnOnce() -> Task<Result<u64, &'static str>>>;

async fn staggered(attempts: Vec<Attempt>, delay: Duration) -> Result<u64, Vec<&'static str>> {
    let mut ahead = attempts.into_iter();
    let mut running = Vec::new();
    let mut errors = Vec::new();
    loop {
        running.extend(ahead.next().map(|start| start()));
        if running.is_empty() {
            return Err(errors);
        }
        let mut completed = as_completed(running);
        let next = completed.next();
        let ended = if ahead.len() == 0 { Ok(next.await) } else { timeout(delay, next).await };
        if let Ok(Some((_, task))) = ended {
            match task.await {
                Ok(value) => return Ok(value),
                Err(error) => errors.push(error),
            }
        }
        running = completed.into_rest();
    }
}

fn attempt(delay: u64, result: Result<u64, &'static str>, journal: &Journal<u64>) -> Attempt {
    let journal = journal.clone();
    Box::new(move || spawn(after(delay, result, journal)))
}

#[test]
fn with_staggered_starts_the_first_success_cancels_the_others() {
    everywhere(|| async {
        let (start, dropped) = (Instant::now(), Journal::new());
        let attempts = vec![
            attempt(5_000, Ok(1), &dropped),
            attempt(500, Ok(2), &dropped),
            attempt(100, Ok(3), &dropped),
        ];
        // The second begins at 1 s and ends at 1.5 s: the third never begins.
        assert_eq!(staggered(attempts, secs(1)).await, Ok(2));
        assert_eq!(start.elapsed(), millis(1_500));
        settle().await;
        assert_eq!(dropped.take(), [5_000]);
    });
}

#[test]
fn with_staggered_starts_a_failure_begins_the_next_at_once_and_all_errors_are_kept() {
    everywhere(|| async {
        let (start, dropped) = (Instant::now(), Journal::new());
        let failing = |error| attempt(100, Err(error), &dropped);
        let attempts = vec![failing("a"), failing("b"), attempt(100, Ok(3), &dropped)];
        assert_eq!(staggered(attempts, secs(1)).await, Ok(3));
        assert_eq!(start.elapsed(), millis(300));
        let attempts = vec![failing("a"), failing("b"), failing("c")];
        assert_eq!(staggered(attempts, secs(1)).await, Err(vec!["a", "b", "c"]));
        assert_eq!(staggered(Vec::new(), secs(1)).await, Err(Vec::new()));
    });
}

#[test]
fn staggered_starts_that_are_cancelled_cancel_all_attempts() {
    everywhere(|| async {
        let dropped = Journal::new();
        let attempts = (0..3).map(|_| attempt(50_000, Ok(1), &dropped)).collect();
        assert!(timeout(millis(1_500), staggered(attempts, secs(1))).await.is_err());
        settle().await;
        assert_eq!(dropped.take(), [50_000; 2]);
    });
}
