//! How receiving from a one-shot channel fails.

use std::error::Error;
use std::fmt;

/// Why a [`Receiver`](super::super::oneshot::Receiver) got no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError {
    /// The sender was dropped and had sent nothing, or the receiver was closed before.
    Abandoned,
}

impl fmt::Display for RecvError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Abandoned => formatter.write_str(ABANDONED),
        }
    }
}

impl Error for RecvError {}

/// Why [`try_recv`](super::super::oneshot::Receiver::try_recv) got no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryRecvError {
    /// Nothing has been sent yet.
    Empty,
    /// Nothing will come: the sender was dropped and had sent nothing, the receiver was closed before,
    /// or it has received the value already.
    Abandoned,
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "nothing has been sent yet",
            Self::Abandoned => ABANDONED,
        })
    }
}

impl Error for TryRecvError {}

const ABANDONED: &str = "the channel was abandoned: nothing will be sent";
