//! `parcae merge`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use parcae::Seed;
use parcae::corpus::FailingWorld;
use parcae::explore::Check;
use parcae::harness::{Environment, KeepingMode};
use parcae::report;

use crate::cli::{MergeArguments, MergeFormat};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::lines::{FindingItem, StoredItem};
use crate::merged::{Identity, MergeError, Merged};
use crate::output;
use crate::scenario::ScenarioProgram;

pub(crate) fn run(arguments: &MergeArguments) -> Result<Exit, CommandError> {
    let mut merged = Merged::default();
    for path in &arguments.files {
        let error = |error| CommandError::Results { path: path.clone(), error };
        let text = String::from_utf8_lossy(&fs::read(path).map_err(error)?).into_owned();
        let file = path.display().to_string();
        if text.trim().is_empty() {
            output::tell(&format!("{file} is empty: its hunt has ended before it began"));
        }
        merged.add(&file, &text)?;
    }
    let identity = merged.identity().ok_or(MergeError::Nothing)?.clone();
    let stored = store(arguments, &merged, &identity)?;
    let text = match arguments.format {
        MergeFormat::Text => text(&merged, &identity, &stored),
        MergeFormat::Jsonl => merged.lines().iter().map(ToString::to_string).collect(),
    };
    output::print(&text)?;
    Ok(exit(&merged))
}

/// Stores the failing worlds, as one hunt of all seeds would have: those that stand there are run first.
fn store(
    arguments: &MergeArguments,
    merged: &Merged,
    identity: &Identity,
) -> Result<Vec<PathBuf>, CommandError> {
    let keeping = match &arguments.corpus {
        Some(keeping) => keeping.clone(),
        None => Environment::read_keeping()?.unwrap_or_default(),
    };
    if keeping.mode == KeepingMode::Off {
        return Ok(Vec::new());
    }
    let program = ScenarioProgram::parse(&identity.check).map_err(MergeError::Unknown)?;
    let check = Check::new(identity.check.clone());
    let kept = keeping.replay(&check, &Arc::new(program.program()))?;
    kept.lines.iter().for_each(|line| output::tell(line));
    let worlds = merged.findings().into_values().filter_map(|it| world(it, &identity.build));
    Ok(kept.store_worlds(worlds)?)
}

/// Returns the world of a finding; none of one without a token.
fn world(finding: &FindingItem, build: &str) -> Option<FailingWorld> {
    let token = finding.token.as_ref()?.parse().ok()?;
    let found_by = (Seed::parse(&finding.seed).ok()?, finding.strategy.parse().ok()?);
    let failure = (finding.signature.as_str(), finding.failure.as_str());
    Some(FailingWorld::new(token, failure, found_by, finding.choices.clone(), build))
}

fn text(merged: &Merged, identity: &Identity, stored: &[PathBuf]) -> String {
    let Identity { check, build, strategy } = identity;
    let run: u64 = merged.parts().map(|(_, part)| part.seeds_run()).sum();
    let planned = merged.planned();
    let (failing, missing) = (merged.failing(), merged.missing());
    let is_incomplete = if missing.is_empty() { "" } else { ", not complete" };
    let is_stored = merged.parts().flat_map(|(_, part)| &part.stored).any(StoredItem::is_failing);
    let mut text = match failing.is_empty() {
        true if is_stored => {
            format!(
                "parcae: {check} failed: a stored world fails; {run} of {planned} seeds were run{is_incomplete}"
            )
        }
        true => format!("parcae: {check}: no failure in {run} of {planned} seeds{is_incomplete}"),
        false => {
            let count = failing.len();
            format!(
                "parcae: {check} failed: {count} failing runs in {run} of {planned} seeds{is_incomplete}"
            )
        }
    };
    let _ = writeln!(text, " ({strategy}, build {build})");
    let mut kinds: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for item in failing {
        kinds.entry(&item.signature).or_default().push(item.seed.clone());
    }
    let findings = merged.findings();
    for (signature, mut seeds) in kinds {
        seeds.sort_by_key(|seed| (seed.len(), seed.clone()));
        let first = signature.lines().next().unwrap_or_default();
        let _ = writeln!(text, "  failing  {first}  ({})", seeds.len());
        for line in seeds.chunks(SEEDS_PER_LINE) {
            let _ = writeln!(text, "             {}", line.join(" "));
        }
        let token = findings.get(signature).and_then(|it| it.token.as_ref()?.parse().ok());
        if let Some(token) = token {
            let line = report::replay_line(&output::replay_command(), &token, None);
            let _ = writeln!(text, "             {line}");
        }
    }
    for item in merged.parts().flat_map(|(_, part)| &part.stored).filter(|it| it.is_failing()) {
        let _ = writeln!(text, "  stored   {} {}", item.path, item.standing);
    }
    for (key, part) in missing {
        let (shard, first, seeds) = (key.shard, key.first_seed, key.seeds);
        let _ = match part {
            None => writeln!(text, "  missing  shard {shard} of {seeds} seeds from {first} on"),
            Some(part) => writeln!(
                text,
                "  missing  shard {shard} of {seeds} seeds from {first} on has not ended: {} run",
                part.seeds_run()
            ),
        };
    }
    for property in unmet(merged) {
        let _ = writeln!(text, "  unmet    {property}");
    }
    let coverage = merged.coverage();
    if coverage.distinct_runs > 0 {
        let _ = writeln!(text, "  coverage at most {coverage}");
    }
    for path in stored {
        let _ = writeln!(text, "  stored   {}", path.display());
    }
    text
}

/// Returns what is unmet, if nothing failed and all seeds were run, or as many as show nothing new: others may have met it.
fn unmet(merged: &Merged) -> Vec<&str> {
    let is_judged = merged.failing().is_empty()
        && merged.missing().is_empty()
        && merged.parts().all(|(_, part)| part.is_whole());
    if is_judged { merged.unmet().into_iter().collect() } else { Vec::new() }
}

fn exit(merged: &Merged) -> Exit {
    let mut stored = merged.parts().flat_map(|(_, part)| &part.stored);
    let seeds_run: u64 = merged.parts().map(|(_, part)| part.seeds_run()).sum();
    if !merged.failing().is_empty() || stored.any(StoredItem::is_failing) {
        Exit::Failing
    } else if !merged.missing().is_empty() {
        Exit::Infrastructure
    } else if seeds_run >= JUDGED_SEEDS_MIN && !unmet(merged).is_empty() {
        Exit::Failing
    } else {
        Exit::Clean
    }
}

const SEEDS_PER_LINE: usize = 12;
/// As a check judges what is unmet by default.
const JUDGED_SEEDS_MIN: u64 = 100;
