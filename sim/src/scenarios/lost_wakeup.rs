//! Clients wait until a server has loaded its tables.
//!
//! What is wrong: a client looks at the flag and, if it is down, waits to be notified. A notification
//! reaches those that wait at that moment (as with a condition variable, or tokio's
//! `notify_waiters`). When the server raises the flag and notifies after the client's look and before
//! the client's wait, the client has missed both and waits for ever.
//!
//! The repair lets the event itself be the flag: it stays set, so it does not matter who comes first.

use std::rc::Rc;
use std::time::Duration;

use parcae::sync::Event;
use parcae::testing::Shared;
use parcae::time::sleep;
use parcae::{Task, choose, spawn_named};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "lost-wakeup",
    summary: "Clients test whether the server is ready, and if not wait to be notified.",
    defect: "It notifies between test and wait: nobody hears; in the twin the event stays set.",
    source: "the race that tokio's documentation of `Notified::enable` warns of",
    failure_kind: "deadlock",
    seeds_until_found: 200,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const CLIENTS: u64 = 2;

async fn buggy() {
    let is_ready = Rc::new(Shared::new(false).named("is_ready"));
    let became_ready = Rc::new(Event::new().named("became_ready"));
    let server = spawn_named("server", {
        let (is_ready, became_ready) = (is_ready.clone(), became_ready.clone());
        async move {
            load_tables().await;
            is_ready.set(true).await;
            notify_waiters(&became_ready);
            info!("ready");
        }
    });
    let clients: Vec<Task<()>> = (1..=CLIENTS)
        .map(|client| {
            let (is_ready, became_ready) = (is_ready.clone(), became_ready.clone());
            spawn_named(format!("client-{client}"), async move {
                if !is_ready.get().await {
                    // Here the server may become ready, and nobody waits yet.
                    became_ready.wait().await;
                }
            })
        })
        .collect();
    for client in clients {
        client.await;
    }
    server.await;
}

async fn fixed() {
    let is_ready = Rc::new(Event::new().named("is_ready"));
    let server = spawn_named("server", {
        let is_ready = is_ready.clone();
        async move {
            load_tables().await;
            is_ready.set();
            info!("ready");
        }
    });
    let clients: Vec<Task<()>> = (1..=CLIENTS)
        .map(|client| {
            let is_ready = is_ready.clone();
            spawn_named(format!("client-{client}"), async move { is_ready.wait().await })
        })
        .collect();
    for client in clients {
        client.await;
    }
    server.await;
}

/// Lets go on who waits at this moment, and nobody who comes later.
fn notify_waiters(event: &Event) {
    event.set();
    event.clear();
}

async fn load_tables() {
    sleep(Duration::from_millis(choose(0..=3))).await;
}
