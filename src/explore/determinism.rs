//! Running a world twice, and saying where the two runs part.

use super::host::{self, Isolation, NoThread};
use super::sim::{Outcome, Settings};
use super::world::{Program, World};
use crate::executor::{Failure, Log, LogEntry};

/// Runs a world twice with its log. Returns the first run and, if the second one differed, the
/// first event at which it did.
pub(super) fn run_twice(
    program: &Program,
    world: &World,
    settings: &Settings,
    isolation: Isolation,
) -> Result<(Outcome, Option<Failure>), NoThread> {
    let run = || {
        let sim = world.sim(settings).logged(true);
        host::isolated(isolation, || program.run(sim))
    };
    let (first, second) = (run()?, run()?);
    if first.chain() == second.chain() && first.event_count() == second.event_count() {
        return Ok((first, None));
    }
    let logs = (first.log(), second.log());
    let failure = match logs {
        (Some(first), Some(second)) => first_difference(first, second),
        _ => vanished(),
    };
    Ok((first, Some(failure)))
}

/// The failure of a seed that failed once and then passed twice.
pub(super) fn vanished() -> Failure {
    Failure::Nondeterminism {
        event: 0,
        first: "the run failed when it was found".to_owned(),
        second: "the same seed passes now, without a difference between two logged runs".to_owned(),
    }
}

fn first_difference(first: &Log, second: &Log) -> Failure {
    let is_same = |(left, right): (&LogEntry, &LogEntry)| {
        left.what == right.what && left.task == right.task && left.time == right.time
    };
    let common = first
        .entries
        .iter()
        .zip(&second.entries)
        .position(|pair| !is_same(pair))
        .unwrap_or_else(|| first.entries.len().min(second.entries.len()));
    let say = |log: &Log| match log.entries.get(common) {
        Some(entry) => log.describe(entry),
        None if log.dropped_count > 0 => "past the end of its log".to_owned(),
        None => "has ended".to_owned(),
    };
    Failure::Nondeterminism { event: common, first: say(first), second: say(second) }
}
