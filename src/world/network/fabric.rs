//! Putting packets on links and taking them off.

use super::super::arena::Key;
use super::super::host::Host;
use super::super::node::{NodeId, Nodes};
use super::super::socket::{ChunkPool, SocketKey};
use super::super::tcp::Path;
use super::address::{AddressBook, AddressId};
use super::capture::Capture;
use super::packet::Packet;
use crate::executor::Attachment;

/// Names a link of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkId(pub(crate) u32);

/// Names a packet in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FlightKey(pub(crate) Key);

/// Names a fault rule of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RuleId(pub(crate) u32);

/// What became of a packet that was to be sent.
#[derive(Debug)]
pub(crate) enum Sent {
    /// It arrives at this nanosecond.
    Accepted {
        at: u64,
    },
    Lost,
    /// The queue is full and holds back: it was not taken.
    Full,
}

/// What became of a packet that was due.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// It is there.
    Packet { node: NodeId, packet: Packet },
    /// It is gone; with the socket it was for.
    Lost { to: Option<SocketKey> },
    /// It waits for a rule to end.
    Kept { to: Option<SocketKey> },
}

/// All links, rules and packets in flight.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) addresses: AddressBook,
    pub(crate) chunks: ChunkPool,
    /// None when nothing is to be kept.
    pub(super) capture: Option<Box<Capture>>,
}

impl Network {
    pub(crate) fn new(is_capturing: bool) -> Self {
        Self {
            addresses: AddressBook::default(),
            chunks: ChunkPool::default(),
            capture: is_capturing.then(Box::default),
        }
    }

    /// Returns what a sender may know of the way.
    pub(crate) fn path(&mut self, from: NodeId, to: AddressId) -> Path {
        panic!("part B")
    }

    /// Puts a packet on its link. What is lost is gone, its chunk back in the pool. `not_before` is
    /// when the packet before it of its flow arrives, for flows that keep their order; else 0.
    pub(crate) fn send<H: Host>(&mut self, host: &mut H, packet: Packet, not_before: u64) -> Sent {
        panic!("part B")
    }

    /// Takes a packet off that is due, as far as rules let it.
    pub(crate) fn arrive<H: Host>(&mut self, host: &mut H, flight: FlightKey) -> Arrival {
        panic!("part B")
    }

    /// Lets what a rule has kept go on.
    pub(crate) fn release<H: Host>(&mut self, host: &mut H, rule: RuleId) {
        panic!("part B")
    }

    /// Grows with each change of rules, options, or machines: what a background timer waits for.
    pub(crate) fn generation(&self) -> u32 {
        panic!("part B")
    }

    /// A machine has started or died, or its power went: [`Network::generation`] grows.
    pub(crate) fn node_changed(&mut self, node: NodeId) {
        let _ = node;
    }

    /// Returns the file of what went over the network, if it was kept.
    pub(crate) fn capture(&mut self, nodes: &Nodes, epoch_nanos: u64) -> Option<Attachment> {
        let capture = self.capture.take()?;
        Some(capture.into_attachment(nodes, &self.addresses, epoch_nanos))
    }
}
