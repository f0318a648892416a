//! All sockets of a run.

use std::collections::BTreeMap;
use std::io;

use super::super::arena::{Arena, Key};
use super::super::host::Host;
use super::super::network::{Body, LinkId, Network, Packet};
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
    entries: Arena<(Owner, Socket)>,
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
        Ok(SocketKey(self.entries.insert((owner, socket))))
    }

    pub(crate) fn get(&self, key: SocketKey) -> Option<&Socket> {
        Some(&self.entries.get(key.0)?.1)
    }

    pub(crate) fn get_mut(&mut self, key: SocketKey) -> Option<&mut Socket> {
        Some(&mut self.entries.get_mut(key.0)?.1)
    }

    pub(crate) fn remove(&mut self, key: SocketKey) -> Option<Socket> {
        Some(self.entries.remove(key.0)?.1)
    }

    pub(crate) fn owner(&self, key: SocketKey) -> Option<Owner> {
        Some(self.entries.get(key.0)?.0)
    }

    /// Returns the ports of a machine.
    pub(crate) fn ports(&mut self, node: NodeId) -> &mut PortTable {
        self.ports.entry(node).or_default()
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
