//! System calls of UDP.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Poll, Waker};

use super::{Side, SocketHandle, Take, open, poll, with_socket};

/// An option of a datagram socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UdpOption {
    /// Whether it may send to broadcast addresses.
    Broadcast(bool),
    /// Whether what it sends to IPv4 groups reaches its own machine, too.
    MulticastLoopV4(bool),
    /// Whether what it sends to IPv6 groups reaches its own machine, too.
    MulticastLoopV6(bool),
    /// How many routers may be on the way.
    Ttl(u32),
}

/// How a datagram socket is bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UdpOptions {
    /// Whether another one that says so, too, may have the same port.
    pub(crate) reuse_address: bool,
    /// Whether one of IPv6 leaves IPv4 to others.
    pub(crate) only_v6: bool,
}

/// What the options of a datagram socket are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct UdpSettings {
    pub(crate) may_broadcast: bool,
    pub(crate) loops_v4: bool,
    pub(crate) loops_v6: bool,
    pub(crate) ttl: u32,
}

/// Makes a datagram socket of the machine of the running task.
pub(crate) fn udp_bind(options: UdpOptions, local: SocketAddr) -> io::Result<SocketHandle> {
    open("UdpSocket::bind", |state, driver, owner| {
        let (sockets, mut outside) = state.parts(driver);
        sockets.bind_udp(&mut outside, owner, options, local)
    })
}

/// None takes the peer away.
pub(crate) fn udp_connect(handle: SocketHandle, remote: Option<SocketAddr>) -> io::Result<()> {
    with_socket(handle, "UdpSocket::connect", |state, driver, node| {
        let (sockets, mut outside) = state.parts(driver);
        sockets.connect_udp(&mut outside, node, handle.key, remote)
    })
}

/// Sends a datagram, to the peer if there is no target.
pub(crate) fn udp_poll_send(
    handle: SocketHandle,
    waker: &Waker,
    target: Option<SocketAddr>,
    data: &[u8],
) -> Poll<io::Result<usize>> {
    poll(handle, waker, ("UdpSocket::send", Side::Write), |state, driver, node| {
        let (sockets, mut outside) = state.parts(driver);
        sockets.send_datagram(&mut outside, (node, handle.key), target, data)
    })
}

/// Receives a datagram and says who sent it.
pub(crate) fn udp_poll_receive(
    handle: SocketHandle,
    waker: &Waker,
    buffer: &mut [u8],
    how: Take,
) -> Poll<io::Result<(usize, SocketAddr)>> {
    poll(handle, waker, ("UdpSocket::recv", Side::Read), |state, driver, _| {
        let (sockets, mut outside) = state.parts(driver);
        sockets.receive_from(&mut outside, handle.key, buffer, how)
    })
}

/// Joins a multicast group.
pub(crate) fn udp_join(handle: SocketHandle, group: IpAddr) -> io::Result<()> {
    with_socket(handle, "UdpSocket::join_multicast", |state, driver, node| {
        let (sockets, mut outside) = state.parts(driver);
        sockets.join_group(&mut outside, node, handle.key, group)
    })
}

/// Leaves a multicast group.
pub(crate) fn udp_leave(handle: SocketHandle, group: IpAddr) -> io::Result<()> {
    with_socket(handle, "UdpSocket::leave_multicast", |state, driver, node| {
        let (sockets, mut outside) = state.parts(driver);
        sockets.leave_group(&mut outside, node, handle.key, group)
    })
}

/// Sets an option.
pub(crate) fn udp_set_option(handle: SocketHandle, option: UdpOption) -> io::Result<()> {
    with_socket(handle, "UdpSocket::set_option", |state, _, _| {
        state.sockets.set_udp_option(handle.key, option)
    })
}

/// Returns all options.
pub(crate) fn udp_settings(handle: SocketHandle) -> io::Result<UdpSettings> {
    with_socket(handle, "UdpSocket::option", |state, _, _| state.sockets.udp_settings(handle.key))
}

#[cfg(test)]
mod tests;
