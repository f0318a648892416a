//! Why the command could not do its work.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use parcae::corpus::CorpusError;
use parcae::explore::{CheckError, ConfigError, ReplayError};
use parcae::harness::{EnvironmentError, KeepingError};
use parcae::report::SaveError;

use crate::exit::Exit;
use crate::merged::MergeError;

/// Why the command could not do its work; a failing seed is none of these.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// Options that exclude each other or leave nothing to do.
    Config(ConfigError),
    /// More seeds than there are numbers.
    SeedsBeyondTheLast { first: u64, count: u64 },
    /// A check that cannot be carried out.
    Check(CheckError),
    /// Variables that say no shard, or not what is done with stored worlds.
    Environment(EnvironmentError),
    /// Stored worlds that cannot be read, written or run.
    Keeping(KeepingError),
    /// A folder of stored worlds that is not there.
    NoCorpus { folder: PathBuf },
    /// Results that cannot be read.
    Results { path: PathBuf, error: io::Error },
    /// Results that are none, or do not belong together.
    Merge(MergeError),
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
            Self::Check(CheckError::NoThread(_))
            | Self::Replay(ReplayError::NoThread(_))
            | Self::Keeping(
                KeepingError::Corpus(CorpusError::Folder { .. } | CorpusError::File { .. })
                | KeepingError::Replay(ReplayError::NoThread(_)),
            ) => Exit::Infrastructure,
            #[cfg(target_os = "linux")]
            Self::Check(CheckError::NoProcess(_))
            | Self::Replay(ReplayError::NoProcess(_))
            | Self::Keeping(KeepingError::Replay(ReplayError::NoProcess(_))) => {
                Exit::Infrastructure
            }
            Self::Output(_)
            | Self::Save(_)
            | Self::Signals(_)
            | Self::Watch(_)
            | Self::Panicked => Exit::Infrastructure,
            Self::Config(_)
            | Self::SeedsBeyondTheLast { .. }
            | Self::Check(_)
            | Self::Environment(_)
            | Self::Keeping(_)
            | Self::NoCorpus { .. }
            | Self::Results { .. }
            | Self::Merge(_)
            | Self::Replay(_) => Exit::Usage,
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
            Self::Environment(error) => error.fmt(formatter),
            Self::Keeping(error) => error.fmt(formatter),
            Self::NoCorpus { folder } => {
                write!(formatter, "--folder {}: there is no such folder", folder.display())
            }
            Self::Results { path, .. } => write!(formatter, "{} cannot be read", path.display()),
            Self::Merge(error) => error.fmt(formatter),
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
            Self::Output(error)
            | Self::Signals(error)
            | Self::Watch(error)
            | Self::Results { error, .. } => Some(error),
            Self::Save(error) => Some(error),
            // Shown in full by `Display`.
            Self::Config(_)
            | Self::SeedsBeyondTheLast { .. }
            | Self::Environment(_)
            | Self::Keeping(_)
            | Self::NoCorpus { .. }
            | Self::Merge(_)
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

impl From<EnvironmentError> for CommandError {
    fn from(error: EnvironmentError) -> Self {
        Self::Environment(error)
    }
}

impl From<KeepingError> for CommandError {
    fn from(error: KeepingError) -> Self {
        Self::Keeping(error)
    }
}

impl From<CorpusError> for CommandError {
    fn from(error: CorpusError) -> Self {
        Self::Keeping(KeepingError::Corpus(error))
    }
}

impl From<MergeError> for CommandError {
    fn from(error: MergeError) -> Self {
        Self::Merge(error)
    }
}
