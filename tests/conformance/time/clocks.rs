//! Clocks, and calling functions later.

use std::time::Duration;

use parcae::spawn;
use parcae::task::{settle, yield_now};
use parcae::time::{Instant, SystemTime, call_after, sleep};

use crate::clock::{HOUR, assert_time, beats};
use crate::journal::Journal;

conformance! {
    async fn the_clock_goes_with_the_time_that_is_slept() {
        let start = Instant::now();
        sleep(beats(1)).await;
        assert_time(start.elapsed(), beats(1));
        assert_time(Instant::now() - start, beats(1));
        assert_time(Instant::now().duration_since(start), beats(1));
    }

    async fn the_clock_never_goes_back() {
        let mut last = Instant::now();
        for _ in 0..100 {
            yield_now().await;
            let now = Instant::now();
            assert!(now >= last);
            last = now;
        }
    }

    async fn all_tasks_read_one_clock() {
        let before = Instant::now();
        let theirs = spawn(async { Instant::now() }).await;
        let after = Instant::now();
        assert!(before <= theirs && theirs <= after);
    }

    async fn the_clock_begins_with_the_run() {
        assert_eq!(Instant::now().checked_sub(HOUR), None);
        let start = Instant::now();
        sleep(beats(1)).await;
        assert_eq!(Instant::now().checked_sub(beats(1)).map(|then| then >= start), Some(true));
    }

    async fn instants_are_counted_with() {
        let start = Instant::now();
        let later = start + beats(3);
        assert_eq!(later - start, beats(3));
        assert_eq!(later - beats(1), start + beats(2));
        assert_eq!(start.duration_since(later), Duration::ZERO);
        assert_eq!(start.checked_duration_since(later), None);
        assert_eq!(later.checked_duration_since(start), Some(beats(3)));
        assert_eq!((start + HOUR).elapsed(), Duration::ZERO, "it lies ahead");
        assert_eq!(start.checked_add(Duration::MAX), None);
        let mut moved = start;
        moved += beats(2);
        moved -= beats(1);
        assert_eq!(moved, start + beats(1));
        assert!(start < moved);
    }

    async fn the_wall_clock_shows_a_date_and_goes_on() {
        let start = SystemTime::now();
        assert!(start.since_epoch().as_secs() >= 1_577_836_800, "not before 2020");
        sleep(beats(1)).await;
        let now = SystemTime::now();
        if crate::backends::is_simulated() {
            assert_eq!(now.duration_since(start), Some(beats(1)));
            assert_eq!(start.duration_since(now), None);
        }
        assert!(now.since_epoch().as_secs() >= 1_577_836_800);
    }

    async fn a_function_is_called_later() {
        let journal = Journal::new();
        let entries = journal.clone();
        let start = Instant::now();
        let call = call_after(beats(1), move || entries.add(start.elapsed()));
        let far = call_after(HOUR, || unreachable!("it is taken back"));
        settle().await;
        assert!(!far.is_finished());
        far.cancel();
        while !call.is_finished() {
            sleep(beats(1)).await;
            settle().await;
        }
        let times = journal.take();
        assert_eq!(times.len(), 1);
        assert_time(times[0], beats(1));
    }

    async fn a_call_stands_when_its_handle_is_dropped() {
        let journal = Journal::new();
        let entries = journal.clone();
        drop(call_after(beats(1), move || entries.add("made")));
        sleep(beats(2)).await;
        assert_eq!(journal.take(), ["made"]);
    }

    async fn a_call_is_taken_back() {
        let journal = Journal::new();
        let (entries, guard) = (journal.clone(), journal.on_drop("dropped"));
        let call = call_after(beats(1), move || {
            let _guard = guard;
            entries.add("made");
        });
        call.cancel();
        sleep(beats(2)).await;
        assert_eq!(journal.take(), ["dropped"]);
    }

    async fn a_call_may_spawn() {
        let journal = Journal::new();
        let entries = journal.clone();
        drop(call_after(Duration::ZERO, move || {
            spawn(async move { entries.add("spawned") }).detach();
        }));
        sleep(beats(1)).await;
        settle().await;
        assert_eq!(journal.take(), ["spawned"]);
    }
}
