//! `parcae hunt`

use std::path::PathBuf;
use std::sync::Arc;

use parcae::explore::{Check, CheckReport, Control, Shard, Shrink, Stop};
use parcae::harness::{self, Environment, Keeping, KeepingMode, Kept, report_folder};
use parcae::report::{self, Detail, SaveError};

use crate::cli::{HuntArguments, HuntFormat};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::json;
use crate::lines::{self, Begin, End, FailingItem, FindingItem, Line, StoredItem};
use crate::output;
use crate::progress;
use crate::pulse::Pulse;

pub(crate) fn run(arguments: &HuntArguments) -> Result<Exit, CommandError> {
    let control = Control::new();
    let shard = match arguments.shard {
        Some(shard) => shard,
        None => Environment::read_shard()?.unwrap_or_default(),
    };
    let check = check(arguments, &control)?.shard(shard);
    let keeping = keeping(arguments, shard)?;
    let seed_count = shard.share(arguments.seeds);
    let search = || hunted(&keeping, check, arguments);
    if parcae::explore::is_fork_server() {
        // It has one thread, as nothing here has started another one, and does not come back.
        return Ok(search()?.exit());
    }
    let interrupt = Interrupt::catch()?;
    let is_streamed = arguments.format == HuntFormat::Jsonl;
    if is_streamed {
        output::print(&Line::Begin(begin(arguments, shard)).to_string())?;
    }
    let mut pulse = Pulse::new(arguments.heartbeat);
    let tick = |control: &Control| {
        if is_streamed {
            pulse.beat(control);
        }
    };
    let hunt = progress::watched(&control, &interrupt, seed_count, tick, search)
        .map_err(CommandError::Watch)??;
    hunt.show(arguments)?;
    Ok(hunt.exit())
}

/// What a hunt has come to.
struct Hunt {
    kept: Kept,
    /// None if a stored world fails and nothing more was to be run.
    report: Option<CheckReport>,
}

/// Runs the stored worlds, and then the seeds, unless a stored world is failure enough.
fn hunted(
    keeping: &Keeping,
    check: Check,
    arguments: &HuntArguments,
) -> Result<Hunt, CommandError> {
    let program = arguments.target.program().program();
    let kept = keeping.replay(&check, &Arc::new(program))?;
    if kept.failing().is_some() && !arguments.keep_going {
        return Ok(Hunt { kept, report: None });
    }
    let report = check.try_run(program)?;
    Ok(Hunt { kept, report: Some(report) })
}

impl Hunt {
    /// Prints the outcome, and saves what there is to save.
    fn show(&self, arguments: &HuntArguments) -> Result<(), CommandError> {
        self.kept.lines.iter().for_each(|line| output::tell(line));
        let Some(report) = &self.report else { return self.show_stored(arguments) };
        let command = output::replay_command();
        let saved: Option<Result<PathBuf, SaveError>> =
            report.finding().map(|_| report::save(report, &command, &report_folder()));
        let stored = self.kept.store(report);
        let outcome = match arguments.format {
            HuntFormat::Text => {
                let detail = Detail::default().with_style(output::style());
                let saved = saved.as_ref().map(Result::as_deref);
                let text = report::text_with(report, &command, detail, saved);
                let stored = stored.iter().flatten();
                let paths = stored.map(|path| format!("  stored   {}\n", path.display()));
                // What the few seeds until a failure have reached says nothing.
                let is_covered = report.finding().is_none() || report.keeps_going();
                let coverage = is_covered.then(|| format!("  coverage {}\n", report.coverage()));
                text + &paths.collect::<String>() + &coverage.unwrap_or_default()
            }
            HuntFormat::Json => {
                let saved = saved.as_ref().and_then(|saved| saved.as_deref().ok());
                json::report(report, saved, &self.stored_items())
            }
            HuntFormat::Jsonl => self.last_lines(report, arguments.keep_going),
        };
        // Printed before anything is said of a file that could not be written: the finding is worth more.
        output::print(&outcome)?;
        saved.transpose().map_err(CommandError::Save)?;
        stored?;
        Ok(())
    }

    /// Shows the stored world that fails, where no seed was run.
    fn show_stored(&self, arguments: &HuntArguments) -> Result<(), CommandError> {
        let failing = self.kept.failing().expect("without a report one fails");
        let replay = &failing.replay;
        let outcome = match arguments.format {
            HuntFormat::Text => {
                let detail = Detail::default().with_style(output::style());
                let text = report::replay_text_with(replay, &output::replay_command(), detail);
                let path = failing.stored.path.display();
                format!(
                    "{text}  stored   {path}; it failed, so no seed was run (--keep-going or --corpus off runs them)\n"
                )
            }
            HuntFormat::Json => json::stored(replay, &self.stored_items()),
            HuntFormat::Jsonl => {
                let stored = self.stored_items().into_iter().map(Line::Stored);
                let lines = stored.chain([Line::End(End::at_stored_world())]);
                lines.map(|line| line.to_string()).collect()
            }
        };
        output::print(&outcome)
    }

    fn stored_items(&self) -> Vec<StoredItem> {
        self.kept.replayed.iter().map(StoredItem::of).collect()
    }

    /// Returns what is left to print when the failing seeds are.
    fn last_lines(&self, report: &CheckReport, is_told: bool) -> String {
        let mut lines: Vec<Line> = self.stored_items().into_iter().map(Line::Stored).collect();
        // One that does not keep going knows at its end only which one is the first.
        let failing = report.failing().iter().filter(|_| !is_told);
        lines.extend(failing.map(|seed| Line::Failing(FailingItem::of(seed))));
        let findings = report.findings().iter();
        lines.extend(findings.map(|finding| Line::Finding(FindingItem::of(finding))));
        lines.push(Line::End(End::of(report)));
        lines.iter().map(ToString::to_string).collect()
    }

    fn exit(&self) -> Exit {
        match &self.report {
            _ if self.kept.failing().is_some() => Exit::Failing,
            None => Exit::Failing,
            Some(report) => exit(report),
        }
    }
}

fn exit(report: &CheckReport) -> Exit {
    match (report.finding(), report.stop()) {
        (Some(_), _) => Exit::Failing,
        (None, Some(Stop::Interrupted)) => Exit::Interrupted,
        (None, None | Some(Stop::NothingNew)) if !report.is_ok() => Exit::Failing,
        // A limit of time was asked for, so that is what a clean hunt within it is.
        (None, _) => Exit::Clean,
    }
}

fn begin(arguments: &HuntArguments, shard: Shard) -> Begin {
    Begin {
        format: lines::FORMAT,
        check: arguments.target.program().name(),
        build: harness::build_identity(),
        strategy: arguments.strategy.to_string(),
        first_seed: arguments.seed.to_string(),
        seeds: arguments.seeds,
        shard: shard.to_string(),
    }
}

/// Returns what is done with stored worlds. The parts of a sweep may run at once and share a folder: what one of
/// them finds must not depend on what another has stored, so they leave it to `merge`, unless they are told otherwise.
fn keeping(arguments: &HuntArguments, shard: Shard) -> Result<Keeping, CommandError> {
    if let Some(keeping) = &arguments.corpus {
        return Ok(keeping.clone());
    }
    let mut keeping = Environment::read_keeping()?.unwrap_or_default();
    if !shard.is_whole() {
        keeping.mode = KeepingMode::Off;
    }
    Ok(keeping)
}

fn check(arguments: &HuntArguments, control: &Control) -> Result<Check, CommandError> {
    let (first, count) = (arguments.seed.get(), arguments.seeds);
    // The command line takes a count above 0 only.
    if first.checked_add(count.saturating_sub(1)).is_none() {
        return Err(CommandError::SeedsBeyondTheLast { first, count });
    }
    let mut check = Check::new(arguments.target.program().name())
        .first_seed(arguments.seed)
        .seeds(count)
        .strategy(arguments.strategy)
        .keep_going(arguments.keep_going)
        .isolation(arguments.isolation)
        .control(control.clone());
    if arguments.no_shrink {
        let mut shrink = Shrink::default();
        shrink.runs = 0;
        check = check.shrink(shrink);
    }
    if let Some(jobs) = arguments.jobs {
        check = check.jobs(jobs);
    }
    if let Some(limit) = arguments.time_limit {
        check = check.time_limit(limit);
    }
    if let Some(seeds) = arguments.until_nothing_new {
        check = check.stop_after_nothing_new(seeds);
    }
    Ok(check)
}
