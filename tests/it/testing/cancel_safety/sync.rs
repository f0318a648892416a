//! Of `parcae::sync`.

use std::cell::RefCell;
use std::rc::Rc;

use parcae::sync::{Event, Mutex, Queue};
use parcae::testing::{CancelAtEveryAwait, CancelReport};
use parcae::time::sleep;

use super::{Case, World, add_one};
use crate::runs::secs;

pub(super) const CASES: &[Case] = &[
    Case { name: "Mutex::lock", check: mutex_lock },
    Case { name: "Event::wait", check: event_wait },
    Case { name: "Queue::put", check: queue_put },
    Case { name: "Queue::get", check: queue_get },
    Case { name: "Queue::get_job", check: queue_get_job },
    Case { name: "Queue::join", check: queue_join },
];

fn mutex_lock(options: CancelAtEveryAwait) -> CancelReport {
    let add = async |lock: &Mutex<u32>| {
        let mut count = lock.lock().await;
        sleep(secs(1)).await;
        *count += 1;
    };
    options.run(
        async move || {
            World::of(Mutex::new(0).named("count"))
                .beside("first", async move |(lock, _)| add(&lock).await)
                .beside("second", async move |(lock, _)| add(&lock).await)
                .settled()
                .await
                .beside("third", async move |(lock, _)| add(&lock).await)
        },
        async move |lock| add(lock).await,
        async |lock, output| {
            lock.others_end().await;
            assert_eq!(*lock.lock().await, 3 + u32::from(output.is_some()));
        },
    )
}

fn event_wait(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            World::of(Event::new().named("ready"))
                .beside("before", async |(event, _)| event.wait().await)
                .beside("setter", async |(event, _)| {
                    sleep(secs(1)).await;
                    event.set();
                })
                .settled()
                .await
                .beside("behind", async |(event, _)| event.wait().await)
        },
        async |event| event.wait().await,
        async |event, _| {
            event.others_end().await;
            assert!(event.is_set());
        },
    )
}

/// A queue, and what was got from it, in order.
struct Mail {
    queue: Queue<u32>,
    got: RefCell<Vec<u32>>,
}

impl Mail {
    fn new(queue: Queue<u32>) -> Self {
        Self { queue: queue.named("mail"), got: RefCell::default() }
    }

    async fn put(self: Rc<Self>, items: &[u32]) {
        for item in items {
            self.queue.put(*item).await.unwrap();
        }
    }

    async fn get(self: Rc<Self>, count: usize) {
        for _ in 0..count {
            // Written down with the taking, as by `map`: in between nothing can happen.
            let item = self.queue.get().await.unwrap();
            self.got.borrow_mut().push(item);
        }
    }

    /// Returns all that was ever got or is there now, in order.
    fn all(&self) -> Vec<u32> {
        let mut all = self.got.take();
        while let Ok(item) = self.queue.try_get() {
            all.push(item);
        }
        all
    }
}

fn queue_put(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            World::of(Mail::new(Queue::bounded(1)))
                .beside("before", async |(mail, _)| mail.put(&[1, 2, 3]).await)
                .settled()
                .await
                .beside("behind", async |(mail, _)| mail.put(&[4, 5]).await)
                .beside("reader", async |(mail, _)| mail.get(5).await)
        },
        async |mail| mail.queue.put(9).await.unwrap(),
        async |mail, output| {
            mail.others_end().await;
            let mut all = mail.all();
            let place = all.iter().position(|item| *item == 9);
            assert_eq!(place.is_some(), output.is_some(), "put, or as if it had not begun");
            all.retain(|item| *item != 9);
            all.sort_unstable();
            assert_eq!(all, [1, 2, 3, 4, 5]);
        },
    )
}

fn queue_get(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            World::of(Mail::new(Queue::bounded(2)))
                .beside("before", async |(mail, _)| mail.get(1).await)
                .settled()
                .await
                .beside("behind", async |(mail, _)| mail.get(1).await)
                .beside("writer", async |(mail, _)| mail.put(&[1, 2, 3]).await)
        },
        async |mail| {
            let item = mail.queue.get().await.unwrap();
            mail.got.borrow_mut().push(item);
        },
        async |mail, output| {
            mail.others_end().await;
            assert_eq!(mail.got.borrow().len(), 2 + usize::from(output.is_some()));
            let mut all = mail.all();
            all.sort_unstable();
            assert_eq!(all, [1, 2, 3]);
        },
    )
}

fn queue_get_job(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            World::of(Mail::new(Queue::unbounded()))
                .beside("worker", async |(mail, done)| {
                    mail.queue.get_job().await.unwrap().done();
                    add_one(&done);
                })
                .settled()
                .await
                .beside("writer", async |(mail, _)| mail.put(&[1, 2]).await)
        },
        async |mail| mail.queue.get_job().await.unwrap().done(),
        async |mail, output| {
            mail.others_end().await;
            assert_eq!(mail.done.get(), 1, "the worker had its job");
            let done = if output.is_some() { 2 } else { 1 };
            assert_eq!(mail.queue.unfinished(), 2 - done);
            if output.is_none() {
                mail.queue.get_job().await.unwrap().done();
            }
            mail.queue.join().await;
        },
    )
}

fn queue_join(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            let mail = Mail::new(Queue::unbounded());
            mail.queue.put(1).await.unwrap();
            World::of(mail)
                .beside("joins too", async |(mail, done)| {
                    mail.queue.join().await;
                    add_one(&done);
                })
                .settled()
                .await
                .beside("worker", async |(mail, _)| {
                    let job = mail.queue.get_job().await.unwrap();
                    sleep(secs(1)).await;
                    job.done();
                })
        },
        async |mail| mail.queue.join().await,
        async |mail, _| {
            mail.others_end().await;
            assert_eq!((mail.done.get(), mail.queue.unfinished()), (1, 0));
        },
    )
}
