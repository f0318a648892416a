//! What programs ask of datagram sockets.
//!
//! Errors and their order are those of Linux; what is marked in the tests was measured.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::Poll;

use super::super::calls::{Take, UdpOption, UdpOptions, UdpSettings};
use super::super::host::Host;
use super::super::network::{
    AddressId, AddressOwner, Body, Endpoint, Flow, LinkId, Network, Packet, Payload, Sent,
};
use super::super::node::NodeId;
use super::errors::{
    EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EBADF, EDESTADDRREQ, EINVAL, EMSGSIZE,
    ENETUNREACH, os,
};
use super::{Family, Outside, Owner, Protocol, Socket, SocketKey, Sockets, Udp};

impl Sockets {
    /// Makes a datagram socket.
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` for an address that is not the machine's, `EADDRINUSE`, `EMFILE`.
    pub(crate) fn bind_udp<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        owner: Owner,
        options: UdpOptions,
        local: SocketAddr,
    ) -> io::Result<SocketKey> {
        self.check_limit(outside.nodes, owner.node)?;
        let addresses = &mut outside.network.addresses;
        let mut endpoint = addresses.endpoint(local);
        let is_group = matches!(
            addresses.owner(endpoint.address),
            AddressOwner::Broadcast | AddressOwner::Multicast
        );
        if !is_group && !addresses.is_local(owner.node, endpoint.address) {
            return Err(os(EADDRNOTAVAIL));
        }
        let is_mapped = local.is_ipv6() && addresses.ip(endpoint.address).is_ipv4();
        let family = match local.ip() {
            IpAddr::V6(ip) if ip.is_unspecified() && !options.only_v6 => Family::Dual,
            IpAddr::V6(_) if !is_mapped => Family::V6,
            _ => Family::V4,
        };
        let mut udp = Udp::new(endpoint, family, local.is_ipv6());
        udp.has_chosen_port = local.port() == 0;
        let key = self.insert(outside.nodes, owner, Socket::Udp(Box::new(udp)))?;
        let bound = self.udp(key).expect("it was just made").bound(key, options.reuse_address);
        match self.ports(owner.node).bind(Protocol::Udp, endpoint.port, bound) {
            Ok(port) => {
                endpoint.port = port;
                self.udp(key).expect("it was just made").local = endpoint;
                Ok(key)
            }
            Err(error) => {
                self.remove(key);
                Err(error)
            }
        }
    }

    /// Gives a socket a port again that has lost its own.
    ///
    /// # Errors
    /// `EADDRINUSE` when there is none; `EBADF` when it is no datagram socket.
    fn choose_udp_port(&mut self, node: NodeId, key: SocketKey) -> io::Result<()> {
        let udp = self.udp(key).ok_or_else(|| os(EBADF))?;
        if udp.local.port == 0 {
            let bound = udp.bound(key, false);
            let port = self.ports(node).bind(Protocol::Udp, 0, bound)?;
            self.udp(key).expect("it was found").local.port = port;
        }
        Ok(())
    }

    /// Sets whom a socket is connected to: from here on it hears nobody else, and what it sends without
    /// a target goes there. None takes that away, and a port that the machine had chosen. What it has
    /// received already stays.
    ///
    /// # Errors
    /// `EAFNOSUPPORT`, `ENETUNREACH` for a target of another family; `EACCES` for a broadcast address,
    /// `EINVAL` for a target that is not reached from a loopback address.
    pub(crate) fn connect_udp<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        node: NodeId,
        key: SocketKey,
        remote: Option<SocketAddr>,
    ) -> io::Result<()> {
        let Some(remote) = remote else {
            let udp = self.udp(key).ok_or_else(|| os(EBADF))?;
            udp.peer = None;
            udp.local.address = udp.wildcard.unwrap_or(udp.local.address);
            if udp.has_chosen_port {
                let port = std::mem::take(&mut udp.local.port);
                self.ports(node).unbind(Protocol::Udp, port, key);
            }
            return Ok(());
        };
        self.choose_udp_port(node, key)?;
        let udp = self.udp(key).expect("it was found");
        let peer = target_of(udp, outside.network, remote)?;
        let source = source_of(udp, outside.network, node, peer.address)?;
        udp.peer = Some(peer);
        udp.local.address = source;
        Ok(())
    }

    /// Sends a datagram. Pends only for the queue of a link that holds back.
    ///
    /// # Errors
    /// `EDESTADDRREQ` without a target, `EINVAL` for port 0 and for a target that is not reached from a
    /// loopback address, `EACCES` for a broadcast address, `EMSGSIZE`, and what came back for an earlier
    /// one, once.
    pub(crate) fn send_datagram<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        (node, key): (NodeId, SocketKey),
        target: Option<SocketAddr>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.choose_udp_port(node, key)?;
        let udp = self.udp(key).expect("it was found");
        let target = match target {
            Some(target) if target.port() == 0 => return Poll::Ready(Err(os(EINVAL))),
            Some(target) => target_of(udp, outside.network, target)?,
            None => udp.peer.ok_or_else(|| os(EDESTADDRREQ))?,
        };
        let source = Endpoint {
            address: source_of(udp, outside.network, node, target.address)?,
            port: udp.local.port,
        };
        let is_v4 = outside.network.addresses.ip(target.address).is_ipv4();
        if data.len() > if is_v4 { BYTES_MAX_V4 } else { BYTES_MAX_V6 } {
            return Poll::Ready(Err(os(EMSGSIZE)));
        }
        if let Some(error) = udp.take_error() {
            return Poll::Ready(Err(os(error)));
        }
        let owner = outside.network.addresses.owner(target.address);
        let draft = Draft { source, target, is_v4, data };
        match owner {
            AddressOwner::Broadcast => {
                for other in outside.nodes.ids() {
                    draft.send_copy(outside, node, other);
                }
            }
            AddressOwner::Multicast => {
                let loops = if is_v4 { udp.loops.v4 } else { udp.loops.v6 };
                // The loopback interface has no other machines, and needs no loop to reach its own.
                let is_within =
                    outside.network.addresses.owner(source.address) == AddressOwner::Loopback;
                let hears = |other| if is_within { other == node } else { loops || other != node };
                let members: Vec<_> = outside.network.groups.members(target.address).collect();
                for other in members.into_iter().filter(|other| hears(*other)) {
                    draft.send_copy(outside, node, other);
                }
            }
            AddressOwner::Node(_)
            | AddressOwner::Loopback
            | AddressOwner::Wildcard
            | AddressOwner::Nobody => {
                let link = outside.network.way(node, target.address);
                let packet = draft.packet(outside.network, link, Some(key));
                if outside.network.send(outside.host, packet, 0) == Sent::Full {
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(data.len()))
    }

    /// Reads a datagram, or as much of it as the buffer holds: the rest is gone. Pends while there is
    /// none.
    ///
    /// # Errors
    /// What came back for a datagram that was sent, once.
    pub(crate) fn receive_from<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        buffer: &mut [u8],
        how: Take,
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let udp = self.udp(key).ok_or_else(|| os(EBADF))?;
        if let Some(error) = udp.take_error() {
            return Poll::Ready(Err(os(error)));
        }
        let Network { chunks, addresses, .. } = &mut *outside.network;
        let Some(first) = udp.first() else { return Poll::Pending };
        let bytes = first.payload.bytes(chunks);
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        let source = udp.shown(addresses, first.source);
        if how == Take::Consume {
            let taken = udp.take(chunks).expect("there is one");
            taken.payload.give_back(chunks);
        }
        Poll::Ready(Ok((count, source)))
    }

    /// Joins a group.
    ///
    /// # Errors
    /// `EINVAL` for an address that is none or of another family, `EADDRINUSE` twice.
    pub(crate) fn join_group<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        node: NodeId,
        key: SocketKey,
        group: IpAddr,
    ) -> io::Result<()> {
        let udp = self.udp(key).ok_or_else(|| os(EBADF))?;
        if !group.is_multicast() || group.is_ipv6() && !udp.is_v6 {
            return Err(os(EINVAL));
        }
        let group = outside.network.addresses.intern(group);
        if udp.groups.contains(&group) {
            return Err(os(EADDRINUSE));
        }
        udp.groups.push(group);
        outside.network.groups.join(group, node);
        Ok(())
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` without having joined.
    pub(crate) fn leave_group<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        node: NodeId,
        key: SocketKey,
        group: IpAddr,
    ) -> io::Result<()> {
        let udp = self.udp(key).ok_or_else(|| os(EBADF))?;
        let group = outside.network.addresses.intern(group);
        let place = udp.groups.iter().position(|known| *known == group);
        udp.groups.remove(place.ok_or_else(|| os(EADDRNOTAVAIL))?);
        outside.network.groups.leave(group, node);
        Ok(())
    }

    /// Sets an option.
    ///
    /// # Errors
    /// `EINVAL` for a time to live outside of 1 to 255.
    pub(crate) fn set_udp_option(&mut self, key: SocketKey, option: UdpOption) -> io::Result<()> {
        let udp = self.udp(key).ok_or_else(|| os(EBADF))?;
        match option {
            UdpOption::Broadcast(is_on) => udp.may_broadcast = is_on,
            UdpOption::MulticastLoopV4(is_on) => udp.loops.v4 = is_on,
            UdpOption::MulticastLoopV6(is_on) => udp.loops.v6 = is_on,
            UdpOption::Ttl(hops) => match u8::try_from(hops) {
                Ok(hops) if hops > 0 => udp.ttl = hops,
                _ => return Err(os(EINVAL)),
            },
        }
        Ok(())
    }

    /// Returns all options.
    ///
    /// # Errors
    /// `EBADF` when it is no datagram socket.
    pub(crate) fn udp_settings(&mut self, key: SocketKey) -> io::Result<UdpSettings> {
        let udp = self.udp(key).ok_or_else(|| os(EBADF))?;
        Ok(UdpSettings {
            may_broadcast: udp.may_broadcast,
            loops_v4: udp.loops.v4,
            loops_v6: udp.loops.v6,
            ttl: udp.ttl.into(),
        })
    }
}

/// A datagram that is to be sent, to one or to many.
#[derive(Clone, Copy, Debug)]
struct Draft<'a> {
    source: Endpoint,
    target: Endpoint,
    is_v4: bool,
    data: &'a [u8],
}

impl Draft<'_> {
    /// Sends one of many copies. What comes of it nobody is told.
    fn send_copy<H: Host>(self, outside: &mut Outside<'_, H>, from: NodeId, to: NodeId) {
        let link = outside.network.link_to(from, to);
        let packet = self.packet(outside.network, link, None);
        outside.network.send(outside.host, packet, 0);
    }

    /// Makes a packet of it, of as many fragments as the link needs.
    fn packet(self, network: &mut Network, link: LinkId, from: Option<SocketKey>) -> Packet {
        let payload = Payload::new(&mut network.chunks, self.data);
        let header = if self.is_v4 { 20 } else { 40 };
        // Each fragment but the last one carries a multiple of 8 bytes; over IPv6 it has a header more.
        let fragment_header = if self.is_v4 { 20 } else { 48 };
        let mtu = usize::from(network.mtu(link));
        let content = UDP_HEADER + self.data.len();
        let (count, size) = if content + header <= mtu {
            (1, content + header)
        } else {
            let count = content.div_ceil((mtu - fragment_header) & !7);
            (count, content + count * fragment_header)
        };
        Packet {
            link,
            source: self.source,
            target: self.target,
            size: u32::try_from(size).expect("a datagram has fewer than 65,536 bytes"),
            count: u16::try_from(count).expect("a fragment has more than 500 bytes"),
            flow: Flow::OF_LINK,
            from,
            body: Body::Datagram(payload),
        }
    }
}

/// Returns where a datagram to an address goes: a wildcard is the own loopback.
fn target_of(udp: &Udp, network: &mut Network, target: SocketAddr) -> io::Result<Endpoint> {
    let mut endpoint = network.addresses.endpoint(target);
    let is_v4 = network.addresses.ip(endpoint.address).is_ipv4();
    match (udp.is_v6, udp.family) {
        (false, _) if target.is_ipv6() => return Err(os(EAFNOSUPPORT)),
        (true, Family::V6) if is_v4 => return Err(os(ENETUNREACH)),
        (true, Family::V4) if !is_v4 => return Err(os(ENETUNREACH)),
        _ => {}
    }
    match network.addresses.owner(endpoint.address) {
        AddressOwner::Wildcard if is_v4 => endpoint.address = AddressId::LOOPBACK_V4,
        AddressOwner::Wildcard => endpoint.address = AddressId::LOOPBACK_V6,
        AddressOwner::Broadcast if !udp.may_broadcast => return Err(os(EACCES)),
        _ => {}
    }
    Ok(endpoint)
}

/// Returns the address that a datagram is sent from.
fn source_of(
    udp: &Udp,
    network: &Network,
    node: NodeId,
    target: AddressId,
) -> io::Result<AddressId> {
    let addresses = &network.addresses;
    let owner = |id| addresses.owner(id);
    // What `connect` has chosen stays until the peer is taken away, also for other targets. A group is
    // nobody's address to send from.
    let is_bound = owner(udp.local.address) == AddressOwner::Loopback
        || matches!(owner(udp.local.address), AddressOwner::Node(_));
    if !is_bound {
        return addresses.source_for(node, target).ok_or_else(|| os(ENETUNREACH));
    }
    let is_within = match owner(target) {
        AddressOwner::Node(other) => other == node,
        AddressOwner::Loopback | AddressOwner::Multicast => true,
        AddressOwner::Broadcast | AddressOwner::Wildcard | AddressOwner::Nobody => false,
    };
    if owner(udp.local.address) == AddressOwner::Loopback && !is_within {
        return Err(os(EINVAL));
    }
    Ok(udp.local.address)
}

/// Most bytes of a datagram: 65,535 less the headers of IP and UDP, over IPv6 less that of UDP alone.
const BYTES_MAX_V4: usize = 65_507;
const BYTES_MAX_V6: usize = 65_527;

const UDP_HEADER: usize = 8;
