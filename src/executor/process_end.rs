//! How the process of a run ends when the run does not.

use std::fmt;
use std::time::Duration;

/// How a process ended that was running one seed, before the run was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessEnd {
    /// By a signal: 6 is that of `abort`, as from a panic inside of a destructor; 11 an invalid address.
    Signal {
        /// Its number.
        number: i32,
    },
    /// The program called `exit`.
    Exit {
        /// The code.
        code: i32,
    },
    /// A stack overflow.
    StackOverflow,
    /// An allocation failed at the limit of memory.
    OutOfMemory {
        /// The limit in bytes beyond what the process has at the start of the run.
        limit_bytes: u64,
    },
    /// It was ended because it had run for too long in real time, as a task that spins inside of one
    /// poll does.
    Stuck {
        /// The limit.
        limit: Duration,
    },
}

impl ProcessEnd {
    /// Returns the kind in a few words, as reports and tokens name it.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Signal { .. } => "abort",
            Self::Exit { .. } => "exit",
            Self::StackOverflow => "stack overflow",
            Self::OutOfMemory { .. } => "out of memory",
            Self::Stuck { .. } => "stuck",
        }
    }
}

impl fmt::Display for ProcessEnd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal { number } => {
                write!(formatter, "abort: signal {number} ended the process")
            }
            Self::Exit { code } => {
                write!(formatter, "exit: the program ended its process with code {code}")
            }
            Self::StackOverflow => formatter.write_str("stack overflow"),
            Self::OutOfMemory { limit_bytes } => {
                write!(
                    formatter,
                    "out of memory: an allocation failed, the limit is {limit_bytes} bytes"
                )
            }
            Self::Stuck { limit } => {
                write!(formatter, "stuck: the run was not over after {limit:?} of real time")
            }
        }
    }
}
