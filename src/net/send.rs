//! Sending a datagram to the peer of a socket.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::operation::Operation;
use super::socket::{Side, Socket};
use super::udp_futures::SEND;

/// Future of `send`; `T` is the standard library's type of the socket.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct SendDatagram<'a, T> {
    operation: Operation<'a, T>,
    data: &'a [u8],
    call: fn(&T, &[u8]) -> io::Result<usize>,
}

impl<'a, T> SendDatagram<'a, T> {
    #[track_caller]
    pub(super) fn new(
        socket: &'a Socket<T>,
        data: &'a [u8],
        call: fn(&T, &[u8]) -> io::Result<usize>,
    ) -> Self {
        Self { operation: Operation::new(socket, Side::Write, &SEND), data, call }
    }
}

impl<T> Future for SendDatagram<'_, T> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Self { operation, data, call } = self.get_mut();
        operation.poll(context, |socket| call(socket, data))
    }
}

impl<T> fmt::Debug for SendDatagram<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, data, .. } = self;
        let mut text = formatter.debug_struct("SendDatagram");
        text.field("operation", operation).field("size", &data.len()).finish()
    }
}
