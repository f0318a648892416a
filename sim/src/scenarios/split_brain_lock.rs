//! Two workers write to a store. Who does needs a lock, which a service gives for ten seconds at a time.
//!
//! What is wrong: a worker that cannot reach the service keeps the lock that it has, for most troubles of
//! a network pass. This one does not: the service gives the lock to the other worker when the ten seconds
//! are over, and both write.
//!
//! The repair numbers the locks (a "fencing token"). The number comes with every write, and the store
//! refuses those of a lock before the last one that it has seen. Whatever a worker believes, and however
//! late a write arrives, nothing gets past that.

use std::cell::{Cell, RefCell};
use std::future::ready;
use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::time::{Instant, sleep};
use parcae::world::{self, Node};
use tracing::info;

use super::wire::{ask, serve};
use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "split-brain-lock",
    summary: "Two workers write to a store, under a lock that its holder has to renew.",
    defect: "Cut off from the lock, a worker writes beside the next holder; the twin's store asks which.",
    source: "M. Kleppmann, How to do distributed locking (2016): the fencing token",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(run(Store { is_fenced: false, ..Store::default() })),
    fixed: || Box::pin(run(Store { is_fenced: true, ..Store::default() })),
};

const LEASE: Duration = Duration::from_secs(10);
const RENEWAL: Duration = Duration::from_secs(3);

async fn run(store: Store) {
    let store = Rc::new(store);
    start_locks();
    store.clone().start();
    for name in ["worker-1", "worker-2"] {
        let store = store.clone();
        world::node(name).start(move || worker(name, store.clone()));
    }
    sleep(Duration::from_secs(5)).await;
    let cut = world::partition("worker-1", "locks");
    sleep(Duration::from_secs(choose_for("seconds of cut", 1, 0..=30))).await;
    cut.end();
    sleep(Duration::from_secs(5)).await;
    assert!(store.locks.borrow().len() >= 4, "there are writes all the time");
}

/// Writes as long as it has the lock, or tries to get it.
async fn worker(name: &str, store: Rc<Store>) {
    let mut lock = None;
    loop {
        match ask("locks:7000", format!("lock {name}")).await {
            Ok(answer) => lock = answer.parse::<u64>().ok(),
            Err(error) => info!(?lock, %error, "the lock is not renewed"),
        }
        if let Some(number) = lock {
            let answer = ask("store:7000", format!("write {number}")).await;
            if answer.is_ok_and(|done| done == "no") {
                lock = None;
            }
            store.check();
        }
        sleep(RENEWAL).await;
    }
}

/// Who has the lock, its number, and until when.
struct Lease {
    holder: String,
    number: u64,
    end: Instant,
}

/// Starts the service that has one lock and gives it to one worker at a time.
fn start_locks() -> Node {
    let lease: Rc<RefCell<Option<Lease>>> = Rc::default();
    let answer = move |question: String| {
        let holder = question.trim_start_matches("lock ").to_owned();
        let (now, mut lease) = (Instant::now(), lease.borrow_mut());
        let number = match &*lease {
            Some(last) if last.end > now && last.holder != holder => return "no".to_owned(),
            Some(last) if last.end > now => last.number,
            Some(last) => last.number + 1,
            None => 1,
        };
        *lease = Some(Lease { holder, number, end: now + LEASE });
        number.to_string()
    };
    world::node("locks").start(move || {
        let answer = answer.clone();
        serve(7000, move |question| ready(answer(question)))
    })
}

#[derive(Default)]
struct Store {
    is_fenced: bool,
    highest_lock: Cell<u64>,
    /// Under which lock each write came.
    locks: RefCell<Vec<u64>>,
}

impl Store {
    fn start(self: Rc<Self>) -> Node {
        world::node("store").start(move || {
            let store = self.clone();
            serve(7000, move |question| ready(store.write(&question)))
        })
    }

    /// Fails if a worker has written although another one had got the lock.
    fn check(&self) {
        let locks = self.locks.borrow();
        assert!(locks.is_sorted(), "two workers write at a time, under the locks {locks:?}");
    }

    fn write(&self, question: &str) -> String {
        let lock = question.trim_start_matches("write ").parse().expect("a number");
        if self.is_fenced && lock < self.highest_lock.get() {
            return "no".to_owned();
        }
        self.highest_lock.set(lock);
        self.locks.borrow_mut().push(lock);
        "yes".to_owned()
    }
}
