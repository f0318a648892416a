//! What the queues of other orders have in common with [`super::Queue`]: all but the order.

/// Gives a type that holds a `queue: Queue<T>` the methods of a queue.
macro_rules! queue_methods {
    ($Queue:ident) => {
        impl<T> $Queue<T> {
            /// Gives it a name for reports.
            ///
            /// # Panics
            /// When it has been cloned already.
            #[must_use]
            #[track_caller]
            pub fn named(self, name: &'static str) -> Self {
                Self { queue: self.queue.named(name) }
            }

            /// Waits for a place, after those who waited before, and puts the item there; see
            /// [`Queue::put`].
            ///
            /// # Errors
            /// [`PutError`](crate::sync::PutError) with the item when the queue is closed, also while
            /// this waits.
            ///
            /// # Cancel safety
            /// Cancel safe: the item is put when the future is ready, and never if it is dropped
            /// before. It is dropped with the future, and the place goes to the next waiter.
            ///
            /// # Examples
            /// ```
            /// # parcae::Sim::new(7).run(|| async {
            #[doc = concat!("let queue = parcae::sync::", stringify!($Queue), "::bounded(1);")]
            /// queue.put("a").await.expect("open");
            /// queue.close();
            /// assert_eq!(queue.put("b").await.map_err(|error| error.into_inner()), Err("b"));
            /// # }).unwrap();
            /// ```
            #[track_caller]
            pub fn put(&self, item: T) -> Put<'_, T> {
                self.queue.put(item)
            }

            /// Puts the item if there is a place and nobody waits for it.
            ///
            /// # Errors
            /// [`TryPutError`] with the item, when the queue is full or closed.
            ///
            /// # Examples
            /// ```
            #[doc = concat!("use parcae::sync::{", stringify!($Queue), ", TryPutError};")]
            ///
            #[doc = concat!("let queue = ", stringify!($Queue), "::bounded(1);")]
            /// assert_eq!(queue.try_put(1), Ok(()));
            /// assert_eq!(queue.try_put(2), Err(TryPutError::Full(2)));
            /// ```
            pub fn try_put(&self, item: T) -> Result<(), TryPutError<T>> {
                self.queue.try_put(item)
            }

            /// Waits for an item, after those who waited before, and takes it: the best there is when
            /// this runs, not when it was woken. See [`Queue::get`].
            ///
            /// The item owes a report, if anybody joins the queue.
            ///
            /// # Errors
            /// [`GetError::Closed`](crate::sync::GetError::Closed) when the queue is closed and every
            /// item has been taken.
            ///
            /// # Cancel safety
            /// Cancel safe: the turn goes to the next waiter, and the item stays.
            ///
            /// # Examples
            /// ```
            /// # parcae::Sim::new(7).run(|| async {
            #[doc = concat!("let queue = parcae::sync::", stringify!($Queue), "::unbounded();")]
            /// queue.put(1).await.expect("open");
            /// assert_eq!(queue.get().await, Ok(1));
            /// # }).unwrap();
            /// ```
            #[track_caller]
            pub fn get(&self) -> Get<'_, T> {
                self.queue.get()
            }

            /// Waits for an item as `get` does, and takes it with what reports it done.
            ///
            /// # Errors
            /// [`GetError::Closed`](crate::sync::GetError::Closed) when the queue is closed and every
            /// item has been taken.
            ///
            /// # Cancel safety
            /// Cancel safe, as `get` is.
            ///
            /// # Examples
            /// ```
            /// # parcae::Sim::new(7).run(|| async {
            #[doc = concat!("let queue = parcae::sync::", stringify!($Queue), "::unbounded();")]
            /// queue.put(20).await.expect("open");
            /// assert_eq!(queue.get_job().await.expect("not closed").done(), 20);
            /// queue.join().await;
            /// # }).unwrap();
            /// ```
            #[track_caller]
            pub fn get_job(&self) -> GetJob<'_, T> {
                self.queue.get_job()
            }

            /// Takes the best item if there is one that nobody waits for.
            ///
            /// # Errors
            /// [`TryGetError::Empty`] when there is none, [`TryGetError::Closed`] when none will come.
            ///
            /// # Examples
            /// ```
            #[doc = concat!("use parcae::sync::{", stringify!($Queue), ", TryGetError};")]
            ///
            #[doc = concat!("let queue = ", stringify!($Queue), "::<u8>::unbounded();")]
            /// assert_eq!(queue.try_get(), Err(TryGetError::Empty));
            /// queue.close();
            /// assert_eq!(queue.try_get(), Err(TryGetError::Closed));
            /// ```
            pub fn try_get(&self) -> Result<T, TryGetError> {
                self.queue.try_get()
            }

            /// Reports that one item that was taken is done.
            ///
            /// # Panics
            /// When it is called more often than items were put.
            #[track_caller]
            pub fn task_done(&self) {
                self.queue.task_done();
            }

            /// Waits until every item that was put has been reported done; see [`Queue::join`].
            ///
            /// # Cancel safety
            /// Cancel safe: nothing is taken.
            #[track_caller]
            pub fn join(&self) -> Join<'_, T> {
                self.queue.join()
            }

            /// Closes the queue: puts fail from here on, those that wait too; gets fail once all items
            /// have been taken. Nothing happens when it is closed already.
            pub fn close(&self) {
                self.queue.close();
            }

            /// Closes the queue and returns what was in it, in the order of taking. Those items count
            /// as done; what was taken before still owes its report.
            #[must_use = "what is returned was not worked off"]
            pub fn shutdown_now(&self) -> Vec<T> {
                self.queue.shutdown_now()
            }

            /// Tells whether the queue is closed.
            #[must_use]
            pub fn is_closed(&self) -> bool {
                self.queue.is_closed()
            }

            /// Counts the items that can be taken, those included that waiters are about to take.
            #[must_use]
            pub fn len(&self) -> usize {
                self.queue.len()
            }

            /// Tells whether there is no item.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.queue.is_empty()
            }

            /// Counts the items that were put and not reported done.
            #[must_use]
            pub fn unfinished(&self) -> u64 {
                self.queue.unfinished()
            }

            /// Returns how many items there can be; none for an unbounded queue.
            #[must_use]
            pub fn capacity(&self) -> Option<usize> {
                self.queue.capacity()
            }
        }

        impl<T> Clone for $Queue<T> {
            fn clone(&self) -> Self {
                Self { queue: self.queue.clone() }
            }
        }

        impl<T> fmt::Debug for $Queue<T> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.queue.format(stringify!($Queue), formatter)
            }
        }
    };
}

pub(super) use queue_methods;
