//! What becomes of the sockets of a machine when its process or its power ends, and of connections that
//! a box on the way resets.

use std::collections::BTreeSet;

use super::super::host::Host;
use super::super::network::AddressOwner;
use super::super::node::NodeId;
use super::super::tcp::Segment;
use super::connection::stray;
use super::tcp_events::RIGHT_NUMBER;
use super::{Outside, Owner, Protocol, Socket, SocketKey, Sockets};

impl Sockets {
    /// A process has ended and its kernel lives: it closes what the process had open. Peers see a FIN,
    /// or a RST where something was not read.
    pub(crate) fn close_all<H: Host>(&mut self, outside: &mut Outside<'_, H>, owner: Owner) {
        for key in self.keys(|entry_owner, is_open| entry_owner == owner && is_open) {
            self.close(outside, key);
        }
    }

    /// A machine has lost its power: what it had is gone, and nothing is sent.
    pub(crate) fn wipe<H: Host>(&mut self, outside: &mut Outside<'_, H>, node: NodeId) {
        for key in self.keys(|owner, _| owner.node == node) {
            match self.get(key) {
                Some(Socket::Connection(_)) => self.free(outside, key),
                Some(Socket::Listener(_)) => {
                    let Some(Socket::Listener(mut listener)) = self.remove(key) else { continue };
                    self.ports(node).unbind(Protocol::Tcp, listener.bound.local.port, key);
                    listener.waiters.let_go(outside.wakes);
                }
                Some(_) => self.close(outside, key),
                None => {}
            }
        }
    }

    fn keys(&self, is_meant: impl Fn(Owner, bool) -> bool) -> Vec<SocketKey> {
        let owner_of = |key| self.owner(SocketKey(key)).expect("an entry has an owner");
        let all = self.entries.iter();
        let meant = all.filter(|(key, entry)| is_meant(owner_of(*key), entry.is_open));
        meant.map(|(key, _)| SocketKey(key)).collect()
    }

    /// Resets each connection from one of these machines to one of those, as a box on the way would: both
    /// ends get a RST, over the links. Returns how many there were.
    pub(crate) fn reset_between<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        from: &[NodeId],
        to: &[NodeId],
    ) -> usize {
        let mut pairs = BTreeSet::new();
        for node in from {
            for (key, socket) in self.connections_of(*node) {
                let other = match outside.network.addresses.owner(socket.remote().address) {
                    AddressOwner::Node(other) => other,
                    _ => *node,
                };
                if to.contains(&other) && socket.machine.has_peer() {
                    let peer = socket.machine.peer();
                    pairs.insert((
                        peer.map_or(key, |peer| peer.min(key)),
                        peer.map(|peer| peer.max(key)),
                    ));
                }
            }
        }
        for (one, other) in &pairs {
            self.send_reset(outside, *one, *other);
            if let Some(other) = *other {
                self.send_reset(outside, other, Some(*one));
            }
        }
        pairs.len()
    }

    /// Sends a RST to one end, as if the other one had.
    fn send_reset<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        to: SocketKey,
        from: Option<SocketKey>,
    ) {
        let Some(Owner { node, .. }) = self.owner(to) else { return };
        let Some(socket) = self.connection_mut(to) else { return };
        let (source, target) = (socket.remote(), socket.local());
        let from_node = match outside.network.addresses.owner(source.address) {
            AddressOwner::Node(other) => other,
            _ => node,
        };
        let link = outside.network.link_to(from_node, node);
        let segment = Segment { to: Some(to), ..Segment::reset(RIGHT_NUMBER) };
        let packet = stray(&outside.network.addresses, link, (source, target), from, segment);
        // After what the other end has sent.
        let sender = from.and_then(|from| self.connection_mut(from));
        let not_before = sender.map_or(0, |sender| sender.not_before);
        self.send_stray(outside, packet, not_before);
    }
}
