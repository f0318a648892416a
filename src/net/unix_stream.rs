//! A stream of bytes between two sockets of one machine.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::unix::net;
use std::panic::Location;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::operation::Ready;
#[cfg(feature = "real")]
use super::real;
#[cfg(feature = "real")]
use super::retry::Retry;
#[cfg(feature = "simulation")]
use super::simulated::{Kind, SimulatedSocket, shutdown_of_call};
use super::socket::{Socket, either};
use super::split::{self, OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
use super::stream_traits::{StreamCalls, lenient};
use super::unix_address::UnixAddress;
#[cfg(feature = "simulation")]
use super::unix_address::checked;
#[cfg(feature = "simulation")]
use crate::backend::Point;
use crate::backend::on;
use crate::context;
#[cfg(feature = "simulation")]
use crate::kernel::{Access, Verb};
#[cfg(feature = "simulation")]
use crate::world::calls;

/// One end of a connection within a machine: a stream of bytes in each direction.
///
/// It is read and written as a [`TcpStream`](super::TcpStream) is. Dropping it closes the connection: the
/// other side reads what was written and then the end, or, where there was something unread, an error.
///
/// In a simulation bytes are there at once, and nothing is drawn: no network is between the ends. Each may hold
/// 212,992 bytes that it has not read.
///
/// # Examples
/// ```
/// # #[cfg(feature = "real")]
/// # parcae::real::run(async {
/// use futures_lite::{AsyncReadExt, AsyncWriteExt};
/// use parcae::net::UnixStream;
///
/// let (mut one, mut other) = UnixStream::pair()?;
/// one.write_all(b"hello").await?;
/// drop(one);
/// let mut heard = String::new();
/// other.read_to_string(&mut heard).await?;
/// assert_eq!(heard, "hello");
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
pub struct UnixStream {
    socket: Socket<net::UnixStream>,
}

impl UnixStream {
    pub(super) fn new(socket: Socket<net::UnixStream>) -> Self {
        Self { socket }
    }

    /// Connects to whoever listens at a path. It waits while that one's queue is full.
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound) when there is no such path,
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) when nobody listens there any more.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    ///
    /// # Cancel safety
    /// Cancel safe: it connects in the poll in which it is ready.
    #[track_caller]
    pub fn connect(path: impl AsRef<Path>) -> UnixConnect {
        let (backend, at) = (context::backend("UnixStream::connect"), Location::caller());
        let path = path.as_ref().into();
        let attempt = on!(backend,
            simulation: Attempt::Simulated { socket: None, point: Point::new() },
            real: Attempt::Real(Retry::default()),
        );
        UnixConnect { path, attempt, at }
    }

    /// Makes two that are connected to each other.
    ///
    /// # Errors
    /// What the system says, such as that there are too many open files.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn pair() -> io::Result<(Self, Self)> {
        on!(context::backend("UnixStream::pair"),
            simulation: {
                let (one, other) = calls::unix_pair()?;
                let end = |handle| {
                    let at = Location::caller();
                    Self::new(SimulatedSocket::new(handle, Kind::UnixStream, at).into())
                };
                Ok((end(one), end(other)))
            },
            real: {
                let (one, other) = real::unix_pair()?;
                Ok((Self::new(Socket::Real(one)), Self::new(Socket::Real(other))))
            },
        )
    }

    /// Returns the address of this end; one that connected has none.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<UnixAddress> {
        either!(&self.socket,
            simulated: |socket| Ok(UnixAddress::at(calls::unix_local_path(socket.handle())?)),
            real: |socket| Ok(UnixAddress::of(&socket.get_ref().local_addr()?)),
        )
    }

    /// Returns the address of the other end.
    ///
    /// # Errors
    /// What the system says.
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

    /// Waits until a read would not wait. It may be a false alarm: [`UnixStream::try_read`] says.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Cancel safety
    /// Cancel safe.
    #[track_caller]
    pub fn readable(&self) -> Ready<'_, net::UnixStream> {
        Ready::readable(&self.socket)
    }

    /// Waits until a write would not wait. It may be a false alarm: [`UnixStream::try_write`] says.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Cancel safety
    /// Cancel safe.
    #[track_caller]
    pub fn writable(&self) -> Ready<'_, net::UnixStream> {
        Ready::writable(&self.socket)
    }

    /// Reads what there is, without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing; else as reading.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.try_read(&mut [IoSliceMut::new(buffer)])
    }

    /// Reads what there is into several buffers, without waiting.
    ///
    /// # Errors
    /// As [`UnixStream::try_read`].
    pub fn try_read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.socket.try_read(buffers)
    }

    /// Writes as much as there is room for, without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; else as writing.
    pub fn try_write(&self, data: &[u8]) -> io::Result<usize> {
        self.socket.try_write(&[IoSlice::new(data)])
    }

    /// Writes as much as there is room for from several buffers, without waiting.
    ///
    /// # Errors
    /// As [`UnixStream::try_write`].
    pub fn try_write_vectored(&self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket.try_write(data)
    }

    /// Ends writing, reading or both; see [`TcpStream::shutdown`](super::TcpStream::shutdown).
    ///
    /// # Errors
    /// What the system says.
    pub fn shutdown(&self, how: std::net::Shutdown) -> io::Result<()> {
        lenient(either!(&self.socket,
            simulated: |socket| calls::stream_shutdown(socket.handle(), shutdown_of_call(how)),
            real: |socket| socket.get_ref().shutdown(how),
        ))
    }

    /// Splits it into halves that borrow it, to read and write at once in one task.
    pub fn split(&mut self) -> (ReadHalf<'_, Self>, WriteHalf<'_, Self>) {
        split::borrowed(self)
    }

    /// Splits it into halves for two tasks. Dropping the write half ends writing, and the connection is closed
    /// when both are gone.
    #[must_use = "dropping both halves closes the connection"]
    pub fn into_split(self) -> (OwnedReadHalf<Self>, OwnedWriteHalf<Self>) {
        split::owned(self)
    }
}

impl StreamCalls for UnixStream {
    fn poll_take(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_read(context, buffers)
    }

    fn poll_give(
        &self,
        context: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_write(context, data)
    }

    fn poll_end(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_end(context, || self.shut_writing())
    }

    fn shut_writing(&self) -> io::Result<()> {
        self.shutdown(std::net::Shutdown::Write)
    }
}

impl fmt::Debug for UnixStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(formatter)
    }
}

/// Future of [`UnixStream::connect`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct UnixConnect {
    path: Box<Path>,
    attempt: Attempt,
    at: &'static Location<'static>,
}

enum Attempt {
    /// The socket is there from the first poll on.
    #[cfg(feature = "simulation")]
    Simulated { socket: Option<SimulatedSocket>, point: Point },
    #[cfg(feature = "real")]
    Real(Retry),
}

impl Future for UnixConnect {
    type Output = io::Result<UnixStream>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { path, attempt, at } = self.get_mut();
        let connected = match attempt {
            #[cfg(feature = "simulation")]
            Attempt::Simulated { socket, point } => {
                let own = match socket.take() {
                    Some(socket) => socket,
                    None => {
                        let handle = calls::unix_connect(checked(path)?)?;
                        SimulatedSocket::new(handle, Kind::UnixStream, at)
                    }
                };
                let polled = own.poll(point, (&CONNECT, *at), context, calls::unix_poll_connected);
                if polled.is_pending() {
                    *socket = Some(own);
                    return Poll::Pending;
                }
                polled.map_ok(|()| own.into())
            }
            #[cfg(feature = "real")]
            Attempt::Real(retry) => {
                let _ = at;
                retry.poll(context, || real::unix_connect(path).map(Socket::Real))
            }
        };
        Poll::Ready(Ok(UnixStream::new(ready!(connected)?)))
    }
}

impl fmt::Debug for UnixConnect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, at, .. } = self;
        write!(formatter, "connect at {}:{}: {}", at.file(), at.line(), path.display())
    }
}

#[cfg(feature = "simulation")]
static CONNECT: Verb = Verb::new("connect", Access::Write);
