//! The machine of one end.

use super::{Linger, Segment, Shutdown, TcpError, Tuning};
use crate::executor::Weight;

use super::super::network::LinkId;

/// What a sender may know of the way: how much goes into one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) mss: u16,
    /// Bytes in one segment of the model, which may be many of the wire.
    pub(crate) burst: u32,
    pub(crate) link: LinkId,
}

/// States of RFC 9293.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TcpState {
    SynSent,
    SynReceived,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
    Closed,
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    _part_c: (),
}

/// What became of a connection: bits, no allocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effects(pub(crate) u16);

impl Effects {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const CONNECTED: Self = Self(1);
    pub(crate) const REFUSED: Self = Self(2);
    pub(crate) const ACCEPTABLE: Self = Self(4);
    pub(crate) const READABLE: Self = Self(8);
    pub(crate) const WRITABLE: Self = Self(16);
    pub(crate) const ENDED: Self = Self(32);
    /// The slot can go.
    pub(crate) const RELEASED: Self = Self(64);
    pub(crate) const TIME_WAIT: Self = Self(128);
    pub(crate) const RESET_PEER: Self = Self(256);

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

impl Connection {
    pub(crate) fn connect(now: u64, tuning: &Tuning) -> Self {
        panic!("part C")
    }

    pub(crate) fn accept(now: u64, syn: &Segment, tuning: &Tuning) -> Self {
        panic!("part C")
    }

    pub(crate) fn state(&self) -> TcpState {
        panic!("part C")
    }

    pub(crate) fn on_segment(&mut self, now: u64, segment: &Segment) -> Effects {
        panic!("part C")
    }

    /// Too early, it has no effects.
    pub(crate) fn on_timer(&mut self, now: u64) -> Effects {
        panic!("part C")
    }

    /// Called until none after every other call.
    pub(crate) fn transmit(&mut self, now: u64, path: &Path) -> Option<Segment> {
        panic!("part C")
    }

    pub(crate) fn deadline(&self) -> Option<(u64, Weight)> {
        panic!("part C")
    }

    // The application

    pub(crate) fn send_room(&self) -> usize {
        panic!("part C")
    }

    pub(crate) fn wrote(&mut self, count: usize) {
        panic!("part C")
    }

    pub(crate) fn readable(&self) -> usize {
        panic!("part C")
    }

    pub(crate) fn read(&mut self, now: u64, count: usize) {
        panic!("part C")
    }

    /// `Some(Ok)` is the end of the stream; an error is taken once.
    pub(crate) fn read_end(&mut self) -> Option<Result<(), TcpError>> {
        panic!("part C")
    }

    /// What a write gives that may not go on.
    pub(crate) fn write_end(&mut self) -> Option<TcpError> {
        panic!("part C")
    }

    pub(crate) fn shutdown(&mut self, how: Shutdown) -> Result<(), TcpError> {
        panic!("part C")
    }

    /// Orphaned from here; with unread data it resets.
    pub(crate) fn close(&mut self, now: u64, linger: Linger) -> Effects {
        panic!("part C")
    }

    /// Offset from which the sender may have to send again.
    pub(crate) fn needed_from(&self) -> u64 {
        panic!("part C")
    }

    /// `SO_ERROR`.
    pub(crate) fn take_error(&mut self) -> Option<TcpError> {
        panic!("part C")
    }

    /// The path changed, or a segment to it was lost: no background timers until the peer is heard.
    pub(crate) fn doubt(&mut self) {
        panic!("part C")
    }
}
