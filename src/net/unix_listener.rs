//! A socket that accepts connections of its own machine.

use std::fmt;
use std::future::Future;
use std::io;
use std::os::unix::net;
#[cfg(feature = "simulation")]
use std::panic::Location;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_lite::Stream;

use super::operation::Operation;
#[cfg(feature = "real")]
use super::real;
#[cfg(feature = "simulation")]
use super::simulated::{Kind, SimulatedSocket};
use super::socket::{Side, Socket, either};
use super::tcp_listener::{ACCEPT, BACKLOG};
use super::unix_address::UnixAddress;
#[cfg(feature = "simulation")]
use super::unix_address::checked;
use super::unix_stream::UnixStream;
use crate::backend::on;
use crate::context::{self, Backend};
#[cfg(feature = "simulation")]
use crate::world::calls;

/// Accepts connections of its own machine, at a path.
///
/// The path is a file, which stays when the listener is dropped: whoever connects then is refused, and
/// nobody can bind there before it is removed ([`unix_remove`]). In a simulation each machine has paths of
/// its own, which are no files; they outlive its process and its power.
///
/// # Examples
/// ```
/// # #[cfg(feature = "real")]
/// # parcae::real::run(async {
/// use parcae::net::{UnixListener, UnixStream, unix_remove};
///
/// let path = std::env::temp_dir().join(format!("parcae-doc-{}.socket", std::process::id()));
/// let listener = UnixListener::bind(&path)?;
/// let client = UnixStream::connect(&path).await?;
/// let (_server, address) = listener.accept().await?;
/// assert!(address.is_unnamed());
/// assert_eq!(client.peer_addr()?.path(), Some(&*path));
/// unix_remove(&path)?;
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
pub struct UnixListener {
    socket: Socket<net::UnixListener>,
}

impl UnixListener {
    /// Listens at a path, with a queue of 1024.
    ///
    /// # Errors
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) when the path exists; what the system says of the folder.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::listen(context::backend("UnixListener::bind"), path.as_ref(), BACKLOG)
    }

    /// As [`UnixListener::bind`], with a queue for connections that nobody has accepted yet: one more than
    /// `backlog` fit in, and whoever connects then waits.
    ///
    /// # Errors
    /// As [`UnixListener::bind`].
    ///
    /// # Panics
    /// As [`UnixListener::bind`].
    #[track_caller]
    pub fn bind_with_backlog(path: impl AsRef<Path>, backlog: u32) -> io::Result<Self> {
        Self::listen(context::backend("UnixListener::bind_with_backlog"), path.as_ref(), backlog)
    }

    #[track_caller]
    fn listen(backend: Backend, path: &Path, backlog: u32) -> io::Result<Self> {
        let socket = on!(backend,
            simulation: {
                let handle = calls::unix_listen(checked(path)?, backlog)?;
                SimulatedSocket::new(handle, Kind::UnixListener, Location::caller()).into()
            },
            real: Socket::Real(real::unix_listen(path, backlog)?),
        );
        Ok(Self { socket })
    }

    /// Waits for a connection, and returns it with the address of its other end.
    ///
    /// # Errors
    /// What the system says, such as that there are too many open files.
    ///
    /// # Cancel safety
    /// Cancel safe: a connection that was not returned is there for the next call.
    #[track_caller]
    pub fn accept(&self) -> UnixAccept<'_> {
        UnixAccept { operation: Operation::new(&self.socket, Side::Read, &ACCEPT) }
    }

    /// Returns the connections as a stream, which does not end.
    #[track_caller]
    pub fn incoming(&self) -> UnixIncoming<'_> {
        UnixIncoming { operation: Operation::new(&self.socket, Side::Read, &ACCEPT) }
    }

    /// Returns the address that it listens at.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<UnixAddress> {
        either!(&self.socket,
            simulated: |socket| Ok(UnixAddress::at(calls::unix_local_path(socket.handle())?)),
            real: |socket| Ok(UnixAddress::of(&socket.get_ref().local_addr()?)),
        )
    }
}

impl fmt::Debug for UnixListener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(formatter)
    }
}

/// Removes the path of a Unix socket, which stays when the socket is dropped.
///
/// Sockets that are bound there live on, and nobody finds them any more.
///
/// # Errors
/// [`NotFound`](io::ErrorKind::NotFound) when there is no such path; what else the system says.
///
/// # Panics
/// Outside of a parcae runtime.
#[track_caller]
pub fn unix_remove(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref();
    on!(context::backend("parcae::net::unix_remove"),
        simulation: calls::unix_remove(path),
        real: real::unix_remove(path),
    )
}

/// Future of [`UnixListener::accept`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct UnixAccept<'a> {
    operation: Operation<'a, net::UnixListener>,
}

impl Future for UnixAccept<'_> {
    type Output = io::Result<(UnixStream, UnixAddress)>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        poll_accept(&mut self.operation, context)
    }
}

/// Stream of [`UnixListener::incoming`].
#[derive(Debug)]
#[must_use = "streams do nothing unless you poll them"]
pub struct UnixIncoming<'a> {
    operation: Operation<'a, net::UnixListener>,
}

impl Stream for UnixIncoming<'_> {
    type Item = io::Result<UnixStream>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<UnixStream>>> {
        let accepted = ready!(poll_accept(&mut self.operation, context));
        Poll::Ready(Some(accepted.map(|(stream, _)| stream)))
    }
}

fn poll_accept(
    operation: &mut Operation<'_, net::UnixListener>,
    context: &mut Context<'_>,
) -> Poll<io::Result<(UnixStream, UnixAddress)>> {
    let (socket, address) = either!(operation.socket,
        simulated: |socket| {
            let at = operation.at;
            let polled = operation.poll_simulated(socket, context, calls::unix_poll_accept);
            let handle = ready!(polled)?;
            // Whoever connects has no path: one that has can only listen.
            let socket = SimulatedSocket::new(handle, Kind::UnixStream, at);
            (socket.into(), UnixAddress::UNNAMED)
        },
        real: |socket| {
            let polled = operation.poll_system(socket, context, net::UnixListener::accept);
            let (stream, address) = ready!(polled)?;
            (Socket::Real(real::adopt(stream)?), UnixAddress::of(&address))
        },
    );
    Poll::Ready(Ok((UnixStream::new(socket), address)))
}
