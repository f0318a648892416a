//! System calls of Unix sockets.

use std::io;
use std::path::{Path, PathBuf};
use std::task::{Poll, Waker};

use super::super::state::with_state;
use super::super::tcp::Shutdown;
use super::{Side, SocketHandle, close, dead, open, poll, with_socket};

// Streams

/// Makes a socket that listens at a path.
#[track_caller]
pub(crate) fn unix_listen(path: &Path, backlog: u32) -> io::Result<SocketHandle> {
    open("UnixListener::bind", |state, driver, owner| {
        let (sockets, outside) = state.parts(driver);
        sockets.listen_unix(outside.nodes, owner, path, backlog)
    })
}

/// Makes a socket that is to be connected to whoever listens at a path.
#[track_caller]
pub(crate) fn unix_connect(path: &Path) -> io::Result<SocketHandle> {
    open("UnixStream::connect", |state, driver, owner| {
        let (sockets, outside) = state.parts(driver);
        sockets.begin_connect_unix(outside.nodes, owner, path)
    })
}

/// Connects it. Pends while the queue there is full.
pub(crate) fn unix_poll_connected(handle: SocketHandle, waker: &Waker) -> Poll<io::Result<()>> {
    poll(handle, waker, ("UnixStream::connect", Side::Write), |state, driver, _| {
        let (sockets, mut outside) = state.parts(driver);
        sockets.connect_unix(&mut outside, handle.key)
    })
}

/// Makes two streams that are connected to each other.
#[track_caller]
pub(crate) fn unix_pair() -> io::Result<(SocketHandle, SocketHandle)> {
    let one = open("UnixStream::pair", |state, driver, owner| {
        let (sockets, outside) = state.parts(driver);
        sockets.open_unix_stream(outside.nodes, owner, None)
    })?;
    let other = open("UnixStream::pair", |state, driver, owner| {
        let (sockets, outside) = state.parts(driver);
        sockets.open_unix_stream(outside.nodes, owner, Some(one.key))
    });
    both(one, other)
}

/// Accepts a connection.
pub(crate) fn unix_poll_accept(
    handle: SocketHandle,
    waker: &Waker,
) -> Poll<io::Result<SocketHandle>> {
    poll(handle, waker, ("UnixListener::accept", Side::Read), |state, driver, _| {
        let (sockets, mut outside) = state.parts(driver);
        let accepted = sockets.accept_unix(&mut outside, handle.key);
        accepted.map_ok(|key| state.sockets.handle(driver, key))
    })
}

// Datagrams

/// Makes a socket of datagrams, at a path if there is one.
#[track_caller]
pub(crate) fn unix_datagrams(path: Option<&Path>) -> io::Result<SocketHandle> {
    let call = if path.is_some() { "UnixDatagram::bind" } else { "UnixDatagram::unbound" };
    open(call, |state, driver, owner| {
        let (sockets, outside) = state.parts(driver);
        sockets.open_unix_datagrams(outside.nodes, owner, path)
    })
}

/// Makes two that are connected to each other.
#[track_caller]
pub(crate) fn unix_datagram_pair() -> io::Result<(SocketHandle, SocketHandle)> {
    let one = open("UnixDatagram::pair", |state, driver, owner| {
        let (sockets, outside) = state.parts(driver);
        sockets.open_unix_datagrams(outside.nodes, owner, None)
    })?;
    let other = open("UnixDatagram::pair", |state, driver, owner| {
        let (sockets, outside) = state.parts(driver);
        let other = sockets.open_unix_datagrams(outside.nodes, owner, None)?;
        sockets.join_unix_datagrams(one.key, other);
        Ok(other)
    });
    both(one, other)
}

/// Sets whom a socket of datagrams sends to and hears.
pub(crate) fn unix_connect_datagrams(handle: SocketHandle, path: &Path) -> io::Result<()> {
    with_socket(handle, "UnixDatagram::connect", |state, driver, node| {
        let (sockets, mut outside) = state.parts(driver);
        sockets.connect_unix_datagrams(&mut outside, (node, handle.key), path)
    })
}

/// Sends a datagram, to the peer if there is no path. Pends while the queue there is full.
pub(crate) fn unix_poll_send(
    handle: SocketHandle,
    waker: &Waker,
    target: Option<&Path>,
    data: &[u8],
) -> Poll<io::Result<usize>> {
    poll(handle, waker, ("UnixDatagram::send", Side::Write), |state, driver, node| {
        let (sockets, mut outside) = state.parts(driver);
        sockets.send_unix_datagram(&mut outside, (node, handle.key), target, data)
    })
}

/// Receives a datagram and says which path it is from.
pub(crate) fn unix_poll_receive(
    handle: SocketHandle,
    waker: &Waker,
    buffer: &mut [u8],
) -> Poll<io::Result<(usize, Option<PathBuf>)>> {
    poll(handle, waker, ("UnixDatagram::recv", Side::Read), |state, driver, _| {
        let (sockets, mut outside) = state.parts(driver);
        sockets.receive_unix_datagram(&mut outside, handle.key, buffer)
    })
}

// All of them

/// Returns the path of a socket.
pub(crate) fn unix_local_path(handle: SocketHandle) -> io::Result<Option<PathBuf>> {
    with_socket(handle, "local_addr", |state, _, _| Ok(state.sockets.unix_path(handle.key)))
}

/// Returns the path of the peer of a socket.
pub(crate) fn unix_peer_path(handle: SocketHandle) -> io::Result<Option<PathBuf>> {
    with_socket(handle, "peer_addr", |state, _, _| state.sockets.unix_peer_path(handle.key))
}

/// Takes the error of a socket (`SO_ERROR`).
pub(crate) fn unix_take_error(handle: SocketHandle) -> io::Result<Option<io::Error>> {
    with_socket(handle, "take_error", |state, _, _| Ok(state.sockets.take_unix_error(handle.key)))
}

/// Ends sending, receiving or both, of streams and of datagrams.
pub(crate) fn unix_shutdown(handle: SocketHandle, how: Shutdown) -> io::Result<()> {
    with_socket(handle, "shutdown", |state, driver, _| {
        let (sockets, mut outside) = state.parts(driver);
        sockets.shutdown_unix(&mut outside, handle.key, how)
    })
}

/// Removes a path from the machine of the running task. Sockets that are bound to it live on.
#[track_caller]
pub(crate) fn unix_remove(path: &Path) -> io::Result<()> {
    with_state("parcae::net::unix_remove", |state, driver| {
        let owner = state.nodes.owner_of(driver.running_domain());
        if !state.nodes.is_alive(owner) {
            return Err(dead());
        }
        state.sockets.remove_unix_path(owner.node, path)
    })
}

/// Returns both sockets of a pair, or closes the first one.
fn both(
    one: SocketHandle,
    other: io::Result<SocketHandle>,
) -> io::Result<(SocketHandle, SocketHandle)> {
    match other {
        Ok(other) => Ok((one, other)),
        Err(error) => {
            close(one);
            Err(error)
        }
    }
}
