//! Why a corpus cannot be read or written.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::explore::ParseTokenError;

/// A corpus that cannot be read or written.
#[derive(Debug)]
#[non_exhaustive]
pub enum CorpusError {
    /// The folder cannot be made or listed.
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be read, written or removed.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what its name says.
    Format {
        /// Which.
        path: PathBuf,
        /// What is wrong in it.
        problem: FormatError,
    },
}

impl fmt::Display for CorpusError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder { path, source } => {
                write!(formatter, "the corpus folder {} cannot be used: {source}", path.display())
            }
            Self::File { path, source } => {
                write!(formatter, "{} cannot be read or written: {source}", path.display())
            }
            Self::Format { path, problem } => write!(
                formatter,
                "{} is no failing world that can be run: {problem}; restore the file from version \
                 control, or delete it",
                path.display()
            ),
        }
    }
}

impl std::error::Error for CorpusError {}

/// What is wrong in the file of a failing world.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormatError {
    /// The first line is not ours.
    Foreign {
        /// What it is.
        found: String,
        /// What it would be.
        expected: String,
    },
    /// The format is of another version.
    OtherVersion {
        /// Which.
        found: String,
        /// Which one is read here.
        read: &'static str,
    },
    /// A line is not where it belongs.
    Line {
        /// Which, from 1; none if the file ends before it.
        number: Option<usize>,
        /// What it is.
        found: String,
        /// The label that it would have; empty at the end.
        expected: &'static str,
    },
    /// A value cannot be read.
    Value {
        /// Its label.
        label: &'static str,
        /// What it is.
        found: String,
    },
    /// The token cannot be read.
    Token(ParseTokenError),
    /// The token is of another check than the file says.
    OtherCheck {
        /// The check of the token.
        token: String,
        /// The check of the file.
        check: String,
    },
}

impl fmt::Display for FormatError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign { found, expected } => {
                write!(formatter, "it begins with {found:?} and not with {expected:?}")
            }
            Self::OtherVersion { found, read } => write!(
                formatter,
                "it is of format {found}, this parcae reads format {read}: use the parcae that wrote it"
            ),
            Self::Line { number: None, expected, .. } => {
                write!(formatter, "it ends before the line that begins with `{expected}`")
            }
            Self::Line { number: Some(number), found, expected: "" } => {
                write!(formatter, "line {number} is {found:?}, where the file should have ended")
            }
            Self::Line { number: Some(number), found, expected } => write!(
                formatter,
                "line {number} is {found:?}, where one that begins with `{expected}` belongs"
            ),
            Self::Value { label, found } => write!(formatter, "its {label} is {found:?}"),
            Self::Token(error) => error.fmt(formatter),
            Self::OtherCheck { token, check } => write!(
                formatter,
                "its token is of `{token}`, but the file says that it is of `{check}`"
            ),
        }
    }
}

impl std::error::Error for FormatError {}
