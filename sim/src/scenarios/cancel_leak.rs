//! A connection pool, and clients that do not wait for ever.
//!
//! What is wrong: `acquire` takes a connection from the free ones, shakes hands over it, and enters it
//! among those in use. A client whose patience ends during the handshake drops the future of
//! `acquire`, and with it the number of a connection that is then neither free nor in use. It never
//! comes back, and a later client waits for ever.
//!
//! The repair owns the connection from the very step that takes it: a guard whose destructor puts it
//! back, so that dropping the future at any await returns it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::sync::Queue;
use parcae::time::{sleep, timeout};
use parcae::{Task, spawn_named};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "cancel-leak",
    summary: "Clients with a time limit take connections from a pool and shake hands over them.",
    defect: "A client cancelled in the handshake loses the connection; the twin holds it in a guard.",
    source: "pools that lost connections to cancelled callers: asyncpg#548, sqlx#83",
    failure_kind: "deadlock",
    seeds_until_found: 100,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const CLIENTS: u32 = 3;
const ARRIVES_EVERY: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_millis(90);
const USE: Duration = Duration::from_millis(5);

/// A pool of one connection.
struct LeakyPool {
    free: Queue<u32>,
    in_use: Cell<u32>,
}

impl LeakyPool {
    async fn acquire(&self, client: u32) -> u32 {
        let connection = self.free.get().await.expect("the pool is open");
        // Dropped here, the connection is neither free nor in use.
        shake_hands(client).await;
        self.in_use.set(self.in_use.get() + 1);
        connection
    }

    async fn release(&self, connection: u32) {
        self.in_use.set(self.in_use.get() - 1);
        self.free.put(connection).await.expect("the pool is open");
    }
}

async fn buggy() {
    let free = Queue::unbounded().named("free connections");
    free.put(1).await.expect("the pool is open");
    let pool = Rc::new(LeakyPool { free, in_use: Cell::new(0) });
    let clients: Vec<Task<()>> = (1..=CLIENTS)
        .map(|client| {
            let pool = pool.clone();
            spawn_named(format!("client-{client}"), async move {
                sleep(ARRIVES_EVERY * client).await;
                let Ok(connection) = timeout(PATIENCE, pool.acquire(client)).await else {
                    return info!("gives up");
                };
                sleep(USE).await;
                pool.release(connection).await;
            })
        })
        .collect();
    for client in clients {
        client.await;
    }
    // The nightly report has all the time of the world, and needs it.
    let connection = pool.acquire(REPORT).await;
    pool.release(connection).await;
    assert_eq!(pool.in_use.get(), 0);
}

/// A connection that goes back to the pool when it is dropped.
struct Connection {
    number: u32,
    free: Queue<u32>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.free.try_put(self.number).expect("an unbounded queue that nobody closes has room");
    }
}

async fn acquire(free: &Queue<u32>, client: u32) -> Connection {
    let number = free.get().await.expect("the pool is open");
    let connection = Connection { number, free: free.clone() };
    shake_hands(client).await;
    connection
}

async fn fixed() {
    let free = Queue::unbounded().named("free connections");
    free.put(1).await.expect("the pool is open");
    let clients: Vec<Task<()>> = (1..=CLIENTS)
        .map(|client| {
            let free = free.clone();
            spawn_named(format!("client-{client}"), async move {
                sleep(ARRIVES_EVERY * client).await;
                let Ok(_connection) = timeout(PATIENCE, acquire(&free, client)).await else {
                    return info!("gives up");
                };
                sleep(USE).await;
            })
        })
        .collect();
    for client in clients {
        client.await;
    }
    drop(acquire(&free, REPORT).await);
    assert_eq!(free.len(), 1);
}

async fn shake_hands(client: u32) {
    sleep(Duration::from_millis(choose_for("handshake takes", client.into(), 1..=100))).await;
}

/// Number of the client that makes the nightly report.
const REPORT: u32 = CLIENTS + 1;
