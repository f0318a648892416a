//! Which part of the seeds this process is to run, as whoever started it says.

use std::fmt;

use crate::explore::{self, NotUnicode, ParseShardError, Shard};

/// Reads a shard: `2/4`, or `auto`, for which the environment says both numbers, or `auto/4`, for which it
/// says the first.
///
/// With `auto` the first of these variables is looked for, and all seeds are run where none is set:
///
/// | started by | number | of so many |
/// |---|---|---|
/// | a Slurm array | `SLURM_ARRAY_TASK_ID`, from `SLURM_ARRAY_TASK_MIN` in steps of `SLURM_ARRAY_TASK_STEP` | `SLURM_ARRAY_TASK_COUNT` |
/// | a Kubernetes Indexed Job | `JOB_COMPLETION_INDEX`, from 0 | nothing says: `auto/4` |
/// | GNU parallel | `PARALLEL_SEQ`, from 1 | nothing says: `auto/4`, or `{#}/{##}` |
/// | an array of AWS Batch | `AWS_BATCH_JOB_ARRAY_INDEX`, from 0 | `AWS_BATCH_JOB_ARRAY_SIZE` |
/// | GitLab | `CI_NODE_INDEX`, from 1 | `CI_NODE_TOTAL` |
/// | Buildkite | `BUILDKITE_PARALLEL_JOB`, from 0 | `BUILDKITE_PARALLEL_JOB_COUNT` |
/// | `CircleCI` | `CIRCLE_NODE_INDEX`, from 0 | `CIRCLE_NODE_TOTAL` |
///
/// None of them is looked at unasked: they are there for other reasons, too, and a check that runs a
/// quarter of its seeds unasked would pass for want of the others. Variables of two of these at once are
/// an error. With `auto/4` the tasks of a Slurm array count from 0, so that one of them can be started again alone.
///
/// # Errors
/// [`ShardError`] says what would be right.
pub fn parse_shard(text: &str) -> Result<Shard, ShardError> {
    parse(text, &explore::variable)
}

fn parse(text: &str, lookup: &Lookup<'_>) -> Result<Shard, ShardError> {
    let count = match text.strip_prefix("auto") {
        None => return text.parse().map_err(ShardError::Unreadable),
        Some("") => None,
        Some(rest) => {
            let count = rest.strip_prefix('/').and_then(|count| count.parse().ok());
            let count = count.filter(|count: &u64| *count > 0);
            Some(count.ok_or_else(|| ShardError::UnreadableAuto { text: text.to_owned() })?)
        }
    };
    let mut told = Vec::new();
    for starter in STARTERS {
        if let Some(index) = lookup(starter.index)? {
            told.push((starter, index));
        }
    }
    match (told.as_slice(), count) {
        ([], None) => Ok(Shard::WHOLE),
        ([], Some(count)) => Err(ShardError::NothingSays { count }),
        ([(starter, index)], count) => starter.shard(index, count, lookup),
        ([(first, _), (second, _), ..], _) => {
            Err(ShardError::TwoSay { first: first.index, second: second.index })
        }
    }
}

type Lookup<'a> = dyn Fn(&'static str) -> Result<Option<String>, NotUnicode> + 'a;

/// What starts several processes and numbers them.
#[derive(Clone, Copy, Debug)]
struct Starter {
    /// The variable that holds the number.
    index: &'static str,
    /// The first number.
    first: u64,
    /// The variable that says how many there are.
    count: Option<&'static str>,
    /// Variables that hold the first number and the distance, if they may be others.
    range: Option<(&'static str, &'static str)>,
}

impl Starter {
    const fn new(index: &'static str, first: u64, count: Option<&'static str>) -> Self {
        Self { index, first, count, range: None }
    }

    fn shard(
        &self,
        index: &str,
        asked: Option<u64>,
        lookup: &Lookup<'_>,
    ) -> Result<Shard, ShardError> {
        let number = |name: &'static str, text: &str| {
            let number = text.trim().parse::<u64>().ok();
            number.ok_or_else(|| ShardError::Number { name, text: text.to_owned() })
        };
        let value = number(self.index, index)?;
        let read = |name: &'static str| lookup(name)?.map(|text| number(name, &text)).transpose();
        let (mut first, mut step) = (self.first, 1);
        let count = match (asked, self.count) {
            (Some(asked), _) => asked,
            (None, None) => return Err(ShardError::NoCount { name: self.index }),
            (None, Some(name)) => {
                if let Some((from, distance)) = self.range {
                    first = read(from)?.unwrap_or(first);
                    step = read(distance)?.unwrap_or(step).max(1);
                }
                read(name)?.ok_or(ShardError::NoCount { name: self.index })?
            }
        };
        let beyond = || ShardError::Beyond { name: self.index, value, first, step, count };
        let place =
            value.checked_sub(first).filter(|offset| offset % step == 0).ok_or_else(beyond)?;
        Shard::new(place / step + 1, count).ok_or_else(beyond)
    }
}

/// Why it is not known which part of the seeds is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShardError {
    /// A text that is no shard.
    Unreadable(ParseShardError),
    /// A text that begins with `auto`, and goes on otherwise than it could.
    UnreadableAuto {
        /// What was given.
        text: String,
    },
    /// A variable is not text.
    NotUnicode(NotUnicode),
    /// A variable holds no number.
    Number {
        /// Its name.
        name: &'static str,
        /// What it holds.
        text: String,
    },
    /// A variable says which part, but none says of how many.
    NoCount {
        /// The one that says which.
        name: &'static str,
    },
    /// No variable says which of so many.
    NothingSays {
        /// How many.
        count: u64,
    },
    /// Two variables say which.
    TwoSay {
        /// One.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A variable holds a number that is none of the shards'.
    Beyond {
        /// Its name.
        name: &'static str,
        /// The number.
        value: u64,
        /// The number of the first shard.
        first: u64,
        /// The distance to the next.
        step: u64,
        /// How many shards there are.
        count: u64,
    },
}

impl fmt::Display for ShardError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => {
                write!(formatter, "{error}, or `auto`, or `auto/4`")
            }
            Self::UnreadableAuto { text } => write!(
                formatter,
                "{text:?} is not a shard: expected `auto`, or `auto/4` for one of 4"
            ),
            Self::NotUnicode(error) => error.fmt(formatter),
            Self::Number { name, text } => {
                write!(
                    formatter,
                    "{name}={text:?} is no number, so it says no shard: give one, such as `1/4`"
                )
            }
            Self::NoCount { name } => write!(
                formatter,
                "{name} says which shard, but nothing says of how many: give that, such as `auto/4`"
            ),
            Self::NothingSays { count } => write!(
                formatter,
                "nothing in the environment says which of {count} shards: give it, such as `1/{count}`"
            ),
            Self::TwoSay { first, second } => write!(
                formatter,
                "{first} and {second} both say a shard: give the one that is meant, such as `1/4`"
            ),
            Self::Beyond { name, value, first, step, count } => {
                let last = first.saturating_add(count.saturating_sub(1).saturating_mul(*step));
                write!(
                    formatter,
                    "{name}={value} is none of {count} shards, which are {first} to {last}"
                )?;
                if *step == 1 { Ok(()) } else { write!(formatter, " in steps of {step}") }
            }
        }
    }
}

impl std::error::Error for ShardError {}

impl From<NotUnicode> for ShardError {
    fn from(error: NotUnicode) -> Self {
        Self::NotUnicode(error)
    }
}

const STARTERS: [Starter; 7] = [
    Starter {
        range: Some(("SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP")),
        ..Starter::new("SLURM_ARRAY_TASK_ID", 0, Some("SLURM_ARRAY_TASK_COUNT"))
    },
    Starter::new("JOB_COMPLETION_INDEX", 0, None),
    Starter::new("PARALLEL_SEQ", 1, None),
    Starter::new("AWS_BATCH_JOB_ARRAY_INDEX", 0, Some("AWS_BATCH_JOB_ARRAY_SIZE")),
    Starter::new("CI_NODE_INDEX", 1, Some("CI_NODE_TOTAL")),
    Starter::new("BUILDKITE_PARALLEL_JOB", 0, Some("BUILDKITE_PARALLEL_JOB_COUNT")),
    Starter::new("CIRCLE_NODE_INDEX", 0, Some("CIRCLE_NODE_TOTAL")),
];

#[cfg(test)]
mod tests {
    use super::{Shard, ShardError, parse};

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<String, String> {
        let lookup = |name: &'static str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            Ok(found.map(|(_, value)| (*value).to_owned()))
        };
        let shard: Result<Shard, ShardError> = parse(text, &lookup);
        shard.map(|shard| shard.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn each_starter_says_which_of_how_many() {
        let check = |text, variables: &[(&str, &str)], expected: &str| {
            assert_eq!(read(text, variables).as_deref(), Ok(expected), "{text} {variables:?}");
        };
        let slurm = |id, count, min, step| {
            [
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_COUNT", count),
                ("SLURM_ARRAY_TASK_MIN", min),
                ("SLURM_ARRAY_TASK_STEP", step),
            ]
        };
        check("auto", &slurm("0", "4", "0", "1"), "1/4");
        check("auto", &slurm("7", "3", "1", "3"), "3/3");
        // Started again alone, it is the only task of its array.
        check("auto/4", &slurm("3", "1", "3", "1"), "4/4");
        check("auto/8", &[("JOB_COMPLETION_INDEX", "7")], "8/8");
        check("auto/8", &[("PARALLEL_SEQ", "8")], "8/8");
        let aws = [("AWS_BATCH_JOB_ARRAY_INDEX", "0"), ("AWS_BATCH_JOB_ARRAY_SIZE", "9")];
        check("auto", &aws, "1/9");
        check("auto", &[("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "2")], "2/2");
        let buildkite = [("BUILDKITE_PARALLEL_JOB", "1"), ("BUILDKITE_PARALLEL_JOB_COUNT", "2")];
        check("auto", &buildkite, "2/2");
        check("auto", &[("CIRCLE_NODE_INDEX", "0"), ("CIRCLE_NODE_TOTAL", "2")], "1/2");
        check("auto", &[], "1/1");
        // GitLab says of how many also where nothing is parallel.
        check("auto", &[("CI_NODE_TOTAL", "1")], "1/1");
        // Whoever says it himself is not asked what surrounds him.
        check("2/3", &[("CI_NODE_INDEX", "nine")], "2/3");
    }

    #[test]
    fn what_says_no_shard_is_an_error_with_what_would_be_right() {
        let check = |text, variables: &[(&str, &str)], expected: &str| {
            assert_eq!(read(text, variables), Err(expected.to_owned()), "{text} {variables:?}");
        };
        let number = ", or `auto`, or `auto/4`";
        for text in ["", "4", "1/", "/4", "-1/4", "+1/4", "one/4", "1/4/8", "1 / 4"] {
            let expected = format!(
                "{text:?} is not a shard: expected a number of so many, such as `1/4`{number}"
            );
            check(text, &[], &expected);
        }
        let expected = format!("\"5/4\" is not a shard: expected one of `1/4` to `4/4`{number}");
        check("5/4", &[], &expected);
        for text in ["auto/0", "auto/", "auto4", "auto/many"] {
            let expected =
                format!("{text:?} is not a shard: expected `auto`, or `auto/4` for one of 4");
            check(text, &[], &expected);
        }
        check(
            "auto",
            &[("JOB_COMPLETION_INDEX", "0")],
            "JOB_COMPLETION_INDEX says which shard, but nothing says of how many: give that, such as `auto/4`",
        );
        check(
            "auto/8",
            &[],
            "nothing in the environment says which of 8 shards: give it, such as `1/8`",
        );
        check(
            "auto/8",
            &[("JOB_COMPLETION_INDEX", "8")],
            "JOB_COMPLETION_INDEX=8 is none of 8 shards, which are 0 to 7",
        );
        check(
            "auto/8",
            &[("PARALLEL_SEQ", "0")],
            "PARALLEL_SEQ=0 is none of 8 shards, which are 1 to 8",
        );
        check(
            "auto",
            &[("CI_NODE_INDEX", "nine"), ("CI_NODE_TOTAL", "9")],
            "CI_NODE_INDEX=\"nine\" is no number, so it says no shard: give one, such as `1/4`",
        );
        check(
            "auto/2",
            &[("PARALLEL_SEQ", "1"), ("SLURM_ARRAY_TASK_ID", "1")],
            "SLURM_ARRAY_TASK_ID and PARALLEL_SEQ both say a shard: give the one that is meant, such as `1/4`",
        );
        let with_a_gap = [
            ("SLURM_ARRAY_TASK_ID", "4"),
            ("SLURM_ARRAY_TASK_COUNT", "2"),
            ("SLURM_ARRAY_TASK_MIN", "1"),
            ("SLURM_ARRAY_TASK_STEP", "2"),
        ];
        check(
            "auto",
            &with_a_gap,
            "SLURM_ARRAY_TASK_ID=4 is none of 2 shards, which are 1 to 3 in steps of 2",
        );
    }
}
