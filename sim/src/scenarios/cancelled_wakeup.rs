//! A printer behind a lock, and a task that loses patience.
//!
//! What is wrong: whoever lets go of the lock wakes the first in the line, which then has to take it.
//! A waiter that is cancelled between its wake and its next poll leaves the line and tells nobody. The
//! lock is free, and the next in the line waits for a wake that has been used up.
//!
//! The repair is a lock that belongs to the first waiter from the moment it is let go. A waiter that
//! leaves passes on what it has not claimed, before its drop returns.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::sync::Mutex;
use parcae::time::sleep;
use parcae::{Task, spawn_named};

use super::line::{Line, Waiter};
use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "cancelled-wakeup",
    summary: "Three want one printer; one of them gives up while the first one prints.",
    defect: "Cancelled between wake and run, a waiter keeps the wake; the twin's lock passes it on.",
    source: "asyncio's Lock (bpo-27585), tokio's Mutex (tokio#1898), anyio#398",
    failure_kind: "deadlock",
    seeds_until_found: 1000,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

#[derive(Default)]
struct Lock {
    is_locked: Cell<bool>,
    line: Line,
}

impl Lock {
    async fn lock(&self) -> Held<'_> {
        if self.is_locked.get() || !self.line.is_empty() {
            let place = Place { line: &self.line, waiter: self.line.push("the printer") };
            place.waiter.wait().await;
        }
        self.is_locked.set(true);
        Held(self)
    }
}

/// The lock is let go when it is dropped.
struct Held<'a>(&'a Lock);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.is_locked.set(false);
        if let Some(first) = self.0.line.first() {
            first.set();
        }
    }
}

/// A place in the line, which is left whether it was waited out or not.
struct Place<'a> {
    line: &'a Line,
    waiter: Waiter,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // If it has been woken, nobody else will be.
        self.line.remove(&self.waiter);
    }
}

async fn buggy() {
    let printer = Rc::new(Lock::default());
    let print = |name, comes_after| {
        let printer = printer.clone();
        spawn_named(name, async move {
            sleep(Duration::from_millis(comes_after)).await;
            let _printer = printer.lock().await;
            sleep(PRINTING).await;
        })
    };
    let first = print("first", 0);
    let (impatient, patient) = (print("impatient", 1), print("patient", 2));
    lose_patience(impatient).await;
    first.await;
    patient.await;
}

async fn fixed() {
    let printer = Rc::new(Mutex::new(()).named("the printer"));
    let print = |name, comes_after| {
        let printer = printer.clone();
        spawn_named(name, async move {
            sleep(Duration::from_millis(comes_after)).await;
            let _printer = printer.lock().await;
            sleep(PRINTING).await;
        })
    };
    let first = print("first", 0);
    let (impatient, patient) = (print("impatient", 1), print("patient", 2));
    lose_patience(impatient).await;
    first.await;
    patient.await;
}

const PRINTING: Duration = Duration::from_millis(20);

async fn lose_patience(task: Task<()>) {
    sleep(choose_for("patience", 0, 1..=3) * Duration::from_millis(10)).await;
    drop(task);
}
