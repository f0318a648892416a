//! How operations fail.

pub(super) mod broadcast;
mod channel;
pub(super) mod oneshot;
pub(super) mod watch;

pub use channel::SendError;

use std::error::Error;
use std::fmt;

/// A queue was closed; this is the item that [`super::Queue::put`] did not put.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PutError<T>(pub T);

impl<T> PutError<T> {
    /// Returns the item.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PutError(..)")
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(CLOSED)
    }
}

impl<T> Error for PutError<T> {}

/// Why [`super::Queue::try_put`] did not put the item, and the item.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryPutError<T> {
    /// There is no place for it, or others wait for one.
    Full(T),
    /// The queue was closed.
    Closed(T),
}

impl<T> TryPutError<T> {
    /// Returns the item.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(item) | Self::Closed(item) => item,
        }
    }
}

impl<T> fmt::Debug for TryPutError<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for TryPutError<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Full(_) => "the queue is full",
            Self::Closed(_) => CLOSED,
        })
    }
}

impl<T> Error for TryPutError<T> {}

/// Why [`super::Queue::get`] did not get an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GetError {
    /// The queue was closed and every item has been taken.
    Closed,
}

impl fmt::Display for GetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => formatter.write_str(DRAINED),
        }
    }
}

impl Error for GetError {}

/// Why [`super::Queue::try_get`] did not get an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryGetError {
    /// There is no item but for those that wait already.
    Empty,
    /// The queue was closed and every item has been taken.
    Closed,
}

impl fmt::Display for TryGetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "the queue is empty",
            Self::Closed => DRAINED,
        })
    }
}

impl Error for TryGetError {}

/// Why [`super::Semaphore::acquire`] did not acquire a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcquireError {
    /// The semaphore was closed.
    Closed,
}

impl fmt::Display for AcquireError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => formatter.write_str(SEMAPHORE_CLOSED),
        }
    }
}

impl Error for AcquireError {}

/// Why [`super::Semaphore::try_acquire`] did not acquire a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryAcquireError {
    /// There are not enough permits, but for those that others wait for.
    NoPermits,
    /// The semaphore was closed.
    Closed,
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoPermits => "the semaphore has no permits left",
            Self::Closed => SEMAPHORE_CLOSED,
        })
    }
}

impl Error for TryAcquireError {}

/// Why [`super::Barrier::wait`] did not wait until all were there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BarrierError {
    /// The barrier was broken by [`super::Barrier::abort`].
    Broken,
    /// The barrier was emptied by [`super::Barrier::reset`] while this waited.
    Reset,
}

impl fmt::Display for BarrierError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Broken => "the barrier is broken",
            Self::Reset => "the barrier was reset",
        })
    }
}

impl Error for BarrierError {}

/// Why [`super::OnceCell::set`] did not set the value, and the value.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetError<T> {
    /// There is a value already.
    AlreadySet(T),
    /// An initialiser is at work, or is next.
    Initialising(T),
}

impl<T> SetError<T> {
    /// Returns the value.
    pub fn into_inner(self) -> T {
        match self {
            Self::AlreadySet(value) | Self::Initialising(value) => value,
        }
    }
}

impl<T> fmt::Debug for SetError<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AlreadySet(_) => "AlreadySet(..)",
            Self::Initialising(_) => "Initialising(..)",
        })
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AlreadySet(_) => "the cell has a value already",
            Self::Initialising(_) => "the cell is being initialised",
        })
    }
}

impl<T> Error for SetError<T> {}

const CLOSED: &str = "the queue is closed";
const DRAINED: &str = "the queue is closed and every item has been taken";
const SEMAPHORE_CLOSED: &str = "the semaphore is closed";
