//! Streams within a machine.
//!
//! What one end writes is there for the other at once. May not know links.
//!
//! # Source
//! Linux 6.18: unix(7), and what its kernel does.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::path::Path;
use std::rc::Rc;
use std::task::Poll;

use super::super::calls::Take;
use super::super::host::Host;
use super::super::node::Nodes;
use super::super::state::Wakes;
use super::super::tcp::Shutdown;
use super::errors::{ECONNREFUSED, ECONNRESET, EINVAL, ENOTCONN, EPIPE, EPROTOTYPE, os};
use super::{Outside, Owner, Socket, SocketKey, Sockets, Waiters};

/// One end of a stream.
#[derive(Debug)]
pub(crate) struct UnixStream {
    pub(super) link: Link,
    /// Bytes that have come and are not read.
    incoming: VecDeque<u8>,
    /// `SO_ERROR`: the peer has gone with something unread.
    pub(super) error: Option<i32>,
    is_read_shut: bool,
    is_write_shut: bool,
    /// That of the listener which has made it.
    pub(super) path: Option<Rc<Path>>,
    pub(super) peer_path: Option<Rc<Path>>,
    pub(super) readers: Waiters,
    pub(super) writers: Waiters,
}

/// Whom a stream is connected to.
#[derive(Clone, Debug)]
pub(super) enum Link {
    /// To nobody yet; to whoever listens there when it is.
    Ahead(Rc<Path>),
    /// To this one; nobody has accepted it.
    Queued(SocketKey),
    Joined(SocketKey),
    /// To one that has gone.
    Gone,
}

/// A path that listens.
#[derive(Debug)]
pub(crate) struct UnixListener {
    pub(super) path: Rc<Path>,
    /// One more than these may wait to be accepted.
    backlog: u32,
    queue: VecDeque<SocketKey>,
    /// Sockets that want to connect when there is room.
    blocked: Vec<SocketKey>,
    pub(super) readers: Waiters,
}

impl UnixStream {
    fn new(link: Link) -> Self {
        Self {
            link,
            incoming: VecDeque::new(),
            error: None,
            is_read_shut: false,
            is_write_shut: false,
            path: None,
            peer_path: None,
            readers: Waiters::default(),
            writers: Waiters::default(),
        }
    }

    fn peer(&self) -> Option<SocketKey> {
        match self.link {
            Link::Queued(peer) | Link::Joined(peer) => Some(peer),
            Link::Ahead(_) | Link::Gone => None,
        }
    }

    pub(super) fn is_readable(&self) -> bool {
        !self.incoming.is_empty() || self.error.is_some() || self.is_read_shut
    }

    /// Tells whether it has so much room for its peer that whoever waits to write is told.
    fn has_room(&self) -> bool {
        self.incoming.len() <= BUFFER / 4
    }

    /// Notes that directions have ended, and tells who waits.
    fn shut(&mut self, how: Shutdown, wakes: &mut Wakes) {
        self.is_read_shut |= how != Shutdown::Write;
        self.is_write_shut |= how != Shutdown::Read;
        self.readers.wake(wakes);
        self.writers.wake(wakes);
    }
}

impl UnixListener {
    pub(super) fn is_readable(&self) -> bool {
        !self.queue.is_empty()
    }
}

impl Sockets {
    fn unix_stream(&mut self, key: SocketKey) -> Option<&mut UnixStream> {
        match self.get_mut(key)? {
            Socket::UnixStream(stream) => Some(stream),
            _ => None,
        }
    }

    fn unix_listener(&mut self, key: SocketKey) -> Option<&mut UnixListener> {
        match self.get_mut(key)? {
            Socket::UnixListener(listener) => Some(listener),
            _ => None,
        }
    }

    // Making them

    /// Makes a listener at a path.
    ///
    /// # Errors
    /// `EADDRINUSE` when the path exists, `EMFILE`.
    pub(crate) fn listen_unix(
        &mut self,
        nodes: &Nodes,
        owner: Owner,
        path: &Path,
        backlog: u32,
    ) -> io::Result<SocketKey> {
        self.check_limit(nodes, owner.node)?;
        self.unix_paths.check_free(owner.node, path)?;
        let path: Rc<Path> = path.into();
        let listener = UnixListener {
            path: path.clone(),
            backlog,
            queue: VecDeque::new(),
            blocked: Vec::new(),
            readers: Waiters::default(),
        };
        let key = self.insert(nodes, owner, Socket::UnixListener(Box::new(listener)))?;
        self.unix_paths.bind(owner.node, path, key);
        Ok(key)
    }

    /// Makes a stream that is to be connected to whoever listens at a path.
    ///
    /// # Errors
    /// `EMFILE`.
    pub(crate) fn begin_connect_unix(
        &mut self,
        nodes: &Nodes,
        owner: Owner,
        path: &Path,
    ) -> io::Result<SocketKey> {
        let stream = UnixStream::new(Link::Ahead(path.into()));
        self.insert(nodes, owner, Socket::UnixStream(Box::new(stream)))
    }

    /// Makes a stream, connected to `peer` if there is one.
    ///
    /// # Errors
    /// `EMFILE`.
    pub(crate) fn open_unix_stream(
        &mut self,
        nodes: &Nodes,
        owner: Owner,
        peer: Option<SocketKey>,
    ) -> io::Result<SocketKey> {
        let stream = UnixStream::new(peer.map_or(Link::Gone, Link::Joined));
        let key = self.insert(nodes, owner, Socket::UnixStream(Box::new(stream)))?;
        if let Some(peer) = peer.and_then(|peer| self.unix_stream(peer)) {
            peer.link = Link::Joined(key);
        }
        Ok(key)
    }

    /// Connects a stream. Pends while the queue of the listener is full.
    ///
    /// # Errors
    /// `ENOENT` when there is no such path, `EPROTOTYPE` when that is of datagrams, `ECONNREFUSED` when
    /// its socket is gone.
    pub(crate) fn connect_unix<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
    ) -> Poll<io::Result<()>> {
        let node = self.owner(key).map(|owner| owner.node).ok_or_else(|| os(EINVAL))?;
        let Some(UnixStream { link: Link::Ahead(path), .. }) = self.unix_stream(key) else {
            return Poll::Ready(Ok(()));
        };
        let path = path.clone();
        let target = self.unix_paths.find(node, &path)?;
        let owner = self.owner(target).ok_or_else(|| os(ECONNREFUSED))?;
        let Some(listener) = self.unix_listener(target) else {
            return Poll::Ready(Err(os(EPROTOTYPE)));
        };
        if listener.queue.len() > listener.backlog as usize {
            if !listener.blocked.contains(&key) {
                listener.blocked.push(key);
            }
            return Poll::Pending;
        }
        let mut child = UnixStream::new(Link::Queued(key));
        child.path = Some(path.clone());
        let child = self.insert_child(owner, Socket::UnixStream(Box::new(child)));
        let listener = self.unix_listener(target).expect("it was found");
        listener.queue.push_back(child);
        listener.readers.wake(outside.wakes);
        let stream = self.unix_stream(key).expect("it was found");
        stream.link = Link::Joined(child);
        stream.peer_path = Some(path);
        Poll::Ready(Ok(()))
    }

    /// Accepts the connection that has waited longest. Pends while there is none.
    ///
    /// # Errors
    /// `EMFILE`, also when there is none: one that comes stays in the queue.
    pub(crate) fn accept_unix<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
    ) -> Poll<io::Result<SocketKey>> {
        let listener = self.unix_listener(key).ok_or_else(|| os(EINVAL))?;
        let child = listener.queue.front().copied();
        let node = self.owner(key).ok_or_else(|| os(EINVAL))?.node;
        self.check_limit(outside.nodes, node)?;
        let Some(child) = child else { return Poll::Pending };
        self.open_child(child);
        let listener = self.unix_listener(key).expect("it was found");
        listener.queue.pop_front();
        let blocked = std::mem::take(&mut listener.blocked);
        self.wake_unix_writers(outside.wakes, blocked);
        let stream = self.unix_stream(child).expect("it was in the queue");
        if let Link::Queued(peer) = stream.link {
            stream.link = Link::Joined(peer);
        }
        Poll::Ready(Ok(child))
    }

    // Bytes

    /// Reads what there is, as `stream_poll_read` says.
    ///
    /// # Errors
    /// `ECONNRESET` when the peer has gone with something unread, once, after what it had written.
    pub(super) fn read_unix<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        buffers: &mut [IoSliceMut<'_>],
        how: Take,
    ) -> Poll<io::Result<usize>> {
        let stream = self.unix_stream(key).ok_or_else(|| os(ENOTCONN))?;
        if stream.incoming.is_empty() {
            return match stream.error.take() {
                Some(error) => Poll::Ready(Err(os(error))),
                None if stream.is_read_shut => Poll::Ready(Ok(0)),
                None => Poll::Pending,
            };
        }
        let count = copy_out(&stream.incoming, buffers);
        if how == Take::Consume {
            stream.incoming.drain(..count);
            if stream.has_room()
                && let Some(peer) = stream.peer()
                && let Some(peer) = self.unix_stream(peer)
            {
                peer.writers.wake(outside.wakes);
            }
        }
        Poll::Ready(Ok(count))
    }

    /// Writes what there is room for, as `stream_poll_write` says.
    ///
    /// # Errors
    /// `EPIPE` when writing has ended, by either side.
    pub(super) fn write_unix<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = self.unix_stream(key).ok_or_else(|| os(ENOTCONN))?;
        if stream.is_write_shut {
            return Poll::Ready(Err(os(EPIPE)));
        }
        let peer = stream.peer().ok_or_else(|| os(ENOTCONN))?;
        let peer = self.unix_stream(peer).expect("one that goes says so");
        let mut room = BUFFER - peer.incoming.len();
        if room == 0 && buffers.iter().any(|buffer| !buffer.is_empty()) {
            return Poll::Pending;
        }
        let mut count = 0;
        for buffer in buffers {
            let part = &buffer[..buffer.len().min(room)];
            peer.incoming.extend(part);
            room -= part.len();
            count += part.len();
        }
        if count > 0 {
            peer.readers.wake(outside.wakes);
        }
        Poll::Ready(Ok(count))
    }

    /// Tells whether a write finds so much room that whoever waits for that is told.
    pub(super) fn is_unix_stream_writable(&self, stream: &UnixStream) -> bool {
        match stream.peer().and_then(|peer| self.get(peer)) {
            Some(Socket::UnixStream(peer)) => stream.is_write_shut || peer.has_room(),
            _ => !matches!(stream.link, Link::Ahead(_)),
        }
    }

    // Ending

    /// Ends directions of a stream, and the same ones of its peer.
    pub(super) fn shutdown_unix_stream(
        &mut self,
        key: SocketKey,
        how: Shutdown,
        wakes: &mut Wakes,
    ) -> io::Result<()> {
        let stream = self.unix_stream(key).ok_or_else(|| os(ENOTCONN))?;
        stream.shut(how, wakes);
        let mirrored = match how {
            Shutdown::Read => Shutdown::Write,
            Shutdown::Write => Shutdown::Read,
            Shutdown::Both => Shutdown::Both,
        };
        if let Some(peer) = stream.peer().and_then(|peer| self.unix_stream(peer)) {
            peer.shut(mirrored, wakes);
        }
        Ok(())
    }

    /// A stream has been closed: its peer reads what was written, and is told if anything was not read
    /// here, or nobody had accepted this.
    pub(super) fn end_unix_stream(&mut self, mut stream: UnixStream, wakes: &mut Wakes) {
        stream.readers.let_go(wakes);
        stream.writers.let_go(wakes);
        let is_reset = !stream.incoming.is_empty() || matches!(stream.link, Link::Queued(_));
        if let Some(peer) = stream.peer().and_then(|peer| self.unix_stream(peer)) {
            peer.link = Link::Gone;
            if is_reset {
                peer.error = Some(ECONNRESET);
            }
            peer.shut(Shutdown::Both, wakes);
        }
    }

    /// A listener has been closed: what is in its queue is reset, and who waits for room is refused.
    pub(super) fn end_unix_listener(&mut self, mut listener: UnixListener, wakes: &mut Wakes) {
        listener.readers.let_go(wakes);
        for child in listener.queue {
            if let Some(Socket::UnixStream(child)) = self.remove(child) {
                self.end_unix_stream(*child, wakes);
            }
        }
        self.wake_unix_writers(wakes, listener.blocked);
    }
}

/// Copies bytes into buffers, and returns how many.
fn copy_out(bytes: &VecDeque<u8>, buffers: &mut [IoSliceMut<'_>]) -> usize {
    let (mut first, mut second) = bytes.as_slices();
    let mut count = 0;
    for buffer in buffers {
        let mut room = &mut **buffer;
        while !room.is_empty() {
            if first.is_empty() {
                if second.is_empty() {
                    return count;
                }
                (first, second) = (second, first);
            }
            let size = room.len().min(first.len());
            room[..size].copy_from_slice(&first[..size]);
            (room, first) = (&mut room[size..], &first[size..]);
            count += size;
        }
    }
    count
}

/// `net.core.wmem_default`. Linux counts what describes the bytes, too, so that fewer fit of small writes.
const BUFFER: usize = 212_992;
