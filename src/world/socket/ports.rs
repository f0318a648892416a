//! Which ports of a machine are taken, and by whom.

use std::io;

use super::super::network::AddressId;
use super::SocketKey;

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
#[derive(Debug, Default)]
pub(crate) struct PortTable {
    _part_d: (),
}

impl PortTable {
    /// Binds a port, or an ephemeral one for port 0; returns which.
    ///
    /// # Errors
    /// `EADDRINUSE` when it conflicts with what is bound.
    pub(crate) fn bind(&mut self, protocol: Protocol, port: u16, bound: Bound) -> io::Result<u16> {
        panic!("part D")
    }

    /// Frees what a socket has bound.
    pub(crate) fn unbind(&mut self, protocol: Protocol, port: u16, socket: SocketKey) {
        panic!("part D")
    }

    /// Returns all that are bound to a port, in the order of binding.
    pub(crate) fn bound(&self, protocol: Protocol, port: u16) -> &[Bound] {
        panic!("part D")
    }
}
