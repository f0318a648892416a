//! `parcae run`

use std::fmt::Write as _;

use parcae::explore::Check;
use parcae::{Outcome, Sim};

use crate::cli::RunArguments;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(arguments: &RunArguments) -> Result<Exit, CommandError> {
    let program = arguments.target.program();
    // As in a hunt, whose pilots show the strategy how long runs are.
    let profile =
        Check::new(program.name()).strategy(arguments.strategy).profile(program.program())?;
    let mut builder = Sim::builder().seed(arguments.seed).strategy(arguments.strategy);
    builder = builder.profile(profile);
    if let Some(level) = arguments.trace.level {
        builder = builder.trace(level);
    }
    let outcome = builder.build()?.run(arguments.target.program().program());
    output::print(&text(arguments, &outcome))?;
    Ok(if outcome.is_ok() { Exit::Clean } else { Exit::Failing })
}

fn text(arguments: &RunArguments, outcome: &Outcome) -> String {
    let name = arguments.target.program().name();
    let (seed, strategy) = (arguments.seed, arguments.strategy);
    let mut text = String::new();
    for line in outcome.trace() {
        text.push_str(line);
        text.push('\n');
    }
    let _ = match outcome.failure() {
        None => writeln!(text, "parcae: {name}: seed {seed} ({strategy}) passes"),
        Some(failure) => {
            writeln!(text, "parcae: {name}: seed {seed} ({strategy}) fails: {failure}")
        }
    };
    let (events, steps) = (outcome.event_count(), outcome.steps());
    let (elapsed, chain) = (outcome.elapsed(), outcome.chain().get());
    let _ = writeln!(
        text,
        "  {events} events, {steps} steps, {elapsed:?} of virtual time, chain {chain:#018x}"
    );
    if !outcome.is_ok() {
        let _ = writeln!(
            text,
            "  to make it small: parcae hunt {name} --seed {seed} --seeds 1 --corpus off"
        );
    }
    text
}
