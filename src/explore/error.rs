//! Why a check cannot be carried out.

use std::error::Error;
use std::fmt;

#[cfg(target_os = "linux")]
use super::fork::NoProcess;
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
    /// The machine gives no process, or this executable does not come to the check when it is started
    /// again.
    #[cfg(target_os = "linux")]
    NoProcess(NoProcess),
}

impl fmt::Display for CheckError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(formatter),
            Self::NoThread(error) => error.fmt(formatter),
            #[cfg(target_os = "linux")]
            Self::NoProcess(error) => error.fmt(formatter),
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

#[cfg(target_os = "linux")]
impl From<NoProcess> for CheckError {
    fn from(error: NoProcess) -> Self {
        Self::NoProcess(error)
    }
}
