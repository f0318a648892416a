//! `#[parcae::test]` as users write it.

use std::time::Duration;

use parcae::explore::Check;
use parcae::testing::Shared;

#[parcae::test]
async fn without_options() {
    let task = parcae::spawn(async { 1 });
    assert_eq!(task.await, 1);
}

#[parcae::test(seeds = 20, strategy = "fifo", jobs = 1, isolation = "reuse", max_time = "30s")]
async fn with_options() {
    parcae::time::sleep(Duration::from_secs(1)).await;
}

#[parcae::test(seeds = 5, seed = 7, seed = "0x11", max_steps = 1000, determinism = "off")]
async fn that_returns_a_result() -> Result<(), std::num::ParseIntError> {
    let number: u32 = "42".parse()?;
    assert_eq!(number, 42);
    Ok(())
}

#[parcae::test(seeds = 1000)]
#[should_panic(expected = "an update was lost")]
async fn that_fails_with_the_report() {
    let counter = std::sync::Arc::new(Shared::new(0).named("counter"));
    let other = counter.clone();
    let task = parcae::spawn_named("increment", async move {
        let value = other.get().await;
        other.set(value + 1).await;
    });
    let value = counter.get().await;
    counter.set(value + 1).await;
    task.await;
    assert_eq!(counter.peek(), 2, "an update was lost");
}

#[parcae::test(seeds = 3)]
#[should_panic(expected = "PARCAE_REPLAY=v1:")]
async fn that_fails_with_a_replay_line() -> Result<(), String> {
    Err("always".to_owned())
}

fn short(check: Check) -> Check {
    check.max_time(Duration::from_secs(1))
}

#[parcae::test(seeds = 2, config = short)]
#[should_panic(expected = "time limit")]
async fn with_a_config_function() {
    parcae::time::sleep(Duration::from_secs(2)).await;
}

#[parcae::test(seeds = 3)]
#[should_panic(expected = "no tea")]
async fn that_traces_and_fails() {
    parcae::time::sleep(Duration::from_millis(250)).await;
    tracing::debug!(cups = 3, "the cup is empty");
    panic!("no tea");
}

#[test]
fn a_check_as_a_call() {
    parcae::check(10, || async {
        assert_eq!(parcae::spawn(async { 1 }).await, 1);
    });
}

#[test]
#[should_panic(expected = "always")]
fn a_call_that_fails() {
    parcae::check(1, || async { panic!("always") });
}
