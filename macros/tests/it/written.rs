//! Tests made by `#[parcae::test]` itself. The stand-in panics with the calls it recorded.

use crate::stand_in;
use crate::stand_in::explore::Check;

type Outcome = Result<(), &'static str>;

#[parcae_macros::test(crate = crate::stand_in)]
async fn without_options_nothing_is_set() {}

#[parcae_macros::test(crate = stand_in)]
async fn a_result_may_be_returned() -> Outcome {
    std::future::ready(Ok(())).await
}

#[parcae_macros::test(crate = stand_in)]
#[should_panic(expected = "it::written::an_error_reaches_the_library failed: \"disk full\"")]
async fn an_error_reaches_the_library() -> Outcome {
    Err("disk full")
}

#[should_panic(expected = "from the body")]
#[parcae_macros::test(crate = stand_in)]
/// Attributes on both sides stay with the test.
async fn a_panic_passes_through() {
    panic!("from the body");
}

#[parcae_macros::test(
    crate = stand_in,
    seeds = 1000,
    seed = 7,
    seed = "8",
    strategy = "random",
    jobs = 4,
    isolation = "thread",
    max_steps = 5,
    max_time = "30s",
    determinism = "first",
    config = |check| check.jobs(1)
)]
#[should_panic(expected = "calls: seeds 1000, regression_seed Seed(7), regression_seed Seed(8), \
                           strategy Random, jobs 4, isolation Thread, max_steps 5, max_time 30s, \
                           determinism FirstSeed, jobs 1")]
async fn all_options_are_set_and_config_is_last() {}

#[parcae_macros::test(
    crate = stand_in,
    strategy = "fifo",
    isolation = "reuse",
    determinism = "off"
)]
#[should_panic(expected = "calls: strategy Fifo, isolation Reuse, determinism Off")]
async fn the_other_variants_exist() {}

#[parcae_macros::test(crate = stand_in, config = check)]
#[should_panic(expected = "calls: from check")]
async fn config_may_have_the_name_of_a_variable_of_the_expansion() {}

fn check(check: Check) -> Check {
    check.record("from check".to_owned())
}

#[parcae_macros::test(crate = stand_in)]
#[should_panic(expected = "it::written::r#try failed")]
async fn r#try() -> Outcome {
    Err("")
}

macro_rules! test_with {
    ($name:ident, $seeds:expr, $jobs:literal, $body:block) => {
        #[parcae_macros::test(crate = $crate::stand_in, seeds = $seeds, jobs = $jobs)]
        #[should_panic(expected = "calls: seeds 3, jobs 2")]
        async fn $name() $body
    };
}

test_with!(a_macro_may_write_the_attribute, 3, 2, {
    std::future::ready(()).await;
});
