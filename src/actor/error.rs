//! What goes wrong between actors.

use std::any::type_name;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::exit::ExitReason;

/// An error that ended an actor, as text: the error itself may be `!Send`.
///
/// Any error becomes one through `?`, in an actor with `type Error = Crash`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    text: Arc<str>,
    kind: &'static str,
}

impl Crash {
    /// Makes one of words alone.
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self { text: text.into(), kind: "Crash" }
    }

    /// Returns what the error said.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the name of the error's type.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }
}

// `Crash` itself is no `Error`, or this would be a second conversion into itself.
impl<E: Error> From<E> for Crash {
    fn from(error: E) -> Self {
        Self { text: error.to_string().into(), kind: type_name::<E>() }
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// A message was not sent; it comes back.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TellError<M> {
    /// The mailbox has no place for it.
    Full(M),
    /// The actor takes no more messages, or has ended.
    Closed {
        /// The message.
        message: M,
        /// Why the actor has ended, if it has.
        reason: Option<ExitReason>,
    },
    /// The actor is on another machine, and its protocol has no messages of this type.
    NotRemote(M),
    /// The actor is on another machine, and the message does not fit into a frame. Sizes are in bytes.
    TooLarge {
        /// The message.
        message: M,
        /// How long its frame would be.
        size: usize,
        /// How long it may be.
        limit: usize,
    },
}

impl<M> TellError<M> {
    /// Returns the message.
    pub fn into_message(self) -> M {
        match self {
            Self::Full(message)
            | Self::Closed { message, .. }
            | Self::NotRemote(message)
            | Self::TooLarge { message, .. } => message,
        }
    }

    /// What it is for whoever asked.
    pub(crate) fn for_ask(&self) -> AskError {
        match self {
            Self::Full(_) => AskError::Full,
            Self::Closed { reason: Some(ExitReason::NodeDown), .. } => AskError::NodeDown,
            Self::Closed { .. } => AskError::NoProc,
            Self::NotRemote(_) => AskError::NotRemote,
            Self::TooLarge { size, limit, .. } => {
                AskError::Refused(format!("{size} bytes, where {limit} fit into a frame").into())
            }
        }
    }
}

// Not derived: what cannot be printed can be sent nevertheless.
impl<M> fmt::Debug for TellError<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TellError({self})")
    }
}

impl<M> fmt::Display for TellError<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => formatter.write_str("the mailbox is full"),
            Self::Closed { reason: Some(reason), .. } => {
                write!(formatter, "the actor has ended: {reason}")
            }
            Self::Closed { reason: None, .. } => {
                formatter.write_str("the actor takes no more messages")
            }
            Self::NotRemote(_) => formatter.write_str("the protocol has no such message"),
            Self::TooLarge { size, limit, .. } => {
                write!(formatter, "a frame of {size} bytes is longer than the limit of {limit}")
            }
        }
    }
}

impl<M> Error for TellError<M> {}

/// An ask was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AskError {
    /// There was no such actor any more: it never got the message.
    NoProc,
    /// The actor ended before it answered.
    Died(ExitReason),
    /// The mailbox had no place, or dropped the message.
    Full,
    /// The answer did not come in time.
    Timeout {
        /// How long was waited.
        after: Duration,
    },
    /// The actor dropped the right to answer.
    Dropped,
    /// The machine of the actor is gone, or cannot be reached.
    NodeDown,
    /// The actor is on another machine, and its protocol has no messages of this type.
    NotRemote,
    /// The other machine refused it.
    Refused(Cow<'static, str>),
}

impl fmt::Display for AskError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProc => formatter.write_str("there is no such actor"),
            Self::Died(reason) => write!(formatter, "the actor ended before it answered: {reason}"),
            Self::Full => formatter.write_str("the mailbox had no place"),
            Self::Timeout { after } => write!(formatter, "no answer within {after:?}"),
            Self::Dropped => formatter.write_str("the actor dropped the question"),
            Self::NodeDown => formatter.write_str("the machine of the actor is gone"),
            Self::NotRemote => formatter.write_str("the protocol has no such message"),
            Self::Refused(words) => write!(formatter, "the other machine refused it: {words}"),
        }
    }
}

impl Error for AskError {}

/// A name has an actor already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameTaken {
    /// Which.
    pub name: Cow<'static, str>,
}

impl fmt::Display for NameTaken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the name `{}` is taken", self.name)
    }
}

impl Error for NameTaken {}

/// An actor could not be started.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// Its name is taken.
    NameTaken(NameTaken),
    /// It ended before it had started.
    Ended(ExitReason),
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameTaken(error) => error.fmt(formatter),
            Self::Ended(reason) => write!(formatter, "the actor ended at its start: {reason}"),
        }
    }
}

impl Error for StartError {}

impl From<NameTaken> for StartError {
    fn from(error: NameTaken) -> Self {
        Self::NameTaken(error)
    }
}
