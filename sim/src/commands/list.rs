//! `parcae list`

use std::fmt::Write as _;

use crate::cli::{Format, ListArguments};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::json;
use crate::output;
use crate::scenario::Scenario;
use crate::scenarios::ALL;

pub(crate) fn run(arguments: &ListArguments) -> Result<Exit, CommandError> {
    match arguments.format {
        Format::Text => output::print(&text(ALL))?,
        Format::Json => output::print(&json::scenarios(ALL))?,
    }
    Ok(Exit::Clean)
}

fn text(scenarios: &[Scenario]) -> String {
    let mut text = String::new();
    for scenario in scenarios {
        let Scenario { name, summary, defect, source, failure_kind, seeds_until_found, .. } =
            scenario;
        let _ = writeln!(text, "{name}\n    {summary}");
        let _ = writeln!(text, "    {defect}");
        let within = match seeds_until_found {
            1 => "by the first seed".to_owned(),
            count => format!("within {count} seeds"),
        };
        let _ = writeln!(text, "    Found as {failure_kind} {within}. Source: {source}.");
    }
    text.push_str(
        "\nTo hunt one:  parcae hunt NAME      Its repaired twin:  parcae hunt NAME --fixed\n",
    );
    text
}
