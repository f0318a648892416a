//! Why a runtime does not begin, and why a program gives no output.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use super::outcome::TaskFailure;
use crate::task::CancelReason;

/// Why a program on real time gave no output.
///
/// `Debug` prints what `Display` does, and the cause: it is what `main` shows when it returns this.
#[non_exhaustive]
pub enum RunError {
    /// The runtime did not begin.
    Start(StartError),
    /// The program panicked.
    Program(TaskFailure),
    /// A task panicked or failed, and nobody observed it.
    Task(TaskFailure),
    /// The program was asked to end, and did not within its grace.
    Overdue {
        /// What it was asked to end for.
        reason: CancelReason,
        /// How long it had.
        grace: Duration,
    },
    /// The program was asked to end, and a second signal did not let it.
    Interrupted {
        /// What it was asked to end for.
        reason: CancelReason,
    },
}

impl fmt::Display for RunError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => error.fmt(formatter),
            Self::Program(failure) => failure.fmt(formatter),
            Self::Task(failure) => write!(formatter, "{failure}, and nobody observed it"),
            Self::Overdue { reason, grace } => write!(
                formatter,
                "the program was asked to end ({reason}) and did not within {grace:?}"
            ),
            Self::Interrupted { reason } => write!(
                formatter,
                "the program was asked to end ({reason}) and was cut short by a second signal"
            ),
        }
    }
}

impl fmt::Debug for RunError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)?;
        let Some(cause) = self.source() else { return Ok(()) };
        write!(formatter, ": {cause}")
    }
}

impl Error for RunError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Start(error) => error.source(),
            Self::Program(_) | Self::Task(_) | Self::Overdue { .. } | Self::Interrupted { .. } => {
                None
            }
        }
    }
}

impl From<StartError> for RunError {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}

/// Why a runtime did not begin.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// No worker was asked for.
    NoWorkers,
    /// A thread could not be made.
    Thread {
        /// Index of the worker that it was for.
        worker: usize,
        /// What the system said.
        error: io::Error,
    },
    /// Signals cannot be received.
    Signals(io::Error),
    /// The operating system gave no seed.
    Seed(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWorkers => {
                formatter.write_str("a runtime without workers runs nothing: ask for 1 or more")
            }
            Self::Thread { worker, .. } => write!(formatter, "no thread for worker {worker}"),
            Self::Signals(_) => formatter.write_str("signals cannot be received"),
            Self::Seed(_) => formatter.write_str("the operating system gives no random seed"),
        }
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoWorkers => None,
            Self::Thread { error, .. } | Self::Signals(error) | Self::Seed(error) => Some(error),
        }
    }
}
