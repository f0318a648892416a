//! The bounds of the load under which the service of `retry-storm` gets out of its storm.
//!
//! With one retry each, `n` requests a second become `2 n`, and the service can serve 300; with a budget of
//! a tenth they become `1.1 n`. Just below the bound it takes long, as the storm ends by what is left over.

use std::time::Duration;

use parcae::Sim;

#[path = "../src/scenarios/retry_storm/service.rs"]
mod service;

use self::service::{one_retry, recovery, within_budget};

#[test]
fn with_one_retry_each_it_recovers_at_148_requests_a_second() {
    assert!(is_well_after_an_outage(148, Retries::One));
}

#[test]
fn with_one_retry_each_it_never_recovers_at_150_requests_a_second() {
    assert!(!is_well_after_an_outage(150, Retries::One));
}

#[test]
fn with_a_budget_it_recovers_at_270_requests_a_second() {
    assert!(is_well_after_an_outage(270, Retries::WithinBudget));
}

#[test]
fn with_a_budget_it_never_recovers_at_275_requests_a_second() {
    assert!(!is_well_after_an_outage(275, Retries::WithinBudget));
}

#[derive(Clone, Copy)]
enum Retries {
    One,
    WithinBudget,
}

/// Tells whether it serves its clients again before the patience is over.
fn is_well_after_an_outage(requests_per_second: u32, retries: Retries) -> bool {
    let program = move || async move {
        let retry = match retries {
            Retries::One => one_retry(),
            Retries::WithinBudget => within_budget(one_retry()),
        };
        recovery(requests_per_second, retry, OUTAGE, PATIENCE).await.is_ok()
    };
    Sim::new(0).run(program).unwrap()
}

const OUTAGE: Duration = Duration::from_secs(10);
/// More than any of a hundred runs took at 148 and at 270.
const PATIENCE: Duration = Duration::from_secs(1500);
