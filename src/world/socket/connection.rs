//! One end of a TCP connection, as a kernel holds it: the machine, and what that does not know.
//!
//! Addresses, pipes, who waits, the one timer, and the numbers of its packets. May not know how a
//! machine works.

use super::super::calls::TcpOptions;
use super::super::network::{AddressBook, Body, Endpoint, Flow, LinkId, Network, Packet};
use super::super::node::NodeId;
use super::super::tcp::{Connection, Linger, Path, Segment, TcpState};
use super::pipe::PipeId;
use super::{SocketKey, Waiters};
use crate::executor::TimerKey;
use crate::kernel::StreamId;

/// A connection.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct ConnectionSocket {
    pub(super) machine: Connection,
    /// Who waits to read.
    pub(super) readers: Waiters,
    /// Who waits to write, or until it is connected.
    pub(super) writers: Waiters,
    pub(super) local: Endpoint,
    pub(super) remote: Endpoint,
    /// When its event is set for. It is set lazily: earlier, never later.
    pub(super) armed_at: u64,
    /// When the packet before arrives: the next one of the stream does not before that.
    pub(super) not_before: u64,
    /// Whom its draws belong to.
    pub(super) stream: StreamId,
    /// How many packets it has sent.
    packets: u32,
    pub(super) timer: Option<TimerKey>,
    /// What the peer writes, while something of it is kept.
    pub(super) incoming: Option<PipeId>,
    /// What was written here, while something of it is kept.
    pub(super) outgoing: Option<PipeId>,
    pub(super) path: Path,
    /// The generation of the network in which the path was looked up.
    pub(super) path_seen: u32,
    /// `SO_LINGER` in seconds.
    linger: Option<u16>,
    ttl: u8,
    /// Whether its addresses are shown as those of IPv6.
    is_v6: bool,
    only_v6: bool,
    pub(super) reuse: bool,
    /// Whether it is listed as bound to its port.
    pub(super) is_bound: bool,
    /// Whether it is counted on its port.
    pub(super) has_port: bool,
    /// Whether its event is set as one that changes nothing for the program.
    pub(super) is_background: bool,
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
            readers: Waiters::default(),
            writers: Waiters::default(),
            local: ends.local,
            remote: ends.remote,
            armed_at: 0,
            not_before: 0,
            stream,
            packets: 0,
            timer: None,
            incoming: None,
            outgoing: None,
            path,
            path_seen: 0,
            linger: None,
            ttl: 0,
            is_v6: ends.is_v6,
            only_v6: options.only_v6,
            reuse: options.reuse_address,
            is_bound: false,
            has_port: false,
            is_background: false,
        };
        socket.set_options(options);
        socket
    }

    /// Tells whether a segment of this socket is of the connection. One that connects knows none yet.
    #[inline]
    pub(super) fn is_from_peer(&self, from: Option<SocketKey>) -> bool {
        let peer = self.machine.peer();
        peer.is_none() || peer == from
    }

    /// Tells whether it is over and nobody's: it only keeps its place.
    #[inline]
    pub(super) fn is_released(&self) -> bool {
        self.machine.state() == TcpState::Closed && self.machine.is_orphan()
    }

    /// Looks up the way to the peer again if the network has changed.
    #[inline]
    pub(super) fn refresh_path(&mut self, network: &mut Network, node: NodeId) {
        if self.path_seen != network.generation() {
            self.path = network.path(node, self.remote.address);
            self.path_seen = network.generation();
        }
    }

    /// Makes a packet of a segment: as many of them as it would be on the wire.
    #[inline]
    pub(super) fn packet(
        &mut self,
        addresses: &AddressBook,
        own: SocketKey,
        segment: Segment,
    ) -> Packet {
        let mss = u32::from(self.path.mss);
        let count = if segment.len <= mss { 1 } else { segment.len.div_ceil(mss) };
        let flow = Flow { stream: self.stream, ordinal: self.packets };
        self.packets = self.packets.checked_add(count).expect("a stream numbers with 32 bits");
        let headers = headers(addresses, self.remote);
        Packet {
            link: self.path.link,
            source: self.local,
            target: self.remote,
            size: segment.len + count * headers,
            count: u16::try_from(count).expect("a segment has fewer than 65,536 bytes"),
            flow,
            from: Some(own),
            body: Body::Segment(segment),
        }
    }

    /// Returns an endpoint as it is shown to its program.
    pub(super) fn shown(
        &self,
        addresses: &AddressBook,
        endpoint: Endpoint,
    ) -> std::net::SocketAddr {
        addresses.shown(endpoint, self.is_v6)
    }

    pub(super) fn linger(&self) -> Linger {
        if self.linger == Some(0) { Linger::Reset } else { Linger::Background }
    }

    pub(super) fn options(&self) -> TcpOptions {
        let mut options = TcpOptions::of_tuning(&self.machine.tuning());
        options.reuse_address = self.reuse;
        options.only_v6 = self.only_v6;
        options.linger = self.linger.map(|seconds| std::time::Duration::from_secs(seconds.into()));
        options.ttl = self.ttl.into();
        options
    }

    /// Sets what may still be changed on a connection.
    pub(super) fn set_options(&mut self, options: &TcpOptions) {
        self.machine.set_tuning(&options.tuning());
        let seconds = |linger: std::time::Duration| u16::try_from(linger.as_secs());
        self.linger = options.linger.map(|linger| seconds(linger).unwrap_or(u16::MAX));
        self.ttl = u8::try_from(options.ttl).expect("it was checked");
    }
}

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
fn headers(addresses: &AddressBook, target: Endpoint) -> u32 {
    if addresses.ip(target.address).is_ipv4() { 40 } else { 60 }
}
