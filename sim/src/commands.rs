//! What the subcommands do.

mod corpus;
mod explain;
mod hunt;
mod list;
mod merge;
mod replay;
mod run;

use crate::cli::Command;
use crate::error::CommandError;
use crate::exit::Exit;

pub(crate) fn run(command: Command) -> Result<Exit, CommandError> {
    match command {
        Command::List(arguments) => list::run(&arguments),
        Command::Hunt(arguments) => hunt::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Merge(arguments) => merge::run(&arguments),
        Command::Corpus(command) => corpus::run(&command),
    }
}
