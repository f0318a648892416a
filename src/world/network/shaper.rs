//! A link with a bandwidth: what waits to be sent, and what gives way when that is too much.
//!
//! Packets are sent one after another, so the first one in the queue is the one that is being sent; it
//! leaves the queue when its last byte has left. Knows nothing of what packets are.

use std::collections::VecDeque;

use super::flight::FlightKey;
use crate::executor::TimerKey;
use crate::world::socket::SocketKey;

/// What waits for one link.
#[derive(Debug, Default)]
pub(super) struct Shaper {
    queue: VecDeque<Queued>,
    queued_bytes: u64,
    /// When the last byte of the last packet has left.
    free_at: u64,
    /// Whom to tell that there is room.
    waiting: Vec<SocketKey>,
    /// When they are told.
    room: Option<TimerKey>,
}

/// A packet that waits or is being sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queued {
    pub(super) flight: FlightKey,
    pub(super) size: u32,
    /// How long it takes to be sent.
    pub(super) takes: u64,
    /// When its last byte has left.
    pub(super) departs: u64,
    /// When it would arrive if it had to keep no order.
    pub(super) natural: u64,
    /// When it arrives at the earliest, to keep the order of its flow.
    pub(super) not_before: u64,
}

/// How a queue stands to a packet that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// It is taken.
    Free,
    /// It is not, and that many could give way, the packet that comes included.
    Full(u64),
}

impl Shaper {
    /// Tells whether a packet of this size can wait.
    pub(super) fn room(&mut self, now: u64, size: u32, limit: u64) -> Room {
        while let Some(first) = self.queue.front().filter(|first| first.departs <= now) {
            self.queued_bytes -= u64::from(first.size);
            self.queue.pop_front();
        }
        let is_free = self.queue.is_empty() || self.queued_bytes + u64::from(size) <= limit;
        // All but the one that is being sent, and the one that comes.
        if is_free { Room::Free } else { Room::Full(self.queue.len() as u64) }
    }

    /// Returns when a packet will have left that is taken now and takes so long to be sent.
    pub(super) fn departure(&self, now: u64, takes: u64) -> u64 {
        now.max(self.free_at).saturating_add(takes)
    }

    /// Adds a packet that was found room for.
    pub(super) fn push(&mut self, queued: Queued) {
        self.free_at = queued.departs;
        self.queued_bytes += u64::from(queued.size);
        self.queue.push_back(queued);
    }

    /// Takes the packet at a place out of the queue; those behind it move up. The place of the one that
    /// is being sent is 0.
    pub(super) fn give_way(&mut self, place: usize) -> Queued {
        assert!(place > 0, "the packet that is being sent cannot give way");
        let victim = self.queue.remove(place).expect("it was drawn from those that wait");
        self.queued_bytes -= u64::from(victim.size);
        self.free_at -= victim.takes;
        for behind in self.queue.iter_mut().skip(place) {
            behind.departs -= victim.takes;
            behind.natural -= victim.takes;
        }
        victim
    }

    /// Returns the packets from a place on.
    pub(super) fn behind(&self, place: usize) -> impl Iterator<Item = Queued> + '_ {
        self.queue.iter().skip(place).copied()
    }

    /// Forgets a packet that was lost by hand. It has used its time.
    pub(super) fn forget(&mut self, flight: FlightKey) {
        if let Some(place) = self.queue.iter().position(|queued| queued.flight == flight) {
            let size = self.queue.remove(place).expect("it was found").size;
            self.queued_bytes -= u64::from(size);
        }
    }

    /// Takes note of a socket that could not send. Returns when there may be room, if nobody has asked
    /// for that yet.
    pub(super) fn wait(&mut self, socket: SocketKey) -> Option<u64> {
        if !self.waiting.contains(&socket) {
            self.waiting.push(socket);
        }
        let first = self.queue.front().expect("a queue without packets has room");
        if self.room.is_none() { Some(first.departs) } else { None }
    }

    pub(super) fn is_waited_for(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Puts sockets before those that wait already.
    pub(super) fn wait_first(&mut self, sockets: VecDeque<SocketKey>) {
        let behind = std::mem::replace(&mut self.waiting, sockets.into());
        let behind = behind.into_iter().filter(|socket| !self.waiting.contains(socket));
        let behind: Vec<SocketKey> = behind.collect();
        self.waiting.extend(behind);
    }

    pub(super) fn set_room(&mut self, timer: TimerKey) {
        self.room = Some(timer);
    }

    /// Returns whom to tell that there is room, in the order in which they came.
    pub(super) fn take_waiting(&mut self) -> Vec<SocketKey> {
        self.room = None;
        std::mem::take(&mut self.waiting)
    }
}

/// Returns how long a packet takes to be sent, in nanoseconds, at least 1.
pub(super) fn sending_time(size: u32, bandwidth: u64) -> u64 {
    let nanos = (u128::from(size) * NANOS_PER_SECOND).div_ceil(u128::from(bandwidth));
    u64::try_from(nanos).unwrap_or(u64::MAX).max(1)
}

const NANOS_PER_SECOND: u128 = 1_000_000_000;
