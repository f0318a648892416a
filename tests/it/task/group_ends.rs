//! Groups that are cancelled, dropped, or in which something panics.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use futures::FutureExt as _;
use parcae::task::{Builder, GroupTaskError, JoinError, finally, group, settle, yield_now};
use parcae::time::{Instant, sleep, timeout};
use parcae::{Failure, spawn, spawn_named};

use super::{after, everywhere, on_seeds};
use crate::runs::{Journal, OnDrop, failure, fifo, millis, panicked, random, secs};

#[test]
fn cancelling_the_task_of_a_group_cancels_body_and_children() {
    everywhere(|| async {
        let dropped = Journal::new();
        let journal = dropped.clone();
        let task = spawn(async move {
            group(async |group| {
                for delay in [20, 30] {
                    group.spawn(after(delay, (), journal.clone()));
                }
                after(10, Ok::<_, Infallible>(()), journal.clone()).await
            })
            .await
        });
        settle().await;
        assert!(task.cancel().await.is_none());
        // The task has not ended before the children of its group have.
        let mut dropped = dropped.take();
        dropped.sort_unstable();
        assert_eq!(dropped, [10, 20, 30]);
    });
}

#[test]
fn a_group_that_is_dropped_cancels_and_detaches_nothing() {
    everywhere(|| async {
        let dropped = Journal::new();
        let running = group(async |group| {
            group.spawn(after(2_000, (), dropped.clone()));
            after(3_000, Ok::<_, Infallible>(()), dropped.clone()).await
        });
        assert!(timeout(secs(1), running).await.is_err());
        assert_eq!(dropped.count(), 2, "the time-out did not wait for the children");
        // One that was never polled.
        drop(group(async |group| {
            group.spawn(after(4_000, (), dropped.clone()));
            Ok::<_, Infallible>(())
        }));
        settle().await;
        assert_eq!(dropped.count(), 2);
    });
}

#[test]
fn nested_groups_are_cancelled_together() {
    everywhere(|| async {
        let dropped = Journal::new();
        let journal = dropped.clone();
        let task = spawn(async move {
            let result = group(async |outer| {
                outer.spawn(after(10, (), journal.clone()));
                let inner = group(async |inner| {
                    inner.spawn(after(20, (), journal.clone()));
                    after(30, Ok::<_, Infallible>(()), journal.clone()).await
                });
                Ok::<_, Infallible>(inner.await)
            });
            result.await
        });
        settle().await;
        task.cancel().await;
        assert_eq!(dropped.count(), 3);
    });
}

#[test]
fn an_outside_cancellation_is_not_swallowed_by_a_failure_in_the_same_step() {
    // gh-116720
    let ends = on_seeds(|| async {
        let went_on = Journal::new();
        let journal = went_on.clone();
        let task = spawn(async move {
            let result: Result<(), _> = group(async |group| {
                group.spawn_try(async {
                    sleep(secs(1)).await;
                    Err::<(), _>("child")
                });
                pending().await
            })
            .await;
            assert!(result.is_err());
            pending::<()>().await;
            journal.add(());
        });
        let handle = task.cancel_handle();
        spawn(async move {
            sleep(secs(1)).await;
            handle.cancel();
        })
        .detach();
        let end = task.join().await;
        assert!(matches!(end, Err(JoinError::Cancelled)), "the cancellation is lost");
        assert_eq!(went_on.count(), 0);
    });
    assert_eq!(ends.len(), 300);
}

#[test]
fn without_settling_an_error_and_a_cancellation_leave_nothing_behind() {
    for outcome in random(300, || async {
        let dropped = Journal::new();
        let journal = dropped.clone();
        let task = spawn(async move {
            let result: Result<(), _> = group(async |outer| {
                outer.spawn_try(async {
                    yield_now().await;
                    Err::<(), _>("child")
                });
                outer.spawn(after(10, (), journal.clone()));
                let inner: Result<(), _> = group(async |inner| {
                    inner.spawn(after(20, (), journal.clone()));
                    pending::<Result<(), &str>>().await
                })
                .await;
                drop(inner);
                Ok(())
            })
            .await;
            result.is_err()
        });
        let handle = task.cancel_handle();
        yield_now().await;
        yield_now().await;
        handle.cancel();
        match task.join().await {
            Ok(is_error) => assert!(is_error),
            Err(error) => assert!(matches!(error, JoinError::Cancelled)),
        }
        let count = dropped.count();
        settle().await;
        assert_eq!(dropped.count(), count, "a child outlived the task of its group");
    }) {
        assert!(outcome.elapsed() < millis(10), "a child was waited for that was cancelled");
        outcome.unwrap();
    }
}

#[test]
fn a_panic_of_a_child_goes_on_in_the_caller_after_all_have_ended() {
    everywhere(|| async {
        let (start, dropped) = (Instant::now(), Journal::new());
        let journal = dropped.clone();
        let running = group(async |group| {
            let child = group.spawn(async {
                sleep(millis(1)).await;
                panic!("out of cheese");
            });
            group.spawn(after(20, (), journal.clone()));
            group.spawn_try(after(30, Err::<(), _>("too late"), journal.clone()));
            assert_eq!(child.join().await, Err::<(), _>(GroupTaskError::Panicked));
            after(10, Ok(()), journal.clone()).await
        });
        let payload = AssertUnwindSafe(running).catch_unwind().await.unwrap_err();
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"out of cheese"));
        assert_eq!(start.elapsed(), millis(1));
        // The body is past its wait for the child when it is dropped, or not; the children are gone.
        assert!((2..=3).contains(&dropped.count()), "{}", dropped.count());
    });
}

#[test]
fn a_panic_of_the_body_goes_on_after_all_children_have_ended() {
    everywhere(|| async {
        let dropped = Journal::new();
        let journal = dropped.clone();
        let running = group(async |group| {
            group.spawn(after(20, (), journal.clone()));
            group.spawn(after(30, (), journal.clone()));
            sleep(millis(1)).await;
            if group.is_open() {
                panic!("out of bread");
            }
            Ok::<_, Infallible>(())
        });
        let payload = AssertUnwindSafe(running).catch_unwind().await.unwrap_err();
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"out of bread"));
        assert_eq!(dropped.count(), 2);
    });
}

#[test]
fn a_panic_that_nobody_catches_fails_the_run_at_its_own_place() {
    let outcome = fifo(|| async {
        let running = group(async |group| {
            group.spawn_named("worker", async { panic!("out of cheese") });
            Ok::<_, Infallible>(())
        });
        running.await.unwrap();
    });
    assert_eq!(panicked(&outcome, "out of cheese"), "main");
    let Failure::Panic { place: Some(place), .. } = failure(&outcome) else { unreachable!() };
    assert!(place.to_string().contains("group_ends.rs"), "{place}");
}

#[test]
fn of_several_panics_the_first_goes_on_and_hides_errors() {
    everywhere(|| async {
        let running = group(async |group| {
            let panics = async |number| {
                let _guard = OnDrop(|| assert_ne!(number, 2, "in a destructor"));
                sleep(millis(number)).await;
                panic!("number {number}");
            };
            group.spawn(panics(2));
            group.spawn(panics(1));
            sleep(millis(5)).await;
            Err::<(), _>("body")
        });
        let payload = AssertUnwindSafe(running).catch_unwind().await.unwrap_err();
        assert_eq!(payload.downcast_ref::<String>().unwrap(), "number 1");
    });
}

#[test]
fn a_panic_while_a_dropped_group_ends_fails_the_run() {
    // Errors in cleanups are not lost behind a cancellation.
    for outcome in random(300, || async {
        let running = group(async |group| {
            group.spawn_named("child", async {
                let _guard = OnDrop(|| panic!("while ending"));
                pending::<()>().await;
            });
            pending::<Result<(), Infallible>>().await
        });
        assert!(timeout(secs(1), running).await.is_err());
        settle().await;
    }) {
        assert_eq!(panicked(&outcome, "while ending"), "child");
    }
}

#[test]
fn of_two_children_that_fail_or_panic_at_one_instant_only_the_first_goes_on() {
    for outcome in random(300, || async {
        for is_panic in [false, true] {
            let ran = Journal::new();
            let fails = |number, ran: Journal<i32>| async move {
                sleep(millis(1)).await;
                ran.add(number);
                assert!(!is_panic, "number {number}");
                Err::<(), _>(number)
            };
            let running = group(async |group| {
                for number in 0..3 {
                    group.spawn_try(fails(number, ran.clone()));
                }
                pending::<Result<(), _>>().await
            });
            let end = AssertUnwindSafe(running).catch_unwind().await;
            let ran = ran.take();
            assert_eq!(ran.len(), 1, "a child went on after a failure");
            assert_eq!(end.is_err(), is_panic);
            if let Ok(result) = end {
                assert_eq!(result.unwrap_err().into_errors(), ran);
            }
        }
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_child_of_a_cancelled_group_no_longer_fails_while_the_body_cleans_up() {
    everywhere(|| async {
        let (start, cleaned) = (Instant::now(), Journal::new());
        let journal = cleaned.clone();
        let task = spawn(async move {
            let result: Result<(), _> = group(async |group| {
                group.spawn_try(async {
                    sleep(millis(300)).await;
                    Err::<(), _>("too late")
                });
                tidy(500, journal).await;
                Ok(())
            })
            .await;
            result.unwrap();
        });
        let handle = task.cancel_handle();
        sleep(millis(100)).await;
        handle.cancel();
        assert!(matches!(task.join().await, Err(JoinError::Cancelled)));
        assert_eq!((start.elapsed(), cleaned.take()), (millis(600), vec![500]));
    });
}

/// Waits for ever, and cleans up for so many milliseconds when it is cancelled.
async fn tidy(delay: u64, journal: Journal<u64>) {
    finally(pending::<()>(), async move || {
        sleep(millis(delay)).await;
        journal.add(delay);
    })
    .await;
}

#[test]
fn a_group_that_fails_ends_after_the_cleanups_of_its_body_and_its_children() {
    everywhere(|| async {
        for (body, child) in [(10, 20), (20, 10)] {
            let (start, cleaned) = (Instant::now(), Journal::new());
            let result: Result<(), _> = group(async |group| {
                group.spawn(tidy(child, cleaned.clone()));
                group.spawn_try(async {
                    settle().await;
                    Err::<(), _>("no")
                });
                tidy(body, cleaned.clone()).await;
                Ok(())
            })
            .await;
            assert_eq!(result.unwrap_err().into_errors(), ["no"]);
            assert_eq!((start.elapsed(), cleaned.take()), (millis(20), vec![10, 20]));
        }
    });
}

#[test]
fn whoever_drops_a_group_ends_after_its_children_and_their_cleanups() {
    everywhere(|| async {
        let cleaned = Journal::new();
        let running = |journal: Journal<u64>| {
            group(async move |group| {
                group.spawn(tidy(20, journal.clone()));
                group.spawn(after(9_000, (), Journal::new()));
                tidy(10, journal.clone()).await;
                Ok::<_, Infallible>(())
            })
        };
        let start = Instant::now();
        assert!(timeout(millis(100), running(cleaned.clone())).await.is_err());
        assert_eq!((start.elapsed(), cleaned.take()), (millis(120), vec![10, 20]));
        let task = spawn(running(cleaned.clone()));
        settle().await;
        let start = Instant::now();
        assert!(task.cancel().await.is_none());
        assert_eq!((start.elapsed(), cleaned.take()), (millis(20), vec![10, 20]));
        // In a group of its own it is that group that waits.
        let start = Instant::now();
        let failed: Result<(), _> = group(async |outer| {
            let journal = cleaned.clone();
            outer.spawn(async move { running(journal).await.unwrap() });
            settle().await;
            Err("outer")
        })
        .await;
        assert_eq!(failed.unwrap_err().into_errors(), ["outer"]);
        assert_eq!((start.elapsed(), cleaned.take()), (millis(20), vec![10, 20]));
    });
}

#[test]
fn errors_of_cleanups_are_kept_beside_the_one_that_cancelled() {
    everywhere(|| async {
        let result: Result<(), _> = group(async |group| {
            for number in [2, 1] {
                let inner = group.clone();
                group.spawn(finally(pending::<()>(), async move || {
                    sleep(millis(number)).await;
                    inner.fail(number).unwrap();
                }));
            }
            settle().await;
            Err(0)
        })
        .await;
        assert_eq!(result.unwrap_err().into_errors(), [0, 1, 2]);
    });
}

#[test]
fn a_child_that_fails_before_its_spawn_returns_fails_the_group() {
    everywhere(|| async {
        let dropped = Journal::new();
        let eager = || Builder::new().name("eager").eager();
        let result: Result<(), _> = group(async |group| {
            group.spawn(after(10, (), dropped.clone()));
            let child = group.spawn_try_with(eager(), async { Err::<(), _>("eager") });
            assert!(child.is_finished() && !group.is_open());
            Err("body")
        })
        .await;
        assert_eq!(result.unwrap_err().into_errors(), ["eager", "body"]);
        // One that spawns such a child is cancelled at its next wait, and its error is kept.
        let result: Result<(), _> = group(async |group| {
            let inner = group.clone();
            group.spawn_with(eager(), async move {
                inner.spawn_try_with(eager(), async { Err::<(), _>("inner") });
                yield_now().await;
                unreachable!("the group had failed when it was added");
            });
            pending().await
        })
        .await;
        assert_eq!(result.unwrap_err().into_errors(), ["inner"]);
        assert_eq!(dropped.count(), 0, "a future that never began was polled");
    });
}

#[test]
fn children_in_a_domain_that_dies_are_cancelled_and_fail_nothing() {
    everywhere(|| async {
        let domain = parcae::executor::DomainId::create("node", 0);
        let result = group(async |group| {
            let builder = || Builder::new().name("child").domain(domain);
            let child = group.spawn_with(builder(), pending::<()>());
            settle().await;
            domain.kill();
            assert_eq!(child.join().await, Err(GroupTaskError::Cancelled));
            // Nothing begins in a dead domain.
            let late = group.spawn_with(builder(), async {});
            assert_eq!(late.join().await, Err(GroupTaskError::Cancelled));
            Ok::<_, Infallible>(1)
        });
        assert_eq!(result.await, Ok(1));
    });
}

#[test]
fn awaiting_a_child_that_gave_no_value_panics_and_says_why() {
    let outcome = fifo(|| async {
        let running = group(async |group| {
            let child = group.spawn(pending::<()>());
            child.cancel();
            child.await;
            Ok::<_, Infallible>(())
        });
        running.await.unwrap();
    });
    panicked(
        &outcome,
        "a child of a group was awaited that gave no value: the child was cancelled",
    );
    for (error, text) in [
        (GroupTaskError::Refused, "the group takes no more children"),
        (GroupTaskError::Failed, "the child failed"),
        (GroupTaskError::Panicked, "the child panicked"),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn a_failed_child_says_so_to_whoever_has_its_handle_outside() {
    everywhere(|| async {
        let kept = Rc::new(RefCell::new(None));
        let handle = kept.clone();
        let failed: Result<(), _> = group(async move |group| {
            *handle.borrow_mut() = Some(group.spawn_try(async { Err::<(), _>("no") }));
            Ok(())
        })
        .await;
        let error = failed.unwrap_err();
        assert_eq!(error.to_string(), "a group failed with an error");
        let child = kept.take().unwrap();
        assert_eq!(child.join().await, Err(GroupTaskError::Failed));
    });
}

#[test]
fn named_children_stand_in_reports_under_their_maker() {
    let outcome = fifo(|| async {
        let running = group(async |group| {
            let name = group.spawn_named("flush", async { spawn_named("probe", async {}).name() });
            Ok::<_, Infallible>(name.await)
        });
        running.await.unwrap()
    });
    assert_eq!(outcome.unwrap(), "flush/probe");
}

#[test]
fn regression_a_body_that_panics_before_it_is_a_future_leaves_no_child_behind() {
    fifo(|| async {
        let dropped = Journal::new();
        let guard = {
            let dropped = dropped.clone();
            OnDrop(move || dropped.add(()))
        };
        let task = spawn(async move {
            group(|group| {
                group.spawn(async move {
                    let _guard = guard;
                    pending::<()>().await;
                });
                assert!(group.child_count() == 0, "out of cheese");
                async { Ok::<_, Infallible>(()) }
            })
            .await
        });
        let end: Result<_, JoinError> = task.join().await;
        assert!(end.unwrap_err().to_string().contains("out of cheese"));
        assert_eq!(dropped.count(), 1, "the task ends after the children of its group");
    })
    .unwrap();
}

// Looking at all that close whenever one has closed took two minutes.
#[test]
fn regression_a_group_looks_at_a_child_that_closes_when_it_has_closed() {
    fifo(|| async {
        let closed = Journal::new();
        let start = Instant::now();
        let running = group(async |group| {
            for delay in 0..10_000 {
                let closed = closed.clone();
                let close = async move || {
                    sleep(millis(delay / 2)).await;
                    closed.add(delay);
                };
                group.spawn_named("child", finally(pending::<()>(), close));
            }
            yield_now().await;
            Err::<(), _>("enough")
        });
        assert_eq!(running.await.unwrap_err().into_errors(), ["enough"]);
        assert_eq!((start.elapsed(), closed.count()), (millis(4_999), 10_000));
        assert!(closed.take().is_sorted());
    })
    .unwrap();
}
