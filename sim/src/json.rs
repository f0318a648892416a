//! What `--format json` prints. Names of fields are kept; new ones may join.

use std::path::Path;

use parcae::executor::Log;
use parcae::explore::{
    Change, CheckReport, Difference, Explanation, Finding, Likelihood, LikelihoodPoint,
    NearestPass, Order, Part, Replay, ReplayVerdict, RunSize, ShrinkSummary, Without,
};
use parcae::kernel::VirtualTime;
use serde::Serialize;

use crate::lines::{self, CoverageItem, FailingItem, STORED_WORLD, StoredItem};
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

/// Returns why the failure of a replay happens; the fields are told by `docs/EXPLAIN.md`.
pub(crate) fn explanation(replay: &Replay) -> String {
    let finding = replay.finding.as_deref();
    let explained = finding.and_then(|finding| Some((finding, finding.explanation()?)));
    lines_of(&ExplainItem {
        name: &replay.name,
        verdict: match replay.verdict {
            ReplayVerdict::Reproduced => "reproduced",
            ReplayVerdict::Passes => "passes",
            ReplayVerdict::Diverged => "diverged",
        },
        failure_kind: finding.map(|finding| finding.failure().kind()),
        failure: finding.map(|finding| finding.failure().to_string()),
        token: finding.and_then(Finding::token).map(ToString::to_string),
        explanation: explained
            .map(|(finding, explanation)| ExplanationItem::of(finding.log(), explanation)),
    })
}

/// Returns the outcome of a hunt in which a stored world fails, so that no seed was run.
pub(crate) fn stored(replay: &Replay, stored: &[StoredItem]) -> String {
    let finding = replay.finding.as_deref().map(FindingItem::of);
    lines_of(&StoredReportItem {
        name: &replay.name,
        seeds_run: 0,
        stop: STORED_WORLD,
        finding,
        failing: Vec::new(),
        other_findings: Vec::new(),
        stored,
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
    shard: String,
    /// Why it ended early.
    stop: Option<&'a str>,
    wall_seconds: f64,
    finding: Option<FindingItem<'a>>,
    /// All seeds that fail with `--keep-going`, else the first.
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
    stop: &'a str,
    finding: Option<FindingItem<'a>>,
    failing: Vec<FailingItem>,
    other_findings: Vec<FindingItem<'a>>,
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
    faults: usize,
    steps: u64,
}

impl SizeItem {
    fn of(size: RunSize) -> Self {
        let RunSize { choices, switches, faults, steps, .. } = size;
        Self { choices, switches, faults, steps }
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

#[derive(Serialize)]
struct ExplainItem<'a> {
    name: &'a str,
    verdict: &'a str,
    failure_kind: Option<&'a str>,
    failure: Option<String>,
    token: Option<String>,
    explanation: Option<ExplanationItem<'a>>,
}

#[derive(Serialize)]
struct ExplanationItem<'a> {
    choices: Vec<PartItem<'a>>,
    nearest: Option<NearestItem<'a>>,
    likelihood: Option<LikelihoodItem>,
    past: Vec<EntryItem>,
    runs: u64,
    is_cut: bool,
}

impl<'a> ExplanationItem<'a> {
    fn of(log: &Log, explanation: &'a Explanation) -> Self {
        let past = explanation.past.iter().filter_map(|entry| EntryItem::of(log, *entry));
        Self {
            choices: explanation.parts.iter().map(|part| PartItem::of(log, part)).collect(),
            nearest: explanation.nearest.as_ref().map(NearestItem::of),
            likelihood: explanation.likelihood.as_ref().map(|it| LikelihoodItem::of(log, it)),
            past: past.collect(),
            runs: explanation.runs,
            is_cut: explanation.is_cut,
        }
    }
}

#[derive(Serialize)]
struct PartItem<'a> {
    text: String,
    stream: String,
    site: u32,
    ordinal: u64,
    /// A text: readers of JSON round integers above 2^53.
    value: String,
    without: &'a str,
    /// How the run without it fails.
    otherwise: Option<String>,
    range: Option<RangeItem>,
    orders: Vec<OrderItem<'a>>,
    difference: Option<DifferenceItem<'a>>,
}

impl<'a> PartItem<'a> {
    fn of(log: &Log, part: &'a Part) -> Self {
        let (without, otherwise) = match &part.without {
            Without::Passes(_) => ("passes", None),
            Without::FailsOtherwise(signature, _) => {
                ("fails otherwise", Some(signature.to_string()))
            }
            Without::FailsAlike => ("fails alike", None),
            _ => ("untried", None),
        };
        Self {
            text: log.describe_override(part.key, part.value),
            stream: part.key.stream.to_string(),
            site: part.key.site,
            ordinal: part.key.ordinal,
            value: part.value.to_string(),
            without,
            otherwise,
            range: part.range.map(|range| RangeItem {
                text: range.to_string(),
                low: range.low.to_string(),
                high: range.high.to_string(),
            }),
            orders: part.orders.iter().map(OrderItem::of).collect(),
            difference: part.without.difference().map(DifferenceItem::of),
        }
    }
}

#[derive(Serialize)]
struct RangeItem {
    text: String,
    low: String,
    high: String,
}

#[derive(Serialize)]
struct OrderItem<'a> {
    first: &'a str,
    then: &'a str,
}

impl<'a> OrderItem<'a> {
    fn of(order: &'a Order) -> Self {
        Self { first: &order.first, then: &order.then }
    }
}

#[derive(Serialize)]
struct DifferenceItem<'a> {
    entry: usize,
    virtual_seconds: f64,
    failing: &'a [String],
    other: &'a [String],
}

impl<'a> DifferenceItem<'a> {
    fn of(difference: &'a Difference) -> Self {
        let Difference { entry, time, failing, other, .. } = difference;
        Self { entry: *entry, virtual_seconds: seconds(*time), failing, other }
    }
}

#[derive(Serialize)]
struct NearestItem<'a> {
    /// Index of the choice that is other in it.
    choice: usize,
    /// The value that the choice has in it; none when it has its default.
    value: Option<String>,
    difference: DifferenceItem<'a>,
}

impl<'a> NearestItem<'a> {
    fn of(nearest: &'a NearestPass) -> Self {
        let value = match nearest.change {
            Change::LeftOut => None,
            Change::Value(value) => Some(value.to_string()),
        };
        let difference = DifferenceItem::of(&nearest.difference);
        Self { choice: nearest.part, value, difference }
    }
}

#[derive(Serialize)]
struct LikelihoodItem {
    endings: u32,
    points: Vec<PointItem>,
    decided_at: Option<EntryItem>,
}

impl LikelihoodItem {
    fn of(log: &Log, likelihood: &Likelihood) -> Self {
        Self {
            endings: likelihood.endings,
            points: likelihood.points.iter().map(PointItem::of).collect(),
            decided_at: likelihood.decided_at.and_then(|entry| EntryItem::of(log, entry)),
        }
    }
}

#[derive(Serialize)]
struct PointItem {
    events: u64,
    virtual_seconds: f64,
    failing: u32,
    failing_otherwise: u32,
}

impl PointItem {
    fn of(point: &LikelihoodPoint) -> Self {
        let LikelihoodPoint { events, time, failing, failing_otherwise, .. } = *point;
        Self { events, virtual_seconds: seconds(time), failing, failing_otherwise }
    }
}

#[derive(Serialize)]
struct EntryItem {
    entry: usize,
    virtual_seconds: f64,
    text: String,
}

impl EntryItem {
    fn of(log: &Log, entry: usize) -> Option<Self> {
        let found = log.entries.get(entry)?;
        Some(Self { entry, virtual_seconds: seconds(found.time), text: log.describe(found) })
    }
}

fn seconds(time: VirtualTime) -> f64 {
    time.elapsed().as_secs_f64()
}

fn lines_of(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value);
    text.expect("texts and numbers, no maps with other keys") + "\n"
}
