//! A socket of either backend, below the public types.

use std::fmt;
use std::io;
#[cfg(feature = "simulation")]
use std::marker::PhantomData;
use std::task::{Context, Poll, ready};

#[cfg(feature = "real")]
use async_io::Async;

#[cfg(feature = "simulation")]
use super::simulated::SimulatedSocket;
use crate::context::{self, Backend};

/// A socket; `T` is the type that the standard library has for it.
pub(super) enum Socket<T> {
    #[cfg(feature = "simulation")]
    #[expect(dead_code, reason = "made when the world has sockets")]
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

/// Makes a call of the real backend. Where that is not compiled no thread can be inside of it.
macro_rules! real_call {
    ($call:expr) => {{
        #[cfg(feature = "real")]
        {
            $call
        }
        #[cfg(not(feature = "real"))]
        {
            $crate::net::socket::absent()
        }
    }};
}

/// Makes a socket of the real backend, by a call that gives an `io::Result<Async<_>>`.
macro_rules! real_socket {
    ($make:expr) => {
        $crate::net::socket::real_call!($make.map($crate::net::socket::Socket::Real))
    };
}

pub(super) use {real_call, real_socket};

/// Stands where a call of the real backend would, with its type.
#[cfg(not(feature = "real"))]
pub(super) fn absent<T>() -> io::Result<T> {
    context::absent()
}

/// Panics where no socket can be made, with a message that names the call.
#[track_caller]
pub(super) fn expect_backend(call: &str) {
    if context::backend(call) == Backend::Simulation {
        panic!(
            "`{call}` was called in a simulation, which has no network yet: use \
             `parcae::sync::Queue` between tasks there, and sockets inside of `parcae::real::run`"
        );
    }
}

impl<T> Socket<T> {
    /// Makes a call that does not wait.
    pub(super) fn call<R>(&self, call: impl FnOnce(&T) -> io::Result<R>) -> io::Result<R> {
        match self {
            #[cfg(feature = "simulation")]
            Self::Simulated(socket, _) => match *socket {},
            #[cfg(feature = "real")]
            Self::Real(socket) => call(socket.get_ref()),
        }
    }

    /// Makes a call that may have to wait. One task at a time may wait in this way for a side.
    pub(super) fn poll_call<R>(
        &self,
        side: Side,
        context: &mut Context<'_>,
        mut call: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            match self.call(&mut call) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => return Poll::Ready(result),
            }
            ready!(self.poll_ready(side, context))?;
        }
    }

    /// Waits until something has come to pass on a side; it may be a false alarm.
    pub(super) fn poll_ready(&self, side: Side, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            #[cfg(feature = "simulation")]
            Self::Simulated(socket, _) => match *socket {},
            #[cfg(feature = "real")]
            Self::Real(socket) => match side {
                Side::Read => socket.poll_readable(context),
                Side::Write => socket.poll_writable(context),
            },
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Socket<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "simulation")]
            Self::Simulated(socket, _) => socket.fmt(formatter),
            #[cfg(feature = "real")]
            Self::Real(socket) => socket.get_ref().fmt(formatter),
        }
    }
}
