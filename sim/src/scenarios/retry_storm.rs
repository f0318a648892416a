//! A service that could serve 300 requests a second gets 160, and stands still for some seconds.
//!
//! What is wrong: a client gives up after a second and asks once more, at once. After the outage the line
//! is longer than a second, so every request is made twice: 320 a second, more than the service can
//! serve. From then on it is never idle and of no use to anybody, long after the outage. How long that was
//! does not matter, once it was long enough; `n` requests a second with a retry each get out of it only
//! if `2 n < 300`.
//!
//! The repair pays for retries from a budget of a tenth of the requests: `1.1 n < 300`.
//!
//! Measured after an outage of 10 s, with seeds from 0 on: how many runs recovered within 1500 s, and after
//! how long in the mean. `tests/retry_storm.rs` has the bounds.
//!
//! | requests a second | with a retry each | | requests a second | with a budget |
//! |--:|---|---|--:|---|
//! | 140 | 100 of 100, after 120 s | | 250 | 100 of 100, after 99 s |
//! | 148 | 100 of 100, after 648 s | | 270 | 100 of 100, after 931 s |
//! | 150 | none of 100 | | 275 | none of 100 |

mod service;

use std::time::Duration;

use parcae::retry::RetryBuilder;
use parcae::rng::choose_for;

use self::service::{one_retry, recovery, within_budget};
use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "retry-storm",
    summary: "A service gets half of what it could serve, and stands still for some seconds.",
    defect: "All that waits is asked for twice, for ever after; the twin has a budget for retries.",
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
    let outage = Duration::from_secs(choose_for("seconds of outage", 1, 0..=5));
    let recovery = recovery(REQUESTS_PER_SECOND, retry, outage, PATIENCE).await;
    if let Err(last_second) = recovery {
        let counts = last_second.counts();
        let (ok, total) = (counts.ok, counts.total());
        panic!("no recovery within 60 s after the outage: {ok} of {total} requests answered");
    }
}
