//! Links in the hands of a program: rules, options, and packets in flight one by one.
//!
//! All of it acts at once and on what is in flight, and draws nothing.

use super::counters::{FaultCounters, LinkCounters};
use super::fabric::{Loss, Network};
use super::flight::{FlightKey, Standing};
use super::link::LinkId;
use super::options::LinkOptions;
use super::rules::{Healed, RuleId, RuleKind, Set};
use super::sites::LINKS;
use crate::kernel::EventKind;
use crate::world::host::Host;
use crate::world::node::NodeId;
use crate::world::socket::SocketKey;

impl Network {
    /// Puts a fault on the links between two sets of machines, in both directions.
    pub(crate) fn add_rule<H: Host>(
        &mut self,
        host: &mut H,
        kind: RuleKind,
        from: Set,
        to: Set,
    ) -> RuleId {
        let id = self.rules.add(host.now().as_nanos(), kind, (from, to));
        note(host, id.0, kind.code());
        // A stronger rule, such as a cut of what is held, lets packets go.
        self.let_go(host);
        id
    }

    /// Restricts a rule to the direction in which it was stated.
    pub(crate) fn make_one_way<H: Host>(&mut self, host: &mut H, rule: RuleId) {
        self.rules.make_one_way(rule);
        note(host, rule.0, ONE_WAY);
        self.let_go(host);
    }

    /// Leaves a rule without its guard: it lasts until its links are healed.
    pub(crate) fn keep_rule(&mut self, rule: RuleId) {
        self.rules.keep(rule);
    }

    /// Ends a rule. What it has kept arrives a nanosecond from now, in the order in which it came.
    pub(crate) fn end_rule<H: Host>(&mut self, host: &mut H, rule: RuleId) {
        if let Some(release) = self.rules.end(rule) {
            host.cancel(release);
        }
        note(host, rule.0, END);
        self.let_go(host);
    }

    /// Ends all faults between two sets of machines, in both directions.
    pub(crate) fn heal<H: Host>(&mut self, host: &mut H, one: &Set, other: &Set) {
        for release in self.rules.except(one, other, Healed::All) {
            host.cancel(release);
        }
        note(host, 0, HEAL);
        self.let_go(host);
    }

    /// Ends those faults between two sets of machines that keep packets, in both directions.
    pub(crate) fn release_between<H: Host>(&mut self, host: &mut H, one: &Set, other: &Set) {
        for release in self.rules.except(one, other, Healed::Keeping) {
            host.cancel(release);
        }
        note(host, 0, RELEASE);
        self.let_go(host);
    }

    /// Ends all faults.
    pub(crate) fn heal_all<H: Host>(&mut self, host: &mut H) {
        for release in self.rules.end_all() {
            host.cancel(release);
        }
        note(host, 0, HEAL_ALL);
        self.let_go(host);
    }

    /// Returns how often a rule has acted.
    pub(crate) fn fired(&self, rule: RuleId) -> u64 {
        self.rules.fired(rule)
    }

    /// Counts connections that were reset by hand.
    pub(crate) fn count_resets(&mut self, count: u64) {
        self.resets += count;
    }

    /// Sets the options of all links but loopbacks and those that have options of their own.
    ///
    /// # Panics
    /// On options that make no link.
    #[track_caller]
    pub(crate) fn set_links(&mut self, options: LinkOptions) {
        options.check();
        self.links.set_usual(options);
        self.rules.touch();
    }

    /// Sets the options of the links from some machines to others, in this direction.
    ///
    /// # Panics
    /// On options that make no link.
    #[track_caller]
    pub(crate) fn set_between(&mut self, from: Set, to: Set, options: LinkOptions) {
        options.check();
        self.links.set_between(from, to, options);
        self.rules.touch();
    }

    /// Returns the options of the link from one machine to another, also of one that has carried nothing.
    pub(crate) fn options(&self, from: NodeId, to: NodeId) -> LinkOptions {
        self.links.profile(self.links.profile_between(from, to)).options.clone()
    }

    /// Returns what went over the link from one machine to another.
    pub(crate) fn link_counters(&self, from: NodeId, to: NodeId) -> LinkCounters {
        let Some(id) = self.links.find(from, to) else { return LinkCounters::default() };
        let in_flight = self.flights.iter().filter(|(_, flight)| flight.packet.link == id).count();
        self.links.get(id).counters(in_flight as u64)
    }

    /// Returns how often each fault has fired, on all links.
    pub(crate) fn faults(&self) -> FaultCounters {
        let (short_reads, short_writes) = self.shortness.fired();
        let reset = self.resets;
        let mut sum =
            FaultCounters { reset, short_reads, short_writes, ..FaultCounters::default() };
        for link in self.links.iter() {
            sum += link.faults();
        }
        sum
    }

    /// Returns how many packets are in flight, those that are kept back included.
    #[cfg(test)]
    pub(crate) fn in_flight_count(&self) -> usize {
        self.flights.count()
    }

    /// Returns the packets in flight on a link: first those that are kept back, in the order in which
    /// they came, then the others by when they arrive.
    pub(crate) fn in_flight(&self, link: LinkId) -> Vec<FlightKey> {
        let is_on_link = |flight: &super::flight::Flight| flight.packet.link == link;
        let kept = self.kept.iter().copied().filter(|key| {
            let flight = self.flights.get(*key);
            flight.is_some_and(|flight| flight.standing == Standing::Kept && is_on_link(flight))
        });
        let mut moving: Vec<_> = self
            .flights
            .iter()
            .filter(|(_, flight)| flight.standing != Standing::Kept && is_on_link(flight))
            .map(|(key, flight)| {
                // Two packets of one instant arrive in the order in which their events were set, which
                // is that of sending for those of one flow.
                let flow = flight.packet.flow;
                ((flight.at, flow.stream, flow.ordinal), key)
            })
            .collect();
        moving.sort_unstable_by_key(|(order, _)| *order);
        kept.chain(moving.into_iter().map(|(_, key)| key)).collect()
    }

    /// Has a packet in flight arrive a nanosecond from now, whatever rules say. Tells whether it was
    /// still in flight.
    pub(crate) fn deliver_by_hand<H: Host>(&mut self, host: &mut H, key: FlightKey) -> bool {
        let Some(flight) = self.flights.get(key) else { return false };
        let (link, flow) = (flight.packet.link, flight.packet.flow);
        host.record(EventKind::Fault, flow.stream, u64::from(flow.ordinal) << 8 | PUSHED, 0);
        self.kept.retain(|kept| *kept != key);
        if let Some(shaper) = &mut self.links.get_mut(link).shaper {
            shaper.forget(key);
        }
        self.send_on(host, key, Standing::Pushed);
        true
    }

    /// Loses a packet in flight.
    pub(crate) fn lose_by_hand<H: Host>(&mut self, host: &mut H, key: FlightKey) -> LostByHand {
        let Some(flight) = self.flights.remove(key) else { return LostByHand::Nothing };
        if let Some(timer) = flight.timer {
            host.cancel(timer);
        }
        self.kept.retain(|kept| *kept != key);
        if let Some(shaper) = &mut self.links.get_mut(flight.packet.link).shaper {
            shaper.forget(key);
        }
        let to = flight.packet.to();
        self.lose(host, flight.packet, Loss::ByHand);
        LostByHand::Packet { to }
    }
}

/// Whether there was still a packet to be lost, and whom it was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LostByHand {
    /// It had arrived.
    Nothing,
    /// It is lost.
    Packet {
        /// The socket that it was for, where its sender knew it.
        to: Option<SocketKey>,
    },
}

/// Takes note of what was done to links.
fn note<H: Host>(host: &mut H, rule: u32, code: u64) {
    host.record(EventKind::Fault, LINKS, u64::from(rule) << 8 | code, 0);
}

impl RuleKind {
    /// Returns what stands in the chain for it.
    const fn code(self) -> u64 {
        match self {
            Self::Cut => 0x20,
            Self::Hold => 0x21,
            Self::Clog { .. } => 0x22,
            Self::Flap { .. } => 0x23,
        }
    }
}

/// What stands in the chain for what is done to rules.
const ONE_WAY: u64 = 0x30;
const END: u64 = 0x31;
const HEAL: u64 = 0x32;
const RELEASE: u64 = 0x33;
const HEAL_ALL: u64 = 0x34;

/// What stands in the chain for a packet that is sent on by hand.
const PUSHED: u64 = 0x1f;

/// What reports say of it, after the number of the fault; 0 where it is of none.
pub(super) const VERBS: [(u64, &str); 9] = [
    (RuleKind::Cut.code(), "cuts links"),
    (RuleKind::Hold.code(), "holds links"),
    (RuleKind::Clog { until: 0 }.code(), "clogs links"),
    (RuleKind::Flap { since: 0, up: 0, down: 0 }.code(), "has links flap"),
    (ONE_WAY, "goes one way"),
    (END, "ends"),
    (HEAL, "and others are healed between some machines"),
    (RELEASE, "and others let go between some machines"),
    (HEAL_ALL, "and all others are healed"),
];
