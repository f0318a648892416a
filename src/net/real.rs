//! Sockets of the operating system: making them, and options that the standard library has not.
//!
//! **Absent on purpose**: waiting. What is made here does not block, and is registered with the reactor.

use std::io;
use std::net::{self, IpAddr, SocketAddr};
#[cfg(unix)]
use std::os::fd::AsFd;
#[cfg(windows)]
use std::os::windows::io::AsSocket;
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
pub(super) fn listen(address: SocketAddr, backlog: u32) -> io::Result<Async<net::TcpListener>> {
    let socket = tcp_socket(address.ip())?;
    // Elsewhere the option lets others take the address away.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    listen_with(socket, backlog)
}

/// Listens with a socket of the caller's.
pub(super) fn listen_with(socket: Socket, backlog: u32) -> io::Result<Async<net::TcpListener>> {
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    Async::new_nonblocking(socket.into())
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

// UDP

/// Makes a UDP socket at an address, which others may share if they said so, too.
pub(super) fn udp_socket(address: SocketAddr, shares: bool) -> io::Result<Async<net::UdpSocket>> {
    let socket = Socket::new(domain(address.ip()), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(shares)?;
    socket.bind(&address.into())?;
    Async::new_nonblocking(socket.into())
}

/// Takes the peer of a UDP socket away.
pub(super) fn disconnect(socket: &net::UdpSocket) -> io::Result<()> {
    Ok(rustix::net::connect_unspec(socket)?)
}

// Unix

#[cfg(unix)]
pub(super) use self::unix::{unix_connect, unix_listen, unix_pair, unix_remove};

#[cfg(unix)]
mod unix {
    //! Sockets of the machine itself.

    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::Path;

    use socket2::SockAddr;

    use super::{Async, Domain, Socket, Type, io};

    /// Connects to a path. [`WouldBlock`](io::ErrorKind::WouldBlock) means that the queue there is full.
    pub(in crate::net) fn unix_connect(path: &Path) -> io::Result<Async<UnixStream>> {
        let socket = unix_socket()?;
        socket.connect(&SockAddr::unix(path)?)?;
        Async::new_nonblocking(socket.into())
    }

    pub(in crate::net) fn unix_listen(
        path: &Path,
        backlog: u32,
    ) -> io::Result<Async<UnixListener>> {
        let socket = unix_socket()?;
        socket.bind(&SockAddr::unix(path)?)?;
        socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        Async::new_nonblocking(socket.into())
    }

    pub(in crate::net) fn unix_pair() -> io::Result<(Async<UnixStream>, Async<UnixStream>)> {
        let (one, other) = UnixStream::pair()?;
        Ok((Async::new(one)?, Async::new(other)?))
    }

    pub(in crate::net) fn unix_remove(path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn unix_socket() -> io::Result<Socket> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }
}

// All of them

/// Takes over a socket that the standard library made.
#[cfg(unix)]
pub(super) fn adopt<T: AsFd>(socket: T) -> io::Result<Async<T>> {
    Async::new(socket)
}

/// Takes over a socket that the standard library made.
#[cfg(windows)]
pub(super) fn adopt<T: AsSocket>(socket: T) -> io::Result<Async<T>> {
    Async::new(socket)
}

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
    return error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error());
    #[cfg(not(unix))]
    return error.kind() == io::ErrorKind::WouldBlock;
}
