//! System calls of UDP.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Poll, Waker};

use super::super::host::Driver;
use super::super::node::NodeId;
use super::super::socket::SocketKey;
use super::super::state::{State, with_state};
use super::{Side, SocketHandle, Take};
use crate::executor::WakeTarget;

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

/// Makes a datagram socket of the machine of the running task.
pub(crate) fn udp_bind(options: UdpOptions, local: SocketAddr) -> io::Result<SocketHandle> {
    with_state("UdpSocket::bind", |state, driver| {
        let owner = state.nodes.owner_of(driver.executor().domain_of_running().0);
        if !state.nodes.is_alive(owner) {
            return Err(dead());
        }
        let (serial, resource) = (driver.executor().serial(), driver.next_resource());
        let (sockets, mut outside) = state.parts(driver);
        let key = sockets.bind_udp(&mut outside, owner, options, local)?;
        Ok(SocketHandle { key, serial, resource })
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

/// Makes a call that may pend, and registers the waker when it does.
fn poll<R>(
    handle: SocketHandle,
    waker: &Waker,
    (call, side): (&str, Side),
    attempt: impl FnOnce(&mut State, &mut Driver<'_>, NodeId) -> Poll<io::Result<R>>,
) -> Poll<io::Result<R>> {
    // Made and dropped while the world is not borrowed: it may be a waker of the user's.
    let mut target = Some(WakeTarget::of(waker));
    let polled = with_socket(handle, call, |state, driver, node| {
        let polled = attempt(state, driver, node);
        if polled.is_pending() {
            state.sockets.wait_for_datagrams(handle.key, side, (&mut target, waker));
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
        assert_eq!(
            driver.executor().serial(),
            handle.serial,
            "a socket was used inside of another simulation than its own"
        );
        let Some(owner) = state.sockets.owner(handle.key).filter(|own| state.nodes.is_alive(*own))
        else {
            return Err(dead());
        };
        let running = state.nodes.of_domain(driver.executor().domain_of_running().0);
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

#[cfg(test)]
mod tests;
