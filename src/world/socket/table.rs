//! All sockets of a run.

use std::collections::BTreeMap;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::task::{Poll, Waker};

use super::super::arena::{Arena, Key};
use super::super::calls::{Side, SocketHandle, Take};
use super::super::host::{Driver, Host};
use super::super::network::{AddressBook, Body, LinkId, Network, Packet};
use super::super::node::{NodeId, Nodes};
use super::super::state::Wakes;
use super::super::tcp::Shutdown;
use super::errors::{EBADF, EMFILE, ENOTCONN, EPIPE, os};
use super::{LookupKey, PortTable, Resolver, Udp, UnixDatagram, UnixListener, UnixStream};
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
pub(crate) enum Socket {
    Udp(Box<Udp>),
    UnixStream(Box<UnixStream>),
    UnixListener(Box<UnixListener>),
    UnixDatagram(Box<UnixDatagram>),
}

/// A socket with what every one of them has.
#[derive(Debug)]
struct Entry {
    node: NodeId,
    /// Whether it counts against the limit of its process: an orphan of the kernel does not, and
    /// neither does a connection that nobody has accepted.
    is_open: bool,
    incarnation: u32,
    /// Its number for points and reports.
    resource: u64,
    socket: Socket,
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
    entries: Arena<Entry>,
    /// How many each machine's process has open, by the number of the machine.
    open_counts: Vec<u32>,
    ports: BTreeMap<NodeId, PortTable>,
    pub(crate) resolver: Resolver,
}

impl Sockets {
    // Of the table

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
        let place = owner.node.index();
        if self.open_counts.len() <= place {
            self.open_counts.resize(place + 1, 0);
        }
        let count = &mut self.open_counts[place];
        if *count >= nodes.get(owner.node).sockets_max {
            return Err(os(EMFILE));
        }
        *count += 1;
        let Owner { node, incarnation } = owner;
        let entry = Entry { node, is_open: true, incarnation, resource: 0, socket };
        Ok(SocketKey(self.entries.insert(entry)))
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

    /// Returns a socket that was just made, as its user holds it, and gives it its number.
    pub(crate) fn handle(&mut self, driver: &Driver<'_>, key: SocketKey) -> SocketHandle {
        let resource = driver.next_resource();
        self.entries.get_mut(key.0).expect("it was just made").resource = resource;
        SocketHandle { key, serial: driver.serial(), resource }
    }

    /// Returns the ports of a machine.
    pub(crate) fn ports(&mut self, node: NodeId) -> &mut PortTable {
        self.ports.entry(node).or_default()
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
            _ => Poll::Ready(Err(os(ENOTCONN))),
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
            _ => Poll::Ready(Err(os(EPIPE))),
        }
    }

    pub(crate) fn shutdown_stream<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        how: Shutdown,
    ) -> io::Result<()> {
        match self.get(key) {
            Some(Socket::UnixStream(_)) => self.shutdown_unix(outside, key, how),
            _ => Err(os(ENOTCONN)),
        }
    }

    /// Tells whether a call of this side would not wait.
    pub(crate) fn is_ready(&self, key: SocketKey, side: Side) -> bool {
        match self.get(key) {
            Some(Socket::Udp(udp)) => side == Side::Write || udp.is_readable(),
            Some(Socket::UnixStream(_) | Socket::UnixListener(_) | Socket::UnixDatagram(_)) => {
                self.is_unix_ready(key, side)
            }
            None => true,
        }
    }

    /// Registers who waits for a side of a socket.
    pub(crate) fn wait_for(
        &mut self,
        key: SocketKey,
        side: Side,
        waiter: (&mut Option<WakeTarget>, &Waker),
    ) {
        match self.get(key) {
            Some(Socket::Udp(_)) => self.wait_for_datagrams(key, side, waiter),
            Some(Socket::UnixStream(_) | Socket::UnixListener(_) | Socket::UnixDatagram(_)) => {
                self.wait_for_unix(key, side, waiter)
            }
            None => {}
        }
    }

    pub(crate) fn local_address(
        &self,
        key: SocketKey,
        addresses: &AddressBook,
    ) -> io::Result<SocketAddr> {
        match self.get(key) {
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
            Some(Socket::Udp(udp)) => udp.peer_address(addresses).ok_or_else(|| os(ENOTCONN)),
            _ => Err(os(EBADF)),
        }
    }

    pub(crate) fn take_error(&mut self, key: SocketKey) -> Option<io::Error> {
        match self.get_mut(key)? {
            Socket::Udp(udp) => udp.take_error().map(os),
            _ => None,
        }
    }

    /// Closes a socket of any kind: its process does not have it any more.
    pub(crate) fn close<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: SocketKey) {
        let Some(node) = self.owner(key).map(|owner| owner.node) else { return };
        self.no_longer_open(key);
        match self.get(key) {
            Some(Socket::Udp(_)) => self.close_udp(outside, node, key),
            Some(Socket::UnixStream(_) | Socket::UnixListener(_) | Socket::UnixDatagram(_)) => {
                self.close_unix(outside, key)
            }
            None => {}
        }
    }

    // From the network

    pub(crate) fn receive<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        node: NodeId,
        packet: Packet,
    ) {
        match packet.body {
            Body::Datagram(_) => self.receive_datagram(outside, node, packet),
            Body::Refused { kind, quoted } => {
                if let Some(key) = packet.from {
                    self.datagram_refused(outside, key, (kind, quoted));
                }
            }
            Body::Segment(_) => panic!("part D"),
        }
    }

    pub(crate) fn on_timer<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: SocketKey) {
        panic!("part D")
    }

    /// A segment to this socket was lost or is kept: `connection.doubt()`, and the weight of its timer.
    pub(crate) fn on_lost<H: Host>(&mut self, outside: &mut Outside<'_, H>, to: SocketKey) {
        let _ = (outside, to);
    }

    /// The queue of a link that held back has room again.
    pub(crate) fn on_room<H: Host>(&mut self, outside: &mut Outside<'_, H>, link: LinkId) {
        for key in outside.network.take_waiting(link) {
            self.datagrams_have_room(outside, key);
        }
    }

    /// A lookup is due.
    pub(crate) fn on_resolved<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: LookupKey) {
        self.resolver.on_due(outside, key);
    }

    // From machines and verbs

    /// A process has ended and its kernel lives: FIN, or RST where data is unread.
    pub(crate) fn close_all<H: Host>(&mut self, outside: &mut Outside<'_, H>, owner: Owner) {
        let _ = (outside, owner);
    }

    /// A machine has lost its power: timers are cancelled, pipes freed, ports free; nothing is sent.
    pub(crate) fn wipe<H: Host>(&mut self, outside: &mut Outside<'_, H>, node: NodeId) {
        let _ = (outside, node);
    }

    /// Rules, options or machines have changed: doubts for the few background probers.
    pub(crate) fn path_changed<H: Host>(&mut self, outside: &mut Outside<'_, H>) {
        let _ = outside;
    }

    /// Resets each connection from one of these machines to one of those, as a middle box would.
    pub(crate) fn reset_between<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        from: &[NodeId],
        to: &[NodeId],
    ) -> usize {
        panic!("part D")
    }

    /// Returns what reports call the socket with this resource number: `c1:40001->r0:80`.
    pub(crate) fn name_of(
        &self,
        resource: u64,
        network: &Network,
        nodes: &Nodes,
    ) -> Option<String> {
        let _ = (resource, network, nodes);
        None
    }
}
