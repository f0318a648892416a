use std::cell::Cell;
use std::rc::Rc;

use parcae::sync::Event;
use parcae::task::settle;
use parcae::time::{sleep, timeout};
use parcae::{Failure, Sim};

use super::{Hand, dropped_after, millis, on_every_seed, under_fifo};
use crate::runs::Journal;

#[test]
fn a_set_lets_all_waiters_go_on_and_wakes_each_once() {
    let event = Event::new();
    let mut waiters: Vec<_> = (0..3).map(|_| Hand::waiting(event.wait())).collect();
    event.set();
    event.set();
    for waiter in &mut waiters {
        assert_eq!(waiter.wake_count(), 1);
        waiter.ready();
    }
    assert!(event.is_set());
    assert_eq!(format!("{event:?}"), "Event { is_set: true }");
}

#[test]
fn under_fifo_one_that_was_made_before_the_set_and_runs_after_it_does_not_wait() {
    under_fifo(|| async {
        let (event, journal) = (Rc::new(Event::new()), Journal::new());
        let waiter = |number| {
            let (event, journal) = (event.clone(), journal.clone());
            parcae::spawn(async move {
                event.wait().await;
                journal.add(number);
            })
        };
        let waiting = [waiter(1), waiter(2)];
        settle().await;
        assert_eq!(journal.count(), 0);
        let ready = waiter(3);
        event.set();
        ready.await;
        for task in waiting {
            task.await;
        }
        assert_eq!(journal.take(), [3, 1, 2]);
    });
}

#[test]
fn waiting_for_an_event_that_is_set_does_not_pend() {
    let event = Event::new();
    event.set();
    let mut waiter = Hand::new(event.wait());
    waiter.ready();
    assert_eq!(waiter.wake_count(), 0);
}

#[test]
fn a_clear_before_a_woken_waiter_ran_does_not_stop_it() {
    let event = Event::new();
    let mut waiter = Hand::waiting(event.wait());
    event.set();
    event.clear();
    assert!(!event.is_set());
    waiter.ready();

    on_every_seed(|| async {
        let event = Rc::new(Event::new());
        let waiter = parcae::spawn({
            let event = event.clone();
            async move {
                event.wait().await;
                event.is_set()
            }
        });
        settle().await;
        event.set();
        event.clear();
        assert!(!waiter.await, "it went on while the event was not set");
    });
}

#[test]
fn set_and_clear_let_only_the_present_waiters_go_on() {
    let event = Event::new();
    let mut present = Hand::waiting(event.wait());
    let mut made_before = Hand::new(event.wait());
    event.set();
    event.clear();
    assert!(made_before.poll().is_pending(), "waiting begins at the first poll");
    let mut later = Hand::waiting(event.wait());
    assert!(later.poll().is_pending());
    present.ready();
    assert_eq!((made_before.wake_count(), later.wake_count()), (0, 0));
    event.set();
    made_before.ready();
    later.ready();
}

#[test]
fn set_clear_and_set_wake_a_waiter_once() {
    let event = Event::new();
    let mut waiter = Hand::waiting(event.wait());
    event.set();
    event.clear();
    event.set();
    assert_eq!(waiter.wake_count(), 1);
    waiter.ready();
}

#[test]
fn a_dropped_waiter_is_not_woken_and_holds_nobody_up() {
    let event = Event::new();
    let first = Hand::waiting(event.wait());
    let mut second = Hand::waiting(event.wait());
    let (wakes, waker) = (first.wakes.clone(), first.waker.clone());
    drop(first);
    drop(waker);
    assert_eq!(std::sync::Arc::strong_count(&wakes), 1, "its waker is let go");
    event.set();
    assert_eq!(wakes.count(), 0);
    second.ready();
}

#[test]
fn a_waiter_that_times_out_at_the_instant_of_the_set_may_see_either() {
    let was_set = on_every_seed(|| async {
        let event = Rc::new(Event::new());
        let setter = parcae::spawn({
            let event = event.clone();
            async move {
                sleep(millis(5)).await;
                event.set();
            }
        });
        settle().await;
        let was_set = timeout(millis(5), event.wait()).await.is_ok();
        setter.await;
        event.wait().await;
        was_set
    });
    assert!(was_set.contains(&true) && was_set.contains(&false));
}

#[test]
fn dropping_waiters_after_any_number_of_polls_leaves_the_others_alone() {
    on_every_seed(|| async {
        let event = Rc::new(Event::new());
        let went_on = Rc::new(Cell::new(0));
        let tasks: Vec<_> = (0..8)
            .map(|number| {
                let (event, went_on) = (event.clone(), went_on.clone());
                parcae::spawn(async move {
                    if number % 2 == 0 {
                        event.wait().await;
                        went_on.set(went_on.get() + 1);
                    } else {
                        dropped_after(number / 2, event.wait()).await;
                    }
                })
            })
            .collect();
        sleep(millis(1)).await;
        event.set();
        for task in tasks {
            task.await;
        }
        assert_eq!(went_on.get(), 4);
    });
}

#[test]
fn an_event_that_nobody_sets_is_a_deadlock_that_names_it() {
    let outcome = Sim::new(7).run(|| async {
        let event = Rc::new(Event::new().named("ready"));
        let worker = parcae::spawn_named("worker", async move { event.wait().await });
        worker.await;
    });
    let failure = outcome.into_result().unwrap_err();
    assert!(matches!(failure, Failure::Deadlock { .. }), "{failure}");
    let worker = &failure.stalled_tasks()[1];
    let wait = worker.wait.as_ref().unwrap();
    assert_eq!((wait.kind, wait.verb, wait.name.as_deref()), ("Event", "wait", Some("ready")));
}
