//! What can go wrong between machines.

use std::error::Error;
use std::{fmt, io};

/// Bytes that are no frame of this protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// The frame is longer than is allowed. Sizes are in bytes.
    TooLarge {
        /// How long it is.
        size: usize,
        /// How long it may be.
        limit: usize,
    },
    /// The other side speaks another version of the protocol.
    Version {
        /// What it speaks.
        found: u8,
        /// What this side speaks.
        supported: u8,
    },
    /// The content is not what it should be.
    Malformed {
        /// Its bytes.
        size: usize,
    },
    /// The frame is not from whom it should be, or was changed, left out or repeated.
    Forged,
    /// The stream ended within a frame.
    CutOff,
}

impl fmt::Display for FrameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { size, limit } => {
                write!(formatter, "a frame of {size} bytes is longer than the limit of {limit}")
            }
            Self::Version { found, supported } => {
                write!(formatter, "version {found} of the protocol, where {supported} is spoken")
            }
            Self::Malformed { size } => write!(formatter, "{size} bytes that are no frame"),
            Self::Forged => formatter.write_str("a frame with a wrong seal"),
            Self::CutOff => formatter.write_str("the stream ended within a frame"),
        }
    }
}

impl Error for FrameError {}

/// Why a machine does not let another one in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// It has not the key.
    WrongKey,
    /// It has the key, and is not on the list of those who may come.
    NotAllowed,
    /// It speaks another version of the protocol.
    WrongVersion,
    /// What it sent is no greeting.
    Malformed,
    /// A connection of it that was begun later is there already.
    Superseded,
    /// There are too many already.
    TooMany,
    /// It says that it is the one that it connects to.
    Oneself,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::WrongKey => "the key is wrong",
            Self::NotAllowed => "the name is not on the list of those allowed",
            Self::WrongVersion => "the version of the protocol is another one",
            Self::Malformed => "the greeting is not as it should be",
            Self::TooMany => "there are too many machines already",
            Self::Superseded => "a later connection is there already",
            Self::Oneself => "the name is that of the machine itself",
        })
    }
}

/// Why there is no connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum LinkError {
    /// What the sockets say.
    Io(io::Error),
    /// What came is no frame.
    Frame(FrameError),
    /// The other side does not let this one in.
    Refused(Refusal),
    /// The other side is not who it should be: it has not the key, or another name.
    NotAuthentic,
    /// The other side did what the protocol has not.
    OutOfTurn,
    /// Nothing came for so long that the failure detector suspects it.
    Silent,
    /// It took too long until both knew each other.
    TooSlow,
    /// The other side closed the connection.
    Closed,
}

impl LinkError {
    /// Says whether another attempt may do better.
    pub(super) fn is_passing(&self) -> bool {
        !matches!(
            self,
            Self::Refused(
                Refusal::WrongKey | Refusal::NotAllowed | Refusal::WrongVersion | Refusal::Oneself
            ) | Self::NotAuthentic
                | Self::Frame(FrameError::Version { .. })
        )
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Io(_) => "the connection failed",
            Self::Frame(_) => "the other side sent what is no frame",
            Self::Refused(_) => "the other side refused",
            Self::NotAuthentic => "the other side is not who it should be",
            Self::OutOfTurn => "the other side did not follow the protocol",
            Self::Silent => "nothing was heard for too long",
            Self::TooSlow => "the greeting took too long",
            Self::Closed => "the other side closed the connection",
        })
    }
}

impl Error for LinkError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Frame(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for LinkError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<FrameError> for LinkError {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

impl From<Refusal> for LinkError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Why a machine does not take part.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// It cannot listen at the address.
    Bind(io::Error),
    /// It takes part under this name already.
    Served,
}

impl fmt::Display for ServeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Bind(_) => "the address cannot be listened at",
            Self::Served => "the machine has a listener of this name already",
        })
    }
}

impl Error for ServeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Bind(error) => Some(error),
            Self::Served => None,
        }
    }
}
