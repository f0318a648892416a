//! Trying again.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use parcae::kernel::Ratio;
use parcae::retry::{Backoff, Cause, Jitter, Retry, RetryBudget, RetryError};
use parcae::spawn;
use parcae::task::settle;
use parcae::time::{Instant, sleep};

use crate::clock::{HOUR, Stopwatch, assert_time, beats};
use crate::journal::Journal;

/// A policy with back-offs of 1, 2, 4, ... beats.
fn doubling(attempts: u32) -> parcae::retry::RetryBuilder {
    Retry::builder().attempts(attempts).exponential(beats(1), 2).jitter(Jitter::None)
}

conformance! {
    async fn attempts_are_made_until_one_succeeds() {
        let watch = Stopwatch::start();
        let retry = doubling(5).always::<&str>();
        let result = retry.run(async |attempt| if attempt < 3 { Err("no") } else { Ok(attempt) });
        assert_eq!(result.await, Ok(3));
        watch.took(beats(1 + 2));
    }

    async fn the_first_attempt_is_made_at_once_and_none_after_the_last() {
        let watch = Stopwatch::start();
        let retry = doubling(1).always::<&str>();
        let error = retry.run(async |_| Err::<(), _>("no")).await.unwrap_err();
        assert_eq!(error, RetryError::Exhausted { attempts: 1, last: Cause::Error("no") });
        watch.took(Duration::ZERO);
    }

    async fn each_back_off_is_as_long_as_it_says() {
        let times = Journal::new();
        let start = Instant::now();
        let retry = doubling(4).cap(beats(3)).always::<&str>();
        let error = retry.run(async |_| {
            times.add(start.elapsed());
            Err::<(), _>("no")
        });
        assert!(error.await.is_err());
        for (measured, exact) in times.take().into_iter().zip([0, 1, 3, 6]) {
            assert_time(measured, beats(exact));
        }
    }

    async fn what_is_not_worth_it_is_not_tried_again() {
        let retry = Retry::builder().when(|status: &u16| *status >= 500);
        let calls = Cell::new(0);
        let error = retry.run(async |_| {
            calls.set(calls.get() + 1);
            Err::<(), _>(404)
        });
        assert_eq!(error.await, Err(RetryError::NotRetryable(404)));
        assert_eq!(calls.get(), 1);
    }

    async fn an_attempt_that_takes_too_long_is_cut_off_and_made_again() {
        let journal = Journal::new();
        let retry = Retry::builder()
            .timeout_each(beats(1))
            .backoff(Backoff::constant(beats(1)))
            .always::<()>();
        let result = retry.run(async |attempt| {
            if attempt == 1 {
                let _guard = journal.on_drop("cut off");
                pending::<()>().await;
            }
            Ok(attempt)
        });
        assert_eq!(result.await, Ok(2));
        assert_eq!(journal.take(), ["cut off"]);
    }

    async fn an_attempt_that_is_under_way_at_the_deadline_is_cut_off() {
        let watch = Stopwatch::start();
        let retry = Retry::builder().deadline(beats(2)).always::<()>();
        let error = retry.run(async |_| pending::<Result<(), ()>>().await).await;
        assert_eq!(error, Err(RetryError::DeadlineExceeded { attempts: 1, last: None }));
        watch.took(beats(2));
    }

    async fn a_back_off_that_would_not_end_in_time_is_not_begun() {
        let retry =
            Retry::builder().deadline(HOUR).backoff(Backoff::constant(2 * HOUR)).always::<&str>();
        let error = retry.run(async |_| Err::<(), _>("no")).await;
        let last = Some(Cause::Error("no"));
        assert_eq!(error, Err(RetryError::DeadlineExceeded { attempts: 1, last }));
    }

    async fn the_server_says_when_to_come_back() {
        let watch = Stopwatch::start();
        let retry = Retry::builder()
            .backoff(Backoff::constant(beats(1)))
            .always()
            .retry_after(|busy_for: &Duration| Some(*busy_for));
        let result = retry.run(async |attempt| if attempt == 1 { Err(beats(3)) } else { Ok(()) });
        assert_eq!(result.await, Ok(()));
        watch.took(beats(3));
    }

    async fn a_budget_bounds_the_retries_of_all_calls() {
        let budget = RetryBudget::new(2, Ratio::percent(50));
        let retry = Retry::builder()
            .attempts(2)
            .backoff(Backoff::constant(Duration::ZERO))
            .budget(&budget)
            .always::<&str>();
        let attempts = Rc::new(Cell::new(0));
        for _ in 0..10 {
            let error = retry.run(async |_| {
                attempts.set(attempts.get() + 1);
                Err::<(), _>("down")
            });
            assert!(error.await.is_err());
        }
        // One for each call, the reserve, and a half for each call that finds the bucket not full.
        assert_eq!(attempts.get(), 16);
    }

    async fn a_retry_that_did_not_begin_gives_its_token_back() {
        let budget = RetryBudget::new(1, Ratio::percent(0));
        let retry = Retry::builder()
            .attempts(2)
            .backoff(Backoff::constant(HOUR))
            .budget(&budget)
            .always::<&str>();
        let task = spawn(async move { retry.run(async |_| Err::<(), _>("down")).await });
        settle().await;
        assert_eq!(budget.available(), 0);
        assert_eq!(task.cancel().await, None);
        assert_eq!(budget.available(), 1);
    }

    async fn a_call_that_is_cancelled_drops_the_attempt_under_way() {
        let journal = Journal::new();
        let entries = journal.clone();
        let task = spawn(async move {
            let retry = doubling(3).always::<()>();
            retry
                .run(async |_| {
                    let _guard = entries.on_drop("cut off");
                    sleep(HOUR).await;
                    Ok(())
                })
                .await
        });
        settle().await;
        task.cancel().await;
        assert_eq!(journal.take(), ["cut off"]);
    }

    async fn jitter_keeps_between_its_bounds() {
        let full = Backoff::exponential(beats(8), 2).cap(beats(20)).delays();
        for (delay, step) in full.take(20).zip([8, 16].into_iter().chain([20; 18])) {
            assert!(delay <= beats(step));
        }
        let equal = Backoff::exponential(beats(8), 1).jitter(Jitter::Equal).delays();
        for delay in equal.take(20) {
            assert!(beats(4) <= delay && delay <= beats(8));
        }
    }
}
