//! A writer is told to stop, and writes what it has left.
//!
//! What is wrong: who told it waits for half a second and then drops it. That is a second
//! cancellation, and it falls into the cleanup of the first: what had not been written is gone.
//!
//! The repair makes the cleanup a task of its own when the writer is dropped, and whoever drops it
//! waits for that, up to a bound: `parcae::task::finally`.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::sync::Event;
use parcae::task::finally;
use parcae::time::{sleep, timeout};
use parcae::{Task, spawn_named};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "interrupted-cleanup",
    summary: "A writer is told to stop; it then writes what it has in its buffer.",
    defect: "Impatience cancels the cleanup as well; in the twin the cleanup outlives what it cleans up.",
    source: "asyncio: a second cancel() interrupts `finally`; anyio's shielded cleanup",
    failure_kind: "panic",
    seeds_until_found: 100,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const PATIENCE: Duration = Duration::from_millis(500);
const LINES: usize = 2;

/// What is on disk, and what is not yet.
struct File {
    written: RefCell<Vec<usize>>,
    buffer: RefCell<Vec<usize>>,
}

impl File {
    fn with_buffered_lines() -> Rc<Self> {
        let (written, buffer) = (RefCell::default(), RefCell::new((0..LINES).collect()));
        Rc::new(Self { written, buffer })
    }

    async fn flush(&self) {
        let lines = self.buffer.take();
        for line in lines {
            sleep(Duration::from_millis(choose_for("a write takes", line as u64, 1..=400))).await;
            self.written.borrow_mut().push(line);
        }
    }
}

async fn buggy() {
    let (file, stop) = (File::with_buffered_lines(), Rc::new(Event::new().named("stop")));
    let writer = spawn_named("writer", {
        let (file, stop) = (file.clone(), stop.clone());
        async move {
            stop.wait().await;
            file.flush().await;
        }
    });
    end(writer, &stop).await;
    assert_eq!(file.written.take().len(), LINES, "lines are gone");
}

async fn fixed() {
    let (file, stop) = (File::with_buffered_lines(), Rc::new(Event::new().named("stop")));
    let writer = spawn_named("writer", {
        let (file, stop) = (file.clone(), stop.clone());
        async move {
            let flush = async move || file.flush().await;
            finally(async move { stop.wait().await }, flush).await;
        }
    });
    end(writer, &stop).await;
    assert_eq!(file.written.take().len(), LINES, "lines are gone");
}

async fn end(mut writer: Task<()>, stop: &Event) {
    stop.set();
    if timeout(PATIENCE, &mut writer).await.is_err() {
        info!("does not end");
        writer.cancel().await;
    }
}
