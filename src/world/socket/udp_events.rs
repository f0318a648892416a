//! What the network brings for datagram sockets: datagrams, and refusals.

use std::task::Waker;

use super::super::calls::Side;
use super::super::host::Host;
use super::super::network::{AddressOwner, Body, Endpoint, Flow, Packet, Refusal};
use super::super::node::NodeId;
use super::errors::{ECONNREFUSED, EHOSTUNREACH};
use super::ports::Bound;
use super::udp::Received;
use super::{Outside, Protocol, Socket, SocketKey, Sockets, Udp};
use crate::executor::WakeTarget;

impl Sockets {
    /// A datagram is there: hands it to whom it is for, or has its sender told that there is nobody.
    pub(crate) fn receive_datagram<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        node: NodeId,
        packet: Packet,
    ) {
        let target = packet.target;
        let owner = outside.network.addresses.owner(target.address);
        if matches!(owner, AddressOwner::Broadcast | AddressOwner::Multicast) {
            self.receive_for_many(outside, node, packet);
            return;
        }
        match self.best(outside, node, (target, packet.source)) {
            Some(key) => {
                let Body::Datagram(payload) = packet.body else { unreachable!("a datagram") };
                self.queue(outside, key, Received { source: packet.source, payload });
            }
            None => refuse(outside, node, packet),
        }
    }

    /// Gives a datagram to each socket of a machine that is open to it.
    fn receive_for_many<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        node: NodeId,
        packet: Packet,
    ) {
        let Packet { source, target, body: Body::Datagram(payload), .. } = packet else {
            unreachable!("a datagram")
        };
        let is_v4 = outside.network.addresses.ip(target.address).is_ipv4();
        let mut place = 0;
        while let Some(key) = self.bound_to(node, target.port, place) {
            place += 1;
            let fit = self.udp(key).and_then(|udp| udp.fit(target.address, is_v4, source));
            if fit.is_some() {
                let payload = payload.copied(&mut outside.network.chunks);
                self.queue(outside, key, Received { source, payload });
            }
        }
        payload.give_back(&mut outside.network.chunks);
    }

    /// Returns the socket that a datagram is for: of those that it fits best, the one bound last.
    fn best<H: Host>(
        &self,
        outside: &Outside<'_, H>,
        node: NodeId,
        (target, source): (Endpoint, Endpoint),
    ) -> Option<SocketKey> {
        let is_v4 = outside.network.addresses.ip(target.address).is_ipv4();
        let mut best = None;
        for bound in self.bound_udp(node, target.port) {
            let fit = match self.get(bound.socket) {
                Some(Socket::Udp(udp)) => udp.fit(target.address, is_v4, source),
                _ => None,
            };
            // The last one of equals.
            if fit.is_some() && best.is_none_or(|(most, _)| fit >= most) {
                best = Some((fit, bound.socket));
            }
        }
        best.map(|(_, key)| key)
    }

    /// Returns what is bound to a port for datagrams.
    fn bound_udp(&self, node: NodeId, port: u16) -> &[Bound] {
        self.ports.get(node.index()).map_or(&[], |ports| ports.bound(Protocol::Udp, port))
    }

    /// Returns the socket that was bound to a port as the how manieth. Asked for one by one, because
    /// sockets and ports are looked at in turn, and a list would be an allocation for each datagram.
    fn bound_to(&self, node: NodeId, port: u16, place: usize) -> Option<SocketKey> {
        self.bound_udp(node, port).get(place).map(|bound| bound.socket)
    }

    /// Queues a datagram at a socket, and wakes who waits for it.
    fn queue<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: SocketKey, received: Received) {
        let udp = self.udp(key).expect("it was found");
        if udp.receive(received, &mut outside.network.chunks) {
            udp.readers.wake(outside.wakes);
        }
    }

    /// A refusal is there, for a datagram that this socket has sent to `quoted`. One that is not
    /// connected to that is not told.
    pub(crate) fn datagram_refused<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        (kind, quoted): (Refusal, Endpoint),
    ) {
        if let Some(udp) = self.udp(key)
            && udp.peer == Some(quoted)
        {
            let error = match kind {
                Refusal::Port => ECONNREFUSED,
                Refusal::Host => EHOSTUNREACH,
            };
            udp.fail(error, outside.wakes);
        }
    }

    /// A link has room again for which this socket has waited.
    pub(crate) fn datagrams_have_room<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
    ) {
        if let Some(udp) = self.udp(key) {
            udp.writers.wake(outside.wakes);
        }
    }

    /// Registers who waits for a side of a datagram socket.
    pub(crate) fn wait_for_datagrams(
        &mut self,
        key: SocketKey,
        side: Side,
        (target, waker): (&mut Option<WakeTarget>, &Waker),
    ) {
        if let Some(udp) = self.udp(key) {
            match side {
                Side::Read => udp.readers.add(target, waker),
                Side::Write => udp.writers.add(target, waker),
            }
        }
    }

    /// Ends a datagram socket: what it has not read is gone, its port is free, its groups are left.
    pub(crate) fn close_udp<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        node: NodeId,
        key: SocketKey,
    ) {
        let Some(Socket::Udp(mut udp)) = self.remove(key) else { return };
        self.ports(node).unbind(Protocol::Udp, udp.local.port, key);
        while let Some(received) = udp.take(&outside.network.chunks) {
            received.payload.give_back(&mut outside.network.chunks);
        }
        for group in &udp.groups {
            outside.network.groups.leave(*group, node);
        }
        udp.readers.let_go(outside.wakes);
        udp.writers.let_go(outside.wakes);
    }

    /// Returns a datagram socket.
    pub(super) fn udp(&mut self, key: SocketKey) -> Option<&mut Udp> {
        match self.get_mut(key)? {
            Socket::Udp(udp) => Some(udp),
            _ => None,
        }
    }
}

/// Sends back that nobody has the port.
fn refuse<H: Host>(outside: &mut Outside<'_, H>, node: NodeId, packet: Packet) {
    let sender = outside.network.sender(packet.link);
    let refusal = Packet {
        link: outside.network.link_to(node, sender),
        source: packet.target,
        target: packet.source,
        size: REFUSAL_SIZE,
        count: 1,
        flow: Flow::OF_LINK,
        from: packet.from,
        body: Body::Refused { kind: Refusal::Port, quoted: packet.target },
    };
    if let Body::Datagram(payload) = packet.body {
        payload.give_back(&mut outside.network.chunks);
    }
    outside.network.send(outside.host, refusal, 0);
}

/// IP and ICMP headers, and the quoted ones.
const REFUSAL_SIZE: u32 = 56;
