//! The loop of a worker.

use std::future::{Future, poll_fn};

use futures_lite::future;

use super::Worker;

impl Worker {
    /// Polls tasks until a future is ready, which may look at them. Sleeps while there is nothing to do.
    pub(crate) fn drive<T>(&self, until: impl Future<Output = T>) -> T {
        let local = self.local.borrow().clone();
        let tasks = async {
            loop {
                let over = poll_fn(|context| self.time_limits.poll_over(context));
                if (0..BATCH).all(|_| local.try_tick()) || self.wake_settling() {
                    // Others on this thread have their say: the future, and the reactor.
                    future::or(over, future::yield_now()).await;
                } else {
                    future::or(over, local.tick()).await;
                }
            }
        };
        async_io::block_on(future::or(until, tasks))
    }

    /// Wakes the first that waits until nothing is ready, now that nothing is.
    fn wake_settling(&self) -> bool {
        let first = self.settling.borrow_mut().pop_front();
        let is_one = first.is_some();
        if let Some(settling) = first {
            settling.waker.wake();
        }
        is_one
    }

    /// Destroys what is left of the tasks, each in its own context.
    pub(crate) fn clear(&self) {
        let local = self.local.take();
        drop(local);
        // A task that another thread was about to wake is in no queue just then, and lost with it.
        self.run.end_lost(self.index);
    }
}

/// Polls in a row; as many as `async_executor` has.
const BATCH: usize = 200;
