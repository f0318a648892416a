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
use super::retry::Retry;
use super::socket::{Socket, expect_backend, real_socket};
use super::split::{self, OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
use super::stream_traits::{StreamCalls, lenient, poll_give, poll_take};
use super::unix_address::UnixAddress;

/// One end of a connection within a machine: a stream of bytes in each direction.
///
/// It is read and written as a [`TcpStream`](super::TcpStream) is. Dropping it closes the connection: the
/// other side reads what was written and then the end, or, where there was something unread, an error.
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
    /// Outside of a parcae runtime, and in a simulation, which has no network yet.
    ///
    /// # Cancel safety
    /// Cancel safe: it connects in the poll in which it is ready.
    #[track_caller]
    pub fn connect(path: impl AsRef<Path>) -> UnixConnect {
        expect_backend("UnixStream::connect");
        let path = path.as_ref().into();
        UnixConnect { path, retry: Retry::default(), at: Location::caller() }
    }

    /// Makes two that are connected to each other.
    ///
    /// # Errors
    /// What the system says, such as that there are too many open files.
    ///
    /// # Panics
    /// Outside of a parcae runtime, and in a simulation, which has no network yet.
    #[track_caller]
    pub fn pair() -> io::Result<(Self, Self)> {
        expect_backend("UnixStream::pair");
        #[cfg(feature = "real")]
        {
            let (one, other) = real::unix_pair()?;
            Ok((Self::new(Socket::Real(one)), Self::new(Socket::Real(other))))
        }
        #[cfg(not(feature = "real"))]
        {
            crate::context::absent()
        }
    }

    /// Returns the address of this end; one that connected has none.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<UnixAddress> {
        self.socket.call(|socket| Ok(UnixAddress::of(&socket.local_addr()?)))
    }

    /// Returns the address of the other end.
    ///
    /// # Errors
    /// What the system says.
    pub fn peer_addr(&self) -> io::Result<UnixAddress> {
        self.socket.call(|socket| Ok(UnixAddress::of(&socket.peer_addr()?)))
    }

    /// Takes the error that has come to the socket and that no call has told of yet.
    ///
    /// # Errors
    /// What the system says of the call itself.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket.call(net::UnixStream::take_error)
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
        self.socket.read(buffer)
    }

    /// Reads what there is into several buffers, without waiting.
    ///
    /// # Errors
    /// As [`UnixStream::try_read`].
    pub fn try_read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.socket.read_vectored(buffers)
    }

    /// Writes as much as there is room for, without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; else as writing.
    pub fn try_write(&self, data: &[u8]) -> io::Result<usize> {
        self.socket.write(data)
    }

    /// Writes as much as there is room for from several buffers, without waiting.
    ///
    /// # Errors
    /// As [`UnixStream::try_write`].
    pub fn try_write_vectored(&self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket.write_vectored(data)
    }

    /// Ends writing, reading or both; see [`TcpStream::shutdown`](super::TcpStream::shutdown).
    ///
    /// # Errors
    /// What the system says.
    pub fn shutdown(&self, how: std::net::Shutdown) -> io::Result<()> {
        lenient(self.socket.call(|socket| socket.shutdown(how)))
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
        poll_take(&self.socket, context, buffers)
    }

    fn poll_give(
        &self,
        context: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        poll_give(&self.socket, context, data)
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
    retry: Retry,
    at: &'static Location<'static>,
}

impl Future for UnixConnect {
    type Output = io::Result<UnixStream>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { path, retry, .. } = self.get_mut();
        let socket = ready!(retry.poll(context, || real_socket!(real::unix_connect(path))))?;
        Poll::Ready(Ok(UnixStream::new(socket)))
    }
}

impl fmt::Debug for UnixConnect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, at, .. } = self;
        write!(formatter, "connect at {}:{}: {}", at.file(), at.line(), path.display())
    }
}
