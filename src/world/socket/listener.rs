//! A socket that listens, and one that is only bound.

use std::collections::{BTreeMap, VecDeque};

use super::super::calls::TcpOptions;
use super::super::network::Endpoint;
use super::super::tcp::Backlog;
use super::{SocketKey, Waiters};

/// A socket of TCP that has its port and neither listens nor connects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BoundSocket {
    pub(super) local: Endpoint,
    /// Whether its addresses are shown as those of IPv6.
    pub(super) is_v6: bool,
    pub(super) options: TcpOptions,
}

/// A socket that listens.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(super) bound: BoundSocket,
    pub(super) backlog: Backlog,
    /// Connections that nobody has accepted yet, in the order in which they were established.
    pub(super) queue: VecDeque<SocketKey>,
    /// Connections in their handshake, by the socket that connects: if its SYN comes again, it finds
    /// the one that was made for it.
    pub(super) half_open: BTreeMap<SocketKey, SocketKey>,
    /// Who waits to accept.
    pub(super) waiters: Waiters,
}

impl Listener {
    pub(super) fn new(bound: BoundSocket, backlog: u32) -> Self {
        Self {
            bound,
            backlog: Backlog::new(backlog),
            queue: VecDeque::new(),
            half_open: BTreeMap::new(),
            waiters: Waiters::default(),
        }
    }
}
