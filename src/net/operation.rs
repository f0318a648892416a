//! An operation of a socket that may have to wait: the one place where a future of a socket pends.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
#[cfg(feature = "real")]
use std::task::ready;
use std::task::{Context, Poll};

#[cfg(feature = "real")]
use async_io::Async;

#[cfg(feature = "simulation")]
use super::simulated::{self, SimulatedSocket};
use super::socket::{Side, Socket, either};
#[cfg(feature = "simulation")]
use crate::backend::{Point, note_unpolled};
use crate::kernel::{Access, Verb};
#[cfg(feature = "simulation")]
use crate::world::calls::{self, SocketHandle};

/// One operation of a task on a socket, with a waiter of its own: others may wait for the same side.
///
/// On real time it keeps what it waits for; in a simulation it comes to its point, makes its call, and
/// notes what it waits for.
pub(super) struct Operation<'a, T> {
    pub(super) socket: &'a Socket<T>,
    side: Side,
    verb: &'static Verb,
    pub(super) at: &'static Location<'static>,
    #[cfg(feature = "simulation")]
    point: Point,
    #[cfg(feature = "real")]
    wait: Option<Wait<'a, T>>,
}

impl<'a, T> Operation<'a, T> {
    /// Makes an operation that was called for at the caller's caller.
    #[track_caller]
    pub(super) fn new(socket: &'a Socket<T>, side: Side, verb: &'static Verb) -> Self {
        Self {
            socket,
            side,
            verb,
            at: Location::caller(),
            #[cfg(feature = "simulation")]
            point: Point::new(),
            #[cfg(feature = "real")]
            wait: None,
        }
    }

    /// Makes a call of a simulated socket. When it is ready, another operation of the kind may follow.
    #[cfg(feature = "simulation")]
    #[inline]
    pub(super) fn poll_simulated<R>(
        &mut self,
        socket: &SimulatedSocket,
        context: &Context<'_>,
        call: impl FnOnce(SocketHandle, &std::task::Waker) -> Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        let polled = socket.poll(&mut self.point, (self.verb, self.at), context, call);
        if polled.is_ready() {
            self.point = Point::again();
        }
        polled
    }

    /// Comes to its point, if it has one, for a call that does not wait.
    pub(super) fn poll_point(&mut self, context: &Context<'_>) -> Poll<()> {
        either!(self.socket,
            simulated: |socket| {
                self.point.poll(context, &socket.identity(), self.verb, self.at)
            },
            real: |_| {
                let _ = context;
                Poll::Ready(())
            },
        )
    }

    /// Makes a call of the system, and again each time that something has come to pass, until it need not
    /// wait.
    #[cfg(feature = "real")]
    pub(super) fn poll_system<R>(
        &mut self,
        socket: &'a Async<T>,
        context: &mut Context<'_>,
        mut call: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            // What it waits for comes first: a call before that would fail as the last one did.
            ready!(self.poll_wait(context))?;
            match call(socket.get_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.begin_wait(socket),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Poll::Ready(result),
            }
        }
    }

    /// Waits until its side of the socket is ready.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self.socket,
            simulated: |socket| {
                let side = simulated::side_of_call(self.side);
                self.poll_simulated(socket, context, |handle, waker| {
                    calls::poll_ready(handle, waker, side)
                })
            },
            real: |socket| {
                if self.wait.is_none() {
                    self.begin_wait(socket);
                }
                self.poll_wait(context)
            },
        )
    }

    #[cfg(feature = "real")]
    fn begin_wait(&mut self, socket: &'a Async<T>) {
        self.wait = Some(match self.side {
            Side::Read => Wait::Readable(socket.readable()),
            Side::Write => Wait::Writable(socket.writable()),
        });
    }

    /// Waits for what it has begun to wait for, if it has.
    #[cfg(feature = "real")]
    fn poll_wait(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(wait) = &mut self.wait {
            let end = match wait {
                Wait::Readable(wait) => ready!(Pin::new(wait).poll(context)),
                Wait::Writable(wait) => ready!(Pin::new(wait).poll(context)),
            };
            self.wait = None;
            return Poll::Ready(end);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T> Drop for Operation<'_, T> {
    fn drop(&mut self) {
        #[cfg(feature = "simulation")]
        if self.point.is_ahead()
            && let Socket::Simulated(socket, _) = self.socket
        {
            note_unpolled(Some(&socket.identity()), self.verb, self.at);
        }
    }
}

impl<T> fmt::Debug for Operation<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at {}:{}", self.verb.name, self.at.file(), self.at.line())
    }
}

#[cfg(feature = "real")]
enum Wait<'a, T> {
    Readable(async_io::Readable<'a, T>),
    Writable(async_io::Writable<'a, T>),
}

/// Future of the methods `readable` and `writable`; `T` is the standard library's type of the socket.
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Ready<'a, T> {
    operation: Operation<'a, T>,
}

impl<'a, T> Ready<'a, T> {
    #[track_caller]
    pub(super) fn readable(socket: &'a Socket<T>) -> Self {
        Self { operation: Operation::new(socket, Side::Read, &READABLE) }
    }

    #[track_caller]
    pub(super) fn writable(socket: &'a Socket<T>) -> Self {
        Self { operation: Operation::new(socket, Side::Write, &WRITABLE) }
    }
}

impl<T> Future for Ready<'_, T> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.operation.poll_ready(context)
    }
}

static READABLE: Verb = Verb::new("wait until readable", Access::Read);
static WRITABLE: Verb = Verb::new("wait until writable", Access::Read);
