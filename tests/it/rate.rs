//! Tests of `parcae::rate`.

mod breaker;

use std::rc::Rc;
use std::time::Duration;

use parcae::executor::DomainId;
use parcae::rate::{Rate, RetryAfter};
use parcae::spawn;
use parcae::task::{Builder, settle, yield_now};
use parcae::time::{Instant, sleep, timeout};

use crate::runs::{Journal, dropped_after, fifo, millis, nanos, on_every_seed, panicked, secs};

/// Asserts that no window of a second, open at its end, has more than so many starts.
#[track_caller]
fn assert_bounded(starts: &[Duration], most: usize) {
    for (first, start) in starts.iter().enumerate() {
        let count = starts[first..].iter().take_while(|other| **other < *start + secs(1)).count();
        assert!(count <= most, "{count} starts within a second of {start:?}");
    }
}

#[test]
fn a_rate_that_does_not_divide_a_second_does_not_drift() {
    on_every_seed(|| async {
        let rate = Rate::per_second(3);
        let start = Instant::now();
        for number in 0..1_000_u64 {
            rate.acquire().await;
            let due = (number * 1_000_000_000).div_ceil(3);
            assert_eq!(start.elapsed(), nanos(due), "the start of number {number}");
        }
    });
}

#[test]
fn no_second_has_more_starts_than_the_rate_whenever_they_are_asked_for() {
    on_every_seed(|| async {
        let rate = Rc::new(Rate::per_second(10));
        let (starts, begin) = (Journal::new(), Instant::now());
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (rate, starts) = (rate.clone(), starts.clone());
                spawn(async move {
                    sleep(millis(parcae::choose(0..8_000))).await;
                    rate.acquire().await;
                    starts.add(begin.elapsed());
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        let starts = starts.take();
        assert_eq!(starts.len(), 50);
        assert_bounded(&starts, 10);
    });
}

#[test]
fn a_burst_may_come_on_top_of_the_rate_and_no_more() {
    on_every_seed(|| async {
        let rate = Rc::new(Rate::per_second(10).burst(5));
        let (starts, begin) = (Journal::new(), Instant::now());
        let tasks: Vec<_> = (0..60)
            .map(|_| {
                let (rate, starts) = (rate.clone(), starts.clone());
                spawn(async move {
                    sleep(millis(parcae::choose(0..6_000))).await;
                    rate.acquire().await;
                    starts.add(begin.elapsed());
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        assert_bounded(&starts.take(), 10 + 5 - 1);
    });
}

#[test]
fn a_rate_that_is_used_to_the_full_lets_all_through_that_it_may() {
    on_every_seed(|| async {
        let rate = Rate::new(7, secs(2)).burst(3);
        let start = Instant::now();
        sleep(secs(100)).await; // it does not save up more than the burst
        let mut count = 0;
        while start.elapsed() <= secs(120) {
            rate.acquire().await;
            count += 1;
        }
        // 3 at once, 7 in each 2 s, and the last one after the end.
        assert_eq!(count, 3 + 70 + 1);
    });
}

#[test]
fn who_waits_is_served_in_the_order_of_arrival_and_many_are_not_overtaken_by_few() {
    on_every_seed(|| async {
        let rate = Rc::new(Rate::per_second(10).burst(10));
        rate.acquire_many(10).await;
        let (journal, begin) = (Journal::new(), Instant::now());
        let mut tasks = Vec::new();
        for permits in [5, 10, 1, 2] {
            let (rate, journal) = (rate.clone(), journal.clone());
            tasks.push(spawn(async move {
                rate.acquire_many(permits).await;
                journal.add((permits, begin.elapsed()));
            }));
            settle().await;
        }
        for task in tasks {
            task.await;
        }
        let expected = [(5, 500), (10, 1_500), (1, 1_600), (2, 1_800)];
        assert_eq!(journal.take(), expected.map(|(permits, at)| (permits, millis(at))));
    });
}

#[test]
fn a_caller_that_leaves_takes_no_token_and_holds_up_nobody() {
    on_every_seed(|| async {
        let rate = Rc::new(Rate::per_second(1).burst(5));
        rate.acquire_many(5).await;
        let begin = Instant::now();
        let impatient = {
            let rate = rate.clone();
            spawn(async move { timeout(millis(1_500), rate.acquire_many(5)).await.is_err() })
        };
        settle().await;
        let next = {
            let rate = rate.clone();
            spawn(async move {
                rate.acquire().await;
                begin.elapsed()
            })
        };
        assert!(impatient.await);
        assert_eq!(next.await, millis(1_500), "its token was there already");
        rate.acquire().await;
        assert_eq!(begin.elapsed(), secs(2));
    });
}

#[test]
fn a_caller_may_be_dropped_at_each_of_its_polls() {
    for polls in 0..8 {
        on_every_seed(move || async move {
            let rate = Rc::new(Rate::per_second(10));
            let begin = Instant::now();
            let before = {
                let rate = rate.clone();
                spawn(async move { rate.acquire().await })
            };
            let dropped = {
                let rate = rate.clone();
                spawn(async move { dropped_after(polls, rate.acquire()).await.is_some() })
            };
            let after = {
                let rate = rate.clone();
                spawn(async move { rate.acquire().await })
            };
            let was_served = dropped.await;
            before.await;
            after.await;
            rate.acquire().await;
            let starts = 3 + u32::from(was_served);
            assert_eq!(begin.elapsed(), millis(100) * (starts - 1), "after {polls} polls");
        });
    }
}

#[test]
fn without_pauses_all_are_served_and_none_too_early() {
    on_every_seed(|| async {
        let rate = Rc::new(Rate::per_second(1_000).burst(4));
        let (starts, begin) = (Journal::new(), Instant::now());
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (rate, starts) = (rate.clone(), starts.clone());
                spawn(async move {
                    for _ in 0..5 {
                        let polls = parcae::choose(0..6);
                        let served = dropped_after(polls, rate.acquire()).await;
                        served.iter().for_each(|()| starts.add(begin.elapsed()));
                        yield_now().await;
                    }
                    rate.acquire().await;
                    starts.add(begin.elapsed());
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        for (number, start) in starts.take().into_iter().enumerate().skip(4) {
            let due = millis(u64::try_from(number).unwrap() - 3);
            assert!(start >= due, "start {number} at {start:?}");
        }
    });
}

#[test]
fn who_does_not_wait_is_told_when_to_come_back() {
    on_every_seed(|| async {
        let rate = Rc::new(Rate::per_second(4).burst(2));
        assert_eq!(rate.try_acquire_many(2), Ok(()));
        assert_eq!(rate.try_acquire(), Err(RetryAfter(millis(250))));
        assert_eq!(rate.try_acquire_many(2), Err(RetryAfter(millis(500))));
        sleep(millis(100)).await;
        let RetryAfter(wait) = rate.try_acquire().unwrap_err();
        assert_eq!(wait, millis(150));
        sleep(wait - nanos(1)).await;
        assert_eq!(rate.try_acquire(), Err(RetryAfter(nanos(1))));
        sleep(nanos(1)).await;
        assert_eq!(rate.try_acquire(), Ok(()));
        // Behind one that waits.
        let waiter = {
            let rate = rate.clone();
            spawn(async move { rate.acquire_many(2).await })
        };
        settle().await;
        assert_eq!(rate.try_acquire(), Err(RetryAfter(millis(500))), "at the earliest");
        sleep(millis(250)).await;
        assert_eq!(rate.try_acquire(), Err(RetryAfter(millis(250))), "there is a token, not ours");
        waiter.await;
        assert_eq!(rate.try_acquire(), Err(RetryAfter(millis(250))));
    });
}

#[test]
fn what_never_comes_is_refused() {
    let outcome = fifo(|| async { Rate::per_second(4).burst(2).acquire_many(3).await });
    panicked(&outcome, "3 tokens never come together: the burst is 2");
    let outcome = fifo(|| async { Rate::per_second(4).try_acquire_many(2).is_ok() });
    panicked(&outcome, "2 tokens never come together: the burst is 1");
    panicked(&fifo(|| async { drop(Rate::per_second(0)) }), "a rate is above 0");
    panicked(&fifo(|| async { drop(Rate::new(1, secs(0))) }), "the period of a rate is above 0");
    panicked(&fifo(|| async { drop(Rate::per_second(1).burst(0)) }), "at least one may begin");
}

#[test]
fn a_limit_can_be_shared_between_threads() {
    fn check<T: Send + Sync>() {}
    check::<Rate>();
    check::<parcae::rate::Acquire<'_>>();
    check::<parcae::rate::Breaker>();
}

#[test]
fn regression_domains_with_different_clocks_share_a_limit() {
    // By the clock of the slow one the token that the fast one took lay ahead, and after it by that of
    // the fast one; each wait was three times the one before.
    on_every_seed(|| async {
        let rate = Rc::new(Rate::per_second(10).burst(2));
        let (fast, slow) = (DomainId::create("fast", 0), DomainId::create("slow", 0));
        fast.set_clock_rate(500_000);
        slow.set_clock_rate(-500_000);
        let (starts, begin) = (Journal::new(), Instant::now());
        let tasks: Vec<_> = [fast, slow, DomainId::ROOT]
            .into_iter()
            .flat_map(|domain| [domain; 5])
            .map(|domain| {
                let (rate, starts) = (rate.clone(), starts.clone());
                Builder::new().domain(domain).spawn(async move {
                    for _ in 0..5 {
                        rate.acquire().await;
                        starts.add(());
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        assert_eq!(starts.count(), 75);
        let elapsed = begin.elapsed();
        // Two at once; a wait of the slow one takes up to twice as long.
        assert!(elapsed >= millis(7_300) && elapsed < millis(2 * 7_300), "{elapsed:?}");
    });
}
