//! Conditions.

use std::rc::Rc;

use parcae::spawn;
use parcae::sync::{Condition, Mutex};
use parcae::task::settle;
use parcae::time::timeout;

use crate::clock::beats;
use crate::journal::Journal;

type Shared = (Rc<Mutex<i32>>, Rc<Condition>, Journal<&'static str>);

fn new() -> Shared {
    (Rc::new(Mutex::new(0)), Rc::new(Condition::new()), Journal::new())
}

/// Spawns a task that waits to be notified once.
fn waiter((mutex, condition, journal): &Shared, name: &'static str) -> parcae::Task<()> {
    let (mutex, condition, journal) = (mutex.clone(), condition.clone(), journal.clone());
    spawn(async move {
        let guard = mutex.lock().await;
        let _guard = condition.wait(guard).await;
        journal.add(name);
    })
}

conformance! {
    async fn whoever_waits_lets_go_of_the_lock_and_has_it_afterwards() {
        let shared = new();
        let (mutex, condition, _) = &shared;
        let task = spawn({
            let (mutex, condition) = (mutex.clone(), condition.clone());
            async move {
                let guard = mutex.lock().await;
                let mut guard = condition.wait(guard).await;
                assert!(mutex.try_lock().is_none());
                *guard += 1;
                *guard
            }
        });
        settle().await;
        *mutex.try_lock().expect("it is free") = 41;
        condition.notify_one();
        assert_eq!(task.await, 42);
    }

    async fn notifications_go_to_those_who_wait_in_their_order() {
        let shared = new();
        let mut waiters = Vec::new();
        for name in ["one", "two", "three"] {
            waiters.push(waiter(&shared, name));
            settle().await;
        }
        shared.1.notify_one();
        settle().await;
        assert_eq!(shared.2.take(), ["one"]);
        shared.1.notify(2);
        settle().await;
        let mut entries = shared.2.take();
        entries.sort_unstable();
        assert_eq!(entries, ["three", "two"]);
        for waiter in waiters {
            waiter.await;
        }
    }

    async fn a_notification_without_a_waiter_is_lost() {
        let shared = new();
        shared.1.notify_all();
        let guard = shared.0.lock().await;
        assert!(timeout(beats(1), shared.1.wait(guard)).await.is_err());
        assert!(shared.0.try_lock().is_some(), "the guard is gone with the wait");
    }

    async fn a_notification_of_who_is_dropped_goes_to_the_next() {
        let shared = new();
        let first = waiter(&shared, "first");
        settle().await;
        let second = waiter(&shared, "second");
        settle().await;
        shared.1.notify_one();
        first.cancel().await;
        second.await;
        assert_eq!(shared.2.take(), ["second"]);
    }

    async fn a_predicate_is_asked_at_first_and_after_each_notification() {
        let (mutex, condition, _) = new();
        let guard = mutex.lock().await;
        drop(condition.wait_for(guard, |value| *value == 0).await);
        let task = spawn({
            let (mutex, condition) = (mutex.clone(), condition.clone());
            async move {
                let guard = mutex.lock().await;
                *condition.wait_for(guard, |value| *value >= 3).await
            }
        });
        for _ in 0..3 {
            settle().await;
            assert!(!task.is_finished());
            *mutex.lock().await += 1;
            condition.notify_all();
        }
        assert_eq!(task.await, 3);
    }
}
