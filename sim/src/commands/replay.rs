//! `parcae replay`

use parcae::explore::{Check, ReplayMode, ReplayVerdict};
use parcae::report::{self, Detail};

use crate::cli::ReplayArguments;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(arguments: &ReplayArguments) -> Result<Exit, CommandError> {
    let recorded = &arguments.recorded;
    // Under the token's own name: the twin stands for the same program after an edit.
    let mut check = Check::new(recorded.token.name.clone());
    if let Some(level) = arguments.trace.level {
        check = check.trace(level);
    }
    let mode = if arguments.lenient { ReplayMode::Lenient } else { ReplayMode::Strict };
    let program = recorded.program.fixed_if(arguments.fixed).program();
    let replay = check.replay(&recorded.token, mode, program)?;
    let detail = Detail::default().with_style(output::style());
    output::print(&report::replay_text_with(&replay, &output::replay_command(), detail))?;
    Ok(match replay.verdict {
        ReplayVerdict::Reproduced => Exit::Failing,
        ReplayVerdict::Passes => Exit::Clean,
        ReplayVerdict::Diverged => Exit::Diverged,
    })
}
