//! Sockets of the operating system: making them, and options that the standard library has not.
//!
//! **Absent on purpose**: waiting. What is made here does not block, and is registered with the reactor.

use std::io;
use std::net::{self, IpAddr, SocketAddr};
use std::time::Duration;

use async_io::Async;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use super::tcp_socket::KeepAlive;

// TCP

/// Makes a TCP socket that does not block.
pub(super) fn tcp_socket(family: IpAddr) -> io::Result<Socket> {
    let socket = Socket::new(domain(family), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Begins to connect; the socket is writable when that has come to an end.
pub(super) fn begin_connect(address: SocketAddr) -> io::Result<Async<net::TcpStream>> {
    connect_with(tcp_socket(address.ip())?, address)
}

/// As [`begin_connect`], with a socket of the caller's.
pub(super) fn connect_with(
    socket: Socket,
    address: SocketAddr,
) -> io::Result<Async<net::TcpStream>> {
    begun(socket.connect(&address.into()))?;
    // Registered when it connects, not before: a socket that does nothing counts as hung up.
    Async::new_nonblocking(socket.into())
}

/// Listens at an address, which may have been in use.
pub(super) fn listen(address: SocketAddr) -> io::Result<Async<net::TcpListener>> {
    let socket = tcp_socket(address.ip())?;
    // Elsewhere the option lets others take the address away.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    listen_with(socket, BACKLOG)
}

/// Listens with a socket of the caller's.
pub(super) fn listen_with(socket: Socket, backlog: u32) -> io::Result<Async<net::TcpListener>> {
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    Async::new_nonblocking(socket.into())
}

/// Takes over a connection that was accepted.
pub(super) fn adopt(stream: net::TcpStream) -> io::Result<Async<net::TcpStream>> {
    Async::new(stream)
}

pub(super) fn linger(socket: &net::TcpStream) -> io::Result<Option<Duration>> {
    SockRef::from(socket).linger()
}

pub(super) fn set_linger(socket: &net::TcpStream, linger: Option<Duration>) -> io::Result<()> {
    SockRef::from(socket).set_linger(linger)
}

pub(super) fn keep_alive(keep_alive: &KeepAlive) -> TcpKeepalive {
    let times = TcpKeepalive::new().with_time(keep_alive.time).with_interval(keep_alive.interval);
    times.with_retries(keep_alive.retries)
}

pub(super) fn local_address(socket: &Socket) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?.as_socket();
    address.ok_or_else(|| io::Error::other("the address of the socket is not one of the Internet"))
}

// All of them

fn domain(family: IpAddr) -> Domain {
    match family {
        IpAddr::V4(_) => Domain::IPV4,
        IpAddr::V6(_) => Domain::IPV6,
    }
}

/// A connect that goes on in the background has begun.
fn begun(connect: io::Result<()>) -> io::Result<()> {
    match connect {
        Err(error) if is_under_way(&error) => Ok(()),
        result => result,
    }
}

fn is_under_way(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error() == Some(IN_PROGRESS);
    #[cfg(not(unix))]
    return error.kind() == io::ErrorKind::WouldBlock;
}

/// Connections that may wait to be accepted; as many as tokio has.
const BACKLOG: u32 = 1024;

/// `EINPROGRESS`, for which the standard library has no kind.
#[cfg(any(target_os = "linux", target_os = "android"))]
const IN_PROGRESS: i32 = 115;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
const IN_PROGRESS: i32 = 36;
