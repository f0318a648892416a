//! Why a connection fails.

use std::{error, fmt};

/// Why a connection, or one call of it, failed. The names are those of the codes of Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum TcpError {
    /// `ECONNREFUSED`: nobody listens there.
    Refused,
    /// `ECONNRESET`: the peer sent a RST.
    Reset,
    /// `EPIPE`: this end may not write any more, or the peer has closed and sent a RST.
    BrokenPipe,
    /// `ETIMEDOUT`: the peer did not answer.
    TimedOut,
    /// `EHOSTUNREACH`: there is no way to the peer.
    Unreachable,
    /// `ENOTCONN`: both sides are closed.
    NotConnected,
}

impl fmt::Display for TcpError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Refused => "nobody listens there",
            Self::Reset => "the peer has reset the connection",
            Self::BrokenPipe => "the connection is closed for writing",
            Self::TimedOut => "the peer does not answer",
            Self::Unreachable => "there is no way to the peer",
            Self::NotConnected => "the connection is closed",
        })
    }
}

impl error::Error for TcpError {}
