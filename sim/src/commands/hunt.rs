//! `parcae hunt`

use std::fmt::Write as _;

use parcae::explore::{Check, CheckReport, Control, Stop};
use parcae::report::{self, ReplayCommand};

use crate::cli::{Format, HuntArguments};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::json;
use crate::output;
use crate::progress;

pub(crate) fn run(arguments: &HuntArguments) -> Result<Exit, CommandError> {
    let interrupt = Interrupt::catch()?;
    let control = Control::new();
    let check = check(arguments, &control)?;
    let program = arguments.target.program().program();
    let report = progress::watched(&control, &interrupt, arguments.seeds, || {
        check.try_run(program)
    })?;
    let command = ReplayCommand::from_prefix("");
    let text = match report.finding() {
        Some(_) => report::text(&report, &command),
        None => clean_text(&report),
    };
    // Printed before it is saved: a full disk must not cost the finding.
    match arguments.format {
        Format::Text => output::print(&text)?,
        Format::Json => output::print(&json::report(&report))?,
    }
    Ok(exit(&report))
}

fn check(arguments: &HuntArguments, control: &Control) -> Result<Check, CommandError> {
    let (first, count) = (arguments.seed.get(), arguments.seeds);
    if first.checked_add(count).is_none() {
        return Err(CommandError::SeedsBeyondTheLast { first, count });
    }
    let mut check = Check::new(arguments.target.program().name())
        .first_seed(arguments.seed)
        .seeds(count)
        .strategy(arguments.strategy)
        .control(control.clone());
    if let Some(jobs) = arguments.jobs {
        check = check.jobs(jobs);
    }
    if let Some(limit) = arguments.time_limit {
        check = check.time_limit(limit);
    }
    Ok(check)
}

fn exit(report: &CheckReport) -> Exit {
    match (report.finding(), report.stop()) {
        (Some(_), _) => Exit::Failing,
        (None, Some(Stop::Interrupted)) => Exit::Interrupted,
        // A limit of time was asked for, so that is what a clean hunt within it is.
        (None, _) => Exit::Clean,
    }
}

fn clean_text(report: &CheckReport) -> String {
    let (name, strategy, steps) = (report.name(), report.strategy(), report.steps());
    let (run, planned) = (report.seeds_run(), report.seeds_planned());
    let seconds = report.wall_time().as_secs_f64();
    let mut text = format!("parcae: {name}: none of {run} seeds fails ({strategy})");
    let _ = write!(text, ", {steps} steps, {seconds:.1} s");
    match report.stop() {
        Some(Stop::Interrupted) => {
            let _ = write!(text, "\n  stopped by Ctrl-C; {planned} seeds were asked for");
        }
        Some(_) => {
            let _ = write!(text, "\n  stopped by --time-limit; {planned} seeds were asked for");
        }
        None => {}
    }
    text.push('\n');
    text
}
