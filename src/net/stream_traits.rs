//! Reading and writing streams of bytes, and the traits of futures-io for that.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::pin::Pin;
#[cfg(feature = "simulation")]
use std::task::Waker;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

#[cfg(feature = "simulation")]
use super::simulated::at_once;
#[cfg(feature = "real")]
use super::socket::poll_system;
use super::socket::{Side, Socket, either};
use super::tcp_stream::TcpStream;
#[cfg(unix)]
use super::unix_stream::UnixStream;
#[cfg(feature = "simulation")]
use crate::kernel::{Access, Verb};
#[cfg(feature = "simulation")]
use crate::world::calls::{self, Take};

/// What only streams do.
impl<T> Socket<T>
where
    for<'a> &'a T: Read + Write,
{
    /// Reads what there is, without waiting.
    pub(super) fn try_read(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        either!(self,
            simulated: |socket| at_once(calls::stream_poll_read(
                socket.handle(), Waker::noop(), buffers, Take::Consume,
            )),
            real: |socket| read(socket.get_ref(), buffers),
        )
    }

    /// Writes as much as there is room for, without waiting.
    pub(super) fn try_write(&self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        either!(self,
            simulated: |socket| at_once(calls::stream_poll_write(
                socket.handle(), Waker::noop(), data,
            )),
            real: |socket| write(socket.get_ref(), data),
        )
    }

    /// Does what methods of traits do: one task at a time may wait in this way.
    #[inline]
    pub(super) fn poll_read(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self,
            simulated: |socket| socket.poll_method((Side::Read, &READ), context, |handle, waker| {
                calls::stream_poll_read(handle, waker, buffers, Take::Consume)
            }),
            real: |socket| poll_system(socket, Side::Read, context, |socket| read(socket, buffers)),
        )
    }

    /// Does what methods of traits do: one task at a time may wait in this way.
    #[inline]
    pub(super) fn poll_write(
        &self,
        context: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self,
            simulated: |socket| socket.poll_method((Side::Write, &WRITE), context, |handle, waker| {
                calls::stream_poll_write(handle, waker, data)
            }),
            real: |socket| poll_system(socket, Side::Write, context, |socket| write(socket, data)),
        )
    }
}

/// What any socket does at the end of a stream.
impl<T> Socket<T> {
    /// Comes to the point of a shutdown, where there is one, and makes the call.
    pub(super) fn poll_end(
        &self,
        context: &mut Context<'_>,
        shut: impl FnOnce() -> io::Result<()>,
    ) -> Poll<io::Result<()>> {
        either!(self,
            simulated: |socket| {
                socket.poll_method((Side::Write, &SHUTDOWN), context, |_, _| Poll::Ready(shut()))
            },
            real: |_| {
                let _ = context;
                Poll::Ready(shut())
            },
        )
    }
}

#[cfg(feature = "real")]
fn read<T>(mut socket: &T, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize>
where
    for<'a> &'a T: Read,
{
    match buffers {
        [buffer] => socket.read(buffer),
        // With nothing to fill, the system's vectored call says 0 at once, and its plain one waits.
        _ if buffers.iter().all(|buffer| buffer.is_empty()) => socket.read(&mut []),
        _ => socket.read_vectored(buffers),
    }
}

#[cfg(feature = "real")]
fn write<T>(mut socket: &T, data: &[IoSlice<'_>]) -> io::Result<usize>
where
    for<'a> &'a T: Write,
{
    match data {
        [data] => socket.write(data),
        // With nothing to write, the system's vectored call does not see that writing is shut.
        _ if data.iter().all(|slice| slice.is_empty()) => socket.write(&[]),
        _ => socket.write_vectored(data),
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
        fn poll_end(&self, context: &mut Context<'_>) -> Poll<io::Result<()>>;
        #[doc(hidden)]
        fn shut_writing(&self) -> io::Result<()>;
    }
}

pub(super) use sealed::StreamCalls;

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
            fn poll_close(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
            ) -> Poll<io::Result<()>> {
                self.poll_end(context)
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

#[cfg(feature = "simulation")]
static READ: Verb = Verb::new("read", Access::Write);
#[cfg(feature = "simulation")]
static WRITE: Verb = Verb::new("write", Access::Write);
#[cfg(feature = "simulation")]
static SHUTDOWN: Verb = Verb::new("shutdown", Access::Write);
