//! Circuit breakers.

use std::cell::Cell;
use std::future::pending;

use parcae::kernel::Ratio;
use parcae::rate::{Breaker, BreakerError, BreakerState};

use super::*;
use crate::runs::discard;

/// Makes a call that succeeds or fails, and returns whether it was let through.
async fn call(breaker: &Breaker, is_ok: bool) -> bool {
    let operation = async { if is_ok { Ok(()) } else { Err("down") } };
    match breaker.call(operation).await {
        Ok(()) | Err(BreakerError::Inner("down")) => true,
        Err(_) => false,
    }
}

fn until(breaker: &Breaker) -> Option<Instant> {
    match breaker.state() {
        BreakerState::Open { until } => Some(until),
        _ => None,
    }
}

#[test]
fn it_opens_at_so_many_failures_in_a_row_and_a_success_begins_the_count_anew() {
    on_every_seed(|| async {
        let breaker = Breaker::consecutive(3, secs(30));
        for is_ok in [false, false, true, false, false] {
            assert!(call(&breaker, is_ok).await);
            assert_eq!(breaker.state(), BreakerState::Closed);
        }
        assert!(call(&breaker, false).await);
        assert_eq!(until(&breaker), Some(Instant::now() + secs(30)));
    });
}

#[test]
fn while_it_is_open_nothing_runs() {
    on_every_seed(|| async {
        let breaker = Breaker::consecutive(1, secs(30));
        call(&breaker, false).await;
        let opened = Instant::now();
        let polled = Cell::new(false);
        for _ in 0..3 {
            sleep(secs(10) - nanos(1)).await;
            let refused = breaker.call(async {
                polled.set(true);
                Ok::<_, ()>(())
            });
            let until = opened + secs(30);
            assert_eq!(refused.await, Err(BreakerError::Open { until }));
        }
        assert!(!polled.get());
        sleep(nanos(3)).await;
        assert!(call(&breaker, true).await, "its time is over");
        assert_eq!(breaker.state(), BreakerState::Closed);
    });
}

#[test]
fn a_probe_that_fails_opens_it_for_as_long_again() {
    on_every_seed(|| async {
        let breaker = Breaker::consecutive(5, secs(30));
        for _ in 0..5 {
            call(&breaker, false).await;
        }
        for _ in 0..3 {
            sleep(secs(30)).await;
            assert!(call(&breaker, false).await, "one failure is enough then");
            assert_eq!(until(&breaker), Some(Instant::now() + secs(30)));
            assert!(!call(&breaker, true).await);
        }
    });
}

#[test]
fn it_closes_when_all_probes_succeeded_and_counts_from_zero() {
    on_every_seed(|| async {
        let breaker = Breaker::consecutive(2, secs(1)).probes(3);
        call(&breaker, false).await;
        call(&breaker, false).await;
        sleep(secs(1)).await;
        for _ in 0..2 {
            assert!(call(&breaker, true).await);
            assert_eq!(breaker.state(), BreakerState::HalfOpen);
        }
        assert!(call(&breaker, true).await);
        assert_eq!(breaker.state(), BreakerState::Closed);
        call(&breaker, false).await;
        assert_eq!(breaker.state(), BreakerState::Closed, "the failures before are forgotten");
    });
}

#[test]
fn no_more_probes_run_at_a_time_than_may() {
    on_every_seed(|| async {
        let breaker = Rc::new(Breaker::consecutive(1, secs(1)).probes(2));
        call(&breaker, false).await;
        sleep(secs(1)).await;
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let breaker = breaker.clone();
                spawn(async move {
                    let slow = async {
                        sleep(millis(100)).await;
                        Ok::<_, ()>(())
                    };
                    match breaker.call(slow).await {
                        Ok(()) => 1,
                        Err(BreakerError::Probing) => 0,
                        Err(error) => panic!("{error:?}"),
                    }
                })
            })
            .collect();
        let mut probes = 0;
        for task in tasks {
            probes += task.await;
        }
        assert_eq!((probes, breaker.state()), (2, BreakerState::Closed));
    });
}

#[test]
fn a_cancelled_probe_makes_place_for_another() {
    on_every_seed(|| async {
        let breaker = Breaker::consecutive(1, secs(1));
        call(&breaker, false).await;
        sleep(secs(1)).await;
        for _ in 0..3 {
            let hangs = breaker.call(pending::<Result<(), ()>>());
            timeout(secs(5), hangs).await.unwrap_err();
            assert_eq!(breaker.state(), BreakerState::HalfOpen, "nobody knows yet");
        }
        assert!(call(&breaker, true).await, "not refused for ever");
        assert_eq!(breaker.state(), BreakerState::Closed);
    });
}

#[test]
fn a_call_may_be_dropped_at_each_of_its_polls() {
    for polls in 0..5 {
        on_every_seed(move || async move {
            let breaker = Breaker::consecutive(1, secs(1));
            call(&breaker, false).await;
            sleep(secs(1)).await;
            let probe = breaker.call(async {
                yield_now().await;
                Ok::<_, ()>(())
            });
            discard(dropped_after(polls, probe).await);
            assert!(call(&breaker, true).await, "after {polls} polls");
            assert_eq!(breaker.state(), BreakerState::Closed);
        });
    }
}

#[test]
fn what_began_before_it_opened_says_nothing_when_it_ends() {
    on_every_seed(|| async {
        let breaker = Rc::new(Breaker::consecutive(1, secs(1)).probes(2));
        let late = |took, result| {
            let breaker = breaker.clone();
            spawn(async move {
                let operation = async {
                    sleep(took).await;
                    result
                };
                discard(breaker.call(operation).await);
            })
        };
        // All begin while it is closed.
        let late_ok = late(millis(500), Ok(()));
        let late_error = late(millis(1_500), Err("slow and down"));
        let dropped = late(secs(60), Ok(()));
        settle().await;
        call(&breaker, false).await;
        late_ok.await;
        assert!(until(&breaker).is_some(), "a late success does not close it");
        sleep(millis(500)).await;
        assert!(call(&breaker, true).await, "the first of two probes");
        late_error.await;
        drop(dropped);
        settle().await;
        assert_eq!(breaker.state(), BreakerState::HalfOpen, "a late failure does not open it");
        assert!(call(&breaker, true).await);
        assert_eq!(breaker.state(), BreakerState::Closed);
    });
}

#[test]
fn a_ratio_is_one_of_the_last_calls() {
    on_every_seed(|| async {
        let breaker = Breaker::ratio(Ratio::percent(50), 4, secs(30));
        for is_ok in [false, false, false, true] {
            assert_eq!(breaker.state(), BreakerState::Closed, "too few to tell");
            call(&breaker, is_ok).await;
        }
        assert!(until(&breaker).is_some(), "3 of 4");

        let breaker = Breaker::ratio(Ratio::percent(50), 4, secs(30));
        for is_ok in [true, false, true, true, true, false, true, true, true, false, true, true] {
            call(&breaker, is_ok).await;
            assert_eq!(breaker.state(), BreakerState::Closed, "never 2 of the last 4");
        }
        call(&breaker, false).await;
        assert!(until(&breaker).is_some());
    });
}

#[test]
fn an_error_that_is_no_failure_counts_as_a_success() {
    on_every_seed(|| async {
        let breaker = Breaker::consecutive(2, secs(30));
        for status in [503, 404, 503, 404] {
            let error = breaker.call_when(async { Err::<(), _>(status) }, |status| *status >= 500);
            assert_eq!(error.await, Err(BreakerError::Inner(status)));
            assert_eq!(breaker.state(), BreakerState::Closed);
        }
    });
}

#[test]
fn it_takes_load_off_a_server_that_is_down() {
    on_every_seed(|| async {
        let breaker = Breaker::consecutive(5, secs(10));
        let attempts = Cell::new(0);
        for _ in 0..1_000 {
            sleep(millis(100)).await;
            let operation = async {
                attempts.set(attempts.get() + 1);
                Err::<(), _>(())
            };
            breaker.call(operation).await.unwrap_err();
        }
        assert_eq!(attempts.get(), 5 + 9, "and one probe each 10 s of 100 s");
    });
}

#[test]
fn thresholds_that_cannot_be_are_refused() {
    let zero = || Breaker::consecutive(0, secs(1));
    panicked(&fifo(move || async move { drop(zero()) }), "at one failure or more");
    let zero = || Breaker::ratio(Ratio::ZERO, 4, secs(1));
    panicked(&fifo(move || async move { drop(zero()) }), "at one failure or more");
    let zero = || Breaker::ratio(Ratio::percent(50), 0, secs(1));
    panicked(&fifo(move || async move { drop(zero()) }), "at least one");
    let zero = || Breaker::consecutive(1, secs(1)).probes(0);
    panicked(&fifo(move || async move { drop(zero()) }), "at least one call probes");
}

#[test]
fn regression_a_window_of_any_size_can_be_counted() {
    on_every_seed(|| async {
        let breaker = Breaker::ratio(Ratio::percent(50), usize::MAX, secs(1));
        for is_ok in [false, true, false] {
            assert!(call(&breaker, is_ok).await);
        }
        assert_eq!(breaker.state(), BreakerState::Closed, "too few to tell");
    });
}
