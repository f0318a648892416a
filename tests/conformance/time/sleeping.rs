//! Sleeping.

use std::time::Duration;

use parcae::spawn;
use parcae::task::{gather, settle};
use parcae::time::{Instant, sleep, sleep_until, timeout};
use std::future::Future as _;

use crate::clock::{HOUR, Stopwatch, beats, hold_up};
use crate::journal::Journal;
use crate::polling::is_pending;

conformance! {
    async fn a_sleep_lasts_as_long_as_it_was_told() {
        for duration in [beats(1), Duration::from_micros(1_500), Duration::from_nanos(1)] {
            let watch = Stopwatch::start();
            sleep(duration).await;
            watch.took(duration);
        }
    }

    async fn a_sleep_is_never_too_short() {
        for nanos in (0..100).map(|step| step * 9_999) {
            let duration = Duration::from_nanos(nanos);
            let start = Instant::now();
            sleep(duration).await;
            assert!(start.elapsed() >= duration);
        }
    }

    async fn a_sleep_is_counted_from_the_call() {
        let watch = Stopwatch::start();
        let nap = sleep(beats(2));
        sleep(beats(1)).await;
        nap.await;
        watch.took(beats(2));
    }

    async fn sleeps_run_beside_each_other() {
        let watch = Stopwatch::start();
        gather((0..100).map(|_| spawn(sleep(beats(2))))).await;
        watch.took(beats(2));
    }

    async fn sleeps_end_in_the_order_of_their_deadlines() {
        let journal = Journal::new();
        let start = Instant::now();
        let tasks: Vec<_> = [3, 1, 5, 2, 4]
            .map(|count| {
                let entries = journal.clone();
                spawn(async move {
                    sleep_until(start + beats(count)).await;
                    entries.add(count);
                })
            })
            .into();
        gather(tasks).await;
        assert_eq!(journal.take(), [1, 2, 3, 4, 5]);
    }

    async fn sleeps_that_are_late_end_in_the_order_of_their_deadlines() {
        let journal = Journal::new();
        let start = Instant::now();
        let tasks = [3, 1, 2].map(|count| {
            let entries = journal.clone();
            spawn(async move {
                sleep_until(start + beats(count)).await;
                entries.add(count);
            })
        });
        settle().await;
        hold_up(beats(4)).await;
        gather(tasks).await;
        let mut entries = journal.take();
        if crate::backends::is_simulated() {
            entries.sort_unstable(); // of tasks that are woken at one instant any may go first
        }
        assert_eq!(entries, [1, 2, 3]);
    }

    async fn a_sleep_that_is_over_lets_others_go_and_goes_on() {
        let watch = Stopwatch::start();
        sleep(Duration::ZERO).await;
        sleep_until(Instant::now()).await;
        watch.took(Duration::ZERO);
    }

    async fn a_sleep_of_zero_pends_once() {
        let mut nap = std::pin::pin!(sleep(Duration::ZERO));
        let mut polls = 0;
        std::future::poll_fn(|context| {
            polls += 1;
            nap.as_mut().poll(context)
        })
        .await;
        assert_eq!(polls, 2);
    }

    async fn a_deadline_in_the_past_is_over() {
        let start = Instant::now();
        sleep(beats(1)).await;
        let watch = Stopwatch::start();
        sleep_until(start).await;
        watch.took(Duration::ZERO);
    }

    async fn a_task_sleeps_until_a_deadline() {
        let start = Instant::now();
        sleep_until(start + beats(2)).await;
        assert!(Instant::now() >= start + beats(2));
    }

    async fn the_longest_sleep_does_not_end() {
        let watch = Stopwatch::start();
        assert!(timeout(beats(1), sleep(Duration::MAX)).await.is_err());
        watch.took(beats(1));
    }

    async fn a_sleep_may_be_awaited_by_reference_and_later() {
        let watch = Stopwatch::start();
        let mut nap = sleep(beats(3));
        assert!(timeout(beats(1), std::future::pending::<()>()).await.is_err());
        let is_over = parcae::select! {
            biased;
            () = sleep(Duration::ZERO) => false,
            () = &mut nap => true,
        };
        if !is_over {
            nap.await;
        }
        watch.took(beats(3));
    }

    async fn a_dropped_sleep_wakes_nobody() {
        let sleeper = spawn(sleep(HOUR));
        settle().await;
        drop(sleeper);
        let watch = Stopwatch::start();
        sleep(beats(1)).await;
        watch.took(beats(1));
    }

    async fn a_sleep_may_move_to_another_task() {
        let watch = Stopwatch::start();
        let mut nap = Box::pin(sleep(beats(2)));
        if is_pending(nap.as_mut()).await {
            spawn(nap).await;
        }
        watch.took(beats(2));
    }

    async fn a_thousand_timers_all_fire() {
        let tasks: Vec<_> = (0..1_000_u64)
            .map(|number| spawn(sleep(Duration::from_micros(number * 7 % 1_000))))
            .collect();
        gather(tasks).await;
    }
}
