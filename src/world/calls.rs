//! What `net` asks of a kernel: the system calls.
//!
//! Checks of every call, in this order: a handle of another run panics; a dead machine of the socket
//! gives `NotConnected`; a task of another machine panics; then the call. A waker is registered when
//! the answer is `Pending`. A short read means drained, a short write means full, unless calls are short
//! by chance.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::panic::Location;
use std::task::{Poll, Waker};

use super::host::Driver;
use super::node::NodeId;
use super::socket::{Owner, SocketKey};
use super::state::{State, with_state, with_state_if_alive};
use crate::executor::{Resource, WakeTarget};

mod names;
mod tcp;
mod udp;
#[cfg(unix)]
mod unix;

pub(crate) use self::names::{LookupHandle, lookup_drop, lookup_poll, lookup_start};
pub(crate) use self::tcp::{
    TcpOptions, tcp_bind, tcp_connect, tcp_listen, tcp_options, tcp_poll_accept,
    tcp_poll_connected, tcp_set_options,
};
pub(crate) use self::udp::{
    UdpOption, UdpOptions, UdpSettings, udp_bind, udp_connect, udp_join, udp_leave,
    udp_poll_receive, udp_poll_send, udp_set_option, udp_settings,
};
#[cfg(unix)]
pub(crate) use self::unix::{
    unix_connect, unix_connect_datagrams, unix_datagram_pair, unix_datagrams, unix_listen,
    unix_local_path, unix_pair, unix_peer_path, unix_poll_accept, unix_poll_connected,
    unix_poll_receive, unix_poll_send, unix_remove, unix_shutdown, unix_take_error,
};
pub(crate) use super::tcp::{KeepAlive, Shutdown};

/// A socket, as who uses it holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SocketHandle {
    pub(crate) key: SocketKey,
    /// Serial number of its run.
    pub(crate) serial: u64,
    /// Number of the resource, for points and reports.
    pub(crate) resource: u64,
}

impl SocketHandle {
    /// Returns the identity of the socket, for points and what waits for it.
    pub(crate) fn identity(
        self,
        kind: &'static str,
        made_at: &'static Location<'static>,
    ) -> Resource {
        Resource::rebuilt(self.serial, self.resource, kind, made_at)
    }
}

/// Whether a read takes what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    Consume,
    Peek,
}

/// Which direction of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Read,
    Write,
}

// Streams: TCP and Unix

/// Reads from a stream, as much as there is and the buffers hold.
pub(crate) fn stream_poll_read(
    handle: SocketHandle,
    waker: &Waker,
    buffers: &mut [IoSliceMut<'_>],
    how: Take,
) -> Poll<io::Result<usize>> {
    poll(handle, waker, ("read", Side::Read), |state, driver, _| {
        let (sockets, mut outside) = state.parts(driver);
        sockets.read_stream(&mut outside, handle.key, buffers, how)
    })
}

/// Writes to a stream, as much as there is room for.
pub(crate) fn stream_poll_write(
    handle: SocketHandle,
    waker: &Waker,
    buffers: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    poll(handle, waker, ("write", Side::Write), |state, driver, _| {
        let (sockets, mut outside) = state.parts(driver);
        sockets.write_stream(&mut outside, handle.key, buffers)
    })
}

pub(crate) fn stream_shutdown(handle: SocketHandle, how: Shutdown) -> io::Result<()> {
    with_socket(handle, "shutdown", |state, driver, _| {
        let (sockets, mut outside) = state.parts(driver);
        sockets.shutdown_stream(&mut outside, handle.key, how)
    })
}

// Sockets of any kind

/// Waits until a socket is readable (a listener: has somebody to accept) or writable.
pub(crate) fn poll_ready(handle: SocketHandle, waker: &Waker, side: Side) -> Poll<io::Result<()>> {
    let call = match side {
        Side::Read => "readable",
        Side::Write => "writable",
    };
    poll(handle, waker, (call, side), |state, _, _| {
        if state.sockets.is_ready(handle.key, side) { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
}

/// Returns the address of a socket of TCP or UDP.
pub(crate) fn local_address(handle: SocketHandle) -> io::Result<SocketAddr> {
    with_socket(handle, "local_addr", |state, _, _| {
        state.sockets.local_address(handle.key, &state.network.addresses)
    })
}

/// Returns the address of the peer of a socket of TCP or UDP.
pub(crate) fn peer_address(handle: SocketHandle) -> io::Result<SocketAddr> {
    with_socket(handle, "peer_addr", |state, _, _| {
        state.sockets.peer_address(handle.key, &state.network.addresses)
    })
}

/// Takes the error of a socket of TCP or UDP (`SO_ERROR`).
pub(crate) fn take_error(handle: SocketHandle) -> io::Result<Option<io::Error>> {
    with_socket(handle, "take_error", |state, _, _| Ok(state.sockets.take_error(handle.key)))
}

/// Closes a socket of any kind, from the destructor of whoever holds it. Nothing happens when the
/// machine of the running task is dead, or the socket's, and outside of the run.
pub(crate) fn close(handle: SocketHandle) {
    with_state_if_alive(|state, driver| {
        let owner = state.sockets.owner(handle.key);
        let is_own = driver.serial() == handle.serial;
        if is_own && owner.is_some_and(|owner| state.nodes.is_alive(owner)) {
            let (sockets, mut outside) = state.parts(driver);
            sockets.close(&mut outside, handle.key);
        }
    });
}

// Checks

/// Makes a socket of the process of the running task.
#[track_caller]
fn open(
    call: &str,
    make: impl FnOnce(&mut State, &mut Driver<'_>, Owner) -> io::Result<SocketKey>,
) -> io::Result<SocketHandle> {
    with_state(call, |state, driver| {
        let owner = state.nodes.owner_of(driver.running_domain());
        if !state.nodes.is_alive(owner) {
            return Err(dead());
        }
        let key = make(state, driver, owner)?;
        Ok(state.sockets.handle(driver, key))
    })
}

/// Makes a call that may pend, and registers the waker when it does.
#[track_caller]
fn poll<R>(
    handle: SocketHandle,
    waker: &Waker,
    (call, side): (&str, Side),
    attempt: impl FnOnce(&mut State, &mut Driver<'_>, NodeId) -> Poll<io::Result<R>>,
) -> Poll<io::Result<R>> {
    // One of the user's is cloned and dropped while the world is not borrowed.
    let mut foreign = (!WakeTarget::is_of_task(waker)).then(|| WakeTarget::of(waker));
    let polled = with_socket(handle, call, |state, driver, node| {
        let polled = attempt(state, driver, node);
        // A call that is not to wait has a waker that wakes nobody.
        if polled.is_pending() && !waker.will_wake(Waker::noop()) {
            let mut own = WakeTarget::of_task(waker);
            let target = if own.is_some() { &mut own } else { &mut foreign };
            state.sockets.wait_for(handle.key, side, (target, waker));
        }
        Ok(polled)
    });
    polled.unwrap_or_else(|error| Poll::Ready(Err(error)))
}

/// Calls `change` with the machine of a socket, after the checks that every call makes.
#[track_caller]
fn with_socket<R>(
    handle: SocketHandle,
    call: &str,
    change: impl FnOnce(&mut State, &mut Driver<'_>, NodeId) -> io::Result<R>,
) -> io::Result<R> {
    with_state(call, |state, driver| {
        assert!(
            driver.serial() == handle.serial,
            "a socket was used inside of another simulation than its own"
        );
        let owner = state.sockets.owner(handle.key);
        let Some(owner) = owner.filter(|owner| state.nodes.is_alive(*owner)) else {
            return Err(dead());
        };
        let running = state.nodes.of_domain(driver.running_domain());
        assert!(
            running == owner.node,
            "a socket of `{}` was used by a task of `{}`",
            state.nodes.get(owner.node).name,
            state.nodes.get(running).name
        );
        change(state, driver, owner.node)
    })
}

/// What calls of a socket give whose machine, or process, is gone.
fn dead() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the machine of this socket is dead")
}
