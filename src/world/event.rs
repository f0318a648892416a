//! What the world sets timers for, packed into the 64 bits of an [`EventId`].

use super::arena::Key;
use super::network::{FlightKey, LinkId, RuleId};
use super::node::NodeId;
use super::socket::{LookupKey, SocketKey};
use crate::executor::EventId;

/// Something that happens at a time of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorldEvent {
    /// A packet comes to the end of its link.
    Arrive(FlightKey),
    /// The timer of a socket is due.
    Connection(SocketKey),
    /// What a rule has kept goes on.
    Release(RuleId),
    /// The queue of a link has room again.
    Room(LinkId),
    /// A name is resolved, or is not.
    Lookup(LookupKey),
    /// A machine starts its program again.
    Start(NodeId),
    /// The wall clock of a machine jumps.
    ClockStep(NodeId),
    /// The grace of a machine that was asked to stop is over; with the incarnation that was asked.
    GraceOver(NodeId, u32),
}

impl WorldEvent {
    /// Returns it as the executor knows it: 8 bits that say what, 56 that say which.
    #[inline]
    pub(crate) fn id(self) -> EventId {
        let (tag, payload) = match self {
            Self::Arrive(FlightKey(key)) => (0, key.packed()),
            Self::Connection(SocketKey(key)) => (1, key.packed()),
            Self::Release(RuleId(rule)) => (2, u64::from(rule)),
            Self::Room(LinkId(link)) => (3, u64::from(link)),
            Self::Lookup(LookupKey(key)) => (4, key.packed()),
            Self::Start(node) => (5, node.number().into()),
            Self::ClockStep(node) => (6, node.number().into()),
            Self::GraceOver(node, incarnation) => {
                (7, u64::from(incarnation) << 16 | u64::from(node.number()))
            }
        };
        EventId(tag << 56 | payload)
    }

    /// Returns the event of an id that [`WorldEvent::id`] made.
    #[inline]
    pub(crate) fn of(EventId(bits): EventId) -> Self {
        let payload = bits & ((1 << 56) - 1);
        let number = (payload & 0xffff_ffff) as u32;
        let node = NodeId::of_number((payload & 0xffff) as u16);
        match bits >> 56 {
            0 => Self::Arrive(FlightKey(Key::unpacked(payload))),
            1 => Self::Connection(SocketKey(Key::unpacked(payload))),
            2 => Self::Release(RuleId(number)),
            3 => Self::Room(LinkId(number)),
            4 => Self::Lookup(LookupKey(Key::unpacked(payload))),
            5 => Self::Start(node),
            6 => Self::ClockStep(node),
            7 => Self::GraceOver(node, ((payload >> 16) & 0xffff_ffff) as u32),
            tag => unreachable!("no event of the world has the tag {tag}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::arena::Arena;
    use super::*;

    #[test]
    fn every_event_survives_its_64_bits() {
        let mut arena = Arena::default();
        let first = arena.insert(());
        arena.remove(first);
        let key = arena.insert(());
        let node = NodeId::of_number(513);
        for event in [
            WorldEvent::Arrive(FlightKey(key)),
            WorldEvent::Connection(SocketKey(key)),
            WorldEvent::Release(RuleId(u32::MAX)),
            WorldEvent::Room(LinkId(77)),
            WorldEvent::Lookup(LookupKey(first)),
            WorldEvent::Start(node),
            WorldEvent::ClockStep(NodeId::of_number(u16::MAX)),
            WorldEvent::GraceOver(node, u32::MAX),
        ] {
            assert_eq!(WorldEvent::of(event.id()), event);
        }
    }
}
