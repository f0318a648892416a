//! The `parcae` command: hunts, shrinks and replays failures of the scenarios that come with it.

mod cli;
mod commands;
mod error;
mod exit;
mod interrupt;
mod json;
mod output;
mod progress;
mod recorded;
mod scenario;
mod scenarios;

use std::panic;
use std::process::ExitCode;

use clap::Parser as _;

use cli::Cli;
use exit::Exit;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return shown(&error).into(),
    };
    // A panic of the library itself, such as a thread that the machine refuses: the hook has said
    // which; that no seed is to blame is said by the code.
    let exit = match panic::catch_unwind(|| commands::run(cli.command)) {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => {
            output::complain(&error);
            error.exit()
        }
        Err(_) => Exit::Infrastructure,
    };
    exit.into()
}

/// Prints what clap has to say: help and version to stdout, errors to stderr.
fn shown(error: &clap::Error) -> Exit {
    match error.print() {
        Ok(()) if error.use_stderr() => Exit::Usage,
        Ok(()) => Exit::Clean,
        Err(_) => Exit::Infrastructure,
    }
}
