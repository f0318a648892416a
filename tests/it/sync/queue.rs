use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parcae::sync::{GetError, PutError, Queue, TryGetError, TryPutError};
use parcae::task::{Task, settle, yield_now};
use parcae::time::{sleep, timeout};
use parcae::{Failure, Sim, choose};

use super::{Counted, Hand, dropped_after, millis, on_every_seed};

#[track_caller]
fn filled<T>(queue: Queue<T>, items: impl IntoIterator<Item = T>) -> Queue<T> {
    for item in items {
        queue.try_put(item).unwrap();
    }
    queue
}

fn drain<T>(queue: &Queue<T>) -> Vec<T> {
    std::iter::from_fn(|| queue.try_get().ok()).collect()
}

#[test]
fn items_come_out_in_the_order_in_which_they_were_put() {
    on_every_seed(|| async {
        let queue = Queue::bounded(2);
        let producer = parcae::spawn({
            let queue = queue.clone();
            async move {
                for number in 0..10 {
                    queue.put(number).await.unwrap();
                }
            }
        });
        for number in 0..10 {
            assert_eq!(queue.get().await, Ok(number));
        }
        producer.await;
        assert!(queue.is_empty());
    });
}

// gh-83055: CPython has 0BA
#[test]
fn a_put_that_waits_is_not_overtaken() {
    let queue = filled(Queue::bounded(1), ["0"]);
    let mut a = Hand::waiting(queue.put("A"));
    assert_eq!(queue.try_get(), Ok("0"));
    assert_eq!(a.wake_count(), 1);
    assert_eq!(queue.try_put("B"), Err(TryPutError::Full("B")));
    let mut b = Hand::waiting(queue.put("B"));
    a.ready().unwrap();
    assert!(b.poll().is_pending());
    assert_eq!(queue.try_get(), Ok("A"));
    b.ready().unwrap();
    assert_eq!(queue.try_get(), Ok("B"));
}

#[test]
fn puts_that_wait_keep_their_order_whoever_runs_first() {
    on_every_seed(|| async {
        let queue = filled(Queue::bounded(3), [0, 1, 2]);
        let mut tasks = Vec::new();
        for number in 3..8 {
            let queue = queue.clone();
            tasks.push(parcae::spawn(async move { queue.put(number).await.unwrap() }));
            settle().await;
        }
        // Three places at once, before any of those who wait has run.
        let mut received = vec![queue.try_get(), queue.try_get(), queue.try_get()];
        assert_eq!(queue.try_put(99), Err(TryPutError::Full(99)), "overtakes");
        for _ in 3..8 {
            received.push(Ok(queue.get().await.unwrap()));
        }
        for task in tasks {
            task.await;
        }
        assert!(received.into_iter().map(Result::unwrap).eq(0..8));
    });
}

// test_acquire_fifo_order_4: the gallery's G4
#[test]
fn places_that_are_left_reach_those_who_came_before_the_first_ran() {
    let queue = filled(Queue::bounded(3), [0, 1, 2]);
    let mut first = Hand::waiting(queue.put(3));
    assert_eq!(drain(&queue), [0, 1, 2]);
    let mut second = Hand::waiting(queue.put(4));
    let mut third = Hand::waiting(queue.put(5));
    first.ready().unwrap();
    assert_eq!((second.wake_count(), third.wake_count()), (1, 0));
    second.ready().unwrap();
    assert_eq!(third.wake_count(), 1);
    third.ready().unwrap();
    assert_eq!(drain(&queue), [3, 4, 5]);
}

// asyncio#265
#[test]
fn several_puts_that_wait_all_end_when_several_items_are_taken_in_one_step() {
    on_every_seed(|| async {
        let queue = filled(Queue::bounded(2), [0, 1]);
        let tasks: Vec<_> = (2..8)
            .map(|number| {
                let queue = queue.clone();
                parcae::spawn(async move { queue.put(number).await.unwrap() })
            })
            .collect();
        sleep(millis(1)).await;
        let mut received = Vec::new();
        while received.len() < 8 {
            received.extend(drain(&queue));
            sleep(millis(1)).await;
        }
        for task in tasks {
            task.await;
        }
        received.sort_unstable();
        assert!(received.into_iter().eq(0..8));
    });
}

#[test]
fn an_item_that_is_assigned_cannot_be_taken_by_a_newcomer() {
    let queue = Queue::unbounded();
    let mut first = Hand::waiting(queue.get());
    let mut second = Hand::waiting(queue.get());
    queue.try_put(1).unwrap();
    assert_eq!((first.wake_count(), second.wake_count()), (1, 0));
    assert_eq!(queue.try_get(), Err(TryGetError::Empty));
    let mut newcomer = Hand::waiting(queue.get());
    assert!(second.poll().is_pending());
    assert_eq!(first.ready(), Ok(1));
    queue.try_put(2).unwrap();
    queue.try_put(3).unwrap();
    queue.try_put(4).unwrap();
    assert_eq!(queue.len(), 3);
    assert_eq!(queue.try_get(), Ok(4), "the other two are assigned");
    // In the order of the waiters, not of their polls.
    assert_eq!(newcomer.ready(), Ok(3));
    assert_eq!(second.ready(), Ok(2));
    assert_eq!((second.wake_count(), newcomer.wake_count()), (1, 1));
}

#[test]
fn a_getter_that_waits_is_not_starved_by_one_that_tries_again_and_again() {
    on_every_seed(|| async {
        let queue = Queue::bounded(1);
        let waiter = parcae::spawn({
            let queue = queue.clone();
            async move { queue.get().await }
        });
        settle().await;
        queue.put(0).await.unwrap();
        assert_eq!(queue.try_get(), Err(TryGetError::Empty), "barged in");
        assert_eq!(waiter.await, Ok(0));
    });
}

#[test]
fn an_item_assigned_to_a_dropped_getter_goes_to_the_next() {
    let queue = Queue::unbounded();
    let first = Hand::waiting(queue.get());
    let mut second = Hand::waiting(queue.get());
    queue.try_put(1).unwrap();
    drop(first);
    assert_eq!(second.wake_count(), 1);
    assert_eq!(second.ready(), Ok(1));
}

// bpo-23812
#[test]
fn items_assigned_to_dropped_getters_stay_in_front_in_their_order() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for count in 1..=3 {
            let queue = Queue::unbounded();
            let mut getters: Vec<_> = (0..3).map(|_| Some(Hand::waiting(queue.get()))).collect();
            let queue = filled(queue.clone(), 1..=4);
            for index in &order[..count] {
                getters[*index] = None;
            }
            let mut received = Vec::new();
            for getter in getters.iter_mut().flatten() {
                received.push(getter.ready().unwrap());
            }
            received.extend(drain(&queue));
            assert_eq!(received, [1, 2, 3, 4], "dropped: {:?}", &order[..count]);
        }
    }
}

// tornado#2826: the gallery's G6
#[test]
fn an_item_put_at_the_instant_of_a_time_out_is_not_lost() {
    let waits = on_every_seed(|| async {
        let queue = Queue::bounded(1);
        let producer = parcae::spawn({
            let queue = queue.clone();
            async move {
                for number in 0..5 {
                    sleep(millis(3)).await;
                    queue.put(number).await.unwrap();
                }
                queue.close();
            }
        });
        let (mut received, mut elapsed_count) = (Vec::new(), 0);
        loop {
            match timeout(millis(3), queue.get()).await {
                Ok(Ok(number)) => received.push(number),
                Ok(Err(GetError::Closed)) => break,
                Ok(Err(error)) => panic!("{error}"),
                Err(_) => elapsed_count += 1,
            }
        }
        assert_eq!(received, [0, 1, 2, 3, 4]);
        producer.await;
        elapsed_count
    });
    assert!(waits.iter().min() < waits.iter().max(), "one order only: {waits:?}");
}

#[test]
fn a_dropped_put_passes_its_place_on_and_puts_nothing() {
    let alive = Arc::new(AtomicUsize::new(0));
    let item = |number| Counted::new(number, &alive);
    let queue = filled(Queue::bounded(1), [item(0)]);
    let first = Hand::waiting(queue.put(item(1)));
    let mut second = Hand::waiting(queue.put(item(2)));
    drop(queue.try_get());
    assert_eq!((first.wake_count(), second.wake_count()), (1, 0));
    assert_eq!(alive.load(Ordering::SeqCst), 2);
    drop(first);
    assert_eq!(alive.load(Ordering::SeqCst), 1, "dropped with its future");
    assert_eq!(second.wake_count(), 1);
    second.ready().unwrap();
    assert_eq!(queue.try_get().unwrap().number, 2);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

// test_put_cancelled_race
#[test]
fn a_dropped_put_does_not_hold_up_those_before_and_behind_it() {
    let queue = filled(Queue::bounded(1), ["a"]);
    let mut b = Hand::waiting(queue.put("b"));
    let c = Hand::waiting(queue.put("c"));
    let mut d = Hand::waiting(queue.put("d"));
    drop(c);
    assert_eq!(queue.try_get(), Ok("a"));
    b.ready().unwrap();
    assert_eq!(queue.try_get(), Ok("b"));
    d.ready().unwrap();
    assert_eq!(queue.try_get(), Ok("d"));
    assert_eq!((b.wake_count(), d.wake_count()), (1, 1));
}

#[test]
fn a_put_that_times_out_when_a_place_is_free_is_put_or_not_and_says_so() {
    let was_put = on_every_seed(|| async {
        let queue = filled(Queue::bounded(1), [0]);
        let consumer = parcae::spawn({
            let queue = queue.clone();
            async move {
                sleep(millis(2)).await;
                queue.get().await.unwrap()
            }
        });
        settle().await;
        let was_put = timeout(millis(2), queue.put(1)).await.is_ok();
        assert_eq!(consumer.await, 0);
        assert_eq!(drain(&queue), if was_put { vec![1] } else { vec![] });
        was_put
    });
    assert!(was_put.contains(&true) && was_put.contains(&false));
}

#[test]
fn a_closed_queue_gives_puts_their_items_back_and_gets_what_is_left() {
    let queue = filled(Queue::bounded(2), [1, 2]);
    let mut waiting_put = Hand::waiting(queue.put(3));
    queue.close();
    queue.close();
    assert!(queue.is_closed());
    assert_eq!(waiting_put.wake_count(), 1);
    assert_eq!(waiting_put.ready(), Err(PutError(3)));
    assert_eq!(Hand::new(queue.put(4)).ready(), Err(PutError(4)));
    assert_eq!(queue.try_put(5), Err(TryPutError::Closed(5)));
    assert_eq!(Hand::new(queue.get()).ready(), Ok(1));
    assert_eq!(queue.try_get(), Ok(2));
    assert_eq!(Hand::new(queue.get()).ready(), Err(GetError::Closed));
    assert_eq!(queue.try_get(), Err(TryGetError::Closed));
    assert_eq!(queue.try_put(5).unwrap_err().into_inner(), 5);
    assert_eq!(PutError(3).into_inner(), 3);
}

#[test]
fn a_put_whose_place_is_free_fails_when_the_queue_is_closed_before_it_runs() {
    let queue = filled(Queue::bounded(1), [1]);
    let mut put = Hand::waiting(queue.put(2));
    assert_eq!(queue.try_get(), Ok(1));
    queue.close();
    assert_eq!(put.wake_count(), 1);
    assert_eq!(put.ready(), Err(PutError(2)));
    assert_eq!(queue.try_get(), Err(TryGetError::Closed));
}

#[test]
fn a_close_lets_getters_that_wait_fail() {
    let queue = Queue::<i32>::bounded(1);
    let mut getters: Vec<_> = (0..2).map(|_| Hand::waiting(queue.get())).collect();
    queue.close();
    for getter in &mut getters {
        assert_eq!(getter.wake_count(), 1);
        assert_eq!(getter.ready(), Err(GetError::Closed));
    }
}

#[test]
fn an_item_that_is_assigned_when_the_queue_is_closed_is_not_lost() {
    for is_dropped in [false, true] {
        let queue = Queue::unbounded();
        let mut first = Hand::waiting(queue.get());
        let mut second = Hand::waiting(queue.get());
        queue.try_put(1).unwrap();
        queue.close();
        assert!(second.poll().is_pending(), "the item may yet come to it");
        assert_eq!(queue.try_get(), Err(TryGetError::Empty));
        if is_dropped {
            drop(first);
            assert_eq!(second.ready(), Ok(1));
        } else {
            assert_eq!(first.ready(), Ok(1));
            assert_eq!(second.ready(), Err(GetError::Closed));
        }
        assert_eq!(second.wake_count(), 1);
    }
}

#[test]
fn shutdown_now_returns_the_items_and_counts_them_done() {
    let queue = filled(Queue::bounded(3), [1, 2, 3]);
    assert_eq!(queue.try_get(), Ok(1));
    queue.try_put(4).unwrap();
    let mut put = Hand::waiting(queue.put(5));
    let mut join = Hand::waiting(queue.join());
    assert_eq!(queue.shutdown_now(), [2, 3, 4]);
    assert_eq!(put.ready(), Err(PutError(5)));
    assert_eq!(queue.unfinished(), 1, "the one that was taken");
    assert!(join.poll().is_pending());
    queue.task_done();
    join.ready();
}

#[test]
fn shutdown_now_takes_an_item_back_from_a_getter_that_has_not_run() {
    let queue = Queue::unbounded();
    let mut getter = Hand::waiting(queue.get());
    queue.try_put(1).unwrap();
    assert_eq!(queue.shutdown_now(), [1]);
    assert_eq!(getter.ready(), Err(GetError::Closed));
    assert_eq!((getter.wake_count(), queue.unfinished()), (1, 0));
}

#[test]
fn join_waits_for_every_item_that_was_put() {
    on_every_seed(|| async {
        let queue = Queue::<i32>::bounded(2);
        let done = Rc::new(RefCell::new(Vec::new()));
        let workers: Vec<Task<()>> = (0..2)
            .map(|_| {
                let (queue, done) = (queue.clone(), done.clone());
                parcae::spawn(async move {
                    while let Ok(job) = queue.get_job().await {
                        sleep(millis(1)).await;
                        done.borrow_mut().push(*job);
                        job.done();
                    }
                })
            })
            .collect();
        for number in 0..6 {
            queue.put(number).await.unwrap();
        }
        queue.join().await;
        let mut done = done.take();
        done.sort_unstable();
        assert_eq!(done, [0, 1, 2, 3, 4, 5]);
        queue.close();
        for worker in workers {
            worker.await;
        }
    });
}

#[test]
fn join_of_a_queue_in_which_nothing_is_owed_does_not_pend() {
    let queue = Queue::unbounded();
    Hand::new(queue.join()).ready();
    queue.try_put(1).unwrap();
    assert_eq!(queue.try_get(), Ok(1));
    let mut join = Hand::waiting(queue.join());
    queue.task_done();
    assert_eq!(join.wake_count(), 1);
    join.ready();
}

#[test]
fn join_looks_again_when_it_runs() {
    let queue = filled(Queue::unbounded(), [1]);
    let mut join = Hand::waiting(queue.join());
    queue.task_done();
    queue.try_put(2).unwrap();
    assert!(join.poll().is_pending(), "an item was put since it was woken");
    queue.task_done();
    assert_eq!(join.wake_count(), 2);
    join.ready();
}

#[test]
fn a_forgotten_report_is_a_deadlock_of_join_that_names_the_queue() {
    let program = || async {
        let orders = Queue::<i32>::bounded(2).named("orders");
        let worker = parcae::spawn_named("worker", forget_one(orders.clone()));
        for number in 0..4 {
            orders.put(number).await.unwrap();
        }
        orders.join().await;
        orders.close();
        worker.await;
    };
    for seed in 0..50 {
        let failure = Sim::new(seed).run(program).into_result().unwrap_err();
        assert!(matches!(failure, Failure::Deadlock { .. }), "{failure}");
        let tasks = failure.stalled_tasks();
        let waits: Vec<_> = tasks
            .iter()
            .map(|task| {
                let wait = task.wait.as_ref().unwrap();
                (task.name.as_str(), wait.kind, wait.verb, wait.name.as_deref())
            })
            .collect();
        assert_eq!(
            waits,
            [("main", "Queue", "join", Some("orders")), ("worker", "Queue", "get", Some("orders"))]
        );
    }
}

async fn forget_one(orders: Queue<i32>) {
    while let Ok(job) = orders.get_job().await {
        if *job != 2 {
            job.done();
        }
    }
}

#[test]
fn a_job_that_is_not_done_owes_its_report() {
    let queue = filled(Queue::unbounded(), [1, 2, 3]);
    let mut job = Hand::new(queue.get_job()).ready().unwrap();
    *job += 10;
    assert_eq!(format!("{job:?}"), "Job(11)");
    assert_eq!(job.done(), 11);
    assert_eq!(queue.unfinished(), 2);
    drop(Hand::new(queue.get_job()).ready());
    assert_eq!(Hand::new(queue.get_job()).ready().unwrap().into_inner(), 3);
    assert_eq!(queue.unfinished(), 2);
    queue.task_done();
    queue.task_done();
    Hand::new(queue.join()).ready();
}

#[test]
#[should_panic(expected = "an item was reported done, but all 1 that were put were before")]
fn reporting_more_than_was_put_panics() {
    let queue = filled(Queue::unbounded(), [1]);
    queue.task_done();
    queue.task_done();
}

#[test]
fn a_report_too_many_does_not_harm_the_queue() {
    let queue = filled(Queue::unbounded(), [1]);
    queue.task_done();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| queue.task_done()));
    assert!(result.is_err());
    assert_eq!(queue.unfinished(), 0);
    assert_eq!(queue.shutdown_now(), [1]);
    assert_eq!(queue.unfinished(), 0);
}

#[test]
fn every_item_is_received_once_under_cancellation() {
    let counts = on_every_seed(|| async {
        let alive = Arc::new(AtomicUsize::new(0));
        let queue = Queue::bounded(2);
        let producers = [0, 100, 200].map(|from| {
            let items = (from..from + 6).map(|number| Counted::new(number, &alive)).collect();
            parcae::spawn(put_impatiently(queue.clone(), items))
        });
        let consumers = [(); 3].map(|()| parcae::spawn(get_impatiently(queue.clone())));
        let (mut put, mut received) = (Vec::new(), Vec::new());
        for producer in producers {
            put.extend(producer.await);
        }
        queue.close();
        for consumer in consumers {
            received.extend(consumer.await);
        }
        received.sort_unstable();
        assert_eq!(received, put);
        assert!(queue.is_empty());
        assert_eq!(alive.load(Ordering::SeqCst), 0, "items are dropped exactly once");
        received.len()
    });
    assert!(counts.iter().any(|count| *count < 18), "no put was ever cancelled");
}

/// Returns what was put.
async fn put_impatiently(queue: Queue<Counted>, items: Vec<Counted>) -> Vec<usize> {
    let mut put = Vec::new();
    for item in items {
        let number = item.number;
        if timeout(millis(choose(0..=3)), queue.put(item)).await.is_ok() {
            put.push(number);
        }
        sleep(millis(choose(0..=1))).await;
    }
    put
}

/// Returns what was received until the queue was closed.
async fn get_impatiently(queue: Queue<Counted>) -> Vec<usize> {
    let mut received = Vec::new();
    loop {
        match timeout(millis(choose(0..=2)), queue.get()).await {
            Ok(Ok(item)) => received.push(item.number),
            Ok(Err(_)) => return received,
            Err(_) => sleep(millis(choose(0..=2))).await,
        }
    }
}

#[test]
fn each_consumer_receives_each_producers_items_in_order() {
    on_every_seed(|| async {
        let queue = Queue::bounded(2);
        let producers: Vec<Task<()>> = (0..2)
            .map(|producer| {
                let queue = queue.clone();
                parcae::spawn(async move {
                    for number in 0..8 {
                        queue.put((producer, number)).await.unwrap();
                    }
                })
            })
            .collect();
        let consumers: Vec<Task<usize>> = (0..2)
            .map(|_| {
                let queue = queue.clone();
                parcae::spawn(async move {
                    let (mut next, mut count) = ([0, 0], 0);
                    while let Ok((producer, number)) = queue.get().await {
                        assert!(next[producer] <= number, "out of order");
                        next[producer] = number + 1;
                        count += 1;
                        yield_now().await;
                    }
                    count
                })
            })
            .collect();
        for producer in producers {
            producer.await;
        }
        queue.close();
        let mut count = 0;
        for consumer in consumers {
            count += consumer.await;
        }
        assert_eq!(count, 16);
    });
}

#[test]
fn dropping_a_put_or_get_after_any_number_of_polls_loses_nothing() {
    for polls in 0..6 {
        on_every_seed(move || async move {
            let queue = Queue::bounded(1);
            let steady = parcae::spawn(put_all(queue.clone(), [1, 2]));
            let put = parcae::spawn({
                let queue = queue.clone();
                async move { dropped_after(polls, queue.put(3)).await.is_some() }
            });
            let get = parcae::spawn({
                let queue = queue.clone();
                async move { dropped_after(polls, queue.get()).await.map(Result::unwrap) }
            });
            let rest = parcae::spawn(get_all(queue.clone()));
            steady.await;
            let was_put = put.await;
            let got = get.await;
            queue.close();
            let mut received = rest.await;
            received.extend(got);
            received.sort_unstable();
            assert_eq!(received, if was_put { vec![1, 2, 3] } else { vec![1, 2] });
        });
    }
}

async fn put_all(queue: Queue<i32>, items: [i32; 2]) {
    for item in items {
        queue.put(item).await.unwrap();
    }
}

async fn get_all(queue: Queue<i32>) -> Vec<i32> {
    let mut items = Vec::new();
    while let Ok(item) = queue.get().await {
        items.push(item);
    }
    items
}

#[test]
fn items_are_dropped_once_with_the_last_handle() {
    let alive = Arc::new(AtomicUsize::new(0));
    let queue = filled(Queue::unbounded(), (0..3).map(|number| Counted::new(number, &alive)));
    let other = queue.clone();
    drop(queue);
    assert_eq!(alive.load(Ordering::SeqCst), 3);
    drop(Hand::new(other.get()).ready());
    assert_eq!(alive.load(Ordering::SeqCst), 2);
    drop(other);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[test]
fn a_queue_tells_its_size() {
    let queue = filled(Queue::bounded(2), [1]);
    assert_eq!((queue.len(), queue.capacity(), queue.is_empty()), (1, Some(2), false));
    assert_eq!(
        format!("{queue:?}"),
        "Queue { len: 1, capacity: Some(2), unfinished: 1, is_closed: false }"
    );
    assert_eq!(Queue::<i32>::unbounded().capacity(), None);
}

#[test]
#[should_panic(expected = "a queue of capacity 0 takes no item")]
fn a_queue_without_places_is_refused() {
    drop(Queue::<i32>::bounded(0));
}

#[test]
#[should_panic(expected = "a queue is named before it is cloned")]
fn a_queue_that_was_cloned_cannot_be_named() {
    let queue = Queue::<i32>::unbounded();
    let _other = queue.clone();
    drop(queue.named("late"));
}
