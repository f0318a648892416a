//! Bounds on how long something may take.

use std::future::{pending, ready};
use std::time::Duration;

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
