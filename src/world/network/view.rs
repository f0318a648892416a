//! The network as programs see it: options, counters, and packets in flight.

use std::fmt;
use std::net::SocketAddr;

use super::control::LostByHand;
use super::counters::{FaultCounters, LinkCounters};
use super::fabric::Network as Fabric;
use super::flight::{Flight, FlightKey, Standing};
use super::options::LinkOptions;
use super::packet::Body;
use super::rules::Set;
use super::shortness::Call;
use super::verbs::act;
use crate::executor::note;
use crate::kernel::{Ratio, VirtualTime};
use crate::world::node::{NodeId, Targets};
use crate::world::socket::NameBuilder;
use crate::world::state::{State, with_state};

/// Returns the network of this run.
///
/// # Panics
/// Outside of a simulation.
#[must_use]
#[track_caller]
pub fn network() -> Network {
    Network { serial: with_state("world::network", |_, driver| driver.serial()) }
}

/// The network of a run: a link from every machine to every other.
///
/// # Panics
/// Its functions panic in another run than its own.
///
/// # Examples
/// ```
/// use parcae::kernel::Ratio;
/// use parcae::world::{self, LinkOptions};
///
/// parcae::check(10, || async {
///     world::nodes("kv", 3).idle();
///     let network = world::network();
///     network.set_links(LinkOptions::lan().with_loss(Ratio::percent(1)));
///     network.set_between("test", world::everyone(), LinkOptions::wan());
///     assert_eq!(network.link("test", "kv-1").options(), LinkOptions::wan());
///     assert_eq!(network.link("kv-1", "kv-2").options().loss, Ratio::percent(1));
///     assert_eq!(network.counters().lost, 0);
/// });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Network {
    /// Serial number of its run.
    serial: u64,
}

impl Network {
    /// Sets the options of all links but loopbacks and those that have options of their own.
    ///
    /// # Panics
    /// On options that make no link.
    #[track_caller]
    pub fn set_links(&self, options: LinkOptions) {
        options.check();
        self.act("Network::set_links", |state| state.network.set_links(options));
    }

    /// Sets the options of the links between two sets of machines, in both directions; of loopbacks too,
    /// if a machine is in both.
    ///
    /// # Panics
    /// On options that make no link, and when there is no machine of a name.
    #[track_caller]
    pub fn set_between(&self, a: impl Targets, b: impl Targets, options: LinkOptions) {
        options.check();
        self.act("Network::set_between", |state| {
            let one = Set::of(state.nodes.resolve(&a));
            let other = Set::of(state.nodes.resolve(&b));
            state.network.set_between(one.clone(), other.clone(), options.clone());
            state.network.set_between(other, one, options);
        });
    }

    /// Sets how often a read of a TCP stream gives fewer bytes than there are, and fewer than its buffer
    /// holds; at least one. Default never, and on a quiet network that is so: what was written at once is
    /// read at once. A real network promises only the order of bytes, so a program that takes a read for
    /// a message is wrong.
    ///
    /// Peeks are never short. Unix streams and datagrams are not concerned.
    ///
    /// # Determinism
    /// Whether a read is short is drawn by its stream and the place of its first byte, site `short read`,
    /// and how many bytes it gives at `short read bytes`. The default world has none.
    ///
    /// # Examples
    /// ```should_panic
    /// use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
    /// use parcae::kernel::Ratio;
    /// use parcae::net::{TcpListener, TcpStream};
    /// use parcae::world;
    ///
    /// parcae::check(100, || async {
    ///     world::network().set_short_reads(Ratio::percent(10));
    ///     let listener = TcpListener::bind("127.0.0.1:80").await.unwrap();
    ///     let mut client = TcpStream::connect("127.0.0.1:80").await.unwrap();
    ///     client.write_all(b"PING").await.unwrap();
    ///     let mut command = [0; 4];
    ///     let count = listener.accept().await.unwrap().0.read(&mut command).await.unwrap();
    ///     // It wants `read_exact`.
    ///     assert_eq!(&command[..count], b"PING");
    /// });
    /// ```
    #[track_caller]
    pub fn set_short_reads(&self, share: Ratio) {
        self.set_short("Network::set_short_reads", Call::Read, share);
    }

    /// Sets how often a write to a TCP stream takes fewer bytes than there is room for; at least one.
    /// Default never. A program that does not look at how many a write has taken loses some.
    ///
    /// # Determinism
    /// As [`Network::set_short_reads`], at `short write` and `short write bytes`.
    #[track_caller]
    pub fn set_short_writes(&self, share: Ratio) {
        self.set_short("Network::set_short_writes", Call::Write, share);
    }

    #[track_caller]
    fn set_short(self, verb: &str, call: Call, share: Ratio) {
        note(|| format!("{}: {share}", verb.trim_start_matches("Network::")));
        self.act(verb, |state| state.network.set_short(call, share));
    }

    /// Returns the link from one machine to another.
    ///
    /// # Panics
    /// When there is no machine of a name.
    #[must_use]
    #[track_caller]
    pub fn link(&self, from: &str, to: &str) -> Link {
        let find = |name: &str| {
            let node = with_state("Network::link", |state, _| state.nodes.find(name));
            node.unwrap_or_else(|| panic!("there is no machine `{name}`"))
        };
        Link { network: *self, from: find(from), to: find(to) }
    }

    /// Begins to tell what a name stands for, and how resolvers treat it. The names of machines and groups
    /// resolve without being told.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use parcae::world::{self, NameError};
    ///
    /// parcae::check(10, || async {
    ///     let name = world::network().name("db");
    ///     name.addresses(["10.7.0.1".parse().unwrap()]).ttl(Duration::from_secs(60));
    ///     name.fails(NameError::Temporary);
    /// });
    /// ```
    #[track_caller]
    pub fn name(&self, name: &str) -> NameBuilder {
        self.check("Network::name");
        NameBuilder::new(name)
    }

    /// Keeps only packets of links that begin or end at these machines in a capture, from now on. Nothing
    /// happens in a run without one ([`SimBuilder::capture`](crate::SimBuilder::capture)).
    ///
    /// # Panics
    /// When there is no machine of a name.
    #[track_caller]
    pub fn capture(&self, targets: impl Targets) {
        self.act("Network::capture", |state| {
            let nodes = state.nodes.resolve(&targets);
            state.network.capture_only(nodes);
        });
    }

    /// Returns how often each fault has fired, on all links.
    #[must_use]
    #[track_caller]
    pub fn counters(&self) -> FaultCounters {
        self.read("Network::counters", Fabric::faults)
    }

    #[track_caller]
    fn act(self, call: &str, change: impl FnOnce(&mut State)) {
        self.check(call);
        act(call, |state, _| change(state));
    }

    #[track_caller]
    fn read<R>(self, call: &str, read: impl FnOnce(&Fabric) -> R) -> R {
        self.check(call);
        with_state(call, |state, _| read(&state.network))
    }

    #[track_caller]
    fn check(self, call: &str) {
        let serial = with_state(call, |_, driver| driver.serial());
        assert_eq!(serial, self.serial, "`{call}` was called in another run than its network's");
    }
}

/// The way from one machine to another.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    network: Network,
    from: NodeId,
    to: NodeId,
}

impl Link {
    /// Returns the names of the machines that it goes from and to.
    #[must_use]
    #[track_caller]
    pub fn ends(&self) -> (String, String) {
        self.network.check("Link::ends");
        with_state("Link::ends", |state, _| {
            let name = |node| state.nodes.get(node).name.to_string();
            (name(self.from), name(self.to))
        })
    }

    /// Returns what it does to packets.
    #[must_use]
    #[track_caller]
    pub fn options(&self) -> LinkOptions {
        self.network.read("Link::options", |network| network.options(self.from, self.to))
    }

    /// Sets what it does to packets, in this direction.
    ///
    /// # Panics
    /// On options that make no link.
    #[track_caller]
    pub fn set_options(&self, options: LinkOptions) {
        options.check();
        self.network.act("Link::set_options", |state| {
            state.network.set_between(Set::of([self.from]), Set::of([self.to]), options);
        });
    }

    /// Returns what has gone over it.
    #[must_use]
    #[track_caller]
    pub fn counters(&self) -> LinkCounters {
        self.network.read("Link::counters", |network| network.link_counters(self.from, self.to))
    }

    /// Returns the packets that are on it: first those that are kept back, in the order in which they
    /// came, then the others by when they arrive.
    #[must_use]
    #[track_caller]
    pub fn in_flight(&self) -> Vec<InFlight> {
        self.network.check("Link::in_flight");
        with_state("Link::in_flight", |state, _| {
            let network = &mut state.network;
            let link = network.link_to(self.from, self.to);
            let keys = network.in_flight(link).into_iter();
            let handle =
                |key| InFlight { key, network: self.network, summary: network.sum_up(key) };
            keys.map(handle).collect()
        })
    }
}

/// A packet on its way, in the hands of a test.
#[derive(Debug)]
pub struct InFlight {
    key: FlightKey,
    network: Network,
    summary: PacketSummary,
}

impl InFlight {
    /// Returns what it is.
    #[must_use]
    pub fn summary(&self) -> &PacketSummary {
        &self.summary
    }

    /// Has it arrive a nanosecond from now, whatever partitions and holds there are. Nothing happens
    /// when it has arrived meanwhile.
    #[track_caller]
    pub fn deliver(self) {
        self.network.check("InFlight::deliver");
        act("InFlight::deliver", |state, driver| state.network.deliver_by_hand(driver, self.key));
    }

    /// Loses it. Nothing happens when it has arrived meanwhile.
    #[track_caller]
    pub fn lose(self) {
        self.network.check("InFlight::lose");
        act("InFlight::lose", |state, driver| {
            let lost = state.network.lose_by_hand(driver, self.key);
            if let LostByHand::Packet { to: Some(to) } = lost {
                let (sockets, mut outside) = state.parts(driver);
                sockets.on_lost(&mut outside, to);
            }
        });
    }
}

/// What a packet in flight is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacketSummary {
    /// What is in it.
    pub kind: PacketKind,
    /// Who has sent it.
    pub source: SocketAddr,
    /// Who is to have it.
    pub target: SocketAddr,
    /// Bytes on the wire, headers included.
    pub size: u32,
    /// When it arrives; none while it is kept back.
    pub arrives_at: Option<VirtualTime>,
}

/// What is in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PacketKind {
    /// A segment of a TCP stream, with so many bytes of it.
    Segment {
        /// How many.
        bytes: u32,
    },
    /// A datagram.
    Datagram,
    /// What comes back for a packet that nobody took.
    Refusal,
}

/// Prints `datagram 10.0.0.1:9 -> 10.0.0.2:9, 38 bytes, arrives at 0.001 s`.
impl fmt::Display for PacketSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, source, target, size, arrives_at } = self;
        let kind = match kind {
            PacketKind::Segment { .. } => "segment",
            PacketKind::Datagram => "datagram",
            PacketKind::Refusal => "refusal",
        };
        write!(formatter, "{kind} {source} -> {target}, {size} bytes, ")?;
        match arrives_at {
            Some(at) => write!(formatter, "arrives at {at}"),
            None => formatter.write_str("is kept back"),
        }
    }
}

impl Fabric {
    /// Says what a packet in flight is.
    fn sum_up(&self, key: FlightKey) -> PacketSummary {
        let Flight { packet, at, standing, .. } =
            self.flights.get(key).expect("it was just listed");
        PacketSummary {
            kind: match &packet.body {
                Body::Segment(segment) => PacketKind::Segment { bytes: segment.len },
                Body::Datagram(_) => PacketKind::Datagram,
                Body::Refused { .. } => PacketKind::Refusal,
            },
            source: self.addresses.socket_addr(packet.source),
            target: self.addresses.socket_addr(packet.target),
            size: packet.size,
            arrives_at: (*standing != Standing::Kept).then_some(VirtualTime::from_nanos(*at)),
        }
    }
}
