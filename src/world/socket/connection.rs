//! One end of a TCP connection, as a kernel holds it: the machine, and what that does not know.
//!
//! Addresses, pipes, who waits, the one timer, and the numbers of its packets. May not know how a
//! machine works.

use std::net::SocketAddr;
use std::time::Duration;

use super::super::calls::TcpOptions;
use super::super::network::{
    AddressBook, AddressId, BURST_MAX, Body, Endpoint, Flow, LinkId, Network, Packet,
};
use super::super::node::NodeId;
use super::super::tcp::{Connection, Linger, Path, Segment, TcpState};
use super::SocketKey;
use super::pipe::PipeId;
use super::readiness::StreamWaiters;
use crate::executor::TimerKey;
use crate::kernel::StreamId;

/// A connection.
#[derive(Debug)]
pub(crate) struct ConnectionSocket {
    pub(super) machine: Connection,
    /// Who waits to read, and who to write, or until it is connected.
    pub(super) waiters: StreamWaiters,
    /// When its event is set for. It is set lazily: earlier, never later.
    pub(super) armed_at: u64,
    /// When the packet before arrives: the next one of the stream does not before that.
    pub(super) not_before: u64,
    /// Whom its draws belong to.
    pub(super) stream: StreamId,
    /// Its event, or the key of none.
    pub(super) timer: TimerKey,
    // Both ends, in parts: as two `Endpoint`s they would take four bytes more.
    local_address: AddressId,
    remote_address: AddressId,
    local_port: u16,
    remote_port: u16,
    /// How many packets it has sent.
    packets: u32,
    /// What the peer writes, while something of it is kept.
    pub(super) incoming: Option<PipeId>,
    /// What was written here, while something of it is kept.
    pub(super) outgoing: Option<PipeId>,
    // The way to the peer, and the generation of the network in which it was looked up.
    path_link: LinkId,
    path_seen: u32,
    path_mss: u16,
    /// `SO_LINGER` in seconds, or `NO_LINGER`.
    linger: u16,
    ttl: u8,
    marks: Marks,
}

const _: () = assert!(size_of::<ConnectionSocket>() <= 224, "memory of an idle connection");

/// What is true of a connection beside what its machine knows, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Marks(u8);

impl Marks {
    /// Its addresses are shown as those of IPv6.
    const IS_V6: Self = Self(1);
    const ONLY_V6: Self = Self(1 << 1);
    pub(super) const REUSE: Self = Self(1 << 2);
    /// It is listed as bound to its port.
    pub(super) const BOUND: Self = Self(1 << 3);
    /// It is counted on its port.
    pub(super) const HAS_PORT: Self = Self(1 << 4);
    /// Its event is set as one that changes nothing for the program.
    pub(super) const BACKGROUND: Self = Self(1 << 5);
    /// It is among those whose events change nothing as long as the network does not.
    pub(super) const LISTED: Self = Self(1 << 7);
    /// A segment may be many packets.
    const BURSTS: Self = Self(1 << 6);
}

/// The two ends of a connection to be, and how they are shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) local: Endpoint,
    pub(super) remote: Endpoint,
    pub(super) is_v6: bool,
}

impl ConnectionSocket {
    pub(super) fn new(
        machine: Connection,
        ends: Ends,
        options: &TcpOptions,
        (stream, path): (StreamId, Path),
    ) -> Self {
        let mut socket = Self {
            machine,
            waiters: StreamWaiters::default(),
            armed_at: 0,
            not_before: 0,
            stream,
            timer: TimerKey::NONE,
            local_address: ends.local.address,
            remote_address: ends.remote.address,
            local_port: ends.local.port,
            remote_port: ends.remote.port,
            packets: 0,
            incoming: None,
            outgoing: None,
            path_link: path.link,
            path_seen: 0,
            path_mss: path.mss,
            linger: NO_LINGER,
            ttl: 0,
            marks: Marks::default(),
        };
        socket.mark(Marks::IS_V6, ends.is_v6);
        socket.mark(Marks::ONLY_V6, options.only_v6);
        socket.mark(Marks::REUSE, options.reuse_address);
        socket.set_options(options);
        socket
    }

    #[inline]
    pub(super) fn has(&self, mark: Marks) -> bool {
        self.marks.0 & mark.0 != 0
    }

    #[inline]
    pub(super) fn mark(&mut self, mark: Marks, is_true: bool) {
        self.marks.0 = if is_true { self.marks.0 | mark.0 } else { self.marks.0 & !mark.0 };
    }

    #[inline]
    pub(super) fn local(&self) -> Endpoint {
        Endpoint { address: self.local_address, port: self.local_port }
    }

    #[inline]
    pub(super) fn remote(&self) -> Endpoint {
        Endpoint { address: self.remote_address, port: self.remote_port }
    }

    /// Tells whether a segment of this socket is of the connection. One that connects knows none yet.
    #[inline]
    pub(super) fn is_from_peer(&self, from: Option<SocketKey>) -> bool {
        let peer = self.machine.peer();
        peer.is_none() || peer == from
    }

    /// Tells whether it connects to an endpoint, or still has to do with it.
    pub(super) fn leads_to(&self, remote: Endpoint) -> bool {
        self.remote() == remote && self.machine.state() != TcpState::Closed
    }

    /// Tells whether it is over and nobody's: it only keeps its place.
    #[inline]
    pub(super) fn is_released(&self) -> bool {
        self.machine.state() == TcpState::Closed && self.machine.is_orphan()
    }

    /// Tells whether the network is as it was when the way to the peer was looked up.
    #[inline]
    pub(super) fn knows_path(&self, network: &Network) -> bool {
        self.path_seen == network.generation()
    }

    /// Returns the way to the peer, looked up again if the network has changed.
    #[inline]
    pub(super) fn path(&mut self, network: &mut Network, node: NodeId) -> Path {
        if !self.knows_path(network) {
            let path = network.path(node, self.remote_address);
            (self.path_link, self.path_mss) = (path.link, path.mss);
            self.mark(Marks::BURSTS, path.burst > path.mss.into());
            if self.path_seen != 0 {
                self.machine.doubt();
            }
            self.path_seen = network.generation();
        }
        let mss = self.path_mss;
        let burst = if self.has(Marks::BURSTS) { BURST_MAX } else { mss.into() };
        Path { mss, burst, link: self.path_link }
    }

    /// Returns the link to the peer.
    pub(super) fn link(&self) -> LinkId {
        self.path_link
    }

    /// Makes a packet of a segment: as many of them as it would be on the wire.
    #[inline]
    pub(super) fn packet(
        &mut self,
        addresses: &AddressBook,
        own: SocketKey,
        segment: Segment,
    ) -> Packet {
        let mss = u32::from(self.path_mss);
        let count = if segment.len <= mss { 1 } else { segment.len.div_ceil(mss) };
        let flow = Flow { stream: self.stream, ordinal: self.packets };
        self.packets = self.packets.checked_add(count).expect("a stream numbers with 32 bits");
        let headers = headers(addresses, self.remote());
        Packet {
            link: self.path_link,
            source: self.local(),
            target: self.remote(),
            size: segment.len + count * headers,
            count: u16::try_from(count).expect("a segment has fewer than 65,536 bytes"),
            flow,
            from: Some(own),
            body: Body::Segment(segment),
        }
    }

    /// Returns an endpoint as it is shown to its program.
    pub(super) fn shown(&self, addresses: &AddressBook, endpoint: Endpoint) -> SocketAddr {
        addresses.shown(endpoint, self.has(Marks::IS_V6))
    }

    pub(super) fn linger(&self) -> Linger {
        if self.linger == 0 { Linger::Reset } else { Linger::Background }
    }

    pub(super) fn options(&self) -> TcpOptions {
        let mut options = TcpOptions::of_tuning(&self.machine.tuning());
        options.reuse_address = self.has(Marks::REUSE);
        options.only_v6 = self.has(Marks::ONLY_V6);
        let linger = (self.linger != NO_LINGER).then_some(self.linger);
        options.linger = linger.map(|seconds| Duration::from_secs(seconds.into()));
        options.ttl = self.ttl.into();
        options
    }

    /// Sets what may still be changed on a connection.
    pub(super) fn set_options(&mut self, options: &TcpOptions) {
        self.machine.set_tuning(&options.tuning());
        let most = u64::from(NO_LINGER - 1);
        let seconds = |linger: Duration| u16::try_from(linger.as_secs().min(most));
        let linger = options.linger.map_or(Ok(NO_LINGER), seconds);
        self.linger = linger.expect("it is bounded");
        self.ttl = u8::try_from(options.ttl).expect("it was checked");
    }
}

/// No `SO_LINGER`.
const NO_LINGER: u16 = u16::MAX;

/// Makes a packet of a segment that is of no connection.
pub(super) fn stray(
    addresses: &AddressBook,
    link: LinkId,
    (source, target): (Endpoint, Endpoint),
    from: Option<SocketKey>,
    segment: Segment,
) -> Packet {
    let size = headers(addresses, target);
    let body = Body::Segment(segment);
    Packet { link, source, target, size, count: 1, flow: Flow::OF_LINK, from, body }
}

/// Bytes of the headers of IP and TCP.
#[inline]
fn headers(addresses: &AddressBook, target: Endpoint) -> u32 {
    if addresses.ip(target.address).is_ipv4() { 40 } else { 60 }
}
