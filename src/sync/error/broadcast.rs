//! How receiving from a broadcast fails.

use std::error::Error;
use std::fmt;

/// Why [`recv`](super::super::broadcast::Receiver::recv) got no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError {
    /// All senders were dropped, and every value has been received.
    Closed,
    /// This receiver was too slow: so many values are lost to it. The next call gets the oldest one
    /// that is kept.
    Lagged(u64),
}

impl fmt::Display for RecvError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => formatter.write_str(CLOSED),
            Self::Lagged(count) => lagged(formatter, *count),
        }
    }
}

impl Error for RecvError {}

/// Why [`try_recv`](super::super::broadcast::Receiver::try_recv) got no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryRecvError {
    /// Every value that was sent has been received.
    Empty,
    /// All senders were dropped, and every value has been received.
    Closed,
    /// This receiver was too slow: so many values are lost to it. The next call gets the oldest one
    /// that is kept.
    Lagged(u64),
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("nothing new has been sent"),
            Self::Closed => formatter.write_str(CLOSED),
            Self::Lagged(count) => lagged(formatter, *count),
        }
    }
}

impl Error for TryRecvError {}

fn lagged(formatter: &mut fmt::Formatter<'_>, count: u64) -> fmt::Result {
    write!(formatter, "the receiver was too slow: {count} values are lost to it")
}

const CLOSED: &str = "the channel is closed and every value has been received";
