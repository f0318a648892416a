//! Queues.

use parcae::spawn;
use parcae::sync::{GetError, PutError, Queue, TryGetError, TryPutError};
use parcae::task::{gather, settle, yield_now};
use parcae::time::timeout;

use crate::clock::beats;
use crate::journal::Journal;

/// Spawns a task that takes an item.
fn getter(queue: &Queue<u32>) -> parcae::Task<Result<u32, GetError>> {
    let queue = queue.clone();
    spawn(async move { queue.get().await })
}

/// Spawns a task that puts an item, and writes down when it is there.
fn putter(queue: &Queue<u32>, journal: &Journal<u32>, item: u32) -> parcae::Task<Option<u32>> {
    let (queue, journal) = (queue.clone(), journal.clone());
    spawn(async move {
        let end = queue.put(item).await;
        journal.add(item);
        end.err().map(PutError::into_inner)
    })
}

conformance! {
    async fn items_come_out_in_the_order_in_which_they_were_put() {
        let queue = Queue::unbounded();
        for item in 0..5 {
            queue.put(item).await.unwrap();
        }
        assert_eq!((queue.len(), queue.capacity()), (5, None));
        for item in 0..5 {
            assert_eq!(queue.get().await, Ok(item));
        }
        assert!(queue.is_empty());
    }

    async fn the_first_to_wait_gets_the_first_item() {
        let queue = Queue::unbounded();
        let mut getters = Vec::new();
        for _ in 0..3 {
            getters.push(getter(&queue));
            settle().await;
        }
        for item in [10, 20, 30] {
            queue.try_put(item).unwrap();
        }
        assert_eq!(gather(getters).await, [Ok(10), Ok(20), Ok(30)]);
    }

    async fn nobody_barges_in_before_who_waits() {
        let queue = Queue::bounded(1);
        let waiter = getter(&queue);
        settle().await;
        queue.try_put(7).unwrap();
        assert_eq!(queue.try_get(), Err(TryGetError::Empty), "it is the waiter's");
        assert_eq!(waiter.await, Ok(7));
    }

    async fn puts_wait_while_the_queue_is_full_and_go_on_in_their_order() {
        let (queue, journal) = (Queue::bounded(1), Journal::new());
        queue.put(0).await.unwrap();
        let mut putters = Vec::new();
        for item in 1..=3 {
            putters.push(putter(&queue, &journal, item));
            settle().await;
        }
        assert_eq!(queue.try_put(9), Err(TryPutError::Full(9)));
        for item in 0..=3 {
            assert_eq!(queue.get().await, Ok(item));
            settle().await;
        }
        assert_eq!(gather(putters).await, [None; 3]);
        assert_eq!(journal.take(), [1, 2, 3]);
    }

    async fn an_item_that_was_assigned_to_who_is_dropped_goes_to_the_next() {
        let queue = Queue::unbounded();
        let first = getter(&queue);
        settle().await;
        let second = getter(&queue);
        settle().await;
        queue.try_put(7).unwrap();
        assert_eq!(first.cancel().await, None);
        assert_eq!(second.await, Ok(7));
    }

    async fn an_item_that_was_assigned_to_who_is_dropped_stays_in_front() {
        let queue = Queue::unbounded();
        let first = getter(&queue);
        settle().await;
        queue.try_put(7).unwrap();
        queue.try_put(8).unwrap();
        first.cancel().await;
        assert_eq!((queue.get().await, queue.get().await), (Ok(7), Ok(8)));
    }

    async fn a_put_that_is_dropped_puts_nothing() {
        let (queue, journal) = (Queue::bounded(1), Journal::new());
        queue.put(0).await.unwrap();
        assert!(timeout(beats(1), queue.put(1)).await.is_err());
        let next = putter(&queue, &journal, 2);
        settle().await;
        assert_eq!(queue.get().await, Ok(0));
        assert_eq!(next.await, None);
        assert_eq!(queue.get().await, Ok(2));
    }

    async fn a_closed_queue_gives_what_is_left_and_takes_nothing() {
        let (queue, journal) = (Queue::bounded(1), Journal::new());
        queue.put(0).await.unwrap();
        let waiting = putter(&queue, &journal, 1);
        settle().await;
        queue.close();
        assert!(queue.is_closed());
        assert_eq!(waiting.await, Some(1), "its item comes back");
        assert_eq!(queue.try_put(2), Err(TryPutError::Closed(2)));
        assert_eq!(queue.get().await, Ok(0));
        assert_eq!(queue.get().await, Err(GetError::Closed));
        assert_eq!(queue.try_get(), Err(TryGetError::Closed));
    }

    async fn whoever_waits_for_an_item_fails_when_the_queue_is_closed() {
        let queue = Queue::unbounded();
        let waiter = getter(&queue);
        settle().await;
        queue.close();
        assert_eq!(waiter.await, Err(GetError::Closed));
    }

    async fn join_waits_until_all_is_done() {
        let queue = Queue::unbounded();
        for item in 0..3 {
            queue.put(item).await.unwrap();
        }
        let joiner = spawn({
            let queue = queue.clone();
            async move { queue.join().await }
        });
        for left in (0..3).rev() {
            settle().await;
            assert!(!joiner.is_finished());
            let job = queue.get_job().await.unwrap();
            yield_now().await;
            job.done();
            assert_eq!(queue.unfinished(), left);
        }
        joiner.await;
        queue.join().await;
    }

    async fn a_job_that_is_dropped_is_not_done() {
        let queue = Queue::unbounded();
        queue.put(1).await.unwrap();
        drop(queue.get_job().await.unwrap());
        assert_eq!(queue.unfinished(), 1);
        assert!(timeout(beats(1), queue.join()).await.is_err());
        queue.task_done();
        queue.join().await;
    }

    async fn a_shutdown_returns_what_was_in_the_queue() {
        let queue = Queue::unbounded();
        for item in 0..3 {
            queue.put(item).await.unwrap();
        }
        let taken = queue.get_job().await.unwrap();
        assert_eq!(queue.shutdown_now(), [1, 2]);
        assert_eq!(queue.unfinished(), 1, "what was taken owes its report");
        taken.done();
        queue.join().await;
        assert_eq!(queue.get().await, Err(GetError::Closed));
    }

    async fn every_item_of_several_producers_is_consumed_once() {
        let queue = Queue::bounded(2);
        let producers: Vec<_> = (0..4_u32)
            .map(|producer| {
                let queue = queue.clone();
                spawn(async move {
                    for number in 0..10 {
                        queue.put(producer * 100 + number).await.unwrap();
                    }
                })
            })
            .collect();
        let consumers: Vec<_> = (0..3)
            .map(|_| {
                let queue = queue.clone();
                spawn(async move {
                    let mut items = Vec::new();
                    while let Ok(item) = queue.get().await {
                        items.push(item);
                    }
                    items
                })
            })
            .collect();
        gather(producers).await;
        queue.close();
        let mut items = gather(consumers).await.concat();
        items.sort_unstable();
        let expected: Vec<_> = (0..4).flat_map(|p| (0..10).map(move |n| p * 100 + n)).collect();
        assert_eq!(items, expected);
    }
}
