//! What travels: one packet, or a train of them that is sent and arrives as one.
//!
//! Knows nothing of who receives it.

use crate::kernel::StreamId;

use super::address::Endpoint;
use super::link::LinkId;
use crate::world::socket::{ChunkPool, ChunkRange, SocketKey};
use crate::world::tcp::Segment;

/// One packet in flight. The bytes of a stream are not in it, only their numbers.
#[derive(Debug)]
pub(crate) struct Packet {
    /// The way that it takes.
    pub(crate) link: LinkId,
    /// Who sends it.
    pub(crate) source: Endpoint,
    /// Who is to have it.
    pub(crate) target: Endpoint,
    /// Bytes on the wire, with headers.
    pub(crate) size: u32,
    /// How many packets of the network's size it is.
    pub(crate) count: u16,
    /// Whom its draws belong to, and its number there.
    pub(crate) flow: Flow,
    /// The socket that sent it; of a refusal, the socket that is refused.
    pub(crate) from: Option<SocketKey>,
    /// What is in it.
    pub(crate) body: Body,
}

const _: () = assert!(size_of::<Packet>() <= 120);

impl Packet {
    /// Returns the socket that it is for, where the sender knows it.
    #[inline]
    pub(crate) fn to(&self) -> Option<SocketKey> {
        match &self.body {
            Body::Segment(segment) => segment.to,
            Body::Refused { .. } => self.from,
            Body::Datagram(_) => None,
        }
    }

    /// Returns its number in its flow and what it is, as one word for the chain.
    #[inline]
    pub(super) fn subject(&self) -> u64 {
        self.subject_of(self.body.kind())
    }

    /// Returns its number in its flow and what became of it, as one word for the chain.
    #[inline]
    pub(super) fn subject_of(&self, what: u8) -> u64 {
        u64::from(self.flow.ordinal) << 8 | u64::from(what)
    }
}

/// What is in a packet.
#[derive(Debug)]
pub(crate) enum Body {
    /// A segment of a stream.
    Segment(Segment),
    /// A datagram, in as many fragments as [`Packet::count`] says.
    Datagram(Payload),
    /// What comes back for a packet that nobody took (ICMP).
    Refused {
        /// Why.
        kind: Refusal,
        /// Target of the packet that was refused.
        quoted: Endpoint,
    },
}

impl Body {
    /// Returns what stands in the chain for it.
    pub(super) const fn kind(&self) -> u8 {
        match self {
            Self::Segment(_) => 0,
            Self::Datagram(_) => 1,
            Self::Refused { .. } => 2,
        }
    }
}

/// Why a packet was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No socket has that port.
    Port,
    /// No machine has that address.
    Host,
}

/// The bytes of a datagram. Small ones are in the packet itself.
#[derive(Debug)]
pub(crate) enum Payload {
    /// Up to 64 bytes.
    Inline {
        /// How many.
        len: u8,
        /// The bytes.
        bytes: [u8; INLINE_MAX],
    },
    /// More; whoever takes the packet out gives the chunk back.
    Chunk(ChunkRange),
}

impl Payload {
    /// Makes a payload of these bytes.
    pub(crate) fn new(chunks: &mut ChunkPool, data: &[u8]) -> Self {
        match u8::try_from(data.len()) {
            Ok(len) if data.len() <= INLINE_MAX => {
                let mut bytes = [0; INLINE_MAX];
                bytes[..data.len()].copy_from_slice(data);
                Self::Inline { len, bytes }
            }
            _ => Self::Chunk(chunks.store(data)),
        }
    }

    /// Returns the bytes.
    pub(crate) fn bytes<'a>(&'a self, chunks: &'a ChunkPool) -> &'a [u8] {
        match self {
            Self::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Self::Chunk(range) => chunks.bytes(range),
        }
    }

    /// Returns the bytes, to change them.
    pub(super) fn bytes_mut<'a>(&'a mut self, chunks: &'a mut ChunkPool) -> &'a mut [u8] {
        match self {
            Self::Inline { len, bytes } => &mut bytes[..usize::from(*len)],
            Self::Chunk(range) => chunks.bytes_mut(range),
        }
    }

    /// Gives back what it holds.
    pub(crate) fn give_back(self, chunks: &mut ChunkPool) {
        if let Self::Chunk(range) = self {
            chunks.give_back(range);
        }
    }

    /// Makes another one with the same bytes.
    pub(crate) fn copied(&self, chunks: &mut ChunkPool) -> Self {
        match self {
            Self::Inline { len, bytes } => Self::Inline { len: *len, bytes: *bytes },
            Self::Chunk(range) => {
                let bytes = chunks.bytes(range).to_vec();
                Self::Chunk(chunks.store(&bytes))
            }
        }
    }
}

impl Packet {
    /// Makes another one, with bytes of its own.
    pub(super) fn copied(&self, chunks: &mut ChunkPool) -> Self {
        let body = match &self.body {
            Body::Segment(segment) => Body::Segment(*segment),
            Body::Datagram(payload) => Body::Datagram(payload.copied(chunks)),
            Body::Refused { kind, quoted } => Body::Refused { kind: *kind, quoted: *quoted },
        };
        Self { body, ..*self }
    }

    /// Gives back what it holds.
    pub(super) fn give_back(self, chunks: &mut ChunkPool) {
        if let Body::Datagram(payload) = self.body {
            payload.give_back(chunks);
        }
    }
}

/// Who asks for the draws of a packet, and the number of the packet there: the key of its draws.
///
/// Packed, so that it takes 12 bytes and not 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, packed(4))]
pub(crate) struct Flow {
    /// Who asks.
    pub(crate) stream: StreamId,
    /// The number of the packet.
    pub(crate) ordinal: u32,
}

impl Flow {
    /// That of the link itself, which counts: of datagrams, and of segments of no connection.
    pub(crate) const OF_LINK: Self = Self { stream: StreamId::ROOT, ordinal: 0 };
}

/// Most bytes of a datagram that lie in the packet: what a segment takes.
const INLINE_MAX: usize = 64;
