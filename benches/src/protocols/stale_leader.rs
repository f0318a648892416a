//! A register on three servers by Raft (Ongaro and Ousterhout, "In search of an understandable consensus algorithm", 2014).
//!
//! A leader that is not heard for a while is replaced, and does not know. The wrong one answers what is read from what it
//! knows; the right one asks a majority first whether it still leads (section 6.4 of Ongaro's thesis). Logs are short, so all
//! of one is sent each time.

mod server;

use std::net::SocketAddr;
use std::time::Duration;

use parcae::oracle::models::{Register, RegisterInput};
use parcae::oracle::{History, linearizable};
use parcae::task::gather;
use parcae::time::timeout;

use self::server::Server;
use super::{Post, Protocol, machines};

pub(crate) const PROTOCOL: Protocol = Protocol {
    name: "Raft with a stale leader",
    buggy: || Box::pin(run(false)),
    right: || Box::pin(run(true)),
};

async fn run(confirms: bool) {
    let (nodes, servers) = machines("server", SERVERS);
    for (index, node) in nodes.iter().enumerate() {
        let servers = servers.clone();
        node.spawn(async move { Server::new(index, confirms, servers).await.serve().await })
            .detach();
    }
    let history = History::new();
    let (clients, _) = machines("client", 2);
    let tasks = clients.into_iter().zip(0..).map(|(node, client)| {
        let (servers, history) = (servers.clone(), history.clone());
        node.spawn(async move {
            let post = Post::open().await;
            for request in 1..=OPERATIONS {
                let (input, kind) = match client {
                    0 => (RegisterInput::Write(request), WRITE),
                    _ => (RegisterInput::Read, READ),
                };
                let call = history.invoke(client, input);
                let found = ask(&post, &servers, &[kind, request]).await;
                call.returned((client != 0).then_some(found));
            }
        })
    });
    gather(tasks).await;
    linearizable(&Register::new(0), &history.operations()).unwrap();
}

/// Asks all until one answers. The value to be written is the number of the request.
async fn ask(post: &Post, servers: &[SocketAddr], request: &[u64; 2]) -> u64 {
    loop {
        post.send_all(servers, request).await;
        while let Ok((message, _)) = timeout(PATIENCE_OF_CLIENT, post.receive()).await {
            if message[..2] == [ANSWER, request[1]] {
                return message[2];
            }
        }
    }
}

const SERVERS: usize = 3;
/// Of each client.
const OPERATIONS: u64 = 4;
const PATIENCE_OF_CLIENT: Duration = Duration::from_millis(5);

const WRITE: u64 = 5;
const READ: u64 = 6;
const ANSWER: u64 = 7;
