//! Why a check cannot be carried out.

use std::error::Error;
use std::fmt;

use super::host::NoThread;
use super::sim::ConfigError;

/// Why a check cannot be carried out; a failing seed is none of these.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckError {
    /// An option cannot be.
    Config(ConfigError),
    /// The machine gives no thread, not even to one run at a time.
    NoThread(NoThread),
}

impl fmt::Display for CheckError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(formatter),
            Self::NoThread(error) => error.fmt(formatter),
        }
    }
}

impl Error for CheckError {}

impl From<ConfigError> for CheckError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<NoThread> for CheckError {
    fn from(error: NoThread) -> Self {
        Self::NoThread(error)
    }
}
