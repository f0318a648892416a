//! Why an actor has ended.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::error::Crash;
use crate::backend;
use crate::ending::TaskPanic;
use crate::kernel::Place;

/// Why an actor has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExitReason {
    /// It was done, or was stopped by whoever had no more use for it.
    Normal,
    /// It was told to shut down, by its parent or supervisor.
    Shutdown,
    /// As `Shutdown`, with words of whoever said so.
    ShutdownFor(Cow<'static, str>),
    /// It was killed: what it did was dropped, and it could say no farewell.
    Killed,
    /// One of its methods returned an error.
    Error(Crash),
    /// One of its methods panicked.
    Panicked {
        /// The message of the panic.
        message: Arc<str>,
        /// Where it panicked.
        place: Option<Place>,
    },
    /// It could not be started.
    StartFailed(Crash),
    /// Its mailbox was full, and it is of those that end then.
    Overflow {
        /// How many messages waited.
        capacity: u32,
    },
    /// There was no such actor: it had ended before it was asked for.
    NoProc,
    /// The machine that it ran on is gone, or cannot be reached.
    NodeDown,
}

impl ExitReason {
    /// Tells whether it ended as somebody planned: normally or by being told to shut down.
    #[must_use]
    pub fn is_planned(&self) -> bool {
        matches!(self, Self::Normal | Self::Shutdown | Self::ShutdownFor(_))
    }

    /// Tells whether it failed by itself: what nobody observes of that fails the run.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(
            self,
            Self::Error(_) | Self::Panicked { .. } | Self::StartFailed(_) | Self::Overflow { .. }
        )
    }

    pub(crate) fn of_panic(panic: &TaskPanic) -> Self {
        let noted = panic.noted();
        Self::Panicked { message: noted.message.into(), place: noted.place }
    }
}

impl fmt::Display for ExitReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => formatter.write_str("normal"),
            Self::Shutdown => formatter.write_str("shutdown"),
            Self::ShutdownFor(words) => write!(formatter, "shutdown: {words}"),
            Self::Killed => formatter.write_str("killed"),
            Self::Error(crash) => write!(formatter, "error: {crash}"),
            Self::Panicked { message, place: Some(place) } => {
                write!(formatter, "panicked at {place}: {message}")
            }
            Self::Panicked { message, place: None } => write!(formatter, "panicked: {message}"),
            Self::StartFailed(crash) => write!(formatter, "could not be started: {crash}"),
            Self::Overflow { capacity } => {
                write!(formatter, "its mailbox of {capacity} messages was full")
            }
            Self::NoProc => formatter.write_str("no such actor"),
            Self::NodeDown => formatter.write_str("its machine is gone"),
        }
    }
}

/// What a task ends with whose actor failed and was observed by nobody.
pub(crate) struct Unobserved(pub(crate) ExitReason);

impl fmt::Debug for Unobserved {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

/// Drops what is of the user's, and tells whoever traces of its panic.
pub(crate) fn drop_caught<T>(value: T) {
    if let Err(panic) = backend::catch_panic(move || drop(value)) {
        tracing::warn!(target: "parcae", message = %panic.message(), "a destructor panicked at the end of an actor");
    }
}
