//! The results of hunts that were run apart, put together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use parcae::explore::Shard;

use crate::lines::{
    Begin, CoverageItem, End, FORMAT, FailingItem, FindingItem, Heartbeat, INTERRUPTED, Line,
    NOTHING_NEW, PropertyItem, ReachedItem, STORED_WORLD, StoredItem,
};
use crate::scenario::UnknownScenario;

/// A union of results: in any order, and however often each is added, it is the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Merged {
    /// What is the same of all, once there is one, and the file that said it.
    identity: Option<(Identity, String)>,
    parts: BTreeMap<PartKey, Part>,
}

/// What results must have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) check: String,
    pub(crate) build: String,
    pub(crate) strategy: String,
}

/// Which seeds were hunted. Parts are sorted by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PartKey {
    pub(crate) first_seed: u64,
    pub(crate) seeds: u64,
    pub(crate) shard: Shard,
}

/// What was found among them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Part {
    pub(crate) heartbeat: Option<Heartbeat>,
    pub(crate) stored: BTreeSet<StoredItem>,
    pub(crate) failing: BTreeSet<FailingItem>,
    /// By signature.
    pub(crate) findings: BTreeMap<String, FindingItem>,
    pub(crate) end: Option<End>,
}

impl Merged {
    /// Adds what one file holds. Its last line may have been cut short, as of a hunt that was killed.
    pub(crate) fn add(&mut self, file: &str, text: &str) -> Result<(), MergeError> {
        let mut key = None;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let read = match Line::parse(line.trim_end()) {
                Err(_) if !line.ends_with('\n') => break,
                read => read.map_err(|error| MergeError::Line {
                    file: file.to_owned(),
                    number: index + 1,
                    message: error.to_string(),
                })?,
            };
            match (read, key) {
                (Line::Begin(begin), _) => key = Some(self.begin(file, &begin)?),
                (other, Some(key)) => self.parts.entry(key).or_default().add(other),
                (_, None) => return Err(MergeError::NoBegin { file: file.to_owned() }),
            }
        }
        Ok(())
    }

    fn begin(&mut self, file: &str, begin: &Begin) -> Result<PartKey, MergeError> {
        if begin.format != FORMAT {
            let (file, found) = (file.to_owned(), begin.format);
            return Err(MergeError::OtherFormat { file, found });
        }
        let unreadable = |field| MergeError::Field { file: file.to_owned(), field };
        let key = PartKey {
            first_seed: begin.first_seed.parse().map_err(|_| unreadable("first_seed"))?,
            seeds: begin.seeds,
            shard: begin.shard.parse().map_err(|_| unreadable("shard"))?,
        };
        let identity = Identity {
            check: begin.check.clone(),
            build: begin.build.clone(),
            strategy: begin.strategy.clone(),
        };
        match &self.identity {
            None => self.identity = Some((identity, file.to_owned())),
            Some((known, _)) if *known == identity => {}
            Some((known, of)) => {
                let (field, first, second) = known.difference(&identity);
                return Err(MergeError::Other {
                    field,
                    first: (of.clone(), first.to_owned()),
                    second: (file.to_owned(), second.to_owned()),
                });
            }
        }
        self.parts.entry(key).or_default();
        Ok(key)
    }

    /// Returns what is the same of all; none if nothing was added.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref().map(|(identity, _)| identity)
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = (&PartKey, &Part)> {
        self.parts.iter()
    }

    /// Returns all failing runs, each once.
    pub(crate) fn failing(&self) -> BTreeSet<&FailingItem> {
        self.parts.values().flat_map(|part| &part.failing).collect()
    }

    /// Returns of each signature the finding of the lowest seed.
    pub(crate) fn findings(&self) -> BTreeMap<&str, &FindingItem> {
        let mut findings: BTreeMap<&str, &FindingItem> = BTreeMap::new();
        for (signature, finding) in self.parts.values().flat_map(|part| &part.findings) {
            let kept = findings.entry(signature).or_insert(finding);
            if finding.order() < kept.order() {
                *kept = finding;
            }
        }
        findings
    }

    /// Returns the properties that ask for something that no part has shown.
    pub(crate) fn unmet(&self) -> BTreeSet<&str> {
        let ends = self.parts.values().filter_map(|part| part.end.as_ref());
        let properties: Vec<_> = ends.flat_map(|end| &end.properties).collect();
        let met: BTreeSet<&str> =
            properties.iter().filter(|it| !it.is_unmet).map(|it| it.identity()).collect();
        let unmet = properties.iter().filter(|it| it.is_unmet && !met.contains(it.identity()));
        unmet.map(|it| it.property.as_str()).collect()
    }

    /// Returns what the parts have reached together: each branch, property and kind of fault once. Runs of different parts
    /// may be the same, so of those there are this many at most.
    pub(crate) fn coverage(&self) -> CoverageItem {
        let ends: Vec<&End> = self.parts.values().filter_map(|part| part.end.as_ref()).collect();
        let properties = |is_seen: fn(&PropertyItem) -> bool| {
            let seen = ends.iter().flat_map(|end| &end.properties).filter(|item| is_seen(item));
            seen.map(PropertyItem::identity).collect::<BTreeSet<_>>().len() as u64
        };
        let reached = |items: fn(&End) -> &[ReachedItem], is_fired: bool| {
            let items = ends.iter().flat_map(|end| items(end));
            let items = items.filter(|item| !is_fired || item.seeds_fired > 0);
            items.map(|item| item.name.as_str()).collect::<BTreeSet<_>>().len() as u64
        };
        CoverageItem {
            distinct_runs: ends.iter().map(|end| end.distinct_runs_max()).sum(),
            properties_held: properties(|item| item.held > 0),
            properties_failed: properties(|item| item.failed > 0),
            branches: reached(|end| &end.branches, false),
            branches_fired: reached(|end| &end.branches, true),
            fault_kinds: reached(|end| &end.fault_kinds, false),
            fault_kinds_fired: reached(|end| &end.fault_kinds, true),
            seeds_since_new: 0,
        }
    }

    /// Returns how many seeds there are in the sweeps of which these are parts.
    pub(crate) fn planned(&self) -> u64 {
        let sweeps: BTreeSet<(u64, u64)> =
            self.parts.keys().map(|key| (key.first_seed, key.seeds)).collect();
        sweeps.into_iter().map(|(_, seeds)| seeds).sum()
    }

    /// Returns the shards that are missing or have not come to their end.
    pub(crate) fn missing(&self) -> Vec<(PartKey, Option<&Part>)> {
        let sweeps: BTreeSet<(u64, u64, u64)> =
            self.parts.keys().map(|key| (key.first_seed, key.seeds, key.shard.count())).collect();
        let keys = sweeps.into_iter().flat_map(|(first_seed, seeds, count)| {
            let shards = (1..=count).filter_map(move |number| Shard::new(number, count));
            shards.map(move |shard| PartKey { first_seed, seeds, shard })
        });
        let parts = keys.map(|key| (key, self.parts.get(&key)));
        parts.filter(|(_, part)| part.is_none_or(|part| !part.has_ended())).collect()
    }

    /// Returns lines that give the same results when they are read again.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let Some(identity) = self.identity() else { return Vec::new() };
        let mut lines = Vec::new();
        for (key, part) in &self.parts {
            lines.push(Line::Begin(Begin {
                format: FORMAT,
                check: identity.check.clone(),
                build: identity.build.clone(),
                strategy: identity.strategy.clone(),
                first_seed: key.first_seed.to_string(),
                seeds: key.seeds,
                shard: key.shard.to_string(),
            }));
            lines.extend(part.heartbeat.map(Line::Heartbeat));
            lines.extend(part.stored.iter().cloned().map(Line::Stored));
            lines.extend(part.failing.iter().cloned().map(Line::Failing));
            lines.extend(part.findings.values().cloned().map(Line::Finding));
            lines.extend(part.end.clone().map(Line::End));
        }
        lines
    }
}

impl Part {
    /// Adds a line. Of two that say the same of one thing the greater stays, which is one of the two whoever comes
    /// first.
    fn add(&mut self, line: Line) {
        match line {
            Line::Begin(_) => {}
            Line::Heartbeat(beat) => {
                let order = |beat: &Heartbeat| (beat.seeds_done, beat.wall_seconds.to_bits());
                if self.heartbeat.is_none_or(|known| order(&known) < order(&beat)) {
                    self.heartbeat = Some(beat);
                }
            }
            Line::Stored(item) => {
                self.stored.insert(item);
            }
            Line::Failing(item) => {
                self.failing.insert(item);
            }
            Line::Finding(item) => {
                let known = self.findings.get(&item.signature);
                if known.is_none_or(|known| item.order() < known.order()) {
                    self.findings.insert(item.signature.clone(), item);
                }
            }
            Line::End(end) => {
                if self.end.as_ref().is_none_or(|known| known.order() < end.order()) {
                    self.end = Some(end);
                }
            }
        }
    }

    /// Returns how many seeds are known to have been run.
    pub(crate) fn seeds_run(&self) -> u64 {
        let done = self.heartbeat.map_or(0, |beat| beat.seeds_done);
        let known = self.end.as_ref().map_or(done, |end| end.seeds_run);
        known.max(self.failing.len() as u64)
    }

    /// Tells whether all its seeds were run, or as many as show all there is: what they have not shown is missing then.
    pub(crate) fn is_whole(&self) -> bool {
        let stop = self.end.as_ref().map(|end| end.stop.as_deref());
        matches!(stop, Some(None | Some(NOTHING_NEW)))
    }

    /// Tells whether it has come to the end that was asked for.
    fn has_ended(&self) -> bool {
        let is_cut = |stop: &str| [INTERRUPTED, STORED_WORLD].contains(&stop);
        self.end.as_ref().is_some_and(|end| !end.stop.as_deref().is_some_and(is_cut))
    }
}

impl FindingItem {
    /// Returns which of two of one signature stays: the lower.
    fn order(&self) -> (u64, usize, String) {
        let seed = self.seed.parse().unwrap_or(u64::MAX);
        (seed, self.choices.len(), Line::Finding(self.clone()).to_string())
    }
}

impl End {
    fn order(&self) -> (u64, u64, String) {
        (self.seeds_run, self.wall_seconds.to_bits(), Line::End(self.clone()).to_string())
    }
}

impl Identity {
    /// Returns the first field that differs, with both values.
    fn difference<'a>(&'a self, other: &'a Self) -> (&'static str, &'a str, &'a str) {
        let fields = [
            ("check", &self.check, &other.check),
            ("build", &self.build, &other.build),
            ("strategy", &self.strategy, &other.strategy),
        ];
        let differing = fields.into_iter().find(|(_, first, second)| first != second);
        let (field, first, second) = differing.expect("they differ");
        (field, first, second)
    }
}

/// Results that are none, or do not belong together.
#[derive(Debug)]
pub(crate) enum MergeError {
    /// A line is none of ours.
    Line { file: String, number: usize, message: String },
    /// The first line does not say what was hunted.
    NoBegin { file: String },
    /// The lines are of another version.
    OtherFormat { file: String, found: u32 },
    /// A field of the first line cannot be read.
    Field { file: String, field: &'static str },
    /// Two files are of different hunts.
    Other { field: &'static str, first: (String, String), second: (String, String) },
    /// They are of a scenario that is not here, so that its stored worlds cannot be run.
    Unknown(UnknownScenario),
    /// There are no results.
    Nothing,
}

impl fmt::Display for MergeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, number, message } => write!(
                formatter,
                "{file}, line {number}: not a line of `hunt --format jsonl`: {message}"
            ),
            Self::NoBegin { file } => write!(
                formatter,
                "{file} does not begin with a line of the type `begin`, as `hunt --format jsonl` prints it"
            ),
            Self::OtherFormat { file, found } => write!(
                formatter,
                "{file} is of format {found}, this parcae reads format {FORMAT}: merge with the parcae \
                 that hunted"
            ),
            Self::Field { file, field } => {
                write!(formatter, "{file}: the field `{field}` of its first line cannot be read")
            }
            Self::Other { field, first, second } => {
                let ((first_file, first), (second_file, second)) = (first, second);
                write!(
                    formatter,
                    "{first_file} and {second_file} do not belong together: the {field} of one is \
                     {first}, that of the other {second}"
                )?;
                match *field {
                    "build" => formatter.write_str(
                        "; if both were built from one commit, hunt with PARCAE_BUILD set to its name",
                    ),
                    _ => Ok(()),
                }
            }
            Self::Unknown(error) => {
                write!(formatter, "{error}; with `--corpus off` nothing is stored")
            }
            Self::Nothing => formatter.write_str("none of the files holds a result"),
        }
    }
}

impl std::error::Error for MergeError {}
