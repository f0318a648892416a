//! A task waits for a lock, but not for long, and then does something that needs the lock.
//!
//! What is wrong: the time-out bounds a *reference* to the future that waits for the lock, so that the
//! wait could be resumed later. When the time is over that future is still in the line, and nobody
//! polls it. The lock is handed to it first; the task stands behind it, and waits for its own future.
//!
//! The repair gives the future itself to the time-out, which drops it when the time is over: it leaves
//! the line.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::spawn_named;
use parcae::sync::Mutex;
use parcae::time::{sleep, timeout};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "futurelock",
    summary: "A task waits half a second for a lock, then writes a note and needs the lock for that.",
    defect: "A future that nobody polls is next in the line; the twin drops it when the time is over.",
    source: "Oxide RFD 609 (omicron#9259)",
    failure_kind: "deadlock",
    seeds_until_found: 100,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const PATIENCE: Duration = Duration::from_millis(500);

async fn buggy() {
    let log = Rc::new(Mutex::new(Vec::new()).named("log"));
    let background = spawn_named("background", hold(log.clone()));
    sleep(Duration::from_millis(1)).await;
    let mut write = pin!(log.lock());
    match timeout(PATIENCE, write.as_mut()).await {
        Ok(mut log) => log.push("in time"),
        Err(_) => {
            info!("the log is busy");
            // In front of this one stands `write`, which is not polled meanwhile.
            log.lock().await.push("late");
        }
    }
    background.await;
}

async fn fixed() {
    let log = Rc::new(Mutex::new(Vec::new()).named("log"));
    let background = spawn_named("background", hold(log.clone()));
    sleep(Duration::from_millis(1)).await;
    match timeout(PATIENCE, log.lock()).await {
        Ok(mut log) => log.push("in time"),
        Err(_) => {
            info!("the log is busy");
            log.lock().await.push("late");
        }
    }
    background.await;
    assert_eq!(log.lock().await.len(), 1);
}

async fn hold(log: Rc<Mutex<Vec<&'static str>>>) {
    let _log = log.lock().await;
    sleep(Duration::from_millis(choose_for("time with the lock", 0, 1..=1000))).await;
}
