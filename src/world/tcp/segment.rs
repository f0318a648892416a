//! What one end sends to the other: numbers, no bytes.

use std::ops::BitOr;

use super::super::network::LinkId;
use super::super::socket::SocketKey;

/// One segment. It stands for up to [`Path::burst`] bytes, which are many packets on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The socket it is for; none in a SYN, and in an answer to nobody.
    pub(crate) to: Option<SocketKey>,
    /// Offset of its first byte, or of its SYN or FIN.
    pub(crate) seq: u64,
    /// What the sender has received, if it has [`Flags::ACK`].
    pub(crate) ack: u64,
    /// Number of bytes, SYN and FIN not counted.
    pub(crate) len: u32,
    /// How much may be sent after `ack`.
    pub(crate) window: u32,
    pub(crate) flags: Flags,
    pub(crate) sack_count: u8,
    /// Bytes in the largest packet: in a SYN that of its sender's path, else the one that it goes by.
    pub(crate) mss: u16,
    /// What the sender has received beyond `ack`, the latest first.
    pub(crate) sacks: [Sack; SACKS_MAX],
}

/// A range of bytes that came before those in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Sack {
    /// Distance from the segment's `ack`.
    pub(crate) from: u32,
    pub(crate) len: u32,
}

/// What a sender may know of the way to its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// Bytes in the largest packet.
    pub(crate) mss: u16,
    /// Bytes in the largest segment: more than `mss` where no packet can be lost by itself.
    pub(crate) burst: u32,
    /// Which it is; a machine does not look at it.
    pub(crate) link: LinkId,
}

/// The control bits of a segment, as they stand in a TCP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Flags(pub(crate) u8);

impl Segment {
    /// Makes a RST with a number.
    pub(crate) fn reset(seq: u64) -> Self {
        Self { seq, flags: Flags::RST, ..BARE }
    }

    /// Returns the offset after its last byte, SYN and FIN counted.
    #[inline]
    pub(crate) fn end(&self) -> u64 {
        let marks = u64::from(self.has(Flags::SYN)) + u64::from(self.has(Flags::FIN));
        self.seq + u64::from(self.len) + marks
    }

    #[inline]
    pub(crate) fn has(&self, flags: Flags) -> bool {
        self.flags.has(flags)
    }

    /// Returns the ranges that were received beyond `ack`, as offsets.
    pub(super) fn sacked(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.sacks[..usize::from(self.sack_count)].iter().map(|sack| {
            let start = self.ack + u64::from(sack.from);
            (start, start + u64::from(sack.len))
        })
    }
}

impl Flags {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const SYN: Self = Self(1 << 1);
    pub(crate) const ACK: Self = Self(1 << 4);
    pub(crate) const FIN: Self = Self(1);
    pub(crate) const RST: Self = Self(1 << 2);
    /// The last byte of what was written.
    pub(crate) const PUSH: Self = Self(1 << 3);

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

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.and(other)
    }
}

/// Returns the RST for a segment that is of no connection; none for a RST. The caller sets `to`.
///
/// # Source
/// RFC 9293, section 3.10.7.1.
pub(crate) fn reset_for(segment: &Segment) -> Option<Segment> {
    if segment.has(Flags::RST) {
        return None;
    }
    // It has to have the very number that the sender of the segment expects next.
    let (seq, ack, flags) = if segment.has(Flags::ACK) {
        (segment.ack, 0, Flags::RST)
    } else {
        (0, segment.end(), Flags::RST | Flags::ACK)
    };
    Some(Segment { to: None, seq, ack, flags, ..BARE })
}

/// A segment of nothing, to build others from.
pub(super) const BARE: Segment = Segment {
    to: None,
    seq: 0,
    ack: 0,
    len: 0,
    window: 0,
    flags: Flags::NONE,
    sack_count: 0,
    mss: 0,
    sacks: [Sack { from: 0, len: 0 }; SACKS_MAX],
};

/// As many as fit into the options of a real header beside timestamps.
pub(super) const SACKS_MAX: usize = 3;

const _: () = assert!(size_of::<Segment>() <= 64, "a segment is copied into every packet");
const _: () = assert!(size_of::<Option<SocketKey>>() == 8, "no key is a key of zero");
