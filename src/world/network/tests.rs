//! The fabric without an executor: what arrives, where, in which order and when.

mod addresses;
mod by_hand;
mod draws;
mod effects;
mod families;
mod latencies;
mod queues;
mod rules;

use std::collections::BTreeSet;

use super::fabric::{Arrival, Network, Sent};
use super::options::LinkOptions;
use super::packet::{Body, Flow, Packet, Payload};
use super::rules::{RuleId, RuleKind, Set};
use super::{AddressId, Endpoint, FlightKey, LinkId};
use crate::Seed;
use crate::executor::{DomainId, TimerKey, Weight};
use crate::kernel::{
    Choices, EventKind, Fill, Key, Overrides, Ratio, Site, Space, StreamId, VirtualTime,
};
use crate::world::arena::Arena;
use crate::world::event::WorldEvent;
use crate::world::host::{Host, TestHost};
use crate::world::node::NodeId;
use crate::world::socket::SocketKey;
use crate::world::tcp::segment::Sack;
use crate::world::tcp::{Flags, Segment};

/// A run whose draws come from a seed.
#[derive(Debug)]
struct Seeded {
    inner: TestHost,
    choices: Choices,
    /// Every draw with its key.
    drawn: Vec<(Key, &'static str, u64)>,
}

impl Seeded {
    fn new(seed: u64) -> Self {
        Self::with(Choices::new(Seed::new(seed), Fill::Seeded, Overrides::new()))
    }

    /// The default world, but for what is drawn at these sites for these packets, whoever asks.
    fn scripted(script: &[(Site, u64, u64)]) -> Self {
        let mut made = Self::with(Choices::new(Seed::new(0), Fill::Default, Overrides::new()));
        made.inner.script =
            script.iter().map(|(site, ordinal, value)| ((site.name(), *ordinal), *value)).collect();
        made
    }

    fn with(choices: Choices) -> Self {
        Self { inner: TestHost::default(), choices, drawn: Vec::new() }
    }
}

impl Host for Seeded {
    fn now(&self) -> VirtualTime {
        self.inner.now
    }

    fn draw(&mut self, stream: StreamId, site: Site, ordinal: u64, space: Space) -> u64 {
        if let Some(value) = space.only_value() {
            return value;
        }
        let key = Key::new(stream, site, ordinal);
        let value = match self.inner.script.get(&(site.name(), ordinal)) {
            Some(value) => *value,
            None => self.choices.draw(key, space).value,
        };
        assert!(space.contains(value), "{value} at {site:?} is outside of {space:?}");
        let is_new = !self.drawn.iter().any(|(known, _, _)| *known == key);
        assert!(is_new || self.drawn.len() > 3_000, "{site:?} is drawn twice for {ordinal}");
        self.drawn.push((key, site.name(), value));
        value
    }

    fn set(&mut self, at: VirtualTime, event: WorldEvent, weight: Weight) -> TimerKey {
        assert!(at > self.inner.now, "an event at {at}, and it is {}", self.inner.now);
        self.inner.set(at, event, weight)
    }

    fn cancel(&mut self, key: TimerKey) {
        self.inner.cancel(key);
    }

    fn set_weight(&mut self, key: TimerKey, weight: Weight) {
        self.inner.set_weight(key, weight);
    }

    fn record(&mut self, kind: EventKind, stream: StreamId, subject: u64, value: u64) {
        self.inner.record(kind, stream, subject, value);
    }

    fn name(&mut self, stream: StreamId, name: impl FnOnce() -> String) {
        self.inner.name(stream, name);
    }

    fn after(&self, domain: DomainId, nanos: u64) -> VirtualTime {
        self.inner.after(domain, nanos)
    }
}

/// Something that came out of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Arrived {
    at: u64,
    node: u16,
    bytes: Vec<u8>,
}

fn arrived(at: u64, node: u16, bytes: &[u8]) -> Arrived {
    Arrived { at, node, bytes: bytes.to_vec() }
}

/// A network of the machines `test`, `n1`, .. and what has come out of it.
#[derive(Debug)]
struct Bench {
    network: Network,
    host: Seeded,
    arrived: Vec<Arrived>,
    /// How many were lost at arrival, and how many kept.
    lost: usize,
    kept: usize,
    /// Sockets that were told of room, and when.
    roomy: Vec<(u64, SocketKey)>,
}

impl Bench {
    fn new(host: Seeded, nodes: u16, options: LinkOptions) -> Self {
        let mut network = Network::new(false);
        for number in 1..nodes {
            network.add_node(node(number), format!("n{number}").into(), &[]);
        }
        network.set_links(options);
        Self { network, host, arrived: Vec::new(), lost: 0, kept: 0, roomy: Vec::new() }
    }

    fn now(&self) -> u64 {
        self.host.inner.now.as_nanos()
    }

    fn link(&mut self, from: u16, to: u16) -> LinkId {
        self.network.link_to(node(from), node(to))
    }

    fn packet(&mut self, from: u16, to: u16, body: Body) -> Packet {
        let endpoint =
            |number| Endpoint { address: AddressId::automatic_v4(node(number)), port: 9 };
        Packet {
            link: self.link(from, to),
            source: endpoint(from),
            target: endpoint(to),
            size: 100,
            count: 1,
            flow: Flow::OF_LINK,
            from: None,
            body,
        }
    }

    fn datagram(&mut self, from: u16, to: u16, bytes: &[u8]) -> Packet {
        let payload = Payload::new(&mut self.network.chunks, bytes);
        self.packet(from, to, Body::Datagram(payload))
    }

    fn send(&mut self, from: u16, to: u16, bytes: &[u8]) -> Sent {
        let packet = self.datagram(from, to, bytes);
        self.network.send(&mut self.host, packet, 0)
    }

    /// Sends a segment of flow `stream`, which keeps its order after `not_before`.
    fn send_segment(&mut self, ordinal: u32, not_before: u64) -> Sent {
        let mut packet = self.packet(0, 1, Body::Segment(segment(ordinal)));
        packet.flow = Flow { stream: FLOW, ordinal };
        self.network.send(&mut self.host, packet, not_before)
    }

    /// Lets the events of the next instant happen. Tells whether there were any.
    fn step(&mut self) -> bool {
        let events = self.host.inner.advance();
        for event in &events {
            match *event {
                WorldEvent::Arrive(flight) => self.arrive(flight),
                WorldEvent::Release(rule) => self.network.release(&mut self.host, rule),
                WorldEvent::Room(link) => {
                    let now = self.now();
                    let sockets = self.network.take_waiting(link);
                    self.roomy.extend(sockets.into_iter().map(|socket| (now, socket)));
                }
                other => panic!("the network sets no {other:?}"),
            }
        }
        !events.is_empty()
    }

    fn arrive(&mut self, flight: FlightKey) {
        match self.network.arrive(&mut self.host, flight) {
            Arrival::Packet { node, packet } => {
                let bytes = match packet.body {
                    Body::Datagram(payload) => {
                        let bytes = payload.bytes(&self.network.chunks).to_vec();
                        payload.give_back(&mut self.network.chunks);
                        bytes
                    }
                    Body::Segment(segment) => vec![u8::try_from(segment.seq).unwrap()],
                    Body::Refused { .. } => b"refused".to_vec(),
                };
                self.arrived.push(Arrived { at: self.now(), node: node.number(), bytes });
            }
            Arrival::Lost { .. } => self.lost += 1,
            Arrival::Kept { .. } => self.kept += 1,
        }
    }

    /// Lets everything happen that is set, and returns what has arrived since it was last asked.
    fn run(&mut self) -> Vec<Arrived> {
        while self.step() {}
        std::mem::take(&mut self.arrived)
    }

    /// As [`Bench::run`], up to a time, which it is then.
    fn run_until(&mut self, at: u64) -> Vec<Arrived> {
        let is_due = |bench: &Self| {
            let next = bench.host.inner.events.first_key_value();
            next.is_some_and(|((time, _), _)| time.as_nanos() <= at)
        };
        while is_due(self) {
            self.step();
        }
        self.host.inner.now = VirtualTime::from_nanos(at);
        std::mem::take(&mut self.arrived)
    }

    fn rule(&mut self, kind: RuleKind, from: &[u16], to: &[u16]) -> RuleId {
        self.network.add_rule(&mut self.host, kind, set(from), set(to))
    }

    fn sites(&self) -> BTreeSet<&'static str> {
        self.host.drawn.iter().map(|(_, site, _)| *site).collect()
    }
}

fn node(number: u16) -> NodeId {
    NodeId::of_number(number)
}

fn set(numbers: &[u16]) -> Set {
    Set::of(numbers.iter().copied().map(node))
}

fn segment(ordinal: u32) -> Segment {
    Segment {
        to: None,
        seq: ordinal.into(),
        ack: 0,
        len: 0,
        window: 0,
        flags: Flags::ACK,
        sack_count: 0,
        mss: 1460,
        sacks: [Sack::default(); 3],
    }
}

fn socket_keys(count: usize) -> Vec<SocketKey> {
    let mut arena = Arena::default();
    (0..count).map(|_| SocketKey(arena.insert(()))).collect()
}

const FLOW: StreamId = StreamId::from_bits(77);

/// Every packet takes a millisecond.
fn steady() -> LinkOptions {
    LinkOptions::lan().with_latency(super::Latency::constant(std::time::Duration::from_nanos(MS)))
}

fn always() -> Ratio {
    Ratio::new(1, 1)
}

const US: u64 = 1_000;
const MS: u64 = 1_000_000;
const S: u64 = 1_000_000_000;
