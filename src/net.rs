//! Sockets: TCP, UDP and Unix domain, and names.
//!
//! One set of types for both backends. On real time they are sockets of the operating system; in a simulation
//! they are sockets of simulated machines ([`crate::world`]), with the verdicts of a Linux kernel. Names
//! and semantics follow tokio's, so most programs change an import.
//!
//! ```
//! # #[cfg(feature = "simulation")]
//! # fn main() {
//! use futures_lite::{AsyncReadExt, AsyncWriteExt};
//! use parcae::net::{TcpListener, TcpStream};
//! use parcae::world;
//!
//! async fn serve() -> std::io::Result<()> {
//!     let listener = TcpListener::bind("[::]:80").await?;
//!     loop {
//!         let (mut stream, _) = listener.accept().await?;
//!         stream.write_all(b"pong").await?;
//!     }
//! }
//!
//! async fn ask() -> std::io::Result<String> {
//!     let mut stream = TcpStream::connect("server:80").await?;
//!     let mut answer = String::new();
//!     stream.read_to_string(&mut answer).await?;
//!     Ok(answer)
//! }
//!
//! # parcae::Sim::new(7).run(|| async {
//! world::node("server").start(serve);
//! assert_eq!(ask().await.unwrap(), "pong");
//! # }).unwrap();
//! # }
//! # #[cfg(not(feature = "simulation"))]
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
//! When not to use them in a simulation: between tasks of one machine, where [`crate::sync::Queue`] needs no
//! bytes; it is as much explored.
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
//! # Determinism
//! What the network does to packets is drawn: how long each takes, and, where it was asked for, whether it is lost,
//! doubled, overtaken or damaged ([`LinkOptions`](crate::world::LinkOptions)). Sockets draw nothing: ports, sequence numbers and
//! the order of whoever waits follow from what was done. A read gives all that is there, a write takes all that
//! there is room for. Each operation that may wait is a scheduling point before it looks at its
//! socket, and a report of a deadlock names it with both ends: ``TcpStream read of `a:32768->b:80` ``.
//!
//! A socket belongs to the machine whose task made it, and another machine's tasks that use it panic. When
//! its process ends, its kernel closes it; what is left of the program gets
//! [`NotConnected`](std::io::ErrorKind::NotConnected), and dropping the socket has no effect.
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
