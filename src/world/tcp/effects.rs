//! What became of a call, as bits.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

/// What the caller of a machine has to do beside sending: whom to wake, which slot to give back.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Effects(u16);

impl Effects {
    pub(crate) const NONE: Self = Self(0);
    /// `connect` has succeeded.
    pub(crate) const CONNECTED: Self = Self(1);
    /// `connect` has failed; [`take_error`](super::Connection::take_error) says why.
    pub(crate) const REFUSED: Self = Self(1 << 1);
    /// A listener's child is established and may be accepted.
    pub(crate) const ACCEPTABLE: Self = Self(1 << 2);
    /// There are bytes, the end or an error to be read.
    pub(crate) const READABLE: Self = Self(1 << 3);
    /// A third of the send buffer is free, or writing fails.
    pub(crate) const WRITABLE: Self = Self(1 << 4);
    /// The connection is closed in both directions; the program has not closed its socket.
    pub(crate) const ENDED: Self = Self(1 << 5);
    /// Nobody needs the machine any more. Its RST, if it has one, is still to be taken with
    /// `transmit`; then the slot can go.
    pub(crate) const RELEASED: Self = Self(1 << 6);
    /// From here on it only waits, without a timer, until
    /// [`expires_at`](super::Connection::expires_at): TIME-WAIT, or FIN-WAIT-2 without an owner.
    pub(crate) const TIME_WAIT: Self = Self(1 << 7);
    /// The segment was of no connection: it is to be answered by [`reset_for`](super::reset_for).
    pub(crate) const RESET_PEER: Self = Self(1 << 8);

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

    /// Tells whether there is more to do than waking who reads or writes.
    #[inline]
    pub(crate) const fn is_rare(self) -> bool {
        let usual = Self::READABLE.and(Self::WRITABLE).and(Self::CONNECTED);
        self.0 & !usual.0 != 0
    }

    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Effects {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Effects {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [(Effects, &str); 9] = [
            (Effects::CONNECTED, "CONNECTED"),
            (Effects::REFUSED, "REFUSED"),
            (Effects::ACCEPTABLE, "ACCEPTABLE"),
            (Effects::READABLE, "READABLE"),
            (Effects::WRITABLE, "WRITABLE"),
            (Effects::ENDED, "ENDED"),
            (Effects::RELEASED, "RELEASED"),
            (Effects::TIME_WAIT, "TIME_WAIT"),
            (Effects::RESET_PEER, "RESET_PEER"),
        ];
        let names = NAMES.iter().filter(|(effect, _)| self.has(*effect));
        formatter.debug_set().entries(names.map(|(_, name)| name)).finish()
    }
}
