//! Locks that many may read.

use std::rc::Rc;

use parcae::spawn;
use parcae::sync::RwLock;
use parcae::task::{gather, settle, yield_now};

use crate::journal::Journal;

type Shared = (Rc<RwLock<()>>, Journal<&'static str>);

fn new() -> Shared {
    (Rc::new(RwLock::new(())), Journal::new())
}

/// Spawns a task that reads and writes down when it does.
fn reader((lock, journal): &Shared, name: &'static str) -> parcae::Task<()> {
    let (lock, journal) = (lock.clone(), journal.clone());
    spawn(async move {
        let _guard = lock.read().await;
        journal.add(name);
        yield_now().await;
    })
}

/// Spawns a task that writes and writes down when it does.
fn writer((lock, journal): &Shared, name: &'static str) -> parcae::Task<()> {
    let (lock, journal) = (lock.clone(), journal.clone());
    spawn(async move {
        let _guard = lock.write().await;
        journal.add(name);
        yield_now().await;
    })
}

conformance! {
    async fn readers_go_in_together_and_writers_alone() {
        let lock = RwLock::new(7);
        let (one, two) = (lock.read().await, lock.read().await);
        assert_eq!((*one, *two), (7, 7));
        assert!(lock.try_write().is_none());
        drop((one, two));
        let mut writer = lock.write().await;
        assert!(lock.try_read().is_none() && lock.try_write().is_none());
        *writer = 8;
        drop(writer);
        assert_eq!(*lock.read().await, 8);
    }

    async fn no_update_of_a_writer_is_lost() {
        let lock = Rc::new(RwLock::new(0));
        let writers: Vec<_> = (0..10)
            .map(|_| {
                let lock = lock.clone();
                spawn(async move {
                    let mut guard = lock.write().await;
                    let before = *guard;
                    yield_now().await;
                    *guard = before + 1;
                })
            })
            .collect();
        gather(writers).await;
        assert_eq!(*lock.read().await, 10);
    }

    async fn a_reader_that_comes_after_a_waiting_writer_waits() {
        let shared = new();
        let first = shared.0.read().await;
        let writer = writer(&shared, "writer");
        settle().await;
        assert!(shared.0.try_read().is_none());
        let late = reader(&shared, "late reader");
        settle().await;
        assert_eq!(shared.1.take(), [""; 0]);
        drop(first);
        writer.await;
        late.await;
        assert_eq!(shared.1.take(), ["writer", "late reader"]);
    }

    async fn readers_behind_a_writer_that_gives_up_go_in() {
        let shared = new();
        let first = shared.0.read().await;
        let writer = writer(&shared, "writer");
        settle().await;
        let late = reader(&shared, "late reader");
        settle().await;
        writer.cancel().await;
        late.await;
        assert_eq!(shared.1.take(), ["late reader"]);
        drop(first);
    }

    async fn readers_in_front_go_in_together_before_the_writer_behind_them() {
        let shared = new();
        let first = shared.0.write().await;
        let mut tasks = Vec::new();
        for name in ["reader", "reader"] {
            tasks.push(reader(&shared, name));
            settle().await;
        }
        tasks.push(writer(&shared, "writer"));
        settle().await;
        drop(first);
        gather(tasks).await;
        assert_eq!(shared.1.take(), ["reader", "reader", "writer"]);
    }

    async fn a_writer_that_goes_on_as_a_reader_lets_no_writer_between() {
        let shared = new();
        let guard = shared.0.write().await;
        let reader = reader(&shared, "reader");
        settle().await;
        let writer = writer(&shared, "writer");
        settle().await;
        let guard = guard.downgrade();
        reader.await;
        assert_eq!(shared.1.take(), ["reader"]);
        assert!(!writer.is_finished());
        drop(guard);
        writer.await;
        assert_eq!(shared.1.take(), ["writer"]);
    }
}
