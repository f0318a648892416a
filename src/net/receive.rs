//! Receiving into a buffer: datagrams, and what is looked at without being taken.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::operation::Operation;
use super::socket::{Side, Socket};
use crate::kernel::{Access, Verb};

/// Future of `recv`, `recv_from`, `peek` and `peek_from`; `T` is the standard library's type of the
/// socket, `R` is what is told of what came: how much, or how much and where from.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Receive<'a, T, R = usize> {
    operation: Operation<'a, T>,
    buffer: &'a mut [u8],
    call: fn(&T, &mut [u8]) -> io::Result<R>,
}

impl<'a, T, R> Receive<'a, T, R> {
    #[track_caller]
    pub(super) fn taking(
        socket: &'a Socket<T>,
        buffer: &'a mut [u8],
        call: fn(&T, &mut [u8]) -> io::Result<R>,
    ) -> Self {
        Self { operation: Operation::new(socket, Side::Read, &RECEIVE), buffer, call }
    }

    #[track_caller]
    pub(super) fn peeking(
        socket: &'a Socket<T>,
        buffer: &'a mut [u8],
        call: fn(&T, &mut [u8]) -> io::Result<R>,
    ) -> Self {
        Self { operation: Operation::new(socket, Side::Read, &PEEK), buffer, call }
    }
}

impl<T, R> Future for Receive<'_, T, R> {
    type Output = io::Result<R>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<R>> {
        let Self { operation, buffer, call } = self.get_mut();
        operation.poll(context, |socket| call(socket, buffer))
    }
}

impl<T, R> fmt::Debug for Receive<'_, T, R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let room = self.buffer.len();
        formatter
            .debug_struct("Receive")
            .field("operation", &self.operation)
            .field("room", &room)
            .finish()
    }
}

static RECEIVE: Verb = Verb::new("receive", Access::Write);
static PEEK: Verb = Verb::new("peek", Access::Read);
