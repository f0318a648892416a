//! Intervals, on time and late, against the tables of tokio's documentation.

use std::time::Duration;

use parcae::task::yield_now;
use parcae::time::{Instant, Interval, MissedTickBehavior, interval, interval_at, sleep, timeout};

use crate::runs::{fifo, millis, nanos, panicked, secs};

const BEHAVIORS: [MissedTickBehavior; 3] =
    [MissedTickBehavior::Burst, MissedTickBehavior::Delay, MissedTickBehavior::Skip];

/// Ticks every 50 ms, works for so many milliseconds after each tick, and returns when each tick
/// came and when it was due.
fn ticks(behavior: MissedTickBehavior, work: &'static [u64]) -> Vec<(u64, u64)> {
    let outcome = fifo(move || async move {
        let start = Instant::now();
        let mut interval = interval(millis(50)).with_missed_tick_behavior(behavior);
        let since = |at: Instant| u64::try_from((at - start).as_millis()).unwrap();
        let mut ticks = Vec::new();
        for duration in work {
            let due = interval.tick().await;
            ticks.push((since(Instant::now()), since(due)));
            sleep(millis(*duration)).await;
        }
        ticks
    });
    outcome.unwrap()
}

#[test]
fn ticks_that_are_on_time_are_alike_under_every_behavior() {
    for behavior in BEHAVIORS {
        let expected = [(0, 0), (50, 50), (100, 100), (150, 150), (200, 200)];
        assert_eq!(ticks(behavior, &[10, 0, 50, 49, 1]), expected, "{behavior:?}");
    }
}

#[test]
fn burst_catches_up() {
    // tokio: work for 200 ms, then ticks at once until the schedule is reached.
    let expected = [(0, 0), (200, 50), (200, 100), (200, 150), (200, 200), (250, 250)];
    assert_eq!(ticks(MissedTickBehavior::Burst, &[200, 0, 0, 0, 0, 0]), expected);
}

#[test]
fn delay_counts_anew_from_the_late_tick() {
    let expected = [(0, 0), (215, 50), (265, 265), (315, 315), (400, 365), (450, 450)];
    assert_eq!(ticks(MissedTickBehavior::Delay, &[215, 0, 0, 85, 0, 0]), expected);
}

#[test]
fn skip_leaves_out_and_keeps_to_multiples() {
    // tokio: work for 75 ms, the tick of 50 comes at 75, the next one at 100.
    let expected = [(0, 0), (75, 50), (100, 100), (310, 150), (350, 350), (450, 400), (500, 500)];
    assert_eq!(ticks(MissedTickBehavior::Skip, &[75, 0, 210, 0, 100, 0, 0]), expected);
}

#[test]
fn an_interval_begins_at_its_start() {
    let outcome = fifo(|| async {
        let start = Instant::now();
        let mut interval = interval_at(start + secs(3), secs(1));
        assert_eq!(interval.period(), secs(1));
        [interval.tick().await - start, interval.tick().await - start]
    });
    assert_eq!(outcome.unwrap(), [secs(3), secs(4)]);
}

#[test]
fn an_interval_that_is_reset_ticks_one_period_later() {
    let outcome = fifo(|| async {
        let start = Instant::now();
        let mut interval = interval(secs(10));
        interval.tick().await;
        sleep(secs(7)).await;
        interval.reset();
        interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
        [interval.tick().await - start, interval.tick().await - start]
    });
    assert_eq!(outcome.unwrap(), [secs(17), secs(27)]);
}

#[test]
fn a_tick_that_is_given_up_is_not_lost() {
    let outcome = fifo(|| async {
        let start = Instant::now();
        let mut interval = interval(secs(2));
        interval.tick().await;
        for _ in 0..3 {
            assert!(timeout(millis(500), interval.tick()).await.is_err());
        }
        interval.tick().await - start
    });
    assert_eq!(outcome.elapsed(), secs(2));
    assert_eq!(outcome.unwrap(), secs(2));
}

#[test]
fn an_interval_ticks_in_every_nanosecond() {
    let outcome = fifo(|| async {
        let mut interval = interval(nanos(1));
        for _ in 0..1_000 {
            interval.tick().await;
        }
    });
    assert_eq!(outcome.elapsed(), nanos(999));
    outcome.unwrap();
}

#[test]
fn a_period_of_zero_is_refused() {
    let outcome = fifo(|| async { drop(interval(Duration::ZERO)) });
    panicked(&outcome, "the period of an interval is above zero");
}

#[test]
fn the_longest_period_ticks_once() {
    async fn first(mut interval: Interval) {
        interval.tick().await;
        assert!(timeout(secs(1), interval.tick()).await.is_err());
    }
    for behavior in BEHAVIORS {
        let outcome = fifo(move || async move {
            sleep(secs(1)).await;
            yield_now().await;
            first(interval(Duration::MAX).with_missed_tick_behavior(behavior)).await;
        });
        outcome.unwrap();
    }
}
