//! A queue whose least item goes first.

use std::fmt;

use super::error::{TryGetError, TryPutError};
use super::items::Items;
use super::job::GetJob;
use super::queue::{Get, Join, Put, Queue, UNBOUNDED, check_capacity};
use super::queue_methods::queue_methods;

/// Hands the **least** item to whoever gets next; of equal ones the one that was put first.
///
/// That is asyncio's order, and the opposite of [`std::collections::BinaryHeap`]:
/// [`std::cmp::Reverse`] turns it round. Items are often pairs of priority and work; the work is
/// compared as well then, unless the pair has an order of its own.
///
/// In all else it is a [`Queue`]: both sides are served in the order of their arrival, nobody barges
/// in, and [`Job`](super::Job) reports its items done. Who waits is promised *an* item, and takes the
/// least that is there when it runs, even if that was put after it was woken.
///
/// Items are compared while the queue is held: their `cmp` must neither use the queue nor panic. If it
/// panics, in which order items come out, and whether all waiters are woken, is unspecified.
///
/// **When not to use it**: where what is unimportant must be served some day; it waits as long as
/// anything more important comes.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::sync::PriorityQueue;
///
/// let alarms = PriorityQueue::unbounded();
/// for alarm in [(2, "door"), (1, "fire"), (2, "bell")] {
///     alarms.put(alarm).await.expect("open");
/// }
/// assert_eq!(alarms.get().await, Ok((1, "fire")));
/// assert_eq!(alarms.get().await, Ok((2, "bell")), "the texts are compared too");
/// assert_eq!(alarms.get().await, Ok((2, "door")));
/// # }).unwrap();
/// ```
///
/// A report that is forgotten is a deadlock of `join`, which names the queue:
/// ```
/// use parcae::{Sim, sync::PriorityQueue};
///
/// let outcome = Sim::new(7).run(|| async {
///     let alarms = PriorityQueue::unbounded().named("alarms");
///     alarms.put(1).await.expect("open");
///     let _alarm = alarms.get().await; // no `task_done`
///     alarms.join().await;
/// });
/// let failure = outcome.into_result().unwrap_err().to_string();
/// assert!(failure.contains("`main` waits for PriorityQueue join of `alarms`"));
/// ```
pub struct PriorityQueue<T> {
    queue: Queue<T>,
}

impl<T: Ord> PriorityQueue<T> {
    /// Makes a queue that holds at most so many items; puts wait while it is full, however important
    /// their items are.
    ///
    /// # Panics
    /// When the capacity is 0.
    #[must_use]
    #[track_caller]
    pub fn bounded(capacity: usize) -> Self {
        check_capacity(capacity);
        Self { queue: Queue::with("PriorityQueue", Items::least_first(), capacity) }
    }

    /// Makes a queue in which every item has a place: puts do not wait.
    #[must_use]
    #[track_caller]
    pub fn unbounded() -> Self {
        Self { queue: Queue::with("PriorityQueue", Items::least_first(), UNBOUNDED) }
    }
}

queue_methods!(PriorityQueue);
