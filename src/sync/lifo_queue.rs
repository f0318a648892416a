//! A queue whose last item goes first.

use std::fmt;

use super::error::{TryGetError, TryPutError};
use super::items::Items;
use super::job::GetJob;
use super::queue::{Get, Join, Put, Queue, UNBOUNDED, check_capacity};
use super::queue_methods::queue_methods;

/// Hands the item that was put **last** to whoever gets next: a stack.
///
/// In all else it is a [`Queue`]: both sides are served in the order of their arrival (the *waiters*,
/// not the items), nobody barges in, and [`Job`](super::Job) reports its items done. Who waits is
/// promised *an* item, and takes the last that is there when it runs, even if that was put after it
/// was woken.
///
/// **When not to use it**: where every item must be served some day; the first ones wait as long as
/// later ones come. It is for work that is worth less the older it is, and for what is reused while it
/// is warm.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::sync::LifoQueue;
///
/// let plates = LifoQueue::unbounded();
/// for plate in ["low", "middle", "high"] {
///     plates.put(plate).await.expect("open");
/// }
/// assert_eq!(plates.get().await, Ok("high"));
/// assert_eq!(plates.get().await, Ok("middle"));
/// # }).unwrap();
/// ```
///
/// Waiting for what nobody puts is a deadlock, and the report names the queue:
/// ```
/// use parcae::{Sim, sync::LifoQueue};
///
/// let outcome = Sim::new(7).run(|| async {
///     let plates = LifoQueue::<u8>::unbounded().named("plates");
///     let _plate = plates.get().await;
/// });
/// let failure = outcome.into_result().unwrap_err().to_string();
/// assert!(failure.contains("`main` waits for LifoQueue get of `plates`"));
/// ```
pub struct LifoQueue<T> {
    queue: Queue<T>,
}

impl<T> LifoQueue<T> {
    /// Makes a queue that holds at most so many items; puts wait while it is full.
    ///
    /// # Panics
    /// When the capacity is 0.
    #[must_use]
    #[track_caller]
    pub fn bounded(capacity: usize) -> Self {
        check_capacity(capacity);
        Self { queue: Queue::with("LifoQueue", Items::last_put_first(), capacity) }
    }

    /// Makes a queue in which every item has a place: puts do not wait.
    #[must_use]
    #[track_caller]
    pub fn unbounded() -> Self {
        Self { queue: Queue::with("LifoQueue", Items::last_put_first(), UNBOUNDED) }
    }
}

queue_methods!(LifoQueue);
