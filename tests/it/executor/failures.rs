//! Panics and errors are seen, by whoever joins or else by the run.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;

use parcae::executor::Place;
use parcae::task::{JoinError, settle, yield_now};
use parcae::{Failure, Task, spawn, spawn_named, spawn_try};

use crate::runs::{OnDrop, SEEDS, failure, fifo, panicked, random, secs};

const FILE: &str = "tests/it/executor/failures.rs";

#[track_caller]
fn check_place(place: Option<&Place>, line: u32) {
    let place = place.expect("the place is known");
    assert!(place.file.ends_with(FILE), "{place}");
    assert_eq!(place.line, line);
}

#[test]
fn a_panic_of_a_detached_task_fails_the_run() {
    for outcome in random(SEEDS, || async {
        spawn_named("lost", async { panic!("out of {}", "cheese") }).detach();
        yield_now().await;
    }) {
        assert_eq!(panicked(&outcome, "out of cheese"), "lost");
    }
}

#[test]
fn a_panic_of_a_detached_task_fails_the_run_also_after_the_program_has_ended() {
    for outcome in random(SEEDS, || async {
        spawn_named("late", async { panic!("too late") }).detach();
    }) {
        assert_eq!(panicked(&outcome, "too late"), "late");
    }
}

#[test]
fn a_panic_of_a_background_task_fails_the_run() {
    for outcome in random(SEEDS, || async {
        spawn_named("behind", async { panic!("in the dark") }).background();
        parcae::time::sleep(secs(1)).await;
    }) {
        assert_eq!(panicked(&outcome, "in the dark"), "behind");
    }
}

#[test]
fn a_panic_that_is_joined_does_not_fail_the_run() {
    for outcome in random(SEEDS, || async {
        let line = line!() + 1;
        let error = spawn(async { panic!("out of cheese") }).join().await.unwrap_err();
        let JoinError::Panicked { message, place, payload } = error else { panic!("{error}") };
        assert_eq!(message, "out of cheese");
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"out of cheese"));
        check_place(place.as_ref(), line);
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_panic_in_a_task_that_the_program_awaits_is_reported_with_its_own_place() {
    let line = line!() + 2;
    for outcome in random(SEEDS, || async {
        spawn(async { panic!("first") }).await;
    }) {
        let Failure::Panic { message, place, .. } = failure(&outcome) else { panic!() };
        assert_eq!(message, "first");
        check_place(place.as_ref(), line);
    }
}

#[test]
fn a_panic_is_passed_on_through_a_chain_of_awaits_with_its_own_place() {
    let line = line!() + 2;
    let outcome = fifo(|| async {
        let inner = spawn_named("inner", async { panic!("deep") });
        let middle = spawn_named("middle", inner);
        spawn_named("outer", middle).await;
    });
    let Failure::Panic { message, place, .. } = failure(&outcome) else { panic!() };
    assert_eq!(message, "deep");
    check_place(place.as_ref(), line);
}

#[test]
fn a_panic_of_the_program_itself_fails_the_run_before_and_after_its_first_await() {
    let line = line!() + 1;
    let outcome = fifo(|| async { panic!("at once") });
    assert_eq!(panicked(&outcome, "at once"), "main");
    let Failure::Panic { place, .. } = failure(&outcome) else { panic!() };
    check_place(place.as_ref(), line);

    let outcome = fifo(|| async {
        yield_now().await;
        panic!("later")
    });
    assert_eq!(panicked(&outcome, "later"), "main");

    let outcome = fifo(|| {
        assert!(std::hint::black_box(false), "not even a future");
        async {}
    });
    assert_eq!(panicked(&outcome, "not even a future"), "main");
}

#[test]
fn a_payload_that_is_not_text_is_carried_to_the_joiner() {
    let outcome = fifo(|| async {
        let error = spawn(async { std::panic::panic_any(17_u8) }).join().await.unwrap_err();
        assert_eq!(error.to_string().split(": ").last(), Some("a panic whose payload is not text"));
        let JoinError::Panicked { payload, .. } = error else { panic!() };
        payload.downcast_ref::<u8>().copied()
    });
    assert_eq!(outcome.unwrap(), Some(17));
}

#[test]
fn a_panic_that_was_caught_inside_of_the_task_is_nobody_elses_business() {
    let outcome = fifo(|| async {
        spawn(async {
            let result = std::panic::catch_unwind(|| panic!("caught"));
            assert!(result.is_err());
            yield_now().await;
        })
        .await;
    });
    outcome.unwrap();
}

#[test]
fn a_panic_that_passes_no_hook_is_not_mistaken_for_one_that_was_caught() {
    let outcome = fifo(|| async {
        assert!(std::panic::catch_unwind(|| panic!("caught")).is_err());
        std::panic::resume_unwind(Box::new("resumed"));
    });
    assert!(
        matches!(failure(&outcome), Failure::Panic { message, place: None, .. } if message == "resumed")
    );
}

#[test]
fn describing_an_error_may_use_the_runtime() {
    struct Talkative;
    impl std::fmt::Debug for Talkative {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(formatter, "{}", spawn_named("probe", async {}).name())
        }
    }
    let outcome = fifo(|| async {
        parcae::task::Builder::new()
            .name("talker")
            .spawn_try(async { Err::<(), _>(Talkative) })
            .detach();
        settle().await;
    });
    assert!(
        matches!(failure(&outcome), Failure::Error { task, message } if task == "talker" && message == "talker/probe")
    );
}

#[test]
fn a_task_that_holds_its_own_handle_and_panics_fails_the_run() {
    for outcome in random(20, || async {
        let handle = Rc::new(RefCell::new(None::<Task<()>>));
        let own = handle.clone();
        let task = spawn_named("narcissus", async move {
            let _own = own;
            panic!("drowned");
        });
        handle.borrow_mut().replace(task);
        drop(handle);
        parcae::time::sleep(secs(1)).await;
    }) {
        assert_eq!(panicked(&outcome, "drowned"), "narcissus");
    }
}

#[test]
fn a_panic_of_a_task_whose_handle_was_dropped_after_it_ended_fails_the_run() {
    for outcome in random(SEEDS, || async {
        let task = spawn_named("dropped", async { panic!("unseen") });
        settle().await;
        assert!(task.is_finished());
        drop(task);
    }) {
        assert_eq!(panicked(&outcome, "unseen"), "dropped");
    }
}

#[test]
fn a_panic_of_a_task_whose_handle_leaves_the_run_fails_the_run() {
    let outcome = fifo(|| async {
        let task: Task<()> = spawn_named("escaped", async { panic!("unseen") });
        settle().await;
        task
    });
    assert_eq!(panicked(&outcome, "unseen"), "escaped");
}

#[test]
fn an_error_that_nobody_observes_fails_the_run() {
    for outcome in random(SEEDS, || async {
        spawn_named("parent", async {
            parcae::task::Builder::new()
                .name("parser")
                .spawn_try(async { "7x".parse::<u8>() })
                .detach();
        })
        .await;
    }) {
        let Failure::Error { task, message } = failure(&outcome) else {
            panic!("{}", failure(&outcome))
        };
        assert_eq!(task, "parent/parser");
        assert_eq!(message, "ParseIntError { kind: InvalidDigit }");
    }
}

#[test]
fn an_error_of_a_task_that_ended_before_its_handle_was_dropped_fails_the_run() {
    let outcome = fifo(|| async {
        let task = spawn_try(async { Err::<(), _>("no luck") });
        settle().await;
        drop(task);
        yield_now().await;
    });
    assert!(
        matches!(failure(&outcome), Failure::Error { message, .. } if message == "\"no luck\"")
    );
}

#[test]
fn an_error_in_a_handle_that_a_leftover_task_holds_fails_the_run() {
    for is_made_first in [true, false] {
        let outcome = fifo(move || async move {
            let failing = || spawn_try(async { Err::<(), _>("no luck") });
            let shared = Rc::new(RefCell::new(is_made_first.then(failing)));
            let kept = shared.clone();
            spawn(async move {
                let _kept = kept;
                pending::<()>().await;
            })
            .background();
            shared.borrow_mut().get_or_insert_with(failing);
            settle().await;
        });
        assert!(matches!(failure(&outcome), Failure::Error { .. }), "made first: {is_made_first}");
    }
}

#[test]
fn an_error_that_is_observed_does_not_fail_the_run() {
    for outcome in random(SEEDS, || async {
        let failing = || async { Err::<(), _>("no luck") };
        assert_eq!(spawn_try(failing()).await, Err("no luck"));
        assert_eq!(spawn_try(failing()).join().await.unwrap(), Err("no luck"));
        drop(spawn(failing()));
        spawn(failing()).detach();
        // Cancelled before it ran: there was no error.
        drop(spawn_try(failing()));
        spawn_try(async { Ok::<_, &str>(()) }).detach();
    }) {
        outcome.unwrap();
    }
}

#[test]
fn the_first_failure_is_the_one_that_is_reported() {
    let outcome = fifo(|| async {
        spawn_named("first", async { panic!("one") }).detach();
        spawn_named("second", async { panic!("two") }).detach();
        settle().await;
        panic!("three")
    });
    assert_eq!(panicked(&outcome, "one"), "first");
}

#[test]
fn of_two_failures_in_one_poll_the_first_is_reported() {
    let outcome = fifo(|| async {
        let failing = |name: &'static str| spawn_named(name, async move { panic!("{name}") });
        let tasks: [Task<()>; 2] = [failing("one"), failing("two")];
        settle().await;
        drop(tasks);
    });
    assert_eq!(panicked(&outcome, "one"), "one");
}

#[test]
fn a_panic_in_a_destructor_of_a_cancelled_task_fails_the_run() {
    for outcome in random(SEEDS, || async {
        let task = spawn_named("bomb", async {
            let _bomb = OnDrop(|| panic!("boom"));
            pending::<()>().await;
        });
        settle().await;
        drop(task);
        parcae::time::sleep(secs(1)).await;
    }) {
        assert_eq!(panicked(&outcome, "boom"), "bomb");
        assert!(outcome.elapsed().is_zero(), "time moved before the destructor ran");
    }
}

#[test]
fn a_panic_in_a_destructor_is_seen_by_who_waits_for_the_cancellation() {
    let outcome = fifo(|| async {
        let task = spawn_named("bomb", async {
            let _bomb = OnDrop(|| panic!("boom"));
            pending::<()>().await;
        });
        settle().await;
        let waiting = spawn(async move { task.cancel().await });
        waiting.join().await.unwrap_err().to_string()
    });
    assert!(outcome.unwrap().ends_with("boom"));
}

#[test]
fn a_panic_in_a_destructor_at_the_end_of_the_run_fails_it() {
    let outcome = fifo(|| async {
        spawn_named("bomb", async {
            let _bomb = OnDrop(|| panic!("boom"));
            pending::<()>().await;
        })
        .background();
        settle().await;
    });
    assert_eq!(panicked(&outcome, "boom"), "bomb");
}

#[test]
fn a_panic_in_the_destructor_of_an_output_that_nobody_takes_fails_the_run() {
    let outcome = fifo(|| async {
        spawn_named("bomb", async { OnDrop(|| panic!("boom")) }).detach();
        settle().await;
    });
    assert_eq!(panicked(&outcome, "boom"), "bomb");
}

#[test]
fn a_panic_while_a_panicking_task_is_destroyed_is_no_second_failure() {
    let outcome = fifo(|| async {
        let bomb = OnDrop(|| panic!("second"));
        let cell = RefCell::new(Some(bomb));
        let task = spawn_named(
            "twice",
            std::future::poll_fn(move |_| {
                let _ = &cell;
                panic!("first");
            }),
        );
        let task: Task<()> = task;
        task.detach();
        settle().await;
    });
    assert_eq!(panicked(&outcome, "first"), "twice");
}

#[test]
fn failures_print_what_a_reader_needs() {
    let outcome = fifo(|| async {
        spawn_named("lost", async { panic!("out of cheese") }).detach();
    });
    let text = failure(&outcome).to_string();
    let line = line!() - 3;
    assert!(text.starts_with("panic in `lost` at "), "{text}");
    assert!(text.ends_with(&format!("failures.rs:{line}: out of cheese")), "{text}");
    assert_eq!(failure(&outcome).kind(), "panic");
}
