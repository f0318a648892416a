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
use super::socket::{Socket, real_socket};
use super::udp::UdpSocket;
use crate::kernel::{Access, Verb};

/// Future of [`UdpSocket::bind`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct UdpBind {
    candidates: Candidates,
    shares: bool,
    at: &'static Location<'static>,
}

impl UdpBind {
    pub(super) fn new(candidates: Candidates, at: &'static Location<'static>) -> Self {
        Self { candidates, shares: false, at }
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
        loop {
            let address = ready!(self.candidates.poll_next(context))?;
            match real_socket!(real::udp_socket(address, self.shares)) {
                Ok(socket) => return Poll::Ready(Ok(UdpSocket::new(socket))),
                Err(error) => self.candidates.failed(error),
            }
        }
    }
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
    socket: &'a Socket<net::UdpSocket>,
    candidates: Candidates,
    at: &'static Location<'static>,
}

impl<'a> UdpConnect<'a> {
    pub(super) fn new(
        socket: &'a Socket<net::UdpSocket>,
        candidates: Candidates,
        at: &'static Location<'static>,
    ) -> Self {
        Self { socket, candidates, at }
    }
}

impl Future for UdpConnect<'_> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let address = ready!(self.candidates.poll_next(context))?;
            match self.socket.call(|socket| socket.connect(address)) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(error) => self.candidates.failed(error),
            }
        }
    }
}

impl fmt::Debug for UdpConnect<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { candidates, at, .. } = self;
        write!(formatter, "connect at {}:{}: {candidates:?}", at.file(), at.line())
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

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let target = match self.target {
            Some(target) => target,
            None => ready!(self.candidates.poll_next(context))?,
        };
        self.target = Some(target);
        let data = self.data;
        self.operation.poll(context, |socket| socket.send_to(data, target))
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

pub(super) static SEND: Verb = Verb::new("send", Access::Write);
