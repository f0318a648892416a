//! All sockets of a run.

use std::io;

use super::super::arena::Key;
use super::super::host::Host;
use super::super::network::{LinkId, Network, Packet};
use super::super::node::{NodeId, Nodes};
use super::super::state::Wakes;
use super::{LookupKey, PortTable, Resolver, Udp, UnixDatagram, UnixListener, UnixStream};

/// Names a socket of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SocketKey(pub(crate) Key);

/// One process of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner {
    pub(crate) node: NodeId,
    pub(crate) incarnation: u32,
}

/// One socket. Connections and listeners are part D's.
#[derive(Debug)]
pub(crate) enum Socket {
    Udp(Box<Udp>),
    UnixStream(Box<UnixStream>),
    UnixListener(Box<UnixListener>),
    UnixDatagram(Box<UnixDatagram>),
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
        panic!("part D")
    }

    pub(crate) fn get(&self, key: SocketKey) -> Option<&Socket> {
        panic!("part D")
    }

    pub(crate) fn get_mut(&mut self, key: SocketKey) -> Option<&mut Socket> {
        panic!("part D")
    }

    pub(crate) fn remove(&mut self, key: SocketKey) -> Option<Socket> {
        panic!("part D")
    }

    pub(crate) fn owner(&self, key: SocketKey) -> Option<Owner> {
        panic!("part D")
    }

    /// Returns the ports of a machine.
    pub(crate) fn ports(&mut self, node: NodeId) -> &mut PortTable {
        panic!("part D")
    }

    // From the network

    pub(crate) fn receive<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        node: NodeId,
        packet: Packet,
    ) {
        panic!("part D")
    }

    pub(crate) fn on_timer<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: SocketKey) {
        panic!("part D")
    }

    /// A segment to this socket was lost or is kept: `connection.doubt()`, and the weight of its timer.
    pub(crate) fn on_lost<H: Host>(&mut self, outside: &mut Outside<'_, H>, to: SocketKey) {
        panic!("part D")
    }

    /// The queue of a link that held back has room again.
    pub(crate) fn on_room<H: Host>(&mut self, outside: &mut Outside<'_, H>, link: LinkId) {
        panic!("part D")
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
