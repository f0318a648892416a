//! The `parcae` command: hunts, shrinks and replays failures of the scenarios that come with it.

mod cli;
mod commands;
mod error;
mod exit;
mod interrupt;
mod json;
mod lines;
mod merged;
mod output;
mod progress;
mod pulse;
mod recorded;
mod scenario;
mod scenarios;

use std::panic;
use std::process::ExitCode;

use clap::Parser as _;

use cli::Cli;
use error::CommandError;
use exit::Exit;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return shown(&error).into(),
    };
    // The hook has printed the panic; here it becomes an error of the machine, not of a seed.
    let result = panic::catch_unwind(|| commands::run(cli.command));
    let exit = result.unwrap_or(Err(CommandError::Panicked)).unwrap_or_else(|error| {
        output::complain(&error);
        error.exit()
    });
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
