use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use parcae::sync::Notify;
use parcae::task::{settle, yield_now};
use parcae::time::timeout;
use parcae::{Failure, Sim, choose};

use super::queue_kinds::on_300_seeds;
use super::{Hand, dropped_after, millis, on_every_seed};

#[test]
fn a_notification_without_a_waiter_is_kept_and_two_are_one() {
    let notify = Notify::new();
    notify.notify_one();
    notify.notify_one();
    Hand::new(notify.notified()).ready();
    drop(Hand::waiting(notify.notified()));
}

#[test]
fn the_first_waiters_are_notified_in_the_order_of_their_arrival() {
    let notify = Notify::new();
    let mut waiters: Vec<_> = (0..3).map(|_| Hand::waiting(notify.notified())).collect();
    notify.notify_one();
    notify.notify_one();
    assert_eq!(waiters.iter().map(Hand::wake_count).collect::<Vec<_>>(), [1, 1, 0]);
    assert!(waiters[2].poll().is_pending());
    waiters[1].ready();
    waiters[0].ready();
    assert!(waiters[2].poll().is_pending());
    notify.notify_one();
    waiters[2].ready();
    assert_eq!(format!("{notify:?}"), "Notify { waiting: 0 }");
}

#[test]
fn a_newcomer_does_not_take_a_notification_of_those_who_wait() {
    let notify = Notify::new();
    let mut first = Hand::waiting(notify.notified());
    notify.notify_one();
    let mut newcomer = Hand::waiting(notify.notified());
    first.ready();
    assert!(newcomer.poll().is_pending());
    assert_eq!(newcomer.wake_count(), 0);
}

#[test]
fn all_waiters_notified_and_one_more_is_kept() {
    let notify = Notify::new();
    let mut first = Hand::waiting(notify.notified());
    let mut second = Hand::waiting(notify.notified());
    for _ in 0..5 {
        notify.notify_one();
    }
    let mut third = Hand::new(notify.notified());
    third.ready();
    let mut fourth = Hand::waiting(notify.notified());
    second.ready();
    first.ready();
    assert!(fourth.poll().is_pending());
}

// notified_multi_notify_drop_one
#[test]
fn a_notification_of_a_dropped_waiter_goes_to_the_next() {
    let notify = Notify::new();
    let mut first = Hand::waiting(notify.notified());
    let second = Hand::waiting(notify.notified());
    let mut third = Hand::waiting(notify.notified());
    notify.notify_one();
    notify.notify_one();
    assert_eq!((first.wake_count(), second.wake_count(), third.wake_count()), (1, 1, 0));
    drop(second);
    assert_eq!(third.wake_count(), 1);
    first.ready();
    third.ready();
}

#[test]
fn a_notification_of_the_last_waiter_is_kept_when_it_is_dropped() {
    let notify = Notify::new();
    let waiter = Hand::waiting(notify.notified());
    notify.notify_one();
    drop(waiter);
    Hand::new(notify.notified()).ready();
    drop(Hand::waiting(notify.notified()));

    // One that was kept and one that is passed on are one.
    let waiter = Hand::waiting(notify.notified());
    notify.notify_one();
    notify.notify_one();
    drop(waiter);
    Hand::new(notify.notified()).ready();
    drop(Hand::waiting(notify.notified()));
}

// trio: test_parking_lot_cancel
#[test]
fn a_waiter_that_leaves_is_skipped() {
    let orders = on_300_seeds(|| async {
        let notify = Rc::new(Notify::new());
        let order = Rc::new(RefCell::new(Vec::new()));
        let mut waiters = VecDeque::new();
        for number in 1..=3 {
            let (notify, order) = (notify.clone(), order.clone());
            waiters.push_back(parcae::spawn(async move {
                notify.notified().await;
                order.borrow_mut().push(number);
            }));
            settle().await;
        }
        assert_eq!(waiters.remove(1).unwrap().cancel().await, None);
        for _ in 0..2 {
            notify.notify_one();
            settle().await;
        }
        for waiter in waiters {
            waiter.await;
        }
        order.take()
    });
    assert!(orders.iter().all(|order| order == &[1, 3]));
}

#[test]
fn notify_waiters_lets_all_go_on_that_called_before_and_is_not_kept() {
    let notify = Notify::new();
    let mut waiting = [(); 2].map(|()| Hand::waiting(notify.notified()));
    let mut unpolled = Hand::new(notify.notified());
    notify.notify_waiters();
    let mut newcomer = Hand::waiting(notify.notified());
    for waiter in &mut waiting {
        assert_eq!(waiter.wake_count(), 1);
        waiter.ready();
    }
    unpolled.ready();
    assert!(newcomer.poll().is_pending());
    assert_eq!(newcomer.wake_count(), 0);
}

// unpolled_future_completed_by_notify_waiters_preserves_notify_one_permit
#[test]
fn who_is_let_go_with_all_others_takes_no_notification_that_is_kept() {
    let notify = Notify::new();
    let mut unpolled = Hand::new(notify.notified());
    notify.notify_one();
    notify.notify_waiters();
    unpolled.ready();
    Hand::new(notify.notified()).ready();
    drop(Hand::waiting(notify.notified()));
}

#[test]
fn a_notification_after_notify_waiters_is_for_those_who_come_later() {
    let notify = Notify::new();
    let mut released = Hand::waiting(notify.notified());
    notify.notify_waiters();
    notify.notify_one();
    let mut newcomer = Hand::new(notify.notified());
    newcomer.ready();
    released.ready();
    drop(Hand::waiting(notify.notified()));

    // The same, and the newcomer waits first.
    let mut released = Hand::waiting(notify.notified());
    notify.notify_waiters();
    let mut newcomer = Hand::waiting(notify.notified());
    notify.notify_one();
    assert_eq!((released.wake_count(), newcomer.wake_count()), (1, 1));
    newcomer.ready();
    released.ready();
}

#[test]
fn a_notification_that_was_assigned_before_notify_waiters_is_taken_or_passed_on() {
    for is_dropped in [false, true] {
        let notify = Notify::new();
        let mut first = Hand::waiting(notify.notified());
        let mut second = Hand::waiting(notify.notified());
        notify.notify_one();
        notify.notify_waiters();
        assert_eq!((first.wake_count(), second.wake_count()), (1, 1));
        let mut newcomer = Hand::waiting(notify.notified());
        if is_dropped {
            drop(first);
            assert_eq!(newcomer.wake_count(), 1);
            newcomer.ready();
        } else {
            first.ready();
            assert!(newcomer.poll().is_pending());
            assert_eq!(newcomer.wake_count(), 0);
        }
        second.ready();
    }
}

#[test]
fn a_dropped_waiter_passes_nothing_on_that_all_were_told() {
    let notify = Notify::new();
    let waiter = Hand::waiting(notify.notified());
    notify.notify_waiters();
    drop(waiter);
    drop(Hand::waiting(notify.notified()));
}

#[test]
fn notify_waiters_twice_lets_each_round_go_on() {
    let notify = Notify::new();
    let mut first = Hand::waiting(notify.notified());
    notify.notify_one();
    notify.notify_waiters();
    let second = Hand::waiting(notify.notified());
    notify.notify_one();
    notify.notify_waiters();
    let mut third = Hand::waiting(notify.notified());
    assert_eq!((first.wake_count(), second.wake_count(), third.wake_count()), (1, 1, 0));
    drop(second);
    third.ready();
    first.ready();
    drop(Hand::waiting(notify.notified()));
}

#[test]
fn an_enabled_waiter_stands_in_the_line_before_it_is_polled() {
    let notify = Notify::new();
    let mut enabled = Box::pin(notify.notified());
    assert!(!enabled.as_mut().enable());
    let mut later = Hand::waiting(notify.notified());
    assert!(!enabled.as_mut().enable(), "still in the line");
    notify.notify_one();
    assert_eq!(later.wake_count(), 0);
    assert!(later.poll().is_pending());
    assert!(enabled.as_mut().enable());
    notify.notify_one();
    later.ready();
    let mut enabled = Hand::new(enabled);
    enabled.ready();
    enabled.ready();
}

#[test]
fn an_enabled_waiter_is_woken_once_it_was_polled() {
    let notify = Notify::new();
    let mut enabled = Box::pin(notify.notified());
    assert!(!enabled.as_mut().enable());
    let mut enabled = Hand::waiting(enabled);
    notify.notify_one();
    assert_eq!(enabled.wake_count(), 1);
    enabled.ready();
}

#[test]
fn an_enabled_waiter_that_is_dropped_passes_on_what_it_did_not_take() {
    let notify = Notify::new();
    let mut enabled = Box::pin(notify.notified());
    assert!(!enabled.as_mut().enable());
    notify.notify_one();
    drop(enabled);
    let mut taken = Box::pin(notify.notified());
    assert!(taken.as_mut().enable(), "it was passed on");
    drop(taken);
    drop(Hand::waiting(notify.notified()));
}

#[test]
fn no_item_is_stranded_when_waiters_are_cancelled() {
    on_every_seed(|| async {
        let list = Rc::new((RefCell::new(VecDeque::new()), Notify::new(), Cell::new(0)));
        let workers = [(); 3].map(|()| {
            let list = list.clone();
            parcae::spawn(async move {
                while list.2.get() < 6 {
                    let item = list.0.borrow_mut().pop_front();
                    match item {
                        Some(()) => {
                            list.2.set(list.2.get() + 1);
                            yield_now().await;
                        }
                        None => {
                            // A time-out that takes a notification with it would strand an item.
                            let wait = list.1.notified();
                            if choose(0..3) == 0 {
                                let _elapsed = timeout(millis(choose(0..=2)), wait).await;
                            } else {
                                wait.await;
                            }
                        }
                    }
                }
                list.1.notify_waiters();
            })
        });
        for _ in 0..6 {
            list.0.borrow_mut().push_back(());
            list.1.notify_one();
            parcae::time::sleep(millis(choose(0..=1))).await;
        }
        for worker in workers {
            worker.await;
        }
        assert_eq!(list.2.get(), 6);
    });
}

#[test]
fn dropping_a_waiter_after_any_number_of_polls_strands_nobody() {
    for polls in 0..4 {
        on_every_seed(move || async move {
            let notify = Rc::new(Notify::new());
            let impatient = parcae::spawn({
                let notify = notify.clone();
                async move { dropped_after(polls, notify.notified()).await.is_some() }
            });
            let patient = parcae::spawn({
                let notify = notify.clone();
                async move { notify.notified().await }
            });
            settle().await;
            notify.notify_one();
            if impatient.await {
                notify.notify_one();
            }
            patient.await;
        });
    }
}

#[test]
fn a_waiter_that_nobody_notifies_is_a_deadlock_with_its_name() {
    let outcome = Sim::new(1).run(|| async {
        let notify = Notify::default().named("filled");
        notify.notify_waiters();
        notify.notified().await;
    });
    let failure = outcome.into_result().unwrap_err();
    assert!(matches!(failure, Failure::Deadlock { .. }), "{failure}");
    assert!(failure.to_string().contains("`main` waits for Notify notified of `filled`"));
}
