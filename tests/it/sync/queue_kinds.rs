//! What the three queues have in common: each test runs for each of them.

use std::collections::BTreeSet;
use std::future::Future;
use std::rc::Rc;

use parcae::choose;
use parcae::sync::{
    Get, GetError, GetJob, Join, LifoQueue, PriorityQueue, Put, PutError, Queue, TryGetError,
    TryPutError,
};
use parcae::task::{Task, settle, yield_now};
use parcae::testing::Shared;
use parcae::time::{sleep, timeout};

use super::{Hand, dropped_after, millis, on_every_seed, under_fifo};

/// A queue of any kind.
pub(super) trait Kind: Clone + 'static {
    /// Whether the items come out in the order in which they were put, in this order or backwards.
    const ORDER: Order;
    fn bounded(capacity: usize) -> Self;
    fn unbounded() -> Self;
    fn named(self, name: &'static str) -> Self;
    fn put(&self, item: i32) -> Put<'_, i32>;
    fn try_put(&self, item: i32) -> Result<(), TryPutError<i32>>;
    fn get(&self) -> Get<'_, i32>;
    fn get_job(&self) -> GetJob<'_, i32>;
    fn try_get(&self) -> Result<i32, TryGetError>;
    fn task_done(&self);
    fn join(&self) -> Join<'_, i32>;
    fn close(&self);
    fn shutdown_now(&self) -> Vec<i32>;
    fn unfinished(&self) -> u64;
    fn state(&self) -> (usize, bool, bool, Option<usize>);
    fn text(&self) -> String;
}

#[derive(Clone, Copy)]
pub(super) enum Order {
    FirstPutFirst,
    LastPutFirst,
    LeastFirst,
}

impl Order {
    /// Returns items in the order in which a queue that holds them gives them out.
    pub(super) fn of(self, items: impl IntoIterator<Item = i32>) -> Vec<i32> {
        let mut items: Vec<i32> = items.into_iter().collect();
        match self {
            Self::FirstPutFirst => {}
            Self::LastPutFirst => items.reverse(),
            Self::LeastFirst => items.sort_unstable(),
        }
        items
    }
}

macro_rules! kind {
    ($Queue:ident, $order:ident) => {
        impl Kind for $Queue<i32> {
            const ORDER: Order = Order::$order;

            fn bounded(capacity: usize) -> Self {
                Self::bounded(capacity)
            }

            fn unbounded() -> Self {
                Self::unbounded()
            }

            fn named(self, name: &'static str) -> Self {
                self.named(name)
            }

            fn put(&self, item: i32) -> Put<'_, i32> {
                self.put(item)
            }

            fn try_put(&self, item: i32) -> Result<(), TryPutError<i32>> {
                self.try_put(item)
            }

            fn get(&self) -> Get<'_, i32> {
                self.get()
            }

            fn get_job(&self) -> GetJob<'_, i32> {
                self.get_job()
            }

            fn try_get(&self) -> Result<i32, TryGetError> {
                self.try_get()
            }

            fn task_done(&self) {
                self.task_done();
            }

            fn join(&self) -> Join<'_, i32> {
                self.join()
            }

            fn close(&self) {
                self.close();
            }

            fn shutdown_now(&self) -> Vec<i32> {
                self.shutdown_now()
            }

            fn unfinished(&self) -> u64 {
                self.unfinished()
            }

            fn state(&self) -> (usize, bool, bool, Option<usize>) {
                (self.len(), self.is_empty(), self.is_closed(), self.capacity())
            }

            fn text(&self) -> String {
                format!("{self:?}")
            }
        }
    };
}

kind!(Queue, FirstPutFirst);
kind!(PriorityQueue, LeastFirst);
kind!(LifoQueue, LastPutFirst);

macro_rules! for_each_kind {
    ($($test:ident)*) => {
        for_each_kind!(@ queue Queue $($test)*);
        for_each_kind!(@ priority_queue PriorityQueue $($test)*);
        for_each_kind!(@ lifo_queue LifoQueue $($test)*);
    };
    (@ $kind:ident $Queue:ident $($test:ident)*) => {
        mod $kind {
            $(
                #[test]
                fn $test() {
                    super::$test::<super::$Queue<i32>>();
                }
            )*
        }
    };
}

for_each_kind! {
    a_get_lets_a_put_that_waits_go_on
    a_getter_that_is_cancelled_eats_no_item
    a_producer_and_a_consumer_do_not_wedge
    getters_that_timed_out_are_not_waited_for
    items_for_getters_that_are_cancelled_stay
    a_put_that_is_cancelled_when_its_place_is_free_puts_once_or_not_at_all
    a_put_that_is_cancelled_does_not_hold_up_the_others
    puts_that_wait_all_end_when_items_are_taken_in_one_step
    puts_that_timed_out_are_not_waited_for
    a_put_that_is_cancelled_gives_its_place_to_the_next
    reporting_more_than_was_put_is_refused
    join_waits_for_the_reports_of_two_workers
    join_of_an_empty_queue_does_not_wait
    a_closed_empty_queue_refuses_everything
    a_closed_queue_gives_out_what_is_left
    shutdown_now_ends_all_who_wait_and_returns_the_items
    shutdown_now_leaves_what_was_taken_to_be_reported
    who_waits_owns_what_comes_free
    closing_ends_all_who_wait
    several_consumers_receive_everything_once
    a_put_that_is_cancelled_wakes_who_waits_for_the_end
    a_getter_is_not_starved_by_one_that_tries_again_and_again
    a_put_that_waits_is_not_overtaken
    an_item_put_at_the_instant_of_a_time_out_is_not_lost
    everything_is_received_once_under_cancellation
    dropping_a_get_or_a_put_after_any_number_of_polls_loses_nothing
    all_handles_are_of_one_queue
}

/// Runs a program under `Fifo` and on 300 seeds.
#[track_caller]
pub(super) fn on_300_seeds<F>(program: impl Fn() -> F + Copy + 'static) -> Vec<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let mut outputs = vec![under_fifo(program)];
    outputs.extend((0..300).map(|seed| parcae::Sim::new(seed).run(program).unwrap()));
    outputs
}

#[track_caller]
fn filled<Q: Kind>(queue: Q, items: impl IntoIterator<Item = i32>) -> Q {
    for item in items {
        queue.try_put(item).unwrap();
    }
    queue
}

fn drain<Q: Kind>(queue: &Q) -> Vec<i32> {
    std::iter::from_fn(|| queue.try_get().ok()).collect()
}

fn spawn_put<Q: Kind>(queue: &Q, item: i32) -> Task<Result<(), PutError<i32>>> {
    let queue = queue.clone();
    parcae::spawn(async move { queue.put(item).await })
}

fn spawn_get<Q: Kind>(queue: &Q) -> Task<Result<i32, GetError>> {
    let queue = queue.clone();
    parcae::spawn(async move { queue.get().await })
}

// Getting

fn a_get_lets_a_put_that_waits_go_on<Q: Kind>() {
    on_300_seeds(|| async {
        let queue = filled(Q::bounded(1), [1]);
        let put = spawn_put(&queue, 2);
        settle().await;
        assert!(!put.is_finished());
        assert_eq!(queue.get().await, Ok(1));
        assert_eq!(put.await, Ok(()));
        assert_eq!(queue.get().await, Ok(2));
    });
}

fn a_getter_that_is_cancelled_eats_no_item<Q: Kind>() {
    on_300_seeds(|| async {
        let queue = Q::bounded(5);
        let (first, second) = (spawn_get(&queue), spawn_get(&queue));
        settle().await;
        drop(first);
        settle().await;
        queue.put(1).await.unwrap();
        assert_eq!(second.await, Ok(1));
    });
}

fn a_producer_and_a_consumer_do_not_wedge<Q: Kind>() {
    on_300_seeds(|| async {
        let queue = Q::bounded(1);
        let producer = parcae::spawn({
            let queue = queue.clone();
            async move {
                for number in 0..5 {
                    queue.put(number).await.unwrap();
                }
            }
        });
        for number in 0..5 {
            sleep(millis(choose(0..=1))).await;
            assert_eq!(queue.get().await, Ok(number));
        }
        producer.await;
    });
}

fn getters_that_timed_out_are_not_waited_for<Q: Kind>() {
    on_300_seeds(|| async {
        let queue = Q::bounded(1);
        for _ in 0..3 {
            assert!(timeout(millis(1), queue.get()).await.is_err());
        }
        queue.put(1).await.unwrap();
        assert_eq!(queue.try_get(), Ok(1), "kept for somebody who is gone");
    });
}

// bpo-23812
fn items_for_getters_that_are_cancelled_stay<Q: Kind>() {
    for getter_count in [1, 3] {
        let survivors = on_300_seeds(move || async move {
            let queue = Q::unbounded();
            let getters: Vec<_> = (0..getter_count).map(|_| spawn_get(&queue)).collect();
            settle().await;
            let queue = filled(queue, 1..=4);
            let mut received = Vec::new();
            for getter in getters {
                if choose(0..2) == 1 {
                    // It runs first, perhaps.
                    yield_now().await;
                }
                received.extend(getter.cancel().await.map(Result::unwrap));
            }
            let count = received.len();
            let rest = drain(&queue);
            assert_eq!(rest, Q::ORDER.of(rest.iter().copied().collect::<BTreeSet<i32>>()));
            received.extend(rest);
            received.sort_unstable();
            assert_eq!(received, [1, 2, 3, 4]);
            count
        });
        assert!(survivors.contains(&0) && survivors.contains(&getter_count), "{survivors:?}");
    }
}

// Putting

fn a_put_that_is_cancelled_when_its_place_is_free_puts_once_or_not_at_all<Q: Kind>() {
    let was_put = on_300_seeds(|| async {
        let queue = filled(Q::bounded(1), [1]);
        let put = spawn_put(&queue, 2);
        settle().await;
        assert_eq!(queue.get().await, Ok(1));
        yield_now().await;
        let was_put = put.cancel().await.is_some();
        assert_eq!(drain(&queue), if was_put { vec![2] } else { vec![] });
        queue.try_put(3).unwrap();
        was_put
    });
    assert!(was_put.contains(&true) && was_put.contains(&false));
}

fn a_put_that_is_cancelled_does_not_hold_up_the_others<Q: Kind>() {
    on_300_seeds(|| async {
        let queue = filled(Q::bounded(1), [1]);
        let second = spawn_put(&queue, 2);
        settle().await;
        let third = spawn_put(&queue, 3);
        settle().await;
        assert_eq!(third.cancel().await, None);
        assert_eq!(queue.get().await, Ok(1));
        assert_eq!(queue.get().await, Ok(2));
        assert_eq!(second.await, Ok(()));
    });
}

// asyncio#265
fn puts_that_wait_all_end_when_items_are_taken_in_one_step<Q: Kind>() {
    on_300_seeds(|| async {
        let queue = filled(Q::bounded(3), [0, 1, 2]);
        let puts: Vec<_> = (3..7).map(|number| spawn_put(&queue, number)).collect();
        settle().await;
        let mut received = drain(&queue);
        assert_eq!(received, Q::ORDER.of(0..3));
        settle().await;
        received.extend(drain(&queue));
        for put in puts {
            assert_eq!(put.await, Ok(()));
        }
        received.extend(drain(&queue));
        received.sort_unstable();
        assert!(received.into_iter().eq(0..7));
    });
}

fn puts_that_timed_out_are_not_waited_for<Q: Kind>() {
    on_300_seeds(|| async {
        let queue = filled(Q::bounded(1), [1]);
        for number in 2..5 {
            assert!(timeout(millis(1), queue.put(number)).await.is_err());
        }
        assert_eq!(queue.try_get(), Ok(1));
        assert_eq!(queue.try_put(5), Ok(()), "kept for somebody who is gone");
        assert_eq!(drain(&queue), [5]);
    });
}

fn a_put_that_is_cancelled_gives_its_place_to_the_next<Q: Kind>() {
    on_300_seeds(|| async {
        let queue = filled(Q::bounded(1), [1]);
        let second = spawn_put(&queue, 2);
        settle().await;
        let third = spawn_put(&queue, 3);
        settle().await;
        // The place is free, and nobody has run.
        assert_eq!(queue.try_get(), Ok(1));
        drop(second);
        assert_eq!(third.await, Ok(()));
        assert_eq!(drain(&queue), [3]);
    });
}

// Reports

fn reporting_more_than_was_put_is_refused<Q: Kind>() {
    let queue = filled(Q::unbounded(), [1]);
    queue.task_done();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| queue.task_done()));
    let message = *result.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(message, "an item was reported done, but all 1 that were put were before");
    assert_eq!(queue.unfinished(), 0);
}

fn join_waits_for_the_reports_of_two_workers<Q: Kind>() {
    on_300_seeds(|| async {
        let queue = filled(Q::unbounded(), 0..20);
        let sum = Rc::new(Shared::new(0));
        let workers = [true, false].map(|is_job| {
            let (queue, sum) = (queue.clone(), sum.clone());
            parcae::spawn(async move {
                loop {
                    let item = if is_job {
                        let Ok(job) = queue.get_job().await else { return };
                        sleep(millis(choose(0..=1))).await;
                        sum.update(|sum| *sum += *job).await;
                        job.done()
                    } else {
                        let Ok(item) = queue.get().await else { return };
                        sleep(millis(choose(0..=1))).await;
                        sum.update(|sum| *sum += item).await;
                        queue.task_done();
                        item
                    };
                    assert!((0..20).contains(&item));
                }
            })
        });
        queue.join().await;
        assert_eq!((sum.peek(), queue.unfinished()), (190, 0));
        queue.close();
        for worker in workers {
            worker.await;
        }
    });
}

fn join_of_an_empty_queue_does_not_wait<Q: Kind>() {
    on_300_seeds(|| async {
        let queue = Q::bounded(1);
        queue.join().await;
        queue.join().await;
        assert!(queue.try_get().is_err());
    });
}

// Ends

fn a_closed_empty_queue_refuses_everything<Q: Kind>() {
    on_300_seeds(|| async {
        let queue = Q::bounded(1);
        queue.close();
        assert_eq!(queue.put(1).await, Err(PutError(1)));
        assert_eq!(queue.try_put(1), Err(TryPutError::Closed(1)));
        assert_eq!(queue.get().await, Err(GetError::Closed));
        assert_eq!(queue.try_get(), Err(TryGetError::Closed));
        queue.join().await;
    });
}

fn a_closed_queue_gives_out_what_is_left<Q: Kind>() {
    on_300_seeds(|| async {
        let queue = filled(Q::bounded(2), [1, 2]);
        let put = spawn_put(&queue, 3);
        let join = parcae::spawn({
            let queue = queue.clone();
            async move { queue.join().await }
        });
        settle().await;
        queue.close();
        assert_eq!(put.await, Err(PutError(3)));
        for item in Q::ORDER.of([1, 2]) {
            assert_eq!(queue.get().await, Ok(item));
        }
        assert_eq!(queue.get().await, Err(GetError::Closed));
        settle().await;
        assert!(!join.is_finished(), "two are taken and not done");
        queue.task_done();
        queue.task_done();
        join.await;
    });
}

fn shutdown_now_ends_all_who_wait_and_returns_the_items<Q: Kind>() {
    on_300_seeds(|| async {
        let queue = filled(Q::bounded(3), [2, 3, 1]);
        let put = spawn_put(&queue, 4);
        let join = parcae::spawn({
            let queue = queue.clone();
            async move { queue.join().await }
        });
        settle().await;
        assert_eq!(queue.shutdown_now(), Q::ORDER.of([2, 3, 1]));
        assert_eq!(put.await, Err(PutError(4)));
        join.await;
        assert_eq!(queue.get().await, Err(GetError::Closed));
        assert_eq!(queue.shutdown_now(), []);
        assert_eq!(queue.state(), (0, true, true, Some(3)));

        let queue = Q::unbounded();
        let getters = [spawn_get(&queue), spawn_get(&queue)];
        settle().await;
        assert_eq!(queue.shutdown_now(), []);
        for getter in getters {
            assert_eq!(getter.await, Err(GetError::Closed));
        }
    });
}

fn shutdown_now_leaves_what_was_taken_to_be_reported<Q: Kind>() {
    on_300_seeds(|| async {
        let queue = filled(Q::unbounded(), [1, 2, 3]);
        let job = queue.get_job().await.unwrap();
        let rest: Vec<_> = Q::ORDER.of([1, 2, 3]).into_iter().skip(1).collect();
        let join = parcae::spawn({
            let queue = queue.clone();
            async move { queue.join().await }
        });
        settle().await;
        assert_eq!(queue.shutdown_now(), rest);
        settle().await;
        assert!(!join.is_finished());
        assert_eq!(queue.unfinished(), 1);
        job.done();
        join.await;
    });
}

// Channels of other libraries

fn who_waits_owns_what_comes_free<Q: Kind>() {
    on_300_seeds(|| async {
        let queue = Q::bounded(1);
        // Nobody waits: what was put can be taken back, and put again.
        queue.put(1).await.unwrap();
        assert_eq!(queue.get().await, Ok(1));
        let get = spawn_get(&queue);
        settle().await;
        queue.try_put(2).unwrap();
        assert_eq!(queue.try_get(), Err(TryGetError::Empty));
        assert_eq!(get.await, Ok(2));

        queue.try_put(1).unwrap();
        let put = spawn_put(&queue, 2);
        settle().await;
        assert_eq!(queue.try_get(), Ok(1));
        assert_eq!(queue.try_put(3), Err(TryPutError::Full(3)));
        assert_eq!(queue.get().await, Ok(2));
        assert_eq!(put.await, Ok(()));
    });
}

fn closing_ends_all_who_wait<Q: Kind>() {
    on_300_seeds(|| async {
        let queue = Q::bounded(1);
        let get = spawn_get(&queue);
        settle().await;
        queue.close();
        assert_eq!(get.await, Err(GetError::Closed));

        let queue = filled(Q::bounded(1), [1]);
        let put = spawn_put(&queue, 2);
        settle().await;
        queue.close();
        assert_eq!(put.await, Err(PutError(2)));
        assert_eq!(queue.get().await, Ok(1));
    });
}

fn several_consumers_receive_everything_once<Q: Kind>() {
    on_every_seed(|| async {
        let queue = Q::bounded(2);
        let consumers = [(); 3].map(|()| {
            let queue = queue.clone();
            parcae::spawn(async move {
                let mut received = Vec::new();
                while let Ok(item) = queue.get().await {
                    received.push(item);
                }
                received
            })
        });
        for number in 0..10 {
            queue.put(number).await.unwrap();
        }
        queue.close();
        let mut received = Vec::new();
        for consumer in consumers {
            received.extend(consumer.await);
        }
        received.sort_unstable();
        assert!(received.into_iter().eq(0..10));
    });
}

/// The last put that could still fill the queue is cancelled: whoever waits for the end is told.
fn a_put_that_is_cancelled_wakes_who_waits_for_the_end<Q: Kind>() {
    let queue = filled(Q::bounded(1), [1]);
    let put = Hand::waiting(queue.put(2));
    assert_eq!(queue.try_get(), Ok(1));
    // A place is free for the put, and nothing is there for the getter.
    let mut get = Hand::waiting(queue.get());
    let mut join = Hand::waiting(queue.join());
    queue.close();
    drop(put);
    assert_eq!(get.wake_count(), 1);
    assert_eq!(get.ready(), Err(GetError::Closed));
    queue.task_done();
    assert_eq!(join.wake_count(), 1);
    join.ready();
}

// The gallery

fn a_getter_is_not_starved_by_one_that_tries_again_and_again<Q: Kind>() {
    on_every_seed(|| async {
        let queue = Q::bounded(1);
        let waiter = spawn_get(&queue);
        settle().await;
        let thief = parcae::spawn({
            let queue = queue.clone();
            async move {
                let mut stolen = 0;
                while !queue.state().2 {
                    stolen += usize::from(queue.try_get().is_ok());
                    yield_now().await;
                }
                stolen
            }
        });
        queue.put(0).await.unwrap();
        assert_eq!(waiter.await, Ok(0));
        queue.close();
        assert_eq!(thief.await, 0);
    });
}

// gh-83055
fn a_put_that_waits_is_not_overtaken<Q: Kind>() {
    on_every_seed(|| async {
        let queue = filled(Q::bounded(1), [0]);
        let first = spawn_put(&queue, 1);
        settle().await;
        assert_eq!(queue.try_get(), Ok(0));
        assert_eq!(queue.try_put(2), Err(TryPutError::Full(2)));
        let second = spawn_put(&queue, 2);
        assert_eq!(queue.get().await, Ok(1));
        assert_eq!(queue.get().await, Ok(2));
        first.await.unwrap();
        second.await.unwrap();
    });
}

// tornado#2826
fn an_item_put_at_the_instant_of_a_time_out_is_not_lost<Q: Kind>() {
    on_every_seed(|| async {
        let queue = Q::bounded(1);
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
        let mut received = Vec::new();
        loop {
            match timeout(millis(3), queue.get()).await {
                Ok(Ok(number)) => received.push(number),
                Ok(Err(_)) => break,
                Err(_) => {}
            }
        }
        assert_eq!(received, [0, 1, 2, 3, 4]);
        producer.await;
    });
}

// Random schedules

fn everything_is_received_once_under_cancellation<Q: Kind>() {
    let counts = on_every_seed(|| async {
        let queue = Q::bounded(2);
        let producers = [0, 100, 200].map(|from| {
            let queue = queue.clone();
            parcae::spawn(async move {
                let mut put = Vec::new();
                for item in from..from + 5 {
                    if timeout(millis(choose(0..=3)), queue.put(item)).await.is_ok() {
                        put.push(item);
                    }
                    sleep(millis(choose(0..=1))).await;
                }
                put
            })
        });
        let consumers = [(); 3].map(|()| {
            let queue = queue.clone();
            parcae::spawn(async move {
                let mut received = Vec::new();
                loop {
                    match timeout(millis(choose(0..=2)), queue.get_job()).await {
                        Ok(Ok(job)) => received.push(job.done()),
                        Ok(Err(_)) => return received,
                        Err(_) => sleep(millis(choose(0..=2))).await,
                    }
                }
            })
        });
        let (mut put, mut received) = (Vec::new(), Vec::new());
        for producer in producers {
            put.extend(producer.await);
        }
        queue.join().await;
        queue.close();
        for consumer in consumers {
            received.extend(consumer.await);
        }
        received.sort_unstable();
        assert_eq!(received, put);
        received.len()
    });
    assert!(counts.iter().any(|count| *count < 15), "no put was ever cancelled");
}

fn dropping_a_get_or_a_put_after_any_number_of_polls_loses_nothing<Q: Kind>() {
    for polls in 0..5 {
        on_every_seed(move || async move {
            let queue = Q::bounded(1);
            let steady = [spawn_put(&queue, 1), spawn_put(&queue, 2)];
            let put = parcae::spawn({
                let queue = queue.clone();
                async move { dropped_after(polls, queue.put(3)).await.is_some() }
            });
            let get = parcae::spawn({
                let queue = queue.clone();
                async move { dropped_after(polls, queue.get()).await.map(Result::unwrap) }
            });
            let rest = parcae::spawn({
                let queue = queue.clone();
                async move {
                    let mut received = Vec::new();
                    while let Ok(item) = queue.get().await {
                        received.push(item);
                    }
                    received
                }
            });
            for put in steady {
                put.await.unwrap();
            }
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

fn all_handles_are_of_one_queue<Q: Kind>() {
    let queue = Q::bounded(3).named("items");
    let other = queue.clone();
    other.try_put(1).unwrap();
    assert_eq!(queue.state(), (1, false, false, Some(3)));
    let text = queue.text();
    assert!(
        text.ends_with("Queue { len: 1, capacity: Some(3), unfinished: 1, is_closed: false }"),
        "{text}"
    );
    queue.close();
    assert_eq!(other.state(), (1, false, true, Some(3)));
    assert_eq!(Q::unbounded().state().3, None);
}
