use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parcae::sync::broadcast::{self, Receiver, RecvError, SendError, TryRecvError};
use parcae::task::yield_now;
use parcae::time::{sleep, timeout};
use parcae::{Failure, Sim, choose};

use super::{Hand, dropped_after, millis, on_every_seed};

/// A value that counts its clones and how many of them are alive.
#[derive(Debug)]
struct Cloned {
    clones: Arc<AtomicUsize>,
    alive: Arc<AtomicUsize>,
}

impl Cloned {
    fn new() -> (Self, Arc<AtomicUsize>, Arc<AtomicUsize>) {
        let (clones, alive) = (Arc::<AtomicUsize>::default(), Arc::new(AtomicUsize::new(1)));
        (Self { clones: clones.clone(), alive: alive.clone() }, clones, alive)
    }
}

impl Clone for Cloned {
    fn clone(&self) -> Self {
        self.clones.fetch_add(1, Ordering::SeqCst);
        self.alive.fetch_add(1, Ordering::SeqCst);
        Self { clones: self.clones.clone(), alive: self.alive.clone() }
    }
}

impl Drop for Cloned {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

fn drain(receiver: &mut Receiver<i32>) -> Vec<Result<i32, TryRecvError>> {
    let mut results = Vec::new();
    loop {
        results.push(receiver.try_recv());
        let last = results.last().unwrap();
        if matches!(last, Err(TryRecvError::Empty | TryRecvError::Closed)) {
            return results;
        }
    }
}

#[test]
fn every_receiver_gets_every_value_in_order() {
    let (sender, mut first) = broadcast::channel(3);
    let mut second = sender.subscribe();
    for number in 1..=3 {
        assert_eq!(sender.send(number), Ok(2));
    }
    assert_eq!((first.len(), second.len(), sender.len()), (3, 3, 3));
    let all = [Ok(1), Ok(2), Ok(3), Err(TryRecvError::Empty)];
    assert_eq!(drain(&mut first), all);
    assert_eq!((first.len(), first.is_empty(), sender.len()), (0, true, 3));
    assert_eq!(drain(&mut second), all);
    assert!(sender.is_empty(), "all have received all");
    assert_eq!(
        format!("{sender:?} {first:?}"),
        "Sender { len: 0, receivers: 2 } Receiver { len: 0 }"
    );
}

#[test]
fn a_slow_receiver_is_told_how_many_it_lost_and_goes_on_with_the_oldest_kept() {
    let (sender, mut fast) = broadcast::channel(2);
    let mut slow = sender.subscribe();
    let mut received = Vec::new();
    for number in 1..=5 {
        sender.send(number).unwrap();
        received.push(fast.try_recv());
    }
    assert_eq!(received, [Ok(1), Ok(2), Ok(3), Ok(4), Ok(5)]);
    assert_eq!(slow.len(), 2);
    assert_eq!(Hand::new(slow.recv()).ready(), Err(RecvError::Lagged(3)));
    assert_eq!(Hand::new(slow.recv()).ready(), Ok(4));
    sender.send(6).unwrap();
    sender.send(7).unwrap();
    let rest = [Err(TryRecvError::Lagged(1)), Ok(6), Ok(7), Err(TryRecvError::Empty)];
    assert_eq!(drain(&mut slow), rest);
    assert_eq!(
        RecvError::Lagged(3).to_string(),
        "the receiver was too slow: 3 values are lost to it"
    );
}

#[test]
fn a_lag_is_told_before_the_end() {
    let (sender, mut receiver) = broadcast::channel(1);
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    drop(sender);
    let all = [Err(TryRecvError::Lagged(1)), Ok(2), Err(TryRecvError::Closed)];
    assert_eq!(drain(&mut receiver), all);
}

#[test]
fn receivers_that_wait_are_all_woken() {
    let (sender, mut first) = broadcast::channel(2);
    let mut second = sender.subscribe();
    let mut hands = [Hand::waiting(first.recv()), Hand::waiting(second.recv())];
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    for hand in &mut hands {
        assert_eq!(hand.wake_count(), 1);
        assert_eq!(hand.ready(), Ok(1));
    }
}

#[test]
fn what_was_sent_before_is_not_for_who_subscribes() {
    let (sender, mut first) = broadcast::channel(4);
    sender.send(1).unwrap();
    let mut second = first.resubscribe();
    let mut third = sender.clone().subscribe();
    sender.send(2).unwrap();
    assert_eq!(sender.receiver_count(), 3);
    assert_eq!(drain(&mut first), [Ok(1), Ok(2), Err(TryRecvError::Empty)]);
    assert_eq!(drain(&mut second), [Ok(2), Err(TryRecvError::Empty)]);
    assert_eq!(drain(&mut third), [Ok(2), Err(TryRecvError::Empty)]);
}

#[test]
fn the_channel_is_closed_when_all_senders_are_gone_and_all_is_received() {
    let (sender, mut receiver) = broadcast::channel(2);
    let other = sender.clone();
    drop(sender);
    other.send(1).unwrap();
    drop(other);
    assert_eq!(Hand::new(receiver.recv()).ready(), Ok(1));
    assert_eq!(Hand::new(receiver.recv()).ready(), Err(RecvError::Closed));
    assert_eq!(receiver.resubscribe().try_recv(), Err(TryRecvError::Closed));

    let (sender, mut receiver) = broadcast::channel::<i32>(2);
    let mut hand = Hand::waiting(receiver.recv());
    drop(sender);
    assert_eq!(hand.wake_count(), 1);
    assert_eq!(hand.ready(), Err(RecvError::Closed));
}

#[test]
fn a_value_that_nobody_receives_comes_back_and_who_comes_later_is_served() {
    let (sender, receiver) = broadcast::channel(2);
    drop(receiver);
    assert_eq!(sender.send(1), Err(SendError(1)));
    let mut receiver = sender.subscribe();
    assert_eq!(sender.send(2), Ok(1));
    assert_eq!(receiver.try_recv(), Ok(2));
}

#[test]
fn the_last_receiver_gets_the_value_itself() {
    let (value, clones, alive) = Cloned::new();
    let (sender, mut first) = broadcast::channel(2);
    let mut second = sender.subscribe();
    sender.send(value).unwrap();
    drop(first.try_recv().unwrap());
    assert_eq!((clones.load(Ordering::SeqCst), alive.load(Ordering::SeqCst)), (1, 1));
    let value = second.try_recv().unwrap();
    assert_eq!((clones.load(Ordering::SeqCst), alive.load(Ordering::SeqCst)), (1, 1));
    drop(value);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[test]
fn values_are_dropped_when_nobody_needs_them_any_more() {
    let (first_value, _, first_alive) = Cloned::new();
    let (second_value, _, second_alive) = Cloned::new();
    let (sender, mut fast) = broadcast::channel(2);
    let slow = sender.subscribe();
    sender.send(first_value).unwrap();
    sender.send(second_value).unwrap();
    drop(fast.try_recv());
    assert_eq!(first_alive.load(Ordering::SeqCst), 1, "kept for the slow one");
    drop(slow);
    assert_eq!(first_alive.load(Ordering::SeqCst), 0);
    assert_eq!((second_alive.load(Ordering::SeqCst), sender.len()), (1, 1));
    drop(fast);
    assert_eq!((second_alive.load(Ordering::SeqCst), sender.len()), (0, 0));

    // Driven out.
    let (value, _, alive) = Cloned::new();
    let (sender, _slow) = broadcast::channel(1);
    sender.send(value).unwrap();
    sender.send(Cloned::new().0).unwrap();
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[test]
fn a_receiver_that_lagged_and_leaves_takes_nothing_from_the_others() {
    let (sender, mut fast) = broadcast::channel(2);
    let slow = sender.subscribe();
    for number in 1..=3 {
        sender.send(number).unwrap();
    }
    drop(slow);
    let rest = [Err(TryRecvError::Lagged(1)), Ok(2), Ok(3), Err(TryRecvError::Empty)];
    assert_eq!(drain(&mut fast), rest);
    assert!(sender.is_empty());
}

#[test]
fn everyone_receives_everything_or_is_told_how_much_is_lost() {
    let lost_counts = on_every_seed(|| async {
        let (sender, first) = broadcast::channel(2);
        let receivers = [sender.subscribe(), sender.subscribe(), first].map(|mut receiver| {
            parcae::spawn(async move {
                let (mut next, mut lost_count) = (0, 0);
                loop {
                    // A time-out takes no value with it.
                    match timeout(millis(choose(0..=2)), receiver.recv()).await {
                        Ok(Ok(number)) => {
                            assert_eq!(number, next, "out of order");
                            next += 1;
                        }
                        Ok(Err(RecvError::Lagged(count))) => {
                            lost_count += count;
                            next += count;
                        }
                        Ok(Err(_)) => {
                            assert_eq!(next, 8);
                            return lost_count;
                        }
                        Err(_) => sleep(millis(choose(0..=2))).await,
                    }
                }
            })
        });
        for number in 0..8_u64 {
            sender.send(number).unwrap();
            sleep(millis(choose(0..=1))).await;
            yield_now().await;
        }
        drop(sender);
        let mut lost_count = 0;
        for receiver in receivers {
            lost_count += receiver.await;
        }
        lost_count
    });
    assert!(lost_counts.contains(&0), "{lost_counts:?}");
    assert!(lost_counts.iter().any(|count| *count > 0), "nobody was ever too slow");
}

#[test]
fn a_recv_that_is_dropped_after_any_number_of_polls_loses_nothing() {
    for polls in 0..4 {
        on_every_seed(move || async move {
            let (sender, mut receiver) = broadcast::channel(4);
            let task = parcae::spawn(async move {
                let mut received: Vec<i32> = Vec::new();
                received.extend(dropped_after(polls, receiver.recv()).await.map(Result::unwrap));
                while let Ok(number) = receiver.recv().await {
                    received.push(number);
                }
                received
            });
            for number in 1..=3 {
                sender.send(number).unwrap();
                yield_now().await;
            }
            drop(sender);
            assert_eq!(task.await, [1, 2, 3]);
        });
    }
}

#[test]
fn a_receiver_that_waits_for_ever_is_named() {
    let outcome = Sim::new(1).run(|| async {
        let (_sender, mut news) = broadcast::channel_named::<u8>("news", 1);
        news.recv().await
    });
    let failure = outcome.into_result().unwrap_err();
    assert!(matches!(failure, Failure::Deadlock { .. }), "{failure}");
    assert!(failure.to_string().contains("`main` waits for broadcast recv of `news`"));
}

#[test]
#[should_panic(expected = "a broadcast of capacity 0 keeps no value")]
fn a_broadcast_that_keeps_nothing_is_refused() {
    drop(broadcast::channel::<i32>(0));
}
