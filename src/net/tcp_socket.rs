//! A TCP socket that neither listens nor connects yet.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

#[cfg(feature = "real")]
use super::real;
#[cfg(feature = "simulation")]
use super::simulated::unconnected::{
    SimulatedUnconnected, keep_alive_of_call, linger_of_call, size_of_call,
};
#[cfg(feature = "real")]
use super::socket::Socket;
use super::tcp_listener::TcpListener;
use super::tcp_stream::{Attempt, TcpStream};
use crate::backend::on;
use crate::context::{self, Backend};

/// A TCP socket that neither listens nor connects yet: for options that have to be set before.
///
/// **When not to use it**: where no option differs. [`TcpListener::bind`] and [`TcpStream::connect`] know
/// names, and try several addresses.
///
/// # Examples
/// ```
/// # #[cfg(feature = "real")]
/// # parcae::real::run(async {
/// use parcae::net::TcpSocket;
///
/// let socket = TcpSocket::new_v4()?;
/// socket.set_reuseaddr(true)?;
/// socket.bind("127.0.0.1:0".parse().unwrap())?;
/// let listener = socket.listen(16)?;
///
/// let socket = TcpSocket::new_v4()?;
/// socket.bind("127.0.0.2:0".parse().unwrap())?;
/// let stream = socket.connect(listener.local_addr()?).await?;
/// assert_eq!(listener.accept().await?.1, stream.local_addr()?);
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
pub struct TcpSocket {
    socket: Unconnected,
}

enum Unconnected {
    #[cfg(feature = "simulation")]
    Simulated(SimulatedUnconnected),
    #[cfg(feature = "real")]
    Real(socket2::Socket),
}

/// Chooses by the backend: what is done with the simulated socket, or with that of the system.
macro_rules! either {
    ($socket:expr,
        simulated: |$simulated:pat_param| $simulation:expr,
        real: |$of_system:pat_param| $real:expr $(,)?
    ) => {
        match $socket {
            #[cfg(feature = "simulation")]
            Unconnected::Simulated($simulated) => $simulation,
            #[cfg(feature = "real")]
            Unconnected::Real($of_system) => $real,
        }
    };
}

impl TcpSocket {
    /// Makes a socket for IPv4.
    ///
    /// # Errors
    /// What the system says, such as that there are too many open files.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn new_v4() -> io::Result<Self> {
        Self::new(context::backend("TcpSocket::new_v4"), Ipv4Addr::UNSPECIFIED.into())
    }

    /// Makes a socket for IPv6, and for IPv4 unless [`TcpSocket::set_only_v6`].
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn new_v6() -> io::Result<Self> {
        Self::new(context::backend("TcpSocket::new_v6"), Ipv6Addr::UNSPECIFIED.into())
    }

    #[track_caller]
    fn new(backend: Backend, family: IpAddr) -> io::Result<Self> {
        let at = Location::caller();
        let socket = on!(backend,
            simulation: Unconnected::Simulated(SimulatedUnconnected::new(family, at)),
            real: {
                let _ = at;
                Unconnected::Real(real::tcp_socket(family)?)
            },
        );
        Ok(Self { socket })
    }

    // Options

    /// Sets whether its address may be that of connections which are there still, and of other sockets
    /// that do not listen. Default no.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_reuseaddr(&self, reuse: bool) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| socket.set(|options| options.reuse_address = reuse),
            real: |socket| socket.set_reuse_address(reuse),
        )
    }

    /// Sets whether an IPv6 socket leaves IPv4 alone. The default is a setting of the system, as a rule no.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) when it is bound; what else the system says.
    pub fn set_only_v6(&self, only_v6: bool) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| socket.set_only_v6(only_v6),
            real: |socket| socket.set_only_v6(only_v6),
        )
    }

    /// Sets when it is asked whether a peer that says nothing is there still. Default never.
    ///
    /// # Errors
    /// What the system says of the times.
    pub fn set_keepalive(&self, keep_alive: &KeepAlive) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| {
                let asked = keep_alive_of_call(keep_alive)?;
                socket.set(|options| options.keepalive = Some(asked))
            },
            real: |socket| socket.set_tcp_keepalive(&real::keep_alive(keep_alive)),
        )
    }

    /// Sets what a close does with what is not acknowledged; see [`TcpStream::set_linger`].
    ///
    /// # Errors
    /// What the system says.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| socket.set(|options| options.linger = linger_of_call(linger)),
            real: |socket| socket.set_linger(linger),
        )
    }

    /// Sets whether small writes are sent at once; see [`TcpStream::set_nodelay`].
    ///
    /// # Errors
    /// What the system says.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| socket.set(|options| options.nodelay = nodelay),
            real: |socket| socket.set_tcp_nodelay(nodelay),
        )
    }

    /// Sets for how long what was written may stay without acknowledgement until the connection is given
    /// up; in milliseconds, rounded down. Default: about a quarter of an hour.
    ///
    /// # Errors
    /// What the system says.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn set_user_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| socket.set(|options| options.user_timeout = timeout),
            real: |socket| socket.set_tcp_user_timeout(timeout),
        )
    }

    /// Sets how many bytes may be written that are not acknowledged. The system doubles it for its own needs.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_send_buffer_size(&self, size: usize) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| socket.set(|options| options.send_buffer = Some(size_of_call(size))),
            real: |socket| socket.set_send_buffer_size(size),
        )
    }

    /// Sets how many bytes may have come that are not read. The system doubles it for its own needs.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_recv_buffer_size(&self, size: usize) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| socket.set(|options| options.receive_buffer = Some(size_of_call(size))),
            real: |socket| socket.set_recv_buffer_size(size),
        )
    }

    // What becomes of it

    /// Gives it an address.
    ///
    /// # Errors
    /// [`AddrInUse`](io::ErrorKind::AddrInUse); [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable) when
    /// it is not of this machine.
    pub fn bind(&self, address: SocketAddr) -> io::Result<()> {
        either!(&self.socket,
            simulated: |socket| socket.bind(address),
            real: |socket| socket.bind(&address.into()),
        )
    }

    /// Returns its address.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        either!(&self.socket,
            simulated: |socket| socket.local_address(),
            real: |socket| real::local_address(socket),
        )
    }

    /// Connects it.
    ///
    /// # Errors
    /// As [`TcpStream::connect`].
    ///
    /// # Cancel safety
    /// Dropping it closes the socket.
    #[track_caller]
    pub fn connect(self, address: SocketAddr) -> ConnectSocket {
        ConnectSocket { state: ConnectState::Ahead(self.socket, address), at: Location::caller() }
    }

    /// Listens, with a queue for connections that nobody has accepted yet: one more than `backlog` fit in,
    /// and whoever connects then waits.
    ///
    /// # Errors
    /// What the system says.
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        let socket = either!(self.socket,
            simulated: |socket| socket.listen(backlog)?.into(),
            real: |socket| Socket::Real(real::listen_with(socket, backlog)?),
        );
        Ok(TcpListener::new(socket))
    }
}

impl fmt::Debug for TcpSocket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TcpSocket").field("local", &self.local_addr().ok()).finish()
    }
}

/// When a silent peer is asked whether it is there: first after `time`, then each `interval`, until it has not
/// answered `retries` times; then the connection has timed out.
///
/// # Examples
/// ```
/// use parcae::net::KeepAlive;
/// use std::time::Duration;
///
/// let keep_alive = KeepAlive::default().with_time(Duration::from_secs(60));
/// assert_eq!((keep_alive.interval, keep_alive.retries), (Duration::from_secs(75), 9));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeepAlive {
    /// Silence before the first question, in whole seconds. Default 2 hours.
    pub time: Duration,
    /// Time from one question to the next, in whole seconds. Default 75 s.
    pub interval: Duration,
    /// How many questions may stay without an answer. Default 9.
    pub retries: u32,
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self { time: Duration::from_secs(7200), interval: Duration::from_secs(75), retries: 9 }
    }
}

impl KeepAlive {
    /// Sets the silence before the first question.
    #[must_use]
    pub fn with_time(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// Sets the time from one question to the next.
    #[must_use]
    pub fn with_interval(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Sets how many questions may stay without an answer.
    #[must_use]
    pub fn with_retries(self, retries: u32) -> Self {
        Self { retries, ..self }
    }
}

/// Future of [`TcpSocket::connect`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ConnectSocket {
    state: ConnectState,
    at: &'static Location<'static>,
}

enum ConnectState {
    Ahead(Unconnected, SocketAddr),
    Trying(Attempt),
    Ended,
}

impl fmt::Debug for ConnectState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ahead(_, address) => write!(formatter, "to {address}, not begun"),
            Self::Trying(attempt) => attempt.fmt(formatter),
            Self::Ended => formatter.write_str("ended"),
        }
    }
}

impl Future for ConnectSocket {
    type Output = io::Result<TcpStream>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut attempt = match std::mem::replace(&mut self.state, ConnectState::Ended) {
            ConnectState::Ahead(socket, address) => {
                let socket = either!(socket,
                    simulated: |socket| socket.connect(address)?.into(),
                    real: |socket| Socket::Real(real::connect_with(socket, address)?),
                );
                Attempt::new(socket, self.at)
            }
            ConnectState::Trying(attempt) => attempt,
            ConnectState::Ended => panic!("a connect is not polled again when it has ended"),
        };
        let poll = attempt.poll(context);
        if poll.is_pending() {
            self.state = ConnectState::Trying(attempt);
        }
        poll
    }
}
