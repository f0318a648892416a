//! What goes wrong with supervisors and their children.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::actor::ExitReason;

/// A specification that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecError {
    /// Two children have one name.
    NameTaken {
        /// The name.
        name: String,
    },
    /// A permanent child is always restarted, so its end can mean nothing.
    SignificantPermanent {
        /// The child.
        name: String,
    },
    /// A child is significant, and the supervisor never ends with its children.
    SignificantInVain {
        /// The child.
        name: String,
    },
}

impl fmt::Display for SpecError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameTaken { name } => write!(formatter, "there is a child `{name}` already"),
            Self::SignificantPermanent { name } => {
                write!(formatter, "`{name}` is permanent, so it cannot be significant")
            }
            Self::SignificantInVain { name } => {
                write!(
                    formatter,
                    "`{name}` is significant under a supervisor without auto-shutdown"
                )
            }
        }
    }
}

impl Error for SpecError {}

/// Why a supervisor did not start, or gave up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SupervisorError {
    /// Its specification makes no sense. Nothing was started.
    Spec(SpecError),
    /// The `start` of a child failed when the supervisor was started. Those before it were stopped.
    Child {
        /// The child.
        name: String,
        /// Why.
        reason: ExitReason,
    },
    /// Its children failed too often. All were stopped.
    TooManyRestarts {
        /// The last child that failed.
        name: String,
        /// How.
        reason: ExitReason,
        /// So many restarts are allowed ...
        limit: usize,
        /// ... in this time.
        period: Duration,
    },
    /// It was stopped, killed, or ended with its significant children, before all had started.
    Ended(ExitReason),
}

impl fmt::Display for SupervisorError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec(_) => formatter.write_str("the specification makes no sense"),
            Self::Child { name, reason } => {
                write!(formatter, "the child `{name}` did not start: {reason}")
            }
            Self::TooManyRestarts { name, reason, limit, period } => write!(
                formatter,
                "more than {limit} restarts in {period:?}, the last of `{name}`: {reason}"
            ),
            Self::Ended(reason) => write!(formatter, "it ended before all had started: {reason}"),
        }
    }
}

impl Error for SupervisorError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Spec(error) => Some(error),
            Self::Child { .. } | Self::TooManyRestarts { .. } | Self::Ended(_) => None,
        }
    }
}

impl From<SpecError> for SupervisorError {
    fn from(error: SpecError) -> Self {
        Self::Spec(error)
    }
}

/// Why a supervisor did not do what was asked of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ChildError {
    /// It has no such child.
    Unknown,
    /// The child runs.
    Running,
    /// The child is about to be started anyway.
    Restarting,
    /// The specification makes no sense here.
    Spec(SpecError),
    /// There are as many children as there may be.
    TooMany {
        /// So many.
        limit: usize,
    },
    /// The `start` of the child failed.
    Start(ExitReason),
    /// The child is not needed: its specification had no arguments for it.
    NotNeeded,
    /// The child was stopped before it had started.
    Stopped,
    /// The supervisor ends, or has ended.
    Ending,
}

impl fmt::Display for ChildError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => formatter.write_str("the supervisor has no such child"),
            Self::Running => formatter.write_str("the child runs"),
            Self::Restarting => formatter.write_str("the child is about to be started"),
            Self::Spec(_) => formatter.write_str("the specification makes no sense"),
            Self::TooMany { limit } => write!(formatter, "there are {limit} children already"),
            Self::Start(reason) => write!(formatter, "the child did not start: {reason}"),
            Self::NotNeeded => formatter.write_str("the child is not needed"),
            Self::Stopped => formatter.write_str("the child was stopped before it had started"),
            Self::Ending => formatter.write_str("the supervisor ends"),
        }
    }
}

impl Error for ChildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Spec(error) => Some(error),
            Self::Unknown
            | Self::Running
            | Self::Restarting
            | Self::TooMany { .. }
            | Self::Start(_)
            | Self::NotNeeded
            | Self::Stopped
            | Self::Ending => None,
        }
    }
}
