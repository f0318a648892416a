//! Primitives on other executors, with foreign combinators, and across threads.
#![expect(clippy::disallowed_methods, reason = "what is tested is the use by other threads")]

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;

use futures::StreamExt as _;
use futures::executor::block_on;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use parcae::sync::{
    Event, Get, Job, LifoQueue, Lock, Mutex, MutexGuard, Notified, Notify, PriorityQueue, Put,
    Queue, broadcast, oneshot, watch,
};
use parcae::task::settle;
use parcae::testing::Shared;
use parcae::{Failure, Sim};

use super::{dropped_after, on_every_seed};

fn assert_send<T: Send>() {}
fn assert_send_and_sync<T: Send + Sync>() {}

#[test]
fn handles_and_futures_move_between_threads_if_the_value_does() {
    // `Cell` is `Send` and not `Sync`.
    assert_send_and_sync::<Mutex<Cell<u8>>>();
    assert_send_and_sync::<Lock<'_, Cell<u8>>>();
    assert_send::<MutexGuard<'_, Cell<u8>>>();
    assert_send_and_sync::<MutexGuard<'_, u8>>();
    assert_send_and_sync::<Event>();
    assert_send_and_sync::<Queue<Cell<u8>>>();
    assert_send_and_sync::<Get<'_, Cell<u8>>>();
    assert_send::<Put<'_, Cell<u8>>>();
    assert_send::<Job<Cell<u8>>>();
    assert_send_and_sync::<PriorityQueue<Cell<u8>>>();
    assert_send_and_sync::<LifoQueue<Cell<u8>>>();
    assert_send_and_sync::<Notify>();
    assert_send_and_sync::<Notified<'_>>();
    assert_send_and_sync::<oneshot::Sender<Cell<u8>>>();
    assert_send_and_sync::<oneshot::Receiver<Cell<u8>>>();
    assert_send_and_sync::<oneshot::Closed<'_, Cell<u8>>>();
    assert_send_and_sync::<watch::Sender<u8>>();
    assert_send_and_sync::<watch::Receiver<u8>>();
    assert_send_and_sync::<watch::Changed<'_, u8>>();
    assert_send_and_sync::<broadcast::Sender<u8>>();
    assert_send_and_sync::<broadcast::Receiver<u8>>();
    assert_send_and_sync::<broadcast::Recv<'_, u8>>();
    assert_send_and_sync::<Shared<Cell<u8>>>();
}

#[test]
fn a_mutex_excludes_between_threads() {
    let count = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let count = count.clone();
            thread::spawn(move || {
                block_on(async {
                    for _ in 0..2000 {
                        let mut guard = count.lock().await;
                        let value = *guard;
                        thread::yield_now();
                        *guard = value + 1;
                    }
                });
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(*count.try_lock().unwrap(), 4000);
}

#[test]
fn a_guard_that_is_dropped_on_another_thread_releases() {
    let mutex = Mutex::new(0);
    let mut guard = block_on(mutex.lock());
    thread::scope(|scope| {
        scope.spawn(move || *guard += 1);
    });
    assert_eq!(*block_on(mutex.lock()), 1);
}

#[test]
fn a_queue_hands_over_between_threads_and_joins() {
    let queue = Queue::<u64>::bounded(2);
    let workers: Vec<_> = (0..2)
        .map(|_| {
            let queue = queue.clone();
            thread::spawn(move || {
                block_on(async {
                    let mut sum = 0;
                    while let Ok(job) = queue.get_job().await {
                        sum += job.done();
                    }
                    sum
                })
            })
        })
        .collect();
    block_on(async {
        for number in 1..=2000 {
            queue.put(number).await.unwrap();
        }
        queue.join().await;
    });
    queue.close();
    let sum: u64 = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
    assert_eq!(sum, 2000 * 2001 / 2);
}

#[test]
fn an_event_reaches_waiters_on_other_threads() {
    let event = Event::new();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| block_on(event.wait()));
        }
        event.set();
    });
}

#[test]
fn a_getter_that_is_cancelled_on_one_thread_loses_no_item_of_another() {
    let queue = Queue::bounded(2);
    let producer = thread::spawn({
        let queue = queue.clone();
        move || {
            block_on(async {
                for number in 0..2000 {
                    queue.put(number).await.unwrap();
                }
                queue.close();
            });
        }
    });
    let received = block_on(async {
        let mut received = Vec::new();
        loop {
            // Dropped at its second poll, with an item assigned to it or without.
            match dropped_after(1, queue.get()).await {
                Some(Ok(number)) => received.push(number),
                Some(Err(_)) => return received,
                None => thread::yield_now(),
            }
        }
    });
    producer.join().unwrap();
    assert!(received.into_iter().eq(0..2000));
}

#[test]
fn a_priority_queue_and_a_stack_hand_over_between_threads() {
    let (urgent, stack) = (PriorityQueue::<u64>::bounded(3), LifoQueue::bounded(2));
    let mover = thread::spawn({
        let (urgent, stack) = (urgent.clone(), stack.clone());
        move || {
            block_on(async {
                while let Ok(job) = urgent.get_job().await {
                    stack.put(job.done()).await.unwrap();
                }
                stack.close();
            });
        }
    });
    let adder = thread::spawn(move || {
        block_on(async {
            let mut sum = 0;
            while let Ok(number) = stack.get().await {
                sum += number;
            }
            sum
        })
    });
    block_on(async {
        for number in 1..=1000_u64 {
            urgent.put(number % 7).await.unwrap();
        }
        urgent.join().await;
    });
    urgent.close();
    mover.join().unwrap();
    assert_eq!(adder.join().unwrap(), (1..=1000).map(|number| number % 7).sum());
}

#[test]
fn every_value_of_a_one_shot_channel_arrives_from_another_thread() {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..2000).map(|_| oneshot::channel()).unzip();
    let clerk = thread::spawn(move || {
        for (number, sender) in senders.into_iter().enumerate() {
            if number % 3 == 0 {
                drop(sender);
            } else {
                sender.send(number).unwrap();
            }
        }
    });
    block_on(async {
        for (number, receiver) in receivers.into_iter().enumerate() {
            assert_eq!(receiver.await.ok(), (number % 3 != 0).then_some(number));
        }
    });
    clerk.join().unwrap();
}

#[test]
fn a_sender_and_a_receiver_that_end_at_once_on_two_threads_agree() {
    for _ in 0..500 {
        let (sender, mut receiver) = oneshot::channel();
        let clerk = thread::spawn(move || sender.send(1));
        receiver.close();
        let received = receiver.try_recv().ok();
        let sent = clerk.join().unwrap();
        assert_eq!(received, sent.ok().map(|()| 1), "received, or given back");
    }
}

#[test]
fn no_notification_between_threads_is_lost() {
    let shared = Arc::new((AtomicUsize::new(0), Notify::new()));
    let takers: Vec<_> = (0..2)
        .map(|_| {
            let shared = shared.clone();
            thread::spawn(move || block_on(take_1000(&shared.0, &shared.1)))
        })
        .collect();
    for _ in 0..2000 {
        shared.0.fetch_add(1, SeqCst);
        shared.1.notify_one();
    }
    for taker in takers {
        taker.join().unwrap();
    }
}

async fn take_1000(there: &AtomicUsize, notify: &Notify) {
    for _ in 0..1000 {
        while there.fetch_update(SeqCst, SeqCst, |count| count.checked_sub(1)).is_err() {
            notify.notified().await;
        }
        // What one notification told of may be more than one.
        notify.notify_one();
    }
}

#[test]
fn a_watcher_on_another_thread_sees_the_last_value() {
    let (sender, mut receiver) = watch::channel(0);
    let watcher = thread::spawn(move || {
        block_on(async {
            let mut last = 0;
            while receiver.changed().await.is_ok() {
                let now = *receiver.borrow_and_update();
                assert!(now >= last);
                last = now;
            }
            last
        })
    });
    for number in 1..=5000 {
        sender.send(number).unwrap();
    }
    drop(sender);
    assert_eq!(watcher.join().unwrap(), 5000);
}

#[test]
fn listeners_on_other_threads_hear_everything_or_how_much_they_missed() {
    let (sender, receiver) = broadcast::channel(8);
    let listeners: Vec<_> = [receiver.resubscribe(), receiver]
        .into_iter()
        .map(|receiver| thread::spawn(move || block_on(listen(receiver))))
        .collect();
    for number in 0..5000_u64 {
        sender.send(number).unwrap();
    }
    drop(sender);
    for listener in listeners {
        assert_eq!(listener.join().unwrap(), 5000);
    }
}

/// Returns how many values it received or lost.
async fn listen(mut receiver: broadcast::Receiver<u64>) -> u64 {
    let mut next = 0;
    loop {
        match receiver.recv().await {
            Ok(number) => {
                assert_eq!(number, next);
                next += 1;
            }
            Err(broadcast::RecvError::Lagged(count)) => next += count,
            Err(_) => return next,
        }
    }
}

#[test]
fn a_set_from_another_thread_fails_the_run() {
    let outcome = Sim::new(7).run(|| async {
        let event = Arc::new(Event::new());
        let waiter = parcae::spawn_named("waiter", {
            let event = event.clone();
            async move { event.wait().await }
        });
        settle().await;
        thread::spawn(move || event.set()).join().unwrap();
        waiter.await;
    });
    let failure = outcome.into_result().unwrap_err();
    assert!(matches!(&failure, Failure::ForeignWake { task, .. } if task == "waiter"), "{failure}");
}

#[test]
fn join_all_and_futures_unordered_find_their_wakers_kept() {
    on_every_seed(|| async {
        let queue = Queue::bounded(1);
        let mutex = Rc::new(Mutex::new(0));
        let guard = mutex.lock().await;
        let gets = parcae::spawn({
            let queue = queue.clone();
            // More than 30, so that `join_all` polls only what was woken.
            async move { join_all((0..40).map(|_| queue.get())).await }
        });
        let locks = parcae::spawn({
            let mutex = mutex.clone();
            async move {
                let mut locks: FuturesUnordered<_> = (0..5).map(|_| mutex.lock()).collect();
                let mut count = 0;
                while let Some(mut guard) = locks.next().await {
                    *guard += 1;
                    count += 1;
                }
                count
            }
        });
        settle().await;
        drop(guard);
        join_all((0..40).map(|number| queue.put(number))).await;
        let mut received: Vec<_> = gets.await.into_iter().map(Result::unwrap).collect();
        received.sort_unstable();
        assert!(received.into_iter().eq(0..40));
        assert_eq!(locks.await, 5);
        assert_eq!(*mutex.lock().await, 5);
    });
}
