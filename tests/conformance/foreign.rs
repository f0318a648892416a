//! Futures of other crates, which wrap wakers and poll only what was woken.

use std::rc::Rc;

use futures::channel::mpsc;
use futures::future::{join_all, select_all};
use futures::stream::{FuturesUnordered, StreamExt as _};
use futures::{FutureExt as _, SinkExt as _};
use parcae::sync::{Event, Mutex, Queue};
use parcae::task::{settle, yield_now};
use parcae::time::{Instant, sleep, sleep_until, timeout};
use parcae::{Task, spawn};

use crate::clock::{HOUR, Stopwatch, beats};

conformance! {
    async fn futures_that_are_joined_wait_beside_each_other() {
        let watch = Stopwatch::start();
        let counts = join_all((1..=30).map(|count| async move {
            sleep(beats(1)).await;
            count
        }));
        assert_eq!(counts.await.iter().sum::<u32>(), 465);
        watch.took(beats(1));
    }

    async fn what_is_unordered_comes_in_the_order_of_its_timers() {
        let start = Instant::now();
        let mut naps: FuturesUnordered<_> = [3, 1, 2]
            .map(|count| async move {
                sleep_until(start + beats(count)).await;
                count
            })
            .into_iter()
            .collect();
        let mut ended = Vec::new();
        while let Some(count) = naps.next().await {
            ended.push(count);
        }
        assert_eq!(ended, [1, 2, 3]);
    }

    async fn locks_and_queues_are_waited_for_in_sets() {
        let (mutex, queue) = (Mutex::new(0), Queue::bounded(1));
        let mut adders: FuturesUnordered<_> = (0..5)
            .map(|item| {
                let (mutex, queue) = (&mutex, &queue);
                async move {
                    let mut guard = mutex.lock().await;
                    yield_now().await;
                    *guard += item;
                    drop(guard);
                    queue.put(item).await.unwrap();
                }
            })
            .collect();
        let mut taken = 0;
        loop {
            futures::select! {
                end = adders.next() => if end.is_none() { break },
                item = queue.get().fuse() => taken += item.unwrap(),
            }
        }
        while let Ok(item) = queue.try_get() {
            taken += item;
        }
        assert_eq!((*mutex.lock().await, taken), (10, 10));
    }

    async fn tasks_are_waited_for_in_sets() {
        let gate = Rc::new(Event::new());
        let tasks: Vec<Task<u32>> = (0..3)
            .map(|number| {
                let gate = gate.clone();
                spawn(async move {
                    if number != 1 {
                        gate.wait().await;
                    }
                    number
                })
            })
            .collect();
        let (first, index, rest) = select_all(tasks).await;
        assert_eq!((first, index), (1, 1));
        gate.set();
        let mut numbers = join_all(rest).await;
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 2]);
    }

    async fn channels_of_other_crates_wake_tasks() {
        let (mut sender, receiver) = mpsc::channel(1);
        let producer = spawn(async move {
            for item in 0..10 {
                sender.send(item).await.unwrap();
            }
        });
        let items: Vec<_> = receiver.collect().await;
        assert_eq!(items, (0..10).collect::<Vec<_>>());
        producer.await;
    }

    async fn a_time_out_in_a_set_ends_though_the_others_do_not() {
        let event = Event::new();
        let mut bounds: FuturesUnordered<_> =
            [beats(1), HOUR].map(|bound| timeout(bound, event.wait())).into_iter().collect();
        assert!(bounds.next().await.unwrap().is_err());
        event.set();
        assert!(bounds.next().await.unwrap().is_ok());
    }

    async fn a_shared_future_wakes_all_who_wait_for_it() {
        let gate = Rc::new(Event::new());
        let opened = gate.clone();
        let shared = async move {
            opened.wait().await;
            7
        }
        .boxed_local()
        .shared();
        let tasks = [spawn(shared.clone()), spawn(shared.clone()), spawn(shared)];
        settle().await;
        gate.set();
        assert_eq!(join_all(tasks).await, [7; 3]);
    }
}
