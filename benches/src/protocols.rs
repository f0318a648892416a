//! Small distributed programs with one bug each, and each with a twin that is right.
//!
//! They speak datagrams, so what comes in which order is a matter of latencies alone: nothing is lost, nobody dies. What is
//! wrong shows when some packets are late while others are not.
//!
//! | program | what is wrong | the twin |
//! |---|---|---|
//! | [`abd`] | readers do not write back what they have read | they do |
//! | [`two_phase_commit`] | who has voted and hears nothing decides alone | asks |
//! | [`stale_leader`] | a leader answers reads without asking whether it still is one | asks a majority |

mod abd;
mod stale_leader;
mod two_phase_commit;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;

use parcae::net::UdpSocket;
use parcae::world::{self, Node};

/// A program and its twin.
#[derive(Clone, Copy)]
pub(crate) struct Protocol {
    pub(crate) name: &'static str,
    /// Fails under some schedules of the network.
    pub(crate) buggy: fn() -> Run,
    /// Never fails.
    pub(crate) right: fn() -> Run,
}

pub(crate) type Run = Pin<Box<dyn Future<Output = ()>>>;

/// All of them.
pub(crate) const ALL: [Protocol; 3] =
    [abd::PROTOCOL, two_phase_commit::PROTOCOL, stale_leader::PROTOCOL];

/// Makes machines of one kind, and returns them with the addresses that they are to listen at.
fn machines(kind: &str, count: usize) -> (Vec<Node>, Rc<[SocketAddr]>) {
    let nodes = world::nodes(kind, count).idle();
    let addresses = nodes.iter().map(|node| SocketAddr::new(node.addresses()[0], PORT)).collect();
    (nodes, addresses)
}

/// A socket for messages of a few numbers.
struct Post {
    socket: UdpSocket,
}

impl Post {
    async fn open(port: u16) -> Self {
        let socket = UdpSocket::bind(("0.0.0.0", port)).await.expect("the port is free");
        Self { socket }
    }

    async fn send(&self, target: SocketAddr, message: &[u64]) {
        let bytes: Vec<u8> = message.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.socket.send_to(&bytes, target).await.expect("the machine has a network");
    }

    async fn send_all(&self, targets: impl IntoIterator<Item = &SocketAddr>, message: &[u64]) {
        for target in targets {
            self.send(*target, message).await;
        }
    }

    async fn receive(&self) -> (Vec<u64>, SocketAddr) {
        let mut bytes = vec![0; 4096];
        let (size, source) = self.socket.recv_from(&mut bytes).await.expect("it is bound");
        let (numbers, _) = bytes[..size].as_chunks();
        (numbers.iter().map(|number| u64::from_le_bytes(*number)).collect(), source)
    }
}

const PORT: u16 = 7000;
