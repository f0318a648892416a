//! A socket for datagrams within a machine.

use std::fmt;
use std::future::Future;
use std::io;
use std::os::unix::net;
use std::panic::Location;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::operation::Ready;
#[cfg(feature = "real")]
use super::real;
use super::receive::Receive;
use super::retry::Retry;
use super::send::SendDatagram;
use super::socket::{Socket, expect_backend, real_socket};
use super::stream_traits::lenient;
use super::unix_address::UnixAddress;

/// Sends and receives datagrams within a machine. They keep their borders and their order, and none is lost:
/// a sender waits while the receiver's queue is full.
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
    /// Outside of a parcae runtime, and in a simulation, which has no network yet.
    #[track_caller]
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        expect_backend("UnixDatagram::bind");
        let path = path.as_ref();
        let socket = real_socket!(net::UnixDatagram::bind(path).and_then(real::adopt))?;
        Ok(Self { socket })
    }

    /// Makes a socket without an address, which sends.
    ///
    /// # Errors
    /// What the system says, such as that there are too many open files.
    ///
    /// # Panics
    /// Outside of a parcae runtime, and in a simulation, which has no network yet.
    #[track_caller]
    pub fn unbound() -> io::Result<Self> {
        expect_backend("UnixDatagram::unbound");
        let socket = real_socket!(net::UnixDatagram::unbound().and_then(real::adopt))?;
        Ok(Self { socket })
    }

    /// Makes two that are connected to each other.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Panics
    /// Outside of a parcae runtime, and in a simulation, which has no network yet.
    #[track_caller]
    pub fn pair() -> io::Result<(Self, Self)> {
        expect_backend("UnixDatagram::pair");
        let (one, other) = net::UnixDatagram::pair()?;
        let adopt = |socket| -> io::Result<Self> {
            Ok(Self { socket: real_socket!(real::adopt(socket))? })
        };
        Ok((adopt(one)?, adopt(other)?))
    }

    /// Connects it to whoever is at a path: it sends there, and receives from there only.
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound) when there is no such path,
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) when nobody is there any more.
    pub fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.socket.call(|socket| socket.connect(path))
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
        SendDatagram::new(&self.socket, data, net::UnixDatagram::send)
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
        let (path, at) = (path.as_ref().into(), Location::caller());
        UnixSendTo { socket: &self.socket, data, path, retry: Retry::default(), at }
    }

    /// Sends a datagram to its peer, without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; else as [`UnixDatagram::send`].
    pub fn try_send(&self, data: &[u8]) -> io::Result<usize> {
        self.socket.call(|socket| socket.send(data))
    }

    /// Sends a datagram to a path, without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; else as [`UnixDatagram::send_to`].
    pub fn try_send_to(&self, data: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        self.socket.call(|socket| socket.send_to(data, path))
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
        Receive::taking(&self.socket, buffer, net::UnixDatagram::recv)
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
        Receive::taking(&self.socket, buffer, |socket, buffer| {
            let (size, address) = socket.recv_from(buffer)?;
            Ok((size, UnixAddress::of(&address)))
        })
    }

    /// Receives a datagram, without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is none.
    pub fn try_recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.call(|socket| socket.recv(buffer))
    }

    /// Receives a datagram and tells where it is from, without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is none.
    pub fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, UnixAddress)> {
        let (size, address) = self.socket.call(|socket| socket.recv_from(buffer))?;
        Ok((size, UnixAddress::of(&address)))
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
        self.socket.call(|socket| Ok(UnixAddress::of(&socket.local_addr()?)))
    }

    /// Returns the address of its peer.
    ///
    /// # Errors
    /// [`NotConnected`](io::ErrorKind::NotConnected) without a peer.
    pub fn peer_addr(&self) -> io::Result<UnixAddress> {
        self.socket.call(|socket| Ok(UnixAddress::of(&socket.peer_addr()?)))
    }

    /// Takes the error that has come to the socket and that no call has told of yet.
    ///
    /// # Errors
    /// What the system says of the call itself.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket.call(net::UnixDatagram::take_error)
    }

    /// Ends sending, receiving or both.
    ///
    /// # Errors
    /// What the system says.
    pub fn shutdown(&self, how: std::net::Shutdown) -> io::Result<()> {
        lenient(self.socket.call(|socket| socket.shutdown(how)))
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
    socket: &'a Socket<net::UnixDatagram>,
    data: &'a [u8],
    path: Box<Path>,
    // Room in the queue of one that is not the peer is announced to nobody.
    retry: Retry,
    at: &'static Location<'static>,
}

impl Future for UnixSendTo<'_> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Self { socket, data, path, retry, .. } = self.get_mut();
        retry.poll(context, || socket.call(|socket| socket.send_to(data, &**path)))
    }
}

impl fmt::Debug for UnixSendTo<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, at, .. } = self;
        write!(formatter, "send at {}:{}: {}", at.file(), at.line(), path.display())
    }
}
