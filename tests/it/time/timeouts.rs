//! Bounds on how long something may take.

use std::future::{pending, ready};
use std::pin::pin;
use std::time::Duration;

use parcae::task::settle;
use parcae::time::{Instant, sleep, timeout, timeout_at};
use parcae::{Failure, spawn};

use crate::runs::{Journal, OnDrop, SEEDS, failure, fifo, millis, nanos, random, secs};

#[test]
fn a_value_in_time_comes_and_a_late_one_does_not() {
    for outcome in random(SEEDS, || async {
        let after = |duration| async move {
            sleep(duration).await;
            42
        };
        assert_eq!(timeout(secs(2), after(secs(1))).await, Ok(42));
        let error = timeout(secs(1), after(secs(2))).await.unwrap_err();
        assert!(error.to_string().starts_with("not done within 1s (tests/it/time/timeouts.rs:"));
        assert_eq!(error.after(), secs(1));
        let deadline = Instant::now() + secs(1);
        assert!(timeout_at(deadline, pending::<()>()).await.is_err());
        assert_eq!(Instant::now(), deadline);
    }) {
        assert_eq!(outcome.elapsed(), secs(3));
        outcome.unwrap();
    }
}

#[test]
fn at_the_very_instant_of_the_deadline_the_value_wins() {
    for outcome in random(SEEDS, || async {
        assert!(timeout(secs(1), sleep(secs(1))).await.is_ok());
        // Also when the timer of the value was registered after that of the time-out.
        let late = async {
            sleep(millis(1)).await;
            sleep(millis(999)).await;
        };
        assert!(timeout(secs(1), late).await.is_ok());
        assert!(timeout(secs(1), sleep(secs(1) + nanos(1))).await.is_err());
        // A deadline that has passed bounds nothing that is ready.
        assert_eq!(timeout(Duration::ZERO, ready(7)).await, Ok(7));
        assert_eq!(timeout_at(Instant::now(), ready(7)).await, Ok(7));
        assert!(timeout(Duration::ZERO, pending::<()>()).await.is_err());
    }) {
        assert_eq!(outcome.elapsed(), secs(3));
        outcome.unwrap();
    }
}

#[test]
fn of_two_nested_time_outs_with_one_deadline_the_inner_wins() {
    for outcome in random(SEEDS, || async {
        let inner = timeout(secs(1), pending::<()>());
        let result = timeout(secs(1), inner).await;
        assert!(matches!(result, Ok(Err(_))), "the outer one won");
        let result = timeout(secs(1), timeout(secs(2), pending::<()>())).await;
        assert!(result.is_err());
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_time_out_drops_the_future_it_was_given() {
    let outcome = fifo(|| async {
        let journal = Journal::new();
        let inner = journal.clone();
        let task = async move {
            let _guard = OnDrop(move || inner.add(Instant::now()));
            pending::<()>().await;
        };
        let start = Instant::now();
        assert!(timeout(secs(1), Box::pin(task)).await.is_err());
        journal.take().into_iter().map(|at| at - start).collect::<Vec<_>>()
    });
    assert_eq!(outcome.unwrap(), [secs(1)]);
}

#[test]
fn a_time_out_over_a_task_cancels_it() {
    for outcome in random(SEEDS, || async {
        let journal = Journal::new();
        let inner = journal.clone();
        let task = spawn(async move {
            let _guard = OnDrop(move || inner.add(()));
            sleep(secs(5)).await;
        });
        assert!(timeout(secs(1), task).await.is_err());
        sleep(nanos(1)).await;
        journal.count()
    }) {
        assert_eq!(outcome.unwrap(), 1);
    }
}

#[test]
fn a_hundred_thousand_time_outs_leave_no_timer() {
    let outcome = fifo(|| async {
        for _ in 0..100_000 {
            timeout(secs(3_600), sleep(nanos(1))).await.unwrap();
        }
        pending::<()>().await;
    });
    assert!(matches!(failure(&outcome), Failure::Deadlock { .. }));
    assert_eq!(outcome.elapsed(), nanos(100_000));
}

#[test]
fn a_future_survives_its_time_out_when_it_is_borrowed_or_taken_back() {
    let outcome = fifo(|| async {
        let mut task = spawn(async {
            sleep(secs(3)).await;
            42
        });
        assert!(timeout(secs(1), &mut task).await.is_err());
        timeout(secs(1), task).into_inner().await
    });
    assert_eq!(outcome.elapsed(), secs(3));
    assert_eq!(outcome.unwrap(), 42);
}

#[test]
fn many_time_outs_in_one_task_each_have_their_own_timer() {
    for outcome in random(20, || async {
        let waits = (1..=50).map(|count| async move {
            let result = timeout(millis(count), sleep(millis(51 - count))).await;
            (result.is_ok(), Instant::now())
        });
        let start = Instant::now();
        let ends = futures::future::join_all(waits).await;
        for (count, (is_ok, end)) in (1..=50).zip(ends) {
            assert_eq!(is_ok, count > 25, "{count}");
            assert_eq!(end - start, millis(u64::min(count, 51 - count)), "{count}");
        }
    }) {
        outcome.unwrap();
    }
}

// CPython's test_reschedule.
#[test]
fn a_deadline_that_is_moved_holds_from_then_on() {
    for outcome in random(300, || async {
        let start = Instant::now();
        let mut bounded = pin!(timeout(secs(1), sleep(secs(4))));
        assert_eq!(bounded.deadline(), start + secs(1));
        // Before it is polled, and while it waits; forward and back.
        bounded.as_mut().reset(start + secs(2));
        assert!(timeout(millis(1_500), bounded.as_mut()).await.is_err());
        bounded.as_mut().reset(start + secs(9));
        assert!(timeout(secs(1), bounded.as_mut()).await.is_err());
        bounded.as_mut().reset(start + secs(3));
        let error = bounded.as_mut().await.unwrap_err();
        assert_eq!(start.elapsed(), secs(3));
        assert_eq!(error.after(), millis(500), "from the last time it was moved");
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_deadline_that_is_moved_leaves_no_timer_and_moves_nothing_once_it_is_over() {
    for outcome in random(SEEDS, || async {
        let mut bounded = pin!(timeout(secs(3), pending::<()>()));
        assert!(timeout(secs(1), bounded.as_mut()).await.is_err());
        bounded.as_mut().reset(Instant::now());
        assert!(bounded.as_mut().await.is_err());
        bounded.as_mut().reset(Instant::now() + secs(60));
        assert!(bounded.as_mut().await.is_err(), "it stays over");
        pending::<()>().await;
    }) {
        assert!(matches!(failure(&outcome), Failure::Deadlock { .. }));
        assert_eq!(outcome.elapsed(), secs(1));
    }
}

// CPython's test_outer_task_is_not_cancelled, test_foreign_cancel_doesnt_timeout_if_not_expired.
#[test]
fn a_time_out_ends_what_it_bounds_and_nothing_around_it() {
    for outcome in random(300, || async {
        let outer = spawn(async {
            let result = timeout(secs(1), pending::<()>()).await;
            sleep(secs(1)).await;
            result.is_err()
        });
        assert!(outer.await);
        // What ends for another reason is not taken for late.
        let inner = spawn(pending::<()>());
        settle().await;
        assert_eq!(timeout(secs(1), inner.cancel()).await, Ok(None));
        // Whoever is cancelled inside of a time-out is cancelled, not late.
        let journal = Journal::new();
        let entries = journal.clone();
        let waiting = spawn(async move {
            let result = timeout(secs(5), pending::<()>()).await;
            entries.add(result);
        });
        settle().await;
        assert_eq!(waiting.cancel().await, None);
        assert_eq!(journal.count(), 0);
    }) {
        assert_eq!(outcome.elapsed(), secs(2));
        outcome.unwrap();
    }
}

// The races that `asyncio.wait_for` lost in one version or another: bpo-37658, gh-86296.
#[test]
fn a_cancellation_at_the_instant_of_the_deadline_or_of_the_value_is_not_swallowed() {
    for outcome in random(300, || async {
        for value_after in [secs(1), secs(2)] {
            let journal = Journal::new();
            let entries = journal.clone();
            let task = spawn(async move {
                let result = timeout(secs(1), sleep(value_after)).await;
                entries.add(result.is_ok());
                sleep(secs(60)).await;
                unreachable!("it was cancelled");
            });
            sleep(secs(1)).await;
            assert_eq!(task.cancel().await, None);
            let seen = journal.take();
            assert!(seen.iter().all(|is_value| *is_value == (value_after == secs(1))));
        }
    }) {
        outcome.unwrap();
    }
}

// CPython's test_timeout_zero_sleep_zero and the coroutines that `wait_for(…, 0)` does not start.
#[test]
fn a_time_out_of_zero_polls_once_and_lets_nothing_wait() {
    for outcome in random(300, || async {
        assert!(timeout(Duration::ZERO, sleep(Duration::ZERO)).await.is_err());
        let journal = Journal::new();
        let body = async {
            journal.add("begins");
            sleep(nanos(1)).await;
            journal.add("goes on");
        };
        assert!(timeout(Duration::ZERO, body).await.is_err());
        assert_eq!(journal.take(), ["begins"]);
    }) {
        assert_eq!(outcome.elapsed(), Duration::ZERO);
        outcome.unwrap();
    }
}
