//! The file that a report is kept in.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::command::ReplayCommand;
use super::detail::Detail;
use super::text::text_with;
use crate::executor::Attachment;
use crate::explore::{CheckReport, Finding, Replay};
use crate::kernel::Fill;

/// Writes the report of a failure to `folder/NAME-SEED.txt`, and returns that path.
///
/// The file begins with the world (token, seed, strategy, each override in words), then follows the
/// report, complete. [`crate::explore::ReplayToken::find_in`] finds the token in it. The folder is
/// made if it is not there. The file appears as a whole or not at all, and replaces the one of an
/// earlier check that found the same seed.
///
/// # Errors
/// [`SaveError`] when there is no failure, or the file system refuses. Show it with the report
/// ([`text_with`]); the failure itself is what matters.
///
/// # Examples
/// ```
/// use parcae::explore::{Check, ReplayToken};
/// use parcae::report::{self, ReplayCommand};
///
/// let report = Check::new("kv::two holders").run(|| async { Err::<(), _>("two holders") });
/// let folder = std::env::temp_dir().join("parcae-example");
/// let path = report::save(&report, &ReplayCommand::of_cli("parcae"), &folder)?;
/// assert!(path.ends_with("kv-two-holders-0.txt"));
///
/// let token = ReplayToken::find_in(&std::fs::read_to_string(&path).expect("it was written"));
/// assert_eq!(token.as_ref().ok(), report.finding().and_then(|finding| finding.token()));
/// # std::fs::remove_dir_all(folder).expect("it is ours");
/// # Ok::<(), parcae::report::SaveError>(())
/// ```
pub fn save(
    report: &CheckReport,
    command: &ReplayCommand,
    folder: &Path,
) -> Result<PathBuf, SaveError> {
    let finding = report.finding().ok_or(SaveError::NoFailure)?;
    let path = folder.join(file_name(report.name(), finding));
    let detail = Detail::default().with_complete_lists(true);
    let content = format!(
        "{}\n{}",
        world_in_words(report.name(), finding),
        text_with(report, command, detail, Some(Ok(&path)))
    );
    fs::create_dir_all(folder)
        .map_err(|source| SaveError::Folder { path: folder.to_owned(), source })?;
    match write_whole(&path, content.as_bytes()) {
        Ok(()) => Ok(path),
        Err(source) => Err(SaveError::File { path, source }),
    }
}

/// Writes a file so that it appears as a whole or not at all, and replaces the one that was there.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let (temporary, mut file) = create_beside(path)?;
    let written = file.write_all(content).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // What is half-written is of no use; that it cannot be removed either changes nothing.
        drop(fs::remove_file(&temporary));
    }
    written
}

/// Writes what a replay leaves behind, such as what went over its network, to `folder/NAME.FILE`:
/// `kv-two-holders.capture.pcapng`. Returns the paths. The folder is made if it is not there.
///
/// # Errors
/// [`SaveError`] when the file system refuses.
pub fn save_attachments(replay: &Replay, folder: &Path) -> Result<Vec<PathBuf>, SaveError> {
    if replay.attachments.is_empty() {
        return Ok(Vec::new());
    }
    fs::create_dir_all(folder)
        .map_err(|source| SaveError::Folder { path: folder.to_owned(), source })?;
    let save = |attachment: &Attachment| {
        let path = folder.join(format!("{}.{}", safe_name(&replay.name), attachment.name));
        let written = fs::write(&path, &attachment.bytes);
        written.map(|()| path.clone()).map_err(|source| SaveError::File { path, source })
    };
    replay.attachments.iter().map(save).collect()
}

/// A report that could not be saved.
#[derive(Debug)]
#[non_exhaustive]
pub enum SaveError {
    /// The check found no failure.
    NoFailure,
    /// The folder could not be made.
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file could not be written.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl fmt::Display for SaveError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFailure => formatter.write_str("there is no failure to save"),
            Self::Folder { path, .. } => {
                write!(formatter, "the folder {} cannot be made", path.display())
            }
            Self::File { path, .. } => write!(formatter, "{} cannot be written", path.display()),
        }
    }
}

impl std::error::Error for SaveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NoFailure => None,
            Self::Folder { source, .. } | Self::File { source, .. } => Some(source),
        }
    }
}

/// Returns what the file begins with. The token is first: a message of the program's cannot be taken
/// for it.
fn world_in_words(name: &str, finding: &Finding) -> String {
    let world = finding.world();
    let token = match finding.token() {
        Some(token) => token.to_string(),
        None => "none: the seed does not decide this failure".to_owned(),
    };
    let choices = match world.fill {
        Fill::Seeded => "drawn from the seed".to_owned(),
        Fill::Default => format!("the defaults, but for {}", world.overrides.len()),
    };
    let (seed, strategy) = (finding.seed(), finding.strategy());
    let overrides = world.overrides.iter().map(|(key, value)| {
        format!("          {}\n", finding.log().describe_override(*key, *value))
    });
    format!(
        "token     {token}\nname      {name}\nseed      {seed}\nstrategy  {strategy}\n\
         choices   {choices}\n{}",
        overrides.collect::<String>()
    )
}

/// Returns the name of a report's file.
fn file_name(name: &str, finding: &Finding) -> String {
    format!("{}-{}.txt", safe_name(name), finding.seed())
}

/// Returns a name of characters that every file system takes.
pub(crate) fn safe_name(name: &str) -> String {
    let mut safe = String::new();
    for character in name.chars().take(NAME_LENGTH_MAX) {
        if character.is_ascii_alphanumeric() || matches!(character, '_' | '.') {
            safe.push(character);
        } else if !safe.ends_with('-') {
            safe.push('-');
        }
    }
    let safe = safe.trim_matches(['-', '.']);
    if safe.is_empty() { "check".to_owned() } else { safe.to_owned() }
}

/// Makes a new file in the folder of another one, of a name that nobody else uses.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    for attempt in 0..TEMPORARY_FILES_MAX {
        let temporary = path.with_extension(format!("txt.{attempt}.part"));
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

const NAME_LENGTH_MAX: usize = 120;
const TEMPORARY_FILES_MAX: u32 = 1_000;
