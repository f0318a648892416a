//! A device that one at a time may use, and a request that is cancelled.
//!
//! What is wrong: who is cancelled in the line finds the lock free and wakes "the first that still sleeps",
//! for he may have been the one who was woken. But another has been woken already and has not run yet; so
//! now two are awake, and neither looks whether the lock is still free: both take it.
//!
//! The repair asks one question only, whose turn it is by his place in the line, and nobody who leaves the
//! line wakes somebody on top of that.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use parcae::sync::Mutex;
use parcae::task::yield_now;
use parcae::time::sleep;
use parcae::{Task, choose, spawn_named};

use super::line::{Line, Waiter};
use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "double-acquire",
    summary: "Four requests want one device, one of them is cancelled while it waits.",
    defect: "The cancelled one wakes a second waiter beside the one awake; the twin goes by the line.",
    source: "asyncio's Lock: it was acquired twice (bpo-32734)",
    failure_kind: "panic",
    seeds_until_found: 500,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

#[derive(Default)]
struct Lock {
    is_locked: Cell<bool>,
    line: Line,
}

impl Lock {
    async fn lock(&self) {
        if self.is_locked.get() || !self.line.is_empty() {
            let place = Place { lock: self, waiter: self.line.push("the device") };
            place.waiter.wait().await;
            self.is_locked.set(true);
        }
        self.is_locked.set(true);
    }

    fn unlock(&self) {
        self.is_locked.set(false);
        self.wake_first();
    }

    fn wake_first(&self) {
        if let Some(first) = self.line.first_asleep() {
            first.set();
        }
    }
}

struct Place<'a> {
    lock: &'a Lock,
    waiter: Waiter,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.lock.line.remove(&self.waiter);
        if !self.lock.is_locked.get() {
            // It may have been our wake that is lost; or somebody else is awake already.
            self.lock.wake_first();
        }
    }
}

/// A device that sees whether two use it.
#[derive(Default)]
struct Device {
    is_in_use: Cell<bool>,
}

impl Device {
    async fn use_it(&self) {
        assert!(!self.is_in_use.replace(true), "two use the device at once");
        yield_now().await;
        self.is_in_use.set(false);
    }
}

async fn buggy() {
    let shared = Rc::new((Lock::default(), Device::default()));
    let requests = (1..=4).map(|number| {
        let shared = shared.clone();
        spawn_named(format!("request-{number}"), async move {
            let (lock, device) = &*shared;
            lock.lock().await;
            device.use_it().await;
            if number == 1 {
                sleep(TUNING).await;
            }
            lock.unlock();
        })
    });
    cancel_one(requests.collect()).await;
}

async fn fixed() {
    let device = Rc::new(Mutex::new(Device::default()).named("the device"));
    let requests = (1..=4).map(|number| {
        let device = device.clone();
        spawn_named(format!("request-{number}"), async move {
            let device = device.lock().await;
            device.use_it().await;
            if number == 1 {
                sleep(TUNING).await;
            }
        })
    });
    cancel_one(requests.collect()).await;
}

const TUNING: Duration = Duration::from_millis(50);

async fn cancel_one(mut requests: Vec<Task<()>>) {
    sleep(choose(1..=8) * Duration::from_millis(10)).await;
    drop(requests.remove(2));
    for request in requests {
        request.await;
    }
}
