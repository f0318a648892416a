//! Receiving into a buffer: datagrams, and what is looked at without being taken.

use std::fmt;
use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
#[cfg(feature = "simulation")]
use std::task::Waker;
use std::task::{Context, Poll};

use super::operation::Operation;
use super::socket::{Side, Socket, either};
use crate::kernel::{Access, Verb};
#[cfg(feature = "simulation")]
use crate::world::calls::SocketHandle;

/// How something is received into a buffer, on either backend.
pub(super) struct ReceiveCall<T, R> {
    pub(super) verb: &'static Verb,
    #[cfg(feature = "simulation")]
    pub(super) simulated: SimulatedReceive<R>,
    #[cfg(feature = "real")]
    pub(super) real: fn(&T, &mut [u8]) -> io::Result<R>,
    pub(super) socket: PhantomData<fn(&T)>,
}

#[cfg(feature = "simulation")]
type SimulatedReceive<R> = fn(SocketHandle, &Waker, &mut [u8]) -> Poll<io::Result<R>>;

/// Makes a [`ReceiveCall`], of a verb and both calls.
macro_rules! receive_call {
    ($verb:expr, simulated: $simulated:expr, real: $real:expr $(,)?) => {
        $crate::net::receive::ReceiveCall {
            verb: $verb,
            #[cfg(feature = "simulation")]
            simulated: $simulated,
            #[cfg(feature = "real")]
            real: $real,
            socket: ::std::marker::PhantomData,
        }
    };
}

pub(super) use receive_call;

/// Future of `recv`, `recv_from`, `peek` and `peek_from`; `T` is the standard library's type of the
/// socket, `R` is what is told of what came: how much, or how much and where from.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Receive<'a, T, R = usize> {
    operation: Operation<'a, T>,
    buffer: &'a mut [u8],
    call: &'a ReceiveCall<T, R>,
}

impl<'a, T, R> Receive<'a, T, R> {
    #[track_caller]
    pub(super) fn new(
        socket: &'a Socket<T>,
        buffer: &'a mut [u8],
        call: &'a ReceiveCall<T, R>,
    ) -> Self {
        Self { operation: Operation::new(socket, Side::Read, call.verb), buffer, call }
    }
}

impl<T, R> Future for Receive<'_, T, R> {
    type Output = io::Result<R>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<R>> {
        let Self { operation, buffer, call } = self.get_mut();
        either!(operation.socket,
            simulated: |socket| operation.poll_simulated(socket, context, |handle, waker| {
                (call.simulated)(handle, waker, buffer)
            }),
            real: |socket| operation.poll_system(socket, context, |socket| {
                (call.real)(socket, buffer)
            }),
        )
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

pub(super) static RECEIVE: Verb = Verb::new("receive", Access::Write);
pub(super) static PEEK: Verb = Verb::new("peek", Access::Read);
