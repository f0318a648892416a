//! Why a log cannot be read.

use std::error::Error;
use std::fmt;

/// Why a log cannot be read, and where: lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogError {
    /// The text has too many bytes.
    TooLarge {
        /// Its bytes.
        size: usize,
        /// How many it may have.
        limit: usize,
    },
    /// Values stand within each other too deep.
    TooDeep {
        /// Where the innermost begins.
        line: usize,
        /// How deep they may go.
        limit: usize,
    },
    /// Something else stands there.
    Expected {
        /// Where.
        line: usize,
        /// What should stand there.
        expected: &'static str,
        /// What does, or how it begins; empty at the end of the text.
        found: String,
    },
    /// An end of what was not invoked.
    NotInvoked {
        /// Where.
        line: usize,
        /// Whose.
        process: u64,
    },
    /// An invocation by a process that has something under way.
    Busy {
        /// Where.
        line: usize,
        /// Whose.
        process: u64,
    },
    /// An event that the object it is about has no meaning for: its function, its value or its key.
    Meaningless {
        /// Where.
        line: usize,
        /// Its function.
        function: String,
    },
}

impl fmt::Display for LogError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { size, limit } => {
                write!(formatter, "the log has {size} bytes, {limit} are the most")
            }
            Self::TooDeep { line, limit } => {
                write!(formatter, "line {line}: values are more than {limit} deep")
            }
            Self::Expected { line, expected, found } if found.is_empty() => {
                write!(formatter, "line {line}: expected {expected}, found the end")
            }
            Self::Expected { line, expected, found } => {
                write!(formatter, "line {line}: expected {expected}, found {found:?}")
            }
            Self::NotInvoked { line, process } => {
                write!(formatter, "line {line}: process {process} ends what it has not invoked")
            }
            Self::Busy { line, process } => {
                write!(formatter, "line {line}: process {process} has something under way")
            }
            Self::Meaningless { line, function } => {
                write!(formatter, "line {line}: function {function:?} with no such value here")
            }
        }
    }
}

impl Error for LogError {}
