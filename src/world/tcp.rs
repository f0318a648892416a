//! One end of a TCP connection, as a machine that does no input or output.
//!
//! Pull-style: a segment, a timer or a call of the application changes it, then `transmit` is asked
//! until it has nothing to send, then `deadline` when it wants to be told of time. It may not know
//! bytes, addresses, the executor, chance or sockets.

mod connection;
mod error;
mod options;
mod segment;

pub(crate) use self::connection::{Connection, Effects, Path, TcpState};
pub(crate) use self::error::TcpError;
pub(crate) use self::options::{KeepAlive, Linger, Shutdown, Tuning};
pub(crate) use self::segment::{Flags, Sack, Segment, reset_for};
