//! How small failures become and what that costs: planned bugs, and many failing seeds of each.
//!
//! Each failing seed is searched for without shrinking. Then it is run and shrunk alone, on one thread, and the time of the
//! processor is taken. What is known by hand is the least number of faults with which a bug can show; that of what the
//! program draws for itself, as the scenarios do, is none.
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "a search is timed")]

#[path = "../../sim/src/scenarios/cancel_leak.rs"]
mod cancel_leak;
#[path = "../../sim/src/scenarios/check_then_act.rs"]
mod check_then_act;
#[path = "../../sim/src/scenarios/clock_skew_lease.rs"]
mod clock_skew_lease;
#[path = "../../sim/src/scenarios/double_acquire.rs"]
mod double_acquire;
mod faulty;
#[path = "../../sim/src/scenarios/line.rs"]
#[expect(dead_code, reason = "other scenarios of the command use all of it")]
mod line;
#[path = "../../sim/src/scenarios/lost_at_restart.rs"]
mod lost_at_restart;
#[path = "../../sim/src/scenarios/lost_update.rs"]
mod lost_update;
#[path = "../../sim/src/scenarios/philosophers.rs"]
mod philosophers;
#[path = "../../sim/src/scenarios/split_brain_lock.rs"]
mod split_brain_lock;
#[path = "../../sim/src/scenarios/stranded_permits.rs"]
mod stranded_permits;
#[path = "../../sim/src/scenarios/wire.rs"]
mod wire;

use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use parcae::explore::{Check, Determinism, Explain, Shrink};

use crate::protocols;
use crate::scenario::{Program, Scenario};

/// What the command line says.
#[derive(Debug)]
pub(crate) struct Options {
    seeds: usize,
    only: String,
}

impl Options {
    /// Reads options in pairs of name and value.
    ///
    /// # Errors
    /// A sentence for whoever typed them.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { seeds: SEEDS, only: String::new() };
        for pair in arguments.chunks(2) {
            let [name, value] = pair else { return Err(format!("{} needs a value", pair[0])) };
            match name.as_str() {
                "--seeds" => match value.parse() {
                    Ok(seeds) if seeds > 0 => options.seeds = seeds,
                    _ => return Err(format!("{value:?} is not a number above 0")),
                },
                "--only" => options.only.clone_from(value),
                _ => return Err(format!("unknown option {name:?}")),
            }
        }
        Ok(options)
    }
}

/// A bug, and the least number of faults with which it can show.
struct Subject {
    name: &'static str,
    faults: usize,
    program: Program,
}

/// What became of one failing seed.
#[derive(Clone, Copy, Debug)]
struct Shrunk {
    found: usize,
    found_faults: usize,
    choices: usize,
    faults: usize,
    runs: u64,
    time: Duration,
}

/// Returns the table, and tells how far it is.
pub(crate) fn table(options: &Options, tell: impl Fn(&str)) -> String {
    let mut lines = vec![
        "| bug | choices, found | shrunk | most | faults, found | shrunk | by hand | as few as by hand | runs | most | processor, ms | most |"
            .to_owned(),
        "|---|---|---|---|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    let mut all = Vec::new();
    let mut least = 0;
    for subject in subjects().into_iter().filter(|subject| subject.name.contains(&options.only)) {
        tell(subject.name);
        let shrunk = shrink(&subject, options.seeds);
        if shrunk.is_empty() {
            lines.push(format!("| {} | not found | | | | | | | | | | |", subject.name));
            continue;
        }
        lines.push(line(&subject, &shrunk));
        least += shrunk.iter().filter(|shrunk| shrunk.faults == subject.faults).count();
        all.extend(shrunk);
    }
    if let [_, ..] = all[..] {
        lines.push(format!(
            "\n{} failing seeds. Medians of all: {} choices, {} runs, {} ms of processor; as few faults as by hand in {} %.",
            all.len(),
            median(&all, |shrunk| shrunk.choices as u64),
            median(&all, |shrunk| shrunk.runs),
            median(&all, millis),
            100 * least / all.len(),
        ));
    }
    if options.only.is_empty() {
        lines.push(curve());
    }
    lines.join("\n")
}

fn line(subject: &Subject, shrunk: &[Shrunk]) -> String {
    let as_few = shrunk.iter().filter(|shrunk| shrunk.faults == subject.faults).count();
    let most = |value: fn(&Shrunk) -> u64| shrunk.iter().map(value).max().unwrap_or_default();
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {} % | {} | {} | {} | {} |",
        subject.name,
        median(shrunk, |shrunk| shrunk.found as u64),
        median(shrunk, |shrunk| shrunk.choices as u64),
        most(|shrunk| shrunk.choices as u64),
        median(shrunk, |shrunk| shrunk.found_faults as u64),
        median(shrunk, |shrunk| shrunk.faults as u64),
        subject.faults,
        100 * as_few / shrunk.len(),
        median(shrunk, |shrunk| shrunk.runs),
        most(|shrunk| shrunk.runs),
        median(shrunk, millis),
        most(millis),
    )
}

fn shrink(subject: &Subject, seeds: usize) -> Vec<Shrunk> {
    let check = || Check::new(subject.name).determinism(Determinism::Off);
    let mut not_at_all = Shrink::default();
    not_at_all.runs = 0;
    let mut next = 0;
    let mut shrunk = Vec::new();
    while shrunk.len() < seeds && next < SEEDS_MAX {
        let search = check().shrink(not_at_all.clone()).first_seed(next).seeds(SEEDS_MAX - next);
        let report = search.run(subject.program);
        let Some(finding) = report.finding() else { break };
        let seed = finding.seed();
        next = seed.get() + 1;
        let start = ProcessTime::now();
        let report = check().only_seed(seed).jobs(1).run(subject.program);
        let time = start.elapsed();
        let Some(finding) = report.finding() else { continue };
        let Some(summary) = finding.shrink() else { continue };
        shrunk.push(Shrunk {
            found: finding.found().choices,
            found_faults: finding.found().faults,
            choices: summary.size.choices,
            faults: summary.size.faults,
            runs: summary.runs,
            time,
        });
    }
    shrunk
}

/// Measures an explanation with its 20 points and 50 endings each.
fn curve() -> String {
    let subject = &subjects()[ABD];
    let report = Check::new(subject.name).run(subject.program);
    let Some(token) = report.finding().and_then(|finding| finding.token()) else {
        return "The curve was not measured: nothing was found.".to_owned();
    };
    let start = Instant::now();
    let check = Check::new(subject.name).explain(Explain::default());
    let replay = check.replay(token, parcae::explore::ReplayMode::Strict, subject.program);
    let time = start.elapsed();
    let explanation = replay.ok().and_then(|replay| replay.finding?.explanation().cloned());
    let runs = explanation.map_or(0, |explanation| explanation.runs);
    format!(
        "Explaining \"{}\" (three replicas, three clients), with 20 points of 50 endings each: {runs} runs, {} ms of wall time.",
        subject.name,
        time.as_millis()
    )
}

fn median(shrunk: &[Shrunk], value: impl Fn(&Shrunk) -> u64) -> u64 {
    let mut values: Vec<u64> = shrunk.iter().map(value).collect();
    values.sort_unstable();
    values[values.len() / 2]
}

fn millis(shrunk: &Shrunk) -> u64 {
    u64::try_from(shrunk.time.as_millis()).unwrap_or(u64::MAX)
}

fn subjects() -> Vec<Subject> {
    let scenario =
        |scenario: &Scenario| Subject { name: scenario.name, faults: 0, program: scenario.buggy };
    let protocol = |protocol: &protocols::Protocol| Subject {
        name: protocol.name,
        faults: 0,
        program: protocol.buggy,
    };
    let mut subjects: Vec<Subject> = protocols::ALL.iter().map(protocol).collect();
    subjects.extend(faulty::ALL.map(|(name, faults, program)| Subject { name, faults, program }));
    subjects.extend(
        [
            &lost_update::SCENARIO,
            &check_then_act::SCENARIO,
            &philosophers::SCENARIO,
            &cancel_leak::SCENARIO,
            &double_acquire::SCENARIO,
            &stranded_permits::SCENARIO,
            &split_brain_lock::SCENARIO,
            &clock_skew_lease::SCENARIO,
            &lost_at_restart::SCENARIO,
        ]
        .map(scenario),
    );
    subjects
}

/// Place of the register on three replicas among the subjects.
const ABD: usize = 0;
const SEEDS: usize = 50;
const SEEDS_MAX: u64 = 1_000_000;
