//! What `--format json` prints. Names of fields are kept; new ones may join.

use std::path::Path;

use parcae::explore::{CheckReport, Finding, Replay, RunSize, ShrinkSummary};
use serde::Serialize;

use crate::lines::{self, CoverageItem, FailingItem, StoredItem};
use crate::scenario::Scenario;

/// Returns the list of scenarios.
pub(crate) fn scenarios(scenarios: &[Scenario]) -> String {
    let scenarios = scenarios
        .iter()
        .map(|scenario| ScenarioItem {
            name: scenario.name,
            summary: scenario.summary,
            defect: scenario.defect,
            source: scenario.source,
            failure_kind: scenario.failure_kind,
            seeds_until_found: scenario.seeds_until_found,
        })
        .collect();
    lines_of(&ListItem { scenarios })
}

/// Returns the outcome of a hunt, where its report was saved, and what the stored worlds have shown.
pub(crate) fn report(report: &CheckReport, saved: Option<&Path>, stored: &[StoredItem]) -> String {
    lines_of(&ReportItem {
        name: report.name(),
        strategy: report.strategy().name(),
        seeds_planned: report.seeds_planned(),
        seeds_run: report.seeds_run(),
        steps: report.steps(),
        shard: report.shard().to_string(),
        stop: lines::stop(report.stop()),
        wall_seconds: report.wall_time().as_secs_f64(),
        finding: report.finding().map(FindingItem::of),
        failing: report.failing().iter().map(FailingItem::of).collect(),
        other_findings: report.findings().iter().skip(1).map(FindingItem::of).collect(),
        coverage: CoverageItem::of(report),
        stored,
        report: saved.map(|path| path.display().to_string()),
    })
}

/// Returns the outcome of a hunt in which a stored world fails, so that no seed was run.
pub(crate) fn stored(replay: &Replay, stored: &[StoredItem]) -> String {
    let finding = replay.finding.as_deref().map(FindingItem::of);
    lines_of(&StoredReportItem { name: &replay.name, seeds_run: 0, finding, stored })
}

#[derive(Serialize)]
struct ListItem<'a> {
    scenarios: Vec<ScenarioItem<'a>>,
}

#[derive(Serialize)]
struct ScenarioItem<'a> {
    name: &'a str,
    summary: &'a str,
    defect: &'a str,
    source: &'a str,
    failure_kind: &'a str,
    seeds_until_found: u64,
}

#[derive(Serialize)]
struct ReportItem<'a> {
    name: &'a str,
    strategy: &'a str,
    seeds_planned: u64,
    seeds_run: u64,
    steps: u64,
    shard: String,
    /// Why it ended early.
    stop: Option<&'a str>,
    wall_seconds: f64,
    finding: Option<FindingItem<'a>>,
    /// All seeds that fail, with `--keep-going`.
    failing: Vec<FailingItem>,
    /// Those of the other signatures.
    other_findings: Vec<FindingItem<'a>>,
    coverage: CoverageItem,
    /// Stored worlds, which were run before the seeds.
    stored: &'a [StoredItem],
    /// File of the text report.
    report: Option<String>,
}

#[derive(Serialize)]
struct StoredReportItem<'a> {
    name: &'a str,
    seeds_run: u64,
    finding: Option<FindingItem<'a>>,
    stored: &'a [StoredItem],
}

#[derive(Serialize)]
struct FindingItem<'a> {
    /// A text: readers of JSON round integers above 2^53.
    seed: String,
    failure_kind: &'a str,
    failure: String,
    found: SizeItem,
    shrunk: Option<ShrunkItem>,
    /// The choices of the shrunk run that differ from the default world's, in words.
    choices: Vec<String>,
    virtual_seconds: f64,
    token: Option<String>,
}

impl<'a> FindingItem<'a> {
    fn of(finding: &'a Finding) -> Self {
        let log = finding.log();
        let overrides = &finding.world().overrides;
        Self {
            seed: finding.seed().to_string(),
            failure_kind: finding.failure().kind(),
            failure: finding.failure().to_string(),
            found: SizeItem::of(finding.found()),
            shrunk: finding.shrink().map(ShrunkItem::of),
            choices: overrides
                .iter()
                .map(|(key, value)| log.describe_override(*key, *value))
                .collect(),
            virtual_seconds: finding.elapsed().elapsed().as_secs_f64(),
            token: finding.token().map(ToString::to_string),
        }
    }
}

#[derive(Serialize)]
struct SizeItem {
    choices: usize,
    switches: usize,
    steps: u64,
}

impl SizeItem {
    fn of(size: RunSize) -> Self {
        let RunSize { choices, switches, steps, .. } = size;
        Self { choices, switches, steps }
    }
}

#[derive(Serialize)]
struct ShrunkItem {
    #[serde(flatten)]
    size: SizeItem,
    runs: u64,
    wall_seconds: f64,
    is_minimal: bool,
    is_cut: bool,
    /// Other failures met on the way.
    others: Vec<String>,
}

impl ShrunkItem {
    fn of(summary: &ShrinkSummary) -> Self {
        Self {
            size: SizeItem::of(summary.size),
            runs: summary.runs,
            wall_seconds: summary.wall_time.as_secs_f64(),
            is_minimal: summary.is_minimal,
            is_cut: summary.is_cut,
            others: summary.others.iter().map(ToString::to_string).collect(),
        }
    }
}

fn lines_of(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value);
    text.expect("texts and numbers, no maps with other keys") + "\n"
}
