//! One part of the seeds of a check.

use std::fmt;
use std::str::FromStr;

/// One of several parts into which the seeds of a check are cut, to be run apart: `1/4` to `4/4`.
///
/// Each takes every fourth seed, from its own number on: all see the same mix, and one that is stopped early
/// has left out none of it.
///
/// # Examples
/// ```
/// use parcae::explore::{Check, Shard};
///
/// let shard: Shard = "2/4".parse()?;
/// let report = Check::new("kv").seeds(10).shard(shard).run(|| async {});
/// assert_eq!(report.seeds_run(), 3, "seeds 1, 5 and 9");
///
/// let error = "0/4".parse::<Shard>().unwrap_err();
/// assert_eq!(error.to_string(), "\"0/4\" is not a shard: expected one of `1/4` to `4/4`");
/// # Ok::<(), parcae::explore::ParseShardError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    /// How many parts there are, at least 1.
    count: u64,
    /// Which one, from 0.
    index: u64,
}

impl Shard {
    /// All seeds.
    pub const WHOLE: Self = Self { count: 1, index: 0 };

    /// Makes the shard of a number, from 1 on, of so many; none if there is none of that number.
    #[must_use]
    pub const fn new(number: u64, count: u64) -> Option<Self> {
        if number == 0 || number > count { None } else { Some(Self { count, index: number - 1 }) }
    }

    /// Returns which one it is, from 1.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.index + 1
    }

    /// Returns how many there are.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.count
    }

    /// Tells whether it is the only one.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        self.count == 1
    }

    /// Returns how many of so many seeds are its own.
    #[must_use]
    pub const fn share(self, total: u64) -> u64 {
        total / self.count + (self.index < total % self.count) as u64
    }

    /// Returns the place among all seeds of one of its own.
    pub(super) const fn place(self, own: u64) -> u64 {
        own * self.count + self.index
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.number(), self.count)
    }
}

impl FromStr for Shard {
    type Err = ParseShardError;

    fn from_str(text: &str) -> Result<Self, ParseShardError> {
        let count = text.split_once('/').and_then(|(number, count)| {
            // A sign is none of ours, though it can be read.
            let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let read = |text: &str| text.parse::<u64>().ok().filter(|_| is_plain(text));
            Some((read(number)?, read(count)?))
        });
        let error = |count| ParseShardError { text: text.to_owned(), count };
        match count {
            None => Err(error(None)),
            Some((number, count)) => {
                Self::new(number, count).ok_or_else(|| error(Some(count).filter(|it| *it > 0)))
            }
        }
    }
}

/// A text that is no shard.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseShardError {
    /// What was given.
    pub text: String,
    /// How many shards there are, if it says so.
    pub count: Option<u64>,
}

impl fmt::Display for ParseShardError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, count } = self;
        write!(formatter, "{text:?} is not a shard: expected ")?;
        match count {
            None => formatter.write_str("a number of so many, such as `1/4`"),
            Some(1) => formatter.write_str("`1/1`"),
            Some(count) => write!(formatter, "one of `1/{count}` to `{count}/{count}`"),
        }
    }
}

impl std::error::Error for ParseShardError {}
