//! Which ports of a machine are taken, and by whom.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::super::network::AddressId;
use super::SocketKey;
use super::errors::{EADDRINUSE, os};

/// Whose ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

/// Which addresses a bound port answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
    /// Both: `[::]` without `only_v6`.
    Dual,
}

/// One bound port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    /// None is the wildcard.
    pub(crate) address: Option<AddressId>,
    pub(crate) family: Family,
    pub(crate) reuse: bool,
    pub(crate) is_listening: bool,
    pub(crate) socket: SocketKey,
}

/// The ports of a machine.
///
/// Sockets that were bound are listed. Connections are counted by their port only: those that a
/// listener has made share its port, and there may be very many of them.
#[derive(Debug, Default)]
pub(crate) struct PortTable {
    bound: BTreeMap<(Protocol, u16), Vec<Bound>>,
    /// Ports that connections have without being bound to them.
    connected: BTreeSet<u16>,
    /// Of those that more than one has, how many more.
    shared: BTreeMap<u16, u32>,
    /// The next ephemeral port that is tried, by protocol.
    next: [u16; 2],
}

impl Family {
    fn overlaps(self, other: Self) -> bool {
        self == other || self == Self::Dual || other == Self::Dual
    }

    /// Tells whether a socket of it answers an address of IPv4, or else of IPv6.
    pub(crate) fn has(self, is_v4: bool) -> bool {
        self == Self::Dual || (self == Self::V4) == is_v4
    }
}

impl Bound {
    /// Tells whether the two could be meant by one address.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let is_wild = self.address.is_none() || other.address.is_none();
        self.family.overlaps(other.family) && (is_wild || self.address == other.address)
    }
}

impl PortTable {
    /// Binds a port, or an ephemeral one for port 0; returns which.
    ///
    /// Two of TCP that overlap exclude each other unless both may be reused and neither listens; of UDP
    /// unless both may be reused.
    ///
    /// # Errors
    /// `EADDRINUSE` when it conflicts with what is bound, or no ephemeral port is free.
    pub(crate) fn bind(&mut self, protocol: Protocol, port: u16, bound: Bound) -> io::Result<u16> {
        let port = match port {
            0 => self.ephemeral(protocol).ok_or_else(|| os(EADDRINUSE))?,
            port => port,
        };
        let others = self.bound.entry((protocol, port)).or_default();
        let conflicts = |other: &Bound| {
            let is_shared = other.reuse && bound.reuse && !other.is_listening;
            other.overlaps(&bound) && !is_shared
        };
        if others.iter().any(conflicts) {
            return Err(os(EADDRINUSE));
        }
        others.push(bound);
        Ok(port)
    }

    /// Has what a socket of TCP has bound listen.
    ///
    /// # Errors
    /// `EADDRINUSE` when another that overlaps listens.
    pub(crate) fn listen(&mut self, port: u16, socket: SocketKey) -> io::Result<()> {
        let all = self.bound.entry((Protocol::Tcp, port)).or_default();
        let own = all.iter().position(|bound| bound.socket == socket);
        let own = own.expect("a socket that listens is bound");
        let conflicts = |other: &Bound| {
            other.socket != socket && other.is_listening && other.overlaps(&all[own])
        };
        if all.iter().any(conflicts) {
            return Err(os(EADDRINUSE));
        }
        all[own].is_listening = true;
        Ok(())
    }

    /// Sets whether what a socket of TCP has bound may be reused, for those that bind after it.
    pub(crate) fn set_reuse(&mut self, port: u16, socket: SocketKey, reuse: bool) {
        let all = self.bound.get_mut(&(Protocol::Tcp, port)).into_iter().flatten();
        all.filter(|bound| bound.socket == socket).for_each(|bound| bound.reuse = reuse);
    }

    /// Frees what a socket has bound.
    pub(crate) fn unbind(&mut self, protocol: Protocol, port: u16, socket: SocketKey) {
        if let Some(bound) = self.bound.get_mut(&(protocol, port)) {
            bound.retain(|bound| bound.socket != socket);
            if bound.is_empty() {
                self.bound.remove(&(protocol, port));
            }
        }
    }

    /// Returns all that are bound to a port, in the order of binding.
    pub(crate) fn bound(&self, protocol: Protocol, port: u16) -> &[Bound] {
        self.bound.get(&(protocol, port)).map_or(&[], Vec::as_slice)
    }

    /// Returns the listener for connections to an address: one that is bound to it, else to all.
    pub(crate) fn listener(&self, port: u16, address: AddressId, is_v4: bool) -> Option<SocketKey> {
        let fits = |bound: &&Bound| bound.is_listening && bound.family.has(is_v4);
        let listening = || self.bound(Protocol::Tcp, port).iter().filter(fits);
        let exact = listening().find(|bound| bound.address == Some(address));
        exact
            .or_else(|| listening().find(|bound| bound.address.is_none()))
            .map(|bound| bound.socket)
    }

    /// A connection has a port.
    pub(crate) fn connect(&mut self, port: u16) {
        if !self.connected.insert(port) {
            *self.shared.entry(port).or_default() += 1;
        }
    }

    /// A connection does not have its port any more.
    pub(crate) fn disconnect(&mut self, port: u16) {
        match self.shared.get_mut(&port) {
            Some(1) => {
                self.shared.remove(&port);
            }
            Some(count) => *count -= 1,
            None => assert!(self.connected.remove(&port), "a connection has been counted"),
        }
    }

    /// Tells whether connections that are not bound have a port.
    pub(crate) fn has_connections(&self, port: u16) -> bool {
        self.connected.contains(&port)
    }

    /// Returns an ephemeral port that nobody has, the next one that was not given out before; none if
    /// all are taken.
    ///
    /// # Source
    /// Linux: `net.ipv4.ip_local_port_range`. Its choice begins at a place of chance.
    pub(crate) fn ephemeral(&mut self, protocol: Protocol) -> Option<u16> {
        for _ in EPHEMERAL_FIRST..=EPHEMERAL_LAST {
            let next = &mut self.next[protocol as usize];
            let port = (*next).max(EPHEMERAL_FIRST);
            *next = if port == EPHEMERAL_LAST { EPHEMERAL_FIRST } else { port + 1 };
            let is_connected = protocol == Protocol::Tcp && self.has_connections(port);
            if !is_connected && !self.bound.contains_key(&(protocol, port)) {
                return Some(port);
            }
        }
        None
    }
}

pub(super) const EPHEMERAL_FIRST: u16 = 32_768;
pub(super) const EPHEMERAL_LAST: u16 = 60_999;

#[cfg(test)]
mod tests {
    use super::super::super::arena::Arena;
    use super::*;

    fn keys(count: usize) -> Vec<SocketKey> {
        let mut arena = Arena::default();
        (0..count).map(|_| SocketKey(arena.insert(()))).collect()
    }

    fn bound(socket: SocketKey, address: Option<u32>, family: Family) -> Bound {
        let address = address.map(AddressId);
        Bound { address, family, reuse: false, is_listening: false, socket }
    }

    #[test]
    fn what_overlaps_excludes_each_other() {
        use Family::{Dual, V4, V6};
        let keys = keys(2);
        for (one, other, is_conflict) in [
            ((None, V4), (None, V4), true),
            ((None, V4), (Some(9), V4), true),
            ((Some(8), V4), (Some(9), V4), false),
            ((Some(9), V4), (Some(9), V4), true),
            ((None, V4), (None, V6), false),
            ((None, V4), (None, Dual), true),
            ((None, V6), (None, Dual), true),
            ((Some(9), V4), (None, Dual), true),
            ((Some(9), V4), (None, V6), false),
        ] {
            for (one, other) in [(one, other), (other, one)] {
                let mut table = PortTable::default();
                table.bind(Protocol::Tcp, 80, bound(keys[0], one.0, one.1)).unwrap();
                let second = table.bind(Protocol::Tcp, 80, bound(keys[1], other.0, other.1));
                assert_eq!(second.is_err(), is_conflict, "{one:?} and {other:?}");
                let of_udp = bound(keys[1], other.0, other.1);
                assert_eq!(table.bind(Protocol::Udp, 80, of_udp).unwrap(), 80);
            }
        }
    }

    #[test]
    fn a_port_is_shared_by_those_that_may_until_one_listens() {
        let keys = keys(3);
        let shared = |key| Bound { reuse: true, ..bound(key, None, Family::V4) };
        let mut table = PortTable::default();
        table.bind(Protocol::Tcp, 80, shared(keys[0])).unwrap();
        table.bind(Protocol::Tcp, 80, shared(keys[1])).unwrap();
        table.bind(Protocol::Tcp, 80, bound(keys[2], None, Family::V4)).unwrap_err();
        table.listen(80, keys[1]).unwrap();
        table.listen(80, keys[0]).unwrap_err();
        table.bind(Protocol::Tcp, 80, shared(keys[2])).unwrap_err();
        table.unbind(Protocol::Tcp, 80, keys[1]);
        table.listen(80, keys[0]).unwrap();
    }

    #[test]
    fn a_listener_of_the_address_comes_before_one_of_all() {
        let keys = keys(3);
        let mut table = PortTable::default();
        table.bind(Protocol::Tcp, 80, bound(keys[0], Some(7), Family::V4)).unwrap();
        table.bind(Protocol::Tcp, 80, bound(keys[1], None, Family::V6)).unwrap();
        let reached =
            |table: &PortTable, address, is_v4| table.listener(80, AddressId(address), is_v4);
        assert_eq!(reached(&table, 7, true), None);
        table.listen(80, keys[0]).unwrap();
        table.listen(80, keys[1]).unwrap();
        assert_eq!(reached(&table, 7, true), Some(keys[0]));
        assert_eq!(reached(&table, 8, true), None);
        assert_eq!(reached(&table, 8, false), Some(keys[1]));
    }

    #[test]
    fn ephemeral_ports_go_round_and_skip_what_is_taken() {
        let keys = keys(1);
        let mut table = PortTable::default();
        assert_eq!(table.ephemeral(Protocol::Tcp), Some(EPHEMERAL_FIRST));
        table.connect(EPHEMERAL_FIRST + 1);
        table.bind(Protocol::Tcp, EPHEMERAL_FIRST + 2, bound(keys[0], None, Family::V4)).unwrap();
        assert_eq!(table.ephemeral(Protocol::Tcp), Some(EPHEMERAL_FIRST + 3));
        assert_eq!(table.ephemeral(Protocol::Udp), Some(EPHEMERAL_FIRST));
        for _ in EPHEMERAL_FIRST + 4..=EPHEMERAL_LAST {
            assert!(table.ephemeral(Protocol::Tcp).is_some());
        }
        assert_eq!(table.ephemeral(Protocol::Tcp), Some(EPHEMERAL_FIRST));
        for port in EPHEMERAL_FIRST..=EPHEMERAL_LAST {
            table.connect(port);
        }
        assert_eq!(table.ephemeral(Protocol::Tcp), None);
        table.connect(40_000);
        table.disconnect(40_000);
        assert_eq!(table.ephemeral(Protocol::Tcp), None);
        table.disconnect(40_000);
        assert_eq!(table.ephemeral(Protocol::Tcp), Some(40_000));
    }
}
