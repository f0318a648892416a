//! Virtual time: exact, in order, and for nothing when nothing happens.

mod intervals;
mod model;
mod sleeping;
mod timeouts;

use parcae::time::{Instant, SystemTime, sleep};
use parcae::{Sim, spawn};

use crate::runs::{discard, fifo, millis, nanos, panicked, secs};

#[test]
fn an_instant_can_be_added_to_and_subtracted_from() {
    let outcome = fifo(|| async {
        let start = Instant::now();
        let mut later = start + secs(2);
        later += nanos(1);
        later -= secs(1);
        assert_eq!(later - start, secs(1) + nanos(1));
        assert_eq!(later - secs(1) - nanos(1), start);
        assert_eq!(later.duration_since(start), secs(1) + nanos(1));
        assert_eq!((start.duration_since(later), start - later), (nanos(0), nanos(0)));
        assert_eq!(later.checked_duration_since(start), Some(secs(1) + nanos(1)));
        assert_eq!(start.checked_duration_since(later), None);
        assert_eq!(start.checked_sub(nanos(1)), None);
        assert_eq!(start.checked_add(std::time::Duration::MAX), None);
        let end = start.checked_add(nanos(u64::MAX)).unwrap();
        assert_eq!(end.checked_add(nanos(1)), None);
        assert!(start < later && later < end);
        assert_eq!(format!("{later:?}"), "Instant(1.000000001 s)");
        assert_eq!(later.elapsed(), nanos(0), "it lies ahead");
    });
    outcome.unwrap();
}

#[test]
fn an_instant_before_the_start_or_after_the_end_of_time_panics() {
    let outcome = fifo(|| async { discard(Instant::now() - nanos(1)) });
    panicked(&outcome, "an instant after the start of the run");
    let outcome = fifo(|| async { discard(Instant::now() + nanos(u64::MAX) + nanos(1)) });
    panicked(&outcome, "an instant before the end of time");
}

#[test]
fn time_stands_still_while_tasks_run() {
    let outcome = fifo(|| async {
        let start = Instant::now();
        for _ in 0..1_000 {
            parcae::task::yield_now().await;
        }
        spawn(async {}).await;
        start.elapsed()
    });
    assert_eq!(outcome.unwrap(), nanos(0));
}

#[test]
fn the_wall_clock_starts_at_the_epoch_and_goes_with_time() {
    let program = || async {
        let start = SystemTime::now();
        sleep(millis(1_500)).await;
        let end = SystemTime::now();
        assert_eq!(end.duration_since(start), Some(millis(1_500)));
        assert_eq!(start.duration_since(end), None);
        start.since_epoch()
    };
    assert_eq!(fifo(program).unwrap(), secs(1_577_836_800));
    for epoch in [nanos(0), nanos(17), secs(4_000_000_000)] {
        let sim = Sim::builder().epoch(epoch).build().unwrap();
        assert_eq!(sim.run(program).unwrap(), epoch);
    }
}
