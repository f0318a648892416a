//! Of the queues of `parcae::sync`.

use std::cell::RefCell;

use parcae::sync::{LifoQueue, PriorityQueue, Queue};
use parcae::testing::{CancelAtEveryAwait, CancelReport};
use parcae::time::sleep;

use super::{Case, World, add_one};
use crate::runs::secs;

pub(super) const CASES: &[Case] = &[
    Case { name: "Queue::put", check: put::<Queue<u32>> },
    Case { name: "Queue::get", check: get::<Queue<u32>> },
    Case { name: "Queue::get_job", check: get_job::<Queue<u32>> },
    Case { name: "Queue::join", check: join::<Queue<u32>> },
    Case { name: "PriorityQueue::put", check: put::<PriorityQueue<u32>> },
    Case { name: "PriorityQueue::get", check: get::<PriorityQueue<u32>> },
    Case { name: "PriorityQueue::get_job", check: get_job::<PriorityQueue<u32>> },
    Case { name: "PriorityQueue::join", check: join::<PriorityQueue<u32>> },
    Case { name: "LifoQueue::put", check: put::<LifoQueue<u32>> },
    Case { name: "LifoQueue::get", check: get::<LifoQueue<u32>> },
    Case { name: "LifoQueue::get_job", check: get_job::<LifoQueue<u32>> },
    Case { name: "LifoQueue::join", check: join::<LifoQueue<u32>> },
];

/// What the three kinds of queue have in common.
trait AnyQueue: 'static {
    fn bounded(capacity: usize) -> Self;
    async fn put(&self, item: u32);
    async fn get(&self) -> u32;
    async fn get_and_do(&self);
    async fn join(&self);
    fn try_get(&self) -> Option<u32>;
    fn unfinished(&self) -> u64;
}

macro_rules! any_queue {
    ($Queue:ident) => {
        impl AnyQueue for $Queue<u32> {
            fn bounded(capacity: usize) -> Self {
                Self::bounded(capacity).named("mail")
            }

            async fn put(&self, item: u32) {
                self.put(item).await.unwrap();
            }

            async fn get(&self) -> u32 {
                self.get().await.unwrap()
            }

            async fn get_and_do(&self) {
                self.get_job().await.unwrap().done();
            }

            async fn join(&self) {
                self.join().await;
            }

            fn try_get(&self) -> Option<u32> {
                self.try_get().ok()
            }

            fn unfinished(&self) -> u64 {
                self.unfinished()
            }
        }
    };
}

any_queue!(Queue);
any_queue!(PriorityQueue);
any_queue!(LifoQueue);

/// A queue, and what was got from it, in order.
struct Mail<Q> {
    queue: Q,
    got: RefCell<Vec<u32>>,
}

impl<Q: AnyQueue> Mail<Q> {
    fn bounded(capacity: usize) -> Self {
        Self { queue: Q::bounded(capacity), got: RefCell::default() }
    }

    async fn put(&self, items: &[u32]) {
        for item in items {
            self.queue.put(*item).await;
        }
    }

    async fn get(&self, count: usize) {
        for _ in 0..count {
            // Written down with the taking: in between nothing can happen.
            let item = self.queue.get().await;
            self.got.borrow_mut().push(item);
        }
    }

    /// Returns all that was ever got or is there now, the least first.
    fn all(&self) -> Vec<u32> {
        let mut all = self.got.take();
        while let Some(item) = self.queue.try_get() {
            all.push(item);
        }
        all.sort_unstable();
        all
    }
}

fn put<Q: AnyQueue>(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            World::of(Mail::<Q>::bounded(1))
                .beside("before", async |(mail, _)| mail.put(&[1, 2, 3]).await)
                .settled()
                .await
                .beside("behind", async |(mail, _)| mail.put(&[4, 5]).await)
                .beside("reader", async |(mail, _)| mail.get(5).await)
        },
        async |mail| mail.queue.put(9).await,
        async |mail, output| {
            mail.others_end().await;
            let wanted: &[u32] =
                if output.is_some() { &[1, 2, 3, 4, 5, 9] } else { &[1, 2, 3, 4, 5] };
            assert_eq!(mail.all(), wanted, "put, or as if it had not begun");
        },
    )
}

fn get<Q: AnyQueue>(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            World::of(Mail::<Q>::bounded(2))
                .beside("before", async |(mail, _)| mail.get(1).await)
                .settled()
                .await
                .beside("behind", async |(mail, _)| mail.get(1).await)
                .beside("writer", async |(mail, _)| mail.put(&[1, 2, 3]).await)
        },
        async |mail| mail.get(1).await,
        async |mail, output| {
            mail.others_end().await;
            assert_eq!(mail.got.borrow().len(), 2 + usize::from(output.is_some()));
            assert_eq!(mail.all(), [1, 2, 3]);
        },
    )
}

fn get_job<Q: AnyQueue>(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            World::of(Mail::<Q>::bounded(9))
                .beside("worker", async |(mail, done)| {
                    mail.queue.get_and_do().await;
                    add_one(&done);
                })
                .settled()
                .await
                .beside("writer", async |(mail, _)| mail.put(&[1, 2]).await)
        },
        async |mail| mail.queue.get_and_do().await,
        async |mail, output| {
            mail.others_end().await;
            assert_eq!(mail.done.get(), 1, "the worker had its job");
            assert_eq!(mail.queue.unfinished(), u64::from(output.is_none()));
            if output.is_none() {
                mail.queue.get_and_do().await;
            }
            mail.queue.join().await;
        },
    )
}

fn join<Q: AnyQueue>(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            let mail = Mail::<Q>::bounded(9);
            mail.put(&[1]).await;
            World::of(mail)
                .beside("joins too", async |(mail, done)| {
                    mail.queue.join().await;
                    add_one(&done);
                })
                .settled()
                .await
                .beside("worker", async |(mail, _)| {
                    sleep(secs(1)).await;
                    mail.queue.get_and_do().await;
                })
        },
        async |mail| mail.queue.join().await,
        async |mail, _| {
            mail.others_end().await;
            assert_eq!((mail.done.get(), mail.queue.unfinished()), (1, 0));
        },
    )
}
