//! How a run fails: on both backends, for the same reason.

use std::future::pending;

use parcae::task::{Builder, finally, group, settle};
use parcae::time::sleep;
use parcae::{spawn, spawn_try};

use crate::backends::Boxed;
use crate::clock::HOUR;

/// Checks that a program fails on both backends, and that what is reported holds this text.
#[track_caller]
fn fails(program: fn() -> Boxed<()>, wanted: &str) {
    for failure in failures(program) {
        let failure = failure.expect("the run fails");
        assert!(failure.contains(wanted), "{failure}");
    }
}

/// Runs a program on each backend, and returns why it failed.
fn failures(program: fn() -> Boxed<()>) -> Vec<Option<String>> {
    let mut failures = Vec::new();
    #[cfg(feature = "simulation")]
    failures.extend((0..20).map(|seed| {
        let outcome = parcae::Sim::new(seed).run(program);
        outcome.into_result().err().map(|failure| failure.to_string())
    }));
    #[cfg(feature = "real")]
    failures.push({
        let outcome = crate::backends::real_outcome(program);
        outcome.into_result().err().map(|error| error.to_string())
    });
    failures
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("out of cheese");
    }
}

#[test]
fn a_panic_of_the_program_fails_the_run() {
    fails(|| Box::pin(async { panic!("out of cheese") }), "out of cheese");
}

#[test]
fn a_panic_of_a_detached_task_fails_the_run() {
    fails(
        || {
            Box::pin(async {
                spawn(async { panic!("out of cheese") }).detach();
                sleep(HOUR).await;
            })
        },
        "out of cheese",
    );
}

#[test]
fn a_panic_of_a_task_whose_handle_is_dropped_fails_the_run() {
    fails(
        || {
            Box::pin(async {
                let task = spawn(async { panic!("out of cheese") });
                settle().await;
                drop::<parcae::Task<()>>(task);
                sleep(HOUR).await;
            })
        },
        "out of cheese",
    );
}

#[test]
fn an_error_that_nobody_observes_fails_the_run() {
    fails(
        || {
            Box::pin(async {
                spawn_try(async { Err::<(), _>("out of cheese") }).detach();
                sleep(HOUR).await;
            })
        },
        "out of cheese",
    );
}

#[test]
fn a_panic_of_a_cleanup_fails_the_run() {
    fails(
        || {
            Box::pin(async {
                finally(async {}, async || panic!("out of cheese")).await;
            })
        },
        "out of cheese",
    );
}

#[test]
fn a_panic_in_a_destructor_of_a_cancelled_task_fails_the_run() {
    fails(
        || {
            Box::pin(async {
                let bomb = Bomb;
                let task = spawn(async move {
                    let _bomb = bomb;
                    pending::<()>().await;
                });
                settle().await;
                drop(task);
                sleep(HOUR).await;
            })
        },
        "out of cheese",
    );
}

#[test]
fn a_panic_of_an_eager_task_that_is_detached_fails_the_run() {
    fails(
        || {
            Box::pin(async {
                Builder::new().eager().spawn(async { panic!("out of cheese") }).detach();
                sleep(HOUR).await;
            })
        },
        "out of cheese",
    );
}

#[test]
fn a_panic_of_a_group_that_nobody_catches_fails_the_run() {
    fails(
        || {
            Box::pin(async {
                let failed = group(async |group| {
                    group.spawn(async { panic!("out of cheese") });
                    pending::<Result<(), &str>>().await
                });
                drop(failed.await);
            })
        },
        "out of cheese",
    );
}

#[test]
fn what_is_observed_fails_no_run() {
    for failure in failures(|| {
        Box::pin(async {
            let task = spawn(async { panic!("out of cheese") });
            let end: Result<(), _> = task.join().await;
            assert!(end.is_err());
            assert!(spawn_try(async { Err::<(), _>("no") }).await.is_err());
        })
    }) {
        assert_eq!(failure, None);
    }
}
