//! `parcae explain`

use parcae::explore::{Check, Explain, ReplayMode, ReplayVerdict};
use parcae::report::{self, Detail};

use crate::cli::{ExplainArguments, Format};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::{json, output};

pub(crate) fn run(arguments: &ExplainArguments) -> Result<Exit, CommandError> {
    let recorded = &arguments.recorded;
    let mut explain = Explain::default().with_endings(arguments.endings);
    explain = explain.with_runs(arguments.runs);
    let mut check = Check::new(recorded.token.name.clone()).explain(explain);
    if let Some(jobs) = arguments.jobs {
        check = check.jobs(jobs);
    }
    let program = recorded.program.program();
    let replay = check.replay(&recorded.token, ReplayMode::Strict, program)?;
    match arguments.format {
        Format::Text => {
            let detail = Detail::default().with_style(output::style());
            output::print(&report::replay_text_with(&replay, &output::replay_command(), detail))?;
        }
        Format::Json => output::print(&json::explanation(&replay))?,
    }
    Ok(match replay.verdict {
        ReplayVerdict::Reproduced => Exit::Failing,
        ReplayVerdict::Passes => Exit::Clean,
        ReplayVerdict::Diverged => Exit::Diverged,
    })
}
