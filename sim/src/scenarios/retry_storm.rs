//! A service that could serve 300 requests a second gets 200, and stands still for some seconds.
//!
//! What is wrong: clients give up after a second and try once more, at once. After the outage the line
//! is longer than a second, so every request is sent twice: 400 a second, more than the service can
//! serve. It is never idle and never useful again, though the outage is long over. Whether it gets out of
//! that depends on the load alone, not on the outage: for `n` requests a second and one retry each it
//! does if `2 n < 300`.
//!
//! The repair pays for retries from a budget of a tenth of the requests: `1.1 n < 300`.
//!
//! Measured, 100 runs each, after an outage of 10 s (`tests/retry_storm.rs` checks the four bounds):
//!
//! TABLE

mod service;

use std::time::Duration;

use parcae::retry::RetryBuilder;
use parcae::rng::choose_for;

use self::service::{one_retry, recovery, within_budget};
use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "retry-storm",
    summary: "A service with room for half as much again stands still for some seconds, then goes on.",
    defect: "All that waited too long is sent twice, for ever; the twin has a budget for retries.",
    source: "Bronson et al., Metastable Failures in Distributed Systems (HotOS 2021)",
    failure_kind: "panic",
    seeds_until_found: 10,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const REQUESTS_PER_SECOND: u32 = 160;
const PATIENCE: Duration = Duration::from_secs(60);

async fn buggy() {
    check(one_retry()).await;
}

async fn fixed() {
    check(within_budget(one_retry())).await;
}

async fn check(retry: RetryBuilder) {
    let outage = Duration::from_secs(choose_for("seconds of outage", 1, 0..=10));
    let recovery = recovery(REQUESTS_PER_SECOND, retry, outage, PATIENCE).await;
    if let Err(last_second) = recovery {
        let counts = last_second.counts();
        panic!(
            "no recovery within 60 s after the outage: {} of {} requests of a second were answered",
            counts.ok,
            counts.total()
        );
    }
}
