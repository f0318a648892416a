//! Panics and errors of programs and tasks on real time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use parcae::real::{Options, PanicPolicy, RunError};
use parcae::task::{
    ContextVar, finally_within, settle, shutdown_token, spawn_on, workers, yield_now,
};
use parcae::time::sleep;
use parcae::{spawn, spawn_named, spawn_try};

use super::{run_with, two_workers};
use crate::runs::{OnDrop, millis, secs};

#[derive(Debug, PartialEq, Eq)]
struct Stock(u32);

#[test]
fn a_panic_of_the_program_is_the_result_and_goes_on_with_its_payload() {
    let program = || async { std::panic::panic_any(Stock(3)) };
    let outcome = run_with(Options::default(), program());
    let Err(RunError::Program(failure)) = outcome.result else { panic!("it panics") };
    assert_eq!(failure.task, "main");
    assert_eq!(*failure.into_payload().unwrap().downcast::<Stock>().unwrap(), Stock(3));

    let payload = catch_unwind(AssertUnwindSafe(|| parcae::real::run(program()))).unwrap_err();
    assert_eq!(*payload.downcast::<Stock>().unwrap(), Stock(3));
}

#[test]
fn a_panic_that_nobody_observes_ends_the_run_and_names_the_task_and_the_place() {
    let outcome = run_with(Options::default(), async {
        spawn_named("worker", async { panic!("out of cheese") }).detach();
        std::future::pending::<()>().await;
    });
    let Err(RunError::Task(failure)) = outcome.result else { panic!("a task panics") };
    assert_eq!((failure.task.as_str(), failure.message.as_str()), ("worker", "out of cheese"));
    assert_eq!(failure.place.as_ref().unwrap().file, file!());
    let text = RunError::Task(failure).to_string();
    assert!(text.starts_with("task `worker` panicked at "), "{text}");
    assert!(text.ends_with("out of cheese, and nobody observed it"), "{text}");
}

#[test]
fn a_panic_that_nobody_observes_on_another_worker_ends_the_run_too() {
    let outcome = run_with(two_workers(), async {
        spawn_on(&workers()[1], || async { panic!("out of cheese") }).detach();
        std::future::pending::<()>().await;
    });
    assert!(matches!(outcome.result, Err(RunError::Task(failure)) if failure.task == "task#0"));
}

#[test]
fn a_run_whose_program_ends_as_a_panic_comes_is_a_failure_too() {
    let outcome = run_with(Options::default(), async {
        spawn(async { panic!("out of cheese") }).detach();
        settle().await;
    });
    assert!(matches!(outcome.result, Err(RunError::Task(_))));
}

#[test]
fn a_run_that_is_to_go_on_lists_what_nobody_observed() {
    let options = Options::default().with_panics(PanicPolicy::GoOn);
    let outcome = run_with(options, async {
        for _ in 0..2 {
            spawn_named("worker", async { panic!("out of cheese") }).detach();
        }
        spawn_try(async { Err::<(), _>(Stock(3)) }).detach();
        sleep(millis(5)).await;
        42
    });
    let told: Vec<String> = outcome.failures.iter().map(ToString::to_string).collect();
    assert!(told[0].starts_with("task `worker` panicked at "));
    assert!(told[1].starts_with("task `worker#1` panicked at "));
    assert_eq!(told[2], "task `task#0` failed: Stock(3)");
    assert_eq!(told.len(), 3);
    assert_eq!(outcome.unwrap(), 42);
}

#[test]
fn an_error_that_nobody_observes_ends_the_run() {
    let outcome = run_with(Options::default(), async {
        spawn_try(async { Err::<(), _>(Stock(3)) }).detach();
        std::future::pending::<()>().await;
    });
    let error = outcome.result.unwrap_err();
    assert_eq!(error.to_string(), "task `task#0` failed: Stock(3), and nobody observed it");
    // `main` shows an error as `Debug` prints it.
    assert_eq!(format!("{error:?}"), error.to_string());
}

#[test]
fn a_panic_and_an_error_that_somebody_observes_are_none_of_the_runs() {
    let outcome = run_with(Options::default(), async {
        let panicked = spawn(async { panic!("out of cheese") }).join().await.is_err();
        let failed = spawn_try(async { Err::<(), _>(Stock(3)) }).await == Err(Stock(3));
        (panicked, failed)
    });
    assert!(outcome.failures.is_empty());
    assert_eq!(outcome.unwrap(), (true, true));
}

#[test]
fn a_handle_that_is_dropped_after_its_task_has_panicked_observes_nothing() {
    let outcome = run_with(Options::default(), async {
        let task = spawn(async { panic!("out of cheese") });
        settle().await;
        drop(task);
        std::future::pending::<()>().await;
    });
    assert!(matches!(outcome.result, Err(RunError::Task(_))));
}

#[test]
fn a_panic_of_a_destructor_of_a_cancelled_task_is_its_panic() {
    let outcome = run_with(Options::default(), async {
        let task = spawn(async {
            let _dropped = OnDrop(|| panic!("not so clean"));
            std::future::pending::<()>().await;
        });
        settle().await;
        drop(task);
        std::future::pending::<()>().await;
    });
    let error = outcome.result.unwrap_err().to_string();
    assert!(error.contains("not so clean"), "{error}");
}

#[test]
fn a_panic_of_a_destructor_of_an_output_that_nobody_takes_is_told() {
    let outcome = run_with(Options::default().with_panics(PanicPolicy::GoOn), async {
        spawn_named("careless", async { OnDrop(|| panic!("not so clean")) }).detach();
        settle().await;
        // Whoever goes on is itself.
        spawn_named("child", async {}).name()
    });
    assert_eq!(outcome.failures.len(), 1);
    assert_eq!(outcome.failures[0].task, "careless");
    assert_eq!(outcome.failures[0].message, "not so clean");
    assert_eq!(outcome.unwrap(), "child");
}

#[test]
fn eager_tasks_that_spawn_eager_tasks_do_not_use_up_the_stack() {
    fn nest(depth: u32) -> parcae::Task<u32> {
        let build = parcae::task::Builder::new().eager();
        build.spawn(async move { if depth == 0 { 0 } else { nest(depth - 1).await + 1 } })
    }

    assert_eq!(parcae::real::run(async { nest(10_000).await }), 10_000);
}

#[test]
fn the_failures_that_are_kept_are_the_first_hundred() {
    let options = Options::default().with_panics(PanicPolicy::GoOn);
    let outcome = run_with(options, async {
        for _ in 0..150 {
            spawn_try(async { Err::<(), _>(Stock(3)) }).detach();
        }
        settle().await;
    });
    assert_eq!(outcome.failures.len(), 100);
    assert_eq!(outcome.failures[99].task, "task#99");
}

#[test]
fn a_panic_of_what_is_cut_is_one_of_the_run() {
    let outcome = run_with(Options::default().with_grace(millis(20)), async {
        let hang = async || {
            let _dropped = OnDrop(|| panic!("not so clean"));
            std::future::pending::<()>().await;
        };
        let body = std::future::pending::<()>();
        spawn_named("session", finally_within(secs(3600), body, hang)).detach();
        settle().await;
    });
    let Err(RunError::Task(failure)) = outcome.result else { panic!("a destructor panics") };
    let (task, message) = (failure.task.as_str(), failure.message.as_str());
    assert_eq!((task, message), ("session/cleanup", "not so clean"));
}

#[test]
fn a_panic_of_a_variable_of_a_task_is_one_of_the_run() {
    type Bomb = Rc<OnDrop<fn()>>;
    static HELD: ContextVar<Option<Bomb>> = ContextVar::new(|| None);

    let outcome = run_with(Options::default(), async {
        let task = async { HELD.set(Some(Rc::new(OnDrop(|| panic!("not so clean"))))) };
        spawn_named("worker", task).detach();
        std::future::pending::<()>().await;
    });
    let Err(RunError::Task(failure)) = outcome.result else { panic!("a destructor panics") };
    assert_eq!((failure.task.as_str(), failure.message.as_str()), ("worker", "not so clean"));
}

#[test]
fn a_panic_of_the_program_comes_before_those_of_tasks() {
    let outcome = run_with(Options::default(), async {
        spawn(async { panic!("out of cheese") }).detach();
        // Both in one turn of the worker.
        yield_now().await;
        panic!("out of shop");
    });
    let told: Vec<_> = outcome.failures.iter().map(|failure| failure.message.as_str()).collect();
    assert_eq!(told, ["out of cheese"]);
    let Err(RunError::Program(failure)) = outcome.result else { panic!("the program panics") };
    assert_eq!(failure.message, "out of shop");
}

#[test]
fn a_panic_of_a_program_that_is_cancelled_is_one_of_the_run() {
    let outcome = run_with(Options::default().with_grace(millis(20)), async {
        let _dropped = OnDrop(|| panic!("not so clean"));
        shutdown_token().cancel("enough");
        std::future::pending::<()>().await;
    });
    let Err(RunError::Task(failure)) = outcome.result else { panic!("a destructor panics") };
    assert_eq!((failure.task.as_str(), failure.message.as_str()), ("main", "not so clean"));
}
