use std::cell::RefCell;
use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;
use std::rc::Rc;

use parcae::sync::{PriorityQueue, TryGetError};
use parcae::task::settle;
use parcae::{Sim, choose};

use super::queue_kinds::on_300_seeds;
use super::{Hand, on_every_seed};

/// Compared by its rank alone.
#[derive(Debug)]
struct Job {
    rank: u8,
    name: &'static str,
}

impl Ord for Job {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Job {}

fn filled(jobs: &[(u8, &'static str)]) -> PriorityQueue<Job> {
    let queue = PriorityQueue::unbounded();
    for (rank, name) in jobs.iter().copied() {
        queue.try_put(Job { rank, name }).unwrap();
    }
    queue
}

#[test]
fn the_least_item_goes_first() {
    on_300_seeds(|| async {
        let queue = PriorityQueue::bounded(4);
        for item in [1, 3, 2] {
            queue.put(item).await.unwrap();
        }
        assert_eq!([(); 3].map(|()| queue.try_get()), [Ok(1), Ok(2), Ok(3)]);
    });
    let queue = PriorityQueue::unbounded();
    for item in [1, 3, 2] {
        queue.try_put(Reverse(item)).unwrap();
    }
    assert_eq!(queue.shutdown_now(), [Reverse(3), Reverse(2), Reverse(1)]);
}

#[test]
fn equal_items_go_in_the_order_in_which_they_were_put() {
    let jobs = [(2, "a"), (1, "b"), (2, "c"), (1, "d"), (2, "e"), (2, "f"), (1, "g")];
    let names = ["b", "d", "g", "a", "c", "e", "f"];
    let queue = filled(&jobs);
    let taken = std::iter::from_fn(|| queue.try_get().ok()).map(|job| job.name);
    assert!(taken.eq(names));
    let returned = filled(&jobs).shutdown_now();
    assert!(returned.into_iter().map(|job| job.name).eq(names));
}

#[test]
fn equal_items_keep_their_order_when_others_come_and_go() {
    let queue = filled(&[(1, "a"), (1, "b"), (1, "c")]);
    assert_eq!(queue.try_get().unwrap().name, "a");
    queue.try_put(Job { rank: 1, name: "d" }).unwrap();
    queue.try_put(Job { rank: 0, name: "first" }).unwrap();
    let taken = std::iter::from_fn(|| queue.try_get().ok()).map(|job| job.name);
    assert!(taken.eq(["first", "b", "c", "d"]));
}

#[test]
fn a_getter_takes_the_best_item_there_is_when_it_runs() {
    let queue = PriorityQueue::unbounded();
    let mut getter = Hand::waiting(queue.get());
    queue.try_put(5).unwrap();
    assert_eq!(getter.wake_count(), 1);
    queue.try_put(3).unwrap();
    assert_eq!(getter.ready(), Ok(3));
    assert_eq!(queue.try_get(), Ok(5));
}

#[test]
fn of_two_getters_the_one_that_runs_first_takes_the_best_item() {
    let queue = PriorityQueue::unbounded();
    let mut first = Hand::waiting(queue.get());
    let mut second = Hand::waiting(queue.get());
    queue.try_put(5).unwrap();
    queue.try_put(3).unwrap();
    assert_eq!((first.wake_count(), second.wake_count()), (1, 1));
    assert_eq!(queue.try_get(), Err(TryGetError::Empty), "both are promised to somebody");
    assert_eq!(second.ready(), Ok(3));
    assert_eq!(first.ready(), Ok(5));
}

#[test]
fn a_newcomer_does_not_take_the_better_of_two_items_while_others_wait() {
    let queue = PriorityQueue::unbounded();
    let mut first = Hand::waiting(queue.get());
    queue.try_put(5).unwrap();
    let mut newcomer = Hand::waiting(queue.get());
    queue.try_put(1).unwrap();
    queue.try_put(9).unwrap();
    assert_eq!(queue.try_get(), Ok(1), "the third item is nobody's, and the best is taken");
    assert!(newcomer.poll().is_ready());
    assert_eq!(first.ready(), Ok(9));
}

#[test]
fn the_turn_of_a_dropped_getter_goes_to_the_next_and_the_items_stay() {
    for dropped in 0..3 {
        let queue = PriorityQueue::unbounded();
        let mut getters: Vec<_> = (0..3).map(|_| Some(Hand::waiting(queue.get()))).collect();
        for item in [2, 1] {
            queue.try_put(item).unwrap();
        }
        getters[dropped] = None;
        let received: Vec<_> = getters.iter_mut().flatten().map(Hand::ready).collect();
        assert_eq!(received, [Ok(1), Ok(2)], "without getter {dropped}");
    }
}

#[test]
fn every_item_that_is_taken_is_the_best_of_those_there() {
    let overtakings = on_every_seed(|| async {
        let queue = PriorityQueue::bounded(3);
        let there = Rc::new(RefCell::new(BTreeSet::new()));
        let producers = [0, 100].map(|first| {
            let (queue, there) = (queue.clone(), there.clone());
            parcae::spawn(async move {
                for number in first..first + 6 {
                    let item = (choose(0..20_u8), number);
                    queue.put(item).await.unwrap();
                    there.borrow_mut().insert(item);
                }
            })
        });
        let consumers = [(); 2].map(|()| {
            let (queue, there) = (queue.clone(), there.clone());
            parcae::spawn(async move {
                let (mut last, mut overtakings) = ((0, 0), 0);
                while let Ok(item) = queue.get().await {
                    assert_eq!(there.borrow_mut().pop_first(), Some(item));
                    overtakings += usize::from(item < last);
                    last = item;
                }
                overtakings
            })
        });
        for producer in producers {
            producer.await;
        }
        queue.close();
        let mut overtakings = 0;
        for consumer in consumers {
            overtakings += consumer.await;
        }
        overtakings
    });
    assert!(overtakings.iter().any(|count| *count > 0), "nothing better ever came later");
}

#[test]
fn the_order_does_not_depend_on_the_schedule_when_all_is_put_before() {
    on_every_seed(|| async {
        let queue = PriorityQueue::unbounded();
        let producers = [0, 1, 2].map(|first| {
            let queue = queue.clone();
            parcae::spawn(async move {
                for item in (first..12).step_by(3).rev() {
                    queue.put(item).await.unwrap();
                }
            })
        });
        settle().await;
        for producer in producers {
            producer.await;
        }
        assert!(queue.shutdown_now().into_iter().eq(0..12));
    });
}

#[test]
fn a_getter_of_a_priority_queue_that_waits_for_ever_is_named() {
    let outcome = Sim::new(1).run(|| async {
        let queue = PriorityQueue::<u8>::unbounded().named("alarms");
        queue.get().await
    });
    let failure = outcome.into_result().unwrap_err().to_string();
    assert!(failure.contains("`main` waits for PriorityQueue get of `alarms`"), "{failure}");
}

#[test]
#[should_panic(expected = "a queue of capacity 0 takes no item")]
fn a_priority_queue_without_places_is_refused() {
    drop(PriorityQueue::<i32>::bounded(0));
}
