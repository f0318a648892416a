//! The command line, and help that teaches.

use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use parcae::Seed;
use parcae::explore::{Isolation, ParseIsolationError, ParseStrategyError, Strategy};
use parcae::harness::parse_duration;
use parcae::kernel::ParseSeedError;
use tracing::Level;

use crate::recorded::{Recorded, RecordedError};
use crate::scenario::{ScenarioProgram, UnknownScenario};

/// Finds, shrinks and replays the runs that break an asynchronous program.
///
/// The programs are scenarios: small, real, with a known bug and a repaired twin each. Tests of your
/// own are checked in the same way by `#[parcae::test]` and `cargo test`.
#[derive(Debug, Parser)]
#[command(name = "parcae", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the scenarios
    List(ListArguments),
    /// Searches seeds for a failure, and shrinks the first one
    #[command(after_help = HUNT_AFTER_HELP)]
    Hunt(HuntArguments),
    /// Runs one seed and says how it went
    #[command(after_help = RUN_AFTER_HELP)]
    Run(RunArguments),
    /// Runs a recorded failure again
    #[command(after_help = REPLAY_AFTER_HELP)]
    Replay(ReplayArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// How the list is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Which program of which scenario.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// Scenario, as `parcae list` shows them
    #[arg(value_name = "NAME", value_parser = scenario)]
    name: ScenarioProgram,
    /// The scenario's repaired twin, in which nothing should fail
    #[arg(long)]
    fixed: bool,
}

impl Target {
    pub(crate) fn program(&self) -> ScenarioProgram {
        self.name.fixed_if(self.fixed)
    }
}

#[derive(Debug, Args)]
pub(crate) struct HuntArguments {
    #[command(flatten)]
    pub(crate) target: Target,
    /// How many seeds to run at most
    #[arg(long, value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: u64,
    /// The first seed: decimal, hexadecimal as 0x11, or a git hash
    #[arg(long, value_name = "FIRST", default_value = "0", value_parser = seed)]
    pub(crate) seed: Seed,
    /// How schedules are explored: random, fifo, portfolio, pct, pct-mix, pos, urw, surw, delay
    #[arg(long, value_name = "S", default_value_t, value_parser = strategy)]
    pub(crate) strategy: Strategy,
    /// Threads; the result is the same for any number [default: one for each core]
    #[arg(long, value_name = "J", value_parser = jobs)]
    pub(crate) jobs: Option<usize>,
    /// What each run has of its own: thread, reuse (nothing), fork (a process, on Linux)
    #[arg(long, value_name = "I", default_value_t, value_parser = isolation)]
    pub(crate) isolation: Isolation,
    /// Begin no more seeds after this wall time: 500ms, 30s, 10m
    #[arg(long, value_name = "D", value_parser = duration)]
    pub(crate) time_limit: Option<Duration>,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The seed: decimal, hexadecimal as 0x11, or a git hash
    #[arg(long, value_name = "S", value_parser = seed)]
    pub(crate) seed: Seed,
    /// How the schedule is explored: random, fifo, portfolio, pct, pct-mix, pos, urw, surw, delay
    #[arg(long, value_name = "S", default_value_t, value_parser = strategy)]
    pub(crate) strategy: Strategy,
    #[command(flatten)]
    pub(crate) trace: Trace,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// A token as a report prints it, or a file that holds one, such as a saved report
    #[arg(value_name = "TOKEN|FILE", value_parser = recorded)]
    pub(crate) recorded: Recorded,
    /// Ask for the same failure only, not for the same events: for a program that was edited
    #[arg(long)]
    pub(crate) lenient: bool,
    /// Give the recorded run to the repaired twin, to see that the repair helps
    #[arg(long)]
    pub(crate) fixed: bool,
    #[command(flatten)]
    pub(crate) trace: Trace,
}

#[derive(Debug, Args)]
pub(crate) struct Trace {
    /// Print what the run traces, with virtual time: error, warn, info, debug, trace
    #[arg(long = "trace", value_name = "LEVEL", num_args = 0..=1, require_equals = true,
          default_missing_value = "debug", value_parser = level)]
    pub(crate) level: Option<Level>,
}

/// How something is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs: one JSON value
    Json,
}

fn scenario(text: &str) -> Result<ScenarioProgram, UnknownScenario> {
    ScenarioProgram::parse(text)
}

fn seed(text: &str) -> Result<Seed, ParseSeedError> {
    Seed::parse(text)
}

fn strategy(text: &str) -> Result<Strategy, ParseStrategyError> {
    text.parse()
}

fn isolation(text: &str) -> Result<Isolation, ParseIsolationError> {
    text.parse()
}

fn recorded(text: &str) -> Result<Recorded, RecordedError> {
    Recorded::parse(text)
}

fn jobs(text: &str) -> Result<usize, &'static str> {
    let jobs = text.parse().ok().filter(|jobs| (1..=JOBS_MAX).contains(jobs));
    jobs.ok_or("expected a number of threads from 1 to 1024")
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    parse_duration(text)
        .ok_or("expected a whole number and a unit: `500ms`, `30s`, `10m`, `2h` (also us, ns)")
}

fn level(text: &str) -> Result<Level, &'static str> {
    let named = LEVELS.iter().find(|(name, _)| *name == text);
    named
        .map(|(_, level)| *level)
        .ok_or("expected one of `error`, `warn`, `info`, `debug`, `trace`")
}

/// More threads than any machine has cores; a typing error above it would use up the machine.
const JOBS_MAX: usize = 1024;

const LEVELS: [(&str, Level); 5] = [
    ("error", Level::ERROR),
    ("warn", Level::WARN),
    ("info", Level::INFO),
    ("debug", Level::DEBUG),
    ("trace", Level::TRACE),
];

const AFTER_HELP: &str = "\
Examples:
  parcae list                               what there is to hunt
  parcae hunt lost-update                   find the bug, shrink it, print how to replay it
  parcae replay v1:...                      the same failure again, in any process
  parcae hunt lost-update --fixed           the repaired program passes
  parcae run lost-update --seed 3 --trace   one seed, with all that it does

Exit codes:
    0  nothing failed; replay: it does not fail any more
    2  the command line, or a file that it names, cannot be read
    3  replay: it fails otherwise, or took another way
   42  a seed fails; replay: it fails again, as recorded
   75  the machine failed: no file for the report, no thread
  130  hunt: stopped by Ctrl-C or SIGTERM before a seed failed

Set NO_COLOR to have no colours; there are none but on a terminal.";

const HUNT_AFTER_HELP: &str = "\
The lowest seed that fails is reported, whatever the number of threads. Its run is made small: the
report lists the few choices that matter, shows them as a timeline and ends with the line that
replays them. It is saved under target/parcae too.

Ctrl-C ends the hunt and reports what was found so far; a second one ends at once.

Examples:
  parcae hunt lost-update
  parcae hunt lost-update --fixed --seeds 10000
  parcae hunt check-then-act --seed 5000 --seeds 100 --jobs 1
  parcae hunt cancel-leak --time-limit 30s --format json
  parcae hunt cancel-leak --isolation fork";

const RUN_AFTER_HELP: &str = "\
Prints how the run ended, its size and the hash chain over its events: two runs are equal when
their chains are.

Examples:
  parcae run lost-update --seed 3
  parcae run lost-update --seed 3 --trace=info";

const REPLAY_AFTER_HELP: &str = "\
The token names its scenario and holds the choices that matter. Exit code 42: it fails again, as
recorded; 0: it does not fail any more; 3: it fails otherwise or took another way there.

Examples:
  parcae replay v1:...
  parcae replay target/parcae/lost-update-1.txt --trace
  parcae replay v1:... --fixed";
