//! A socket that accepts TCP connections.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{self, SocketAddr};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_lite::Stream;

use super::address::ToSocketAddrs;
use super::candidates::Candidates;
use super::operation::Operation;
#[cfg(feature = "real")]
use super::real;
#[cfg(feature = "simulation")]
use super::simulated::unconnected::{self, set_options};
#[cfg(feature = "simulation")]
use super::simulated::{Kind, SimulatedSocket};
use super::socket::{Side, Socket, either};
use super::tcp_stream::TcpStream;
use crate::backend::on;
use crate::context::{self, Backend};
use crate::kernel::{Access, Verb};
#[cfg(feature = "simulation")]
use crate::world::calls;

/// Accepts TCP connections.
///
/// The system makes connections of whoever connects and keeps them until they are accepted: a connect
/// succeeds though nobody accepts, up to a bound ([`TcpSocket::listen`](super::TcpSocket::listen)).
/// Dropping the listener resets those that were not accepted; those that were live on.
///
/// In a simulation a client may know that it is connected before its connection is in the queue: two that connect one
/// after another from different machines, or tasks, may be accepted in the other order.
///
/// # Examples
/// ```
/// # #[cfg(feature = "real")]
/// # parcae::real::run(async {
/// use parcae::net::{TcpListener, TcpStream};
///
/// let listener = TcpListener::bind("127.0.0.1:0").await?; // 0: a port that is free
/// let client = TcpStream::connect(listener.local_addr()?).await?;
/// let (server, address) = listener.accept().await?;
/// assert_eq!(address, client.local_addr()?);
/// assert_eq!(server.peer_addr()?, address);
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// A port can be had once:
/// ```
/// # #[cfg(feature = "real")]
/// # parcae::real::run(async {
/// use parcae::net::TcpListener;
///
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let error = TcpListener::bind(listener.local_addr()?).await.unwrap_err();
/// assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
pub struct TcpListener {
    socket: Socket<net::TcpListener>,
}

impl TcpListener {
    pub(super) fn new(socket: Socket<net::TcpListener>) -> Self {
        Self { socket }
    }

    /// Listens at the first of the addresses that can be had, with a queue of 1024.
    ///
    /// The address may be had again although connections of an earlier listener are still there
    /// (`SO_REUSEADDR`). [`TcpSocket`](super::TcpSocket) does without, and with other queues.
    ///
    /// # Errors
    /// What the attempt at the last address failed with: [`AddrInUse`](io::ErrorKind::AddrInUse),
    /// [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable) when it is not of this machine.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    ///
    /// # Cancel safety
    /// Cancel safe: it binds in the poll in which it is ready.
    #[track_caller]
    pub fn bind(addresses: impl ToSocketAddrs) -> Bind {
        let backend = context::backend("TcpListener::bind");
        Bind { candidates: addresses.candidates(), backend, at: Location::caller() }
    }

    /// Waits for a connection, and returns it with the address of its other end.
    ///
    /// A client that is gone by then is returned all the same: reading says so.
    ///
    /// # Errors
    /// What the system says, such as that there are too many open files.
    ///
    /// # Cancel safety
    /// Cancel safe: a connection that was not returned is there for the next call.
    #[track_caller]
    pub fn accept(&self) -> Accept<'_> {
        Accept { operation: Operation::new(&self.socket, Side::Read, &ACCEPT) }
    }

    /// Returns the connections as a stream, which does not end.
    #[track_caller]
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { operation: Operation::new(&self.socket, Side::Read, &ACCEPT) }
    }

    /// Returns the address that it listens at.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        either!(&self.socket,
            simulated: |socket| calls::local_address(socket.handle()),
            real: |socket| socket.get_ref().local_addr(),
        )
    }

    /// Returns how many routers a packet of its connections may pass.
    ///
    /// # Errors
    /// What the system says.
    pub fn ttl(&self) -> io::Result<u32> {
        either!(&self.socket,
            simulated: |socket| Ok(calls::tcp_options(socket.handle())?.ttl),
            real: |socket| socket.get_ref().ttl(),
        )
    }

    /// Sets how many routers a packet of its connections may pass, 1 to 255.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for other numbers.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| set_options(socket, |options| options.ttl = ttl),
            real: |socket| socket.get_ref().set_ttl(ttl),
        )
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(formatter)
    }
}

/// Future of [`TcpListener::bind`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Bind {
    candidates: Candidates,
    backend: Backend,
    at: &'static Location<'static>,
}

impl Future for Bind {
    type Output = io::Result<TcpListener>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (backend, at) = (self.backend, self.at);
        loop {
            let address = ready!(self.candidates.poll_next(context, at))?;
            let bound = on!(backend,
                simulation: unconnected::listen(address, BACKLOG, at).map(Socket::from),
                real: real::listen(address, BACKLOG).map(Socket::Real),
            );
            match bound {
                Ok(socket) => return Poll::Ready(Ok(TcpListener::new(socket))),
                Err(error) => self.candidates.failed(error),
            }
        }
    }
}

impl fmt::Debug for Bind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { candidates, at, .. } = self;
        write!(formatter, "bind at {}:{}: {candidates:?}", at.file(), at.line())
    }
}

/// Future of [`TcpListener::accept`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Accept<'a> {
    operation: Operation<'a, net::TcpListener>,
}

impl Future for Accept<'_> {
    type Output = io::Result<(TcpStream, SocketAddr)>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        poll_accept(&mut self.operation, context)
    }
}

/// Stream of [`TcpListener::incoming`].
#[derive(Debug)]
#[must_use = "streams do nothing unless you poll them"]
pub struct Incoming<'a> {
    operation: Operation<'a, net::TcpListener>,
}

impl Stream for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<TcpStream>>> {
        let accepted = ready!(poll_accept(&mut self.operation, context));
        Poll::Ready(Some(accepted.map(|(stream, _)| stream)))
    }
}

fn poll_accept(
    operation: &mut Operation<'_, net::TcpListener>,
    context: &mut Context<'_>,
) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
    let (socket, address) = either!(operation.socket,
        simulated: |socket| {
            let at = operation.at;
            let polled = operation.poll_simulated(socket, context, calls::tcp_poll_accept);
            let (handle, address) = ready!(polled)?;
            (SimulatedSocket::new(handle, Kind::TcpStream, at).into(), address)
        },
        real: |socket| {
            let polled = operation.poll_system(socket, context, net::TcpListener::accept);
            let (stream, address) = ready!(polled)?;
            (Socket::Real(real::adopt(stream)?), address)
        },
    );
    Poll::Ready(Ok((TcpStream::new(socket), address)))
}

pub(super) static ACCEPT: Verb = Verb::new("accept", Access::Write);

/// Connections that may wait to be accepted; as many as tokio has.
pub(super) const BACKLOG: u32 = 1024;
