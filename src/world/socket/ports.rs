//! Which ports of a machine are taken, and by whom.

use std::collections::BTreeMap;
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
    bound: BTreeMap<(Protocol, u16), Vec<Bound>>,
    ephemeral: BTreeMap<Protocol, u16>,
}

impl PortTable {
    /// Binds a port, or an ephemeral one for port 0; returns which.
    ///
    /// # Errors
    /// `EADDRINUSE` when it conflicts with what is bound.
    pub(crate) fn bind(&mut self, protocol: Protocol, port: u16, bound: Bound) -> io::Result<u16> {
        if port == 0 {
            loop {
                let next = self.ephemeral.entry(protocol).or_insert(32_768);
                let port = *next;
                *next = if port == 60_999 { 32_768 } else { port + 1 };
                if self.bound(protocol, port).is_empty() {
                    return self.bind(protocol, port, bound);
                }
            }
        }
        let others = self.bound.entry((protocol, port)).or_default();
        let conflicts = |other: &Bound| {
            let families = other.family == bound.family
                || other.family == Family::Dual
                || bound.family == Family::Dual;
            let addresses = other.address.is_none()
                || bound.address.is_none()
                || other.address == bound.address;
            families && addresses && !(other.reuse && bound.reuse)
        };
        if others.iter().any(conflicts) {
            return Err(io::Error::from_raw_os_error(98));
        }
        others.push(bound);
        Ok(port)
    }

    /// Frees what a socket has bound.
    pub(crate) fn unbind(&mut self, protocol: Protocol, port: u16, socket: SocketKey) {
        if let Some(bound) = self.bound.get_mut(&(protocol, port)) {
            bound.retain(|bound| bound.socket != socket);
        }
    }

    /// Returns all that are bound to a port, in the order of binding.
    pub(crate) fn bound(&self, protocol: Protocol, port: u16) -> &[Bound] {
        self.bound.get(&(protocol, port)).map_or(&[], Vec::as_slice)
    }
}
