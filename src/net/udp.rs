//! A socket for datagrams.

use std::fmt;
use std::io;
use std::net::{self, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::Location;
#[cfg(feature = "simulation")]
use std::task::Waker;
use std::task::{Context, Poll};

use super::address::ToSocketAddrs;
use super::operation::{Operation, Ready};
#[cfg(feature = "real")]
use super::real;
use super::receive::{PEEK, RECEIVE, Receive, ReceiveCall, receive_call};
use super::send::{SEND, SendCall, SendDatagram, send_call};
#[cfg(feature = "simulation")]
use super::simulated::at_once;
#[cfg(feature = "real")]
use super::socket::poll_system;
use super::socket::{Side, Socket, either};
use super::udp_futures::{CONNECT, UdpBind, UdpConnect, UdpSendTo};
use crate::context;
#[cfg(feature = "simulation")]
use crate::world::calls::{self, SocketHandle, Take, UdpOption};

/// Sends and receives datagrams: messages of up to 65,507 bytes (65,527 over IPv6) that keep their
/// borders, and may be lost, doubled, or overtake each other.
///
/// In a simulation each takes a time of its own, so they overtake each other unless that of the link is constant.
/// Loss and doubling have to be asked for ([`LinkOptions`](crate::world::LinkOptions)); a buffer that is
/// full drops what comes, as on Linux.
///
/// It is not connected to anybody at first: [`UdpSocket::send_to`] says whom to. One that is connected
/// receives from its peer only, and learns, at the call after, that nobody is there.
///
/// # Examples
/// ```
/// # #[cfg(feature = "real")]
/// # parcae::real::run(async {
/// use parcae::net::UdpSocket;
///
/// let server = UdpSocket::bind("127.0.0.1:0").await?;
/// let client = UdpSocket::bind("127.0.0.1:0").await?;
/// client.connect(server.local_addr()?).await?;
/// client.send(b"ping").await?;
///
/// let mut buffer = [0; 16];
/// let (size, from) = server.recv_from(&mut buffer).await?;
/// assert_eq!((&buffer[..size], from), (&b"ping"[..], client.local_addr()?));
/// server.send_to(b"pong", from).await?;
/// assert_eq!(client.recv(&mut buffer).await?, 4);
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// Too large:
/// ```
/// # #[cfg(feature = "real")]
/// # parcae::real::run(async {
/// use parcae::net::UdpSocket;
///
/// let socket = UdpSocket::bind("127.0.0.1:0").await?;
/// let target = socket.local_addr()?;
/// assert!(socket.send_to(&[0; 65_508], target).await.is_err());
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
pub struct UdpSocket {
    socket: Socket<net::UdpSocket>,
}

impl UdpSocket {
    pub(super) fn new(socket: Socket<net::UdpSocket>) -> Self {
        Self { socket }
    }

    /// Makes a socket at the first of the addresses that can be had.
    ///
    /// # Errors
    /// What the attempt at the last address failed with: [`AddrInUse`](io::ErrorKind::AddrInUse),
    /// [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable) when it is not of this machine.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    ///
    /// # Cancel safety
    /// Cancel safe: it binds in the poll in which it is ready.
    #[track_caller]
    pub fn bind(addresses: impl ToSocketAddrs) -> UdpBind {
        let backend = context::backend("UdpSocket::bind");
        UdpBind::new(addresses.candidates(), backend, Location::caller())
    }

    /// Connects it to the first of the addresses that it can be connected to: it sends there, and receives
    /// from there only. What is in its queue by now is still received.
    ///
    /// # Errors
    /// What the attempt at the last address failed with. That nobody is there is not noticed.
    ///
    /// # Cancel safety
    /// Cancel safe: it connects in the poll in which it is ready.
    #[track_caller]
    pub fn connect(&self, addresses: impl ToSocketAddrs) -> UdpConnect<'_> {
        let operation = Operation::new(&self.socket, Side::Write, &CONNECT);
        UdpConnect::new(operation, addresses.candidates())
    }

    /// Takes its peer away: it receives from everybody again.
    ///
    /// A port that the system chose goes, too, and [`UdpSocket::local_addr`] shows 0 until it sends; one
    /// that was asked for stays.
    ///
    /// # Errors
    /// What the system says.
    pub fn disconnect(&self) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| calls::udp_connect(socket.handle(), None),
            real: |socket| real::disconnect(socket.get_ref()),
        )
    }

    // Sending

    /// Sends a datagram to its peer.
    ///
    /// # Errors
    /// An error of the code `EDESTADDRREQ` without a peer, `EMSGSIZE` when it is too large;
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) when nobody was there for an earlier one.
    ///
    /// # Cancel safety
    /// Cancel safe: one that is dropped has sent nothing.
    #[track_caller]
    pub fn send<'a>(&'a self, data: &'a [u8]) -> SendDatagram<'a, net::UdpSocket> {
        SendDatagram::new(&self.socket, data, &SEND_CALL)
    }

    /// Sends a datagram to the first of the addresses.
    ///
    /// # Errors
    /// As [`UdpSocket::send`]; [`InvalidInput`](io::ErrorKind::InvalidInput) without an address, and for port 0;
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) to a broadcast address without
    /// [`UdpSocket::set_broadcast`].
    ///
    /// # Cancel safety
    /// Cancel safe: one that is dropped has sent nothing.
    #[track_caller]
    pub fn send_to<'a>(&'a self, data: &'a [u8], target: impl ToSocketAddrs) -> UdpSendTo<'a> {
        let operation = Operation::new(&self.socket, Side::Write, &SEND);
        UdpSendTo::new(operation, data, target.candidates())
    }

    /// Sends a datagram to its peer, without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; else as [`UdpSocket::send`].
    pub fn try_send(&self, data: &[u8]) -> io::Result<usize> {
        either!(&self.socket,
            simulated: |socket| at_once(calls::udp_poll_send(socket.handle(), Waker::noop(), None, data)),
            real: |socket| socket.get_ref().send(data),
        )
    }

    /// Sends a datagram to an address, without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; else as [`UdpSocket::send_to`].
    pub fn try_send_to(&self, data: &[u8], target: SocketAddr) -> io::Result<usize> {
        either!(&self.socket,
            simulated: |socket| at_once(calls::udp_poll_send(socket.handle(), Waker::noop(), Some(target), data)),
            real: |socket| socket.get_ref().send_to(data, target),
        )
    }

    /// Sends a datagram to an address, for futures written by hand. One task at a time may wait in this way.
    ///
    /// # Errors
    /// As [`UdpSocket::send_to`].
    pub fn poll_send_to(
        &self,
        context: &mut Context<'_>,
        data: &[u8],
        target: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        either!(&self.socket,
            simulated: |socket| socket.poll_method((Side::Write, &SEND), context, |handle, waker| {
                calls::udp_poll_send(handle, waker, Some(target), data)
            }),
            real: |socket| poll_system(socket, Side::Write, context, |socket| {
                socket.send_to(data, target)
            }),
        )
    }

    // Receiving

    /// Receives a datagram. What does not fit into the buffer is lost.
    ///
    /// # Errors
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) when it is connected, and nobody was there for what it sent.
    ///
    /// # Cancel safety
    /// Cancel safe: a datagram that was not returned is there for the next call.
    #[track_caller]
    pub fn recv<'a>(&'a self, buffer: &'a mut [u8]) -> Receive<'a, net::UdpSocket> {
        Receive::new(&self.socket, buffer, &RECV)
    }

    /// Receives a datagram, and tells where it is from. What does not fit into the buffer is lost.
    ///
    /// # Errors
    /// As [`UdpSocket::recv`].
    ///
    /// # Cancel safety
    /// Cancel safe: a datagram that was not returned is there for the next call.
    #[track_caller]
    pub fn recv_from<'a>(
        &'a self,
        buffer: &'a mut [u8],
    ) -> Receive<'a, net::UdpSocket, (usize, SocketAddr)> {
        Receive::new(&self.socket, buffer, &RECV_FROM)
    }

    /// Looks at the next datagram, and leaves it where it is.
    ///
    /// # Errors
    /// As [`UdpSocket::recv`].
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is taken.
    #[track_caller]
    pub fn peek<'a>(&'a self, buffer: &'a mut [u8]) -> Receive<'a, net::UdpSocket> {
        Receive::new(&self.socket, buffer, &PEEK_CALL)
    }

    /// Looks at the next datagram and where it is from, and leaves it where it is.
    ///
    /// # Errors
    /// As [`UdpSocket::recv`].
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is taken.
    #[track_caller]
    pub fn peek_from<'a>(
        &'a self,
        buffer: &'a mut [u8],
    ) -> Receive<'a, net::UdpSocket, (usize, SocketAddr)> {
        Receive::new(&self.socket, buffer, &PEEK_FROM)
    }

    /// Receives a datagram, without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is none; else as [`UdpSocket::recv`].
    pub fn try_recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        either!(&self.socket,
            simulated: |socket| at_once(receive(socket.handle(), Waker::noop(), buffer)),
            real: |socket| socket.get_ref().recv(buffer),
        )
    }

    /// Receives a datagram and tells where it is from, without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is none; else as [`UdpSocket::recv`].
    pub fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        either!(&self.socket,
            simulated: |socket| at_once(calls::udp_poll_receive(socket.handle(), Waker::noop(), buffer, Take::Consume)),
            real: |socket| socket.get_ref().recv_from(buffer),
        )
    }

    /// Receives a datagram, for futures written by hand. One task at a time may wait in this way.
    ///
    /// # Errors
    /// As [`UdpSocket::recv`].
    pub fn poll_recv_from(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        either!(&self.socket,
            simulated: |socket| socket.poll_method((Side::Read, &RECEIVE), context, |handle, waker| {
                calls::udp_poll_receive(handle, waker, buffer, Take::Consume)
            }),
            real: |socket| poll_system(socket, Side::Read, context, |socket| {
                socket.recv_from(buffer)
            }),
        )
    }

    /// Waits until a receive would not wait: there is a datagram, or an error. It may be a false alarm.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Cancel safety
    /// Cancel safe.
    #[track_caller]
    pub fn readable(&self) -> Ready<'_, net::UdpSocket> {
        Ready::readable(&self.socket)
    }

    /// Waits until a send would not wait. It may be a false alarm.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Cancel safety
    /// Cancel safe.
    #[track_caller]
    pub fn writable(&self) -> Ready<'_, net::UdpSocket> {
        Ready::writable(&self.socket)
    }

    // Addresses and options

    /// Returns its address.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        either!(&self.socket,
            simulated: |socket| calls::local_address(socket.handle()),
            real: |socket| socket.get_ref().local_addr(),
        )
    }

    /// Returns the address of its peer.
    ///
    /// # Errors
    /// [`NotConnected`](io::ErrorKind::NotConnected) without a peer.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        either!(&self.socket,
            simulated: |socket| calls::peer_address(socket.handle()),
            real: |socket| socket.get_ref().peer_addr(),
        )
    }

    /// Takes the error that has come to the socket and that no call has told of yet.
    ///
    /// # Errors
    /// What the system says of the call itself.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        either!(&self.socket,
            simulated: |socket| calls::take_error(socket.handle()),
            real: |socket| socket.get_ref().take_error(),
        )
    }

    /// Tells whether it may send to broadcast addresses.
    ///
    /// # Errors
    /// What the system says.
    pub fn broadcast(&self) -> io::Result<bool> {
        either!(&self.socket,
            simulated: |socket| Ok(calls::udp_settings(socket.handle())?.may_broadcast),
            real: |socket| socket.get_ref().broadcast(),
        )
    }

    /// Sets whether it may send to broadcast addresses. Default no.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_broadcast(&self, broadcast: bool) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| calls::udp_set_option(socket.handle(), UdpOption::Broadcast(broadcast)),
            real: |socket| socket.get_ref().set_broadcast(broadcast),
        )
    }

    /// Returns how many routers a datagram may pass.
    ///
    /// # Errors
    /// What the system says.
    pub fn ttl(&self) -> io::Result<u32> {
        either!(&self.socket,
            simulated: |socket| Ok(calls::udp_settings(socket.handle())?.ttl),
            real: |socket| socket.get_ref().ttl(),
        )
    }

    /// Sets how many routers a datagram may pass, 1 to 255.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for other numbers.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| calls::udp_set_option(socket.handle(), UdpOption::Ttl(ttl)),
            real: |socket| socket.get_ref().set_ttl(ttl),
        )
    }

    // Groups

    /// Joins a group, at the interface that has this address.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) when it is no address of a group,
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) when it has joined before.
    pub fn join_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| {
                let _ = interface;
                calls::udp_join(socket.handle(), group.into())
            },
            real: |socket| socket.get_ref().join_multicast_v4(&group, &interface),
        )
    }

    /// Joins a group, at the interface that has this number; 0 is any.
    ///
    /// # Errors
    /// As [`UdpSocket::join_multicast_v4`].
    pub fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| {
                let _ = interface;
                calls::udp_join(socket.handle(), (*group).into())
            },
            real: |socket| socket.get_ref().join_multicast_v6(group, interface),
        )
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable) when it has not joined.
    pub fn leave_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| {
                let _ = interface;
                calls::udp_leave(socket.handle(), group.into())
            },
            real: |socket| socket.get_ref().leave_multicast_v4(&group, &interface),
        )
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// As [`UdpSocket::leave_multicast_v4`].
    pub fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| {
                let _ = interface;
                calls::udp_leave(socket.handle(), (*group).into())
            },
            real: |socket| socket.get_ref().leave_multicast_v6(group, interface),
        )
    }

    /// Tells whether members on this machine hear what it sends to groups.
    ///
    /// # Errors
    /// What the system says.
    pub fn multicast_loop_v4(&self) -> io::Result<bool> {
        either!(&self.socket,
            simulated: |socket| Ok(calls::udp_settings(socket.handle())?.loops_v4),
            real: |socket| socket.get_ref().multicast_loop_v4(),
        )
    }

    /// Sets whether members on this machine hear what it sends to groups. Default yes. Over the loopback
    /// interface they do in any case.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_multicast_loop_v4(&self, is_heard: bool) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| calls::udp_set_option(socket.handle(), UdpOption::MulticastLoopV4(is_heard)),
            real: |socket| socket.get_ref().set_multicast_loop_v4(is_heard),
        )
    }

    /// As [`UdpSocket::multicast_loop_v4`], of groups of IPv6.
    ///
    /// # Errors
    /// What the system says.
    pub fn multicast_loop_v6(&self) -> io::Result<bool> {
        either!(&self.socket,
            simulated: |socket| Ok(calls::udp_settings(socket.handle())?.loops_v6),
            real: |socket| socket.get_ref().multicast_loop_v6(),
        )
    }

    /// As [`UdpSocket::set_multicast_loop_v4`], of groups of IPv6.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_multicast_loop_v6(&self, is_heard: bool) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| calls::udp_set_option(socket.handle(), UdpOption::MulticastLoopV6(is_heard)),
            real: |socket| socket.get_ref().set_multicast_loop_v6(is_heard),
        )
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(formatter)
    }
}

static SEND_CALL: SendCall<net::UdpSocket> = send_call!(
    simulated: |handle, waker, data| calls::udp_poll_send(handle, waker, None, data),
    real: net::UdpSocket::send,
);

static RECV: ReceiveCall<net::UdpSocket, usize> = receive_call!(&RECEIVE,
    simulated: receive,
    real: net::UdpSocket::recv,
);

static RECV_FROM: ReceiveCall<net::UdpSocket, (usize, SocketAddr)> = receive_call!(&RECEIVE,
    simulated: |handle, waker, buffer| {
        calls::udp_poll_receive(handle, waker, buffer, Take::Consume)
    },
    real: net::UdpSocket::recv_from,
);

static PEEK_CALL: ReceiveCall<net::UdpSocket, usize> = receive_call!(&PEEK,
    simulated: |handle, waker, buffer| {
        calls::udp_poll_receive(handle, waker, buffer, Take::Peek).map_ok(|(size, _)| size)
    },
    real: net::UdpSocket::peek,
);

static PEEK_FROM: ReceiveCall<net::UdpSocket, (usize, SocketAddr)> = receive_call!(&PEEK,
    simulated: |handle, waker, buffer| {
        calls::udp_poll_receive(handle, waker, buffer, Take::Peek)
    },
    real: net::UdpSocket::peek_from,
);

/// Receives a datagram of a simulated socket, and does not tell where it is from.
#[cfg(feature = "simulation")]
fn receive(handle: SocketHandle, waker: &Waker, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
    calls::udp_poll_receive(handle, waker, buffer, Take::Consume).map_ok(|(size, _)| size)
}
