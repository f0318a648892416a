//! Lines of JSON: what `hunt --format jsonl` prints and `merge` reads. docs/SWEEPS.md describes them.

use std::fmt;

use parcae::corpus::{ReplayedWorld, Standing};
use parcae::explore::{CheckReport, Coverage, FailingSeed, Finding, Signature, Stop};
use serde::{Deserialize, Serialize};

/// One line. Names of fields are kept; new ones may join, which is why unknown ones are not refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub(crate) enum Line {
    /// The first line of a hunt.
    Begin(Begin),
    /// How far the hunt is.
    Heartbeat(Heartbeat),
    /// A stored world that was run before the seeds.
    Stored(StoredItem),
    /// A seed that fails.
    Failing(FailingItem),
    /// The first failing seed of a signature, shrunk.
    Finding(FindingItem),
    /// The last line of a hunt.
    End(End),
}

/// What is hunted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Begin {
    /// Version of the lines.
    pub(crate) format: u32,
    pub(crate) check: String,
    pub(crate) build: String,
    pub(crate) strategy: String,
    /// A text, as all seeds: readers of JSON round integers above 2^53.
    pub(crate) first_seed: String,
    /// How many seeds there are, in all shards.
    pub(crate) seeds: u64,
    pub(crate) shard: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Heartbeat {
    pub(crate) seeds_done: u64,
    pub(crate) wall_seconds: f64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct StoredItem {
    pub(crate) path: String,
    /// `fails`, `fails otherwise` or `passes`.
    pub(crate) standing: String,
    /// What is stale, in words.
    pub(crate) stale: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct FailingItem {
    pub(crate) seed: String,
    pub(crate) signature: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FindingItem {
    pub(crate) signature: String,
    pub(crate) seed: String,
    pub(crate) strategy: String,
    pub(crate) failure_kind: String,
    pub(crate) failure: String,
    /// The choices of the shrunk run that differ from the default world's, in words.
    pub(crate) choices: Vec<String>,
    /// None of a failure that no world decides.
    pub(crate) token: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) seeds_run: u64,
    pub(crate) steps: u64,
    /// Why it ended early.
    pub(crate) stop: Option<String>,
    pub(crate) wall_seconds: f64,
    pub(crate) coverage: CoverageItem,
    pub(crate) properties: Vec<PropertyItem>,
    /// Rare branches that were come to.
    #[serde(default)]
    pub(crate) branches: Vec<ReachedItem>,
    /// Kinds of faults that have begun.
    #[serde(default)]
    pub(crate) fault_kinds: Vec<ReachedItem>,
}

/// Something that may have an effect, and in how many seeds it had one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct ReachedItem {
    pub(crate) name: String,
    pub(crate) seeds: u64,
    pub(crate) seeds_fired: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CoverageItem {
    pub(crate) distinct_runs: u64,
    pub(crate) properties_held: u64,
    pub(crate) properties_failed: u64,
    pub(crate) branches: u64,
    pub(crate) branches_fired: u64,
    pub(crate) fault_kinds: u64,
    pub(crate) fault_kinds_fired: u64,
    pub(crate) seeds_since_new: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct PropertyItem {
    /// As reports name it.
    pub(crate) property: String,
    pub(crate) held: u64,
    pub(crate) failed: u64,
    /// Whether it asks for something that these seeds have not shown.
    pub(crate) is_unmet: bool,
}

impl PropertyItem {
    /// Returns its kind and message, which it is known by: it may stand at several places.
    pub(crate) fn identity(&self) -> &str {
        self.property.rsplit_once(" at ").map_or(&self.property, |(identity, _)| identity)
    }
}

impl Line {
    /// Reads a line.
    pub(crate) fn parse(text: &str) -> Result<Self, LineError> {
        serde_json::from_str(text).map_err(LineError)
    }
}

/// With the end of the line.
impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(self);
        writeln!(formatter, "{}", text.expect("texts and numbers, no maps with other keys"))
    }
}

/// A text that is no such line.
#[derive(Debug)]
pub(crate) struct LineError(serde_json::Error);

impl fmt::Display for LineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl StoredItem {
    pub(crate) fn of(world: &ReplayedWorld) -> Self {
        let standing = match world.standing() {
            Standing::Fails => FAILS,
            Standing::FailsOtherwise => "fails otherwise",
            Standing::Passes => PASSES,
        };
        let path = world.stored.path.display().to_string();
        Self { path, standing: standing.to_owned(), stale: world.stale() }
    }

    pub(crate) fn is_failing(&self) -> bool {
        self.standing != PASSES
    }
}

impl FailingItem {
    pub(crate) fn of(seed: &FailingSeed) -> Self {
        Self { seed: seed.seed().to_string(), signature: seed.signature().to_owned() }
    }
}

impl FindingItem {
    pub(crate) fn of(finding: &Finding) -> Self {
        let overrides = &finding.world().overrides;
        let describe = |(key, value): (&_, &u64)| finding.log().describe_override(*key, *value);
        Self {
            signature: Signature::of(finding.failure()).to_string(),
            seed: finding.seed().to_string(),
            strategy: finding.strategy().to_string(),
            failure_kind: finding.failure().kind().to_owned(),
            failure: finding.failure().to_string(),
            choices: overrides.iter().map(describe).collect(),
            token: finding.token().map(ToString::to_string),
        }
    }
}

impl End {
    /// The end of a hunt in which a stored world fails.
    pub(crate) fn at_stored_world() -> Self {
        Self {
            seeds_run: 0,
            steps: 0,
            stop: Some(STORED_WORLD.to_owned()),
            wall_seconds: 0.0,
            coverage: CoverageItem::default(),
            properties: Vec::new(),
            branches: Vec::new(),
            fault_kinds: Vec::new(),
        }
    }

    pub(crate) fn of(report: &CheckReport) -> Self {
        let properties = report.properties().iter().map(|summary| PropertyItem {
            property: summary.property().to_string(),
            held: summary.held(),
            failed: summary.failed(),
            is_unmet: summary.is_unmet(),
        });
        let branches = report.buggified().iter().map(|branch| ReachedItem {
            name: branch.name().to_owned(),
            seeds: branch.seeds(),
            seeds_fired: branch.seeds_fired(),
        });
        let fault_kinds = report.faults().iter().map(|faults| ReachedItem {
            name: faults.kind.to_string(),
            seeds: faults.seeds,
            seeds_fired: faults.seeds_fired,
        });
        Self {
            seeds_run: report.seeds_run(),
            steps: report.steps(),
            stop: stop(report.stop()).map(str::to_owned),
            wall_seconds: report.wall_time().as_secs_f64(),
            coverage: CoverageItem::of(report),
            properties: properties.collect(),
            branches: branches.collect(),
            fault_kinds: fault_kinds.collect(),
        }
    }
}

impl End {
    /// Returns how many distinct runs there are at most: beyond a limit they are not told apart.
    pub(crate) fn distinct_runs_max(&self) -> u64 {
        match self.coverage.distinct_runs {
            runs if runs < Coverage::RUNS_MAX => runs,
            _ => self.seeds_run,
        }
    }
}

impl CoverageItem {
    pub(crate) fn of(report: &CheckReport) -> Self {
        let coverage = report.coverage();
        Self {
            distinct_runs: coverage.distinct_runs,
            properties_held: coverage.properties_held,
            properties_failed: coverage.properties_failed,
            branches: coverage.branches,
            branches_fired: coverage.branches_fired,
            fault_kinds: coverage.fault_kinds,
            fault_kinds_fired: coverage.fault_kinds_fired,
            seeds_since_new: coverage.seeds_since_new,
        }
    }
}

/// In one sentence, as a report says it of one hunt.
impl fmt::Display for CoverageItem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut coverage = Coverage::default();
        coverage.properties_held = self.properties_held;
        coverage.properties_failed = self.properties_failed;
        coverage.branches = self.branches;
        coverage.branches_fired = self.branches_fired;
        coverage.fault_kinds = self.fault_kinds;
        coverage.fault_kinds_fired = self.fault_kinds_fired;
        // The number of runs is exact, however many there are.
        let sentence = coverage.to_string();
        let rest = sentence.split_once("runs").map_or("", |(_, rest)| rest);
        let runs = if self.distinct_runs == 1 { "run" } else { "runs" };
        write!(formatter, "{} distinct {runs}{rest}", self.distinct_runs)
    }
}

/// Returns why a hunt ended early, in words.
pub(crate) fn stop(stop: Option<Stop>) -> Option<&'static str> {
    stop.map(|stop| match stop {
        Stop::Interrupted => INTERRUPTED,
        Stop::NothingNew => NOTHING_NEW,
        _ => "time limit",
    })
}

pub(crate) const FORMAT: u32 = 1;
pub(crate) const INTERRUPTED: &str = "interrupted";
/// A stored world fails, so no seed was run.
pub(crate) const STORED_WORLD: &str = "stored world";
pub(crate) const NOTHING_NEW: &str = "nothing new";
const FAILS: &str = "fails";
const PASSES: &str = "passes";
