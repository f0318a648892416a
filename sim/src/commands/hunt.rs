//! `parcae hunt`

use parcae::explore::{Check, CheckReport, Control, Stop};
use parcae::harness::report_folder;
use parcae::report::{self, Detail};

use crate::cli::{Format, HuntArguments};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::json;
use crate::output;
use crate::progress;

pub(crate) fn run(arguments: &HuntArguments) -> Result<Exit, CommandError> {
    let control = Control::new();
    let check = check(arguments, &control)?;
    let program = arguments.target.program().program();
    let search = || check.try_run(program);
    #[cfg(target_os = "linux")]
    if parcae::explore::is_fork_server() {
        // It has one thread, as nothing here has started another one, and does not come back.
        return Ok(exit(&search()?));
    }
    let interrupt = Interrupt::catch()?;
    let report = progress::watched(&control, &interrupt, arguments.seeds, search)
        .map_err(CommandError::Watch)??;
    let command = output::replay_command();
    let saved = report.finding().map(|_| report::save(&report, &command, &report_folder()));
    let outcome = match arguments.format {
        Format::Text => {
            let detail = Detail::default().with_style(output::style());
            report::text_with(&report, &command, detail, saved.as_ref().map(Result::as_deref))
        }
        Format::Json => {
            json::report(&report, saved.as_ref().and_then(|saved| saved.as_deref().ok()))
        }
    };
    // Printed before anything is said of a file that could not be written: the finding is worth more.
    output::print(&outcome)?;
    saved.transpose().map_err(CommandError::Save)?;
    Ok(exit(&report))
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
        .isolation(arguments.isolation)
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
        (None, None) if !report.is_ok() => Exit::Failing,
        // A limit of time was asked for, so that is what a clean hunt within it is.
        (None, _) => Exit::Clean,
    }
}
