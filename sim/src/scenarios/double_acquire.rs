//! A device for one user at a time, and a request that is cancelled.
//!
//! What is wrong: a waiter that is cancelled and finds the lock free wakes the first one that sleeps,
//! because the wake that is lost may have been its own. But another waiter may have been woken and not
//! have run yet. Now two are awake, and neither looks whether the lock is still free: both take it.
//!
//! The repair has one question, whose turn it is by the place in the line. Leaving the line changes
//! places, and wakes nobody on top of that.

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
    name: "double-acquire",
    summary: "Four requests want one device, one of them is cancelled while it waits.",
    defect: "The cancelled one wakes a second waiter beside the one awake; the twin goes by the line.",
    source: "asyncio's Lock: it was acquired twice (bpo-32734)",
    failure_kind: "panic",
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
        let has_to_wait = self.is_locked.get() || !self.line.is_empty();
        let place = has_to_wait.then(|| Place { lock: self, waiter: self.line.push("the device") });
        if let Some(place) = &place {
            place.waiter.wait().await;
        }
        self.is_locked.set(true);
        Held(self)
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
            // The wake that is lost may have been this one's. Or another one is awake already.
            self.lock.wake_first();
        }
    }
}

/// The lock is let go when it is dropped.
struct Held<'a>(&'a Lock);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.is_locked.set(false);
        self.0.wake_first();
    }
}

/// A device that sees whether two use it.
#[derive(Default)]
struct Device {
    users: Cell<u32>,
}

impl Device {
    async fn use_it(&self) {
        self.users.set(self.users.get() + 1);
        let _user = User(self);
        assert_eq!(self.users.get(), 1, "two use the device at once");
        sleep(USE).await;
    }
}

struct User<'a>(&'a Device);

impl Drop for User<'_> {
    fn drop(&mut self) {
        self.0.users.set(self.0.users.get() - 1);
    }
}

async fn buggy() {
    let shared = Rc::new((Lock::default(), Device::default()));
    let requests = (1..=4).map(|number| {
        let shared = shared.clone();
        spawn_named(format!("request-{number}"), async move {
            let (lock, device) = &*shared;
            let _held = lock.lock().await;
            device.use_it().await;
        })
    });
    cancel_one(requests.collect()).await;
}

async fn fixed() {
    let device = Rc::new(Mutex::new(Device::default()).named("the device"));
    let requests = (1..=4).map(|number| {
        let device = device.clone();
        spawn_named(format!("request-{number}"), async move {
            device.lock().await.use_it().await;
        })
    });
    cancel_one(requests.collect()).await;
}

const USE: Duration = Duration::from_millis(10);

async fn cancel_one(mut requests: Vec<Task<()>>) {
    sleep(choose_for("time of cancellation", 0, 0..=3) * USE).await;
    drop(requests.remove(2));
    for request in requests {
        request.await;
    }
}
