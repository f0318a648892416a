//! The fabric: packets are put on links, and come out of them late, twice, changed or not at all.
//!
//! ```text
//!  send    numbered -> duplicate? -> lost? -> corrupted? -> queue -> latency (+ offset) -> held up? -> in flight
//!  arrive  machine without power? -> rules: cut, kept -> handed out
//! ```
//!
//! What chance does is drawn at sending, with the number of the packet as its key; what a program does
//! to links acts at the other end, so it catches what is in flight. The fabric calls nobody: what
//! became of a packet is what its functions return.
//!
//! Knows nothing of sockets and of the state of streams.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::rc::Rc;

use super::address::{AddressBook, AddressId, AddressOwner};
use super::capture::{Capture, Fate};
use super::families::Families;
use super::flight::{Flight, FlightKey, Flights, Standing};
use super::groups::Groups;
use super::link::{LinkId, LinkState};
use super::links::Links;
use super::options::{Profile, Time};
use super::packet::{Body, Flow, Packet, Refusal};
use super::rules::{Judgement, RuleId, Rules, Verdict};
use super::shortness::Shortness;
use super::sites::{LATENCY, OFFSET};
use crate::executor::{Attachment, Weight};
use crate::kernel::{EventKind, Site, Space, StreamId, VirtualTime};
use crate::world::event::WorldEvent;
use crate::world::host::Host;
use crate::world::node::{NodeId, Nodes};
use crate::world::socket::{ChunkPool, SocketKey};
use crate::world::tcp::Path;

/// The network of a run, as the rest of the world uses it.
#[derive(Debug)]
pub(crate) struct Network {
    /// Who has which address.
    pub(crate) addresses: AddressBook,
    /// Bytes of datagrams and streams.
    pub(crate) chunks: ChunkPool,
    /// Which machines are in which multicast groups.
    pub(crate) groups: Groups,
    pub(super) links: Links,
    pub(super) rules: Rules,
    pub(super) flights: Flights,
    /// Packets that rules keep back, in the order in which they came.
    pub(super) kept: Vec<FlightKey>,
    /// Sockets whose packets gave way to others since somebody asked.
    pub(super) casualties: Vec<SocketKey>,
    /// Connections that were reset by hand.
    pub(super) resets: u64,
    /// How this run spreads latencies that are left open.
    pub(super) families: Families,
    /// How often calls of streams are short.
    pub(super) shortness: Shortness,
    /// None when nothing is to be kept.
    pub(super) capture: Option<Box<Capture>>,
}

/// What became of a packet that was to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It is on its way.
    Accepted {
        /// The next packet of its flow may not arrive before that, in nanoseconds.
        at: u64,
    },
    /// It is lost.
    Lost,
    /// It was not taken: its link is full. [`Network::take_waiting`] tells its socket when it may try again.
    Full,
}

/// What became of a packet that came to the end of its link.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// It is there.
    Packet {
        /// Where.
        node: NodeId,
        /// What.
        packet: Packet,
    },
    /// It is lost.
    Lost {
        /// The socket that it was for, where its sender knew it.
        to: Option<SocketKey>,
    },
    /// It is kept back.
    Kept {
        /// The socket that it was for, where its sender knew it.
        to: Option<SocketKey>,
    },
}

impl Network {
    /// Makes a network of the test alone.
    pub(crate) fn new(is_capturing: bool) -> Self {
        let mut network = Self {
            addresses: AddressBook::default(),
            chunks: ChunkPool::default(),
            groups: Groups::default(),
            links: Links::default(),
            rules: Rules::default(),
            flights: Flights::default(),
            kept: Vec::new(),
            casualties: Vec::new(),
            resets: 0,
            families: Families::default(),
            shortness: Shortness::default(),
            capture: is_capturing.then(Box::default),
        };
        network.add_node(NodeId::TEST, "test".into(), &[]);
        network
    }

    /// Takes note of the next machine, with what it has beside its automatic addresses.
    ///
    /// # Panics
    /// When another machine has one of the addresses, or when it is none that a machine can be given.
    #[track_caller]
    pub(crate) fn add_node(&mut self, node: NodeId, name: Rc<str>, given: &[IpAddr]) {
        self.addresses.add_node(node, given);
        self.links.add_node(node, name);
        self.rules.touch();
    }

    /// Takes note of a machine that has started or died, for which a peer may be waiting, and of whether
    /// it has power: what arrives at one that has none is lost.
    pub(crate) fn set_power(&mut self, node: NodeId, has_power: bool) {
        self.links.set_power(node, has_power);
        self.rules.touch();
    }

    /// Returns the file of what went over the network, if it was kept.
    pub(crate) fn capture(&mut self, nodes: &Nodes, epoch_nanos: u64) -> Option<Attachment> {
        let capture = self.capture.take()?;
        Some(capture.into_attachment(nodes, epoch_nanos))
    }

    /// Returns the number of the last change of rules, options or machines.
    #[inline]
    pub(crate) fn generation(&self) -> u32 {
        self.rules.generation()
    }

    /// Returns what a sender may know of the way to an address. To one that is nobody's it leads over
    /// the loopback, where what is sent is refused after a while.
    pub(crate) fn path(&mut self, from: NodeId, to: AddressId) -> Path {
        let link = self.way(from, to);
        let profile = self.profile_of(link);
        let headers = if self.addresses.ip(to).is_ipv4() { HEADERS_V4 } else { HEADERS_V6 };
        let mss = profile.options.mtu - headers;
        let burst = if profile.is_plain { BURST_MAX.max(mss.into()) } else { mss.into() };
        Path { mss, burst, link }
    }

    /// Returns the link that leads to an address: to one that is nobody's, the loopback.
    #[inline]
    pub(crate) fn way(&mut self, from: NodeId, to: AddressId) -> LinkId {
        match self.addresses.owner(to) {
            AddressOwner::Node(node) => self.link_to(from, node),
            _ => self.link_to(from, from),
        }
    }

    /// Returns what a link does to packets, also when it has not been told of a change yet.
    pub(super) fn profile_of(&self, link: LinkId) -> &Rc<Profile> {
        let LinkState { from, to, seen, profile, .. } = *self.links.get(link);
        let is_known = seen == self.rules.generation();
        let number = if is_known { profile } else { self.links.profile_between(from, to) };
        self.links.profile(number)
    }

    /// Returns the link from one machine to another.
    #[inline]
    pub(crate) fn link_to(&mut self, from: NodeId, to: NodeId) -> LinkId {
        self.links.between(from, to)
    }

    /// Returns the machines at both ends of a link.
    pub(super) fn ends_of(&self, link: LinkId) -> (NodeId, NodeId) {
        let LinkState { from, to, .. } = *self.links.get(link);
        (from, to)
    }

    /// Returns the machine that sends over a link.
    pub(crate) fn sender(&self, link: LinkId) -> NodeId {
        self.links.get(link).from
    }

    /// Returns the most bytes of one packet on a link.
    pub(crate) fn mtu(&self, link: LinkId) -> u16 {
        self.profile_of(link).options.mtu
    }

    /// Tells whether packets of others gave way to one that was sent.
    #[inline]
    pub(crate) fn has_casualties(&self) -> bool {
        !self.casualties.is_empty()
    }

    /// Returns whom the draws of the next connection to a port belong to, at the end that connects:
    /// packets of each connection have numbers of their own.
    pub(crate) fn new_flow<H: Host>(&mut self, host: &mut H, link: LinkId, port: u16) -> StreamId {
        let number = self.links.count_flow(link, port);
        let LinkState { stream, from, to, .. } = *self.links.get(link);
        let flow = stream.child("tcp", port.into()).child("connection", number);
        host.name(flow, || {
            let (from, to) = (self.links.name(from), self.links.name(to));
            format!("{from}->{to}, connection {number} to :{port}")
        });
        flow
    }

    /// Returns whom the draws of the end belong to that answers a connection, from the SYN: a second copy
    /// of that makes no other connection go by another number.
    pub(crate) fn answering_flow<H: Host>(
        &mut self,
        host: &mut H,
        link: LinkId,
        syn: &Packet,
    ) -> StreamId {
        let flow = syn.flow.stream;
        let flow = flow.child("answers", 0);
        host.name(flow, || {
            let LinkState { from, to, .. } = *self.links.get(link);
            let (from, to) = (self.links.name(from), self.links.name(to));
            format!("{from}->{to}, answers of :{} to :{}", syn.target.port, syn.source.port)
        });
        flow
    }

    /// Tells whether a link has no room for another segment. Its socket is told when it has.
    #[inline]
    pub(crate) fn holds_back<H: Host>(
        &mut self,
        host: &mut H,
        path: Path,
        socket: SocketKey,
    ) -> bool {
        // A link that is plain takes more than a packet at a time, and has no queue.
        path.burst <= path.mss.into() && self.holds_back_with_faults(host, path, socket)
    }

    /// Returns the sockets whose packets gave way to others in a full queue, each once a packet.
    pub(crate) fn take_casualties(&mut self) -> Vec<SocketKey> {
        std::mem::take(&mut self.casualties)
    }

    /// Puts a packet on its link. A packet that is lost is gone.
    ///
    /// It does not arrive before `not_before`, the [`Sent::Accepted`] of the packet before it, if its
    /// flow keeps its order; 0 for datagrams.
    #[inline]
    pub(crate) fn send<H: Host>(
        &mut self,
        host: &mut H,
        mut packet: Packet,
        not_before: u64,
    ) -> Sent {
        let now = host.now().as_nanos();
        let id = packet.link;
        if self.links.get(id).seen != self.rules.generation() {
            self.refresh(host, id);
        }
        let link = self.links.get(id);
        if link.is_loopback() && self.addresses.owner(packet.target.address) == AddressOwner::Nobody
        {
            return self.refuse(host, packet);
        }
        let profile = self.links.profile(link.profile);
        if !profile.is_plain {
            let profile = profile.clone();
            return self.send_with_faults(host, packet, not_before, &profile);
        }
        let time = profile.time();
        self.number(&mut packet);
        let latency = self.latency(host, &packet, time);
        let at = now.saturating_add(latency).max(not_before);
        self.launch(host, packet, at);
        Sent::Accepted { at }
    }

    /// Numbers a packet that belongs to no flow of its own, and counts it.
    #[inline]
    pub(super) fn number(&mut self, packet: &mut Packet) {
        let link = self.links.get_mut(packet.link);
        if packet.flow == Flow::OF_LINK {
            packet.flow = Flow { stream: link.stream, ordinal: link.numbered };
            link.numbered = link.numbered.checked_add(1).expect("a link numbers with 32 bits");
        }
        link.count_sent(packet.count, packet.size);
    }

    /// Returns how long a packet takes, in nanoseconds, at least 1.
    #[inline]
    pub(super) fn latency<H: Host>(&mut self, host: &mut H, packet: &Packet, time: Time) -> u64 {
        let space = match time.usual {
            None => time.space,
            Some(usual) => self.spread(host, packet, time.space, usual),
        };
        let latency = draw(host, packet, LATENCY, space);
        let offset = if time.has_offset { self.links.get(packet.link).offset } else { 0 };
        latency.saturating_add(offset).max(1)
    }

    /// Puts a packet into flight.
    #[inline]
    pub(super) fn launch<H: Host>(&mut self, host: &mut H, packet: Packet, at: u64) -> FlightKey {
        let (stream, subject, size) = (packet.flow.stream, packet.subject(), packet.size);
        self.sight(host.now().as_nanos(), &packet, Fate::Arrives { at });
        let key = self.flights.insert(|key| {
            let event = WorldEvent::Arrive(key);
            let timer = host.set(VirtualTime::from_nanos(at), event, Weight::Foreground);
            Flight { packet, at, timer: Some(timer), standing: Standing::Ordinary }
        });
        host.record(EventKind::Send, stream, subject, moment(at, size));
        key
    }

    /// Works out anew what holds for a link, and gives a new one its name.
    #[cold]
    fn refresh<H: Host>(&mut self, host: &mut H, id: LinkId) {
        let LinkState { from, to, seen, stream, is_offset_drawn, .. } = *self.links.get(id);
        if seen == 0 {
            host.name(stream, || format!("{}->{}", self.links.name(from), self.links.name(to)));
        }
        let profile = self.links.profile_between(from, to);
        let verdict = self.rules.verdict(from, to);
        let offset = self.links.profile(profile).offset;
        let drawn = offset.filter(|_| !is_offset_drawn);
        let drawn = drawn.map(|space| host.draw(stream, OFFSET, 0, space));
        let link = self.links.get_mut(id);
        (link.profile, link.verdict, link.seen) = (profile, verdict, self.rules.generation());
        if let Some(nanos) = drawn {
            (link.offset, link.is_offset_drawn) = (nanos, true);
        }
    }

    /// Sends back that nobody has the address, after the time in which a machine gives up asking for it.
    fn refuse<H: Host>(&mut self, host: &mut H, mut packet: Packet) -> Sent {
        self.number(&mut packet);
        let quoted = packet.target;
        let refusal = Packet {
            link: packet.link,
            source: packet.source,
            target: packet.source,
            size: REFUSAL_SIZE,
            count: 1,
            flow: packet.flow,
            from: packet.from,
            body: Body::Refused { kind: Refusal::Host, quoted },
        };
        self.lose(host, packet, Loss::Nobody);
        let at = host.now().as_nanos().saturating_add(UNREACHABLE_AFTER);
        self.launch(host, refusal, at);
        Sent::Lost
    }

    /// Takes note of a packet that is lost.
    pub(super) fn lose<H: Host>(&mut self, host: &mut H, packet: Packet, loss: Loss) {
        host.record(
            EventKind::Fault,
            packet.flow.stream,
            packet.subject_of(loss as u8),
            packet.size.into(),
        );
        self.sight(host.now().as_nanos(), &packet, Fate::Lost { why: loss.phrase() });
        let link = self.links.get_mut(packet.link);
        match loss {
            Loss::Lost | Loss::ByHand => link.faults_mut().lost += 1,
            Loss::Corrupted => link.faults_mut().corrupted += 1,
            Loss::Overflowed => link.faults_mut().overflowed += 1,
            Loss::Cut => link.faults_mut().cut += 1,
            Loss::Flapped => link.faults_mut().flapped += 1,
            Loss::Dead => link.faults_mut().dead += 1,
            Loss::Nobody => {}
        }
        packet.give_back(&mut self.chunks);
    }

    /// Has a packet that is due come to the end of its link.
    pub(crate) fn arrive<H: Host>(&mut self, host: &mut H, key: FlightKey) -> Arrival {
        let Some(flight) = self.flights.get(key) else { return Arrival::Lost { to: None } };
        let (id, standing) = (flight.packet.link, flight.standing);
        if self.links.get(id).seen != self.rules.generation() {
            self.refresh(host, id);
        }
        let LinkState { from, to, verdict, .. } = *self.links.get(id);
        if !self.links.has_power(to) {
            return self.lose_flight(host, key, Loss::Dead);
        }
        if verdict == Verdict::Concerned && standing != Standing::Pushed {
            match self.rules.judge(from, to, host.now().as_nanos()) {
                Judgement::Pass => {}
                Judgement::Cut(rule) => {
                    self.rules.count(rule);
                    return self.lose_flight(host, key, Loss::Cut);
                }
                Judgement::Flapped(rule) => {
                    self.rules.count(rule);
                    return self.lose_flight(host, key, Loss::Flapped);
                }
                Judgement::Held(rule) => {
                    self.links.get_mut(id).faults_mut().held += 1;
                    return self.keep(key, rule);
                }
                Judgement::Clogged(rule, until) => {
                    self.links.get_mut(id).faults_mut().clogged += 1;
                    self.set_release(host, rule, until);
                    return self.keep(key, rule);
                }
            }
        }
        let packet = self.flights.remove(key).expect("it was there").packet;
        self.links.get_mut(id).count_delivered(packet.count, packet.size);
        let value = moment(host.now().as_nanos(), packet.size);
        host.record(EventKind::Deliver, packet.flow.stream, packet.subject(), value);
        Arrival::Packet { node: to, packet }
    }

    fn lose_flight<H: Host>(&mut self, host: &mut H, key: FlightKey, loss: Loss) -> Arrival {
        let packet = self.flights.remove(key).expect("it was there").packet;
        let to = packet.to();
        self.lose(host, packet, loss);
        Arrival::Lost { to }
    }

    fn keep(&mut self, key: FlightKey, rule: RuleId) -> Arrival {
        self.rules.count(rule);
        let flight = self.flights.get_mut(key).expect("it was there");
        (flight.timer, flight.standing) = (None, Standing::Kept);
        self.kept.push(key);
        Arrival::Kept { to: flight.packet.to() }
    }

    /// Has [`Network::release`] called when a clog is over.
    fn set_release<H: Host>(&mut self, host: &mut H, rule: RuleId, until: u64) {
        if let Some(release @ None) = self.rules.release_mut(rule) {
            let event = WorldEvent::Release(rule);
            *release = Some(host.set(VirtualTime::from_nanos(until), event, Weight::Foreground));
        }
    }

    /// Lets those packets go on that no rule keeps any more: they arrive in their order, a nanosecond
    /// from now. To be called when a clog is over; whatever else ends a rule calls it by itself.
    pub(crate) fn release<H: Host>(&mut self, host: &mut H, _: RuleId) {
        self.let_go(host);
    }

    pub(super) fn let_go<H: Host>(&mut self, host: &mut H) {
        let now = host.now().as_nanos();
        let kept = std::mem::take(&mut self.kept);
        for key in kept {
            let Some(flight) = self.flights.get(key) else { continue };
            if flight.standing != Standing::Kept {
                continue;
            }
            let LinkState { from, to, .. } = *self.links.get(flight.packet.link);
            match self.rules.judge(from, to, now) {
                Judgement::Held(_) => self.kept.push(key),
                // A rule that kept it for less long, or that is cut short by a stronger one: the event
                // of its end may not be set yet.
                Judgement::Clogged(rule, until) => {
                    self.set_release(host, rule, until);
                    self.kept.push(key);
                }
                Judgement::Pass | Judgement::Cut(_) | Judgement::Flapped(_) => {
                    self.send_on(host, key, Standing::Ordinary);
                }
            }
        }
    }

    /// Has a packet in flight arrive a nanosecond from now.
    pub(super) fn send_on<H: Host>(&mut self, host: &mut H, key: FlightKey, standing: Standing) {
        let at = host.now().as_nanos().saturating_add(1);
        let event = WorldEvent::Arrive(key);
        let timer = host.set(VirtualTime::from_nanos(at), event, Weight::Foreground);
        let flight = self.flights.get_mut(key).expect("a packet that goes on is in flight");
        (flight.at, flight.standing) = (at, standing);
        if let Some(replaced) = flight.timer.replace(timer) {
            host.cancel(replaced);
        }
    }

    /// Tells whether sockets wait for room on a link.
    pub(crate) fn is_waited_for(&self, link: LinkId) -> bool {
        self.links.get(link).shaper.as_ref().is_some_and(|shaper| shaper.is_waited_for())
    }

    /// Has sockets wait for room on a link before those who do already.
    pub(crate) fn wait_first(&mut self, link: LinkId, sockets: VecDeque<SocketKey>) {
        let shaper = self.links.get_mut(link).shaper.as_mut();
        shaper.expect("a link with a queue").wait_first(sockets);
    }

    /// Returns the sockets that wait for room on a link, which may try again now.
    pub(crate) fn take_waiting(&mut self, link: LinkId) -> Vec<SocketKey> {
        let shaper = self.links.get_mut(link).shaper.as_mut();
        shaper.expect("a link with a queue").take_waiting()
    }
}

/// What becomes of a packet that does not arrive, as it stands in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Loss {
    Lost = 0x10,
    Corrupted = 0x11,
    Overflowed = 0x12,
    Cut = 0x13,
    Flapped = 0x14,
    Dead = 0x15,
    ByHand = 0x16,
    Nobody = 0x17,
}

impl Loss {
    /// Returns the loss that stands in the chain as this.
    pub(super) fn of(what: u8) -> Option<Self> {
        let all = [
            Self::Lost,
            Self::Corrupted,
            Self::Overflowed,
            Self::Cut,
            Self::Flapped,
            Self::Dead,
            Self::ByHand,
            Self::Nobody,
        ];
        all.into_iter().find(|loss| *loss as u8 == what)
    }

    /// Returns what reports say of the packet.
    pub(super) fn phrase(self) -> &'static str {
        match self {
            Self::Lost => "is lost",
            Self::Corrupted => "is corrupted, and lost",
            Self::Overflowed => "is lost to a full queue",
            Self::Cut => "is lost in a partition",
            Self::Flapped => "is lost while the link is down",
            Self::Dead => "comes to a machine without power",
            Self::ByHand => "is lost by hand",
            Self::Nobody => "is for an address that nobody has",
        }
    }
}

/// Draws what one packet needs.
#[inline]
pub(super) fn draw<H: Host>(host: &mut H, packet: &Packet, site: Site, space: Space) -> u64 {
    host.draw(packet.flow.stream, site, packet.flow.ordinal.into(), space)
}

/// Returns a time and a size as one word for the chain.
#[inline]
fn moment(at: u64, size: u32) -> u64 {
    at ^ u64::from(size) << 48
}

/// IP and TCP headers.
const HEADERS_V4: u16 = 40;
const HEADERS_V6: u16 = 60;

/// Most bytes of a stream that travel as one where the link does nothing to single packets.
pub(crate) const BURST_MAX: u32 = 65_536;

/// IP and ICMP headers, and the quoted ones.
pub(super) const REFUSAL_SIZE: u32 = 56;

/// How long a machine asks its neighbours for an address: three times, a second apart.
const UNREACHABLE_AFTER: u64 = 3_000_000_000;
