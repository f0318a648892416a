//! Kernels of machines: sockets, ports, pipes, names.
//!
//! A socket belongs to one process of a machine, its [`Owner`]. It may not know links.

mod chunk;
mod connection;
mod death;
mod errors;
mod listener;
mod names;
mod netstat;
mod pipe;
mod ports;
mod readiness;
mod resolver;
mod table;
mod tcp_calls;
mod tcp_events;
mod udp;
mod udp_calls;
mod udp_events;
mod unix;
mod unix_datagram;
mod unix_paths;
mod unix_stream;

pub(crate) use self::chunk::{ChunkPool, ChunkRange};
pub use self::names::{NameBuilder, NameError};
pub use self::netstat::{ConnectionRow, DatagramRow, ListenerRow, Netstat};
pub(crate) use self::ports::{Bound, Family, PortTable, Protocol};
pub(crate) use self::readiness::Waiters;
pub(crate) use self::resolver::PHRASES as RESOLVER_PHRASES;
pub(crate) use self::resolver::{LookupKey, Resolver};
pub(crate) use self::table::{Outside, Owner, Socket, SocketKey, Sockets};
pub(crate) use self::udp::Udp;
pub(crate) use self::unix_datagram::UnixDatagram;
pub(crate) use self::unix_paths::UnixPaths;
pub(crate) use self::unix_stream::{UnixListener, UnixStream};
