//! Visits to a page are counted in a row of a database.
//!
//! What is wrong: a handler reads the row and writes it back one higher, and these are two round
//! trips. When another handler reads in between, both write the same number, and a visit is lost.
//!
//! The repair holds a lock across both, so that nobody reads what is about to be replaced. (In SQL:
//! `UPDATE ... SET visits = visits + 1`, or `SELECT ... FOR UPDATE`.)

use std::rc::Rc;

use parcae::sync::Mutex;
use parcae::testing::Shared;
use parcae::{Task, spawn_named};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "lost-update",
    summary: "Handlers count visits: each reads the row, then writes it back one higher.",
    defect: "Two that read before either writes count one visit together; the twin locks the row.",
    source: "ACIDRain (SIGMOD 2017), lost updates",
    failure_kind: "panic",
    seeds_until_found: 20,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const VISITORS: u64 = 3;

async fn buggy() {
    let visits = Rc::new(Shared::new(0).named("visits"));
    let handlers: Vec<Task<()>> = (1..=VISITORS)
        .map(|visitor| {
            let visits = visits.clone();
            spawn_named(format!("handler-{visitor}"), async move {
                let seen = visits.get().await;
                // Here another handler may read the same number.
                visits.set(seen + 1).await;
                info!(visits = seen + 1, "counted");
            })
        })
        .collect();
    for handler in handlers {
        handler.await;
    }
    assert_eq!(visits.peek(), VISITORS, "a visit was lost");
}

async fn fixed() {
    let visits = Rc::new(Mutex::new(Shared::new(0).named("visits")).named("row lock"));
    let handlers: Vec<Task<()>> = (1..=VISITORS)
        .map(|visitor| {
            let visits = visits.clone();
            spawn_named(format!("handler-{visitor}"), async move {
                let row = visits.lock().await;
                let seen = row.get().await;
                row.set(seen + 1).await;
                info!(visits = seen + 1, "counted");
            })
        })
        .collect();
    for handler in handlers {
        handler.await;
    }
    assert_eq!(visits.lock().await.peek(), VISITORS, "a visit was lost");
}
