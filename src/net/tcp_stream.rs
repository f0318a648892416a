//! A TCP connection.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{self, SocketAddr};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::address::ToSocketAddrs;
use super::candidates::Candidates;
use super::operation::Ready;
#[cfg(feature = "real")]
use super::real;
use super::receive::{PEEK, Receive, ReceiveCall, receive_call};
#[cfg(feature = "simulation")]
use super::simulated::shutdown_of_call;
#[cfg(feature = "simulation")]
use super::simulated::unconnected::{self, linger_of_call, set_options};
use super::socket::{Socket, either};
use super::split::{self, OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
use super::stream_traits::{StreamCalls, lenient};
use crate::backend::{Point, on};
use crate::context::{self, Backend};
#[cfg(feature = "simulation")]
use crate::kernel::{Access, Verb};
#[cfg(feature = "simulation")]
use crate::world::calls::{self, Take};

/// One end of a TCP connection: a stream of bytes in each direction.
///
/// It is read and written through the traits of futures-io, which have `read`, `write_all` and others
/// in `futures_lite::{AsyncReadExt, AsyncWriteExt}`; with the feature `tokio-io` through those of tokio,
/// too. `&TcpStream` has the traits as well.
///
/// Dropping it closes the connection. What was written is still sent, and then its end; unless there is
/// something that was not read, which resets the connection.
///
/// In a simulation it travels in segments that may be lost, and are sent again as by Linux: after 200 ms at least,
/// for a quarter of an hour at most. A partition looks like that, and a machine without power; the
/// kernel of a process that was killed closes its connections. Buffers hold 256 KiB in each direction.
///
/// # Examples
/// ```
/// # #[cfg(feature = "real")]
/// # parcae::real::run(async {
/// use futures_lite::{AsyncReadExt, AsyncWriteExt};
/// use parcae::net::{Shutdown, TcpListener, TcpStream};
///
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let mut client = TcpStream::connect(listener.local_addr()?).await?;
/// let (mut server, _) = listener.accept().await?;
///
/// client.write_all(b"question").await?;
/// client.shutdown(Shutdown::Write)?;
/// let mut question = String::new();
/// server.read_to_string(&mut question).await?;
/// assert_eq!(question, "question");
///
/// // The other direction is open until that side closes it.
/// server.write_all(b"answer").await?;
/// drop(server);
/// let mut answer = String::new();
/// client.read_to_string(&mut answer).await?;
/// assert_eq!(answer, "answer");
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// Nobody listens:
/// ```
/// # #[cfg(feature = "real")]
/// # parcae::real::run(async {
/// use parcae::net::{TcpListener, TcpStream};
///
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let address = listener.local_addr()?;
/// drop(listener);
/// let error = TcpStream::connect(address).await.unwrap_err();
/// assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
pub struct TcpStream {
    socket: Socket<net::TcpStream>,
}

impl TcpStream {
    pub(super) fn new(socket: Socket<net::TcpStream>) -> Self {
        Self { socket }
    }

    /// Connects to the first of the addresses that answers.
    ///
    /// # Errors
    /// What the attempt at the last address failed with:
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) when nobody listens there,
    /// [`TimedOut`](io::ErrorKind::TimedOut) after about two minutes in which nobody answers. What
    /// the resolver says of an unknown name. [`InvalidInput`](io::ErrorKind::InvalidInput) without an address.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    ///
    /// # Cancel safety
    /// Dropping it closes the socket that was connecting. The other side may have accepted it by then.
    ///
    /// # Determinism
    /// In a simulation it takes a round trip of the network. A request that is lost is sent again after 1, 2, 3, 4, 5,
    /// 7, 11, 19, 35 and 67 seconds, and given up after 131.
    #[track_caller]
    pub fn connect(addresses: impl ToSocketAddrs) -> Connect {
        let backend = context::backend("TcpStream::connect");
        let candidates = addresses.candidates();
        Connect { candidates, attempt: None, backend, at: Location::caller() }
    }

    // Both ends

    /// Returns the address of this end.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        either!(&self.socket,
            simulated: |socket| calls::local_address(socket.handle()),
            real: |socket| socket.get_ref().local_addr(),
        )
    }

    /// Returns the address of the other end.
    ///
    /// # Errors
    /// [`NotConnected`](io::ErrorKind::NotConnected) when the connection was reset, or both sides have closed it.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        either!(&self.socket,
            simulated: |socket| calls::peer_address(socket.handle()),
            real: |socket| socket.get_ref().peer_addr(),
        )
    }

    // Options

    /// Tells whether small writes are sent at once.
    ///
    /// # Errors
    /// What the system says.
    pub fn nodelay(&self) -> io::Result<bool> {
        either!(&self.socket,
            simulated: |socket| Ok(calls::tcp_options(socket.handle())?.nodelay),
            real: |socket| socket.get_ref().nodelay(),
        )
    }

    /// Sets whether small writes are sent at once. Default no: one waits while another is not acknowledged,
    /// which costs about 40 ms where a request is written in two parts.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| set_options(socket, |options| options.nodelay = nodelay),
            real: |socket| socket.get_ref().set_nodelay(nodelay),
        )
    }

    /// Returns how long a close waits for what was written.
    ///
    /// # Errors
    /// What the system says.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        either!(&self.socket,
            simulated: |socket| Ok(calls::tcp_options(socket.handle())?.linger),
            real: |socket| real::linger(socket.get_ref()),
        )
    }

    /// Sets what a close does with what was written and is not acknowledged. None, the default: it is
    /// sent in the background. Zero: the connection is reset. Longer: the system may block the *thread*
    /// that closes for so long; do not use it. In a simulation nothing blocks, and longer is as none.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| set_options(socket, |options| options.linger = linger_of_call(linger)),
            real: |socket| real::set_linger(socket.get_ref(), linger),
        )
    }

    /// Returns how many routers a packet may pass.
    ///
    /// # Errors
    /// What the system says.
    pub fn ttl(&self) -> io::Result<u32> {
        either!(&self.socket,
            simulated: |socket| Ok(calls::tcp_options(socket.handle())?.ttl),
            real: |socket| socket.get_ref().ttl(),
        )
    }

    /// Sets how many routers a packet may pass, 1 to 255.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for other numbers.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| set_options(socket, |options| options.ttl = ttl),
            real: |socket| socket.get_ref().set_ttl(ttl),
        )
    }

    /// Takes the error that has come to the socket and that no call has told of yet.
    ///
    /// # Errors
    /// What the system says of the call itself.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        either!(&self.socket,
            simulated: |socket| calls::take_error(socket.handle()),
            real: |socket| socket.get_ref().take_error(),
        )
    }

    // Bytes

    /// Reads without taking: what is returned is there for the next read. 0 is the end of the stream.
    ///
    /// # Errors
    /// As reading.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is taken.
    #[track_caller]
    pub fn peek<'a>(&'a self, buffer: &'a mut [u8]) -> Receive<'a, net::TcpStream> {
        Receive::new(&self.socket, buffer, &PEEK_CALL)
    }

    /// Waits until a read would not wait: there are bytes, or the end, or an error.
    ///
    /// It may be a false alarm: [`TcpStream::try_read`] says.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Cancel safety
    /// Cancel safe.
    #[track_caller]
    pub fn readable(&self) -> Ready<'_, net::TcpStream> {
        Ready::readable(&self.socket)
    }

    /// Waits until a write would not wait: there is room, or an error.
    ///
    /// It may be a false alarm: [`TcpStream::try_write`] says.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Cancel safety
    /// Cancel safe.
    #[track_caller]
    pub fn writable(&self) -> Ready<'_, net::TcpStream> {
        Ready::writable(&self.socket)
    }

    /// Reads what there is, without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing; else as reading.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.try_read(&mut [IoSliceMut::new(buffer)])
    }

    /// Reads what there is into several buffers, without waiting.
    ///
    /// # Errors
    /// As [`TcpStream::try_read`].
    pub fn try_read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.socket.try_read(buffers)
    }

    /// Writes as much as there is room for, without waiting.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; else as writing.
    pub fn try_write(&self, data: &[u8]) -> io::Result<usize> {
        self.socket.try_write(&[IoSlice::new(data)])
    }

    /// Writes as much as there is room for from several buffers, without waiting.
    ///
    /// # Errors
    /// As [`TcpStream::try_write`].
    pub fn try_write_vectored(&self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket.try_write(data)
    }

    /// Ends writing, reading or both. After the end of writing, the other side reads what was written and
    /// then its end.
    ///
    /// What is shut already stays so, also when the connection is gone: that is no error.
    ///
    /// # Errors
    /// What the system says.
    pub fn shutdown(&self, how: net::Shutdown) -> io::Result<()> {
        lenient(either!(&self.socket,
            simulated: |socket| calls::stream_shutdown(socket.handle(), shutdown_of_call(how)),
            real: |socket| socket.get_ref().shutdown(how),
        ))
    }

    // Halves

    /// Splits it into halves that borrow it, to read and write at once in one task.
    pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        split::borrowed(self)
    }

    /// Splits it into halves for two tasks. Dropping the write half ends writing, and the connection is closed
    /// when both are gone.
    #[must_use = "dropping both halves closes the connection"]
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        split::owned(self)
    }
}

impl StreamCalls for TcpStream {
    fn poll_take(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_read(context, buffers)
    }

    fn poll_give(
        &self,
        context: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_write(context, data)
    }

    fn poll_end(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_end(context, || self.shut_writing())
    }

    fn shut_writing(&self) -> io::Result<()> {
        self.shutdown(net::Shutdown::Write)
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(formatter)
    }
}

/// Future of [`TcpStream::connect`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Connect {
    candidates: Candidates,
    attempt: Option<Attempt>,
    backend: Backend,
    at: &'static Location<'static>,
}

impl Future for Connect {
    type Output = io::Result<TcpStream>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (backend, at) = (self.backend, self.at);
        loop {
            if let Some(attempt) = &mut self.attempt {
                let end = ready!(attempt.poll(context));
                self.attempt = None;
                match end {
                    Ok(stream) => return Poll::Ready(Ok(stream)),
                    Err(error) => self.candidates.failed(error),
                }
            }
            let address = ready!(self.candidates.poll_next(context, at))?;
            let begun = on!(backend,
                simulation: unconnected::connect(address, at).map(Socket::from),
                real: real::begin_connect(address).map(Socket::Real),
            );
            match begun {
                Ok(socket) => self.attempt = Some(Attempt::new(socket, at)),
                Err(error) => self.candidates.failed(error),
            }
        }
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { candidates, at, .. } = self;
        write!(formatter, "connect at {}:{}: {candidates:?}", at.file(), at.line())
    }
}

/// A connect to one address that has begun. Dropping it closes its socket.
#[derive(Debug)]
pub(super) struct Attempt {
    /// None when it has ended.
    socket: Option<Socket<net::TcpStream>>,
    point: Point,
    at: &'static Location<'static>,
}

impl Attempt {
    pub(super) fn new(socket: Socket<net::TcpStream>, at: &'static Location<'static>) -> Self {
        Self { socket: Some(socket), point: Point::new(), at }
    }

    /// Waits until the connection is made or has failed.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        let Self { socket, point, at } = self;
        let own = socket.as_ref().expect("an attempt is not polled again when it has ended");
        let end = either!(own,
            simulated: |socket| {
                socket.poll(point, (&CONNECT, *at), context, calls::tcp_poll_connected)
            },
            real: |socket| {
                let _ = (point, at);
                poll_connected(socket, context)
            },
        );
        ready!(end)?;
        Poll::Ready(Ok(TcpStream::new(socket.take().expect("it has not ended before"))))
    }
}

#[cfg(feature = "real")]
fn poll_connected(
    socket: &async_io::Async<net::TcpStream>,
    context: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    ready!(socket.poll_writable(context))?;
    let failure = socket.get_ref().take_error()?;
    Poll::Ready(failure.map_or(Ok(()), Err))
}

static PEEK_CALL: ReceiveCall<net::TcpStream, usize> = receive_call!(&PEEK,
    simulated: |handle, waker, buffer| {
        calls::stream_poll_read(handle, waker, &mut [IoSliceMut::new(buffer)], Take::Peek)
    },
    real: net::TcpStream::peek,
);

#[cfg(feature = "simulation")]
static CONNECT: Verb = Verb::new("connect", Access::Write);
