//! The environment variables of a check.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::Level;

use super::keeping::{Keeping, KeepingMode, ParseKeepingError};
use super::shards::{ShardError, parse_shard};
use crate::explore::{
    self, Check, Explain, Isolation, NotUnicode, ParseTokenError, ReplayToken, Shard, Strategy,
};
use crate::fault::BuggifyRates;
use crate::kernel::Seed;

/// What the environment asks of a check.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Environment {
    /// `PARCAE_SEED`.
    pub seed: Option<Seed>,
    /// `PARCAE_SEEDS`: the first one, if it was given, and how many.
    pub seeds: Option<(Option<Seed>, u64)>,
    /// `PARCAE_REPLAY`.
    pub replay: Option<Replayed>,
    /// `PARCAE_JOBS`.
    pub jobs: Option<usize>,
    /// `PARCAE_STRATEGY`.
    pub strategy: Option<Strategy>,
    /// `PARCAE_ISOLATION`.
    pub isolation: Option<Isolation>,
    /// `PARCAE_BUGGIFY`: how often, or not at all.
    pub buggify: Option<Option<BuggifyRates>>,
    /// `PARCAE_TIME_LIMIT`.
    pub time_limit: Option<Duration>,
    /// `PARCAE_TRACE`.
    pub trace: Option<Level>,
    /// `PARCAE_EXPLAIN`: how much is spent, or nothing.
    pub explain: Option<Option<Explain>>,
    /// `PARCAE_PCAP`.
    pub capture_folder: Option<PathBuf>,
    /// `PARCAE_PROPERTIES`.
    pub properties_file: Option<PathBuf>,
    /// `PARCAE_SHARD`.
    pub shard: Option<Shard>,
    /// `PARCAE_CORPUS`.
    pub keeping: Option<Keeping>,
}

/// A world to run again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Its token.
    pub token: ReplayToken,
}

impl Environment {
    /// Reads all variables.
    ///
    /// # Errors
    /// [`EnvironmentError`] for the first one that cannot be read.
    pub fn read() -> Result<Self, EnvironmentError> {
        let lookup = |name| explore::variable(name).map_err(EnvironmentError::NotUnicode);
        let unreadable = |name: &'static str, expected: &'static str| {
            move |text: String| EnvironmentError::Unreadable { name, text, expected }
        };
        let mut environment = Self::default();
        if let Some(text) = lookup("PARCAE_SEED")? {
            let error = unreadable("PARCAE_SEED", SEED);
            environment.seed = Some(Seed::parse(&text).map_err(|_| error(text))?);
        }
        if let Some(text) = lookup("PARCAE_SEEDS")? {
            let error = unreadable("PARCAE_SEEDS", SEEDS);
            environment.seeds = Some(parse_seeds(&text).ok_or_else(|| error(text))?);
        }
        if let Some(text) = lookup("PARCAE_REPLAY")? {
            environment.replay = Some(Replayed { token: read_token(&text)? });
        }
        if let Some(text) = lookup("PARCAE_JOBS")? {
            let jobs = text.parse().ok().filter(|jobs| *jobs > 0);
            let error = unreadable("PARCAE_JOBS", "a number of threads above 0");
            environment.jobs = Some(jobs.ok_or_else(|| error(text))?);
        }
        if let Some(text) = lookup("PARCAE_STRATEGY")? {
            let error = unreadable("PARCAE_STRATEGY", STRATEGIES);
            environment.strategy = Some(text.parse().map_err(|_| error(text))?);
        }
        if let Some(text) = lookup("PARCAE_ISOLATION")? {
            let error = unreadable("PARCAE_ISOLATION", ISOLATIONS);
            environment.isolation = Some(text.parse().map_err(|_| error(text))?);
        }
        if let Some(text) = lookup("PARCAE_BUGGIFY")? {
            let error = unreadable("PARCAE_BUGGIFY", BUGGIFY);
            let rates = (text != "off").then(|| text.parse()).transpose();
            environment.buggify = Some(rates.map_err(|_| error(text))?);
        }
        if let Some(text) = lookup("PARCAE_TIME_LIMIT")? {
            let error =
                unreadable("PARCAE_TIME_LIMIT", "a duration such as `500ms`, `30s` or `10m`");
            environment.time_limit = Some(parse_duration(&text).ok_or_else(|| error(text))?);
        }
        if let Some(text) = lookup("PARCAE_TRACE")? {
            let error = unreadable("PARCAE_TRACE", "`error`, `warn`, `info`, `debug` or `trace`");
            environment.trace = Some(text.parse().map_err(|_| error(text))?);
        }
        if let Some(text) = lookup("PARCAE_EXPLAIN")? {
            let error = unreadable("PARCAE_EXPLAIN", EXPLAIN);
            environment.explain = Some(parse_explain(&text).ok_or_else(|| error(text))?);
        }
        environment.shard = Self::read_shard()?;
        environment.keeping = Self::read_keeping()?;
        environment.properties_file = lookup("PARCAE_PROPERTIES")?.map(PathBuf::from);
        environment.capture_folder = lookup("PARCAE_PCAP")?.map(PathBuf::from);
        Ok(environment)
    }

    /// Reads `PARCAE_SHARD` alone.
    ///
    /// # Errors
    /// [`EnvironmentError`] when it cannot be read.
    pub fn read_shard() -> Result<Option<Shard>, EnvironmentError> {
        let text = explore::variable("PARCAE_SHARD").map_err(EnvironmentError::NotUnicode)?;
        text.map(|text| parse_shard(&text).map_err(EnvironmentError::Shard)).transpose()
    }

    /// Reads `PARCAE_CORPUS` alone.
    ///
    /// # Errors
    /// [`EnvironmentError`] when it cannot be read.
    pub fn read_keeping() -> Result<Option<Keeping>, EnvironmentError> {
        let name = "PARCAE_CORPUS";
        let text = explore::variable(name).map_err(EnvironmentError::NotUnicode)?;
        let read = |text: String| {
            let expected = ParseKeepingError::EXPECTED;
            text.parse().map_err(|_| EnvironmentError::Unreadable { name, text, expected })
        };
        text.map(read).transpose()
    }

    /// Returns what is done with stored worlds. Where one seed or one world is asked for: nothing.
    #[must_use]
    pub fn keeping(&self) -> Keeping {
        let keeping = self.keeping.clone().unwrap_or_default();
        match (self.seed, &self.replay) {
            (None, None) => keeping,
            _ => Keeping { mode: KeepingMode::Off, ..keeping },
        }
    }

    /// Applies what was asked for to a check; returns the world to replay, if there is one. One seed
    /// goes before a range of them, and before a part of them.
    pub fn apply(self, mut check: Check) -> (Check, Option<Replayed>) {
        if let Some((first, count)) = self.seeds {
            check = match first {
                Some(first) => check.first_seed(first).seeds(count),
                None => check.seeds(count),
            };
        }
        if let Some(shard) = self.shard {
            check = check.shard(shard);
        }
        if let Some(seed) = self.seed {
            check = check.only_seed(seed).shard(Shard::WHOLE);
        }
        if let Some(jobs) = self.jobs {
            check = check.jobs(jobs);
        }
        if let Some(strategy) = self.strategy {
            check = check.strategy(strategy);
        }
        if let Some(isolation) = self.isolation {
            check = check.isolation(isolation);
        }
        if let Some(rates) = self.buggify {
            check = match rates {
                Some(rates) => check.buggify_rates(rates),
                None => check.buggify(false),
            };
        }
        if let Some(limit) = self.time_limit {
            check = check.time_limit(limit);
        }
        if let Some(level) = self.trace {
            check = check.trace(level);
        }
        if let Some(explain) = self.explain {
            check = check.explain(explain);
        }
        if self.properties_file.is_some() {
            check = check.property_details(true);
        }
        (check.capture(self.capture_folder.is_some()), self.replay)
    }
}

/// Reads a token from text, or from the file that `@` names.
fn read_token(text: &str) -> Result<ReplayToken, EnvironmentError> {
    match text.strip_prefix('@') {
        None => text.parse().map_err(EnvironmentError::Token),
        Some(path) => {
            let path = PathBuf::from(path);
            let content = fs::read_to_string(&path).map_err(|error| EnvironmentError::File {
                path: path.clone(),
                message: error.to_string(),
            })?;
            ReplayToken::find_in(&content).map_err(EnvironmentError::Token)
        }
    }
}

fn parse_seeds(text: &str) -> Option<(Option<Seed>, u64)> {
    match text.split_once("..") {
        Some((first, end)) => {
            let first = Seed::parse(first).ok()?;
            let end = Seed::parse(end).ok()?;
            let count = end.get().checked_sub(first.get()).filter(|count| *count > 0)?;
            Some((Some(first), count))
        }
        None => text.parse().ok().filter(|count| *count > 0).map(|count| (None, count)),
    }
}

/// Reads how much is spent on explaining a failure.
fn parse_explain(text: &str) -> Option<Option<Explain>> {
    match text {
        "on" => Some(Some(Explain::default())),
        "off" => Some(None),
        runs => {
            let runs = runs.parse().ok().filter(|runs| *runs > 0)?;
            Some(Some(Explain::default().with_runs(runs)))
        }
    }
}

/// Reads a whole number with a unit: `ns`, `us`, `ms`, `s`, `m`, `h`. Returns none for any other text,
/// and for 2^64 nanoseconds (584 years) or more.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let nanos_each: u64 = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60 * 1_000_000_000,
        "h" => 60 * 60 * 1_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(nanos_each).map(Duration::from_nanos)
}

/// Returns the folder for reports: `parcae` in cargo's target folder.
///
/// That is `CARGO_TARGET_DIR`, or else `target` in the nearest folder, from the current one upwards,
/// that holds `target` or a `Cargo.lock`; without any, in the current one. Relative where it can
/// be, so that reports name it shortly.
#[must_use]
pub fn report_folder() -> PathBuf {
    // What is not Unicode is a setting of cargo's, not of ours: the report goes to the default.
    if let Ok(Some(target)) = explore::variable("CARGO_TARGET_DIR") {
        return Path::new(&target).join("parcae");
    }
    let current = std::env::current_dir().unwrap_or_default();
    let is_root =
        |folder: &&Path| folder.join("target").is_dir() || folder.join("Cargo.lock").is_file();
    match current.ancestors().find(is_root) {
        Some(root) if root != current => root.join("target/parcae"),
        _ => PathBuf::from("target/parcae"),
    }
}

/// A variable that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// It is not text.
    NotUnicode(NotUnicode),
    /// It is none of what is accepted.
    Unreadable {
        /// Its name.
        name: &'static str,
        /// What it is.
        text: String,
        /// What is accepted.
        expected: &'static str,
    },
    /// `PARCAE_SHARD` says no shard.
    Shard(ShardError),
    /// `PARCAE_REPLAY` holds no token.
    Token(ParseTokenError),
    /// `PARCAE_REPLAY` names a file that cannot be read.
    File {
        /// Its path.
        path: PathBuf,
        /// Why.
        message: String,
    },
}

impl fmt::Display for EnvironmentError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUnicode(error) => error.fmt(formatter),
            Self::Unreadable { name, text, expected } => {
                write!(formatter, "{name}={text:?} cannot be read: expected {expected}")
            }
            Self::Shard(error) => write!(formatter, "PARCAE_SHARD: {error}"),
            Self::Token(error) => write!(formatter, "PARCAE_REPLAY: {error}"),
            Self::File { path, message } => {
                write!(formatter, "PARCAE_REPLAY: cannot read {}: {message}", path.display())
            }
        }
    }
}

impl std::error::Error for EnvironmentError {}

const SEED: &str = "a decimal number, a hexadecimal one such as 0x11, or a git hash of 40 digits";
const STRATEGIES: &str =
    "`random`, `fifo`, `portfolio`, `pct`, `pct-mix`, `pos`, `urw`, `surw` or `delay`";
const BUGGIFY: &str =
    "`off`, or three shares in percent such as `80,25,25`: of runs, of places, of times";
const ISOLATIONS: &str =
    if cfg!(target_os = "linux") { "`thread`, `reuse` or `fork`" } else { "`thread` or `reuse`" };
const EXPLAIN: &str = "`on`, `off`, or the most runs that it may take, such as 10000";
const SEEDS: &str = "a number of seeds such as 1000, or a range such as 100..200";
