//! All sockets of a run.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::task::{Poll, Waker};

use super::super::arena::{Arena, Key};
use super::super::calls::{Side, SocketHandle, Take};
use super::super::host::{Driver, Host};
use super::super::network::{AddressBook, AddressOwner, Body, Endpoint, LinkId, Network, Packet};
use super::super::node::{NodeId, Nodes};
use super::super::state::Wakes;
use super::super::tcp::Shutdown;
use super::connection::ConnectionSocket;
use super::errors::{EBADF, EMFILE, ENOTCONN, os};
use super::listener::{BoundSocket, Listener};
use super::pipe::Pipes;
use super::{
    LookupKey, PortTable, Protocol, Resolver, Udp, UnixDatagram, UnixListener, UnixPaths,
    UnixStream,
};
use crate::executor::WakeTarget;

/// Names a socket of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SocketKey(pub(crate) Key);

/// One process of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner {
    pub(crate) node: NodeId,
    pub(crate) incarnation: u32,
}

/// One socket.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are connections, which lie in the table")]
pub(crate) enum Socket {
    Connection(ConnectionSocket),
    Bound(Box<BoundSocket>),
    Listener(Box<Listener>),
    Udp(Box<Udp>),
    UnixStream(Box<UnixStream>),
    UnixListener(Box<UnixListener>),
    UnixDatagram(Box<UnixDatagram>),
}

/// A socket with what every one of them has.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) node: NodeId,
    /// Whether it counts against the limit of its process: an orphan of the kernel does not, and
    /// neither does a connection that nobody has accepted.
    pub(super) is_open: bool,
    incarnation: u32,
    /// Its number for points and reports.
    pub(super) resource: u64,
    pub(super) socket: Socket,
}

/// What sockets act with.
#[derive(Debug)]
pub(crate) struct Outside<'a, H> {
    pub(crate) host: &'a mut H,
    pub(crate) network: &'a mut Network,
    pub(crate) nodes: &'a mut Nodes,
    pub(crate) wakes: &'a mut Wakes,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    pub(super) entries: Arena<Entry>,
    /// How many each machine's process has open, by the number of the machine.
    open_counts: Vec<u32>,
    /// By the number of the machine.
    pub(super) ports: Vec<PortTable>,
    pub(super) pipes: Pipes,
    /// Sockets for which segments were lost, and who have not been told yet.
    pub(super) lost: Vec<SocketKey>,
    /// Connections that are being opened from here, by machine and both ends.
    pub(super) opening: BTreeMap<(NodeId, Endpoint, Endpoint), SocketKey>,
    /// The listener of each connection that nobody has accepted yet.
    pub(super) parents: BTreeMap<SocketKey, SocketKey>,
    /// Connections that only wait, by when they are over.
    pub(super) waiting: BTreeSet<(u64, SocketKey)>,
    /// Connections whose events change nothing as long as the network does not.
    pub(super) probers: Vec<SocketKey>,
    pub(super) unix_paths: UnixPaths,
    pub(crate) resolver: Resolver,
}

impl Sockets {
    // Of the table

    /// Looks whether a process may have another socket. As on Linux that comes before all else that may be
    /// wrong with a call: the number of the socket is taken first.
    ///
    /// # Errors
    /// `EMFILE` when the process has as many as it may have.
    pub(super) fn check_limit(&self, nodes: &Nodes, node: NodeId) -> io::Result<()> {
        let is_free = self.open_count(node) < nodes.get(node).sockets_max;
        if is_free { Ok(()) } else { Err(os(EMFILE)) }
    }

    /// Adds a socket; it counts as open.
    ///
    /// # Errors
    /// `EMFILE` when the process has as many as it may have.
    pub(crate) fn insert(
        &mut self,
        nodes: &Nodes,
        owner: Owner,
        socket: Socket,
    ) -> io::Result<SocketKey> {
        self.check_limit(nodes, owner.node)?;
        *self.open_count_mut(owner.node) += 1;
        let Owner { node, incarnation } = owner;
        let entry = Entry { node, is_open: true, incarnation, resource: 0, socket };
        Ok(SocketKey(self.entries.insert(entry)))
    }

    /// Adds a connection that a listener has made; it counts when it is accepted.
    pub(super) fn insert_child(&mut self, owner: Owner, socket: Socket) -> SocketKey {
        let Owner { node, incarnation } = owner;
        let entry = Entry { node, is_open: false, incarnation, resource: 0, socket };
        SocketKey(self.entries.insert(entry))
    }

    /// Counts a connection that is accepted.
    pub(super) fn open_child(&mut self, child: SocketKey) {
        let entry = self.entries.get_mut(child.0).expect("what is in a queue exists");
        entry.is_open = true;
        let node = entry.node;
        *self.open_count_mut(node) += 1;
    }

    fn open_count_mut(&mut self, node: NodeId) -> &mut u32 {
        let place = node.index();
        if self.open_counts.len() <= place {
            self.open_counts.resize(place + 1, 0);
        }
        &mut self.open_counts[place]
    }

    /// Returns how many sockets there are, of all machines and kinds.
    #[cfg(test)]
    pub(crate) fn entries_count(&self) -> usize {
        self.entries.count()
    }

    /// Returns how many are told of each change of the network.
    #[cfg(test)]
    pub(crate) fn probers_count(&self) -> usize {
        self.probers.len()
    }

    /// Returns how many sockets the process of a machine has open.
    pub(super) fn open_count(&self, node: NodeId) -> u32 {
        self.open_counts.get(node.index()).copied().unwrap_or_default()
    }

    /// Returns the connections of a machine, those of its kernel too.
    pub(super) fn connections_of(
        &self,
        node: NodeId,
    ) -> impl Iterator<Item = (SocketKey, &ConnectionSocket)> {
        let own = self.entries.iter().filter(move |(_, entry)| entry.node == node);
        own.filter_map(|(key, entry)| match &entry.socket {
            Socket::Connection(socket) => Some((SocketKey(key), socket)),
            _ => None,
        })
    }

    #[inline]
    pub(crate) fn get(&self, key: SocketKey) -> Option<&Socket> {
        Some(&self.entries.get(key.0)?.socket)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: SocketKey) -> Option<&mut Socket> {
        Some(&mut self.entries.get_mut(key.0)?.socket)
    }

    /// Takes a socket out of the table.
    pub(crate) fn remove(&mut self, key: SocketKey) -> Option<Socket> {
        self.no_longer_open(key);
        Some(self.entries.remove(key.0)?.socket)
    }

    /// The process does not have it any more.
    fn no_longer_open(&mut self, key: SocketKey) {
        if let Some(entry) = self.entries.get_mut(key.0)
            && entry.is_open
        {
            entry.is_open = false;
            self.open_counts[entry.node.index()] -= 1;
        }
    }

    #[inline]
    pub(crate) fn owner(&self, key: SocketKey) -> Option<Owner> {
        let Entry { node, incarnation, .. } = *self.entries.get(key.0)?;
        Some(Owner { node, incarnation })
    }

    /// Returns a socket as its user holds it, and gives it its number if it has none yet.
    pub(crate) fn handle(&mut self, driver: &Driver<'_>, key: SocketKey) -> SocketHandle {
        let entry = self.entries.get_mut(key.0).expect("it was just made");
        if entry.resource == 0 {
            entry.resource = driver.next_resource();
        }
        let resource = entry.resource;
        SocketHandle { key, serial: driver.serial(), resource }
    }

    /// Returns the ports of a machine.
    pub(crate) fn ports(&mut self, node: NodeId) -> &mut PortTable {
        if self.ports.len() <= node.index() {
            self.ports.resize_with(node.index() + 1, PortTable::default);
        }
        &mut self.ports[node.index()]
    }

    // Calls that more than one kind of socket has

    pub(crate) fn read_stream<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        buffers: &mut [IoSliceMut<'_>],
        how: Take,
    ) -> Poll<io::Result<usize>> {
        match self.get(key) {
            Some(Socket::UnixStream(_)) => self.read_unix(outside, key, buffers, how),
            _ => self.read_tcp(outside, key, buffers, how),
        }
    }

    pub(crate) fn write_stream<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get(key) {
            Some(Socket::UnixStream(_)) => self.write_unix(outside, key, buffers),
            _ => self.write_tcp(outside, key, buffers),
        }
    }

    pub(crate) fn shutdown_stream<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        how: Shutdown,
    ) -> io::Result<()> {
        match self.get(key) {
            Some(Socket::Connection(_)) => self.shutdown_tcp(outside, key, how),
            Some(Socket::UnixStream(_)) => self.shutdown_unix(outside, key, how),
            _ => Err(os(ENOTCONN)),
        }
    }

    /// Tells whether a call of this side would not wait.
    pub(crate) fn is_ready(&self, key: SocketKey, side: Side) -> bool {
        match self.get(key) {
            Some(Socket::Connection(socket)) => match side {
                Side::Read => socket.machine.is_readable(),
                Side::Write => socket.machine.is_writable(),
            },
            Some(Socket::Listener(listener)) => side == Side::Write || !listener.queue.is_empty(),
            Some(Socket::Udp(udp)) => side == Side::Write || udp.is_readable(),
            Some(Socket::UnixStream(_) | Socket::UnixListener(_) | Socket::UnixDatagram(_)) => {
                self.is_unix_ready(key, side)
            }
            Some(Socket::Bound(_)) | None => true,
        }
    }

    /// Registers who waits for a side of a socket.
    pub(crate) fn wait_for(
        &mut self,
        key: SocketKey,
        side: Side,
        waiter: (&mut Option<WakeTarget>, &Waker),
    ) {
        let (target, waker) = waiter;
        match self.get_mut(key) {
            Some(Socket::Connection(socket)) => socket.waiters.add(side, target, waker),
            Some(Socket::Listener(listener)) => listener.waiters.add(target, waker),
            Some(Socket::Udp(_)) => self.wait_for_datagrams(key, side, (target, waker)),
            Some(Socket::UnixStream(_) | Socket::UnixListener(_) | Socket::UnixDatagram(_)) => {
                self.wait_for_unix(key, side, (target, waker));
            }
            Some(Socket::Bound(_)) | None => {}
        }
    }

    pub(crate) fn local_address(
        &self,
        key: SocketKey,
        addresses: &AddressBook,
    ) -> io::Result<SocketAddr> {
        match self.get(key) {
            Some(Socket::Connection(socket)) => Ok(socket.shown(addresses, socket.local())),
            Some(Socket::Bound(bound)) => Ok(addresses.shown(bound.local, bound.is_v6)),
            Some(Socket::Listener(listener)) => {
                let BoundSocket { local, is_v6, .. } = listener.bound;
                Ok(addresses.shown(local, is_v6))
            }
            Some(Socket::Udp(udp)) => Ok(udp.local_address(addresses)),
            _ => Err(os(EBADF)),
        }
    }

    pub(crate) fn peer_address(
        &self,
        key: SocketKey,
        addresses: &AddressBook,
    ) -> io::Result<SocketAddr> {
        match self.get(key) {
            Some(Socket::Connection(socket)) if !socket.machine.has_peer() => Err(os(ENOTCONN)),
            Some(Socket::Connection(socket)) => Ok(socket.shown(addresses, socket.remote())),
            Some(Socket::Udp(udp)) => udp.peer_address(addresses).ok_or_else(|| os(ENOTCONN)),
            _ => Err(os(ENOTCONN)),
        }
    }

    pub(crate) fn take_error(&mut self, key: SocketKey) -> Option<io::Error> {
        match self.get_mut(key)? {
            Socket::Connection(socket) => socket.machine.take_error().map(io::Error::from),
            Socket::Udp(udp) => udp.take_error().map(os),
            _ => None,
        }
    }

    /// Closes a socket of any kind: its process does not have it any more.
    pub(crate) fn close<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: SocketKey) {
        let Some(node) = self.owner(key).map(|owner| owner.node) else { return };
        self.no_longer_open(key);
        match self.get_mut(key) {
            Some(Socket::Connection(socket)) => {
                socket.waiters.let_go(outside.wakes);
                let (now, linger) = (outside.host.now().as_nanos(), socket.linger());
                let effects = socket.machine.close(now, linger);
                self.leave_incoming(outside, key);
                self.follow(outside, key, effects);
            }
            Some(Socket::Listener(_)) => self.close_listener(outside, node, key),
            Some(Socket::Bound(bound)) => {
                let port = bound.local.port;
                self.ports(node).unbind(Protocol::Tcp, port, key);
                self.remove(key);
            }
            Some(Socket::Udp(_)) => self.close_udp(outside, node, key),
            Some(Socket::UnixStream(_) | Socket::UnixListener(_) | Socket::UnixDatagram(_)) => {
                self.close_unix(outside, key);
            }
            None => {}
        }
    }

    // From the network

    /// A packet has come to a machine.
    pub(crate) fn receive<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        node: NodeId,
        packet: Packet,
    ) {
        match packet.body {
            Body::Segment(segment) => self.receive_segment(outside, node, &packet, &segment),
            Body::Datagram(_) => self.receive_datagram(outside, node, packet),
            Body::Refused { kind, quoted } => {
                let Some(key) = packet.from else { return };
                match self.get(key) {
                    Some(Socket::Connection(_)) => self.tcp_refused(outside, key),
                    _ => self.datagram_refused(outside, key, (kind, quoted)),
                }
            }
        }
    }

    /// The queue of a link that held back has room again.
    pub(crate) fn on_room<H: Host>(&mut self, outside: &mut Outside<'_, H>, link: LinkId) {
        let mut waiting = VecDeque::from(outside.network.take_waiting(link));
        while let Some(key) = waiting.pop_front() {
            match self.get(key) {
                Some(Socket::Connection(_)) => self.on_room_for(outside, key),
                _ => self.datagrams_have_room(outside, key),
            }
            if outside.network.is_waited_for(link) {
                // It is full again: who has had a turn stands behind those who have not.
                outside.network.wait_first(link, waiting);
                return;
            }
        }
    }

    /// A lookup is due.
    pub(crate) fn on_resolved<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: LookupKey) {
        self.resolver.on_due(outside, key);
    }

    // For reports

    /// Returns what reports call the socket with this resource number: `c1:40001->r0:80`.
    pub(crate) fn name_of(
        &self,
        resource: u64,
        network: &Network,
        nodes: &Nodes,
    ) -> Option<String> {
        let (_, entry) = self.entries.iter().find(|(_, entry)| entry.resource == resource)?;
        let place = |endpoint: Endpoint| {
            let name = match network.addresses.owner(endpoint.address) {
                AddressOwner::Node(node) => nodes.get(node).name.to_string(),
                AddressOwner::Loopback | AddressOwner::Wildcard => {
                    nodes.get(entry.node).name.to_string()
                }
                _ => network.addresses.ip(endpoint.address).to_string(),
            };
            format!("{name}:{}", endpoint.port)
        };
        match &entry.socket {
            Socket::Connection(socket) => {
                Some(format!("{}->{}", place(socket.local()), place(socket.remote())))
            }
            Socket::Bound(bound) => Some(place(bound.local)),
            Socket::Listener(listener) => Some(place(listener.bound.local)),
            Socket::Udp(udp) => Some(place(udp.local)),
            Socket::UnixStream(_) | Socket::UnixListener(_) | Socket::UnixDatagram(_) => None,
        }
    }
}

const _: () = assert!(size_of::<Option<Entry>>() <= 240, "memory of an idle connection");
