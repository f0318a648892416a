//! A register on three servers by Raft (Ongaro and Ousterhout, "In search of an understandable consensus algorithm", 2014).
//!
//! Each machine has a client that writes and one that reads, from the server beside them; one that does not lead refuses. Somebody moves the leadership now
//! and then, as before maintenance (section 3.10 of Ongaro's thesis). Who led does not know until it hears of it. The wrong
//! server answers what is read from what it has; the right one asks a majority first whether it still leads (section 6.4).

mod server;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use parcae::oracle::models::{Register, RegisterInput};
use parcae::oracle::{History, linearizable};
use parcae::time::sleep;
use parcae::{choose, world};

use self::server::Server;
use super::{PORT, Post, Protocol, machines};

pub(crate) const PROTOCOL: Protocol = Protocol {
    name: "Raft with a stale leader",
    buggy: || Box::pin(run(false)),
    right: || Box::pin(run(true)),
};

type Record = History<RegisterInput<u64>, Option<u64>>;

async fn run(confirms: bool) {
    let (nodes, servers) = machines("server", SERVERS);
    let history = History::new();
    for (index, node) in nodes.iter().enumerate() {
        let (servers, history) = (servers.clone(), history.clone());
        node.spawn(async move { Server::new(index, confirms, servers).await.serve().await })
            .detach();
        for (place, kind) in [(WRITE, PORT + 1), (READ, PORT + 2)].into_iter().enumerate() {
            node.spawn(ask_all(kind, index + place * SERVERS, history.clone())).detach();
        }
    }
    let operator = world::node("operator").idle();
    let moves = operator.spawn(async move {
        let post = Post::open(PORT).await;
        for _ in 0..MOVES {
            sleep(BETWEEN_MOVES).await;
            let next = choose(0..SERVERS);
            post.send(servers[next], &[LEAD, 0]).await;
        }
        sleep(BETWEEN_MOVES).await;
    });
    moves.await;
    linearizable(&Register::new(0), &history.operations()).unwrap();
}

/// Writes or reads, as long as the run lasts.
async fn ask_all((kind, port): (u64, u16), number: usize, history: Record) {
    let post = Post::open(port).await;
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    let mut client = number as u64;
    for request in 1.. {
        sleep(PAUSE).await;
        let value = request * CLIENTS + number as u64;
        let input = if kind == WRITE { RegisterInput::Write(value) } else { RegisterInput::Read };
        let call = history.invoke(client, input);
        post.send(server, &[kind, value]).await;
        let (message, _) = post.receive().await;
        match message[..] {
            [REFUSED] => call.failed(),
            [ANSWER, found] => call.returned((kind == READ).then_some(found)),
            // It leads no more, and somebody else may have taken over what was written.
            _ => {
                call.unknown();
                client += CLIENTS;
            }
        }
    }
}

const SERVERS: usize = 3;
const CLIENTS: u64 = 2 * SERVERS as u64;
const MOVES: u64 = 4;
const BETWEEN_MOVES: Duration = Duration::from_millis(6);
const PAUSE: Duration = Duration::from_micros(250);

const LEAD: u64 = 1;
const WRITE: u64 = 2;
const READ: u64 = 3;
const ANSWER: u64 = 4;
const REFUSED: u64 = 5;
const LOST: u64 = 6;
