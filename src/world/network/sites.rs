//! What the network draws, by name, and how reports tell it.

use super::control::VERBS;
use super::fabric::Loss;
use super::families::Family;
use super::shortness::Call;
use crate::executor::{Phrase, Phrases};
use crate::kernel::{Event, EventKind, Site, Space, StreamId};

/// The stream below which all links have theirs.
pub(super) const LINKS: StreamId = StreamId::from_bits(0x6c69_6e6b).child("link", 0);

/// How long a packet takes, by packet.
pub(super) const LATENCY: Site = Site::new("latency");

/// 0: whether the latencies of the run are spread otherwise than usually; 1: how.
pub(super) const FAMILY: Site = Site::new("latency family");

/// How slow a link or a conversation is: a link at 0, a conversation from the packet with this number on.
pub(super) const PACE: Site = Site::new("pace");

/// Whether a conversation changes its pace, by packet.
pub(super) const CHANGE: Site = Site::new("pace changes");

/// What all packets of a link take on top, once.
pub(super) const OFFSET: Site = Site::new("pair offset");

/// Whether a packet is lost, by packet; of a fragment, with its number from bit 32 on.
pub(super) const LOSS: Site = Site::new("loss");

/// Whether there is a second one, by packet.
pub(super) const DUPLICATE: Site = Site::new("duplicate");

/// How long after the first it arrives, by packet.
pub(super) const DUPLICATE_DELAY: Site = Site::new("duplicate delay");

/// Whether a packet is held up, by packet.
pub(super) const REORDER: Site = Site::new("reorder");

/// How long, by packet.
pub(super) const REORDER_DELAY: Site = Site::new("reorder delay");

/// Whether a bit is turned over, by packet.
pub(super) const CORRUPT: Site = Site::new("corrupt");

/// Which, by packet.
pub(super) const CORRUPT_BIT: Site = Site::new("corrupt bit");

/// Which of those that wait is lost, by the packet that came; of further ones, with their number from
/// bit 32 on. 0 is the packet that came.
pub(super) const VICTIM: Site = Site::new("overflow victim");

/// Whether a read of a stream gives fewer bytes than there are, by the place of the first of them.
pub(super) const SHORT_READ: Site = Site::new("short read");

/// How many, likewise.
pub(super) const SHORT_READ_BYTES: Site = Site::new("short read bytes");

/// Whether a write to a stream takes fewer bytes than there is room for, by the place of the first.
pub(super) const SHORT_WRITE: Site = Site::new("short write");

/// How many, likewise.
pub(super) const SHORT_WRITE_BYTES: Site = Site::new("short write bytes");

/// How reports tell what the network draws and does, after the name of the link or connection.
pub(crate) static PHRASES: Phrases = Phrases { draws: &DRAWS, event };

static DRAWS: [Phrase; 17] = [
    Phrase { site: FAMILY, text: Family::phrase },
    Phrase {
        site: PACE,
        text: |packet, pace| format!("from packet {packet} on the pace is {pace}"),
    },
    Phrase {
        site: CHANGE,
        text: |packet, value| format!("packet {packet} does {}change the pace", not(value)),
    },
    Phrase {
        site: LATENCY,
        text: |packet, nanos| format!("packet {packet} takes {}", time(nanos)),
    },
    Phrase { site: OFFSET, text: |_, nanos| format!("every packet takes {} more", time(nanos)) },
    Phrase { site: LOSS, text: |packet, value| format!("{} is {}lost", part(packet), not(value)) },
    Phrase {
        site: DUPLICATE,
        text: |packet, value| format!("packet {packet} is {}duplicated", not(value)),
    },
    Phrase {
        site: DUPLICATE_DELAY,
        text: |packet, nanos| format!("the second packet {packet} arrives {} later", time(nanos)),
    },
    Phrase {
        site: REORDER,
        text: |packet, value| format!("packet {packet} is {}held up", not(value)),
    },
    Phrase {
        site: REORDER_DELAY,
        text: |packet, nanos| format!("packet {packet} is held up for {}", time(nanos)),
    },
    Phrase {
        site: CORRUPT,
        text: |packet, value| format!("packet {packet} is {}corrupted", not(value)),
    },
    Phrase {
        site: CORRUPT_BIT,
        text: |packet, bit| format!("bit {bit} of packet {packet} is turned over"),
    },
    Phrase {
        site: VICTIM,
        text: |packet, victim| match victim {
            0 => format!("{} is lost to a full queue", part(packet)),
            _ => format!("packet {}, number {victim} in the full queue, is lost", packet & LOW),
        },
    },
    Phrase {
        site: SHORT_READ,
        text: |place, value| format!("the read from byte {place} on is {}short", not(value)),
    },
    Phrase {
        site: SHORT_READ_BYTES,
        text: |place, count| format!("the read from byte {place} on gives {count}"),
    },
    Phrase {
        site: SHORT_WRITE,
        text: |place, value| format!("the write from byte {place} on is {}short", not(value)),
    },
    Phrase {
        site: SHORT_WRITE_BYTES,
        text: |place, count| format!("the write from byte {place} on takes {count}"),
    },
];

/// Says what an event of the network is.
fn event(event: &Event) -> Option<String> {
    let (packet, what) = (event.subject >> 8, event.subject.to_le_bytes()[0]);
    let name = |what| match what {
        0 => "packet",
        1 => "datagram",
        _ => "refusal",
    };
    match event.kind {
        EventKind::Send => Some(format!("{} {packet} is sent", name(what))),
        EventKind::Deliver => Some(format!("{} {packet} arrives", name(what))),
        EventKind::Fault if event.task == LINKS => Some(format!("fault {packet} {}", verb(what)?)),
        EventKind::Fault => match (Loss::of(what), Call::phrase(what)) {
            (Some(loss), _) => Some(format!("packet {packet} {}", loss.phrase())),
            (None, Some(call)) => Some(format!("{call}: {} bytes from {packet} on", event.value)),
            (None, None) => None,
        },
        _ => None,
    }
}

/// Says what a program has done to links.
fn verb(code: u8) -> Option<&'static str> {
    VERBS.iter().find(|(known, _)| *known == u64::from(code)).map(|(_, verb)| *verb)
}

fn time(nanos: u64) -> String {
    Space::Nanos { low: 0, high: u64::MAX }.show(nanos)
}

fn not(value: u64) -> &'static str {
    if value == 0 { "not " } else { "" }
}

fn part(ordinal: u64) -> String {
    match (ordinal & LOW, ordinal >> 32) {
        (packet, 0) => format!("packet {packet}"),
        (packet, fragment) => format!("fragment {fragment} of packet {packet}"),
    }
}

const LOW: u64 = (1 << 32) - 1;
