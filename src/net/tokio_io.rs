//! The traits of tokio for reading and writing, for the streams of this module and their halves.
//!
//! They do what those of futures-io do. No runtime of tokio's is needed.

use std::io::{self, IoSlice, IoSliceMut};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::split::{ByteStream, OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
use super::stream_traits::StreamCalls;
use super::tcp_stream::TcpStream;
#[cfg(unix)]
use super::unix_stream::UnixStream;

fn poll_read(
    stream: &impl StreamCalls,
    context: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let room = IoSliceMut::new(buffer.initialize_unfilled());
    let count = ready!(stream.poll_take(context, &mut [room]))?;
    buffer.advance(count);
    Poll::Ready(Ok(()))
}

/// Implements the trait by the stream that an expression finds.
macro_rules! reads {
    ($({ $($generics:tt)* } $reader:ty: |$this:ident| $stream:expr;)+) => { $(
        impl<$($generics)*> AsyncRead for $reader {
            fn poll_read(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                let $this = self.get_mut();
                poll_read($stream, context, buffer)
            }
        }
    )+ };
}

macro_rules! writes {
    ($({ $($generics:tt)* } $writer:ty: |$this:ident| $stream:expr;)+) => { $(
        impl<$($generics)*> AsyncWrite for $writer {
            fn poll_write(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                data: &[u8],
            ) -> Poll<io::Result<usize>> {
                let $this = self.get_mut();
                $stream.poll_give(context, &[IoSlice::new(data)])
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                data: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                let $this = self.get_mut();
                $stream.poll_give(context, data)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            /// What is written is on its way: there is nothing to flush.
            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
            ) -> Poll<io::Result<()>> {
                let $this = self.get_mut();
                $stream.poll_end(context)
            }
        }
    )+ };
}

reads! {
    {} TcpStream: |this| this;
    { S: ByteStream } ReadHalf<'_, S>: |this| this.as_ref();
    { S: ByteStream } OwnedReadHalf<S>: |this| this.as_ref();
}

writes! {
    {} TcpStream: |this| this;
    { S: ByteStream } WriteHalf<'_, S>: |this| this.as_ref();
    { S: ByteStream } OwnedWriteHalf<S>: |this| this.as_ref();
}

#[cfg(unix)]
reads! { {} UnixStream: |this| this; }

#[cfg(unix)]
writes! { {} UnixStream: |this| this; }
