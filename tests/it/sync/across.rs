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
    Acquire, AcquireOwned, Barrier, BarrierWait, Condition, ConditionWait, ConditionWaitFor, Event,
    Get, Job, LifoQueue, Lock, Mutex, MutexGuard, Notified, Notify, Once, OnceCell, OnceCellWait,
    OwnedPermit, Permit, PriorityQueue, Put, Queue, Read, ReadGuard, RwLock, Semaphore, Write,
    WriteGuard, broadcast, oneshot, watch,
};
use parcae::task::{settle, yield_now};
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
fn what_several_threads_can_have_at_once_moves_if_it_can_be_shared() {
    assert_send_and_sync::<Semaphore>();
    assert_send_and_sync::<(Acquire<'_>, Permit<'_>)>();
    assert_send_and_sync::<(AcquireOwned, OwnedPermit)>();
    assert_send_and_sync::<RwLock<u8>>();
    assert_send_and_sync::<(Read<'_, u8>, Write<'_, u8>)>();
    assert_send_and_sync::<(ReadGuard<'_, u8>, WriteGuard<'_, u8>)>();
    assert_send_and_sync::<Condition>();
    assert_send::<ConditionWait<'_, '_, Cell<u8>>>();
    assert_send::<ConditionWaitFor<'_, '_, Cell<u8>, fn(&mut Cell<u8>) -> bool>>();
    assert_send_and_sync::<(Barrier, BarrierWait<'_>)>();
    assert_send_and_sync::<(Once, OnceCell<u8>, OnceCellWait<'_, u8>)>();
    let (once, cell) = (Once::new(), OnceCell::new());
    send(once.call_once(async || ()));
    send(cell.get_or_init(async || 1));
    send(cell.get_or_try_init(async || Ok::<_, ()>(1)));
}

fn send<T: Send>(_: T) {}

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

/// Calls a function on three threads at once, with the number of each.
fn on_three_threads<R: Send>(call: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let call = &call;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|number| scope.spawn(move || call(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn a_semaphore_lets_no_more_threads_in_than_there_are_permits_and_loses_none() {
    let semaphore = Arc::new(Semaphore::new(2));
    let inside = AtomicUsize::new(0);
    on_three_threads(|number| {
        block_on(async {
            for round in 0..1000 {
                let count = round % 2 + 1;
                let permit = semaphore.acquire_many(count).await.unwrap();
                assert!(inside.fetch_add(count, SeqCst) + count <= 2);
                thread::yield_now();
                inside.fetch_sub(count, SeqCst);
                drop(permit);
                // Dropped at its second poll, with permits assigned to it or without.
                drop(dropped_after(1, semaphore.acquire_many_owned(number % 2 + 1)).await);
            }
        });
    });
    assert_eq!(semaphore.available_permits(), 2);
    let permit = block_on(semaphore.acquire_owned()).unwrap();
    thread::spawn(move || drop(permit)).join().unwrap();
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn a_semaphore_that_is_closed_sends_waiters_of_other_threads_away() {
    let semaphore = Semaphore::new(0);
    let failed = on_three_threads(|number| match number {
        0 => {
            semaphore.close();
            true
        }
        _ => block_on(semaphore.acquire()).is_err(),
    });
    assert_eq!(failed, [true; 3]);
}

#[test]
fn readers_of_several_threads_see_what_one_writer_at_a_time_wrote() {
    let lock = RwLock::new([0; 2]);
    on_three_threads(|number| {
        block_on(async {
            for round in 0..1000 {
                if (round + number) % 3 == 0 {
                    let mut guard = lock.write().await;
                    guard[0] += 1;
                    thread::yield_now();
                    guard[1] += 1;
                    let guard = guard.downgrade();
                    assert_eq!(guard[0], guard[1]);
                } else {
                    let guard = lock.read().await;
                    let first = guard[0];
                    thread::yield_now();
                    assert_eq!([first; 2], *guard);
                    drop(guard);
                    drop(dropped_after(1, lock.write()).await);
                }
            }
        });
    });
    let [first, second] = lock.into_inner();
    assert_eq!((first, second), (1000, 1000));
}

#[test]
fn a_condition_misses_no_notification_of_another_thread() {
    let (items, filled) = (Mutex::new(0), Condition::new());
    let taken = on_three_threads(|number| {
        block_on(async {
            let mut taken = 0;
            if number == 0 {
                for _ in 0..2000 {
                    *items.lock().await += 1;
                    filled.notify_one();
                }
                return taken;
            }
            while taken < 1000 {
                let guard = items.lock().await;
                // Given up at its third poll, notified or not.
                let wait = filled.wait_for(guard, |count| *count > 0);
                let mut guard = match dropped_after(3, wait).await {
                    Some(guard) => guard,
                    None => {
                        let guard = items.lock().await;
                        filled.wait_for(guard, |count| *count > 0).await
                    }
                };
                *guard -= 1;
                taken += 1;
            }
            taken
        })
    });
    assert_eq!(taken, [0, 1000, 1000]);
    assert_eq!(items.into_inner(), 0);
}

#[test]
fn a_barrier_keeps_threads_in_step() {
    let barrier = Barrier::new(3);
    let rounds: [AtomicUsize; 3] = Default::default();
    let leads = on_three_threads(|number| {
        block_on(async {
            let mut leads = 0;
            for round in 1..=1000 {
                rounds[number].store(round, SeqCst);
                leads += usize::from(barrier.wait().await.unwrap().is_leader());
                for other in &rounds {
                    let other = other.load(SeqCst);
                    assert!(other == round || other == round + 1, "out of step");
                }
            }
            leads
        })
    });
    assert_eq!(leads.iter().sum::<usize>(), 1000);
}

#[test]
fn a_value_is_made_once_by_one_of_several_threads() {
    for _ in 0..200 {
        let (cell, once) = (OnceCell::new(), Once::new());
        let (made, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let values = on_three_threads(|number| {
            block_on(async {
                // Some give up when they have the turn, or while they wait for it.
                let value = cell.get_or_init(async || {
                    yield_now().await;
                    made.fetch_add(1, SeqCst);
                    number
                });
                if number == 0 {
                    dropped_after(1, value).await;
                } else {
                    value.await;
                }
                once.call_once(async || {
                    done.fetch_add(1, SeqCst);
                })
                .await;
                *cell.wait().await
            })
        });
        assert_eq!(values, [*cell.get().unwrap(); 3]);
        assert_eq!((made.into_inner(), done.into_inner()), (1, 1));
    }
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
            thread::spawn(move || {
                let take = |count: usize| count.checked_sub(1);
                block_on(async {
                    for _ in 0..1000 {
                        while shared.0.fetch_update(SeqCst, SeqCst, take).is_err() {
                            shared.1.notified().await;
                        }
                        // What one notification told of may be more than one.
                        shared.1.notify_one();
                    }
                });
            })
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
        .map(|mut receiver| {
            thread::spawn(move || {
                block_on(async {
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
                })
            })
        })
        .collect();
    for number in 0..5000_u64 {
        sender.send(number).unwrap();
    }
    drop(sender);
    for listener in listeners {
        assert_eq!(listener.join().unwrap(), 5000);
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
        let semaphore = Rc::new(Semaphore::new(0));
        let acquires = parcae::spawn({
            let semaphore = semaphore.clone();
            async move { join_all((0..40).map(|_| semaphore.acquire())).await.len() }
        });
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
        semaphore.add_permits(15);
        semaphore.add_permits(25);
        assert_eq!(acquires.await, 40);
        join_all((0..40).map(|number| queue.put(number))).await;
        let mut received: Vec<_> = gets.await.into_iter().map(Result::unwrap).collect();
        received.sort_unstable();
        assert!(received.into_iter().eq(0..40));
        assert_eq!(locks.await, 5);
        assert_eq!(*mutex.lock().await, 5);
    });
}
