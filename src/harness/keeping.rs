//! Stored worlds before a check, and what it finds after it.

use std::fmt;
use std::future::Future;
use std::path::{PathBuf, is_separator};
use std::str::FromStr;
use std::sync::Arc;

use super::build;
use crate::corpus::{Corpus, CorpusError, FailingWorld, Put, ReplayedWorld, Standing};
use crate::explore::{self, Check, CheckReport, ReplayError, Verdict};

/// What is done with the stored worlds of a check, and where they are.
///
/// # Examples
/// ```
/// use parcae::harness::{Keeping, KeepingMode};
///
/// let keeping = Keeping::default();
/// assert_eq!((keeping.mode, keeping.folder.to_str()), (KeepingMode::Write, Some(".parcae")));
/// assert_eq!("read".parse::<Keeping>()?.mode, KeepingMode::Read);
/// assert_eq!("ci/worlds".parse::<Keeping>()?.folder.to_str(), Some("ci/worlds"));
/// assert!("prnue".parse::<Keeping>().is_err());
/// # Ok::<(), parcae::harness::ParseKeepingError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Keeping {
    /// What is done.
    pub mode: KeepingMode,
    /// The folder.
    pub folder: PathBuf,
}

/// What is done with stored worlds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepingMode {
    /// None is run, and none is stored.
    Off,
    /// They are run first.
    Read,
    /// They are run first, and what fails is stored.
    Write,
    /// As `Write`, and those that pass are removed.
    Prune,
}

impl Default for Keeping {
    /// Runs and stores, in `.parcae` in the current folder: for tests that of their package.
    fn default() -> Self {
        Self { mode: KeepingMode::Write, folder: PathBuf::from(".parcae") }
    }
}

impl FromStr for Keeping {
    type Err = ParseKeepingError;

    fn from_str(text: &str) -> Result<Self, ParseKeepingError> {
        let usual = Self::default();
        match text {
            "off" => Ok(Self { mode: KeepingMode::Off, ..usual }),
            "read" => Ok(Self { mode: KeepingMode::Read, ..usual }),
            "prune" => Ok(Self { mode: KeepingMode::Prune, ..usual }),
            // One without it is more likely a word with a letter wrong.
            folder if folder.contains(is_separator) => {
                Ok(Self { folder: PathBuf::from(folder), ..usual })
            }
            _ => Err(ParseKeepingError { text: text.to_owned() }),
        }
    }
}

/// A text that does not say what is done with stored worlds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseKeepingError {
    /// What was given.
    pub text: String,
}

impl fmt::Display for ParseKeepingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} cannot be read: expected {}", self.text, Self::EXPECTED)
    }
}

impl ParseKeepingError {
    pub(super) const EXPECTED: &str =
        "`off`, `read`, `prune`, or a folder with a `/` in it such as `./.parcae`";
}

impl std::error::Error for ParseKeepingError {}

/// The stored worlds of one check, which have been run.
#[derive(Clone, Debug)]
#[must_use = "a stored world may fail"]
pub struct Kept {
    /// Each world, and what its run has shown.
    pub replayed: Vec<ReplayedWorld>,
    /// What there is to say, in lines: which of them are stale, and which were removed.
    pub lines: Vec<String>,
    keeping: Keeping,
}

/// Why the stored worlds of a check are not known.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeepingError {
    /// They cannot be read or written.
    Corpus(CorpusError),
    /// They cannot be run.
    Replay(ReplayError),
}

impl Keeping {
    /// Makes one that does nothing.
    #[must_use]
    pub fn off() -> Self {
        Self { mode: KeepingMode::Off, ..Self::default() }
    }

    /// Runs the stored worlds of a check, before its seeds; removes those that pass if that is asked for. They have come to
    /// their end before, and are run in this process, also with [`Isolation::Fork`](crate::explore::Isolation::Fork). In a process that was started
    /// to run seeds for another one, there are none.
    ///
    /// # Errors
    /// [`KeepingError`] when a world of the check cannot be read, or run.
    pub fn replay<P, F>(&self, check: &Check, program: &Arc<P>) -> Result<Kept, KeepingError>
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future + 'static,
        F::Output: Verdict,
    {
        let mut kept = Kept { replayed: Vec::new(), lines: Vec::new(), keeping: self.clone() };
        if self.mode == KeepingMode::Off || explore::is_fork_server() {
            kept.keeping.mode = KeepingMode::Off;
            return Ok(kept);
        }
        let corpus = Corpus::at(&self.folder);
        let check = &check.clone().without_processes();
        for stored in corpus.of_check(check.name()).map_err(KeepingError::Corpus)? {
            let program = program.clone();
            let replayed = stored.replay(check, move || program()).map_err(KeepingError::Replay)?;
            let is_removed =
                self.mode == KeepingMode::Prune && replayed.standing() == Standing::Passes;
            if is_removed {
                corpus.remove(&stored).map_err(KeepingError::Corpus)?;
                kept.lines.push(format!("{} is removed: it passes now", stored.path.display()));
            } else {
                kept.lines.extend(replayed.stale());
            }
            kept.replayed.push(replayed);
        }
        Ok(kept)
    }
}

impl Kept {
    /// Returns the first world that fails, in whatever way.
    #[must_use]
    pub fn failing(&self) -> Option<&ReplayedWorld> {
        self.replayed.iter().find(|world| world.standing() != Standing::Passes)
    }

    /// Stores what a check has found, if that is asked for: each failure, but for those that stored worlds show
    /// already, and those that no world decides. Returns the files that were written.
    ///
    /// # Errors
    /// [`CorpusError`] when the file system refuses.
    pub fn store(&self, report: &CheckReport) -> Result<Vec<PathBuf>, CorpusError> {
        if !self.is_writing() || report.findings().is_empty() {
            return Ok(Vec::new());
        }
        let build = build::identity();
        let worlds = report.findings().iter().filter_map(|it| FailingWorld::of(it, &build));
        self.store_worlds(worlds)
    }

    /// Stores worlds that others have found, as [`Kept::store`] does.
    ///
    /// # Errors
    /// [`CorpusError`] when the file system refuses.
    pub fn store_worlds(
        &self,
        worlds: impl IntoIterator<Item = FailingWorld>,
    ) -> Result<Vec<PathBuf>, CorpusError> {
        let mut written = Vec::new();
        if !self.is_writing() {
            return Ok(written);
        }
        let known: Vec<String> =
            self.replayed.iter().filter_map(ReplayedWorld::signature).collect();
        let corpus = Corpus::at(&self.keeping.folder);
        for world in worlds.into_iter().filter(|world| !known.contains(&world.signature)) {
            let path = corpus.folder().join(world.file_name());
            // What stands there does not show this failure any more, or its signature would be known.
            let stale =
                self.replayed.iter().map(|it| &it.stored).find(|stored| stored.path == path);
            if corpus.put_over(&world, stale.map(|stored| &stored.world))? != Put::Kept {
                written.push(path);
            }
        }
        Ok(written)
    }

    fn is_writing(&self) -> bool {
        matches!(self.keeping.mode, KeepingMode::Write | KeepingMode::Prune)
    }
}

impl fmt::Display for KeepingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corpus(error) => error.fmt(formatter),
            Self::Replay(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for KeepingError {}
