//! Datagrams within a machine.
//!
//! A sender waits for two things: that what it has sent is received, as far as that is too much, and that
//! there is room in the queue of a receiver that is not connected to it. May not know links.
//!
//! # Source
//! Linux 6.18: unix(7), and what its kernel does.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::task::Poll;

use super::super::host::Host;
use super::super::node::{NodeId, Nodes};
use super::super::state::Wakes;
use super::super::tcp::Shutdown;
use super::errors::{
    ECONNREFUSED, ECONNRESET, EINVAL, EMSGSIZE, ENOTCONN, EPERM, EPIPE, EPROTOTYPE, os,
};
use super::{Outside, Owner, Socket, SocketKey, Sockets, Waiters};

/// A socket of datagrams.
#[derive(Debug, Default)]
pub(crate) struct UnixDatagram {
    pub(super) path: Option<Rc<Path>>,
    /// Whom it sends to and hears. It may have gone, of which a send tells.
    peer: Option<SocketKey>,
    pub(super) peer_path: Option<Rc<Path>>,
    received: VecDeque<Message>,
    /// What it has sent and nobody has received, as it counts against its buffer.
    sent_size: u32,
    /// Sockets that want to send here when there is room.
    blocked: Vec<SocketKey>,
    pub(super) error: Option<i32>,
    is_read_shut: bool,
    is_write_shut: bool,
    pub(super) readers: Waiters,
    pub(super) writers: Waiters,
}

/// A datagram that waits to be received.
#[derive(Debug)]
struct Message {
    sender: SocketKey,
    from: Option<Rc<Path>>,
    bytes: Box<[u8]>,
}

impl UnixDatagram {
    pub(super) fn is_readable(&self) -> bool {
        self.error.is_some() || !self.received.is_empty()
    }

    pub(super) fn has_peer(&self) -> bool {
        self.peer.is_some()
    }

    /// Tells whether it has sent so little that whoever waits to send is told.
    fn has_room(&self) -> bool {
        self.sent_size <= BUFFER / 4
    }

    /// Tells whether its queue has no room for one more of this sender.
    fn is_full_for(&self, sender: SocketKey) -> bool {
        self.peer != Some(sender) && self.received.len() > QUEUE_MAX
    }

    /// Tells whether it hears this sender.
    fn hears(&self, sender: SocketKey) -> bool {
        self.peer.is_none_or(|peer| peer == sender)
    }
}

impl Sockets {
    fn unix_datagrams(&mut self, key: SocketKey) -> Option<&mut UnixDatagram> {
        match self.get_mut(key)? {
            Socket::UnixDatagram(socket) => Some(socket),
            _ => None,
        }
    }

    /// Makes a socket of datagrams, at a path if there is one.
    ///
    /// # Errors
    /// `EADDRINUSE` when the path exists, `EMFILE`.
    pub(crate) fn open_unix_datagrams(
        &mut self,
        nodes: &Nodes,
        owner: Owner,
        path: Option<&Path>,
    ) -> io::Result<SocketKey> {
        self.check_limit(nodes, owner.node)?;
        if let Some(path) = path {
            self.unix_paths.check_free(owner.node, path)?;
        }
        let path: Option<Rc<Path>> = path.map(Into::into);
        let socket = UnixDatagram { path: path.clone(), ..UnixDatagram::default() };
        let key = self.insert(nodes, owner, Socket::UnixDatagram(Box::new(socket)))?;
        if let Some(path) = path {
            self.unix_paths.bind(owner.node, path, key);
        }
        Ok(key)
    }

    /// Connects two sockets to each other that nobody has used yet.
    pub(crate) fn join_unix_datagrams(&mut self, one: SocketKey, other: SocketKey) {
        for (own, peer) in [(one, other), (other, one)] {
            if let Some(socket) = self.unix_datagrams(own) {
                socket.peer = Some(peer);
            }
        }
    }

    /// Returns the socket of datagrams at a path.
    ///
    /// # Errors
    /// `ENOENT` when there is no such path, `ECONNREFUSED` when its socket is gone, `EPROTOTYPE` when it
    /// is of streams.
    fn unix_datagrams_at(&self, node: NodeId, path: &Path) -> io::Result<SocketKey> {
        let key = self.unix_paths.find(node, path)?;
        match self.get(key) {
            Some(Socket::UnixDatagram(_)) => Ok(key),
            Some(_) => Err(os(EPROTOTYPE)),
            None => Err(os(ECONNREFUSED)),
        }
    }

    /// Sets whom a socket sends to and hears. What it has received from others is lost if it had another
    /// peer before, which is told.
    ///
    /// # Errors
    /// `ENOENT`, `ECONNREFUSED`, `EPROTOTYPE` for the path; `EPERM` when the socket there hears another
    /// one.
    pub(crate) fn connect_unix_datagrams<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        (node, key): (NodeId, SocketKey),
        path: &Path,
    ) -> io::Result<()> {
        let target = self.unix_datagrams_at(node, path)?;
        let receiver = self.unix_datagrams(target).expect("it was found");
        if !receiver.hears(key) {
            return Err(os(EPERM));
        }
        let peer_path = receiver.path.clone();
        let socket = self.unix_datagrams(key).ok_or_else(|| os(EINVAL))?;
        let before = socket.peer.replace(target);
        socket.peer_path = peer_path;
        if let Some(before) = before.filter(|before| *before != target) {
            self.leave_unix_peer(key, before, outside.wakes);
        }
        Ok(())
    }

    /// A socket does not hear a peer any more: what it has received is lost, of which the peer is told.
    fn leave_unix_peer(&mut self, key: SocketKey, peer: SocketKey, wakes: &mut Wakes) {
        let Some(socket) = self.unix_datagrams(key) else { return };
        let lost = std::mem::take(&mut socket.received);
        if lost.is_empty() {
            return;
        }
        let blocked = std::mem::take(&mut socket.blocked);
        self.wake_unix_writers(wakes, blocked);
        lost.into_iter().for_each(|message| self.unix_message_gone(&message, wakes));
        if let Some(peer) = self.unix_datagrams(peer)
            && peer.peer == Some(key)
        {
            peer.error = Some(ECONNRESET);
            peer.readers.wake(wakes);
            peer.writers.wake(wakes);
        }
    }

    /// Sends a datagram. Pends while too much of what was sent is not received, and while the queue of a
    /// receiver is full that is not connected to the sender.
    ///
    /// # Errors
    /// `ENOTCONN` without a peer, `EMSGSIZE`, `EPIPE` when an end is shut; for the path `ENOENT`,
    /// `ECONNREFUSED`, `EPROTOTYPE`, and `EPERM` when the socket there hears another one. `ECONNREFUSED`
    /// when the peer is gone, and it is the peer no more.
    pub(crate) fn send_unix_datagram<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        (node, key): (NodeId, SocketKey),
        path: Option<&Path>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let socket = self.unix_datagrams(key).ok_or_else(|| os(EINVAL))?;
        if path.is_none() && socket.peer.is_none() {
            return Poll::Ready(Err(os(ENOTCONN)));
        }
        if data.len() > BYTES_MAX {
            return Poll::Ready(Err(os(EMSGSIZE)));
        }
        if let Some(error) = socket.error.take() {
            return Poll::Ready(Err(os(error)));
        }
        if socket.is_write_shut {
            return Poll::Ready(Err(os(EPIPE)));
        }
        if socket.sent_size >= BUFFER {
            return Poll::Pending;
        }
        let (from, peer) = (socket.path.clone(), socket.peer);
        let target = match (path, peer) {
            (Some(path), _) => self.unix_datagrams_at(node, path)?,
            (None, Some(peer)) if self.get(peer).is_some() => peer,
            (None, _) => {
                let socket = self.unix_datagrams(key).expect("it was found");
                (socket.peer, socket.peer_path) = (None, None);
                if let Some(peer) = peer {
                    self.leave_unix_peer(key, peer, outside.wakes);
                }
                return Poll::Ready(Err(os(ECONNREFUSED)));
            }
        };
        let receiver = self.unix_datagrams(target).expect("it was found");
        if !receiver.hears(key) {
            return Poll::Ready(Err(os(EPERM)));
        }
        if receiver.is_read_shut {
            return Poll::Ready(Err(os(EPIPE)));
        }
        if target != key && receiver.is_full_for(key) {
            receiver.block(key);
            return Poll::Pending;
        }
        receiver.received.push_back(Message { sender: key, from, bytes: data.into() });
        receiver.readers.wake(outside.wakes);
        self.unix_datagrams(key).expect("it was found").sent_size += true_size(data.len());
        Poll::Ready(Ok(data.len()))
    }

    /// Receives a datagram, or as much of it as the buffer holds: the rest is gone. Pends while there is
    /// none.
    ///
    /// # Errors
    /// What has come to the socket, once.
    pub(crate) fn receive_unix_datagram<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, Option<PathBuf>)>> {
        let socket = self.unix_datagrams(key).ok_or_else(|| os(EINVAL))?;
        if let Some(error) = socket.error.take() {
            return Poll::Ready(Err(os(error)));
        }
        let Some(message) = socket.received.pop_front() else { return Poll::Pending };
        let blocked = std::mem::take(&mut socket.blocked);
        self.wake_unix_writers(outside.wakes, blocked);
        self.unix_message_gone(&message, outside.wakes);
        let count = message.bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&message.bytes[..count]);
        Poll::Ready(Ok((count, message.from.map(|from| from.to_path_buf()))))
    }

    /// A datagram was received, or is lost: it counts against its sender no more.
    fn unix_message_gone(&mut self, message: &Message, wakes: &mut Wakes) {
        if let Some(sender) = self.unix_datagrams(message.sender) {
            sender.sent_size -= true_size(message.bytes.len());
            if sender.has_room() {
                sender.writers.wake(wakes);
            }
        }
    }

    /// Tells whether a send to the peer, if there is one, finds so much room that whoever waits for that
    /// is told.
    pub(super) fn is_unix_datagram_writable(&self, key: SocketKey, socket: &UnixDatagram) -> bool {
        let is_full = match socket.peer.and_then(|peer| self.get(peer)) {
            Some(Socket::UnixDatagram(peer)) => peer.is_full_for(key),
            _ => false,
        };
        socket.error.is_some() || socket.has_room() && !is_full
    }

    /// Has a socket told when its peer has room again.
    pub(super) fn block_on_unix_peer(&mut self, key: SocketKey) {
        let peer = self.unix_datagrams(key).and_then(|socket| socket.peer);
        if let Some(peer) = peer.and_then(|peer| self.unix_datagrams(peer))
            && peer.is_full_for(key)
        {
            peer.block(key);
        }
    }

    /// Ends directions of a socket. Its peer is not told.
    pub(super) fn shutdown_unix_datagrams(
        &mut self,
        key: SocketKey,
        how: Shutdown,
        wakes: &mut Wakes,
    ) -> io::Result<()> {
        let socket = self.unix_datagrams(key).ok_or_else(|| os(ENOTCONN))?;
        socket.is_read_shut |= how != Shutdown::Write;
        socket.is_write_shut |= how != Shutdown::Read;
        socket.writers.wake(wakes);
        let blocked = std::mem::take(&mut socket.blocked);
        self.wake_unix_writers(wakes, blocked);
        Ok(())
    }

    /// A socket of datagrams has been closed: what it has not received is lost, and who waits for room
    /// is refused.
    pub(super) fn end_unix_datagrams(&mut self, mut socket: UnixDatagram, wakes: &mut Wakes) {
        socket.readers.let_go(wakes);
        socket.writers.let_go(wakes);
        socket.received.iter().for_each(|message| self.unix_message_gone(message, wakes));
        self.wake_unix_writers(wakes, socket.blocked);
    }
}

impl UnixDatagram {
    /// Notes who is to be told when there is room.
    fn block(&mut self, sender: SocketKey) {
        if !self.blocked.contains(&sender) {
            self.blocked.push(sender);
        }
    }
}

/// Returns what a datagram of so many bytes counts against the buffer of its sender: its bytes in a power
/// of two, large ones in pages, and what describes it.
///
/// # Source
/// Measured: how many datagrams of 12 sizes a pair of Linux 6.18 keeps.
fn true_size(len: usize) -> u32 {
    let len = u32::try_from(len).expect("a datagram is smaller than the buffer");
    if len + 320 <= 1 << 15 {
        256 + (len + 320).next_power_of_two().max(512)
    } else {
        1_280 + len.next_multiple_of(4_096)
    }
}

/// `net.core.wmem_default`.
const BUFFER: u32 = 212_992;

/// Most bytes of a datagram.
const BYTES_MAX: usize = 212_992 - 32;

/// `net.unix.max_dgram_qlen`: one more than these may be in the queue of a receiver that is not connected to
/// the sender.
const QUEUE_MAX: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_keeps_as_many_datagrams_as_that_of_linux() {
        for (len, expected) in [
            (0, 278),
            (1, 278),
            (100, 278),
            (200, 167),
            (500, 167),
            (1_000, 93),
            (2_000, 49),
            (4_000, 26),
            (8_000, 13),
            (16_000, 13),
            (32_000, 7),
            (100_000, 3),
            (BYTES_MAX, 1),
        ] {
            assert_eq!(BUFFER.div_ceil(true_size(len)), expected, "of {len} bytes");
        }
    }
}
