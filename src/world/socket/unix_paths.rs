//! Paths of Unix sockets, on each machine.
//!
//! A path is there until it is removed: it outlives its socket, the process and the power.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::rc::Rc;

use super::super::node::NodeId;
use super::SocketKey;
use super::errors::{EADDRINUSE, ENOENT, os};

/// The socket of each path, which may be gone.
#[derive(Debug, Default)]
pub(crate) struct UnixPaths {
    of_nodes: BTreeMap<NodeId, BTreeMap<Rc<Path>, SocketKey>>,
}

impl UnixPaths {
    /// Checks that a path can be bound.
    ///
    /// # Errors
    /// `EADDRINUSE` when it exists.
    pub(super) fn check_free(&self, node: NodeId, path: &Path) -> io::Result<()> {
        if self.find(node, path).is_ok() { Err(os(EADDRINUSE)) } else { Ok(()) }
    }

    /// Makes a path that does not exist.
    pub(super) fn bind(&mut self, node: NodeId, path: Rc<Path>, key: SocketKey) {
        let replaced = self.of_nodes.entry(node).or_default().insert(path, key);
        debug_assert!(replaced.is_none(), "it was free");
    }

    /// Returns the socket that was bound to a path.
    ///
    /// # Errors
    /// `ENOENT` when there is no such path.
    pub(super) fn find(&self, node: NodeId, path: &Path) -> io::Result<SocketKey> {
        let found = self.of_nodes.get(&node).and_then(|paths| paths.get(path));
        found.copied().ok_or_else(|| os(ENOENT))
    }

    /// Removes a path.
    ///
    /// # Errors
    /// `ENOENT` when there is no such path.
    pub(crate) fn remove(&mut self, node: NodeId, path: &Path) -> io::Result<()> {
        let removed = self.of_nodes.get_mut(&node).and_then(|paths| paths.remove(path));
        removed.map(|_| ()).ok_or_else(|| os(ENOENT))
    }
}
