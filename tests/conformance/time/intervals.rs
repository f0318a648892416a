//! Intervals.

use std::time::Duration;

use parcae::time::{Instant, MissedTickBehavior, interval, interval_at, sleep, timeout};

use crate::clock::{Stopwatch, assert_time, beats, hold_up};

/// Returns how many periods after the start, and checks that it is a whole number of them.
#[track_caller]
fn periods(start: Instant, due: Instant, period: Duration) -> u128 {
    let nanos = (due - start).as_nanos();
    assert_eq!(nanos % period.as_nanos(), 0, "not a multiple of the period: {:?}", due - start);
    nanos / period.as_nanos()
}

conformance! {
    async fn an_interval_ticks_at_once_and_then_every_period() {
        let watch = Stopwatch::start();
        let mut interval = interval(beats(1));
        interval.tick().await;
        watch.took(Duration::ZERO);
        interval.tick().await;
        interval.tick().await;
        watch.took(beats(2));
        assert_eq!(interval.period(), beats(1));
    }

    async fn ticks_say_when_they_were_due_however_late_they_come() {
        let mut interval = interval(beats(1));
        let first = interval.tick().await;
        for number in 1..=4 {
            hold_up(beats(1) / 3).await;
            let due = interval.tick().await;
            assert_eq!(due, first + beats(number));
            assert!(Instant::now() >= due, "never early");
        }
    }

    async fn an_interval_begins_at_its_start() {
        let start = Instant::now();
        let mut interval = interval_at(start + beats(2), beats(1));
        assert_eq!(interval.tick().await, start + beats(2));
        assert!(Instant::now() >= start + beats(2));
        assert_eq!(interval.tick().await, start + beats(3));
    }

    async fn missed_ticks_catch_up_in_a_burst() {
        let period = beats(2);
        let mut interval = interval(period);
        let first = interval.tick().await;
        sleep(period * 7 / 2).await;
        let mut last = 0;
        for number in 1..=3 {
            last = periods(first, interval.tick().await, period);
            assert_eq!(last, number);
        }
        assert_time(first.elapsed(), period * 7 / 2);
        assert_eq!(periods(first, interval.tick().await, period), last + 1);
    }

    async fn a_delayed_interval_counts_anew_from_the_late_tick() {
        let period = beats(2);
        let mut interval = interval(period).with_missed_tick_behavior(MissedTickBehavior::Delay);
        let first = interval.tick().await;
        sleep(period * 5 / 2).await;
        // On real time the first tick has come late, too.
        assert_time(interval.tick().await - first, period);
        assert_time(first.elapsed(), period * 5 / 2);
        let next = interval.tick().await;
        assert_time(next - first, period * 7 / 2);
        assert_time(Instant::now() - first, period * 7 / 2);
    }

    async fn a_skipping_interval_keeps_to_multiples_of_the_period() {
        let period = beats(2);
        let mut interval = interval(period).with_missed_tick_behavior(MissedTickBehavior::Skip);
        let first = interval.tick().await;
        sleep(period * 5 / 2).await;
        assert_eq!(periods(first, interval.tick().await, period), 1);
        let next = periods(first, interval.tick().await, period);
        assert!(next >= 3, "the tick of 2 periods was left out");
        assert_time(first.elapsed(), period * 3);
    }

    async fn an_interval_that_is_reset_ticks_one_period_later() {
        let mut interval = interval(beats(2));
        interval.tick().await;
        sleep(beats(1)).await;
        let watch = Stopwatch::start();
        interval.reset();
        interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
        interval.tick().await;
        watch.took(beats(2));
    }

    async fn a_tick_that_is_given_up_is_not_lost() {
        let mut interval = interval(beats(3));
        let first = interval.tick().await;
        let due = loop {
            match timeout(Duration::ZERO, interval.tick()).await {
                Ok(due) => break due,
                Err(_) => sleep(beats(1)).await,
            }
        };
        assert_eq!(due, first + beats(3));
    }
}
