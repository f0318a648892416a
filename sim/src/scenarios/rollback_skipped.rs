//! A handler works in a transaction, and commits or rolls back at the end.
//!
//! What is wrong: it commits when its work succeeded and rolls back when it failed. A handler that is
//! cancelled does neither: its future is dropped at an await, and what stands behind that never runs.
//! The transaction stays open, with its lock on the row, and the next one waits for ever.
//!
//! The repair is a transaction that rolls back when it is dropped without having been committed. (What
//! can be awaited in the course of that belongs into `parcae::task::finally`.)

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::sync::Event;
use parcae::time::{sleep, timeout};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "rollback-skipped",
    summary: "A handler locks a row in a transaction; its client waits for at most 50 ms.",
    defect: "A cancelled handler neither commits nor rolls back; the twin rolls back when it is dropped.",
    source: "SQLAlchemy tutorials: `except Exception: rollback` does not see CancelledError",
    failure_kind: "deadlock",
    seeds_until_found: 100,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const PATIENCE: Duration = Duration::from_millis(50);

/// A database with one row, which one transaction at a time has locked.
#[derive(Default)]
struct Database {
    row: Cell<u64>,
    is_locked: Cell<bool>,
    was_unlocked: Event,
}

impl Database {
    async fn begin(&self) -> u64 {
        while self.is_locked.replace(true) {
            self.was_unlocked.clear();
            self.was_unlocked.wait().await;
        }
        self.row.get()
    }

    fn commit(&self, value: u64) {
        self.row.set(value);
        self.roll_back();
    }

    fn roll_back(&self) {
        self.is_locked.set(false);
        self.was_unlocked.set();
    }
}

#[derive(Clone, Copy, Debug)]
struct Refused;

async fn buggy() {
    let database = Rc::new(Database::default());
    let handle = async |request| {
        let value = database.begin().await;
        let result = work(request).await;
        match result {
            Ok(()) => database.commit(value + 1),
            Err(Refused) => database.roll_back(),
        }
        u64::from(result.is_ok())
    };
    let mut committed = 0;
    for request in 1..=2 {
        match timeout(PATIENCE, handle(request)).await {
            Ok(count) => committed += count,
            Err(_) => info!(request, "no answer in time"),
        }
    }
    // The nightly report waits as long as it takes.
    let value = database.begin().await;
    assert_eq!(value, committed);
}

/// A transaction that is open until it is committed or dropped.
struct Transaction<'a> {
    database: &'a Database,
    value: u64,
}

impl<'a> Transaction<'a> {
    async fn begin(database: &'a Database) -> Self {
        let value = database.begin().await;
        Self { database, value }
    }

    fn commit(self, value: u64) {
        self.database.row.set(value);
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        self.database.roll_back();
    }
}

async fn fixed() {
    let database = Rc::new(Database::default());
    let handle = async |request| {
        let transaction = Transaction::begin(&database).await;
        let result = work(request).await;
        if result.is_ok() {
            let value = transaction.value + 1;
            transaction.commit(value);
        }
        u64::from(result.is_ok())
    };
    let mut committed = 0;
    for request in 1..=2 {
        match timeout(PATIENCE, handle(request)).await {
            Ok(count) => committed += count,
            Err(_) => info!(request, "no answer in time"),
        }
    }
    let value = Transaction::begin(&database).await.value;
    assert_eq!(value, committed);
}

async fn work(request: u64) -> Result<(), Refused> {
    sleep(Duration::from_millis(choose_for("work takes", request, 1..=80))).await;
    if choose_for("is refused", request, 0..3) == 2 { Err(Refused) } else { Ok(()) }
}
