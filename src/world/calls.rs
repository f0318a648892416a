//! What `net` asks of a kernel: the system calls.
//!
//! Checks of every call, in this order: a handle of another run panics; a dead machine of the socket
//! gives `NotConnected`; a task of another machine panics; then the call. A waker is registered when
//! the answer is `Pending`. A short read means drained, a short write means full.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::panic::Location;
use std::task::{Poll, Waker};

use super::socket::SocketKey;
use crate::executor::Resource;

mod names;
mod tcp;
mod udp;
mod unix;

pub(crate) use self::names::{LookupHandle, lookup_drop, lookup_poll, lookup_start};
pub(crate) use self::tcp::{
    TcpOptions, tcp_bind, tcp_connect, tcp_listen, tcp_options, tcp_poll_accept,
    tcp_poll_connected, tcp_set_options,
};
pub(crate) use self::udp::{
    UdpOption, UdpOptions, udp_bind, udp_connect, udp_join, udp_leave, udp_poll_receive,
    udp_poll_send, udp_set_option,
};
pub(crate) use super::socket::NameError;
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

pub(crate) fn stream_poll_read(
    handle: SocketHandle,
    waker: &Waker,
    buffers: &mut [IoSliceMut<'_>],
    how: Take,
) -> Poll<io::Result<usize>> {
    panic!("part D")
}

pub(crate) fn stream_poll_write(
    handle: SocketHandle,
    waker: &Waker,
    buffers: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    panic!("part D")
}

/// Waits until a stream, or a datagram socket, is readable or writable.
pub(crate) fn poll_ready(handle: SocketHandle, waker: &Waker, side: Side) -> Poll<io::Result<()>> {
    panic!("part D")
}

pub(crate) fn stream_shutdown(handle: SocketHandle, how: Shutdown) -> io::Result<()> {
    panic!("part D")
}

// Sockets of any kind but Unix

pub(crate) fn local_address(handle: SocketHandle) -> io::Result<SocketAddr> {
    panic!("part D")
}

pub(crate) fn peer_address(handle: SocketHandle) -> io::Result<SocketAddr> {
    panic!("part D")
}

/// `SO_ERROR`.
pub(crate) fn take_error(handle: SocketHandle) -> io::Result<Option<io::Error>> {
    panic!("part D")
}

/// Closes a socket of any kind, from the destructor of whoever holds it. Nothing happens when the
/// machine of the running task is dead, or the socket's.
pub(crate) fn close(handle: SocketHandle) {
    panic!("part D")
}
