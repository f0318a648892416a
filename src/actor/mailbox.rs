//! How much a mailbox keeps.

/// How many messages an actor keeps before it handles them, and what happens to more.
///
/// Signals, stops and timers of the actor itself have a lane of their own: they are never dropped and
/// never wait for a place. So they are bounded by memory alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// How many messages wait at most, at least 1.
    pub capacity: u32,
    /// What happens to more.
    pub overflow: Overflow,
}

impl Mailbox {
    /// 256 messages; more are refused.
    pub const DEFAULT: Self = Self { capacity: 256, overflow: Overflow::Reject };

    /// Makes a mailbox that has a place for every message: nothing slows those down who send.
    #[must_use]
    pub const fn unbounded() -> Self {
        Self { capacity: u32::MAX, overflow: Overflow::Reject }
    }

    /// Makes a mailbox of this capacity that refuses more.
    #[must_use]
    pub const fn bounded(capacity: u32) -> Self {
        Self { capacity, overflow: Overflow::Reject }
    }

    /// Sets what happens to more.
    #[must_use]
    pub const fn with_overflow(self, overflow: Overflow) -> Self {
        Self { overflow, ..self }
    }
}

impl Default for Mailbox {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What happens to a message for which a mailbox has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// It is refused: `tell` and `send` give it back.
    Reject,
    /// `send` and asks wait for a place, first come, first served; `tell` gives it back.
    Block,
    /// It is dropped: a dead letter. Its ask fails.
    DropNewest,
    /// The one that has waited longest is dropped: a dead letter. Its ask fails.
    DropOldest,
    /// It is refused, and the actor ends with [`ExitReason::Overflow`](super::ExitReason::Overflow).
    Stop,
}
