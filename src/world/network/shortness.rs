//! Calls of streams that move fewer bytes than they could, by chance.
//!
//! TCP promises bytes in their order and nothing of how many a call moves. On a quiet link a small
//! message nearly always comes in one piece, so a program that takes a read for a message passes its
//! tests. This is for finding it.
//!
//! Knows nothing of sockets: who calls says whose draws they are and which byte is next.

use super::fabric::Network;
use super::options::is_on;
use super::sites::{SHORT_READ, SHORT_READ_BYTES, SHORT_WRITE, SHORT_WRITE_BYTES};
use crate::kernel::{EventKind, Ratio, Space, StreamId};
use crate::world::host::Host;

/// Which call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Read,
    Write,
}

/// How often calls are short, and how often they were.
#[derive(Debug, Default)]
pub(super) struct Shortness {
    reads: Share,
    writes: Share,
}

#[derive(Debug)]
struct Share {
    share: Ratio,
    fired: u64,
}

impl Default for Share {
    fn default() -> Self {
        Self { share: Ratio::ZERO, fired: 0 }
    }
}

impl Shortness {
    fn of(&mut self, call: Call) -> &mut Share {
        match call {
            Call::Read => &mut self.reads,
            Call::Write => &mut self.writes,
        }
    }

    /// Returns how many reads and writes were short.
    pub(super) fn fired(&self) -> (u64, u64) {
        (self.reads.fired, self.writes.fired)
    }
}

impl Network {
    /// Sets how often a call of a stream is short.
    pub(crate) fn set_short(&mut self, call: Call, share: Ratio) {
        self.shortness.of(call).share = share;
    }

    /// Returns how many of the bytes a call moves that it could move, at least 1 if there are any. The key
    /// of the draw is the place of the first of them in its stream.
    #[inline]
    pub(crate) fn shorten<H: Host>(
        &mut self,
        host: &mut H,
        call: Call,
        (stream, place): (StreamId, u64),
        count: usize,
    ) -> usize {
        let share = self.shortness.of(call).share;
        if is_on(share) && count > 1 {
            self.shorten_by_chance(host, call, (stream, place), count)
        } else {
            count
        }
    }

    #[cold]
    fn shorten_by_chance<H: Host>(
        &mut self,
        host: &mut H,
        call: Call,
        (stream, place): (StreamId, u64),
        count: usize,
    ) -> usize {
        let (whether, how_many) = match call {
            Call::Read => (SHORT_READ, SHORT_READ_BYTES),
            Call::Write => (SHORT_WRITE, SHORT_WRITE_BYTES),
        };
        let share = self.shortness.of(call);
        if host.draw(stream, whether, place, Space::Chance { probability: share.share }) == 0 {
            return count;
        }
        share.fired += 1;
        let most = count as u64 - 1;
        let space = Space::Integer { low: 1, high: most, default: most };
        let taken = host.draw(stream, how_many, place, space);
        host.record(EventKind::Fault, stream, place << 8 | call.code(), taken);
        usize::try_from(taken).expect("it is fewer than there are")
    }
}

impl Call {
    /// Returns what stands in the chain for a short one.
    const fn code(self) -> u64 {
        match self {
            Self::Read => 0x18,
            Self::Write => 0x19,
        }
    }

    /// Returns what reports say of a short call that stands in the chain as this.
    pub(super) fn phrase(code: u8) -> Option<&'static str> {
        let all = [(Self::Read, "a read is short"), (Self::Write, "a write is short")];
        let found = all.into_iter().find(|(call, _)| call.code() == u64::from(code));
        found.map(|(_, phrase)| phrase)
    }
}
