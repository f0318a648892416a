//! What a check that keeps going has found beside the first failure.

use super::command::{ReplayCommand, replay_line, seed_line};
use super::page::{Page, clipped, counted, first_line, number};
use crate::explore::{CheckReport, FailingSeed, Finding, Signature};

/// Adds all seeds that fail, by signature, of a check that keeps going.
pub(super) fn failing(
    page: &mut Page,
    report: &CheckReport,
    command: &ReplayCommand,
    is_complete: bool,
) {
    let all = report.failing();
    if !report.keeps_going() || all.is_empty() {
        return;
    }
    let (run, planned) = (report.seeds_run(), report.seeds_planned());
    let run = match planned.checked_sub(run) {
        None | Some(0) => counted(run, "seed"),
        Some(_) => format!("{} of {}", counted(run, "seed"), number(planned)),
    };
    let kinds = kinds(all);
    let count = counted(all.len() as u64, "failing run");
    let kind_count = counted(kinds.len() as u64, "kind");
    page.section("failing", &format!("{count} of {kind_count} in {run}:"));
    for (signature, seeds) in kinds {
        let title = clipped(&first_line(&signature), SIGNATURE_WIDTH_MAX);
        page.indented(&format!("{title}  ({})", number(seeds.len() as u64)));
        let shown = if is_complete { seeds.len() } else { SEEDS_MAX };
        for line in seeds[..shown.min(seeds.len())].chunks(SEEDS_PER_LINE) {
            page.indented(&format!("  {}", line.join(" ")));
        }
        if let Some(more) = seeds.len().checked_sub(shown).filter(|more| *more > 0) {
            page.indented(&format!("  … and {} more", number(more as u64)));
        }
        let is_first =
            |finding: &&Finding| Signature::of(finding.failure()).to_string() == signature;
        if let Some(finding) = report.findings().iter().skip(1).find(is_first) {
            page.indented(&format!("  {}", line_of(command, finding)));
        }
    }
}

fn line_of(command: &ReplayCommand, finding: &Finding) -> String {
    match finding.token() {
        Some(token) => replay_line(command, token, None),
        None => seed_line(command, finding.seed()),
    }
}

/// Returns the seeds of each signature, in the order of the first ones.
fn kinds(all: &[FailingSeed]) -> Vec<(String, Vec<String>)> {
    let mut kinds: Vec<(String, Vec<String>)> = Vec::new();
    for failing in all {
        let seed = failing.seed().to_string();
        match kinds.iter_mut().find(|(signature, _)| signature == failing.signature()) {
            Some((_, seeds)) => seeds.push(seed),
            None => kinds.push((failing.signature().to_owned(), vec![seed])),
        }
    }
    kinds
}

const SIGNATURE_WIDTH_MAX: usize = 90;
const SEEDS_PER_LINE: usize = 12;
const SEEDS_MAX: usize = 120;
