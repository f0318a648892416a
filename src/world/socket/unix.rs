//! What Unix sockets of all kinds have: readiness, names, errors, ends.

use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::task::Waker;

use super::super::calls::Side;
use super::super::host::Host;
use super::super::node::NodeId;
use super::super::state::Wakes;
use super::super::tcp::Shutdown;
use super::errors::{ENOTCONN, os};
use super::{Outside, Socket, SocketKey, Sockets};
use crate::executor::WakeTarget;

impl Sockets {
    /// Tells whether a call of this side would not wait.
    pub(super) fn is_unix_ready(&self, key: SocketKey, side: Side) -> bool {
        match (self.get(key), side) {
            (Some(Socket::UnixStream(stream)), Side::Read) => stream.is_readable(),
            (Some(Socket::UnixStream(stream)), Side::Write) => self.is_unix_stream_writable(stream),
            (Some(Socket::UnixListener(listener)), Side::Read) => listener.is_readable(),
            (Some(Socket::UnixDatagram(socket)), Side::Read) => socket.is_readable(),
            (Some(Socket::UnixDatagram(socket)), Side::Write) => {
                self.is_unix_datagram_writable(key, socket)
            }
            _ => true,
        }
    }

    /// Registers who waits for a side.
    pub(super) fn wait_for_unix(
        &mut self,
        key: SocketKey,
        side: Side,
        (target, waker): (&mut Option<WakeTarget>, &Waker),
    ) {
        if side == Side::Write {
            self.block_on_unix_peer(key);
        }
        let waiters = match (self.get_mut(key), side) {
            (Some(Socket::UnixStream(stream)), Side::Read) => &mut stream.readers,
            (Some(Socket::UnixStream(stream)), Side::Write) => &mut stream.writers,
            (Some(Socket::UnixListener(listener)), _) => &mut listener.readers,
            (Some(Socket::UnixDatagram(socket)), Side::Read) => &mut socket.readers,
            (Some(Socket::UnixDatagram(socket)), Side::Write) => &mut socket.writers,
            _ => return,
        };
        waiters.add(target, waker);
    }

    /// Has those woken that wait to write with these sockets, as far as they are there.
    pub(super) fn wake_unix_writers(&mut self, wakes: &mut Wakes, blocked: Vec<SocketKey>) {
        for key in blocked {
            match self.get_mut(key) {
                Some(Socket::UnixStream(stream)) => stream.writers.wake(wakes),
                Some(Socket::UnixDatagram(socket)) => socket.writers.wake(wakes),
                _ => {}
            }
        }
    }

    /// Returns the path of a socket.
    pub(crate) fn unix_path(&self, key: SocketKey) -> Option<PathBuf> {
        let path = match self.get(key)? {
            Socket::UnixStream(stream) => stream.path.as_ref(),
            Socket::UnixListener(listener) => Some(&listener.path),
            Socket::UnixDatagram(socket) => socket.path.as_ref(),
            _ => None,
        };
        path.map(|path| path.to_path_buf())
    }

    /// Returns the path of the peer of a socket.
    ///
    /// # Errors
    /// `ENOTCONN` without one.
    pub(crate) fn unix_peer_path(&self, key: SocketKey) -> io::Result<Option<PathBuf>> {
        let path: Option<&Rc<Path>> = match self.get(key) {
            Some(Socket::UnixStream(stream)) => stream.peer_path.as_ref(),
            Some(Socket::UnixDatagram(socket)) if socket.has_peer() => socket.peer_path.as_ref(),
            _ => return Err(os(ENOTCONN)),
        };
        Ok(path.map(|path| path.to_path_buf()))
    }

    /// Takes the error of a socket (`SO_ERROR`).
    pub(crate) fn take_unix_error(&mut self, key: SocketKey) -> Option<io::Error> {
        let error = match self.get_mut(key)? {
            Socket::UnixStream(stream) => stream.error.take(),
            Socket::UnixDatagram(socket) => socket.error.take(),
            _ => None,
        };
        error.map(os)
    }

    /// Removes a path. Its socket lives on.
    ///
    /// # Errors
    /// `ENOENT` when there is no such path.
    pub(crate) fn remove_unix_path(&mut self, node: NodeId, path: &Path) -> io::Result<()> {
        self.unix_paths.remove(node, path)
    }

    /// Ends sending, receiving or both.
    pub(crate) fn shutdown_unix<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        how: Shutdown,
    ) -> io::Result<()> {
        match self.get(key) {
            Some(Socket::UnixStream(_)) => self.shutdown_unix_stream(key, how, outside.wakes),
            _ => self.shutdown_unix_datagrams(key, how, outside.wakes),
        }
    }

    /// Closes a socket: its peer is told, its place is free, its path stays.
    pub(super) fn close_unix<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: SocketKey) {
        match self.remove(key) {
            Some(Socket::UnixStream(stream)) => self.end_unix_stream(*stream, outside.wakes),
            Some(Socket::UnixListener(listener)) => {
                self.end_unix_listener(*listener, outside.wakes);
            }
            Some(Socket::UnixDatagram(socket)) => self.end_unix_datagrams(*socket, outside.wakes),
            _ => {}
        }
    }
}
