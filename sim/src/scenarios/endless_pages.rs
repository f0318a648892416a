//! Records are read from a server page by page.
//!
//! What is wrong: the loop ends at the first empty page. The server has none: asked for a page behind
//! the last one it gives the last one. So the loop reads that again and again.
//!
//! The repair ends where the server says that no page follows, and not where the client thinks that it
//! can tell.

use std::time::Duration;

use parcae::rng::choose_for;
use parcae::time::sleep;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "endless-pages",
    summary: "A client collects the numbers of all records from a server, page by page.",
    defect: "It ends at an empty page, and there is none; the twin ends when the server says so.",
    source: "asyncio tutorials: `while True: page = await fetch_page(); if not page: break`",
    failure_kind: "time limit",
    seeds_until_found: 10,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const PAGE_SIZE: u32 = 10;

/// Some records, and the number of the page that follows.
struct Page {
    records: Vec<u32>,
    next: Option<u32>,
}

struct Server {
    record_count: u32,
}

impl Server {
    fn new() -> Self {
        Self { record_count: choose_for("number of records", 0, 1..=100) }
    }

    /// Returns a page; behind the last one there is only the last one.
    async fn fetch_page(&self, page: u32) -> Page {
        // Busy servers are slow: an hour is over after a few pages.
        sleep(Duration::from_secs(60)).await;
        let last = (self.record_count - 1) / PAGE_SIZE;
        let first_record = page.min(last) * PAGE_SIZE;
        let end = self.record_count.min(first_record + PAGE_SIZE);
        let next = (page < last).then_some(page + 1);
        Page { records: (first_record..end).collect(), next }
    }
}

async fn buggy() {
    let server = Server::new();
    let mut ids = Vec::new();
    for page in 0.. {
        let page = server.fetch_page(page).await;
        if page.records.is_empty() {
            break;
        }
        ids.extend(page.records);
    }
    assert!(ids.into_iter().eq(0..server.record_count));
}

async fn fixed() {
    let server = Server::new();
    let mut ids = Vec::new();
    let mut next = Some(0);
    while let Some(page) = next {
        let page = server.fetch_page(page).await;
        ids.extend(page.records);
        next = page.next;
    }
    assert!(ids.into_iter().eq(0..server.record_count));
}
