//! Of the locks of `parcae::sync`, and of what is waited for together.

use std::cell::Cell;
use std::sync::Arc;

use parcae::sync::{Barrier, Condition, Event, Mutex, Once, OnceCell, RwLock, Semaphore};
use parcae::testing::{CancelAtEveryAwait, CancelReport};
use parcae::time::sleep;

use super::{Case, World, add_one};
use crate::runs::secs;

pub(super) const CASES: &[Case] = &[
    Case { name: "Mutex::lock", check: mutex_lock },
    Case { name: "RwLock::read", check: rwlock_read },
    Case { name: "RwLock::write", check: rwlock_write },
    Case { name: "Semaphore::acquire", check: semaphore_acquire },
    Case { name: "Semaphore::acquire_many", check: semaphore_acquire_many },
    Case { name: "Semaphore::acquire_owned", check: semaphore_acquire_owned },
    Case { name: "Semaphore::acquire_many_owned", check: semaphore_acquire_many_owned },
    Case { name: "Condition::wait", check: condition_wait },
    Case { name: "Condition::wait_for", check: condition_wait_for },
    Case { name: "Event::wait", check: event_wait },
    Case { name: "Barrier::wait", check: barrier_wait },
    Case { name: "Once::call_once", check: once_call_once },
    Case { name: "Once::try_call_once", check: once_try_call_once },
    Case { name: "Once::wait", check: once_wait },
    Case { name: "OnceCell::get_or_init", check: once_cell_get_or_init },
    Case { name: "OnceCell::get_or_try_init", check: once_cell_get_or_try_init },
    Case { name: "OnceCell::wait", check: once_cell_wait },
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

async fn read_write_lock() -> World<RwLock<u32>> {
    let write = async |lock: &RwLock<u32>| {
        let mut count = lock.write().await;
        sleep(secs(1)).await;
        *count += 1;
    };
    World::of(RwLock::new(0).named("count"))
        .beside("writer", async move |(lock, _)| write(&lock).await)
        .beside("reader", async |(lock, done)| {
            let _count = lock.read().await;
            sleep(secs(1)).await;
            add_one(&done);
        })
        .settled()
        .await
        .beside("late writer", async move |(lock, _)| write(&lock).await)
        .beside("late reader", async |(lock, done)| {
            let _count = lock.read().await;
            add_one(&done);
        })
}

fn rwlock_read(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        read_write_lock,
        async |lock| {
            let _count = lock.read().await;
            sleep(secs(1)).await;
        },
        async |lock, _| {
            lock.others_end().await;
            assert_eq!((*lock.write().await, lock.done.get()), (2, 2));
        },
    )
}

fn rwlock_write(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        read_write_lock,
        async |lock| {
            let mut count = lock.write().await;
            sleep(secs(1)).await;
            *count += 1;
        },
        async |lock, output| {
            lock.others_end().await;
            let written = 2 + u32::from(output.is_some());
            assert_eq!((*lock.write().await, lock.done.get()), (written, 2));
        },
    )
}

/// Three permits; one task holds two of them for a while, one wants one and a late one wants all.
async fn three_permits() -> World<Arc<Semaphore>> {
    World::of(Arc::new(Semaphore::new(3).named("permits")))
        .beside("holder", async |(permits, _)| {
            let _two = permits.acquire_many(2).await.unwrap();
            sleep(secs(1)).await;
        })
        .settled()
        .await
        .beside("late", async |(permits, done)| {
            let _all = permits.acquire_many(3).await.unwrap();
            add_one(&done);
        })
        .beside("last", async |(permits, done)| {
            let _one = permits.acquire().await.unwrap();
            add_one(&done);
        })
}

async fn all_permits_are_back<T>(permits: &World<Arc<Semaphore>>, _: Option<T>) {
    permits.others_end().await;
    assert_eq!((permits.available_permits(), permits.done.get()), (3, 2));
}

/// Three permits, of which none is free for a while.
async fn no_free_permit() -> World<Arc<Semaphore>> {
    let world = three_permits().await;
    world.try_acquire().unwrap().forget();
    world.beside("gives back", async |(permits, _)| {
        sleep(secs(1)).await;
        permits.add_permits(1);
    })
}

fn semaphore_acquire(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        no_free_permit,
        async |permits| {
            let _one = permits.acquire().await.unwrap();
            sleep(secs(1)).await;
        },
        all_permits_are_back,
    )
}

fn semaphore_acquire_many(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        three_permits,
        async |permits| {
            let _two = permits.acquire_many(2).await.unwrap();
            sleep(secs(1)).await;
        },
        all_permits_are_back,
    )
}

fn semaphore_acquire_owned(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        no_free_permit,
        async |permits| {
            let _one = permits.acquire_owned().await.unwrap();
            sleep(secs(1)).await;
        },
        all_permits_are_back,
    )
}

fn semaphore_acquire_many_owned(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        three_permits,
        async |permits| {
            let _two = permits.acquire_many_owned(2).await.unwrap();
            sleep(secs(1)).await;
        },
        all_permits_are_back,
    )
}

/// Something that is made and used up, and a condition that tells when there is some.
struct Shelf {
    books: Mutex<u32>,
    filled: Condition,
}

/// Two consumers wait, one before the operation and one behind it, and there will be two books.
async fn shelf() -> World<Shelf> {
    let shelf = Shelf { books: Mutex::new(0).named("books"), filled: Condition::new() };
    let take = async |shelf: &Shelf| {
        let books = shelf.books.lock().await;
        *shelf.filled.wait_for(books, |books| *books > 0).await -= 1;
    };
    World::of(shelf)
        .beside("before", async move |(shelf, _)| take(&shelf).await)
        .settled()
        .await
        .beside("behind", async move |(shelf, _)| {
            sleep(secs(1)).await;
            take(&shelf).await;
        })
        .beside("writer", async |(shelf, _)| {
            for _ in 0..2 {
                sleep(secs(2)).await;
                shelf.add_book().await;
            }
        })
}

impl Shelf {
    async fn add_book(&self) {
        let mut books = self.books.lock().await;
        *books += 1;
        self.filled.notify_one();
        // Whoever is notified waits for the lock meanwhile, and may be dropped there.
        sleep(secs(1)).await;
    }
}

async fn each_book_is_taken(shelf: &World<Shelf>, output: Option<()>) {
    if output.is_some() {
        shelf.add_book().await;
    }
    shelf.others_end().await;
    assert_eq!(*shelf.books.lock().await, 0);
}

fn condition_wait(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        shelf,
        async |shelf| {
            let mut books = shelf.books.lock().await;
            while *books == 0 {
                books = shelf.filled.wait(books).await;
            }
            *books -= 1;
        },
        each_book_is_taken,
    )
}

fn condition_wait_for(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        shelf,
        async |shelf| {
            let books = shelf.books.lock().await;
            *shelf.filled.wait_for(books, |books| *books > 0).await -= 1;
        },
        each_book_is_taken,
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

fn barrier_wait(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            World::of(Barrier::new(2).named("start"))
                .beside("other", async |(barrier, done)| {
                    sleep(secs(1)).await;
                    barrier.wait().await.unwrap();
                    add_one(&done);
                })
                .settled()
                .await
        },
        async |barrier| barrier.wait().await.unwrap().index(),
        async |barrier, index| {
            // Cancelled before its round was full, it has not come: somebody has to come instead.
            if barrier.done.get() == 0 && index.is_none() && barrier.n_waiting() < 2 {
                let (own, ()) = futures::join!(barrier.wait(), barrier.others_end());
                own.unwrap();
            }
            barrier.others_end().await;
            assert_eq!((barrier.done.get(), barrier.n_waiting()), (1, 0));
            assert!(!barrier.is_broken());
        },
    )
}

/// What is done once, and how often that was.
struct Done {
    once: Once,
    count: Cell<u32>,
}

impl Done {
    async fn do_it(&self) {
        sleep(secs(1)).await;
        add_one(&self.count);
    }
}

async fn once() -> World<Done> {
    World::of(Done { once: Once::new().named("once"), count: Cell::new(0) })
        .beside("also", async |(done, _)| done.once.call_once(|| done.do_it()).await)
        .beside("waits", async |(done, _)| done.once.wait().await)
}

async fn it_is_done_once<T>(done: &World<Done>, _: Option<T>) {
    done.others_end().await;
    assert_eq!((done.count.get(), done.once.is_completed()), (1, true));
}

fn once_call_once(options: CancelAtEveryAwait) -> CancelReport {
    options.run(once, async |done| done.once.call_once(|| done.do_it()).await, it_is_done_once)
}

fn once_try_call_once(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        once,
        async |done| {
            let call = async || {
                done.do_it().await;
                Ok::<(), ()>(())
            };
            done.once.try_call_once(call).await
        },
        it_is_done_once,
    )
}

fn once_wait(options: CancelAtEveryAwait) -> CancelReport {
    options.run(once, async |done| done.once.wait().await, it_is_done_once)
}

/// A value that is made once, and how often it was made.
#[derive(Default)]
struct Value {
    cell: OnceCell<u32>,
    made: Cell<u32>,
}

impl Value {
    async fn make(&self) -> u32 {
        sleep(secs(1)).await;
        add_one(&self.made);
        7
    }
}

async fn once_cell() -> World<Value> {
    World::of(Value::default())
        .beside("also", async |(value, _)| {
            assert_eq!(*value.cell.get_or_init(|| value.make()).await, 7);
        })
        .beside("waits", async |(value, _)| assert_eq!(*value.cell.wait().await, 7))
}

async fn it_is_made_once(value: &World<Value>, output: Option<u32>) {
    value.others_end().await;
    assert_eq!((value.made.get(), value.cell.get()), (1, Some(&7)));
    assert!(output.is_none_or(|output| output == 7));
}

fn once_cell_get_or_init(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        once_cell,
        async |value| *value.cell.get_or_init(|| value.make()).await,
        it_is_made_once,
    )
}

fn once_cell_get_or_try_init(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        once_cell,
        async |value| {
            let make = async || Ok::<u32, ()>(value.make().await);
            *value.cell.get_or_try_init(make).await.unwrap()
        },
        it_is_made_once,
    )
}

fn once_cell_wait(options: CancelAtEveryAwait) -> CancelReport {
    options.run(once_cell, async |value| *value.cell.wait().await, it_is_made_once)
}
