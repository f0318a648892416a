//! `#[parcae::main]` as users write it, on functions that tests call.

use std::future::pending;
use std::process::{ExitCode, Termination as _};
use std::time::Duration;

use parcae::real::{Options, RunError};
use parcae::task::{self, shutdown_token};
use parcae::time::{Instant, sleep};
use parcae::{Backend, Sim, choose, spawn_named};

#[parcae::main(signals = "ignore")]
async fn on_real_time() -> Option<Backend> {
    Backend::current()
}

#[test]
fn the_function_runs_on_real_time_and_gives_its_output() {
    assert_eq!(on_real_time().unwrap(), Some(Backend::Real));
}

async fn numbers() -> Vec<u32> {
    (0..4).map(|_| choose(0..1000)).collect()
}

#[parcae::main(seed = 17, signals = "ignore")]
async fn under_a_seed() -> Vec<u32> {
    numbers().await
}

#[parcae::main(seed = "0x11", signals = "ignore")]
async fn under_a_seed_in_text() -> Vec<u32> {
    numbers().await
}

#[test]
fn a_seed_gives_the_numbers_that_it_gives_in_the_simulation() {
    let expected = Sim::new(17).run(numbers).unwrap();
    assert_eq!(under_a_seed().unwrap(), expected);
    assert_eq!(under_a_seed_in_text().unwrap(), expected);
}

#[parcae::main(signals = "ignore")]
async fn count_one_worker() -> usize {
    task::workers().len()
}

#[parcae::main(workers = 2, signals = "ignore")]
async fn count_workers() -> usize {
    task::workers().len()
}

#[parcae::main(workers = 2, config = three_workers)]
async fn count_workers_of_config() -> usize {
    task::workers().len()
}

fn three_workers(options: Options) -> Options {
    assert_eq!(options.workers, 2, "it is applied after all other options");
    options.with_workers(3).with_signals(parcae::real::Signals::Ignore)
}

#[test]
fn there_are_as_many_workers_as_stated() {
    assert_eq!(count_one_worker().unwrap(), 1);
    assert_eq!(count_workers().unwrap(), 2);
    assert_eq!(count_workers_of_config().unwrap(), 3);
}

async fn with_a_task_that_panics() {
    spawn_named("baker", async { panic!("no bread") }).detach();
    task::settle().await;
}

#[parcae::main(signals = "ignore")]
async fn that_shuts_down() {
    with_a_task_that_panics().await;
}

#[parcae::main(panics = "go_on", signals = "ignore")]
async fn that_goes_on() {
    with_a_task_that_panics().await;
}

#[test]
fn a_panic_that_nobody_observed_ends_the_run_unless_it_may_go_on() {
    let error = that_shuts_down().unwrap_err();
    assert!(matches!(&error, RunError::Task(failure) if failure.task.contains("baker")), "{error}");
    that_goes_on().unwrap();
}

#[parcae::main(grace = "20ms", signals = "ignore")]
async fn that_does_not_end() {
    shutdown_token().cancel("enough");
    pending::<()>().await;
}

#[test]
fn a_program_that_does_not_end_within_its_grace_is_cut_short() {
    let result = that_does_not_end();
    let error = result.as_ref().unwrap_err().to_string();
    assert!(error.contains("enough") && error.contains("20ms"), "{error}");
    assert_eq!(result.report(), ExitCode::FAILURE);
}

/// What it returns reaches the process, as that of any `main`.
#[parcae::main(signals = "ignore")]
pub(crate) async fn that_fails() -> Result<(), &'static str> {
    Err("no bread")
}

#[test]
fn an_error_of_the_program_is_its_output() {
    let result = that_fails();
    assert!(matches!(result, Ok(Err("no bread"))));
    assert_eq!(result.report(), ExitCode::FAILURE);
}

#[parcae::main(signals = "ignore")]
#[test]
async fn a_test_may_run_on_real_time() {
    let start = Instant::now();
    sleep(Duration::from_millis(10)).await;
    assert!(start.elapsed() >= Duration::from_millis(10));
    assert_eq!(Backend::current(), Some(Backend::Real));
}
