//! Halves of a stream: reading and writing apart.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

use super::receive::Receive;
use super::stream_traits::StreamCalls;
use super::tcp_stream::TcpStream;

/// A stream of bytes of this module: [`TcpStream`] or [`UnixStream`](super::UnixStream). Sealed.
pub trait ByteStream: StreamCalls + fmt::Debug {}

impl<S: StreamCalls + fmt::Debug> ByteStream for S {}

pub(super) fn borrowed<S>(stream: &mut S) -> (ReadHalf<'_, S>, WriteHalf<'_, S>) {
    (ReadHalf { stream }, WriteHalf { stream })
}

pub(super) fn owned<S: ByteStream>(stream: S) -> (OwnedReadHalf<S>, OwnedWriteHalf<S>) {
    let stream = Arc::new(stream);
    let read = OwnedReadHalf { stream: stream.clone() };
    (read, OwnedWriteHalf { stream, ends_writing: true })
}

/// The half of a stream that reads; made by `split`.
#[derive(Debug)]
pub struct ReadHalf<'a, S = TcpStream> {
    stream: &'a S,
}

/// The half of a stream that writes; made by `split`. Dropping it does not end writing.
#[derive(Debug)]
pub struct WriteHalf<'a, S = TcpStream> {
    stream: &'a S,
}

/// The half of a stream that reads; made by `into_split`. It may be given to another task.
///
/// # Examples
/// ```
/// # #[cfg(feature = "real")]
/// # parcae::real::run(async {
/// use futures_lite::{AsyncReadExt, AsyncWriteExt};
/// use parcae::net::{TcpListener, TcpStream};
///
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let client = TcpStream::connect(listener.local_addr()?).await?;
/// let (mut read, mut write) = client.into_split();
/// let echo = parcae::spawn(async move {
///     let (server, _) = listener.accept().await?;
///     futures_lite::io::copy(&server, &mut &server).await
/// });
/// let writer = parcae::spawn(async move { write.write_all(b"echo").await });
///
/// let mut heard = String::new();
/// writer.await?; // drops its half: the end of what it writes
/// read.read_to_string(&mut heard).await?;
/// assert_eq!((heard.as_str(), echo.await?), ("echo", 4));
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct OwnedReadHalf<S: ByteStream = TcpStream> {
    stream: Arc<S>,
}

/// The half of a stream that writes; made by `into_split`. It may be given to another task.
///
/// Dropping it ends writing, as `shutdown` does: the other side reads to the end. See
/// [`OwnedWriteHalf::forget`].
#[derive(Debug)]
pub struct OwnedWriteHalf<S: ByteStream = TcpStream> {
    stream: Arc<S>,
    ends_writing: bool,
}

impl<S> AsRef<S> for ReadHalf<'_, S> {
    fn as_ref(&self) -> &S {
        self.stream
    }
}

impl<S> AsRef<S> for WriteHalf<'_, S> {
    fn as_ref(&self) -> &S {
        self.stream
    }
}

impl<S: ByteStream> AsRef<S> for OwnedReadHalf<S> {
    fn as_ref(&self) -> &S {
        &self.stream
    }
}

impl<S: ByteStream> AsRef<S> for OwnedWriteHalf<S> {
    fn as_ref(&self) -> &S {
        &self.stream
    }
}

impl ReadHalf<'_, TcpStream> {
    /// Reads without taking; see [`TcpStream::peek`].
    ///
    /// # Errors
    /// As reading.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is taken.
    #[track_caller]
    pub fn peek<'a>(&'a mut self, buffer: &'a mut [u8]) -> Receive<'a, std::net::TcpStream> {
        self.stream.peek(buffer)
    }
}

impl OwnedReadHalf<TcpStream> {
    /// Reads without taking; see [`TcpStream::peek`].
    ///
    /// # Errors
    /// As reading.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is taken.
    #[track_caller]
    pub fn peek<'a>(&'a mut self, buffer: &'a mut [u8]) -> Receive<'a, std::net::TcpStream> {
        self.stream.peek(buffer)
    }

    /// Returns the address of this end.
    ///
    /// # Errors
    /// As [`TcpStream::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    /// Returns the address of the other end.
    ///
    /// # Errors
    /// As [`TcpStream::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl<S: ByteStream> OwnedReadHalf<S> {
    /// Puts two halves together again.
    ///
    /// # Errors
    /// [`ReuniteError`], with both halves, when they are not of one stream.
    pub fn reunite(self, write: OwnedWriteHalf<S>) -> Result<S, ReuniteError<S>> {
        if !Arc::ptr_eq(&self.stream, &write.stream) {
            return Err(ReuniteError(self, write));
        }
        write.forget();
        Ok(Arc::into_inner(self.stream).expect("a stream has two halves"))
    }
}

impl<S: ByteStream> OwnedWriteHalf<S> {
    /// Puts two halves together again.
    ///
    /// # Errors
    /// [`ReuniteError`], with both halves, when they are not of one stream.
    pub fn reunite(self, read: OwnedReadHalf<S>) -> Result<S, ReuniteError<S>> {
        read.reunite(self)
    }

    /// Drops it without ending writing: the other side does not learn of it before the read half is
    /// gone, too.
    pub fn forget(mut self) {
        self.ends_writing = false;
    }
}

impl<S: ByteStream> Drop for OwnedWriteHalf<S> {
    fn drop(&mut self) {
        if self.ends_writing {
            // Nobody is left to be told of an error, and a connection that is gone needs no end.
            drop(self.stream.shut_writing());
        }
    }
}

/// The halves were not of one stream. They come back.
pub struct ReuniteError<S: ByteStream = TcpStream>(pub OwnedReadHalf<S>, pub OwnedWriteHalf<S>);

impl<S: ByteStream> fmt::Debug for ReuniteError<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ReuniteError").field(&self.0).field(&self.1).finish()
    }
}

impl<S: ByteStream> fmt::Display for ReuniteError<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the halves are not of one stream")
    }
}

impl<S: ByteStream> std::error::Error for ReuniteError<S> {}

impl<S: ByteStream> AsyncRead for ReadHalf<'_, S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.poll_take(context, &mut [IoSliceMut::new(buffer)])
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.poll_take(context, buffers)
    }
}

impl<S: ByteStream> AsyncRead for OwnedReadHalf<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.poll_take(context, &mut [IoSliceMut::new(buffer)])
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.poll_take(context, buffers)
    }
}

impl<S: ByteStream> AsyncWrite for WriteHalf<'_, S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.poll_give(context, &[IoSlice::new(data)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.poll_give(context, data)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_end(context)
    }
}

impl<S: ByteStream> AsyncWrite for OwnedWriteHalf<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.poll_give(context, &[IoSlice::new(data)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.poll_give(context, data)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_end(context)
    }
}
