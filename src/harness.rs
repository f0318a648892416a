//! Checks as tests: what `#[parcae::test]` and [`check`] run, and the environment they obey.
//!
//! | variable | meaning |
//! |---|---|
//! | `PARCAE_SEED=17` | run this seed and no other |
//! | `PARCAE_SEEDS=1000`, `PARCAE_SEEDS=100..200` | run so many seeds, or these |
//! | `PARCAE_REPLAY=v1:…`, `PARCAE_REPLAY=@FILE` | run a recorded world again |
//! | `PARCAE_JOBS=4` | use so many threads |
//! | `PARCAE_STRATEGY=fifo` | explore with this strategy, by its name: see [`Strategy`](crate::explore::Strategy) |
//! | `PARCAE_ISOLATION=fork` | give each run this much of its own: see [`Isolation`](crate::explore::Isolation) |
//! | `PARCAE_BUGGIFY=off`, `PARCAE_BUGGIFY=80,25,25` | have [`buggify!`](crate::buggify!) and [`knob!`](crate::knob!) do nothing, or do something in so many percent of the runs, at so many of the places, at so many of the times: see [`BuggifyRates`](crate::fault::BuggifyRates) |
//! | `PARCAE_TIME_LIMIT=30s` | begin no more seeds after this wall time; what was not run, passes |
//! | `PARCAE_EXPLAIN=on`, `PARCAE_EXPLAIN=10000` | say why a failure happens, with so many runs at most: see [`Explain`](crate::explore::Explain) |
//! | `PARCAE_TRACE=debug` | with a replay that fails: show what the program traced |
//! | `PARCAE_PCAP=FOLDER` | write what goes over the network in a replay to a file there |
//! | `PARCAE_SHARD=2/4`, `auto`, `auto/4` | run this part of the seeds: see [`parse_shard`] |
//! | `PARCAE_CORPUS=off`, `read`, `prune`, `FOLDER/` | what is done with stored worlds: see below |
//! | `PARCAE_BUILD=NAME` | the build that stored worlds are said to be found by |
//! | `PARCAE_PROPERTIES=FILE` | add the properties of the check to a file, as lines of JSON |
//! | `CARGO_TARGET_DIR` | the folder in which `parcae/` holds the reports |
//!
//! They override what the attribute says. Anything that cannot be read fails the test with a
//! message that says what is accepted; an empty variable is as one that is not set. Of several,
//! `PARCAE_REPLAY` goes before `PARCAE_SEED`, and that before `PARCAE_SEEDS`. A replay has the
//! strategy of its token, so it obeys `PARCAE_ISOLATION`, `PARCAE_BUGGIFY`, `PARCAE_EXPLAIN`, `PARCAE_TRACE` and `PARCAE_PCAP` and no other; without one,
//! `PARCAE_TRACE` shows nothing, and `PARCAE_PCAP` shows the world that a failure was shrunk to.
//!
//! A test first runs the worlds in which it has failed before: those that stand for it in the folder `.parcae` of
//! its package, which is meant to be committed; see [`corpus`](crate::corpus). One that fails, fails the test
//! before any seed is run. What is stale is said on the standard error, past what captures the output of tests.
//! When a seed fails, its shrunk world is stored. `PARCAE_CORPUS=read` stores nothing, `prune` removes what
//! passes, and `off` does nothing of all this, as do `PARCAE_SEED` and `PARCAE_REPLAY`. A [`check`] has no worlds:
//! it has no name of its own.
//!
//! A failing check panics, as a test must, with the report as its message. The report is also
//! written to a file in `target/parcae/`, where `target` is looked for from the current directory
//! upwards; a file that cannot be written is mentioned in the report. A replay panics too when it
//! fails, with the lines that it traced at the end of its report; when it passes, the test passes
//! and says nothing.

use std::future::Future;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use crate::explore::{
    Check, CheckReport, Finding, Replay, ReplayError, ReplayMode, ReplayVerdict, StuckRun, Verdict,
};
use crate::report::{self, Detail, ReplayCommand};

mod build;
mod environment;
mod keeping;
mod shards;

pub use build::identity as build_identity;
pub use environment::{Environment, EnvironmentError, Replayed, parse_duration, report_folder};

pub use keeping::{Keeping, KeepingError, KeepingMode, Kept, ParseKeepingError};
pub use shards::{ShardError, parse_shard};

/// The place of a test, as the attribute knows it.
#[derive(Clone, Copy, Debug)]
pub struct TestCase {
    /// Path of the test function: `leases::two_holders`.
    pub name: &'static str,
    /// Package that it belongs to.
    pub package: &'static str,
    /// Target of the package that it is compiled into.
    pub target: &'static str,
}

/// Runs a program under `seeds` seeds, and panics with the report if one fails.
///
/// For tests that need no attribute, or that make their program at run time. Obeys the environment
/// as `#[parcae::test]` does. Its name in tokens is that of the file, as lines move; a token of
/// another file or test is left alone, as `cargo test` cannot be told which call is meant.
///
/// # Panics
/// When a seed or a replay fails, with the report; when `seeds` is 0, when an environment variable
/// cannot be read, and when the machine gives no thread.
///
/// # Examples
/// ```
/// parcae::check(100, || async {
///     let task = parcae::spawn(async { 42 });
///     assert_eq!(task.await, 42);
/// });
/// ```
#[track_caller]
pub fn check<P, F>(seeds: u64, program: P)
where
    P: Fn() -> F + Send + Sync + 'static,
    F: Future + 'static,
    F::Output: Verdict,
{
    let check = Check::new(std::panic::Location::caller().file()).seeds(seeds);
    let command = ReplayCommand::from_prefix("cargo test");
    run(check, OtherTokens::LetAlone, &command, program);
}

/// Runs a test function; called by what `#[parcae::test]` expands to.
///
/// # Panics
/// When a seed or a replay fails, with the report; when an option cannot be, an environment variable
/// cannot be read, the token of `PARCAE_REPLAY` is of another test, or the machine gives no thread.
#[track_caller]
pub fn run_test<P, F>(case: TestCase, configure: impl FnOnce(Check) -> Check, program: P)
where
    P: Fn() -> F + Send + Sync + 'static,
    F: Future + 'static,
    F::Output: Verdict,
{
    let path = case.name.split_once("::").map_or(case.name, |(_, path)| path);
    let name = format!("{}::{path}", case.target);
    let prefix = format!("cargo test -p {} {path} -- --exact", case.package);
    let check = configure(Check::new(name)).of_test(path);
    run(check, OtherTokens::Refused, &ReplayCommand::from_prefix(prefix), program);
}

/// What becomes of a token that is of another test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OtherTokens {
    /// The test fails and says whose token it is.
    Refused,
    /// Nothing is run.
    LetAlone,
}

#[track_caller]
fn run<P, F>(check: Check, others: OtherTokens, command: &ReplayCommand, program: P)
where
    P: Fn() -> F + Send + Sync + 'static,
    F: Future + 'static,
    F::Output: Verdict,
{
    let environment = match Environment::read() {
        Ok(environment) => environment,
        Err(error) => panic!("{error}"),
    };
    let folder = environment.capture_folder.clone();
    let properties = environment.properties_file.clone();
    let keeping = match others {
        OtherTokens::Refused => environment.keeping(),
        // The name is that of a file, which may hold several checks: what one has found is nothing to another.
        OtherTokens::LetAlone => Keeping::off(),
    };
    let (check, replayed) = environment.apply(check.on_stuck(say_stuck));
    let program = Arc::new(program);
    let shared = program.clone();
    let Some(Replayed { token }) = replayed else {
        let kept = stored_worlds(&keeping, &check, &program, command, folder.as_deref());
        let report = check.clone().run(move || shared());
        let token = report.finding().and_then(Finding::token);
        let captured = folder.zip(token).map(|(folder, token)| {
            // It has come to its end before.
            let check = check.without_processes();
            captured(&check.replay(token, ReplayMode::Lenient, move || program()), &folder)
        });
        let appended = properties.and_then(|path| appended(&report, &path));
        return judge(&report, command, [appended, captured, stored(&kept, &report)]);
    };
    if token.name == check.name() || others == OtherTokens::Refused {
        let replay = check.replay(&token, ReplayMode::Lenient, move || shared());
        let captured = folder.map(|folder| captured(&replay, &folder));
        judge_replay(&replay, command, captured);
    }
}

/// Runs the stored worlds of a check, and panics with the report of the first that fails.
#[track_caller]
fn stored_worlds<P, F>(
    keeping: &Keeping,
    check: &Check,
    program: &Arc<P>,
    command: &ReplayCommand,
    captures: Option<&Path>,
) -> Kept
where
    P: Fn() -> F + Send + Sync + 'static,
    F: Future + 'static,
    F::Output: Verdict,
{
    let kept = match keeping.replay(check, program) {
        Ok(kept) => kept,
        Err(error) => panic!("{}: {error}", check.name()),
    };
    for line in &kept.lines {
        say(&format!("parcae: {}: {line}\n", check.name()));
    }
    if let Some(failing) = kept.failing() {
        let path = failing.stored.path.display();
        let text = report::replay_text(&failing.replay, command);
        let captured = captures.map(|folder| captured(&Ok(failing.replay.clone()), folder));
        panic!(
            "{text}\nstored: {path}; it failed, so no seed was run (PARCAE_CORPUS=off runs them)\n{}",
            captured.unwrap_or_default()
        );
    }
    kept
}

/// Stores what a check has found; returns a line that says where, or why not.
fn stored(kept: &Kept, report: &CheckReport) -> Option<String> {
    match kept.store(report) {
        Ok(paths) => {
            let lines = paths.iter().map(|path| format!("\nstored: {}\n", path.display()));
            Some(lines.collect::<String>()).filter(|lines| !lines.is_empty())
        }
        Err(error) => Some(format!("\nstored: not: {error}\n")),
    }
}

/// Prints a line, past what captures the output of tests: that would be shown for a failing one only.
fn say(line: &str) {
    // Nobody is left to be told that it cannot be printed.
    let _printed = std::io::stderr().write_all(line.as_bytes());
}

/// Prints the seed of a run that may never end, past what captures the output of tests: that would be shown at
/// their end only.
fn say_stuck(stuck: &StuckRun) {
    let StuckRun { check, seed, after, .. } = stuck;
    let line = format!(
        "parcae: {check}: seed {seed} is not over after {after:?} of real time; alone: PARCAE_SEED={seed}\n"
    );
    say(&line);
}

#[track_caller]
fn judge(report: &CheckReport, command: &ReplayCommand, notes: [Option<String>; 3]) {
    let notes: String = notes.into_iter().flatten().collect();
    if report.fails_for_unmet() {
        panic!("{}{notes}", report::text(report, command));
    }
    if report.finding().is_some() {
        let saved = report::save(report, command, &report_folder());
        let saved = saved.as_deref();
        let text = report::text_with(report, command, Detail::default(), Some(saved));
        panic!("{text}{notes}");
    }
    // Only what was asked for and could not be done is left to say.
    assert!(notes.is_empty(), "parcae: {} passes, but:{notes}", report.name());
}

#[track_caller]
fn judge_replay(
    replay: &Result<Replay, ReplayError>,
    command: &ReplayCommand,
    captured: Option<String>,
) {
    match replay {
        Ok(replay) if replay.verdict == ReplayVerdict::Passes => {}
        Ok(replay) => {
            panic!("{}{}", report::replay_text(replay, command), captured.unwrap_or_default())
        }
        Err(error) => panic!("{error}"),
    }
}

/// Writes the properties of a check; returns a line that says why not.
fn appended(report: &CheckReport, path: &Path) -> Option<String> {
    let error = report::append_properties(report, path).err()?;
    Some(format!("\nproperties: {error}\n"))
}

/// Writes what a replay leaves behind; returns a line that says where, or why not.
fn captured(replay: &Result<Replay, ReplayError>, folder: &Path) -> String {
    let Ok(replay) = replay else { return String::new() };
    match report::save_attachments(replay, folder) {
        Ok(paths) if paths.is_empty() => "\ncapture: the run used no network\n".to_owned(),
        Ok(paths) => {
            let lines = paths.iter().map(|path| format!("\ncapture: {}", path.display()));
            lines.collect::<String>() + "\n"
        }
        Err(error) => format!("\ncapture: {error}\n"),
    }
}
