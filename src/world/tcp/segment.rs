//! What two ends of a connection send each other: numbers, no bytes.

use super::super::socket::SocketKey;

/// One segment. Sequence numbers are offsets in the stream, 0 is the SYN; they never wrap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    /// The socket it is for, once the sender knows it.
    pub(crate) to: Option<SocketKey>,
    pub(crate) seq: u64,
    pub(crate) ack: u64,
    /// Bytes of data in it.
    pub(crate) len: u32,
    pub(crate) window: u32,
    pub(crate) flags: Flags,
    pub(crate) sack_count: u8,
    pub(crate) mss: u16,
    pub(crate) sacks: [Sack; 3],
}

/// A range that was received out of order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sack {
    /// How far behind `ack` it begins.
    pub(crate) from: u32,
    pub(crate) len: u32,
}

/// Control bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(pub(crate) u8);

impl Flags {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const FIN: Self = Self(1);
    pub(crate) const SYN: Self = Self(2);
    pub(crate) const RST: Self = Self(4);
    pub(crate) const PUSH: Self = Self(8);
    pub(crate) const ACK: Self = Self(16);

    /// Tells whether all bits of the other are set.
    #[inline]
    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns the bits of both.
    #[inline]
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Returns the RST that answers a segment of no connection; none for a RST.
pub(crate) fn reset_for(segment: &Segment) -> Option<Segment> {
    panic!("part C")
}
