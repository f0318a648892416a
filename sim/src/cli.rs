//! The command line, and help that teaches.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use parcae::Seed;
use parcae::explore::{Isolation, ParseIsolationError, ParseStrategyError, Shard, Strategy};
use parcae::harness::{Keeping, ParseKeepingError, ShardError, parse_duration, parse_shard};
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
    /// Says why a recorded failure happens
    #[command(after_help = EXPLAIN_AFTER_HELP)]
    Explain(ExplainArguments),
    /// Puts the results of hunts together that were run apart
    #[command(after_help = MERGE_AFTER_HELP)]
    Merge(MergeArguments),
    /// Shows the stored failing worlds, and removes those that pass
    #[command(subcommand)]
    Corpus(CorpusCommand),
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
    /// Run the seeds behind a failing one, too: list all that fail, shrink the first of each kind
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Show a failure as it was found: at once, but with all its choices; nothing is stored
    #[arg(long)]
    pub(crate) no_shrink: bool,
    /// Stop after N seeds in a row that have shown nothing new
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) until_nothing_new: Option<u64>,
    /// Run one part of the seeds: 2/4, auto or auto/4 in a job array [default: what `PARCAE_SHARD` says]
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub(crate) shard: Option<Shard>,
    /// Stored worlds: off, read, prune, or a folder; off for a shard [default: as `PARCAE_CORPUS`]
    #[arg(long, value_name = "C", value_parser = keeping)]
    pub(crate) corpus: Option<Keeping>,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t = HuntFormat::Text)]
    pub(crate) format: HuntFormat,
    /// How often `--format jsonl` says how far it is
    #[arg(long, value_name = "D", default_value = "10s", value_parser = duration)]
    pub(crate) heartbeat: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct MergeArguments {
    /// What `hunt --format jsonl` or `merge --format jsonl` has printed
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Where the failing worlds are stored: a folder, or off [default: as `PARCAE_CORPUS`]
    #[arg(long, value_name = "C", value_parser = keeping)]
    pub(crate) corpus: Option<Keeping>,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t = MergeFormat::Text)]
    pub(crate) format: MergeFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CorpusCommand {
    /// Lists the stored worlds
    List(CorpusArguments),
    /// Runs the stored worlds, and removes those that pass now
    Prune(PruneArguments),
}

#[derive(Debug, Args)]
pub(crate) struct CorpusArguments {
    /// The folder [default: as `PARCAE_CORPUS`, or .parcae]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct PruneArguments {
    #[command(flatten)]
    pub(crate) corpus: CorpusArguments,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
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
pub(crate) struct ExplainArguments {
    /// A token as a report prints it, or a file that holds one, such as a saved report
    #[arg(value_name = "TOKEN|FILE", value_parser = recorded)]
    pub(crate) recorded: Recorded,
    /// How many runs it may take
    #[arg(long, value_name = "N", default_value_t = 3000)]
    pub(crate) runs: u64,
    /// How many endings are drawn from each of 20 points of the run; 0 for none
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) endings: u32,
    /// Threads; the result is the same for any number [default: one for each core]
    #[arg(long, value_name = "J", value_parser = jobs)]
    pub(crate) jobs: Option<usize>,
    /// How the explanation is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
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

/// How a hunt is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HuntFormat {
    /// For people
    Text,
    /// For programs: one JSON value
    Json,
    /// For `merge`: lines of JSON, as the hunt goes on
    Jsonl,
}

/// How merged hunts are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MergeFormat {
    /// For people
    Text,
    /// For another `merge`: lines of JSON, the same for the same results in any order
    Jsonl,
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

fn shard(text: &str) -> Result<Shard, ShardError> {
    parse_shard(text)
}

fn keeping(text: &str) -> Result<Keeping, ParseKeepingError> {
    text.parse()
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
  parcae explain v1:...                     why it happens, and from when on it is bound to
  parcae hunt lost-update --fixed           the repaired program passes
  parcae run lost-update --seed 3 --trace   one seed, with all that it does

Exit codes:
    0  nothing failed; replay: it does not fail any more
    2  the command line, or a file that it names, cannot be read
    3  replay: it fails otherwise, or took another way
   42  a seed fails, or a stored world; replay: it fails again, as recorded
   75  the machine failed: no file for the report, no thread; merge: a shard is missing or unfinished
  130  hunt: stopped by Ctrl-C or SIGTERM before a seed failed

Set NO_COLOR to have no colours; there are none but on a terminal.";

const HUNT_AFTER_HELP: &str = "\
The lowest seed that fails is reported, whatever the number of threads. Its run is made small: the
report lists the few choices that matter, shows them as a timeline and ends with the line that
replays them. It is saved under target/parcae too.

Its world is stored in the folder .parcae, which is meant to be committed. Worlds that are stored
there are run before all seeds by the next hunt of the same name.

With --shard the seeds are cut into parts that are run apart, on as many machines as there are: each
part prints --format jsonl into a file, and `parcae merge` puts the files together.

Ctrl-C ends the hunt and reports what was found so far; a second one ends at once.

Examples:
  parcae hunt lost-update
  parcae hunt lost-update --fixed --seeds 10000
  parcae hunt check-then-act --seed 5000 --seeds 100 --jobs 1
  parcae hunt cancel-leak --time-limit 30s --format json
  parcae hunt cancel-leak --isolation fork
  parcae hunt lost-update --keep-going --shard 2/4 --format jsonl > 2.jsonl";

const MERGE_AFTER_HELP: &str = "\
The order of the files does not matter, nor does one that is given twice. Files of another scenario,
build or strategy are refused. What a shard had printed before it was killed counts; it is missing
nevertheless.

Examples:
  parcae merge *.jsonl
  parcae merge --corpus off --format jsonl *.jsonl > all.jsonl";

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

const EXPLAIN_AFTER_HELP: &str = "\
The recorded run is run again many times, with something other each time. For each choice that it forces:
what happens without it, where the two runs part, and which values would do, too. Then the run that passes
and goes the same way for longest; how likely the failure is from event to event, if all that comes after
is drawn anew; and what happened before the failure and may have had a part in it.

Exit codes are those of `parcae replay`. docs/EXPLAIN.md says what stands in the JSON.

Examples:
  parcae explain v1:...
  parcae explain target/parcae/lost-update-1.txt --format json
  parcae explain v1:... --endings 0         without the likelihood, which takes most of the runs";
