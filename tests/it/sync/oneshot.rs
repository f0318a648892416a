use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parcae::sync::oneshot::{self, RecvError, TryRecvError};
use parcae::task::settle;
use parcae::time::{sleep, timeout};
use parcae::{Failure, Sim};

use super::{Counted, Hand, dropped_after, millis, on_every_seed};

#[test]
fn what_is_sent_is_received_once() {
    let (sender, mut receiver) = oneshot::channel();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert!(!sender.is_closed());
    assert_eq!(format!("{sender:?}"), "Sender { is_closed: false }");
    assert_eq!(sender.send(1), Ok(()));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Abandoned));
    assert_eq!(format!("{receiver:?}"), "Receiver { has_received: true }");
}

#[test]
fn a_receiver_that_waits_is_woken_once_and_not_run() {
    let (sender, receiver) = oneshot::channel();
    let mut receiver = Hand::waiting(receiver);
    sender.send(1).unwrap();
    assert_eq!(receiver.wake_count(), 1);
    assert_eq!(receiver.ready(), Ok(1));

    on_every_seed(|| async {
        let (sender, receiver) = oneshot::channel();
        let has_received = Rc::new(Cell::new(false));
        let task = parcae::spawn({
            let has_received = has_received.clone();
            async move {
                let value = receiver.await;
                has_received.set(true);
                value
            }
        });
        settle().await;
        assert_eq!(sender.send(1), Ok(()));
        assert!(!has_received.get(), "ran inside of `send`");
        assert_eq!(task.await, Ok(1));
    });
}

#[test]
fn a_dropped_sender_abandons_its_receiver() {
    let (sender, receiver) = oneshot::channel::<u8>();
    let mut receiver = Hand::waiting(receiver);
    drop(sender);
    assert_eq!(receiver.wake_count(), 1);
    assert_eq!(receiver.ready(), Err(RecvError::Abandoned));
    assert_eq!(RecvError::Abandoned.to_string(), "the channel was abandoned: nothing will be sent");

    let (sender, mut receiver) = oneshot::channel::<u8>();
    drop(sender);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Abandoned));
    assert_eq!(Hand::new(receiver).ready(), Err(RecvError::Abandoned));
}

#[test]
fn a_dropped_receiver_gives_the_value_back() {
    let (mut sender, receiver) = oneshot::channel();
    let mut closed = Hand::waiting(sender.closed());
    drop(receiver);
    assert_eq!(closed.wake_count(), 1);
    closed.ready();
    drop(closed);
    assert!(sender.is_closed());
    assert_eq!(sender.send(1), Err(1));
}

#[test]
fn a_closed_receiver_gets_what_was_sent_before() {
    let (sender, mut receiver) = oneshot::channel();
    sender.send(1).unwrap();
    receiver.close();
    assert_eq!(receiver.try_recv(), Ok(1));

    let (sender, mut receiver) = oneshot::channel();
    receiver.close();
    assert_eq!(sender.send(1), Err(1));
    assert_eq!(Hand::new(receiver).ready(), Err(RecvError::Abandoned));
}

#[test]
fn a_closed_that_is_dropped_is_not_woken() {
    let (mut sender, receiver) = oneshot::channel::<u8>();
    let closed = Hand::waiting(sender.closed());
    let wakes = closed.wakes.clone();
    drop(closed);
    drop(receiver);
    assert_eq!(wakes.count(), 0);
    Hand::new(sender.closed()).ready();
}

#[test]
fn the_waker_of_the_last_poll_is_woken() {
    let (sender, mut receiver) = oneshot::channel();
    let first = Hand::waiting(&mut receiver);
    let wakes = first.wakes.clone();
    drop(first);
    let mut second = Hand::waiting(&mut receiver);
    sender.send(1).unwrap();
    assert_eq!((wakes.count(), second.wake_count()), (0, 1));
    assert_eq!(second.ready(), Ok(1));
}

#[test]
fn values_are_dropped_once() {
    let alive = Arc::new(AtomicUsize::new(0));
    let (sender, receiver) = oneshot::channel();
    assert!(sender.send(Counted::new(1, &alive)).is_ok());
    assert_eq!(alive.load(Ordering::SeqCst), 1);
    drop(receiver);
    assert_eq!(alive.load(Ordering::SeqCst), 0);

    let (sender, receiver) = oneshot::channel();
    drop(receiver);
    drop(sender.send(Counted::new(2, &alive)));
    assert_eq!(alive.load(Ordering::SeqCst), 0);

    let (sender, mut receiver) = oneshot::channel();
    assert!(sender.send(Counted::new(3, &alive)).is_ok());
    let value = receiver.try_recv().unwrap();
    drop(receiver);
    assert_eq!((value.number, alive.load(Ordering::SeqCst)), (3, 1));
}

#[test]
fn a_time_out_around_the_reference_loses_no_value() {
    let elapsed_counts = on_every_seed(|| async {
        let (sender, mut receiver) = oneshot::channel();
        let clerk = parcae::spawn(async move {
            sleep(millis(4)).await;
            sender.send(1).unwrap();
        });
        let mut elapsed_count = 0;
        let value = loop {
            match timeout(millis(2), &mut receiver).await {
                Ok(value) => break value,
                Err(_) => elapsed_count += 1,
            }
        };
        assert_eq!(value, Ok(1));
        clerk.await;
        elapsed_count
    });
    assert!(elapsed_counts.contains(&1) && elapsed_counts.contains(&2), "{elapsed_counts:?}");
}

#[test]
fn a_value_is_received_or_given_back_or_dropped_with_its_receiver() {
    for polls in 0..4 {
        let outcomes = on_every_seed(move || async move {
            let alive = Arc::new(AtomicUsize::new(0));
            let (sender, receiver) = oneshot::channel();
            let waiter = parcae::spawn(dropped_after(polls, receiver));
            let clerk = parcae::spawn({
                let alive = alive.clone();
                async move {
                    parcae::task::yield_now().await;
                    sender.send(Counted::new(1, &alive)).is_ok()
                }
            });
            let was_sent = clerk.await;
            let value = waiter.await.map(Result::unwrap);
            assert!(was_sent || value.is_none());
            assert_eq!(alive.load(Ordering::SeqCst), usize::from(value.is_some()));
            (was_sent, value.is_some())
        });
        assert!(outcomes.contains(&(false, false)), "{polls} polls");
        assert!(polls == 0 || outcomes.contains(&(true, true)), "{polls} polls");
    }
}

#[test]
fn a_sender_that_waits_for_the_end_and_a_receiver_that_leaves_never_miss_each_other() {
    on_every_seed(|| async {
        let (mut sender, receiver) = oneshot::channel::<u8>();
        let other = parcae::spawn(async move { drop(receiver) });
        sender.closed().await;
        other.await;
    });
}

#[test]
#[should_panic(expected = "a `Receiver` is not polled again when it has given its value")]
fn polling_a_receiver_again_panics() {
    let (sender, receiver) = oneshot::channel();
    sender.send(1).unwrap();
    let mut receiver = Hand::new(receiver);
    assert_eq!(receiver.ready(), Ok(1));
    let _poll = receiver.poll();
}

#[test]
fn a_receiver_that_waits_for_ever_is_named() {
    let outcome = Sim::new(1).run(|| async {
        let (_sender, receiver) = oneshot::channel_named::<u8>("answer");
        receiver.await
    });
    let failure = outcome.into_result().unwrap_err();
    assert!(matches!(failure, Failure::Deadlock { .. }), "{failure}");
    assert!(failure.to_string().contains("`main` waits for oneshot recv of `answer`"));
    let outcome = Sim::new(1).run(|| async {
        let (mut sender, _receiver) = oneshot::channel_named::<u8>("answer");
        sender.closed().await;
    });
    let failure = outcome.into_result().unwrap_err().to_string();
    assert!(failure.contains("`main` waits for oneshot closed of `answer`"), "{failure}");
}

#[test]
fn another_task_may_go_first_before_a_value_is_received_that_is_there() {
    let orders = on_every_seed(|| async {
        let (sender, receiver) = oneshot::channel();
        sender.send(()).unwrap();
        let went_first = Rc::new(Cell::new(false));
        let other = parcae::spawn({
            let went_first = went_first.clone();
            async move { went_first.set(true) }
        });
        receiver.await.unwrap();
        let order = went_first.get();
        other.await;
        order
    });
    assert!(!orders[0], "first in, first out, a task goes on until it waits");
    assert!(orders.contains(&true) && orders[1..].contains(&false));
}

#[test]
fn regression_a_sender_does_not_keep_the_waker_of_a_receiver_that_is_gone() {
    let (sender, receiver) = oneshot::channel::<u8>();
    let mut receiver = Hand::waiting(receiver);
    let wakes = Arc::downgrade(&receiver.wakes);
    assert!(receiver.poll().is_pending());
    drop(receiver);
    assert!(wakes.upgrade().is_none(), "with a waker that owns its task this would be a cycle");
    assert!(sender.is_closed());
}
