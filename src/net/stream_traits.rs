//! Reading and writing streams of bytes, and the traits of futures-io for that.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

use super::socket::{Side, Socket};
use super::tcp_stream::TcpStream;
#[cfg(unix)]
use super::unix_stream::UnixStream;

impl<T> Socket<T>
where
    for<'a> &'a T: Read + Write,
{
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.call(|mut socket| socket.read(buffer))
    }

    pub(super) fn read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        // With nothing to fill, the system's vectored call says 0 at once, and its plain one waits.
        if buffers.iter().all(|buffer| buffer.is_empty()) {
            return self.read(&mut []);
        }
        self.call(|mut socket| socket.read_vectored(buffers))
    }

    pub(super) fn write(&self, data: &[u8]) -> io::Result<usize> {
        self.call(|mut socket| socket.write(data))
    }

    pub(super) fn write_vectored(&self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        // With nothing to write, the system's vectored call does not see that writing is shut.
        if data.iter().all(|slice| slice.is_empty()) {
            return self.write(&[]);
        }
        self.call(|mut socket| socket.write_vectored(data))
    }
}

mod sealed {
    use std::io::{self, IoSlice, IoSliceMut};
    use std::task::{Context, Poll};

    /// What halves do with their stream. One task at a time may wait for each side.
    #[expect(unnameable_types, reason = "nobody else is to implement it")]
    pub trait StreamCalls: Sized {
        #[doc(hidden)]
        fn poll_take(
            &self,
            context: &mut Context<'_>,
            buffers: &mut [IoSliceMut<'_>],
        ) -> Poll<io::Result<usize>>;
        #[doc(hidden)]
        fn poll_give(
            &self,
            context: &mut Context<'_>,
            data: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>>;
        #[doc(hidden)]
        fn shut_writing(&self) -> io::Result<()>;
    }
}

pub(super) use sealed::StreamCalls;

/// Does what a trait method does, for any stream that is not in the middle of another.
pub(super) fn poll_take<T>(
    socket: &Socket<T>,
    context: &mut Context<'_>,
    buffers: &mut [IoSliceMut<'_>],
) -> Poll<io::Result<usize>>
where
    for<'a> &'a T: Read + Write,
{
    match buffers {
        [buffer] => socket.poll_call(Side::Read, context, |mut socket| socket.read(buffer)),
        _ => poll_again(socket, Side::Read, context, || socket.read_vectored(buffers)),
    }
}

pub(super) fn poll_give<T>(
    socket: &Socket<T>,
    context: &mut Context<'_>,
    data: &[IoSlice<'_>],
) -> Poll<io::Result<usize>>
where
    for<'a> &'a T: Read + Write,
{
    match data {
        [data] => socket.poll_call(Side::Write, context, |mut socket| socket.write(data)),
        _ => poll_again(socket, Side::Write, context, || socket.write_vectored(data)),
    }
}

fn poll_again<T>(
    socket: &Socket<T>,
    side: Side,
    context: &mut Context<'_>,
    mut call: impl FnMut() -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    socket.poll_call(side, context, |_| call())
}

/// Shuts writing; that the connection is closed already is no error.
pub(super) fn lenient(shutdown: io::Result<()>) -> io::Result<()> {
    match shutdown {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        result => result,
    }
}

/// Implements the traits of futures-io by the calls of a stream.
macro_rules! futures_io_traits {
    ($($stream:ty;)+) => { $(
        impl AsyncRead for $stream {
            fn poll_read(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                self.poll_take(context, &mut [IoSliceMut::new(buffer)])
            }

            fn poll_read_vectored(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buffers: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                self.poll_take(context, buffers)
            }
        }

        impl AsyncWrite for $stream {
            fn poll_write(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                data: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.poll_give(context, &[IoSlice::new(data)])
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                data: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.poll_give(context, data)
            }

            /// What is written is on its way: there is nothing to flush.
            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            /// Shuts writing, as `shutdown` does.
            fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(self.shut_writing())
            }
        }
    )+ };
}

futures_io_traits! {
    TcpStream;
    &TcpStream;
}

#[cfg(unix)]
futures_io_traits! {
    UnixStream;
    &UnixStream;
}
