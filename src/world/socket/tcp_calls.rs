//! What programs ask of TCP sockets.
//!
//! Errors and their order are those of Linux; the conformance tests say which of them were measured.

use std::collections::BTreeSet;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::task::Poll;

use super::super::calls::{Side, Take, TcpOptions};
use super::super::host::Host;
use super::super::network::{AddressId, AddressOwner, Call, Endpoint, Network};
use super::super::node::NodeId;
use super::super::tcp::{Connection, Shutdown, Tuning};
use super::connection::{ConnectionSocket, Ends, Marks};
use super::errors::{
    EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL, ENETUNREACH, ENOTCONN, EPIPE, os,
};
use super::listener::{BoundSocket, Listener};
use super::ports::{EPHEMERAL_FIRST, EPHEMERAL_LAST};
use super::{Bound, Family, Outside, Owner, Protocol, Socket, SocketKey, Sockets};

impl Sockets {
    // Making

    /// Makes a socket that is bound.
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` for an address that is not the machine's, `EADDRINUSE`, `EMFILE`, `EINVAL` for
    /// a bad option.
    pub(crate) fn bind_tcp<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        owner: Owner,
        options: &TcpOptions,
        local: SocketAddr,
    ) -> io::Result<SocketKey> {
        self.check_limit(outside.nodes, owner.node)?;
        options.check()?;
        self.sweep(outside);
        let addresses = &mut outside.network.addresses;
        let mut endpoint = addresses.endpoint(local);
        if !addresses.is_local(owner.node, endpoint.address) {
            return Err(os(EADDRNOTAVAIL));
        }
        let is_wildcard = addresses.owner(endpoint.address) == AddressOwner::Wildcard;
        let is_v6 = local.is_ipv6();
        let family = match (is_v6, addresses.ip(endpoint.address).is_ipv4()) {
            (true, false) if is_wildcard && !options.only_v6 => Family::Dual,
            (_, is_v4) => {
                if is_v4 {
                    Family::V4
                } else {
                    Family::V6
                }
            }
        };
        let bound = BoundSocket { local: endpoint, is_v6, options: *options };
        let key = self.insert(outside.nodes, owner, Socket::Bound(Box::new(bound)))?;
        let bound = Bound {
            address: (!is_wildcard).then_some(endpoint.address),
            family,
            reuse: options.reuse_address,
            is_listening: false,
            socket: key,
        };
        match self.bind_port(outside.network, owner.node, endpoint.port, bound) {
            Ok(port) => {
                endpoint.port = port;
                if let Some(Socket::Bound(bound)) = self.get_mut(key) {
                    bound.local = endpoint;
                }
                Ok(key)
            }
            Err(error) => {
                self.remove(key);
                Err(error)
            }
        }
    }

    /// Binds a port unless a connection has it that does not share it.
    fn bind_port(
        &mut self,
        network: &Network,
        node: NodeId,
        port: u16,
        bound: Bound,
    ) -> io::Result<u16> {
        let has_connections = port != 0 && self.ports(node).has_connections(port);
        if has_connections && self.has_conflict(network, node, port, &bound) {
            return Err(os(EADDRINUSE));
        }
        self.ports(node).bind(Protocol::Tcp, port, bound)
    }

    fn has_conflict(&self, network: &Network, node: NodeId, port: u16, bound: &Bound) -> bool {
        self.connections_of(node).any(|(_, other)| {
            let is_v4 = network.addresses.ip(other.local().address).is_ipv4();
            let is_meant = bound.address.is_none_or(|address| address == other.local().address);
            let is_shared = bound.reuse && other.has(Marks::REUSE);
            other.has(Marks::HAS_PORT)
                && other.local().port == port
                && is_meant
                && bound.family.has(is_v4)
                && !is_shared
        })
    }

    /// Has a bound socket listen.
    ///
    /// # Errors
    /// `EADDRINUSE` when another listens; `EINVAL` for a connection.
    pub(crate) fn listen_tcp(&mut self, key: SocketKey, backlog: u32) -> io::Result<()> {
        let node = self.owner(key).ok_or_else(|| os(EINVAL))?.node;
        // As Linux: the number is a limit of the machine's at most (`net.core.somaxconn`).
        let backlog = backlog.min(BACKLOG_MAX);
        let bound = match self.get_mut(key) {
            Some(Socket::Bound(bound)) => **bound,
            Some(Socket::Listener(listener)) => {
                listener.backlog.set_limit(backlog);
                return Ok(());
            }
            _ => return Err(os(EINVAL)),
        };
        self.ports(node).listen(bound.local.port, key)?;
        *self.get_mut(key).expect("it was found") =
            Socket::Listener(Box::new(Listener::new(bound, backlog)));
        Ok(())
    }

    /// Begins to connect, from a bound socket, which becomes the connection, or from a new one.
    ///
    /// # Errors
    /// `EAFNOSUPPORT`, `ENETUNREACH` for an address that cannot be connected to, `EINVAL` for one that
    /// is not reached from a loopback address; `EADDRNOTAVAIL` when there is no port for it, `EMFILE`.
    pub(crate) fn connect_tcp<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        (owner, bound): (Owner, Option<SocketKey>),
        options: &TcpOptions,
        remote: SocketAddr,
    ) -> io::Result<SocketKey> {
        let node = owner.node;
        if bound.is_none() {
            self.check_limit(outside.nodes, node)?;
        }
        options.check()?;
        self.sweep(outside);
        let held = match bound {
            None => None,
            Some(key) => match self.get(key) {
                Some(Socket::Bound(held)) => Some((key, **held)),
                _ => return Err(os(EINVAL)),
            },
        };
        let is_v6 = held.map_or(remote.is_ipv6(), |(_, held)| held.is_v6);
        if is_v6 != remote.is_ipv6() {
            return Err(os(EAFNOSUPPORT));
        }
        let remote = target_of(outside.network, remote, options.only_v6)?;
        let source = held.map(|(_, held)| held.local.address);
        let address = source_of(outside.network, node, source, remote.address)?;
        let port = match held {
            Some((_, held)) => {
                let local = Endpoint { address, port: held.local.port };
                if self.is_connected(node, local, remote) {
                    return Err(os(EADDRNOTAVAIL));
                }
                held.local.port
            }
            None => self.port_for(node, remote).ok_or_else(|| os(EADDRNOTAVAIL))?,
        };
        let local = Endpoint { address, port };
        let path = outside.network.path(node, remote.address);
        let now = outside.host.now().as_nanos();
        let machine = Connection::connect(now, &options.tuning());
        let stream = outside.network.new_flow(outside.host, path.link, remote.port);
        let ends = Ends { local, remote, is_v6 };
        let mut socket = ConnectionSocket::new(machine, ends, options, (stream, path));
        let key = match held {
            Some((key, _)) => {
                socket.mark(Marks::BOUND, true);
                *self.get_mut(key).expect("it was found") = Socket::Connection(socket);
                key
            }
            None => {
                socket.mark(Marks::HAS_PORT, true);
                let key = self.insert(outside.nodes, owner, Socket::Connection(socket))?;
                self.ports(node).connect(port);
                key
            }
        };
        self.opening.insert((node, local, remote), key);
        self.pump(outside, key);
        Ok(key)
    }

    /// Returns a port to connect from: one that nobody has, else one whose connections all lead to
    /// other places.
    fn port_for(&mut self, node: NodeId, remote: Endpoint) -> Option<u16> {
        if let Some(port) = self.ports(node).ephemeral(Protocol::Tcp) {
            return Some(port);
        }
        let to_there = self.connections_of(node).filter(|(_, other)| other.leads_to(remote));
        let taken: BTreeSet<u16> = to_there.map(|(_, other)| other.local().port).collect();
        let ports = self.ports(node);
        (EPHEMERAL_FIRST..=EPHEMERAL_LAST)
            .find(|port| !taken.contains(port) && ports.bound(Protocol::Tcp, *port).is_empty())
    }

    fn is_connected(&self, node: NodeId, local: Endpoint, remote: Endpoint) -> bool {
        self.connections_of(node).any(|(_, other)| other.local() == local && other.leads_to(remote))
    }

    // Waiting for the other side

    /// Tells whether a connection is established.
    ///
    /// # Errors
    /// Why it is not and will not be.
    pub(crate) fn connected_tcp(&mut self, key: SocketKey) -> Poll<io::Result<()>> {
        let Some(socket) = self.connection_mut(key) else {
            return Poll::Ready(Err(os(ENOTCONN)));
        };
        if socket.machine.state().is_opening() {
            return Poll::Pending;
        }
        Poll::Ready(socket.machine.take_error().map_or(Ok(()), |error| Err(error.into())))
    }

    /// Takes the connection that has waited longest.
    ///
    /// # Errors
    /// `EINVAL` for a socket that does not listen. `EMFILE`, also when there is no connection: one that
    /// comes stays in the queue.
    pub(crate) fn accept_tcp<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
    ) -> Poll<io::Result<(SocketKey, SocketAddr)>> {
        let Some(Socket::Listener(listener)) = self.get(key) else {
            return Poll::Ready(Err(os(EINVAL)));
        };
        let child = listener.queue.front().copied();
        let node = self.owner(key).ok_or_else(|| os(EINVAL))?.node;
        self.check_limit(outside.nodes, node)?;
        let Some(child) = child else { return Poll::Pending };
        self.open_child(child);
        if let Some(Socket::Listener(listener)) = self.get_mut(key) {
            listener.queue.pop_front();
            listener.backlog.on_accept();
        }
        self.parents.remove(&child);
        let socket = self.connection_mut(child).expect("what is in the queue exists");
        let remote = socket.shown(&outside.network.addresses, socket.remote());
        Poll::Ready(Ok((child, remote)))
    }

    // Bytes

    /// Reads what there is, as much as the buffers hold. Buffers without room read when there is
    /// something, or the end.
    pub(super) fn read_tcp<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        buffers: &mut [IoSliceMut<'_>],
        how: Take,
    ) -> Poll<io::Result<usize>> {
        let Some(Socket::Connection(socket)) = self.entries.get_mut(key.0).map(|e| &mut e.socket)
        else {
            return Poll::Ready(Err(os(ENOTCONN)));
        };
        let readable = socket.machine.readable();
        if readable == 0 {
            return match socket.machine.read_end() {
                Some(Ok(())) => Poll::Ready(Ok(0)),
                Some(Err(error)) => Poll::Ready(Err(error.into())),
                None => Poll::Pending,
            };
        }
        let room = buffers.iter().map(|buffer| buffer.len()).sum();
        let count = readable.min(room);
        if count == 0 {
            return Poll::Ready(Ok(0));
        }
        let incoming = socket.incoming.expect("what can be read is in a pipe");
        // A peek is never short: it comes back to the same bytes, so it would stay short for ever.
        let count = if how == Take::Consume {
            let place = (socket.stream, self.pipes.get(incoming).read_place());
            outside.network.shorten(outside.host, Call::Read, place, count)
        } else {
            count
        };
        self.pipes.get(incoming).copy_to(&outside.network.chunks, count, buffers);
        if how == Take::Consume {
            self.pipes.advance(&mut outside.network.chunks, incoming, count);
            socket.machine.read(outside.host.now().as_nanos(), count);
            if socket.machine.has_to_acknowledge() {
                self.pump(outside, key);
            }
        }
        Poll::Ready(Ok(count))
    }

    /// Writes as much as there is room for.
    pub(super) fn write_tcp<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Some(socket) = self.connection_mut(key) else {
            return Poll::Ready(Err(os(EPIPE)));
        };
        if let Some(error) = socket.machine.write_end() {
            return Poll::Ready(Err(error.into()));
        }
        let total: usize = buffers.iter().map(|buffer| buffer.len()).sum();
        if total == 0 && !socket.machine.state().is_opening() {
            return Poll::Ready(Ok(0));
        }
        let count = total.min(socket.machine.send_room());
        if count == 0 {
            return Poll::Pending;
        }
        let stream = socket.stream;
        let outgoing = match socket.outgoing {
            Some(pipe) => pipe,
            None => self.open_outgoing(key),
        };
        let place = (stream, self.pipes.get(outgoing).write_place());
        let count = outside.network.shorten(outside.host, Call::Write, place, count);
        // Nothing looks at the machine and the pipe before both know of it.
        self.connection_mut(key).expect("it is there").machine.wrote(count);
        let (pipe, mut left) = (self.pipes.get_mut(outgoing), count);
        for buffer in buffers {
            let part = buffer.len().min(left);
            pipe.write(&mut outside.network.chunks, &buffer[..part]);
            left -= part;
        }
        self.pump(outside, key);
        Poll::Ready(Ok(count))
    }

    pub(super) fn shutdown_tcp<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        how: Shutdown,
    ) -> io::Result<()> {
        let socket = self.connection_mut(key).ok_or_else(|| os(ENOTCONN))?;
        socket.machine.shutdown(how)?;
        if how != Shutdown::Write {
            socket.waiters.wake(Side::Read, outside.wakes);
        }
        if how != Shutdown::Read {
            socket.waiters.wake(Side::Write, outside.wakes);
        }
        self.pump(outside, key);
        Ok(())
    }

    // Options

    /// Returns the options of a socket of TCP of any kind.
    ///
    /// # Errors
    /// `EINVAL` for any other socket.
    pub(crate) fn tcp_options(&self, key: SocketKey) -> io::Result<TcpOptions> {
        match self.get(key) {
            Some(Socket::Bound(bound)) => Ok(bound.options),
            Some(Socket::Listener(listener)) => Ok(listener.bound.options),
            Some(Socket::Connection(socket)) => Ok(socket.options()),
            _ => Err(os(EINVAL)),
        }
    }

    /// Sets the options of a socket of TCP, as far as they can still be changed.
    ///
    /// # Errors
    /// `EINVAL` for a time to live outside of 1 to 255.
    pub(crate) fn set_tcp_options<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        options: &TcpOptions,
    ) -> io::Result<()> {
        options.check()?;
        let node = self.owner(key).ok_or_else(|| os(EINVAL))?.node;
        match self.get_mut(key) {
            Some(Socket::Bound(bound)) => {
                bound.options = *options;
                let port = bound.local.port;
                self.ports(node).set_reuse(port, key, options.reuse_address);
            }
            Some(Socket::Listener(listener)) => listener.bound.options = *options,
            Some(Socket::Connection(socket)) => {
                socket.set_options(options);
                // What has waited for more to be sent with it may go now.
                self.pump(outside, key);
            }
            _ => return Err(os(EINVAL)),
        }
        Ok(())
    }
}

impl TcpOptions {
    /// # Errors
    /// `EINVAL` for a time to live outside of 1 to 255.
    fn check(&self) -> io::Result<()> {
        if (1..=255).contains(&self.ttl) { Ok(()) } else { Err(os(EINVAL)) }
    }

    /// Returns what a machine has to know of them.
    pub(super) fn tuning(&self) -> Tuning {
        let usual = Tuning::default();
        let doubled = |asked: Option<u32>, least: u32, default: u32| {
            asked.map_or(default, |asked| (2 * asked.min(BUFFER_ASKED_MAX)).max(least))
        };
        let nanos = |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Tuning {
            send_buffer: doubled(self.send_buffer, SEND_BUFFER_MIN, usual.send_buffer),
            receive_buffer: doubled(self.receive_buffer, RECEIVE_BUFFER_MIN, usual.receive_buffer),
            nodelay: self.nodelay,
            keepalive: self.keepalive,
            user_timeout: self.user_timeout.map_or(0, nanos),
        }
    }

    /// Returns the options that give this tuning.
    pub(super) fn of_tuning(tuning: &Tuning) -> Self {
        let usual = Tuning::default();
        let asked = |size: u32, default: u32| (size != default).then_some(size / 2);
        let user_timeout = (tuning.user_timeout > 0).then_some(tuning.user_timeout);
        let Tuning { nodelay, keepalive, .. } = *tuning;
        Self {
            nodelay,
            keepalive,
            user_timeout: user_timeout.map(std::time::Duration::from_nanos),
            send_buffer: asked(tuning.send_buffer, usual.send_buffer),
            receive_buffer: asked(tuning.receive_buffer, usual.receive_buffer),
            ..Self::default()
        }
    }
}

/// Returns where a connection to an address goes: a wildcard is the own loopback.
fn target_of(network: &mut Network, remote: SocketAddr, only_v6: bool) -> io::Result<Endpoint> {
    let mut target = network.addresses.endpoint(remote);
    let is_v4 = network.addresses.ip(target.address).is_ipv4();
    if only_v6 && is_v4 && remote.is_ipv6() {
        return Err(os(ENETUNREACH));
    }
    match network.addresses.owner(target.address) {
        AddressOwner::Wildcard if is_v4 => target.address = AddressId::LOOPBACK_V4,
        AddressOwner::Wildcard => target.address = AddressId::LOOPBACK_V6,
        AddressOwner::Broadcast | AddressOwner::Multicast => return Err(os(ENETUNREACH)),
        AddressOwner::Node(_) | AddressOwner::Loopback | AddressOwner::Nobody => {}
    }
    Ok(target)
}

/// Returns the address to connect from.
fn source_of(
    network: &Network,
    node: NodeId,
    bound: Option<AddressId>,
    target: AddressId,
) -> io::Result<AddressId> {
    let addresses = &network.addresses;
    let is_wild = |id| addresses.owner(id) == AddressOwner::Wildcard;
    let Some(source) = bound.filter(|id| !is_wild(*id)) else {
        return addresses.source_for(node, target).ok_or_else(|| os(ENETUNREACH));
    };
    if addresses.ip(source).is_ipv4() != addresses.ip(target).is_ipv4() {
        return Err(os(ENETUNREACH));
    }
    let is_within = addresses.is_local(node, target);
    if addresses.owner(source) == AddressOwner::Loopback && !is_within {
        return Err(os(EINVAL));
    }
    Ok(source)
}

/// `net.core.somaxconn`.
const BACKLOG_MAX: u32 = 4_096;

/// `net.core.wmem_max` and `rmem_max`: more is not given, whatever is asked for.
const BUFFER_ASKED_MAX: u32 = 212_992;

/// `SOCK_MIN_SNDBUF` and `SOCK_MIN_RCVBUF` of Linux.
const SEND_BUFFER_MIN: u32 = 4_608;
const RECEIVE_BUFFER_MIN: u32 = 2_304;
