//! Checks as tests: what `#[parcae::test]` and [`check`] run, and the environment they obey.
//!
//! | variable | meaning |
//! |---|---|
//! | `PARCAE_SEED=17` | run this seed and no other |
//! | `PARCAE_SEEDS=1000`, `PARCAE_SEEDS=100..200` | run so many seeds, or these |
//! | `PARCAE_REPLAY=v1:…`, `PARCAE_REPLAY=@FILE` | run a recorded world again |
//! | `PARCAE_JOBS=4` | use so many threads |
//! | `PARCAE_STRATEGY=fifo` | explore with this strategy |
//! | `PARCAE_TIME_LIMIT=30s` | begin no more seeds after this wall time; what was not run, passes |
//! | `PARCAE_TRACE=debug` | with a replay that fails: show what the program traced |
//! | `CARGO_TARGET_DIR` | the folder in which `parcae/` holds the reports |
//!
//! They override what the attribute says. Anything that cannot be read fails the test with a
//! message that says what is accepted; nothing is ignored silently.
//!
//! A failing check panics, as a test must, with the report as its message. The report is also
//! written to a file in `target/parcae/`, where `target` is looked for from the current directory
//! upwards; a file that cannot be written is mentioned in the report. A replay panics too when it
//! fails, with the lines that it traced at the end of its report; when it passes, the test passes.
//!
//! `cargo test -- --nocapture` shows what the tests that pass did: how many seeds they ran and how
//! long it took, what became of a replay, and which tests a replay was not of.

use std::future::Future;

use crate::explore::{Check, CheckReport, Replay, ReplayMode, ReplayVerdict, Verdict};
use crate::report::{self, Detail, ReplayCommand};

mod environment;

pub use environment::{Environment, EnvironmentError, Replayed, parse_duration, report_folder};

/// The place of a test, as the attribute knows it.
#[derive(Clone, Copy, Debug)]
pub struct TestCase {
    /// Path of the test function: `leases::two_holders`.
    pub name: &'static str,
    /// Package that it belongs to.
    pub package: &'static str,
    /// Target of the package that it is compiled into.
    pub target: &'static str,
    /// Source file.
    pub file: &'static str,
}

/// Runs a program under `seeds` seeds, and panics with the report if one fails.
///
/// For tests that need no attribute, or that make their program at run time. Obeys the environment
/// as `#[parcae::test]` does.
///
/// # Panics
/// When a seed fails, with the report.
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
    let place = std::panic::Location::caller();
    let name = format!("{}:{}", place.file(), place.line());
    let command = ReplayCommand::from_prefix("cargo test");
    run(Check::new(name).seeds(seeds), command, program);
}

/// Runs a test function; called by what `#[parcae::test]` expands to.
///
/// # Panics
/// When a seed fails, with the report.
#[track_caller]
pub fn run_test<P, F>(case: TestCase, configure: impl FnOnce(Check) -> Check, program: P)
where
    P: Fn() -> F + Send + Sync + 'static,
    F: Future + 'static,
    F::Output: Verdict,
{
    let path = case.name.split_once("::").map_or(case.name, |(_, path)| path);
    let name = format!("{}::{path}", case.target);
    let command = ReplayCommand::from_prefix(format!("cargo test -p {} {path}", case.package));
    run(configure(Check::new(name)), command, program);
}

#[track_caller]
fn run<P, F>(check: Check, command: ReplayCommand, program: P)
where
    P: Fn() -> F + Send + Sync + 'static,
    F: Future + 'static,
    F::Output: Verdict,
{
    let environment = match Environment::read() {
        Ok(environment) => environment,
        Err(error) => panic!("{error}"),
    };
    let name = check.name().to_owned();
    let (check, replayed) = environment.apply(check);
    match replayed {
        Some(replayed) if replayed.token.name == name => {
            judge_replay(
                &check.clone().replay(&replayed.token, ReplayMode::Lenient, program),
                &command,
            );
        }
        // Other tests of the same command are left alone: the token is of one.
        Some(replayed) => {
            say(&format!("parcae: {name} not run: PARCAE_REPLAY is of {}\n", replayed.token.name));
        }
        None => judge(&check.run(program), &command),
    }
}

#[track_caller]
fn judge(report: &CheckReport, command: &ReplayCommand) {
    if report.finding().is_some() {
        let saved = report::save(report, command, &report_folder());
        let saved = saved.as_deref();
        panic!("{}", report::text_with(report, command, Detail::default(), Some(saved)));
    }
    say(&report::text(report, command));
}

#[track_caller]
fn judge_replay(replay: &Result<Replay, crate::explore::ReplayError>, command: &ReplayCommand) {
    match replay {
        Ok(replay) if replay.verdict == ReplayVerdict::Passes => {
            say(&report::replay_text(replay, command));
        }
        Ok(replay) => panic!("{}", report::replay_text(replay, command)),
        Err(error) => panic!("{error}"),
    }
}

/// Says what a test that passes did. It is shown where the output of tests is.
#[expect(clippy::print_stdout, reason = "the output of a test, which its runner captures")]
fn say(text: &str) {
    print!("{text}");
}
