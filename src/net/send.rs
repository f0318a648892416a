//! Sending a datagram to the peer of a socket.

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

/// How a datagram is sent to the peer, on either backend.
pub(super) struct SendCall<T> {
    #[cfg(feature = "simulation")]
    pub(super) simulated: SimulatedSend,
    #[cfg(feature = "real")]
    pub(super) real: fn(&T, &[u8]) -> io::Result<usize>,
    pub(super) socket: PhantomData<fn(&T)>,
}

#[cfg(feature = "simulation")]
type SimulatedSend = fn(SocketHandle, &Waker, &[u8]) -> Poll<io::Result<usize>>;

/// Makes a [`SendCall`] of both calls.
macro_rules! send_call {
    (simulated: $simulated:expr, real: $real:expr $(,)?) => {
        $crate::net::send::SendCall {
            #[cfg(feature = "simulation")]
            simulated: $simulated,
            #[cfg(feature = "real")]
            real: $real,
            socket: ::std::marker::PhantomData,
        }
    };
}

pub(super) use send_call;

/// Future of `send`; `T` is the standard library's type of the socket.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct SendDatagram<'a, T> {
    operation: Operation<'a, T>,
    data: &'a [u8],
    call: &'a SendCall<T>,
}

impl<'a, T> SendDatagram<'a, T> {
    #[track_caller]
    pub(super) fn new(socket: &'a Socket<T>, data: &'a [u8], call: &'a SendCall<T>) -> Self {
        Self { operation: Operation::new(socket, Side::Write, &SEND), data, call }
    }
}

impl<T> Future for SendDatagram<'_, T> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Self { operation, data, call } = self.get_mut();
        either!(operation.socket,
            simulated: |socket| operation.poll_simulated(socket, context, |handle, waker| {
                (call.simulated)(handle, waker, data)
            }),
            real: |socket| operation.poll_system(socket, context, |socket| {
                (call.real)(socket, data)
            }),
        )
    }
}

impl<T> fmt::Debug for SendDatagram<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, data, .. } = self;
        let mut text = formatter.debug_struct("SendDatagram");
        text.field("operation", operation).field("size", &data.len()).finish()
    }
}

pub(super) static SEND: Verb = Verb::new("send", Access::Write);
