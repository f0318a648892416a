//! Two tasks write into one bounded log: one waits for room, the other one tries and has it.
//!
//! What is wrong: the writer that waits is taken out of the line when room is made, and has to look
//! for itself. Before it runs the other one finds a free place and no line, and writes: the later
//! entry stands before the earlier one.
//!
//! The repair leaves the writer in the line until it has written. While one waits there is no room for
//! others.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::spawn_named;
use parcae::sync::Queue;
use parcae::time::{Instant, sleep};

use super::line::Line;
use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "overtaking-put",
    summary: "Two writers put entries into a queue for one entry, and the reader checks their order.",
    defect: "A `try_put` takes the room made for one that waits; in the twin it finds none.",
    source: "asyncio's Queue: `put_nowait` overtakes `put` (gh-83055, open)",
    failure_kind: "panic",
    seeds_until_found: 1000,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

/// When it was made.
type Entry = Instant;

/// A queue for one entry.
#[derive(Default)]
struct Log {
    entries: RefCell<VecDeque<Entry>>,
    writers: Line,
    readers: Line,
}

impl Log {
    fn try_put(&self, entry: Entry) -> Result<(), Entry> {
        if !self.entries.borrow().is_empty() {
            return Err(entry);
        }
        self.entries.borrow_mut().push_back(entry);
        if let Some(reader) = self.readers.pop() {
            reader.set();
        }
        Ok(())
    }

    async fn put(&self, entry: Entry) {
        while self.try_put(entry).is_err() {
            self.writers.push("room").wait().await;
        }
    }

    async fn get(&self) -> Entry {
        loop {
            if let Some(entry) = self.entries.borrow_mut().pop_front() {
                if let Some(writer) = self.writers.pop() {
                    writer.set();
                }
                return entry;
            }
            self.readers.push("an entry").wait().await;
        }
    }
}

async fn buggy() {
    let log = Rc::new(Log::default());
    let patient = spawn_named("patient", {
        let log = log.clone();
        async move {
            for _ in 0..2 {
                sleep(BEFORE).await;
                log.put(Instant::now()).await;
            }
        }
    });
    let quick = spawn_named("quick", {
        let log = log.clone();
        async move {
            sleep(somewhen()).await;
            if let Err(entry) = log.try_put(Instant::now()) {
                log.put(entry).await;
            }
        }
    });
    sleep(READ).await;
    let entries = [log.get().await, log.get().await, log.get().await];
    patient.await;
    quick.await;
    assert!(entries.is_sorted(), "an entry has overtaken another");
}

async fn fixed() {
    let log = Queue::bounded(1).named("log");
    let patient = spawn_named("patient", {
        let log = log.clone();
        async move {
            for _ in 0..2 {
                sleep(BEFORE).await;
                log.put(Instant::now()).await.expect("it is open");
            }
        }
    });
    let quick = spawn_named("quick", {
        let log = log.clone();
        async move {
            sleep(somewhen()).await;
            if let Err(full) = log.try_put(Instant::now()) {
                log.put(full.into_inner()).await.expect("it is open");
            }
        }
    });
    sleep(READ).await;
    let get = || async { log.get().await.expect("it is open") };
    let entries = [get().await, get().await, get().await];
    patient.await;
    quick.await;
    assert!(entries.is_sorted(), "an entry has overtaken another");
}

const BEFORE: Duration = Duration::from_millis(10);
const READ: Duration = Duration::from_millis(30);

fn somewhen() -> Duration {
    choose_for("time of the entry", 0, 1..=3) * BEFORE
}
