//! The folder of a corpus.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::error::CorpusError;
use super::text::{EXTENSION, FailingWorld, file_prefix};
use crate::report;

/// A folder of failing worlds.
///
/// # Examples
/// ```
/// use parcae::corpus::{Corpus, FailingWorld, Put};
/// use parcae::explore::Check;
///
/// let folder = std::env::temp_dir().join("parcae-corpus-example");
/// # drop(std::fs::remove_dir_all(&folder));
/// let corpus = Corpus::at(&folder);
/// assert!(corpus.of_check("kv::starts")?.is_empty(), "a folder that is not there holds nothing");
///
/// let check = Check::new("kv::starts");
/// let report = check.clone().run(|| async { Err::<(), _>("no config") });
/// let finding = report.finding().expect("it always fails");
/// let world = FailingWorld::of(finding, "build 7").expect("it can be replayed");
/// assert_eq!(corpus.put(&world)?, Put::New);
/// assert_eq!(corpus.put(&world)?, Put::Kept);
///
/// // After a repair.
/// let stored = corpus.of_check("kv::starts")?.remove(0);
/// let replayed = stored.replay(&check, || async { Ok::<(), &str>(()) })?;
/// assert!(replayed.stale().expect("it passes").contains("passes now"));
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corpus {
    folder: PathBuf,
}

/// A world and the file that it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// The file.
    pub path: PathBuf,
    /// The world.
    pub world: FailingWorld,
}

/// What became of a world that was put into a corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It has a new file.
    New,
    /// It has taken the place of another world of the same failure.
    Replaced,
    /// The file of its failure holds it already, or one of a lower seed that the same build has found.
    Kept,
}

impl Corpus {
    /// Makes the corpus of a folder, which need not be there.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Returns the folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the worlds of a check, in the order of their files.
    ///
    /// # Errors
    /// [`CorpusError`] when the folder or a file of the check cannot be read; one that cannot must not be
    /// taken for none.
    pub fn of_check(&self, name: &str) -> Result<Vec<Stored>, CorpusError> {
        let prefix = file_prefix(name);
        let is_of_check = |path: &Path| {
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let hash = stem.and_then(|stem| stem.strip_prefix(&prefix));
            hash.is_some_and(|hash| {
                hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
        };
        let paths = self.paths()?.into_iter().filter(|path| is_of_check(path));
        let mut found = paths.map(read).collect::<Result<Vec<_>, _>>()?;
        // Names that differ may give the same name of a file.
        found.retain(|stored| stored.world.check() == name);
        Ok(found)
    }

    /// Returns all worlds in the order of their files, each or why it cannot be read.
    ///
    /// # Errors
    /// [`CorpusError`] when the folder cannot be read.
    pub fn all(&self) -> Result<Vec<Result<Stored, CorpusError>>, CorpusError> {
        Ok(self.paths()?.into_iter().map(read).collect())
    }

    /// Writes a world into the file of its failure, unless that holds one that is to stay: of the same build
    /// and a lower seed. The folder is made if it is not there.
    ///
    /// # Errors
    /// [`CorpusError`] when the file system refuses, or the file is there and holds something else.
    pub fn put(&self, world: &FailingWorld) -> Result<Put, CorpusError> {
        self.put_over(world, None)
    }

    /// As [`Corpus::put`]; a world that is known to be stale gives way in any case, if it still stands there.
    ///
    /// # Errors
    /// [`CorpusError`] as [`Corpus::put`] returns it.
    pub fn put_over(
        &self,
        world: &FailingWorld,
        stale: Option<&FailingWorld>,
    ) -> Result<Put, CorpusError> {
        let folder = |source| CorpusError::Folder { path: self.folder.clone(), source };
        fs::create_dir_all(&self.folder).map_err(folder)?;
        let _lock = lock(&self.folder);
        let path = self.folder.join(world.file_name());
        let put = match path.try_exists() {
            Ok(false) => Put::New,
            Ok(true) => Put::Replaced,
            Err(source) => return Err(CorpusError::File { path, source }),
        };
        if put == Put::Replaced {
            let old = read(path.clone())?.world;
            let is_same = old.token == world.token && old.signature == world.signature;
            let is_better = old.build == world.build && old.order() < world.order();
            if is_same || is_better && stale != Some(&old) {
                return Ok(Put::Kept);
            }
        }
        let written = report::write_whole(&path, world.to_string().as_bytes());
        written.map(|()| put).map_err(|source| CorpusError::File { path, source })
    }

    /// Removes the file of a world. One that somebody else has removed is none to complain of, and one that holds
    /// another world by now stays.
    ///
    /// # Errors
    /// [`CorpusError`] when the file system refuses.
    pub fn remove(&self, stored: &Stored) -> Result<(), CorpusError> {
        let _lock = lock(&self.folder);
        if read(stored.path.clone()).is_ok_and(|current| current != *stored) {
            return Ok(());
        }
        match fs::remove_file(&stored.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(CorpusError::File { path: stored.path.clone(), source: error })
            }
            _ => Ok(()),
        }
    }

    /// Returns the files that should hold worlds, in order. What ends otherwise is not ours.
    fn paths(&self) -> Result<Vec<PathBuf>, CorpusError> {
        let error = |source| CorpusError::Folder { path: self.folder.clone(), source };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(error(source)),
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(error)?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }
}

fn read(path: PathBuf) -> Result<Stored, CorpusError> {
    let text = match fs::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(source) => return Err(CorpusError::File { path, source }),
    };
    match FailingWorld::parse(&text) {
        Ok(world) => Ok(Stored { path, world }),
        Err(problem) => Err(CorpusError::Format { path, problem }),
    }
}

/// Keeps other processes from comparing and writing, as long as it lives. Where the system does not lock
/// folders, nothing does.
#[cfg(target_os = "linux")]
fn lock(folder: &Path) -> Option<nix::fcntl::Flock<File>> {
    let folder = File::open(folder).ok()?;
    nix::fcntl::Flock::lock(folder, nix::fcntl::FlockArg::LockExclusive).ok()
}

#[cfg(not(target_os = "linux"))]
fn lock(_folder: &Path) -> Option<File> {
    None
}
