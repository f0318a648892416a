//! Functions made by `#[parcae::main]`, called by tests.

use std::process::{ExitCode, Termination as _};

use crate::stand_in;
use crate::stand_in::real::{Options, RunError};

type Outcome = Result<(), &'static str>;

#[parcae_macros::main(crate = crate::stand_in)]
async fn main() {
    std::future::ready(()).await;
}

#[test]
fn a_main_without_options_runs_and_sets_none() {
    let result: Result<(), RunError> = main();
    assert_eq!(result, Ok(()));
    assert_eq!(result.report(), ExitCode::SUCCESS);
}

#[parcae_macros::main(crate = stand_in)]
/// Attributes on both sides stay with the function.
#[must_use]
pub(crate) async fn serve() -> Outcome {
    Err("disk full")
}

#[test]
fn an_output_is_returned_as_it_is() {
    let result: Result<Outcome, RunError> = serve();
    assert_eq!(result, Ok(Err("disk full")));
    assert_eq!(result.report(), ExitCode::FAILURE);
}

#[parcae_macros::main(
    crate = stand_in,
    workers = 4,
    seed = 17,
    grace = "30s",
    panics = "shut_down",
    signals = "ignore",
    config = |options| options.with_workers(1)
)]
async fn with_all_options() {}

#[parcae_macros::main(crate = stand_in, seed = "8", panics = "go_on", signals = "graceful")]
async fn with_the_other_values() -> ExitCode {
    ExitCode::SUCCESS
}

#[track_caller]
fn check_calls<T: std::fmt::Debug>(result: Result<T, RunError>, expected: &[&str]) {
    assert_eq!(result.expect_err("options were set").0, expected);
}

#[test]
fn all_options_are_set_and_config_is_last() {
    check_calls(
        with_all_options(),
        &[
            "workers 4",
            "seed Seed(17)",
            "grace 30s",
            "panics ShutDown",
            "signals Ignore",
            "workers 1",
        ],
    );
    check_calls(with_the_other_values(), &["seed Seed(8)", "panics GoOn", "signals Graceful"]);
}

#[parcae_macros::main(crate = stand_in, config = options)]
async fn with_the_name_of_a_variable_of_the_expansion() {}

fn options(options: Options) -> Options {
    options.record("from options".to_owned())
}

#[test]
fn config_may_have_the_name_of_a_variable_of_the_expansion() {
    check_calls(with_the_name_of_a_variable_of_the_expansion(), &["from options"]);
}

#[parcae_macros::main(crate = stand_in)]
async fn that_never_returns() -> ! {
    panic!("from the body");
}

#[test]
#[should_panic(expected = "from the body")]
fn a_function_may_never_return() {
    that_never_returns().report();
}

#[parcae_macros::main(crate = stand_in)]
#[test]
async fn a_test_may_stand_below_the_attribute() -> Outcome {
    std::future::ready(Ok(())).await
}

mod inner {
    #[parcae_macros::main(crate = crate::stand_in)]
    pub(super) async fn r#try() -> super::Outcome {
        Ok(())
    }
}

#[test]
fn visibility_and_raw_names_are_kept() {
    assert_eq!(inner::r#try(), Ok(Ok(())));
}

macro_rules! main_with {
    ($name:ident, $workers:expr, $body:block) => {
        #[parcae_macros::main(crate = $crate::stand_in, workers = $workers)]
        async fn $name() $body
    };
}

main_with!(made_by_a_macro, 3, {
    std::future::ready(()).await;
});

#[test]
fn a_macro_may_write_the_attribute() {
    check_calls(made_by_a_macro(), &["workers 3"]);
}
