//! How getting a connection fails.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Why [`super::Pool::get`] gave no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GetError<E> {
    /// The pool was closed.
    Closed,
    /// There was none within [`super::PoolBuilder::acquire_timeout`].
    TimedOut {
        /// How long it waited.
        after: Duration,
    },
    /// A connection could not be made, and it was this caller's turn.
    Connect(E),
}

impl<E> fmt::Display for GetError<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => formatter.write_str("the pool is closed"),
            Self::TimedOut { after } => {
                write!(formatter, "there was no connection within {after:?}")
            }
            Self::Connect(_) => formatter.write_str("a connection could not be made"),
        }
    }
}

impl<E: Error + 'static> Error for GetError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Connect(error) => Some(error),
            Self::Closed | Self::TimedOut { .. } => None,
        }
    }
}
