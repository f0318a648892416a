//! Trees of tokens.

use std::future::{pending, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use futures::executor::block_on;
use parcae::spawn;
use parcae::sync::{Event, Mutex};
use parcae::task::{CancelReason, CancelToken, Cancelled, settle, yield_now};
use parcae::time::{Instant, sleep, timeout};

use super::{after, everywhere, on_seeds};
use crate::runs::{Journal, OnDrop, failure, fifo, millis, random, secs};

fn requested(text: &'static str) -> CancelReason {
    CancelReason::Requested(text.into())
}

#[test]
fn a_cancellation_reaches_all_below_with_its_reason_and_none_above() {
    everywhere(|| async {
        let root = CancelToken::new();
        let (left, right) = (root.child(), root.child());
        let leaf = left.child();
        assert!(left.cancel("left"));
        assert_eq!(leaf.reason(), Some(requested("left")));
        assert!(!root.is_cancelled() && !right.is_cancelled());
        assert!(root.cancel("root".to_owned()));
        assert_eq!(right.reason(), Some(CancelReason::Requested("root".into())));
        // The first reason stands.
        assert_eq!(
            (leaf.reason(), left.reason()),
            (Some(requested("left")), Some(requested("left")))
        );
        assert!(!leaf.cancel("late") && !root.cancel("late"));
        assert_eq!(root.reason(), Some(requested("root")));
        // Below a cancelled token everything is.
        assert_eq!(left.child().child().reason(), Some(requested("left")));
    });
}

#[test]
fn waiters_on_a_whole_tree_wake_and_find_all_of_it_cancelled() {
    everywhere(|| async {
        let root = CancelToken::new().named("root");
        let nodes = [root.clone(), root.child(), root.child().child(), root.child().named("d")];
        let tasks = nodes.clone().map(|node| {
            let nodes = nodes.clone();
            spawn(async move {
                let reason = node.cancelled().await;
                assert!(nodes.iter().all(CancelToken::is_cancelled));
                reason
            })
        });
        settle().await;
        assert!(tasks.iter().all(|task| !task.is_finished()));
        root.cancel("now");
        for task in tasks {
            assert_eq!(task.await, requested("now"));
        }
        assert_eq!(root.cancelled().await, requested("now"), "also for who comes late");
    });
}

#[test]
fn tokens_that_nobody_holds_are_forgotten() {
    let root = CancelToken::new();
    for _ in 0..1_000 {
        let request = root.child();
        let query = request.child();
        drop(request);
        assert_eq!(root.child_count(), 1, "its child holds it");
        drop(query);
        assert_eq!(root.child_count(), 0);
    }
    let named = root.child().named("request");
    assert_eq!(root.child_count(), 1);
    root.cancel("x");
    assert!(named.is_cancelled(), "a named child is still a child");
    let guarded = CancelToken::new();
    let child = guarded.child();
    drop(guarded);
    assert!(!child.is_cancelled(), "dropping a token cancels nothing");
}

#[test]
fn a_deadline_cancels_at_its_instant_and_all_below() {
    everywhere(|| async {
        let start = Instant::now();
        let root = CancelToken::new();
        let request = root.with_timeout(secs(5));
        let query = request.child();
        let patient = request.with_deadline(start + secs(9));
        assert_eq!(query.deadline(), Some(start + secs(5)));
        assert_eq!(patient.deadline(), Some(start + secs(5)), "the earlier one holds");
        assert_eq!(patient.cancelled().await, CancelReason::Deadline);
        assert_eq!(start.elapsed(), secs(5));
        assert_eq!(query.reason(), Some(CancelReason::Deadline));
        assert!(!root.is_cancelled() && root.deadline().is_none());
        assert!(!request.cancel("late"), "the deadline was first");
    });
}

#[test]
fn a_deadline_that_nobody_saw_pass_was_first_all_the_same() {
    everywhere(|| async {
        let root = CancelToken::new();
        let (brief, other) = (root.with_timeout(secs(1)), root.child());
        let below = brief.child();
        sleep(secs(2)).await;
        root.cancel("late");
        assert_eq!(below.reason(), Some(CancelReason::Deadline));
        assert_eq!(brief.reason(), Some(CancelReason::Deadline));
        assert_eq!(other.reason(), Some(requested("late")));
        let below = CancelToken::new().with_timeout(secs(1)).child();
        sleep(secs(2)).await;
        assert!(!below.cancel("late"));
        assert_eq!(below.reason(), Some(CancelReason::Deadline));
        // And one that is cancelled in time is not cancelled again.
        let token = CancelToken::new().with_timeout(secs(1));
        token.cancel("early");
        sleep(secs(2)).await;
        assert_eq!(token.reason(), Some(requested("early")));
    });
}

#[test]
fn a_wait_for_a_deadline_ends_early_when_it_is_cancelled() {
    everywhere(|| async {
        let (start, token) = (Instant::now(), CancelToken::new().with_timeout(secs(10)));
        let waiting = spawn({
            let token = token.clone();
            async move { token.cancelled().await }
        });
        sleep(secs(1)).await;
        token.cancel("early");
        assert_eq!((waiting.await, start.elapsed()), (requested("early"), secs(1)));
    });
}

#[test]
fn a_value_that_is_ready_wins_over_the_token() {
    everywhere(|| async {
        let token = CancelToken::new();
        token.cancel("before");
        assert_eq!(token.run(ready(1)).await, Ok(1));
        // At the instant of the deadline, too.
        let token = CancelToken::new().with_timeout(secs(1));
        assert_eq!(token.run(after(1_000, 2, Journal::new())).await, Ok(2));
        let error =
            CancelToken::new().with_timeout(secs(1)).run(after(1_001, 2, Journal::new())).await;
        assert_eq!(error, Err(Cancelled { reason: CancelReason::Deadline }));
    });
}

#[test]
fn what_is_cut_short_is_dropped_before_the_error_comes() {
    everywhere(|| async {
        let (token, dropped) = (CancelToken::new(), Journal::new());
        let canceller = spawn({
            let token = token.clone();
            async move {
                sleep(secs(1)).await;
                token.cancel("enough");
            }
        });
        let mut running = Box::pin(token.run(after(9_000, (), dropped.clone())));
        let error = running.as_mut().await.unwrap_err();
        assert_eq!(error.to_string(), "cancelled: enough");
        assert_eq!(dropped.take(), [9_000], "it lives as long as the future around it");
        drop(running);
        canceller.await;
    });
}

#[test]
fn being_preempted_is_not_being_cancelled() {
    let values = on_seeds(|| async {
        let token = CancelToken::new();
        token.cancel("before");
        let other = spawn(async {
            for _ in 0..3 {
                yield_now().await;
            }
        });
        let lock = Mutex::new(1);
        let value = token.run(async { *lock.lock().await }).await;
        other.await;
        value
    });
    assert!(values.iter().all(|value| *value == Ok(1)));
}

#[test]
fn a_value_that_is_a_preemption_away_wins_over_the_token() {
    let values = on_seeds(|| async {
        let (token, event) = (CancelToken::new(), Rc::new(Event::new()));
        let running = spawn({
            let (token, event) = (token.clone(), event.clone());
            async move {
                let lock = Mutex::new(1);
                let value = async {
                    event.wait().await;
                    *lock.lock().await
                };
                token.run(value).await
            }
        });
        settle().await;
        event.set();
        token.cancel("now");
        let other = spawn(yield_now());
        let value = running.await;
        other.await;
        value
    });
    assert!(values.iter().all(|value| *value == Ok(1)));
}

#[test]
fn a_wait_that_is_dropped_leaves_nothing_behind() {
    everywhere(|| async {
        let token = CancelToken::new();
        for _ in 0..10 {
            assert!(timeout(millis(1), token.cancelled()).await.is_err());
        }
        let witness = Arc::new(());
        let waiting = spawn({
            let (token, witness) = (token.clone(), witness.clone());
            async move {
                let _witness = witness;
                token.cancelled().await;
            }
        });
        settle().await;
        drop(waiting);
        settle().await;
        assert_eq!(Arc::strong_count(&witness), 1);
        assert!(token.cancel("x"));
    });
}

#[test]
fn a_guard_cancels_when_it_is_dropped_unless_it_is_disarmed() {
    everywhere(|| async {
        let token = CancelToken::new();
        let child = token.child();
        let kept = token.clone().drop_guard().disarm();
        assert!(!kept.is_cancelled());
        let task = spawn(async move {
            let _guard = token.drop_guard();
            pending::<()>().await;
        });
        settle().await;
        drop(task);
        assert_eq!(child.cancelled().await, CancelReason::GuardDropped);
        assert_eq!(CancelReason::GuardDropped.to_string(), "the guard was dropped");
        assert_eq!(CancelReason::Deadline.to_string(), "the deadline has passed");
    });
}

#[test]
fn a_stuck_wait_is_a_deadlock_that_names_the_token() {
    let outcome = fifo(|| async {
        let token = CancelToken::new().named("shutdown");
        token.cancelled().await;
    });
    let message = failure(&outcome).to_string();
    assert!(message.contains("waits for CancelToken cancelled of `shutdown`"), "{message}");
    assert!(message.contains("cancel_token.rs"), "{message}");
}

#[test]
fn tokens_work_on_any_executor_and_across_threads() {
    let root = CancelToken::new();
    let leaf = root.child().child();
    let waiting = thread::scope(|scope| {
        let waiting = scope.spawn(|| block_on(leaf.cancelled()));
        let running = scope.spawn(|| block_on(leaf.run(pending::<()>())));
        root.cancel("from another thread");
        assert!(running.join().unwrap().is_err());
        waiting.join().unwrap()
    });
    assert_eq!(waiting, requested("from another thread"));
    // A deadline that was set inside of a simulation never passes outside of it.
    let kept = fifo(|| async { CancelToken::new().with_timeout(millis(1)) }).unwrap();
    assert!(!kept.is_cancelled() && kept.cancel("outside"));
}

#[test]
fn without_settling_every_reason_is_the_first_and_everybody_ends() {
    for outcome in random(300, || async {
        let root = CancelToken::new();
        let leaves: Vec<_> = (0..4).map(|_| root.child().child()).collect();
        let tasks: Vec<_> = leaves
            .iter()
            .enumerate()
            .map(|(index, leaf)| {
                let (leaf, root) = (leaf.clone(), root.clone());
                let delay = parcae::choose(0..3_u64);
                spawn(async move {
                    let _guard = OnDrop(|| ());
                    leaf.run(sleep(millis(delay))).await.map_err(|error| error.reason).ok();
                    if index == 1 {
                        root.cancel("first");
                        root.cancel("second");
                    }
                    leaf.cancelled().await
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await, requested("first"));
        }
    }) {
        outcome.unwrap();
    }
}

#[test]
fn regression_a_token_may_have_all_the_time_there_is() {
    fifo(|| async {
        sleep(secs(1)).await;
        let token = CancelToken::new().with_timeout(std::time::Duration::MAX);
        assert!(timeout(secs(1), token.cancelled()).await.is_err());
        assert!(!token.is_cancelled());
    })
    .unwrap();
}

#[test]
fn regression_a_long_chain_of_tokens_is_dropped_without_using_up_the_stack() {
    let root = CancelToken::new();
    let leaf = (0..100_000).fold(root.clone(), |token, _| token.child());
    assert_eq!(root.child_count(), 1);
    root.cancel("enough");
    assert!(leaf.is_cancelled());
    drop(leaf);
    let root = CancelToken::new();
    let leaf = (0..100_000).fold(root.clone(), |token, _| token.child());
    drop(leaf);
    assert_eq!(root.child_count(), 0);
}
