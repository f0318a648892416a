//! A server is gone for a moment, and its clients try again.
//!
//! What is wrong: all clients wait for 1, 2, 4 seconds. They failed together, so they come back
//! together, each time: the server that has just come up gets all of them at one instant.
//!
//! The repair draws the pause, from nothing up to that bound ("full jitter"), and no pause is longer
//! than a cap.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use parcae::retry::{Jitter, Retry};
use parcae::rng::choose_for;
use parcae::time::{Instant, sleep};
use parcae::{Task, spawn_named};

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "retry-waves",
    summary: "Four clients of a server that is down for some seconds try again and again.",
    defect: "Pauses without jitter: they come back at one instant; the twin draws its pauses.",
    source: "AWS Architecture Blog: exponential backoff and jitter (2015)",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const CLIENTS: u64 = 4;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const CAP: Duration = Duration::from_secs(8);
/// So many requests at one instant are more than the server can take.
const WAVE: u32 = 4;

struct Server {
    is_up_at: Instant,
    retries: RefCell<BTreeMap<Instant, u32>>,
}

impl Server {
    /// A server that goes down now, for a while or for no time at all.
    fn going_down() -> Rc<Self> {
        let is_up_at =
            Instant::now() + Duration::from_secs(choose_for("length of the outage", 0, 0..=9));
        Rc::new(Self { is_up_at, retries: RefCell::default() })
    }

    fn is_up(&self) -> bool {
        Instant::now() >= self.is_up_at
    }

    fn note_retry(&self) {
        *self.retries.borrow_mut().entry(Instant::now()).or_default() += 1;
    }

    fn check(&self) {
        let highest = self.retries.borrow().values().copied().max().unwrap_or_default();
        assert!(highest < WAVE, "{highest} clients came back at one instant");
    }
}

async fn buggy() {
    let server = Server::going_down();
    let clients: Vec<Task<()>> = (1..=CLIENTS)
        .map(|client| {
            let server = server.clone();
            spawn_named(format!("client-{client}"), async move {
                let mut pause = FIRST_PAUSE;
                while !server.is_up() {
                    sleep(pause).await;
                    server.note_retry();
                    pause *= 2;
                }
            })
        })
        .collect();
    for client in clients {
        client.await;
    }
    server.check();
}

/// The server does not answer.
struct Down;

async fn fixed() {
    let server = Server::going_down();
    let retry = Retry::builder()
        .attempts(100)
        .exponential(FIRST_PAUSE, 2)
        .cap(CAP)
        .jitter(Jitter::Full)
        .always::<Down>();
    let clients: Vec<Task<()>> = (1..=CLIENTS)
        .map(|client| {
            let (server, retry) = (server.clone(), retry.clone());
            spawn_named(format!("client-{client}"), async move {
                let call = async |attempt| {
                    if attempt > 1 {
                        server.note_retry();
                    }
                    if server.is_up() { Ok(()) } else { Err(Down) }
                };
                assert!(retry.run(call).await.is_ok(), "the server comes up");
            })
        })
        .collect();
    for client in clients {
        client.await;
    }
    server.check();
}
