//! Pages are fetched one at a time, and some pages need a second attempt.
//!
//! What is wrong: the permit is held for all attempts, and so during the pauses between them. While
//! one page pauses, nothing is fetched, and pages that are in order wait behind one that is not.
//!
//! The repair holds a permit for one attempt, and pauses without.

use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::sync::Semaphore;
use parcae::time::{Instant, sleep};
use parcae::{Task, spawn_named};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "permit-held-in-backoff",
    summary: "Four pages are fetched, one at a time; who fails pauses for a second and tries again.",
    defect: "One that pauses holds the permit, and nobody fetches; the twin pauses without it.",
    source: "asyncio tutorials: `async with semaphore: get_with_retry()`, head-of-line blocking",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const PAGES: u64 = 4;
const ATTEMPT: Duration = Duration::from_millis(10);
const PAUSE: Duration = Duration::from_secs(1);

async fn buggy() {
    let connection = Rc::new(Semaphore::new(1).named("connection"));
    let start = Instant::now();
    let fetches = (1..=PAGES).map(|page| {
        let connection = connection.clone();
        spawn_named(format!("page-{page}"), async move {
            let _connection = connection.acquire().await.expect("nobody closes it");
            if attempt(page, 1).await.is_ok() {
                return Some(start.elapsed());
            }
            sleep(PAUSE).await;
            attempt(page, 2).await.ok().and(None)
        })
    });
    check(fetches.collect()).await;
}

async fn fixed() {
    let connection = Rc::new(Semaphore::new(1).named("connection"));
    let start = Instant::now();
    let fetches = (1..=PAGES).map(|page| {
        let connection = connection.clone();
        spawn_named(format!("page-{page}"), async move {
            let attempt = async |number| {
                let _connection = connection.acquire().await.expect("nobody closes it");
                attempt(page, number).await
            };
            if attempt(1).await.is_ok() {
                return Some(start.elapsed());
            }
            sleep(PAUSE).await;
            attempt(2).await.ok().and(None)
        })
    });
    check(fetches.collect()).await;
}

struct Unavailable;

/// Fetches a page; a second attempt works.
async fn attempt(page: u64, number: u64) -> Result<(), Unavailable> {
    sleep(ATTEMPT).await;
    if number == 1 && choose_for("is unavailable", page, 0..4) == 3 {
        info!(page, "unavailable");
        return Err(Unavailable);
    }
    Ok(())
}

/// Of the pages that were in order, none took as long as a pause.
async fn check(fetches: Vec<Task<Option<Duration>>>) {
    for (page, fetch) in (1..).zip(fetches) {
        if let Some(took) = fetch.await {
            assert!(took < PAUSE, "page {page} was in order, and took {took:?}");
        }
    }
}
