//! Consumers take pages from a queue, and `None` says that there are no more.
//!
//! What is wrong: the program was written for one consumer and puts one `None`. Since then the number
//! of consumers has become an option. Whoever takes the `None` ends, and all others wait for ever.
//!
//! The repair closes the queue, which everybody sees, however many they are. (One `None` for each
//! consumer would do too, as long as whoever puts them knows the number.)

use parcae::choose;
use parcae::sync::Queue;
use parcae::{Task, spawn_named};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "one-sentinel",
    summary: "A number of consumers, set by an option, take pages until one meets a `None`.",
    defect: "One `None` ends one consumer, the others wait for ever; the twin closes the queue.",
    source: "asyncio tutorials: one sentinel, several consumers",
    failure_kind: "deadlock",
    seeds_until_found: 10,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const PAGES: u64 = 6;

async fn buggy() {
    let pages = Queue::bounded(2).named("pages");
    let consumers: Vec<Task<u64>> = (1..=consumer_count())
        .map(|consumer| {
            let pages = pages.clone();
            spawn_named(format!("consumer-{consumer}"), async move {
                let mut count = 0;
                while let Some(page) = pages.get().await.expect("nobody closes the queue") {
                    info!(page, "indexed");
                    count += 1;
                }
                count
            })
        })
        .collect();
    for page in 1..=PAGES {
        pages.put(Some(page)).await.expect("nobody closes the queue");
    }
    pages.put(None).await.expect("nobody closes the queue");
    let mut count = 0;
    for consumer in consumers {
        count += consumer.await;
    }
    assert_eq!(count, PAGES, "each page is indexed once");
}

async fn fixed() {
    let pages = Queue::bounded(2).named("pages");
    let consumers: Vec<Task<u64>> = (1..=consumer_count())
        .map(|consumer| {
            let pages = pages.clone();
            spawn_named(format!("consumer-{consumer}"), async move {
                let mut count = 0;
                while let Ok(page) = pages.get().await {
                    info!(page, "indexed");
                    count += 1;
                }
                count
            })
        })
        .collect();
    for page in 1..=PAGES {
        pages.put(page).await.expect("it is closed only when all are put");
    }
    pages.close();
    let mut count = 0;
    for consumer in consumers {
        count += consumer.await;
    }
    assert_eq!(count, PAGES, "each page is indexed once");
}

/// An option of the program; 1 is its default.
fn consumer_count() -> u64 {
    choose(1..=4)
}
