//! Why the command could not do its work.

use std::error::Error;
use std::fmt;
use std::io;

use parcae::explore::{CheckError, ConfigError, ReplayError};
use parcae::report::SaveError;

use crate::exit::Exit;

/// Why the command could not do its work; a failing seed is none of these.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// Options that exclude each other or leave nothing to do.
    Config(ConfigError),
    /// More seeds than there are numbers.
    SeedsBeyondTheLast { first: u64, count: u64 },
    /// A check that cannot be carried out.
    Check(CheckError),
    /// A token given to a program that is not its own, or a replay that cannot be carried out.
    Replay(ReplayError),
    /// The outcome cannot be written to stdout.
    Output(io::Error),
    /// The report cannot be written to its file.
    Save(SaveError),
    /// Signals cannot be caught.
    Signals(io::Error),
    /// There is no thread that watches for signals.
    Watch(io::Error),
    /// The command or the library panicked.
    Panicked,
}

impl CommandError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Check(CheckError::NoThread(_)) | Self::Replay(ReplayError::NoThread(_)) => {
                Exit::Infrastructure
            }
            #[cfg(target_os = "linux")]
            Self::Check(CheckError::NoProcess(_)) | Self::Replay(ReplayError::NoProcess(_)) => {
                Exit::Infrastructure
            }
            Self::Config(_)
            | Self::SeedsBeyondTheLast { .. }
            | Self::Check(_)
            | Self::Replay(_) => Exit::Usage,
            Self::Output(_)
            | Self::Save(_)
            | Self::Signals(_)
            | Self::Watch(_)
            | Self::Panicked => Exit::Infrastructure,
        }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(formatter),
            Self::SeedsBeyondTheLast { first, count } => write!(
                formatter,
                "--seed {first} --seeds {count}: from {first} on there are no more than {}",
                (u64::MAX - first).saturating_add(1)
            ),
            Self::Check(error) => error.fmt(formatter),
            Self::Replay(error) => error.fmt(formatter),
            Self::Output(_) => formatter.write_str("cannot write to stdout"),
            Self::Save(_) => formatter.write_str("the report is not saved"),
            Self::Signals(_) => formatter.write_str("cannot catch Ctrl-C"),
            Self::Watch(_) => formatter.write_str("no thread can be made that watches for Ctrl-C"),
            Self::Panicked => {
                formatter.write_str("the command itself panicked, see above; no seed is to blame")
            }
        }
    }
}

impl Error for CommandError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Output(error) | Self::Signals(error) | Self::Watch(error) => Some(error),
            Self::Save(error) => Some(error),
            // Shown in full by `Display`.
            Self::Config(_)
            | Self::SeedsBeyondTheLast { .. }
            | Self::Check(_)
            | Self::Replay(_)
            | Self::Panicked => None,
        }
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<CheckError> for CommandError {
    fn from(error: CheckError) -> Self {
        Self::Check(error)
    }
}

impl From<ReplayError> for CommandError {
    fn from(error: ReplayError) -> Self {
        Self::Replay(error)
    }
}
