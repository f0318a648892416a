//! Tests of `parcae::retry`.

mod budget;
mod storms;

use std::cell::Cell;
use std::error::Error as _;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use parcae::retry::{Backoff, Cause, Jitter, Retry, RetryBuilder, RetryError};
use parcae::spawn;
use parcae::sync::Event;
use parcae::time::{Instant, sleep, timeout};

use crate::runs::{
    Journal, OnDrop, SEEDS, dropped_after, fifo, millis, nanos, on_every_seed, panicked, random,
    secs,
};

/// So many attempts after 1, 2, 4 and so on seconds.
fn doubling(attempts: u32) -> RetryBuilder {
    Retry::builder().attempts(attempts).exponential(secs(1), 2).jitter(Jitter::None)
}

/// Journals when each attempt begins, and fails.
async fn failing(
    retry: &Retry<&'static str>,
    took: Duration,
) -> (Vec<(u32, Duration)>, RetryError<&'static str>, Duration) {
    let (journal, start) = (Journal::new(), Instant::now());
    let attempt = async |attempt| {
        journal.add((attempt, start.elapsed()));
        sleep(took).await;
        Err::<(), _>("down")
    };
    let error = retry.run(attempt).await.unwrap_err();
    (journal.take(), error, start.elapsed())
}

#[test]
fn attempts_begin_at_0_1_and_3_seconds_and_nothing_is_waited_for_after_the_last() {
    on_every_seed(|| async {
        let (attempts, error, elapsed) = failing(&doubling(3).always(), nanos(0)).await;
        assert_eq!(attempts, [(1, secs(0)), (2, secs(1)), (3, secs(3))]);
        assert_eq!(error, RetryError::Exhausted { attempts: 3, last: Cause::Error("down") });
        assert_eq!(elapsed, secs(3));
    });
}

#[test]
fn delays_grow_by_the_factor_up_to_the_cap() {
    on_every_seed(|| async {
        let seconds = |backoff: Backoff| {
            backoff.delays().take(5).map(|delay| delay.as_secs()).collect::<Vec<_>>()
        };
        let tripling = Backoff::exponential(secs(2), 3).jitter(Jitter::None);
        assert_eq!(seconds(tripling.cap(secs(60))), [2, 6, 18, 54, 60]);
        assert_eq!(seconds(tripling), [2, 6, 18, 20, 20]);
        assert_eq!(seconds(tripling.cap(secs(1))), [1, 1, 1, 1, 1]);
        assert_eq!(seconds(Backoff::constant(secs(30))), [30, 30, 30, 30, 30]);
        let endless = Backoff::exponential(Duration::MAX, u32::MAX).cap(Duration::MAX);
        let longest = endless.jitter(Jitter::None).delays().nth(100).unwrap();
        assert_eq!(longest, nanos(u64::MAX), "it saturates");
    });
}

#[test]
fn success_ends_it_and_gives_the_value() {
    on_every_seed(|| async {
        let start = Instant::now();
        let operation = async |attempt| if attempt < 3 { Err("down") } else { Ok(attempt) };
        assert_eq!(doubling(5).always().run(operation).await, Ok(3));
        assert_eq!(start.elapsed(), secs(3));
    });
}

#[test]
fn an_operation_may_change_what_it_borrows() {
    on_every_seed(|| async {
        let mut log = Vec::new();
        let operation = async |attempt| {
            log.push(attempt);
            if attempt == 2 { Ok(()) } else { Err(()) }
        };
        doubling(5).always().run(operation).await.unwrap();
        assert_eq!(log, [1, 2]);
    });
}

// What is worth it

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Status(u16, Option<Duration>);

fn is_retryable(status: &Status) -> bool {
    matches!(status.0, 429 | 500..)
}

#[test]
fn only_what_is_worth_it_is_retried() {
    on_every_seed(|| async {
        let retry = doubling(3).when(is_retryable);
        for (status, count) in [(404, 1), (400, 1), (429, 3), (503, 3)] {
            let attempts = Cell::new(0);
            let operation = async |_| {
                attempts.set(attempts.get() + 1);
                Err::<(), _>(Status(status, None))
            };
            let error = retry.run(operation).await.unwrap_err();
            assert_eq!(attempts.get(), count, "of {status}");
            assert_eq!(error.into_error(), Some(Status(status, None)));
        }
        let start = Instant::now();
        let error = retry.run(async |_| Err::<(), _>(Status(404, None))).await.unwrap_err();
        assert_eq!(error, RetryError::NotRetryable(Status(404, None)));
        assert_eq!(start.elapsed(), secs(0));
    });
}

#[test]
fn a_server_that_says_when_is_obeyed_if_that_is_later() {
    on_every_seed(|| async {
        let retry = doubling(4).when(is_retryable).retry_after(|status: &Status| status.1);
        let (journal, start) = (Journal::new(), Instant::now());
        let operation = async |attempt| {
            journal.add(start.elapsed());
            // Longer than the cap, shorter than the back-off, none.
            let told = [Some(secs(60)), Some(secs(1)), None];
            match told.get(usize::try_from(attempt).unwrap() - 1) {
                Some(told) => Err(Status(503, *told)),
                None => Ok(()),
            }
        };
        retry.run(operation).await.unwrap();
        assert_eq!(journal.take(), [secs(0), secs(60), secs(62), secs(66)]);
    });
}

#[test]
fn a_server_that_says_to_come_after_the_deadline_is_not_waited_for() {
    on_every_seed(|| async {
        let retry = doubling(4).deadline(secs(60)).always().retry_after(|told| Some(*told));
        let start = Instant::now();
        let error = retry.run(async |_| Err::<(), _>(secs(60))).await.unwrap_err();
        let last = Some(Cause::Error(secs(60)));
        assert_eq!(error, RetryError::DeadlineExceeded { attempts: 1, last });
        assert_eq!(start.elapsed(), secs(0));
    });
}

// Time

#[test]
fn a_backoff_that_would_not_end_before_the_deadline_is_not_begun() {
    on_every_seed(|| async {
        let retry = doubling(10).deadline(secs(7)).always();
        let (attempts, error, elapsed) = failing(&retry, nanos(0)).await;
        assert_eq!(attempts, [(1, secs(0)), (2, secs(1)), (3, secs(3))]);
        let last = Some(Cause::Error("down"));
        assert_eq!(error, RetryError::DeadlineExceeded { attempts: 3, last });
        assert_eq!(elapsed, secs(3), "a back-off of 4 s ends at the deadline");

        let retry = doubling(10).deadline(secs(7) + nanos(1)).always();
        let (attempts, _, elapsed) = failing(&retry, nanos(0)).await;
        assert_eq!(attempts.last(), Some(&(4, secs(7))));
        assert_eq!(elapsed, secs(7));
    });
}

#[test]
fn an_attempt_is_cut_off_at_the_deadline() {
    on_every_seed(|| async {
        let dropped = Rc::new(Cell::new(0));
        let counter = dropped.clone();
        let operation = async |attempt| {
            let counter = counter.clone();
            let _counts = OnDrop(move || counter.set(counter.get() + 1));
            if attempt == 1 { Err("down") } else { pending().await }
        };
        let start = Instant::now();
        let error = doubling(10).deadline(secs(5)).always().run(operation).await;
        let last = Some(Cause::Error("down"));
        assert_eq!(error, Err::<(), _>(RetryError::DeadlineExceeded { attempts: 2, last }));
        assert_eq!((start.elapsed(), dropped.get()), (secs(5), 2));

        let retry = doubling(1).deadline(secs(5)).always::<()>();
        let error = retry.run(async |_| pending::<Result<(), _>>().await).await;
        assert_eq!(error, Err(RetryError::DeadlineExceeded { attempts: 1, last: None }));
    });
}

#[test]
fn a_slow_attempt_is_cut_off_and_tried_again() {
    on_every_seed(|| async {
        let (journal, start) = (Journal::new(), Instant::now());
        let operation = async |attempt| {
            journal.add(start.elapsed());
            sleep(if attempt < 3 { secs(60) } else { secs(2) }).await;
            Ok::<_, ()>(attempt)
        };
        let retry = doubling(3).timeout_each(secs(2)).always();
        assert_eq!(retry.run(operation).await, Ok(3), "a value at the very end counts");
        assert_eq!(journal.take(), [secs(0), secs(3), secs(7)]);

        let retry = doubling(2).timeout_each(secs(2)).when(|_: &()| false);
        let error = retry.run(async |_| pending::<Result<(), ()>>().await).await.unwrap_err();
        let last = Cause::TimedOut { after: secs(2) };
        assert_eq!(error, RetryError::Exhausted { attempts: 2, last });
    });
}

#[test]
fn the_deadline_comes_before_the_time_of_an_attempt_that_ends_with_it() {
    on_every_seed(|| async {
        let retry = doubling(3).timeout_each(secs(2)).deadline(secs(2)).always::<()>();
        let error = retry.run(async |_| pending::<Result<(), ()>>().await).await;
        assert_eq!(error, Err(RetryError::DeadlineExceeded { attempts: 1, last: None }));
    });
}

#[test]
fn a_time_of_zero_is_for_one_poll_and_the_longest_is_no_bound() {
    on_every_seed(|| async {
        let start = Instant::now();
        let retry = doubling(3).deadline(secs(0)).always::<()>();
        assert_eq!(retry.run(async |_| Ok(7)).await, Ok(7), "what is there at once counts");
        let error = retry.run(async |_| pending::<Result<(), ()>>().await).await;
        assert_eq!(error, Err(RetryError::DeadlineExceeded { attempts: 1, last: None }));
        let last = Some(Cause::Error(()));
        let error = retry.run(async |_| Err::<(), _>(())).await;
        assert_eq!(error, Err(RetryError::DeadlineExceeded { attempts: 1, last }));
        assert_eq!(start.elapsed(), secs(0));

        let longest = doubling(3).deadline(Duration::MAX).timeout_each(Duration::MAX);
        let operation = async |attempt| {
            sleep(secs(60)).await;
            if attempt < 3 { Err(()) } else { Ok(attempt) }
        };
        assert_eq!(longest.always().run(operation).await, Ok(3));
        assert_eq!(start.elapsed(), secs(60 + 1 + 60 + 2 + 60));

        let no_time = doubling(2).timeout_each(secs(0)).always::<()>();
        let error = no_time.run(async |_| pending::<Result<(), ()>>().await).await;
        let last = Cause::TimedOut { after: secs(0) };
        assert_eq!(error, Err(RetryError::Exhausted { attempts: 2, last }));
    });
}

#[test]
fn a_server_that_says_never_is_waited_for_only_without_a_deadline() {
    on_every_seed(|| async {
        let never = || doubling(2).deadline(secs(60)).always().retry_after(|_| Some(Duration::MAX));
        let error = never().run(async |_| Err::<(), _>("never")).await;
        let last = Some(Cause::Error("never"));
        assert_eq!(error, Err(RetryError::DeadlineExceeded { attempts: 1, last }));
    });
    let outcome = fifo(|| async {
        let retry = doubling(2).always().retry_after(|_| Some(Duration::MAX));
        retry.run(async |_| Err::<(), _>("never")).await
    });
    let failure = outcome.failure().expect("584 years are beyond the limit of a run");
    assert_eq!(failure.kind(), "time limit");
}

#[test]
fn an_attempt_that_timed_out_may_have_had_its_effect() {
    // Why a key is sent along: each attempt after the first finds the charge of the first.
    on_every_seed(|| async {
        let charges = Journal::new();
        let retry = doubling(3).timeout_each(secs(1)).always::<()>();
        for key in [None, Some(7)] {
            let operation = async |attempt| {
                let is_known = key.is_some_and(|_| charges.count() > 0);
                if !is_known {
                    charges.add(attempt);
                }
                // The reply to the first one is lost.
                if attempt == 1 { pending().await } else { Ok(()) }
            };
            retry.run(operation).await.unwrap();
            let expected: &[u32] = if key.is_none() { &[1, 2] } else { &[1] };
            assert_eq!(charges.take(), expected, "with key {key:?}");
        }
    });
}

// Jitter

#[test]
fn delays_stay_in_the_bounds_of_their_jitter() {
    on_every_seed(|| async {
        let backoff = Backoff::exponential(secs(1), 2).cap(secs(30));
        let steps = [1, 2, 4, 8, 16, 30, 30, 30].map(secs);
        let full = backoff.jitter(Jitter::Full).delays().zip(steps);
        full.for_each(|(delay, step)| assert!(delay <= step, "{delay:?} of {step:?}"));
        let equal = backoff.jitter(Jitter::Equal).delays().zip(steps);
        equal.for_each(|(delay, step)| {
            assert!(delay >= step / 2 && delay <= step, "{delay:?} of {step:?}");
        });
        let mut before = secs(1);
        for delay in backoff.jitter(Jitter::Decorrelated).delays().take(20) {
            assert!(delay >= secs(1) && delay <= secs(30), "{delay:?}");
            assert!(delay <= before * 3, "{delay:?} after {before:?}");
            before = delay;
        }
    });
}

#[test]
fn jitter_is_spread_evenly_and_differs_from_seed_to_seed() {
    let sample = |jitter| {
        let delays = random(2000, move || async move {
            Backoff::exponential(secs(1), 2).jitter(jitter).delays().nth(1).unwrap()
        });
        let mut delays: Vec<u64> = delays.map(|delay| millis_of(delay.unwrap())).collect();
        delays.sort_unstable();
        let mean = delays.iter().sum::<u64>() / 2000;
        (delays[0], mean, delays[1999])
    };
    // 2000 draws: the mean of an even spread over 2 s is off by 13 ms with one standard deviation.
    let (least, mean, most) = sample(Jitter::Full);
    assert!(least < 20 && (940..1060).contains(&mean) && most > 1980, "{least} {mean} {most}");
    let (least, mean, most) = sample(Jitter::Equal);
    assert!(least < 1010 && (1470..1530).contains(&mean) && most > 1990, "{least} {mean} {most}");
    // The first delay is 2 s on average, the second up to 3 times that.
    let (least, mean, most) = sample(Jitter::Decorrelated);
    assert!(least < 1100 && (3300..3700).contains(&mean) && most > 8500, "{least} {mean} {most}");
}

fn millis_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap()
}

#[test]
fn a_seed_draws_the_same_delays_again() {
    let delays = || async { Backoff::default().delays().take(10).collect::<Vec<_>>() };
    for seed in 0..SEEDS {
        let [first, second] = [(); 2].map(|()| parcae::Sim::new(seed).run(delays).unwrap());
        assert_eq!(first, second);
    }
}

// Cancellation

#[test]
fn a_call_that_is_dropped_does_nothing_more() {
    for polls in 0..12 {
        on_every_seed(move || async move {
            let alive = Rc::new(Cell::new(0));
            let (inside, gate) = (alive.clone(), Rc::new(Event::new()));
            gate.set();
            let operation = async |_| {
                inside.set(inside.get() + 1);
                let counter = inside.clone();
                let _leaves = OnDrop(move || counter.set(counter.get() - 1));
                gate.wait().await;
                sleep(millis(1)).await;
                Err::<(), _>("down")
            };
            let retry = doubling(3).timeout_each(secs(9)).always();
            let begun = dropped_after(polls, retry.run(operation)).await;
            assert_eq!(alive.get(), 0, "after {polls} polls: {begun:?}");
        });
    }
}

#[test]
fn a_call_can_be_given_up_during_its_backoff() {
    on_every_seed(|| async {
        let attempts = Rc::new(Cell::new(0));
        let counter = attempts.clone();
        let task = spawn(async move {
            let operation = async |_| {
                counter.set(counter.get() + 1);
                Err::<(), _>("down")
            };
            timeout(millis(2500), doubling(9).always().run(operation)).await.unwrap_err();
        });
        task.await;
        sleep(secs(60)).await;
        assert_eq!(attempts.get(), 2, "at 0 and 1 s, and not at 3 s");
    });
}

// Rules

#[test]
fn what_cannot_be_is_refused() {
    let outcome = fifo(|| async { drop(Retry::builder().attempts(0)) });
    panicked(&outcome, "at least 1");
    let outcome = fifo(|| async { crate::runs::discard(Backoff::exponential(secs(1), 0)) });
    panicked(&outcome, "the factor of a back-off is above 0");
}

#[test]
fn errors_say_why_and_keep_their_sources() {
    let parse = || "x".parse::<u8>().unwrap_err();
    let error = RetryError::Exhausted { attempts: 3, last: Cause::Error(parse()) };
    assert_eq!(error.to_string(), "all 3 attempts failed");
    let cause = error.source().unwrap();
    assert_eq!(cause.to_string(), "the attempt failed");
    assert_eq!(cause.source().unwrap().to_string(), parse().to_string());

    let last = Cause::TimedOut { after: secs(2) };
    let error = RetryError::<std::num::ParseIntError>::BudgetExhausted { attempts: 1, last };
    assert_eq!(error.source().unwrap().to_string(), "the attempt timed out after 2s");
    assert_eq!(error.into_error(), None);
    let error = RetryError::<std::num::ParseIntError>::DeadlineExceeded { attempts: 1, last: None };
    assert!(error.source().is_none());
}

#[test]
fn a_policy_can_be_shared_between_threads() {
    fn check<T: Send + Sync + Clone>(value: T) -> T {
        value
    }
    let retry = check(doubling(2).when(|_: &Cell<u8>| true));
    let _other = retry.clone();
    assert!(format!("{retry:?}").contains("attempts: 2"));
}
