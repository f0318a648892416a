use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parcae::sync::watch::{self, RecvError, SendError};
use parcae::task::yield_now;
use parcae::time::timeout;
use parcae::{Failure, Sim, choose};

use super::{Counted, Hand, dropped_after, millis, on_every_seed};

#[test]
fn a_receiver_sees_the_latest_value() {
    let (sender, mut receiver) = watch::channel(1);
    assert_eq!((*receiver.borrow(), receiver.has_changed()), (1, Ok(false)));
    let mut changed = Hand::waiting(receiver.changed());
    sender.send(2).unwrap();
    sender.send(3).unwrap();
    assert_eq!(changed.wake_count(), 1);
    assert_eq!(changed.ready(), Ok(()));
    drop(changed);
    assert_eq!(*receiver.borrow(), 3);
    assert!(Hand::new(receiver.changed()).poll().is_pending(), "both were one change");
    assert_eq!(format!("{sender:?} {receiver:?} {:?}", receiver.borrow()), TEXT);
}

const TEXT: &str = "Sender { receivers: 1 } Receiver { has_changed: Ok(false) } 3";

#[test]
fn looking_marks_as_seen_only_when_it_says_so() {
    let (sender, mut receiver) = watch::channel(1);
    sender.send(2).unwrap();
    assert_eq!((*receiver.borrow(), receiver.has_changed()), (2, Ok(true)));
    let clone = receiver.clone();
    assert_eq!(*receiver.borrow_and_update(), 2);
    assert_eq!((receiver.has_changed(), clone.has_changed()), (Ok(false), Ok(true)));
    assert_eq!(sender.subscribe().has_changed(), Ok(false));
    assert_eq!(sender.receiver_count(), 2);
}

#[test]
fn values_are_replaced_changed_or_left_alone() {
    let (sender, receiver) = watch::channel(1);
    assert_eq!(sender.send_replace(2), 1);
    sender.send_modify(|value| *value += 1);
    assert!(!sender.send_if_modified(|_| false));
    assert!(sender.send_if_modified(|value| {
        *value += 1;
        true
    }));
    assert_eq!((*receiver.borrow(), *sender.borrow()), (4, 4));
    drop(receiver);
    assert!(sender.is_closed());
    assert_eq!(sender.send(5), Err(SendError(5)));
    assert_eq!(*sender.borrow(), 4);
    assert_eq!(sender.send_replace(6), 4, "also without receivers");
    assert_eq!(*sender.subscribe().borrow(), 6);
}

#[test]
fn a_change_that_is_not_one_wakes_nobody() {
    let (sender, mut receiver) = watch::channel(1);
    let mut changed = Hand::waiting(receiver.changed());
    sender.send_if_modified(|_| false);
    assert_eq!(changed.wake_count(), 0);
    assert!(changed.poll().is_pending());
}

#[test]
fn a_panic_while_the_value_is_changed_tells_nobody_and_breaks_nothing() {
    let (sender, receiver) = watch::channel(1);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        sender.send_modify(|value| {
            *value = 2;
            panic!("halfway");
        });
    }));
    assert!(result.is_err());
    assert_eq!((*receiver.borrow(), receiver.has_changed()), (2, Ok(false)));
    sender.send(3).unwrap();
    assert_eq!((*receiver.borrow(), receiver.has_changed()), (3, Ok(true)));
}

#[test]
fn all_receivers_are_told() {
    let (sender, mut first) = watch::channel(1);
    let mut second = sender.subscribe();
    let mut hands = [Hand::waiting(first.changed()), Hand::waiting(second.changed())];
    sender.send(2).unwrap();
    for hand in &mut hands {
        assert_eq!(hand.wake_count(), 1);
        assert_eq!(hand.ready(), Ok(()));
    }
}

#[test]
fn the_last_value_is_seen_before_the_end() {
    let (sender, mut receiver) = watch::channel(1);
    let other = sender.clone();
    drop(sender);
    let mut changed = Hand::waiting(receiver.changed());
    other.send(2).unwrap();
    drop(other);
    assert_eq!(changed.ready(), Ok(()));
    drop(changed);
    assert_eq!(*receiver.borrow(), 2);
    assert_eq!(receiver.has_changed(), Err(RecvError::Closed));
    assert_eq!(Hand::new(receiver.changed()).ready(), Err(RecvError::Closed));
    let (sender, mut receiver) = watch::channel(1);
    let mut changed = Hand::waiting(receiver.changed());
    drop(sender);
    assert_eq!((changed.wake_count(), changed.ready()), (1, Err(RecvError::Closed)));
}

#[test]
fn a_sender_waits_for_the_last_receiver() {
    let (sender, first) = watch::channel(1);
    let second = first.clone();
    let mut closed = Hand::waiting(sender.closed());
    drop(first);
    assert_eq!(closed.wake_count(), 0);
    drop(second);
    assert_eq!(closed.wake_count(), 1);
    let third = sender.subscribe();
    assert!(closed.poll().is_pending(), "one has subscribed since it was woken");
    drop(third);
    closed.ready();
    Hand::new(sender.closed()).ready();
}

#[test]
fn wait_for_looks_at_the_present_value_first() {
    let (sender, mut receiver) = watch::channel(1);
    assert_eq!(
        Hand::new(receiver.wait_for(|value| *value == 1)).ready().map(|value| *value),
        Ok(1)
    );
    sender.send(2).unwrap();
    let mut hand = Hand::waiting(receiver.wait_for(|value| *value > 2));
    sender.send(1).unwrap();
    assert!(hand.poll().is_pending());
    sender.send(3).unwrap();
    assert_eq!(hand.wake_count(), 2);
    assert_eq!(hand.ready().map(|value| *value), Ok(3));
    drop(hand);
    assert_eq!(receiver.has_changed(), Ok(false), "it has seen what it returned");
    drop(sender);
    assert_eq!(
        Hand::new(receiver.wait_for(|value| *value == 3)).ready().map(|value| *value),
        Ok(3)
    );
    let failed = Hand::new(receiver.wait_for(|value| *value == 4)).ready().map(|value| *value);
    assert_eq!(failed, Err(RecvError::Closed));
}

#[test]
fn the_value_before_the_end_may_be_the_wanted_one() {
    let (sender, mut receiver) = watch::channel(1);
    let mut hand = Hand::waiting(receiver.wait_for(|value| *value == 2));
    sender.send(2).unwrap();
    drop(sender);
    assert_eq!(hand.ready().map(|value| *value), Ok(2));
}

#[test]
fn no_change_is_lost_between_the_look_and_the_wait() {
    on_every_seed(|| async {
        let (sender, _receiver) = watch::channel(0);
        let watchers = [(); 2].map(|()| {
            let mut receiver = sender.subscribe();
            parcae::spawn(async move {
                let mut last = 0;
                while receiver.changed().await.is_ok() {
                    let now = *receiver.borrow_and_update();
                    assert!(now > last, "{now} after {last}");
                    last = now;
                }
                last
            })
        });
        for number in 1..=5 {
            sender.send(number).unwrap();
            for _ in 0..choose(0..3) {
                yield_now().await;
            }
        }
        drop(sender);
        for watcher in watchers {
            assert_eq!(watcher.await, 5);
        }
    });
    // The sender is kept: a change that is missed is a deadlock.
    on_every_seed(|| async {
        let (sender, _receiver) = watch::channel(0);
        let mut watcher = sender.subscribe();
        let watcher = parcae::spawn(async move {
            while *watcher.borrow() != 3 {
                watcher.changed().await.unwrap();
            }
        });
        for number in 1..=3 {
            sender.send(number).unwrap();
            yield_now().await;
        }
        watcher.await;
    });
}

#[test]
fn a_wait_that_is_cancelled_has_seen_nothing() {
    for polls in 0..4 {
        on_every_seed(move || async move {
            let (sender, mut receiver) = watch::channel(0);
            let watcher = parcae::spawn(async move {
                let seen = dropped_after(polls, receiver.changed()).await.is_some();
                assert!(seen || timeout(millis(9), receiver.changed()).await == Ok(Ok(())));
                assert_eq!(*receiver.borrow(), 1);
            });
            yield_now().await;
            sender.send(1).unwrap();
            watcher.await;
        });
    }
}

#[test]
fn old_values_are_dropped_when_they_are_replaced() {
    let alive = Arc::new(AtomicUsize::new(0));
    let (sender, receiver) = watch::channel(Counted::new(0, &alive));
    for number in 1..4 {
        assert!(sender.send(Counted::new(number, &alive)).is_ok());
        assert_eq!((receiver.borrow().number, alive.load(Ordering::SeqCst)), (number, 1));
    }
    drop(sender);
    assert_eq!(alive.load(Ordering::SeqCst), 1);
    drop(receiver);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[test]
fn a_reference_that_is_held_across_an_await_is_found() {
    let outcome = Sim::new(1).run(|| async {
        let (sender, receiver) = watch::channel(0);
        let _value = receiver.borrow();
        yield_now().await;
        sender.send(1)
    });
    let failure = outcome.into_result().unwrap_err();
    assert!(matches!(&failure, Failure::Panic { place: Some(_), .. }), "{failure:?}");
    assert!(failure.to_string().contains("a `Ref` is held across an await"), "{failure}");
}

#[test]
fn what_never_changes_is_a_deadlock_with_its_name() {
    let outcome = Sim::new(1).run(|| async {
        let (_sender, mut light) = watch::channel_named("light", "red");
        light.wait_for(|colour| *colour == "green").await.map(|colour| *colour)
    });
    let failure = outcome.into_result().unwrap_err();
    assert!(matches!(failure, Failure::Deadlock { .. }), "{failure}");
    assert!(failure.to_string().contains("`main` waits for watch changed of `light`"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "what is tested is the use by other threads")]
fn regression_a_value_that_two_runs_share_is_waited_for_while_the_other_uses_it() {
    let shared = Arc::new(watch::channel(0_u64));
    let threads = [(); 2].map(|()| {
        let shared = shared.clone();
        std::thread::spawn(move || {
            let program = move || async move {
                for _ in 0..20_000 {
                    shared.0.send_modify(|value| *value += 1);
                    assert!(*shared.1.borrow() > 0);
                }
            };
            Sim::new(1).run(program).unwrap();
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(*shared.1.borrow(), 40_000);
}
