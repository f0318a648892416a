//! A socket for datagrams within a machine.

use std::fmt;
use std::future::Future;
use std::io;
use std::os::unix::net;
#[cfg(feature = "simulation")]
use std::panic::Location;
use std::path::Path;
use std::pin::Pin;
#[cfg(feature = "simulation")]
use std::task::Waker;
use std::task::{Context, Poll};

use super::operation::{Operation, Ready};
#[cfg(feature = "real")]
use super::real;
use super::receive::{RECEIVE, Receive, ReceiveCall, receive_call};
#[cfg(feature = "real")]
use super::retry::Retry;
use super::send::{SEND, SendCall, SendDatagram, send_call};
#[cfg(feature = "simulation")]
use super::simulated::{Kind, SimulatedSocket, at_once, shutdown_of_call};
use super::socket::{Side, Socket, either};
use super::stream_traits::lenient;
use super::unix_address::UnixAddress;
#[cfg(feature = "simulation")]
use super::unix_address::checked;
use crate::backend::on;
use crate::context;
#[cfg(feature = "simulation")]
use crate::world::calls::{self, SocketHandle};

/// Sends and receives datagrams within a machine. They keep their borders and their order, and none is lost:
/// a sender waits while the receiver's queue is full.
///
/// In a simulation they are there at once, and nothing is drawn. As on Linux, 11 fit into the queue of a receiver that
/// is not connected to the sender, and 278 small ones between two that are connected to each other.
///
/// # Examples
/// ```
/// # #[cfg(feature = "real")]
/// # parcae::real::run(async {
/// use parcae::net::UnixDatagram;
///
/// let (one, other) = UnixDatagram::pair()?;
/// one.send(b"hello").await?;
/// one.send(b"").await?;
/// let mut buffer = [0; 16];
/// assert_eq!(other.recv(&mut buffer).await?, 5);
/// assert_eq!(other.recv(&mut buffer).await?, 0);
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
pub struct UnixDatagram {
    socket: Socket<net::UnixDatagram>,
}

impl UnixDatagram {
    /// Makes a socket at a path, to which others send.
    ///
    /// # Errors
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) when the path exists; what the system says of the folder.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let socket = on!(context::backend("UnixDatagram::bind"),
            simulation: simulated(calls::unix_datagrams(Some(checked(path)?))?),
            real: Socket::Real(net::UnixDatagram::bind(path).and_then(real::adopt)?),
        );
        Ok(Self { socket })
    }

    /// Makes a socket without an address, which sends.
    ///
    /// # Errors
    /// What the system says, such as that there are too many open files.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn unbound() -> io::Result<Self> {
        let socket = on!(context::backend("UnixDatagram::unbound"),
            simulation: simulated(calls::unix_datagrams(None)?),
            real: Socket::Real(net::UnixDatagram::unbound().and_then(real::adopt)?),
        );
        Ok(Self { socket })
    }

    /// Makes two that are connected to each other.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = on!(context::backend("UnixDatagram::pair"),
            simulation: {
                let (one, other) = calls::unix_datagram_pair()?;
                (simulated(one), simulated(other))
            },
            real: {
                let (one, other) = net::UnixDatagram::pair()?;
                (Socket::Real(real::adopt(one)?), Socket::Real(real::adopt(other)?))
            },
        );
        Ok((Self { socket: one }, Self { socket: other }))
    }

    /// Connects it to whoever is at a path: it sends there, and receives from there only.
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound) when there is no such path,
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) when nobody is there any more.
    pub fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| calls::unix_connect_datagrams(socket.handle(), checked(path.as_ref())?),
            real: |socket| socket.get_ref().connect(path),
        )
    }

    /// Sends a datagram to its peer. It waits while the peer's queue is full.
    ///
    /// # Errors
    /// [`NotConnected`](io::ErrorKind::NotConnected) without a peer,
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) when the peer is gone; an error of the code `EMSGSIZE` when it
    /// is too large.
    ///
    /// # Cancel safety
    /// Cancel safe: one that is dropped has sent nothing.
    #[track_caller]
    pub fn send<'a>(&'a self, data: &'a [u8]) -> SendDatagram<'a, net::UnixDatagram> {
        SendDatagram::new(&self.socket, data, &SEND_CALL)
    }

    /// Sends a datagram to whoever is at a path. It waits while that one's queue is full.
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound) when there is no such path,
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) when nobody is there any more; an error of the code `EPROTOTYPE`
    /// when that is a socket of streams, `EMSGSIZE` when it is too large.
    ///
    /// # Cancel safety
    /// Cancel safe: one that is dropped has sent nothing.
    #[track_caller]
    pub fn send_to<'a>(&'a self, data: &'a [u8], path: impl AsRef<Path>) -> UnixSendTo<'a> {
        UnixSendTo {
            operation: Operation::new(&self.socket, Side::Write, &SEND),
            data,
            path: path.as_ref().into(),
            #[cfg(feature = "real")]
            retry: Retry::default(),
        }
    }

    /// Sends a datagram to its peer, without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; else as [`UnixDatagram::send`].
    pub fn try_send(&self, data: &[u8]) -> io::Result<usize> {
        either!(&self.socket,
            simulated: |socket| at_once(calls::unix_poll_send(socket.handle(), Waker::noop(), None, data)),
            real: |socket| socket.get_ref().send(data),
        )
    }

    /// Sends a datagram to a path, without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; else as [`UnixDatagram::send_to`].
    pub fn try_send_to(&self, data: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        either!(&self.socket,
            simulated: |socket| {
                let path = checked(path.as_ref())?;
                at_once(calls::unix_poll_send(socket.handle(), Waker::noop(), Some(path), data))
            },
            real: |socket| socket.get_ref().send_to(data, path),
        )
    }

    /// Receives a datagram. What does not fit into the buffer is lost.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Cancel safety
    /// Cancel safe: a datagram that was not returned is there for the next call.
    #[track_caller]
    pub fn recv<'a>(&'a self, buffer: &'a mut [u8]) -> Receive<'a, net::UnixDatagram> {
        Receive::new(&self.socket, buffer, &RECV)
    }

    /// Receives a datagram, and tells where it is from. What does not fit into the buffer is lost.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Cancel safety
    /// Cancel safe: a datagram that was not returned is there for the next call.
    #[track_caller]
    pub fn recv_from<'a>(
        &'a self,
        buffer: &'a mut [u8],
    ) -> Receive<'a, net::UnixDatagram, (usize, UnixAddress)> {
        Receive::new(&self.socket, buffer, &RECV_FROM)
    }

    /// Receives a datagram, without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is none.
    pub fn try_recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        either!(&self.socket,
            simulated: |socket| at_once(receive(socket.handle(), Waker::noop(), buffer)),
            real: |socket| socket.get_ref().recv(buffer),
        )
    }

    /// Receives a datagram and tells where it is from, without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is none.
    pub fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, UnixAddress)> {
        either!(&self.socket,
            simulated: |socket| at_once(receive_from(socket.handle(), Waker::noop(), buffer)),
            real: |socket| {
                let (size, address) = socket.get_ref().recv_from(buffer)?;
                Ok((size, UnixAddress::of(&address)))
            },
        )
    }

    /// Waits until a receive would not wait. It may be a false alarm.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Cancel safety
    /// Cancel safe.
    #[track_caller]
    pub fn readable(&self) -> Ready<'_, net::UnixDatagram> {
        Ready::readable(&self.socket)
    }

    /// Waits until a send to its peer would not wait. It may be a false alarm.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Cancel safety
    /// Cancel safe.
    #[track_caller]
    pub fn writable(&self) -> Ready<'_, net::UnixDatagram> {
        Ready::writable(&self.socket)
    }

    /// Returns its address.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<UnixAddress> {
        either!(&self.socket,
            simulated: |socket| Ok(UnixAddress::at(calls::unix_local_path(socket.handle())?)),
            real: |socket| Ok(UnixAddress::of(&socket.get_ref().local_addr()?)),
        )
    }

    /// Returns the address of its peer.
    ///
    /// # Errors
    /// [`NotConnected`](io::ErrorKind::NotConnected) without a peer.
    pub fn peer_addr(&self) -> io::Result<UnixAddress> {
        either!(&self.socket,
            simulated: |socket| Ok(UnixAddress::at(calls::unix_peer_path(socket.handle())?)),
            real: |socket| Ok(UnixAddress::of(&socket.get_ref().peer_addr()?)),
        )
    }

    /// Takes the error that has come to the socket and that no call has told of yet.
    ///
    /// # Errors
    /// What the system says of the call itself.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        either!(&self.socket,
            simulated: |socket| calls::unix_take_error(socket.handle()),
            real: |socket| socket.get_ref().take_error(),
        )
    }

    /// Ends sending, receiving or both.
    ///
    /// # Errors
    /// What the system says.
    pub fn shutdown(&self, how: std::net::Shutdown) -> io::Result<()> {
        lenient(either!(&self.socket,
            simulated: |socket| calls::unix_shutdown(socket.handle(), shutdown_of_call(how)),
            real: |socket| socket.get_ref().shutdown(how),
        ))
    }
}

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(formatter)
    }
}

/// Future of [`UnixDatagram::send_to`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct UnixSendTo<'a> {
    operation: Operation<'a, net::UnixDatagram>,
    data: &'a [u8],
    path: Box<Path>,
    // The system announces room in the queue of one that is not the peer to nobody.
    #[cfg(feature = "real")]
    retry: Retry,
}

impl Future for UnixSendTo<'_> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let (operation, data, path) = (&mut this.operation, this.data, &*this.path);
        either!(operation.socket,
            simulated: |socket| {
                let path = checked(path)?;
                operation.poll_simulated(socket, context, |handle, waker| {
                    calls::unix_poll_send(handle, waker, Some(path), data)
                })
            },
            real: |socket| this.retry.poll(context, || socket.get_ref().send_to(data, path)),
        )
    }
}

impl fmt::Debug for UnixSendTo<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, path, .. } = self;
        write!(formatter, "{operation:?}: {}", path.display())
    }
}

static SEND_CALL: SendCall<net::UnixDatagram> = send_call!(
    simulated: |handle, waker, data| calls::unix_poll_send(handle, waker, None, data),
    real: net::UnixDatagram::send,
);

static RECV: ReceiveCall<net::UnixDatagram, usize> = receive_call!(&RECEIVE,
    simulated: receive,
    real: net::UnixDatagram::recv,
);

static RECV_FROM: ReceiveCall<net::UnixDatagram, (usize, UnixAddress)> = receive_call!(&RECEIVE,
    simulated: receive_from,
    real: |socket, buffer| {
        let (size, address) = socket.recv_from(buffer)?;
        Ok((size, UnixAddress::of(&address)))
    },
);

#[cfg(feature = "simulation")]
fn receive(handle: SocketHandle, waker: &Waker, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
    calls::unix_poll_receive(handle, waker, buffer).map_ok(|(size, _)| size)
}

#[cfg(feature = "simulation")]
fn receive_from(
    handle: SocketHandle,
    waker: &Waker,
    buffer: &mut [u8],
) -> Poll<io::Result<(usize, UnixAddress)>> {
    let polled = calls::unix_poll_receive(handle, waker, buffer);
    polled.map_ok(|(size, path)| (size, UnixAddress::at(path)))
}

/// Takes over a socket of the machine that the caller's caller runs on.
#[cfg(feature = "simulation")]
#[track_caller]
fn simulated(handle: SocketHandle) -> Socket<net::UnixDatagram> {
    SimulatedSocket::new(handle, Kind::UnixDatagram, Location::caller()).into()
}
