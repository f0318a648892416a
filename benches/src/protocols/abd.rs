//! A register on three replicas, after Attiya, Bar-Noy and Dolev ("Sharing memory robustly in message-passing systems", 1995).
//!
//! Who writes numbers the value and waits until a majority has stored it. Who reads asks a majority and takes the value with
//! the highest number. That is wrong while a write is under way: one reader may meet the new value, and a later one may ask
//! two replicas which have not heard of it. The paper has readers store what they have read before they return it.

use std::net::SocketAddr;
use std::rc::Rc;

use parcae::oracle::models::{Register, RegisterInput};
use parcae::oracle::{History, linearizable};
use parcae::task::gather;

use super::{PORT, Post, Protocol, machines};

pub(crate) const PROTOCOL: Protocol = Protocol {
    name: "ABD without write-back",
    buggy: || Box::pin(run(false)),
    right: || Box::pin(run(true)),
};

type Record = History<RegisterInput<u64>, Option<u64>>;

async fn run(writes_back: bool) {
    let (replicas, addresses) = machines("replica", 3);
    for replica in &replicas {
        replica.spawn(serve()).detach();
    }
    let history = History::new();
    let (clients, _) = machines("client", 3);
    let tasks = clients.into_iter().enumerate().map(|(index, node)| {
        let (replicas, history) = (addresses.clone(), history.clone());
        node.spawn(async move {
            let client = Client { post: Post::open(PORT).await, replicas, asked: 0 };
            match index {
                0 => client.write_all(&history).await,
                _ => client.read_all(index as u64, &history, writes_back).await,
            }
        })
    });
    gather(tasks).await;
    linearizable(&Register::new(0), &history.operations()).unwrap();
}

/// Stores the value with the highest number, and shows it.
async fn serve() {
    let post = Post::open(PORT).await;
    let mut stored = [0, 0];
    loop {
        let (message, client) = post.receive().await;
        let [request, number, value] = message[..] else { unreachable!("all ask with three") };
        // The number of a question is 0.
        stored = stored.max([number, value]);
        post.send(client, &[request, stored[0], stored[1]]).await;
    }
}

struct Client {
    post: Post,
    replicas: Rc<[SocketAddr]>,
    asked: u64,
}

impl Client {
    async fn write_all(mut self, history: &Record) {
        for value in 1..=OPERATIONS {
            let call = history.invoke(0, RegisterInput::Write(value));
            self.ask([value, value]).await;
            call.returned(None);
        }
    }

    async fn read_all(mut self, client: u64, history: &Record, writes_back: bool) {
        for _ in 0..OPERATIONS {
            let call = history.invoke(client, RegisterInput::Read);
            let found = self.ask([0, 0]).await;
            if writes_back {
                self.ask(found).await;
            }
            call.returned(Some(found[1]));
        }
    }

    /// Has a majority store a numbered value. Returns that with the highest number which one of them shows.
    async fn ask(&mut self, [number, value]: [u64; 2]) -> [u64; 2] {
        self.asked += 1;
        self.post.send_all(&*self.replicas, &[self.asked, number, value]).await;
        let (mut found, mut answers) = ([0, 0], 0);
        while answers <= self.replicas.len() / 2 {
            let (message, _) = self.post.receive().await;
            // Others are late answers to what was asked before.
            if message[0] == self.asked {
                found = found.max([message[1], message[2]]);
                answers += 1;
            }
        }
        found
    }
}

/// Of each client.
const OPERATIONS: u64 = 4;
