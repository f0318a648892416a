//! How watching a value fails.

use std::error::Error;
use std::fmt;

/// Why a [`Receiver`](super::super::watch::Receiver) waits no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError {
    /// All senders were dropped, and the last value has been seen.
    Closed,
}

impl fmt::Display for RecvError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => formatter.write_str("the value will not change any more"),
        }
    }
}

impl Error for RecvError {}
