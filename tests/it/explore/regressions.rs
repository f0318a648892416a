//! What once went wrong with checks and shrinking.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use parcae::executor::Limits;
use parcae::explore::{Check, ReplayMode, ReplayVerdict, World};
use parcae::kernel::Fill;
use parcae::rng::choose_for;
use parcae::task::yield_now;
use parcae::time::sleep;
use parcae::{Failure, Seed, Sim, spawn};
use tracing::Level;

use super::finding;
use crate::runs::{OnDrop, panicked, secs};

#[test]
fn regression_labels_that_the_library_uses_are_the_users_all_the_same() {
    // `schedule` was the label of the decisions too, so one override stood for both.
    async fn draw(label: &'static str) -> Vec<u64> {
        let mut drawn = Vec::new();
        for ordinal in 0..4 {
            drawn.push(choose_for(label, ordinal, 0..100));
            yield_now().await;
        }
        drawn
    }
    for label in ["schedule", "choose", "rng"] {
        let program = move || async move {
            let tasks = [spawn(draw(label)), spawn(draw(label)), spawn(draw(label))];
            let mut drawn = vec![vec![parcae::choose(0..50), parcae::choose(0..50)]];
            drawn.push(draw(label).await);
            for task in tasks {
                drawn.push(task.await);
            }
            drawn
        };
        for seed in 0..50 {
            let found = Sim::builder().seed(seed).log(true).build().unwrap().run(program);
            let overrides = World::of_log(Seed::new(seed), found.log().unwrap()).overrides;
            let sim = Sim::builder().seed(seed).overrides(Fill::Default, overrides);
            let again = sim.build().unwrap().run(program);
            assert_eq!(again.chain(), found.chain(), "{label} {seed}");
            assert_eq!(again.unwrap(), found.unwrap());
        }
    }
}

#[test]
fn regression_a_run_that_did_not_fit_its_log_is_not_shrunk_to() {
    // Without the first draw more come before the second, whose override was then lost with the log.
    async fn program() {
        if choose_for("is short", 0, 0..2) == 0 {
            for ordinal in 0..40 {
                choose_for("noise", ordinal, 0..2);
            }
        }
        assert_eq!(choose_for("cause", 0, 0..100), 0, "it is drawn");
    }
    let mut limits = Limits::default();
    limits.logged_events = 30;
    let check = || Check::new("cut").limits(limits.clone());
    for first in 0..20 {
        let report = check().first_seed(first * 100).seeds(100).run(program);
        let token = finding(&report).token().unwrap();
        let replay = check().replay(token, ReplayMode::Strict, program).unwrap();
        assert_eq!(replay.verdict, ReplayVerdict::Reproduced, "{first}");
    }
}

#[test]
fn regression_an_error_that_comes_and_goes_is_nondeterminism() {
    // The two runs were compared by their events alone, and a returned error is none.
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let report = Check::new("moody").seeds(1).run(|| async {
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        if run == 0 { Err("the first time only") } else { Ok(()) }
    });
    let failure = finding(&report).failure();
    assert!(matches!(failure, Failure::Nondeterminism { .. }), "{failure}");
    assert!(failure.to_string().contains("the first time only"), "{failure}");
}

#[test]
fn regression_what_is_traced_after_the_run_is_a_line_too() {
    // A value that a failed run drops at last traces when the run is over: the lines of the executor
    // were then sought before those that had been shown.
    let sim = Sim::builder().trace(Level::DEBUG).build().unwrap();
    let outcome = sim.run(|| async {
        spawn(async {
            let _last = OnDrop(|| panic!("at the end"));
            sleep(secs(3600)).await;
        })
        .background();
        yield_now().await;
        tracing::info!("in the run");
        let dropped = Cell::new(false);
        OnDrop(move || {
            dropped.set(true);
            tracing::info!("after the run");
        })
    });
    let lines = outcome.trace();
    assert!(lines.iter().any(|line| line.contains("after the run")), "{lines:#?}");
    panicked(&outcome, "at the end");
}
