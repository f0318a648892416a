//! System calls of TCP.

use std::io;
use std::net::SocketAddr;
use std::task::{Poll, Waker};
use std::time::Duration;

use super::super::tcp::KeepAlive;
use super::{Side, SocketHandle, open, poll, with_socket};

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

/// Begins to connect. `bound` is a socket of [`tcp_bind`], which becomes the connection.
#[track_caller]
pub(crate) fn tcp_connect(
    options: &TcpOptions,
    bound: Option<SocketHandle>,
    remote: SocketAddr,
) -> io::Result<SocketHandle> {
    if let Some(bound) = bound {
        with_socket(bound, "TcpSocket::connect", |_, _, _| Ok(()))?;
    }
    open("TcpStream::connect", |state, driver, owner| {
        let (sockets, mut outside) = state.parts(driver);
        let who = (owner, bound.map(|bound| bound.key));
        sockets.connect_tcp(&mut outside, who, options, remote)
    })
}

/// Waits until a connection is established, or has failed.
#[track_caller]
pub(crate) fn tcp_poll_connected(handle: SocketHandle, waker: &Waker) -> Poll<io::Result<()>> {
    poll(handle, waker, ("TcpStream::connect", Side::Write), |state, _, _| {
        state.sockets.connected_tcp(handle.key)
    })
}

/// Makes a socket that has its address and port and neither listens nor connects.
#[track_caller]
pub(crate) fn tcp_bind(options: &TcpOptions, local: SocketAddr) -> io::Result<SocketHandle> {
    open("TcpListener::bind", |state, driver, owner| {
        let (sockets, mut outside) = state.parts(driver);
        sockets.bind_tcp(&mut outside, owner, options, local)
    })
}

/// Has a bound socket listen.
#[track_caller]
pub(crate) fn tcp_listen(bound: SocketHandle, backlog: u32) -> io::Result<SocketHandle> {
    with_socket(bound, "TcpSocket::listen", |state, _, _| {
        state.sockets.listen_tcp(bound.key, backlog)?;
        Ok(bound)
    })
}

/// Takes the connection that has waited longest, and says who has connected.
#[track_caller]
pub(crate) fn tcp_poll_accept(
    handle: SocketHandle,
    waker: &Waker,
) -> Poll<io::Result<(SocketHandle, SocketAddr)>> {
    poll(handle, waker, ("TcpListener::accept", Side::Read), |state, driver, _| {
        let (sockets, mut outside) = state.parts(driver);
        let accepted = sockets.accept_tcp(&mut outside, handle.key);
        accepted.map_ok(|(key, remote)| (state.sockets.handle(driver, key), remote))
    })
}

/// Returns the options of a socket of any kind of TCP.
#[track_caller]
pub(crate) fn tcp_options(handle: SocketHandle) -> io::Result<TcpOptions> {
    with_socket(handle, "an option", |state, _, _| state.sockets.tcp_options(handle.key))
}

/// Sets the options of a socket of any kind of TCP, as far as they can still be changed.
#[track_caller]
pub(crate) fn tcp_set_options(handle: SocketHandle, options: &TcpOptions) -> io::Result<()> {
    with_socket(handle, "an option", |state, driver, _| {
        let (sockets, mut outside) = state.parts(driver);
        sockets.set_tcp_options(&mut outside, handle.key, options)
    })
}

#[cfg(test)]
mod tests;
