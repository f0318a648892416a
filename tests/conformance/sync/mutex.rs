//! Locks.

use std::future::pending;
use std::rc::Rc;

use parcae::spawn;
use parcae::sync::Mutex;
use parcae::task::{gather, settle, yield_now};
use parcae::time::{sleep, timeout};

use crate::clock::beats;
use crate::journal::Journal;

/// Spawns a task that waits for the lock and writes down when it has it.
fn waiter(
    mutex: &Rc<Mutex<()>>,
    journal: &Journal<&'static str>,
    name: &'static str,
) -> parcae::Task<()> {
    let (mutex, journal) = (mutex.clone(), journal.clone());
    spawn(async move {
        let _guard = mutex.lock().await;
        journal.add(name);
    })
}

conformance! {
    async fn one_task_at_a_time_has_a_lock() {
        let mutex = Rc::new(Mutex::new(0));
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let mutex = mutex.clone();
                spawn(async move {
                    let mut guard = mutex.lock().await;
                    let before = *guard;
                    yield_now().await;
                    *guard = before + 1;
                })
            })
            .collect();
        gather(tasks).await;
        assert_eq!(*mutex.lock().await, 10);
    }

    async fn a_lock_goes_to_those_who_wait_in_their_order() {
        let (mutex, journal) = (Rc::new(Mutex::new(())), Journal::new());
        let guard = mutex.lock().await;
        let mut waiters = Vec::new();
        for name in ["one", "two", "three"] {
            waiters.push(waiter(&mutex, &journal, name));
            settle().await;
        }
        drop(guard);
        gather(waiters).await;
        assert_eq!(journal.take(), ["one", "two", "three"]);
    }

    async fn nobody_overtakes_a_waiter_that_the_lock_was_handed_to() {
        let (mutex, journal) = (Rc::new(Mutex::new(())), Journal::new());
        let guard = mutex.lock().await;
        let waiter = waiter(&mutex, &journal, "waiter");
        settle().await;
        drop(guard);
        assert!(mutex.try_lock().is_none(), "it is the waiter's");
        let _guard = mutex.lock().await;
        assert_eq!(journal.take(), ["waiter"]);
        waiter.await;
    }

    async fn a_lock_that_was_handed_to_who_is_dropped_goes_to_the_next() {
        let (mutex, journal) = (Rc::new(Mutex::new(())), Journal::new());
        let guard = mutex.lock().await;
        let first = waiter(&mutex, &journal, "first");
        settle().await;
        let second = waiter(&mutex, &journal, "second");
        settle().await;
        drop(guard);
        assert_eq!(first.cancel().await, None, "it had not run");
        second.await;
        assert_eq!(journal.take(), ["second"]);
    }

    async fn whoever_gives_up_leaves_the_line() {
        let (mutex, journal) = (Rc::new(Mutex::new(())), Journal::new());
        let guard = mutex.lock().await;
        assert!(timeout(beats(1), mutex.lock()).await.is_err());
        let next = waiter(&mutex, &journal, "next");
        settle().await;
        drop(guard);
        next.await;
        assert_eq!(journal.take(), ["next"]);
    }

    async fn a_panic_under_a_lock_releases_it() {
        let mutex = Rc::new(Mutex::new(1));
        let task = spawn({
            let mutex = mutex.clone();
            async move {
                *mutex.lock().await += 1;
                let _guard = mutex.lock().await;
                panic!("out of cheese");
            }
        });
        let end: Result<(), _> = task.join().await;
        assert!(end.is_err());
        assert_eq!(*mutex.lock().await, 2, "as the panic left it");
    }

    async fn a_cancelled_holder_releases_its_lock() {
        let mutex = Rc::new(Mutex::new(()));
        let holder = spawn({
            let mutex = mutex.clone();
            async move {
                let _guard = mutex.lock().await;
                pending::<()>().await;
            }
        });
        settle().await;
        drop(holder);
        drop(mutex.lock().await);
        assert_eq!(Rc::into_inner(mutex).map(Mutex::into_inner), Some(()));
    }

    async fn a_lock_is_held_across_time() {
        let (mutex, journal) = (Rc::new(Mutex::new(())), Journal::new());
        let holder = spawn({
            let (mutex, journal) = (mutex.clone(), journal.clone());
            async move {
                let _guard = mutex.lock().await;
                sleep(beats(2)).await;
                journal.add("holder");
            }
        });
        settle().await;
        let waiter = waiter(&mutex, &journal, "waiter");
        holder.await;
        waiter.await;
        assert_eq!(journal.take(), ["holder", "waiter"]);
    }
}
