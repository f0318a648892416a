//! Running a world twice, and saying where the two runs part.

use super::host::{self, Isolation, NoThread};
use super::signature::Signature;
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
    let failure = difference(&first, &second);
    Ok((first, failure))
}

/// Compares two logged runs of one world.
pub(super) fn difference(first: &Outcome, second: &Outcome) -> Option<Failure> {
    if first.chain() == second.chain() && first.event_count() == second.event_count() {
        return ends_otherwise(first, second);
    }
    Some(match (first.log(), second.log()) {
        (Some(first), Some(second)) => first_difference(first, second),
        _ => vanished(),
    })
}

/// Compares how two runs of the same events ended: an error that is returned is none of them. A wake from
/// another thread comes when it comes, and says more than that it did not come again.
fn ends_otherwise(first: &Outcome, second: &Outcome) -> Option<Failure> {
    let is_foreign = |run: &Outcome| matches!(run.failure(), Some(Failure::ForeignWake { .. }));
    let signature = |run: &Outcome| run.failure().map(Signature::of);
    if is_foreign(first) || is_foreign(second) || signature(first) == signature(second) {
        return None;
    }
    let end = |run: &Outcome| run.failure().map_or_else(|| PASSES.to_owned(), ToString::to_string);
    let event = first.log().map_or(0, |log| log.entries.len());
    Some(Failure::Nondeterminism { event, first: end(first), second: end(second) })
}

/// The failure of a seed that failed once and then passed twice.
pub(super) fn vanished() -> Failure {
    Failure::Nondeterminism {
        event: 0,
        first: "the run failed when it was found".to_owned(),
        second: "the same seed passes now, without a difference between two logged runs".to_owned(),
    }
}

/// The failure of a seed that failed in this way at first and passes now.
pub(super) fn passes_now(failure: &Failure) -> Failure {
    Failure::Nondeterminism { event: 0, first: failure.to_string(), second: PASSES.to_owned() }
}

/// The failure of a run that was to repeat another one up to a choice, and has not come to it.
pub(super) fn led_elsewhere() -> Failure {
    Failure::Nondeterminism {
        event: 0,
        first: "it comes to a choice".to_owned(),
        second: "with all choices in front of it as they were, it does not".to_owned(),
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

const PASSES: &str = "it passes";
