//! System calls of UDP.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Poll, Waker};

use super::{SocketHandle, Take};

/// An option of a datagram socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UdpOption {
    Broadcast(bool),
    MulticastLoopV4(bool),
    MulticastLoopV6(bool),
    Ttl(u32),
}

/// How a datagram socket is bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UdpOptions {
    pub(crate) reuse_address: bool,
    pub(crate) only_v6: bool,
}

pub(crate) fn udp_bind(options: UdpOptions, local: SocketAddr) -> io::Result<SocketHandle> {
    panic!("part B")
}

/// None takes the peer away.
pub(crate) fn udp_connect(handle: SocketHandle, remote: Option<SocketAddr>) -> io::Result<()> {
    panic!("part B")
}

pub(crate) fn udp_poll_send(
    handle: SocketHandle,
    waker: &Waker,
    target: Option<SocketAddr>,
    data: &[u8],
) -> Poll<io::Result<usize>> {
    panic!("part B")
}

pub(crate) fn udp_poll_receive(
    handle: SocketHandle,
    waker: &Waker,
    buffer: &mut [u8],
    how: Take,
) -> Poll<io::Result<(usize, SocketAddr)>> {
    panic!("part B")
}

pub(crate) fn udp_join(handle: SocketHandle, group: IpAddr) -> io::Result<()> {
    panic!("part B")
}

pub(crate) fn udp_leave(handle: SocketHandle, group: IpAddr) -> io::Result<()> {
    panic!("part B")
}

pub(crate) fn udp_set_option(handle: SocketHandle, option: UdpOption) -> io::Result<()> {
    panic!("part B")
}
