//! Sleeping, and calls that come later.

use std::collections::BTreeSet;
use std::future::{Future as _, pending, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use parcae::task::{settle, yield_now};
use parcae::time::{Instant, call_after, sleep, sleep_until};
use parcae::{Failure, Sim, spawn};

use crate::runs::{Journal, SEEDS, failure, fifo, limited, millis, nanos, poll_once, random, secs};

#[test]
fn a_sleep_is_exact_to_the_nanosecond() {
    let outcome = limited(
        |limits| limits.time = Duration::MAX,
        || async {
            for shift in 0..60 {
                for duration in [1_u64 << shift, (1 << shift) + 1, (1 << shift) - 1, 999_999_999] {
                    let start = Instant::now();
                    sleep(nanos(duration)).await;
                    assert_eq!(start.elapsed(), nanos(duration), "2^{shift}: {duration}");
                }
            }
        },
    );
    outcome.unwrap();
}

#[test]
fn a_sleep_counts_from_its_call_and_not_from_its_first_poll() {
    let outcome = fifo(|| async {
        let sleeping = sleep(secs(3));
        sleep(secs(2)).await;
        sleeping.await;
        let until = sleep_until(Instant::now() + secs(1));
        sleep(secs(5)).await;
        until.await;
    });
    assert_eq!(outcome.elapsed(), secs(8));
    outcome.unwrap();
}

#[test]
fn a_sleep_of_zero_and_one_that_is_over_yield_once() {
    let outcome = fifo(|| async {
        let journal = Journal::new();
        let tasks = ["zero", "past", "yield"].map(|kind| {
            let journal = journal.clone();
            spawn(async move {
                for step in 0..2 {
                    journal.add((step, kind));
                    match kind {
                        "zero" => sleep(Duration::ZERO).await,
                        "past" => sleep_until(Instant::now()).await,
                        _ => yield_now().await,
                    }
                }
            })
        });
        for task in tasks {
            task.await;
        }
        journal.take()
    });
    let kinds = ["zero", "past", "yield"];
    let expected: Vec<_> = (0..2).flat_map(|step| kinds.map(|kind| (step, kind))).collect();
    assert_eq!(outcome.elapsed(), nanos(0));
    assert_eq!(outcome.unwrap(), expected);
}

#[test]
fn under_fifo_equal_deadlines_come_in_the_order_of_registration() {
    let outcome = fifo(|| async {
        let journal = Journal::new();
        let tasks: Vec<_> = (0..100)
            .map(|number| {
                let journal = journal.clone();
                spawn(async move {
                    // Registered at different times, from near and far, for one instant.
                    let wait = [1, 63, 64, 4_096, 5_000, 0][number % 6];
                    sleep(nanos(wait)).await;
                    let registered = (wait, number);
                    sleep_until(Instant::now() + nanos(10_000 - wait)).await;
                    journal.add(registered);
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        journal.take()
    });
    assert_eq!(outcome.elapsed(), nanos(10_000));
    let order = outcome.unwrap();
    assert!(order.is_sorted(), "{order:?}");
    assert_eq!(order.len(), 100);
}

#[test]
fn under_random_equal_deadlines_come_in_every_order_and_replay() {
    let program = || async {
        let journal = Journal::new();
        let tasks = ['a', 'b', 'c'].map(|name| {
            let journal = journal.clone();
            spawn(async move {
                sleep(secs(1)).await;
                journal.add(name);
            })
        });
        for task in tasks {
            task.await;
        }
        journal.take().into_iter().collect::<String>()
    };
    let first: Vec<String> = random(SEEDS, program).map(|outcome| outcome.unwrap()).collect();
    let second: Vec<String> = random(SEEDS, program).map(|outcome| outcome.unwrap()).collect();
    assert_eq!(first, second);
    assert_eq!(first.into_iter().collect::<BTreeSet<_>>().len(), 6);
}

#[test]
fn shorter_sleeps_always_end_before_longer_ones() {
    for outcome in random(SEEDS, || async {
        let journal = Journal::new();
        let tasks: Vec<_> = (0..20_u64)
            .map(|number| {
                let journal = journal.clone();
                spawn(async move {
                    sleep(nanos(100 - number)).await;
                    journal.add(number);
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        journal.take()
    }) {
        assert!(outcome.unwrap().into_iter().eq((0..20).rev()));
    }
}

#[test]
fn a_dropped_sleep_leaves_no_timer() {
    let outcome = fifo(|| async {
        for _ in 0..10_000 {
            let mut sleeping = sleep(secs(3_600));
            assert!(
                poll_fn(|context| Poll::Ready(Pin::new(&mut sleeping).poll(context)))
                    .await
                    .is_pending()
            );
        }
        sleep(secs(1)).await;
        pending::<()>().await;
    });
    assert!(matches!(failure(&outcome), Failure::Deadlock { .. }));
    assert_eq!(outcome.elapsed(), secs(1), "time moved to a timer that was dropped");
}

#[test]
fn a_timer_years_ahead_is_exact() {
    let years = |count: u64| secs(count * 365 * 24 * 3_600);
    let outcome = limited(
        |limits| limits.time = Duration::MAX,
        move || async move {
            let near = spawn(async move {
                sleep(years(1) + nanos(7)).await;
                Instant::now()
            });
            let start = Instant::now();
            let later = spawn(sleep(years(40)));
            let sooner = spawn(sleep(years(20)));
            sleep(years(30)).await;
            assert_eq!((sooner.is_finished(), later.is_finished()), (true, false));
            sleep(years(70) + nanos(1)).await;
            later.await;
            sooner.await;
            assert_eq!(start.elapsed(), years(100) + nanos(1));
            assert_eq!(near.await - start, years(1) + nanos(7));
            sleep(years(400)).await;
        },
    );
    assert_eq!(outcome.elapsed(), years(500) + nanos(1));
    outcome.unwrap();
}

#[test]
fn a_sleep_past_the_end_of_time_is_never_over() {
    let outcome = fifo(|| async { sleep(Duration::MAX).await });
    assert!(matches!(failure(&outcome), Failure::TimeLimit { .. }));
    let outcome = fifo(|| async {
        let forever = spawn(sleep(Duration::MAX));
        sleep(secs(1)).await;
        drop(forever);
    });
    assert_eq!(outcome.elapsed(), secs(1));
    outcome.unwrap();
}

#[test]
fn idle_time_costs_no_steps() {
    let steps = |duration: Duration| {
        let sim = Sim::builder().max_time(Duration::MAX).build().unwrap();
        sim.run(move || async move { sleep(duration).await }).steps()
    };
    assert_eq!(steps(nanos(1)), 2);
    assert_eq!(steps(secs(1_000_000_000)), 2);
}

#[test]
fn a_sleep_that_is_polled_early_keeps_its_place_and_wakes_the_last_waker() {
    let outcome = fifo(|| async {
        let mut sleeping = sleep(secs(2));
        assert!(poll_once(&mut sleeping).is_pending(), "with a waker that wakes nobody");
        spawn(sleeping).await;
    });
    assert_eq!(outcome.elapsed(), secs(2));
    outcome.unwrap();
}

#[test]
fn a_sleep_that_another_task_goes_on_with_wakes_that_task() {
    for outcome in random(SEEDS, || async {
        let mut sleeping = sleep(secs(2));
        assert!(
            poll_fn(|context| Poll::Ready(Pin::new(&mut sleeping).poll(context)))
                .await
                .is_pending()
        );
        let other = spawn(async move {
            sleeping.await;
            Instant::now()
        });
        other.await
    }) {
        assert_eq!(outcome.elapsed(), secs(2));
        outcome.unwrap();
    }
}

// Calls

#[test]
fn a_call_is_made_in_time_and_not_before() {
    for outcome in random(SEEDS, || async {
        let (journal, start) = (Journal::new(), Instant::now());
        let inner = journal.clone();
        let call = call_after(secs(2), move || inner.add(start.elapsed()));
        sleep(secs(1)).await;
        assert!(!call.is_finished());
        sleep(secs(2)).await;
        assert!(call.is_finished());
        journal.take()
    }) {
        assert_eq!(outcome.unwrap(), [secs(2)]);
    }
}

#[test]
fn a_call_that_is_cancelled_at_the_very_instant_is_made_or_not_and_never_after_the_cancel() {
    let mut made_count = 0;
    for outcome in random(SEEDS, || async {
        let journal = Journal::new();
        let inner = journal.clone();
        let call = call_after(secs(1), move || inner.add(()));
        settle().await;
        sleep(secs(1)).await;
        let count = journal.count();
        call.cancel();
        sleep(secs(1)).await;
        assert_eq!(journal.count(), count, "made after it was cancelled");
        count
    }) {
        made_count += outcome.unwrap();
    }
    assert!((50..150).contains(&made_count), "{made_count} of {SEEDS}");
}

#[test]
fn a_call_stands_when_its_handle_is_dropped_and_is_not_made_after_the_program() {
    let outcome = fifo(|| async {
        let journal = Journal::new();
        for delay in [1, 3] {
            let inner = journal.clone();
            drop(call_after(secs(delay), move || inner.add(delay)));
        }
        sleep(secs(2)).await;
        journal
    });
    assert_eq!(outcome.elapsed(), secs(2));
    assert_eq!(outcome.unwrap().take(), [1]);
}

#[test]
fn calls_come_in_the_order_of_their_times() {
    let outcome = fifo(|| async {
        let journal = Journal::new();
        for delay in [5, 1, 4, 1, 3] {
            let inner = journal.clone();
            drop(call_after(millis(delay), move || inner.add(delay)));
        }
        sleep(secs(1)).await;
        journal.take()
    });
    assert_eq!(outcome.unwrap(), [1, 1, 3, 4, 5]);
}
