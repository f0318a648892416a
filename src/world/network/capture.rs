//! Packets that are kept for a capture.

use std::net::SocketAddr;

use super::super::node::Nodes;
use super::super::tcp::Segment;
use super::address::AddressBook;
use crate::executor::Attachment;

/// What became of a kept packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives, or arrived, at this nanosecond.
    Arrives { at: u64 },
    /// It is lost, and why.
    Lost { why: &'static str },
}

/// The packets of a run, in the order of sending.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    _part_a: (),
}

/// One packet to be kept.
#[derive(Debug)]
pub(crate) struct Sighting<'a> {
    /// When it was sent.
    pub(crate) at: u64,
    /// The names of both ends of its link: `c1->r0`.
    pub(crate) link: &'a str,
    pub(crate) source: SocketAddr,
    pub(crate) target: SocketAddr,
    pub(crate) what: Seen<'a>,
    pub(crate) fate: Fate,
}

/// What is in a packet that is kept.
#[derive(Debug)]
pub(crate) enum Seen<'a> {
    /// A segment, with the number of its flow (for its first sequence numbers) and its data.
    Segment {
        segment: &'a Segment,
        flow: u64,
        data: &'a [u8],
        mss: u16,
    },
    Datagram(&'a [u8]),
    /// An ICMP message about a datagram that was sent from `target` to `quoted`.
    Refused {
        quoted: SocketAddr,
    },
}

impl Capture {
    /// Keeps a packet.
    pub(crate) fn keep(&mut self, sighting: &Sighting<'_>) {
        panic!("part A")
    }

    /// Returns the file.
    pub(crate) fn into_attachment(
        self,
        nodes: &Nodes,
        addresses: &AddressBook,
        epoch_nanos: u64,
    ) -> Attachment {
        Attachment::new("capture.pcapng", Vec::new())
    }
}
