//! An operation of a socket that may have to wait: the one place where a future of a socket pends.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::socket::{Side, Socket};
use crate::kernel::{Access, Verb};

/// One operation of a task on a socket, with a waiter of its own: others may wait for the same side.
pub(super) struct Operation<'a, T> {
    socket: &'a Socket<T>,
    side: Side,
    verb: &'static Verb,
    at: &'static Location<'static>,
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
            #[cfg(feature = "real")]
            wait: None,
        }
    }

    /// Makes the call, and again each time that something has come to pass, until it need not wait.
    pub(super) fn poll<R>(
        &mut self,
        context: &mut Context<'_>,
        mut call: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            // What it waits for comes first: a call before that would fail as the last one did.
            ready!(self.poll_wait(context))?;
            match self.socket.call(&mut call) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.begin_wait(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Poll::Ready(result),
            }
        }
    }

    /// Waits until its side of the socket is ready.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        #[cfg(feature = "real")]
        if self.wait.is_none() {
            self.begin_wait();
        }
        self.poll_wait(context)
    }

    fn begin_wait(&mut self) {
        #[cfg(feature = "real")]
        match (self.socket, self.side) {
            #[cfg(feature = "simulation")]
            (Socket::Simulated(socket, _), _) => match *socket {},
            (Socket::Real(socket), Side::Read) => {
                self.wait = Some(Wait::Readable(socket.readable()));
            }
            (Socket::Real(socket), Side::Write) => {
                self.wait = Some(Wait::Writable(socket.writable()));
            }
        }
    }

    /// Waits for what it has begun to wait for, if it has.
    fn poll_wait(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        #[cfg(feature = "real")]
        if let Some(wait) = &mut self.wait {
            let end = match wait {
                Wait::Readable(wait) => ready!(Pin::new(wait).poll(context)),
                Wait::Writable(wait) => ready!(Pin::new(wait).poll(context)),
            };
            self.wait = None;
            return Poll::Ready(end);
        }
        let _ = context;
        Poll::Ready(Ok(()))
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
