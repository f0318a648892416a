//! Sockets: TCP, UDP and Unix domain, and names.
//!
//! One set of types for both backends. On real time they are sockets of the operating system; names and
//! semantics follow tokio's, so most programs change an import.
//!
//! ```
//! # #[cfg(feature = "real")]
//! # fn main() -> std::io::Result<()> {
//! use futures_lite::{AsyncReadExt, AsyncWriteExt};
//! use parcae::net::{TcpListener, TcpStream};
//!
//! # parcae::real::run(async {
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! let server = parcae::spawn(async move {
//!     let (mut stream, _) = listener.accept().await?;
//!     stream.write_all(b"pong").await
//! });
//! let mut stream = TcpStream::connect(address).await?;
//! let mut answer = String::new();
//! stream.read_to_string(&mut answer).await?;
//! assert_eq!(answer, "pong");
//! server.await
//! # })
//! # }
//! # #[cfg(not(feature = "real"))]
//! # fn main() {}
//! ```
//!
//! | for | type |
//! |---|---|
//! | a stream of bytes to another machine | [`TcpStream`], accepted by a [`TcpListener`] |
//! | options before connecting or listening | [`TcpSocket`] |
//! | datagrams, which may be lost | [`UdpSocket`] |
//! | streams and datagrams within a machine | [`UnixStream`], [`UnixListener`], [`UnixDatagram`] |
//! | reading and writing in two tasks | `split`, `into_split`: [`ReadHalf`], [`OwnedWriteHalf`] and their twins |
//! | addresses of a name | [`lookup_host`] |
//!
//! Streams have the traits of `futures-io`; `futures_lite::{AsyncReadExt, AsyncWriteExt}` has `read`,
//! `write_all` and others for them. With the feature `tokio-io` they have those of tokio, too.
//!
//! # Who waits
//! Methods of `&self` that return futures may be used by any number of tasks at once; each is woken for
//! itself. Through the *traits* one task at a time may read a stream, and one may write it: they keep
//! one waiter for each side, as those of tokio and smol do.
//!
//! # Cancel safety
//! Dropping a future of this module loses nothing: a byte, a datagram, a connection that was not
//! returned is there for the next call. A connect that is dropped closes its socket. `write_all` and
//! `read_exact` of other crates are not cancel safe: they do not say how far they came.
//!
//! # What differs from tokio
//! * [`TcpStream::shutdown`] is no future, and says which side. That the connection is closed
//!   already is no error, as in tokio's trait.
//! * Times of [`TcpStream::set_linger`] are those that were given: no rounding but that of the system.
//! * [`OwnedReadHalf`] and the others are those of both kinds of streams.
//!
//! **Absent on purpose**: raw and packet sockets; ancillary data; abstract Unix addresses; sockets
//! made elsewhere and file descriptors, which a simulation could not have.

mod address;
mod candidates;
mod lookup;
mod operation;
#[cfg(feature = "real")]
mod real;
mod receive;
#[cfg(all(unix, feature = "real"))]
mod retry;
mod send;
#[cfg(feature = "simulation")]
mod simulated;
mod socket;
mod split;
mod stream_traits;
mod tcp_listener;
mod tcp_socket;
mod tcp_stream;
#[cfg(feature = "tokio-io")]
mod tokio_io;
mod udp;
mod udp_futures;
#[cfg(unix)]
mod unix_address;
#[cfg(unix)]
mod unix_datagram;
#[cfg(unix)]
mod unix_listener;
#[cfg(unix)]
mod unix_stream;

pub use std::net::Shutdown;

pub use self::address::ToSocketAddrs;
pub use self::lookup::{LookupHost, lookup_host};
pub use self::operation::Ready;
pub use self::receive::Receive;
pub use self::send::SendDatagram;
pub use self::split::{
    ByteStream, OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf,
};
pub use self::tcp_listener::{Accept, Bind, Incoming, TcpListener};
pub use self::tcp_socket::{ConnectSocket, KeepAlive, TcpSocket};
pub use self::tcp_stream::{Connect, TcpStream};
pub use self::udp::UdpSocket;
pub use self::udp_futures::{UdpBind, UdpConnect, UdpSendTo};
#[cfg(unix)]
pub use self::unix_address::UnixAddress;
#[cfg(unix)]
pub use self::unix_datagram::{UnixDatagram, UnixSendTo};
#[cfg(unix)]
pub use self::unix_listener::{UnixAccept, UnixIncoming, UnixListener, unix_remove};
#[cfg(unix)]
pub use self::unix_stream::{UnixConnect, UnixStream};
