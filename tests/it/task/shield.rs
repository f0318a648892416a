//! Awaiting tasks without owning them.

use std::future::pending;

use parcae::task::{JoinError, settle, shield};
use parcae::time::{sleep, timeout};
use parcae::{Failure, spawn, spawn_named, spawn_try};

use super::{after, everywhere};
use crate::runs::{Journal, failure, fifo, millis, panicked, random, secs};

#[test]
fn a_shield_gives_what_its_task_gives() {
    everywhere(|| async {
        assert_eq!(shield(spawn(async { 1 })).await.unwrap(), 1);
        let task = spawn(async { 2 });
        settle().await;
        assert_eq!(shield(task).await.unwrap(), 2);
        let error = shield(spawn(async { panic!("three") })).await.unwrap_err();
        assert!(matches!(error, JoinError::Panicked { message, .. } if message == "three"));
    });
}

#[test]
fn cancelling_who_waits_behind_a_shield_leaves_the_task_alone() {
    everywhere(|| async {
        let (dropped, done) = (Journal::new(), Journal::new());
        let (inner, journal) = (dropped.clone(), done.clone());
        let task = spawn(async move { journal.add(after(10, "inner", inner).await) });
        let waiting = spawn(shield(task));
        sleep(millis(5)).await;
        assert!(waiting.cancel().await.is_none());
        sleep(millis(10)).await;
        assert_eq!((dropped.count(), done.take()), (0, vec!["inner"]));
    });
}

#[test]
fn cancelling_the_task_ends_its_shield() {
    everywhere(|| async {
        let task = spawn(pending::<()>());
        let handle = task.cancel_handle();
        let waiting = spawn(shield(task));
        settle().await;
        handle.cancel();
        assert!(matches!(waiting.await, Err(JoinError::Cancelled)));
    });
}

#[test]
fn a_time_out_around_a_shield_leaves_the_task_alone() {
    everywhere(|| async {
        let done = Journal::new();
        let journal = done.clone();
        let task = spawn(async move {
            sleep(secs(2)).await;
            journal.add(());
        });
        assert!(timeout(secs(1), shield(task)).await.is_err());
        sleep(secs(2)).await;
        assert_eq!(done.count(), 1);
    });
}

#[test]
fn what_fails_behind_a_dropped_shield_fails_the_run() {
    for outcome in random(100, || async {
        let task = spawn_named("inner", async {
            sleep(secs(2)).await;
            panic!("behind the shield");
        });
        assert!(timeout(secs(1), shield(task)).await.is_err());
        sleep(secs(2)).await;
    }) {
        assert_eq!(panicked(&outcome, "behind the shield"), "inner");
    }
    let outcome = fifo(|| async {
        let task = spawn_try(async {
            sleep(secs(2)).await;
            Err::<(), _>("behind the shield")
        });
        drop(timeout(secs(1), shield(task)).await);
        sleep(secs(2)).await;
    });
    assert!(matches!(failure(&outcome), Failure::Error { .. }));
    // One that had failed before its shield was dropped.
    let outcome = fifo(|| async {
        let task = spawn_try(async { Err::<(), _>("behind the shield") });
        let shield = shield(task);
        settle().await;
        drop(shield);
    });
    assert!(matches!(failure(&outcome), Failure::Error { .. }));
}

#[test]
fn a_task_that_never_ends_behind_a_dropped_shield_is_a_leak() {
    let outcome = fifo(|| async { drop(shield(spawn(pending::<()>()))) });
    assert!(matches!(failure(&outcome), Failure::Leak { .. }));
}
