//! Sockets of simulated machines: handles of their kernels, and where their operations wait.

pub(super) mod lookup;
pub(super) mod unconnected;

use std::fmt;
use std::io;
use std::panic::Location;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Waker};

use super::socket::Side;
use crate::backend::{Point, Resource, note_wait};
use crate::kernel::Verb;
use crate::world::calls::{self, SocketHandle};

/// A socket of a simulated machine, which is closed when this is dropped.
pub(super) struct SimulatedSocket {
    handle: SocketHandle,
    made_at: &'static Location<'static>,
    kind: Kind,
    /// The points of operations that begin in one call of a trait's method and go on in another.
    reading: AtomicU8,
    writing: AtomicU8,
}

/// What reports call a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    TcpListener,
    TcpStream,
    UdpSocket,
    #[cfg(unix)]
    UnixListener,
    #[cfg(unix)]
    UnixStream,
    #[cfg(unix)]
    UnixDatagram,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::TcpListener => "TcpListener",
            Self::TcpStream => "TcpStream",
            Self::UdpSocket => "UdpSocket",
            #[cfg(unix)]
            Self::UnixListener => "UnixListener",
            #[cfg(unix)]
            Self::UnixStream => "UnixStream",
            #[cfg(unix)]
            Self::UnixDatagram => "UnixDatagram",
        }
    }
}

impl SimulatedSocket {
    pub(super) fn new(
        handle: SocketHandle,
        kind: Kind,
        made_at: &'static Location<'static>,
    ) -> Self {
        let (reading, writing) = (AtomicU8::new(0), AtomicU8::new(0));
        Self { handle, made_at, kind, reading, writing }
    }

    #[inline]
    pub(super) fn handle(&self) -> SocketHandle {
        self.handle
    }

    /// Notes what has become of a socket that was only bound.
    pub(super) fn becomes(&mut self, handle: SocketHandle, kind: Kind) {
        self.handle = handle;
        self.kind = kind;
    }

    /// Returns its identity, for points and what waits for it.
    #[inline]
    pub(super) fn identity(&self) -> Resource {
        self.handle.identity(self.kind.name(), self.made_at)
    }

    /// Makes a call that may have to wait: its point comes first, and what it waits for is noted.
    #[inline]
    pub(super) fn poll<R>(
        &self,
        point: &mut Point,
        (verb, at): (&'static Verb, &'static Location<'static>),
        context: &Context<'_>,
        call: impl FnOnce(SocketHandle, &Waker) -> Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        let resource = self.identity();
        if point.poll(context, &resource, verb, at).is_pending() {
            return Poll::Pending;
        }
        let polled = call(self.handle, context.waker());
        if polled.is_pending() {
            note_wait(&resource, verb, at);
        }
        polled
    }

    /// As [`SimulatedSocket::poll`], for methods of traits, whose operations have no future: the point
    /// of one that waits is kept here, so that it comes once. Reports name where the socket was made.
    #[inline]
    pub(super) fn poll_method<R>(
        &self,
        (side, verb): (Side, &'static Verb),
        context: &Context<'_>,
        call: impl FnOnce(SocketHandle, &Waker) -> Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        let kept = match side {
            Side::Read => &self.reading,
            Side::Write => &self.writing,
        };
        let mut point = Point::of_bits(kept.load(Ordering::Relaxed));
        let polled = self.poll(&mut point, (verb, self.made_at), context, call);
        let left = if polled.is_ready() { Point::new() } else { point };
        kept.store(left.bits(), Ordering::Relaxed);
        polled
    }
}

impl Drop for SimulatedSocket {
    fn drop(&mut self) {
        calls::close(self.handle);
    }
}

impl fmt::Debug for SimulatedSocket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, at) = (self.kind.name(), self.made_at);
        write!(formatter, "{kind} made at {}:{}", at.file(), at.line())
    }
}

/// Returns what a call gives that is not to wait.
pub(super) fn at_once<R>(polled: Poll<io::Result<R>>) -> io::Result<R> {
    match polled {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::Error::from_raw_os_error(EAGAIN)),
    }
}

/// Returns the side as calls name it.
pub(super) fn side_of_call(side: Side) -> calls::Side {
    match side {
        Side::Read => calls::Side::Read,
        Side::Write => calls::Side::Write,
    }
}

/// Returns the direction as calls name it.
pub(super) fn shutdown_of_call(how: std::net::Shutdown) -> calls::Shutdown {
    match how {
        std::net::Shutdown::Read => calls::Shutdown::Read,
        std::net::Shutdown::Write => calls::Shutdown::Write,
        std::net::Shutdown::Both => calls::Shutdown::Both,
    }
}

// Numbers of Linux, which a simulation has on every platform

const EAGAIN: i32 = 11;
const EINVAL: i32 = 22;
const EAFNOSUPPORT: i32 = 97;
