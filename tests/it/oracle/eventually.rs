//! Conditions that hold within a time.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use parcae::oracle::eventually;
use parcae::task::yield_now;
use parcae::time::{Instant, sleep, timeout};
use parcae::{Failure, Sim, spawn};

const SECOND: Duration = Duration::from_secs(1);

/// Waits for something that another task does after a while; returns when that was known.
async fn waits(pause: Duration, is_brief: bool) -> (bool, Duration) {
    let start = Instant::now();
    let flag = Rc::new(Cell::new(false));
    let seen = flag.clone();
    let task = spawn(async move {
        sleep(pause).await;
        flag.set(true);
        if is_brief {
            yield_now().await;
            flag.set(false);
        }
    });
    let held = eventually("it happens", SECOND, move || seen.get()).await;
    let elapsed = start.elapsed();
    task.await;
    (held, elapsed)
}

#[test]
fn it_goes_on_when_the_condition_holds() {
    for seed in 0..200 {
        for is_brief in [false, true] {
            let pause = Duration::from_millis(400);
            let found = Sim::new(seed).run(move || waits(pause, is_brief)).unwrap();
            assert_eq!(found, (true, pause), "seed {seed}");
        }
        let last = SECOND - Duration::from_nanos(1);
        assert_eq!(Sim::new(seed).run(move || waits(last, false)).unwrap(), (true, last));
    }
}

#[test]
fn it_fails_the_run_when_the_time_is_over() {
    for seed in 0..200 {
        let outcome = Sim::new(seed).run(|| waits(SECOND + Duration::from_nanos(1), false));
        assert_eq!(outcome.elapsed(), SECOND);
        let Err(Failure::Property { task, violation }) = outcome.into_result() else { panic!() };
        assert_eq!((task.as_str(), violation.rule), ("main", "eventually"));
        assert_eq!(violation.message, "it happens");
        assert_eq!(violation.details, [("within", "1s".to_owned())]);
    }
}

#[test]
fn one_that_is_dropped_is_waited_for_no_more() {
    for seed in 0..200 {
        let looked = Rc::new(Cell::new(0));
        let count = looked.clone();
        let outcome = Sim::new(seed).run(move || async move {
            let after = Rc::new(Cell::new(0));
            let look = {
                let looked = looked.clone();
                move || {
                    looked.set(looked.get() + 1);
                    false
                }
            };
            let waiting = eventually("it happens", SECOND, look);
            assert!(timeout(SECOND / 2, waiting).await.is_err());
            after.set(looked.get());
            sleep(2 * SECOND).await;
            after.get()
        });
        let before = outcome.unwrap();
        assert!(before > 0);
        assert_eq!(count.get(), before, "nobody looks at it after that");
    }
}
