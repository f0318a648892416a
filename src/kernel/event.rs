//! Events of a run and the hash chain over them.

use super::StreamId;
use super::mix::{PRIMES, fold};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum EventKind {
    /// A task was made; the subject is the new task.
    Spawn,
    /// A task runs on; no subject.
    Poll,
    /// A task came to an operation on a resource: subject resource, value verb.
    Operation,
    /// A task ended with a value.
    Complete,
    /// A task was cancelled and its future destroyed.
    Cancel,
    /// A task panicked.
    Panic,
    /// A choice was drawn: subject key, value what came out.
    Draw,
    /// A timer was set: subject the nanosecond it is due.
    TimerSet,
    /// Time moved: subject the new time in nanoseconds.
    Time,
    /// A domain changed: subject domain, value what became of it.
    Domain,
    /// The run ended.
    End,
    /// A packet was put on a link: the task is the flow or the link.
    Send,
    /// A packet came to the end of its link: the task is the flow or the link.
    Deliver,
    /// A packet was lost, or a rule of the network was made or ended.
    Fault,
    /// A machine changed: subject its incarnation, value what became of it.
    Node,
}

/// One event as it enters the chain: 32 bytes, logical identities only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The task in which it happened.
    pub task: StreamId,
    /// What it happened to.
    pub subject: u64,
    /// A number that goes with it.
    pub value: u64,
}

/// The rolling 64-bit hash over all events of a run.
///
/// Two runs are equal when their chains are equal; one event more, less or different gives another
/// chain (but for one pair of runs in 2^64).
///
/// # Source
/// One wyhash fold per event; see [`crate::kernel::prf`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chain(u64);

impl Chain {
    /// The chain of no events.
    pub const EMPTY: Self = Self(PRIMES[3]);

    /// Returns the chain with one more event.
    #[inline]
    #[must_use]
    pub const fn with(self, event: Event) -> Self {
        // One multiplication on the path from event to event; the rest is off it.
        let what = event.task.get().wrapping_add(KIND_WORDS.wrapping_mul(event.kind as u64 + 1));
        let with = event.subject ^ event.value.rotate_left(32) ^ PRIMES[2];
        Self(fold(self.0.rotate_left(23) ^ what, with) ^ what)
    }

    /// Returns the 64 bits.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

const KIND_WORDS: u64 = PRIMES[1];
