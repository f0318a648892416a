//! The argument of `parcae replay`: a token, or a file that holds one.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io;

use parcae::explore::{ParseTokenError, ReplayToken};

use crate::scenario::{ScenarioProgram, UnknownScenario};

/// A recorded run and the program that it is of.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) token: ReplayToken,
    pub(crate) program: ScenarioProgram,
}

impl Recorded {
    /// Reads a token, or the first token in a file such as a saved report; `@FILE` is accepted as in
    /// `PARCAE_REPLAY`.
    pub(crate) fn parse(text: &str) -> Result<Self, RecordedError> {
        let token = match (text.strip_prefix('@'), looks_like_a_token(text)) {
            (Some(path), _) => read(path)?,
            (None, true) => text.parse().map_err(RecordedError::Token)?,
            (None, false) => read(text)?,
        };
        let program = ScenarioProgram::parse(&token.name).map_err(RecordedError::OfOther)?;
        Ok(Self { token, program })
    }
}

fn looks_like_a_token(text: &str) -> bool {
    let version = text.strip_prefix('v').and_then(|rest| rest.split_once(':'));
    version.is_some_and(|(version, _)| version.bytes().all(|byte| byte.is_ascii_digit()))
}

fn read(path: &str) -> Result<ReplayToken, RecordedError> {
    let content = fs::read_to_string(path)
        .map_err(|error| RecordedError::Unreadable { path: path.to_owned(), error })?;
    ReplayToken::find_in(&content)
        .map_err(|error| RecordedError::InFile { path: path.to_owned(), error })
}

/// An argument that is no recorded run of a scenario here.
#[derive(Debug)]
pub(crate) enum RecordedError {
    /// It looks like a token but is none of this version.
    Token(ParseTokenError),
    /// It is neither a token nor a file that can be read.
    Unreadable { path: String, error: io::Error },
    /// The file holds no token of this version.
    InFile { path: String, error: ParseTokenError },
    /// The token is of a program that is not here.
    OfOther(UnknownScenario),
}

impl fmt::Display for RecordedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(error) => error.fmt(formatter),
            Self::Unreadable { path, error } => write!(
                formatter,
                "neither a replay token (`v1:` and letters, as a report prints it) nor a file that \
                 can be read: {path}: {error}"
            ),
            Self::InFile { path, error } => write!(formatter, "in {path}: {error}"),
            Self::OfOther(error) => {
                write!(formatter, "the replay token is of another program: {error}")
            }
        }
    }
}

impl Error for RecordedError {}
