//! Rate limits and breakers.

use std::future::{pending, ready};
use std::rc::Rc;

use parcae::kernel::Ratio;
use parcae::rate::{Breaker, BreakerError, BreakerState, Rate, RetryAfter};
use parcae::spawn;
use parcae::task::{gather, settle};
use parcae::time::{Instant, sleep, timeout};

use crate::clock::{HOUR, Stopwatch, beats};
use crate::journal::Journal;

/// Makes a call that fails.
async fn fail(breaker: &Breaker) -> Result<(), BreakerError<&'static str>> {
    breaker.call(ready(Err("down"))).await
}

/// Makes a call that succeeds.
async fn succeed(breaker: &Breaker) -> Result<(), BreakerError<&'static str>> {
    breaker.call(ready(Ok(()))).await
}

conformance! {
    async fn a_bucket_begins_full_and_fills_at_its_rate() {
        let rate = Rate::new(1, beats(1)).burst(3);
        let watch = Stopwatch::start();
        for _ in 0..5 {
            rate.acquire().await;
        }
        watch.took(beats(2));
    }

    async fn no_more_begin_than_the_rate_allows() {
        let rate = Rc::new(Rate::new(2, beats(2)));
        let (starts, begin) = (Journal::new(), Instant::now());
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let (rate, starts) = (rate.clone(), starts.clone());
                spawn(async move {
                    rate.acquire().await;
                    starts.add(begin.elapsed());
                })
            })
            .collect();
        gather(tasks).await;
        let starts = starts.take();
        for (number, start) in (0..).zip(starts) {
            assert!(start >= beats(number), "start {number} after {start:?}");
        }
    }

    async fn whoever_waits_is_served_in_the_order_of_arrival() {
        let rate = Rc::new(Rate::new(1, beats(1)).burst(2));
        rate.acquire_many(2).await;
        let journal = Journal::new();
        let mut tasks = Vec::new();
        for count in [2, 1, 1] {
            let (rate, journal) = (rate.clone(), journal.clone());
            tasks.push(spawn(async move {
                rate.acquire_many(count).await;
                journal.add(count);
            }));
            settle().await;
        }
        gather(tasks).await;
        assert_eq!(journal.take(), [2, 1, 1]);
    }

    async fn whoever_does_not_wait_is_told_when_to_come_back() {
        let rate = Rate::new(1, HOUR);
        assert_eq!(rate.try_acquire(), Ok(()));
        let Err(RetryAfter(time)) = rate.try_acquire() else { panic!("there is no token") };
        assert!(time <= HOUR);
        if crate::backends::is_simulated() {
            assert_eq!(time, HOUR);
        }
    }

    async fn whoever_gives_up_took_no_token() {
        let rate = Rate::new(1, beats(3));
        let watch = Stopwatch::start();
        rate.acquire().await;
        // On real time it may have got one after all, and then it waits for the next.
        let _end = timeout(beats(1), rate.acquire()).await;
        rate.acquire().await;
        watch.took(beats(3));
    }

    async fn a_breaker_opens_at_so_many_failures_in_a_row() {
        let breaker = Breaker::consecutive(2, HOUR);
        assert_eq!(fail(&breaker).await, Err(BreakerError::Inner("down")));
        assert_eq!(succeed(&breaker).await, Ok(()));
        assert_eq!(fail(&breaker).await, Err(BreakerError::Inner("down")));
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert_eq!(fail(&breaker).await, Err(BreakerError::Inner("down")));
        assert!(matches!(breaker.state(), BreakerState::Open { .. }));
    }

    async fn a_call_through_an_open_breaker_is_not_made() {
        let breaker = Breaker::consecutive(1, HOUR);
        fail(&breaker).await.unwrap_err();
        let journal = Journal::new();
        let refused = breaker.call(async {
            journal.add("made");
            Ok::<_, &str>(())
        });
        let BreakerError::Open { until } = refused.await.unwrap_err() else { panic!("it is open") };
        assert!(until > Instant::now());
        assert_eq!(journal.take(), [""; 0]);
    }

    async fn a_probe_that_succeeds_closes_the_breaker() {
        let breaker = Breaker::consecutive(1, beats(1));
        fail(&breaker).await.unwrap_err();
        sleep(beats(1)).await;
        assert_eq!(succeed(&breaker).await, Ok(()));
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    async fn a_probe_that_fails_opens_it_again() {
        let breaker = Breaker::consecutive(3, beats(1));
        for _ in 0..3 {
            fail(&breaker).await.unwrap_err();
        }
        sleep(beats(1)).await;
        assert_eq!(fail(&breaker).await, Err(BreakerError::Inner("down")));
        assert!(matches!(breaker.state(), BreakerState::Open { .. }));
    }

    async fn others_are_refused_while_a_probe_is_under_way_and_one_that_is_cancelled_says_nothing()
    {
        let breaker = Rc::new(Breaker::consecutive(1, beats(1)));
        fail(&breaker).await.unwrap_err();
        sleep(beats(1)).await;
        let probe = spawn({
            let breaker = breaker.clone();
            async move { breaker.call(pending::<Result<(), &str>>()).await }
        });
        settle().await;
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        assert_eq!(succeed(&breaker).await, Err(BreakerError::Probing));
        probe.cancel().await;
        assert_eq!(succeed(&breaker).await, Ok(()));
    }

    async fn a_breaker_opens_at_a_part_of_the_last_calls() {
        let breaker = Breaker::ratio(Ratio::percent(50), 4, HOUR);
        for _ in 0..2 {
            succeed(&breaker).await.unwrap();
        }
        fail(&breaker).await.unwrap_err();
        assert_eq!(breaker.state(), BreakerState::Closed);
        fail(&breaker).await.unwrap_err();
        assert!(matches!(breaker.state(), BreakerState::Open { .. }));
    }

    async fn an_error_that_is_no_failure_does_not_count() {
        let breaker = Breaker::consecutive(1, HOUR);
        let call = breaker.call_when(ready(Err::<(), _>(404)), |status: &u16| *status >= 500);
        assert_eq!(call.await, Err(BreakerError::Inner(404)));
        assert_eq!(breaker.state(), BreakerState::Closed);
    }
}
