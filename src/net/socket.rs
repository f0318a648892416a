//! A socket of either backend, below the public types.

use std::fmt;
#[cfg(feature = "real")]
use std::io;
#[cfg(feature = "simulation")]
use std::marker::PhantomData;
#[cfg(feature = "real")]
use std::task::{Context, Poll, ready};

#[cfg(feature = "real")]
use async_io::Async;

#[cfg(feature = "simulation")]
use super::simulated::SimulatedSocket;

/// A socket; `T` is the type that the standard library has for it.
///
/// It knows its backend, so what is done with it asks nobody which that is.
pub(super) enum Socket<T> {
    #[cfg(feature = "simulation")]
    Simulated(SimulatedSocket, PhantomData<T>),
    #[cfg(feature = "real")]
    Real(Async<T>),
}

/// What a task waits for at a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Read,
    Write,
}

/// Chooses by the backend of a socket: what is done with the simulated one, or with that of the system.
macro_rules! either {
    ($socket:expr,
        simulated: |$simulated:pat_param| $simulation:expr,
        real: |$of_system:pat_param| $real:expr $(,)?
    ) => {
        match $socket {
            #[cfg(feature = "simulation")]
            $crate::net::socket::Socket::Simulated($simulated, _) => $simulation,
            #[cfg(feature = "real")]
            $crate::net::socket::Socket::Real($of_system) => $real,
        }
    };
}

pub(super) use either;

#[cfg(feature = "simulation")]
impl<T> From<SimulatedSocket> for Socket<T> {
    fn from(socket: SimulatedSocket) -> Self {
        Self::Simulated(socket, PhantomData)
    }
}

/// Makes a call of the system that may have to wait. One task at a time may wait in this way for a side.
#[cfg(feature = "real")]
pub(super) fn poll_system<T, R>(
    socket: &Async<T>,
    side: Side,
    context: &mut Context<'_>,
    mut call: impl FnMut(&T) -> io::Result<R>,
) -> Poll<io::Result<R>> {
    loop {
        match call(socket.get_ref()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => return Poll::Ready(result),
        }
        ready!(poll_ready(socket, side, context))?;
    }
}

/// Waits until something has come to pass on a side; it may be a false alarm.
#[cfg(feature = "real")]
pub(super) fn poll_ready<T>(
    socket: &Async<T>,
    side: Side,
    context: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    match side {
        Side::Read => socket.poll_readable(context),
        Side::Write => socket.poll_writable(context),
    }
}

impl<T: fmt::Debug> fmt::Debug for Socket<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        either!(self,
            simulated: |socket| socket.fmt(formatter),
            real: |socket| socket.get_ref().fmt(formatter),
        )
    }
}

const _: () =
    assert!(size_of::<Socket<std::net::TcpStream>>() <= 48, "memory of an idle connection");
