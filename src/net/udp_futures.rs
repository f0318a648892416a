//! Futures of UDP sockets that know names.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{self, SocketAddr};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::candidates::Candidates;
use super::operation::Operation;
#[cfg(feature = "real")]
use super::real;
#[cfg(feature = "simulation")]
use super::simulated::{Kind, SimulatedSocket};
use super::socket::{Socket, either};
use super::udp::UdpSocket;
use crate::backend::on;
use crate::context::Backend;
use crate::kernel::{Access, Verb};
#[cfg(feature = "simulation")]
use crate::world::calls::{self, UdpOptions};

/// Future of [`UdpSocket::bind`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct UdpBind {
    candidates: Candidates,
    shares: bool,
    backend: Backend,
    at: &'static Location<'static>,
}

impl UdpBind {
    pub(super) fn new(
        candidates: Candidates,
        backend: Backend,
        at: &'static Location<'static>,
    ) -> Self {
        Self { candidates, shares: false, backend, at }
    }

    /// Lets it have an address that others have who said so, too: members of a group do. Of datagrams for one
    /// socket the last that was bound gets all. Default no.
    pub fn reuseaddr(self, shares: bool) -> Self {
        Self { shares, ..self }
    }
}

impl Future for UdpBind {
    type Output = io::Result<UdpSocket>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (backend, at) = (self.backend, self.at);
        loop {
            let address = ready!(self.candidates.poll_next(context, at))?;
            let bound = on!(backend,
                simulation: bind_simulated(address, self.shares, at).map(Socket::from),
                real: real::udp_socket(address, self.shares).map(Socket::Real),
            );
            match bound {
                Ok(socket) => return Poll::Ready(Ok(UdpSocket::new(socket))),
                Err(error) => self.candidates.failed(error),
            }
        }
    }
}

#[cfg(feature = "simulation")]
fn bind_simulated(
    address: SocketAddr,
    shares: bool,
    at: &'static Location<'static>,
) -> io::Result<SimulatedSocket> {
    let options = UdpOptions { reuse_address: shares, only_v6: false };
    Ok(SimulatedSocket::new(calls::udp_bind(options, address)?, Kind::UdpSocket, at))
}

impl fmt::Debug for UdpBind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { candidates, at, .. } = self;
        write!(formatter, "bind at {}:{}: {candidates:?}", at.file(), at.line())
    }
}

/// Future of [`UdpSocket::connect`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct UdpConnect<'a> {
    operation: Operation<'a, net::UdpSocket>,
    candidates: Candidates,
}

impl<'a> UdpConnect<'a> {
    pub(super) fn new(operation: Operation<'a, net::UdpSocket>, candidates: Candidates) -> Self {
        Self { operation, candidates }
    }
}

impl Future for UdpConnect<'_> {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { operation, candidates } = self.get_mut();
        ready!(operation.poll_point(context));
        loop {
            let address = ready!(candidates.poll_next(context, operation.at))?;
            let connected = either!(operation.socket,
                simulated: |socket| calls::udp_connect(socket.handle(), Some(address)),
                real: |socket| socket.get_ref().connect(address),
            );
            match connected {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(error) => candidates.failed(error),
            }
        }
    }
}

impl fmt::Debug for UdpConnect<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, candidates } = self;
        write!(formatter, "{operation:?}: {candidates:?}")
    }
}

/// Future of [`UdpSocket::send_to`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct UdpSendTo<'a> {
    operation: Operation<'a, net::UdpSocket>,
    data: &'a [u8],
    candidates: Candidates,
    target: Option<SocketAddr>,
}

impl<'a> UdpSendTo<'a> {
    pub(super) fn new(
        operation: Operation<'a, net::UdpSocket>,
        data: &'a [u8],
        candidates: Candidates,
    ) -> Self {
        Self { operation, data, candidates, target: None }
    }
}

impl Future for UdpSendTo<'_> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { operation, data, candidates, target: known } = self.get_mut();
        let target = match *known {
            Some(target) => target,
            None => ready!(candidates.poll_next(context, operation.at))?,
        };
        *known = Some(target);
        either!(operation.socket,
            simulated: |socket| operation.poll_simulated(socket, context, |handle, waker| {
                calls::udp_poll_send(handle, waker, Some(target), data)
            }),
            real: |socket| operation.poll_system(socket, context, |socket| {
                socket.send_to(data, target)
            }),
        )
    }
}

impl fmt::Debug for UdpSendTo<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, data, target, .. } = self;
        let mut text = formatter.debug_struct("UdpSendTo");
        text.field("operation", operation).field("size", &data.len()).field("target", target);
        text.finish_non_exhaustive()
    }
}

pub(super) static CONNECT: Verb = Verb::new("connect", Access::Write);
