//! Semaphores.

use std::sync::Arc;

use parcae::spawn;
use parcae::sync::{AcquireError, Semaphore, TryAcquireError};
use parcae::task::{gather, settle, yield_now};
use parcae::time::timeout;

use crate::clock::beats;
use crate::journal::Journal;

/// Spawns a task that takes so many permits, writes down that it has them, and gives them back.
fn taker(
    semaphore: &Arc<Semaphore>,
    journal: &Journal<usize>,
    count: usize,
) -> parcae::Task<Result<(), AcquireError>> {
    let (semaphore, journal) = (semaphore.clone(), journal.clone());
    spawn(async move {
        let _permit = semaphore.acquire_many(count).await?;
        journal.add(count);
        Ok(())
    })
}

conformance! {
    async fn no_more_are_inside_than_there_are_permits() {
        let semaphore = Arc::new(Semaphore::new(3));
        let inside = std::rc::Rc::new(std::cell::Cell::new(0));
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let (semaphore, inside) = (semaphore.clone(), inside.clone());
                spawn(async move {
                    let _permit = semaphore.acquire().await.unwrap();
                    inside.set(inside.get() + 1);
                    assert!(inside.get() <= 3);
                    yield_now().await;
                    inside.set(inside.get() - 1);
                })
            })
            .collect();
        gather(tasks).await;
        assert_eq!(semaphore.available_permits(), 3);
    }

    async fn who_asks_for_many_is_not_overtaken_by_who_asks_for_few() {
        let (semaphore, journal) = (Arc::new(Semaphore::new(3)), Journal::new());
        let held = semaphore.acquire_many(2).await.unwrap();
        let many = taker(&semaphore, &journal, 3);
        settle().await;
        let few = taker(&semaphore, &journal, 1);
        settle().await;
        assert_eq!(journal.take(), [0; 0], "though one permit is free");
        assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
        drop(held);
        assert_eq!((many.await, few.await), (Ok(()), Ok(())));
        assert_eq!(journal.take(), [3, 1]);
    }

    async fn permits_of_who_gives_up_go_to_the_next() {
        let (semaphore, journal) = (Arc::new(Semaphore::new(2)), Journal::new());
        let held = semaphore.acquire().await.unwrap();
        let many = taker(&semaphore, &journal, 2);
        settle().await;
        let few = taker(&semaphore, &journal, 1);
        settle().await;
        many.cancel().await;
        few.await.unwrap();
        assert_eq!(journal.take(), [1]);
        drop(held);
    }

    async fn a_permit_that_was_assigned_to_who_is_dropped_goes_on() {
        let (semaphore, journal) = (Arc::new(Semaphore::new(1)), Journal::new());
        let held = semaphore.acquire().await.unwrap();
        let first = taker(&semaphore, &journal, 1);
        settle().await;
        let second = taker(&semaphore, &journal, 1);
        settle().await;
        drop(held);
        assert_eq!(first.cancel().await, None);
        second.await.unwrap();
        assert_eq!(journal.take(), [1]);
        assert_eq!(semaphore.available_permits(), 1);
    }

    async fn whoever_waits_fails_when_it_is_closed_and_so_does_who_comes_later() {
        let (semaphore, journal) = (Arc::new(Semaphore::new(0)), Journal::new());
        let waiter = taker(&semaphore, &journal, 1);
        settle().await;
        semaphore.close();
        assert_eq!(waiter.await, Err(AcquireError::Closed));
        assert_eq!(semaphore.acquire().await.unwrap_err(), AcquireError::Closed);
        assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
        assert!(semaphore.is_closed());
    }

    async fn permits_are_added_split_merged_and_forgotten() {
        let semaphore = Arc::new(Semaphore::new(1));
        semaphore.add_permits(3);
        let mut all = semaphore.acquire_many(4).await.unwrap();
        let part = all.split(3).unwrap();
        assert_eq!((all.num_permits(), part.num_permits()), (1, 3));
        all.merge(part);
        assert_eq!(all.num_permits(), 4);
        drop(all.split(1));
        assert_eq!(semaphore.available_permits(), 1);
        all.forget();
        assert_eq!(semaphore.available_permits(), 1);
    }

    async fn permits_that_are_added_go_to_those_who_wait() {
        let (semaphore, journal) = (Arc::new(Semaphore::new(0)), Journal::new());
        let waiter = taker(&semaphore, &journal, 2);
        settle().await;
        semaphore.add_permits(1);
        settle().await;
        assert!(!waiter.is_finished());
        semaphore.add_permits(1);
        waiter.await.unwrap();
    }

    async fn an_owned_permit_moves_into_a_task() {
        let semaphore = Arc::new(Semaphore::new(1));
        let permit = semaphore.acquire_owned().await.unwrap();
        let task = spawn(async move {
            yield_now().await;
            drop(permit);
        });
        assert!(timeout(beats(100), semaphore.acquire()).await.is_ok());
        task.await;
    }
}
