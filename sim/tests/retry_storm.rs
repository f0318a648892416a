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

/// Tells whether it serves its clients again within `PATIENCE`, which has to be the same for all seeds.
fn is_well_after_an_outage(requests_per_second: u32, retries: Retries) -> bool {
    let recoveries = (0..SEEDS).map(|seed| {
        let program = move || async move {
            let retry = match retries {
                Retries::One => one_retry(),
                Retries::WithinBudget => within_budget(one_retry()),
            };
            recovery(requests_per_second, retry, OUTAGE, PATIENCE).await.is_ok()
        };
        Sim::new(seed).run(program).unwrap()
    });
    let recoveries: Vec<bool> = recoveries.collect();
    assert!(recoveries.iter().all(|is_well| *is_well == recoveries[0]), "{recoveries:?}");
    recoveries[0]
}

const SEEDS: u64 = 3;
const OUTAGE: Duration = Duration::from_secs(10);
/// Three times what it takes at 148, and twice what it takes at 270 with a budget.
const PATIENCE: Duration = Duration::from_secs(2000);
