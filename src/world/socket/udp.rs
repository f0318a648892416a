//! One datagram socket: what it is bound to, what it has received, whom it tells.
//!
//! May not know links. The calls are in `udp_calls`, what the network brings is in `udp_events`.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::super::network::{AddressBook, AddressId, Endpoint, Payload};
use super::super::state::Wakes;
use super::{Bound, ChunkPool, Family, SocketKey, Waiters};

/// A datagram socket.
///
/// # Source
/// Linux 6.18: udp(7), ip(7), ipv6(7), and what its kernel does over loopback.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Udp {
    /// What it is bound to; after `connect` of one bound to a wildcard, what that chose.
    pub(super) local: Endpoint,
    /// The wildcard that it was bound to, if it was.
    pub(super) wildcard: Option<AddressId>,
    pub(super) family: Family,
    /// Whether addresses are shown as IPv6 ones.
    pub(super) is_v6: bool,
    pub(super) peer: Option<Endpoint>,
    /// `SO_ERROR`: what came back for something that was sent.
    pub(super) error: Option<i32>,
    /// Whether the machine has chosen its port, and takes it back with the peer.
    pub(super) has_chosen_port: bool,
    pub(super) may_broadcast: bool,
    pub(super) loops: Loops,
    pub(super) ttl: u8,
    /// Groups that it has joined.
    pub(super) groups: Vec<AddressId>,
    /// Datagrams that did not fit.
    dropped: u64,
    pub(super) readers: Waiters,
    pub(super) writers: Waiters,
    received: VecDeque<Received>,
    /// What the received ones count against the buffer.
    received_size: u32,
}

/// Whether what it sends to groups reaches its own machine, too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loops {
    pub(super) v4: bool,
    pub(super) v6: bool,
}

/// A datagram that waits to be read.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) source: Endpoint,
    pub(super) payload: Payload,
}

impl Udp {
    pub(super) fn new(local: Endpoint, family: Family, is_v6: bool) -> Self {
        Self {
            local,
            wildcard: is_wildcard(local.address).then_some(local.address),
            family,
            is_v6,
            peer: None,
            error: None,
            has_chosen_port: false,
            may_broadcast: false,
            loops: Loops { v4: true, v6: true },
            ttl: 64,
            groups: Vec::new(),
            dropped: 0,
            readers: Waiters::default(),
            writers: Waiters::default(),
            received: VecDeque::new(),
            received_size: 0,
        }
    }

    /// Returns it as the table of ports knows it.
    pub(super) fn bound(&self, socket: SocketKey, reuse: bool) -> Bound {
        let address = self.wildcard.is_none().then_some(self.local.address);
        Bound { address, family: self.family, reuse, is_listening: false, socket }
    }

    /// Returns what it is bound to, as its owner sees it.
    pub(crate) fn local_address(&self, addresses: &AddressBook) -> SocketAddr {
        self.shown(addresses, self.local)
    }

    /// Returns whom it is connected to, as its owner sees it.
    pub(crate) fn peer_address(&self, addresses: &AddressBook) -> Option<SocketAddr> {
        self.peer.map(|peer| self.shown(addresses, peer))
    }

    /// Returns an endpoint as a socket of this family shows it.
    pub(super) fn shown(&self, addresses: &AddressBook, endpoint: Endpoint) -> SocketAddr {
        addresses.shown(endpoint, self.is_v6)
    }

    /// Returns how well it fits a datagram to this target from this source: not at all, or the more the
    /// better.
    pub(super) fn fit(&self, target: AddressId, is_v4: bool, source: Endpoint) -> Option<u8> {
        let is_of_family = match self.family {
            Family::V4 => is_v4,
            Family::V6 => !is_v4,
            Family::Dual => true,
        };
        let is_bound_here = self.local.address == target;
        let is_open = is_wildcard(self.local.address);
        if !is_of_family
            || !(is_bound_here || is_open)
            || self.peer.is_some_and(|peer| peer != source)
        {
            return None;
        }
        Some(u8::from(is_bound_here) + 2 * u8::from(self.peer.is_some()))
    }

    /// Queues a datagram, if there is room for it.
    pub(super) fn receive(&mut self, received: Received, chunks: &mut ChunkPool) -> bool {
        let size = true_size(received.payload.bytes(chunks).len());
        if self.received_size + size > RECEIVE_BUFFER {
            self.dropped += 1;
            received.payload.give_back(chunks);
            return false;
        }
        self.received_size += size;
        self.received.push_back(received);
        true
    }

    /// Returns the next datagram, which stays.
    pub(super) fn first(&self) -> Option<&Received> {
        self.received.front()
    }

    /// Takes the next datagram out.
    pub(super) fn take(&mut self, chunks: &ChunkPool) -> Option<Received> {
        let received = self.received.pop_front()?;
        self.received_size -= true_size(received.payload.bytes(chunks).len());
        Some(received)
    }

    /// Tells whether a receive would not wait.
    pub(crate) fn is_readable(&self) -> bool {
        self.error.is_some() || !self.received.is_empty()
    }

    /// Returns how many datagrams did not fit into its buffer.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Returns and clears `SO_ERROR`.
    pub(crate) fn take_error(&mut self) -> Option<i32> {
        self.error.take()
    }

    /// Sets `SO_ERROR`, which readers and writers are told.
    pub(super) fn fail(&mut self, error: i32, wakes: &mut Wakes) {
        self.error = Some(error);
        self.readers.wake(wakes);
        self.writers.wake(wakes);
    }
}

fn is_wildcard(address: AddressId) -> bool {
    matches!(address, AddressId::ANY_V4 | AddressId::ANY_V6)
}

/// Returns what a datagram of so many bytes counts against a receive buffer: its bytes and headers in a
/// power of two, and what describes it.
///
/// # Source
/// Measured: how many datagrams of 13 sizes a socket of Linux 6.18 keeps.
fn true_size(len: usize) -> u32 {
    let len = u32::try_from(len).expect("a datagram has fewer than 65,536 bytes");
    256 + (len + 384).next_power_of_two().max(576)
}

/// `net.core.rmem_default`.
const RECEIVE_BUFFER: u32 = 212_992;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_keeps_as_many_datagrams_as_that_of_linux() {
        for (len, expected) in [
            (0, 256),
            (4, 256),
            (100, 256),
            (200, 166),
            (500, 166),
            (1_000, 92),
            (1_472, 92),
            (2_000, 48),
            (4_000, 25),
            (8_000, 12),
            (16_000, 12),
            (32_000, 6),
            (60_000, 3),
        ] {
            assert_eq!(RECEIVE_BUFFER / true_size(len), expected, "of {len} bytes");
        }
    }
}
