//! Waiting for some of several tasks, and for one after another.

use std::future::pending;

use parcae::task::{JoinError, WaitUntil, as_completed, settle, wait, yield_now};
use parcae::time::{Instant, sleep, timeout};
use parcae::{Task, spawn, spawn_named, spawn_try};

use super::{after, everywhere, on_seeds};
use crate::runs::{Journal, failure, fifo, millis, random, secs};

fn tasks(delays: &[u64], journal: &Journal<u64>) -> Vec<Task<u64>> {
    delays.iter().map(|delay| spawn(after(*delay, *delay, journal.clone()))).collect()
}

async fn values(tasks: Vec<Task<u64>>) -> Vec<u64> {
    let mut values = Vec::new();
    for task in tasks {
        assert!(task.is_finished(), "a task was returned that has not ended");
        values.push(task.await);
    }
    values
}

#[test]
fn the_first_to_end_is_taken_out_and_the_others_run_on() {
    everywhere(|| async {
        let (start, dropped) = (Instant::now(), Journal::new());
        let mut pending = tasks(&[30, 10, 20], &dropped);
        let done = wait(&mut pending, WaitUntil::FirstCompleted).await;
        assert_eq!((values(done).await, pending.len()), (vec![10], 2));
        assert_eq!(start.elapsed(), millis(10));
        let done = wait(&mut pending, WaitUntil::All).await;
        assert_eq!((values(done).await, pending.len()), (vec![20, 30], 0));
        assert_eq!((start.elapsed(), dropped.count()), (millis(30), 0));
    });
}

#[test]
fn what_has_ended_is_done_and_all_of_it() {
    everywhere(|| async {
        let dropped = Journal::new();
        let mut pending = tasks(&[3, 1, 500, 2], &dropped);
        sleep(millis(5)).await;
        let done = wait(&mut pending, WaitUntil::FirstCompleted).await;
        assert_eq!(done.len(), 3, "more than one may have ended");
        assert!(done.iter().all(Task::is_finished) && !pending[0].is_finished());
        // Those that had ended before come in the order given.
        assert_eq!(values(done).await, [3, 1, 2]);
        assert_eq!(wait(&mut Vec::<Task<()>>::new(), WaitUntil::FirstCompleted).await.len(), 0);
    });
}

#[test]
fn the_first_failure_ends_the_wait_and_a_cancellation_does_not() {
    everywhere(|| async {
        let start = Instant::now();
        let mut tasks: Vec<Task<Result<u64, &str>>> = vec![
            spawn_try(async {
                sleep(secs(9)).await;
                Ok(9)
            }),
            spawn_try(async {
                sleep(secs(3)).await;
                Err("three")
            }),
            spawn_try(async {
                sleep(secs(2)).await;
                Ok(2)
            }),
            spawn_try(pending()),
        ];
        let handle = tasks[3].cancel_handle();
        spawn(async move {
            sleep(secs(1)).await;
            handle.cancel();
        })
        .detach();
        let mut done = wait(&mut tasks, WaitUntil::FirstFailure).await;
        assert_eq!((start.elapsed(), tasks.len(), done.len()), (secs(3), 1, 3));
        assert!(matches!(done.remove(0).join().await, Err(JoinError::Cancelled)));
        assert_eq!(done.remove(0).await, Ok(2));
        assert_eq!(done.remove(0).await, Err("three"));
        let mut panicking = vec![spawn(async { panic!("one") }), spawn(pending::<()>())];
        let mut done = wait(&mut panicking, WaitUntil::FirstFailure).await;
        assert!(matches!(done.remove(0).join().await, Err(JoinError::Panicked { .. })));
        let mut fine = vec![spawn(async { Err::<(), _>("a value of `spawn`") })];
        let done = wait(&mut fine, WaitUntil::FirstFailure).await;
        assert_eq!(done.len(), 1, "without a failure all are waited for");
    });
}

#[test]
fn a_time_out_of_a_wait_cancels_nothing_and_fails_nothing() {
    everywhere(|| async {
        let (start, dropped) = (Instant::now(), Journal::new());
        let mut pending = tasks(&[10, 1_500], &dropped);
        let done = wait(&mut pending, WaitUntil::All).timeout(millis(110)).await;
        assert_eq!((values(done).await, pending.len()), (vec![10], 1));
        assert_eq!(start.elapsed(), millis(110));
        settle().await;
        assert_eq!(dropped.count(), 0);
        let done = wait(&mut pending, WaitUntil::All).timeout(secs(100)).await;
        assert_eq!((values(done).await, start.elapsed()), (vec![1_500], millis(1_500)));
    });
}

#[test]
fn a_task_that_ends_after_many_steps_at_an_instant_is_done_when_it_is_returned() {
    // It is really done, not about to be.
    everywhere(|| async {
        let mut tasks = vec![
            spawn(async {
                for _ in 0..5 {
                    yield_now().await;
                }
            }),
            spawn(pending()),
        ];
        let done = wait(&mut tasks, WaitUntil::FirstCompleted).await;
        assert!(done[0].is_finished());
    });
}

#[test]
fn a_wait_that_is_cancelled_leaves_the_tasks_running_and_in_the_list() {
    everywhere(|| async {
        let dropped = Journal::new();
        let mut pending = tasks(&[10, 20], &dropped);
        let waiting = wait(&mut pending, WaitUntil::All);
        assert!(timeout(millis(15), waiting).await.is_err());
        assert_eq!(pending.len(), 2, "a wait that was cut short took a task");
        let done = wait(&mut pending, WaitUntil::All).await;
        assert_eq!((values(done).await, dropped.count()), (vec![10, 20], 0));
    });
}

#[test]
fn a_stuck_wait_is_a_deadlock_that_names_the_first_task_that_is_left() {
    let outcome = fifo(|| async {
        let mut tasks = vec![spawn(async {}), spawn_named("stuck", pending()), spawn(async {})];
        wait(&mut tasks, WaitUntil::All).await;
    });
    let message = failure(&outcome).to_string();
    assert!(message.contains("`main` waits for Task join of `stuck`"), "{message}");
    assert!(message.contains("wait.rs"), "{message}");
}

#[test]
fn tasks_come_as_they_complete_with_their_place() {
    everywhere(|| async {
        let dropped = Journal::new();
        let given = tasks(&[30, 10, 20], &dropped);
        let names: Vec<String> = given.iter().map(Task::name).collect();
        let mut completed = as_completed(given);
        let mut seen = Vec::new();
        while let Some((place, task)) = completed.next().await {
            assert_eq!(task.name(), names[place], "the task that was given comes back");
            seen.push((place, task.await));
        }
        assert_eq!(seen, [(1, 10), (2, 20), (0, 30)]);
        assert!(completed.next().await.is_none());
        assert!(as_completed(Vec::<Task<()>>::new()).next().await.is_none());
    });
}

#[test]
fn completed_tasks_keep_their_order_while_nobody_asks() {
    let mut orders = on_seeds(|| async {
        let journal = Journal::new();
        let given = (0..4_u64).map(|number| {
            let journal = journal.clone();
            spawn(async move {
                sleep(millis(5)).await;
                journal.add(number);
                number
            })
        });
        let mut completed = as_completed(given);
        assert!(timeout(millis(1), completed.next()).await.is_err());
        sleep(millis(10)).await;
        let mut seen = Vec::new();
        while let Some((_, task)) = completed.next().await {
            seen.push(task.await);
        }
        assert_eq!(seen, journal.take());
        seen
    });
    orders.sort();
    orders.dedup();
    assert!(orders.len() > 10, "only {} orders", orders.len());
}

#[test]
fn a_time_out_between_completed_tasks_loses_none() {
    everywhere(|| async {
        let dropped = Journal::new();
        let mut completed = as_completed(tasks(&[100, 300], &dropped));
        let mut seen = Vec::new();
        let mut misses = 0;
        loop {
            match timeout(millis(80), completed.next()).await {
                Ok(Some((_, task))) => seen.push(task.await),
                Ok(None) => break,
                Err(_) => misses += 1,
            }
        }
        assert_eq!((seen, misses, dropped.count()), (vec![100, 300], 3, 0));
    });
}

#[test]
fn iteration_can_be_resumed_and_the_rest_taken_out_or_cancelled() {
    everywhere(|| async {
        let dropped = Journal::new();
        let mut completed = as_completed(tasks(&[1, 2, 3], &dropped));
        let (place, task) = completed.next().await.unwrap();
        assert_eq!((place, task.await), (0, 1));
        let (place, task) = completed.next().await.unwrap();
        assert_eq!((place, task.await), (1, 2));
        let rest = completed.into_rest();
        assert_eq!((rest.len(), dropped.count()), (1, 0));
        let mut completed = as_completed(rest.into_iter().chain(tasks(&[500], &dropped)));
        assert_eq!(completed.next().await.unwrap().1.await, 3);
        drop(completed);
        settle().await;
        assert_eq!(dropped.take(), [500]);
        let journal = dropped.clone();
        let task =
            spawn(async move { as_completed(tasks(&[600], &journal)).next().await.is_some() });
        settle().await;
        assert!(task.cancel().await.is_none());
        assert_eq!(dropped.take(), [600], "it ended before what it owned");
    });
}

#[test]
fn without_settling_every_task_is_returned_once() {
    for outcome in random(300, || async {
        let count: u64 = parcae::choose(1..=6);
        let given: Vec<Task<u64>> = (0..count)
            .map(|number| {
                spawn(async move {
                    for _ in 0..parcae::choose(0..3_u32) {
                        yield_now().await;
                    }
                    if parcae::choose(0..2_u32) == 1 {
                        sleep(millis(1)).await;
                    }
                    number
                })
            })
            .collect();
        let mut pending = given;
        let mut seen = Vec::new();
        while !pending.is_empty() {
            let until = if parcae::choose(0..2_u32) == 0 {
                WaitUntil::FirstCompleted
            } else {
                WaitUntil::FirstFailure
            };
            let done = wait(&mut pending, until).await;
            assert!(!done.is_empty());
            seen.extend(values(done).await);
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..count).collect::<Vec<_>>());
    }) {
        outcome.unwrap();
    }
}
