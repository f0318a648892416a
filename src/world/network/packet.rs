//! What travels.

use super::super::socket::{ChunkRange, SocketKey};
use super::super::tcp::Segment;
use super::address::Endpoint;
use super::fabric::LinkId;
use crate::kernel::StreamId;

/// One packet, or several of one segment of the model.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) link: LinkId,
    pub(crate) source: Endpoint,
    pub(crate) target: Endpoint,
    /// Bytes on the wire.
    pub(crate) size: u32,
    /// Packets of the wire that are in it.
    pub(crate) count: u16,
    pub(crate) flow: Flow,
    /// The socket that sent it.
    pub(crate) from: Option<SocketKey>,
    pub(crate) body: Body,
}

/// Who asks for what becomes of a packet, and its number: the key of its draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) stream: StreamId,
    pub(crate) ordinal: u32,
}

/// What is in a packet.
#[derive(Debug)]
pub(crate) enum Body {
    Segment(Segment),
    Datagram(Payload),
    /// An ICMP message: what was sent to `quoted` was not taken.
    Refused {
        kind: Refusal,
        quoted: Endpoint,
    },
}

/// Bytes of a datagram. A chunk goes back to the pool by whoever takes the packet out.
#[derive(Debug)]
pub(crate) enum Payload {
    Inline { len: u8, bytes: [u8; 62] },
    Chunk(ChunkRange),
}

/// Why something was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nobody is bound to the port.
    Port,
    /// Nobody has the address.
    Host,
}
