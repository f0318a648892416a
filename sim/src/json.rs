//! What `--format json` prints. Names of fields are kept; new ones may join.

use std::path::Path;

use parcae::explore::{CheckReport, Finding, RunSize, ShrinkSummary, Stop};
use serde::Serialize;

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
    lines(&ListItem { scenarios })
}

/// Returns the outcome of a hunt, and where its report was saved.
pub(crate) fn report(report: &CheckReport, saved: Option<&Path>) -> String {
    lines(&ReportItem {
        name: report.name(),
        strategy: report.strategy().name(),
        seeds_planned: report.seeds_planned(),
        seeds_run: report.seeds_run(),
        steps: report.steps(),
        stop: report.stop().map(|stop| match stop {
            Stop::Interrupted => "interrupted",
            _ => "time limit",
        }),
        wall_seconds: report.wall_time().as_secs_f64(),
        finding: report.finding().map(FindingItem::of),
        report: saved.map(|path| path.display().to_string()),
    })
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
    /// Why it ended early.
    stop: Option<&'a str>,
    wall_seconds: f64,
    finding: Option<FindingItem<'a>>,
    /// File of the text report.
    report: Option<String>,
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

fn lines(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value);
    text.expect("texts and numbers, no maps with other keys") + "\n"
}
