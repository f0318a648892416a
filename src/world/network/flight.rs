//! The packets in flight: an arena, so that a packet allocates nothing.
//!
//! Knows nothing of why a packet is late.

use super::packet::Packet;
use crate::executor::TimerKey;
use crate::world::arena::{Arena, Key};

/// Names a packet in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FlightKey(pub(crate) Key);

/// A packet on its way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) packet: Packet,
    /// When it arrives, in nanoseconds; of a packet that is kept back, when it came.
    pub(super) at: u64,
    /// Its event; none while it is kept back.
    pub(super) timer: Option<TimerKey>,
    pub(super) standing: Standing,
}

const _: () = assert!(size_of::<Flight>() <= 144);

/// What rules may do to a packet in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// All they do.
    Ordinary,
    /// Kept back by one.
    Kept,
    /// Nothing: it was sent on by hand.
    Pushed,
}

/// All packets in flight.
#[derive(Debug, Default)]
pub(super) struct Flights(Arena<Flight>);

impl Flights {
    #[inline]
    pub(super) fn insert(&mut self, make: impl FnOnce(FlightKey) -> Flight) -> FlightKey {
        FlightKey(self.0.insert_with(|key| make(FlightKey(key))))
    }

    #[inline]
    pub(super) fn get(&self, key: FlightKey) -> Option<&Flight> {
        self.0.get(key.0)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, key: FlightKey) -> Option<&mut Flight> {
        self.0.get_mut(key.0)
    }

    #[inline]
    pub(super) fn remove(&mut self, key: FlightKey) -> Option<Flight> {
        self.0.remove(key.0)
    }

    /// Returns all of them, by their place.
    pub(super) fn iter(&self) -> impl Iterator<Item = (FlightKey, &Flight)> {
        self.0.iter().map(|(key, flight)| (FlightKey(key), flight))
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.count()
    }
}
