//! The long way of a packet: over a link that loses, copies, holds up or corrupts, or has a bandwidth.
//!
//! Each draw has the number of the packet as its key, so whether one of these faults is on changes no
//! draw of another.

use super::fabric::{Loss, Network, Sent, draw};
use super::link::LinkId;
use super::options::{LinkOptions, Overflow, Profile, is_on};
use super::packet::{Body, Flow, Packet};
use super::shaper::{Queued, Room, sending_time};
use super::sites::{
    CORRUPT, CORRUPT_BIT, DUPLICATE, DUPLICATE_DELAY, LOSS, REORDER, REORDER_DELAY, VICTIM,
};
use crate::executor::Weight;
use crate::kernel::{Ratio, Site, Space, VirtualTime};
use crate::world::event::WorldEvent;
use crate::world::host::Host;
use crate::world::socket::SocketKey;
use crate::world::tcp::Path;

impl Network {
    /// Puts a packet on a link that does something to it.
    #[cold]
    pub(super) fn send_with_faults<H: Host>(
        &mut self,
        host: &mut H,
        mut packet: Packet,
        not_before: u64,
        profile: &Profile,
    ) -> Sent {
        // Before it is numbered: a packet that is not taken does not count.
        if self.is_refused(host, &packet, &profile.options) {
            packet.give_back(&mut self.chunks);
            return Sent::Full;
        }
        self.number(&mut packet);
        let copy = self.copy(host, &packet, profile);
        let mut way = Way { departs: host.now().as_nanos(), takes: 0, not_before };
        let loss = self
            .loss(host, &mut packet, &profile.options)
            .or_else(|| self.queue(host, &packet, &profile.options, &mut way));
        if copy.is_none()
            && let Some(loss) = loss
        {
            self.lose(host, packet, loss);
            return Sent::Lost;
        }
        let natural = way.departs.saturating_add(self.latency(host, &packet, profile.time()));
        let sent = match loss {
            Some(loss) => {
                self.lose(host, packet, loss);
                Sent::Lost
            }
            None => self.set_off(host, packet, natural, (&way, profile)),
        };
        if let Some((copy, delay)) = copy {
            self.links.get_mut(copy.link).faults_mut().duplicated += 1;
            self.launch(host, copy, natural.saturating_add(delay));
        }
        sent
    }

    /// Puts a packet into flight that arrives at its natural time, unless it is held up or has to keep
    /// the order of its flow.
    fn set_off<H: Host>(
        &mut self,
        host: &mut H,
        packet: Packet,
        natural: u64,
        (way, profile): (&Way, &Profile),
    ) -> Sent {
        let (id, size) = (packet.link, packet.size);
        let is_held_up = happens(host, &packet, REORDER, profile.options.reordering);
        let delay = if is_held_up {
            self.links.get_mut(id).faults_mut().reordered += 1;
            draw(host, &packet, REORDER_DELAY, profile.reorder_delay)
        } else {
            0
        };
        // One that is held up keeps no order, and later ones do not wait for it.
        let not_before = if is_held_up { 0 } else { way.not_before };
        let natural = natural.saturating_add(delay);
        let at = natural.max(not_before);
        let flight = self.launch(host, packet, at);
        if way.takes > 0 {
            let shaper = self.links.get_mut(id).shaper.get_or_insert_default();
            let Way { departs, takes, .. } = *way;
            shaper.push(Queued { flight, size, takes, departs, natural, not_before });
        }
        Sent::Accepted { at: if is_held_up { way.not_before } else { at } }
    }

    /// Tells whether a link with back-pressure does not take a packet now. Its sender is told when to try
    /// again; what no socket waits for is taken, and lost if there is no room.
    fn is_refused<H: Host>(
        &mut self,
        host: &mut H,
        packet: &Packet,
        options: &LinkOptions,
    ) -> bool {
        // A segment of no connection is nobody's to send again.
        let is_stray = packet.flow == Flow::OF_LINK && matches!(packet.body, Body::Segment(_));
        match packet.from.filter(|_| !is_stray) {
            Some(socket) => self.is_full(host, (packet.link, packet.size), options, socket),
            None => false,
        }
    }

    fn is_full<H: Host>(
        &mut self,
        host: &mut H,
        (link, size): (LinkId, u32),
        options: &LinkOptions,
        socket: SocketKey,
    ) -> bool {
        if options.bandwidth.is_none() || options.overflow != Overflow::BackPressure {
            return false;
        }
        let shaper = self.links.get_mut(link).shaper.get_or_insert_default();
        let room = shaper.room(host.now().as_nanos(), size, options.queue as u64);
        if room == Room::Free {
            return false;
        }
        if let Some(at) = shaper.wait(socket) {
            let event = WorldEvent::Room(link);
            shaper.set_room(host.set(VirtualTime::from_nanos(at), event, Weight::Foreground));
        }
        true
    }

    /// Tells whether a link with back-pressure has no room for the largest segment of a path.
    #[cold]
    pub(super) fn holds_back_with_faults<H: Host>(
        &mut self,
        host: &mut H,
        path: Path,
        socket: SocketKey,
    ) -> bool {
        let profile = self.profile_of(path.link).clone();
        let size = u32::from(profile.options.mtu);
        self.is_full(host, (path.link, size), &profile.options, socket)
    }

    /// Returns the second one of a packet, and how long after the first it arrives.
    fn copy<H: Host>(
        &mut self,
        host: &mut H,
        packet: &Packet,
        profile: &Profile,
    ) -> Option<(Packet, u64)> {
        if !happens(host, packet, DUPLICATE, profile.options.duplication) {
            return None;
        }
        let delay = draw(host, packet, DUPLICATE_DELAY, profile.duplicate_delay);
        Some((packet.copied(&mut self.chunks), delay))
    }

    /// Returns what keeps a packet from arriving, apart from a full queue. May turn a bit over.
    fn loss<H: Host>(
        &mut self,
        host: &mut H,
        packet: &mut Packet,
        options: &LinkOptions,
    ) -> Option<Loss> {
        if is_lost(host, packet, options.loss) {
            return Some(Loss::Lost);
        }
        if !happens(host, packet, CORRUPT, options.corruption) {
            return None;
        }
        let (stream, ordinal) = (packet.flow.stream, packet.flow.ordinal);
        let Body::Datagram(payload) = &mut packet.body else { return Some(Loss::Corrupted) };
        let bytes = payload.bytes_mut(&mut self.chunks);
        if bytes.is_empty() {
            return Some(Loss::Corrupted);
        }
        let space = Space::Index { count: bytes.len() as u64 * 8 };
        let bit = host.draw(stream, CORRUPT_BIT, ordinal.into(), space);
        let place = usize::try_from(bit / 8).expect("it lies within the bytes");
        bytes[place] ^= 1 << (bit % 8);
        self.links.get_mut(packet.link).faults_mut().corrupted += 1;
        None
    }

    /// Finds a packet its place in the queue of a link with a bandwidth.
    fn queue<H: Host>(
        &mut self,
        host: &mut H,
        packet: &Packet,
        options: &LinkOptions,
        way: &mut Way,
    ) -> Option<Loss> {
        let bandwidth = options.bandwidth?;
        let now = way.departs;
        let mut round = 0;
        loop {
            let shaper = self.links.get_mut(packet.link).shaper.get_or_insert_default();
            let count = match shaper.room(now, packet.size, options.queue as u64) {
                Room::Free => {
                    way.takes = sending_time(packet.size, bandwidth);
                    way.departs = shaper.departure(now, way.takes);
                    return None;
                }
                Room::Full(count) => count,
            };
            if options.overflow != Overflow::DropRandom {
                return Some(Loss::Overflowed);
            }
            let ordinal = u64::from(packet.flow.ordinal) | round << 32;
            let space = Space::Index { count };
            match host.draw(packet.flow.stream, VICTIM, ordinal, space) {
                0 => return Some(Loss::Overflowed),
                place => self.displace(host, packet, place),
            }
            round += 1;
        }
    }

    /// Loses the packet at a place of a queue for one that comes. Those behind it arrive earlier.
    fn displace<H: Host>(&mut self, host: &mut H, packet: &Packet, place: u64) {
        let place = usize::try_from(place).expect("it lies within the queue");
        let link = self.links.get_mut(packet.link);
        let shaper = link.shaper.as_mut().expect("its queue is full");
        let victim = shaper.give_way(place);
        for behind in shaper.behind(place) {
            let flight = self.flights.get_mut(behind.flight).expect("what waits has not arrived");
            flight.at = behind.natural.max(behind.not_before);
            let (at, event) =
                (VirtualTime::from_nanos(flight.at), WorldEvent::Arrive(behind.flight));
            if let Some(late) = flight.timer.replace(host.set(at, event, Weight::Foreground)) {
                host.cancel(late);
            }
        }
        let flight = self.flights.remove(victim.flight).expect("what waits has not arrived");
        if let Some(timer) = flight.timer {
            host.cancel(timer);
        }
        self.casualties.extend(flight.packet.to());
        self.lose(host, flight.packet, Loss::Overflowed);
    }
}

/// When a packet has left its sender, and what that took.
#[derive(Debug)]
struct Way {
    departs: u64,
    /// 0 without a bandwidth.
    takes: u64,
    not_before: u64,
}

/// Draws whether a fault happens to a packet; nothing, if the fault is switched off.
fn happens<H: Host>(host: &mut H, packet: &Packet, site: Site, share: Ratio) -> bool {
    is_on(share) && draw(host, packet, site, Space::Chance { probability: share }) == 1
}

/// Draws whether a packet is lost: a datagram is, with any of its fragments.
fn is_lost<H: Host>(host: &mut H, packet: &Packet, share: Ratio) -> bool {
    if !is_on(share) {
        return false;
    }
    let fragments = if let Body::Datagram(_) = packet.body { packet.count } else { 1 };
    (0..u64::from(fragments)).any(|fragment| {
        let ordinal = u64::from(packet.flow.ordinal) | fragment << 32;
        host.draw(packet.flow.stream, LOSS, ordinal, Space::Chance { probability: share }) == 1
    })
}
