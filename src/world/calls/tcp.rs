//! System calls of TCP.

use std::io;
use std::net::SocketAddr;
use std::task::{Poll, Waker};
use std::time::Duration;

use super::super::tcp::KeepAlive;
use super::SocketHandle;

/// Options of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct TcpOptions {
    pub(crate) reuse_address: bool,
    pub(crate) only_v6: bool,
    pub(crate) nodelay: bool,
    /// None is none; a time above 0 counts as none.
    pub(crate) linger: Option<Duration>,
    pub(crate) ttl: u32,
    pub(crate) keepalive: Option<KeepAlive>,
    pub(crate) user_timeout: Option<Duration>,
    /// As it was asked for; the kernel doubles it. None is the default.
    pub(crate) send_buffer: Option<u32>,
    pub(crate) receive_buffer: Option<u32>,
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self {
            reuse_address: false,
            only_v6: false,
            nodelay: false,
            linger: None,
            ttl: 64,
            keepalive: None,
            user_timeout: None,
            send_buffer: None,
            receive_buffer: None,
        }
    }
}

/// Sends the SYN. `bound` is a socket of [`tcp_bind`], which becomes the connection.
pub(crate) fn tcp_connect(
    options: &TcpOptions,
    bound: Option<SocketHandle>,
    remote: SocketAddr,
) -> io::Result<SocketHandle> {
    panic!("part D")
}

pub(crate) fn tcp_poll_connected(handle: SocketHandle, waker: &Waker) -> Poll<io::Result<()>> {
    panic!("part D")
}

/// Makes a socket that has its address and port and neither listens nor connects.
pub(crate) fn tcp_bind(options: &TcpOptions, local: SocketAddr) -> io::Result<SocketHandle> {
    panic!("part D")
}

/// Has a bound socket listen.
pub(crate) fn tcp_listen(bound: SocketHandle, backlog: u32) -> io::Result<SocketHandle> {
    panic!("part D")
}

pub(crate) fn tcp_poll_accept(
    handle: SocketHandle,
    waker: &Waker,
) -> Poll<io::Result<(SocketHandle, SocketAddr)>> {
    panic!("part D")
}

pub(crate) fn tcp_options(handle: SocketHandle) -> io::Result<TcpOptions> {
    panic!("part D")
}

pub(crate) fn tcp_set_options(handle: SocketHandle, options: &TcpOptions) -> io::Result<()> {
    panic!("part D")
}
