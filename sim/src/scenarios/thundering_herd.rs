//! A server restarts, and its clients, each on a machine of its own, connect to it again.
//!
//! What is wrong: all of them have lost their connection at one instant, so all of them connect after five
//! seconds, or ten if it is not back by then. A server that has just begun gets them within some
//! milliseconds: more than it would ever see otherwise.
//!
//! The repair draws the pause, from nothing up to those seconds ("full jitter"): they come evenly.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::AsyncReadExt as _;
use parcae::net::{TcpListener, TcpStream};
use parcae::retry::{Backoff, Jitter};
use parcae::rng::choose_for;
use parcae::time::{Instant, sleep};
use parcae::world;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "thundering-herd",
    summary: "Up to fifty clients keep a connection to a server, which restarts.",
    defect: "They lost it at one instant and come back at one; the twin draws its pauses.",
    source: "AWS Architecture Blog: exponential backoff and jitter (2015); reconnect storms",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(run(Jitter::None)),
    fixed: || Box::pin(run(Jitter::Full)),
};

const CLIENTS_MAX: usize = 50;
/// So many connections in so short a time are more than the server can take.
const HERD: usize = 10;
const SHORT: Duration = Duration::from_millis(10);

async fn run(jitter: Jitter) {
    let backoff = Backoff::exponential(Duration::from_secs(5), 2).jitter(jitter);
    let connected = Rc::new(Cell::new(0));
    let server = world::node("server").start({
        let connected = connected.clone();
        move || serve(connected.clone())
    });
    let clients = choose_for("clients of server", 1, 1..=CLIENTS_MAX);
    world::nodes("client", clients).start(move |index| stay_connected(index, backoff));
    sleep(Duration::from_secs(10)).await;
    assert_eq!(connected.take(), clients, "all are connected");
    server.kill();
    sleep(Duration::from_secs(choose_for("seconds of restart", 1, 0..=10))).await;
    server.power_on();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(connected.take(), clients, "all are connected again");
}

async fn serve(connected: Rc<Cell<usize>>) -> io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:7000").await?;
    let mut clients = Vec::new();
    let mut lately: VecDeque<Instant> = VecDeque::new();
    loop {
        let (client, _) = listener.accept().await?;
        clients.push(client);
        connected.set(clients.len());
        lately.push_back(Instant::now());
        lately.retain(|at| at.elapsed() < SHORT);
        assert!(lately.len() <= HERD, "{} clients have come within {SHORT:?}", lately.len());
    }
}

/// Connects to the server, and again whenever the connection is lost.
async fn stay_connected(index: usize, backoff: Backoff) {
    // They have come one by one.
    for _ in 0..index {
        sleep(Duration::from_millis(100)).await;
    }
    let mut pauses = backoff.delays();
    loop {
        if let Ok(mut stream) = TcpStream::connect("server:7000").await {
            pauses = backoff.delays();
            // Nothing comes but the end.
            drop(stream.read(&mut [0]).await);
        }
        sleep(pauses.next().expect("they have no end")).await;
    }
}
