//! Downloads share one slot, and the user closes a tab.
//!
//! What is wrong: a flag says that a waiter has been woken and has not taken its slot yet, so that no
//! newcomer takes it first. The flag is put down by that waiter when it runs. If it is cancelled
//! before, the flag stays up: from then on everybody finds a slot free, and a flag that says to wait.
//!
//! The repair assigns the slot to the waiter when it becomes free, and dropping the waiter gives it
//! back.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::sync::Semaphore;
use parcae::time::sleep;
use parcae::{Task, spawn_named};

use super::line::{Line, Waiter};
use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "stuck-semaphore",
    summary: "Downloads share one slot; a tab is closed while its download waits; then comes a late one.",
    defect: "Cancelled after its wake, a waiter leaves a flag up for ever; the twin's drop gives back.",
    source: "asyncio's Semaphore, stuck for ever (gh-90155)",
    failure_kind: "deadlock",
    seeds_until_found: 1000,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

struct Slots {
    free: Cell<u32>,
    /// A waiter has been woken, and has not run since.
    is_promised: Cell<bool>,
    line: Line,
}

impl Slots {
    async fn acquire(&self) -> Slot<'_> {
        while self.is_promised.get() || self.free.get() == 0 {
            let mut wait = Wait { slots: self, waiter: self.line.push("a slot"), is_over: false };
            wait.waiter.wait().await;
            wait.is_over = true;
            self.is_promised.set(false);
        }
        self.free.set(self.free.get() - 1);
        Slot(self)
    }

    fn wake_next(&self) {
        if let Some(waiter) = self.line.pop() {
            self.is_promised.set(true);
            waiter.set();
        }
    }
}

/// The slot is given back when it is dropped.
struct Slot<'a>(&'a Slots);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.free.set(self.0.free.get() + 1);
        self.0.wake_next();
    }
}

struct Wait<'a> {
    slots: &'a Slots,
    waiter: Waiter,
    is_over: bool,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.slots.line.remove(&self.waiter);
            // With nobody else in the line this promises nothing, and takes nothing back.
            if self.waiter.is_set() {
                self.slots.wake_next();
            }
        }
    }
}

async fn buggy() {
    let slots = Slots { free: Cell::new(1), is_promised: Cell::new(false), line: Line::default() };
    let slots = Rc::new(slots);
    let download = |name| {
        let slots = slots.clone();
        spawn_named(name, async move {
            let _slot = slots.acquire().await;
            sleep(DOWNLOADING).await;
        })
    };
    let first = download("first");
    close_tab(download("closed")).await;
    first.await;
    download("late").await;
}

async fn fixed() {
    let slots = Rc::new(Semaphore::new(1).named("slots"));
    let download = |name| {
        let slots = slots.clone();
        spawn_named(name, async move {
            let _slot = slots.acquire().await.expect("nobody closes it");
            sleep(DOWNLOADING).await;
        })
    };
    let first = download("first");
    close_tab(download("closed")).await;
    first.await;
    download("late").await;
}

const DOWNLOADING: Duration = Duration::from_millis(20);

async fn close_tab(download: Task<()>) {
    sleep(choose_for("time of closing", 0, 1..=3) * Duration::from_millis(10)).await;
    drop(download);
}
