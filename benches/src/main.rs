//! Comparisons of parcae with its peers: medians of interleaved rounds, as ratios.
//!
//! ```text
//! cargo run --release -p parcae-benches -- actor|core|sync|real|network [--rounds N] [--only TEXT] [--side TEXT]
//! cargo run --release -p parcae-benches -- histories [--rounds N] [--only TEXT] | histories --write FOLDER
//! cargo run --release -p parcae-benches -- find [--trials N] [--cap N] [--only TEXT] [--side TEXT]
//! cargo run --release -p parcae-benches -- families [--seeds N] [--only TEXT] [--side TEXT]
//! cargo run --release -p parcae-benches -- shrink [--seeds N] [--only TEXT]
//! ```
//! prints a table in Markdown. `--only` keeps the workloads whose name contains the text, `--side` the
//! side of that name; both together are for profilers.
#![expect(clippy::print_stdout, reason = "the table is what this command is for")]
#![expect(clippy::print_stderr, reason = "progress and mistakes go beside the table")]

mod actor_costs;
mod core_costs;
mod counting;
mod families;
mod find;
mod histories;
mod histories_large;
mod histories_made;
mod lock_costs;
mod measure;
mod network_costs;
mod network_worlds;
mod peers;
mod protocols;
mod real_costs;
mod scenario;
mod shrink;
mod sync_costs;

use std::process::ExitCode;

use measure::Options;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = arguments.split_first() else { return usage("no command") };
    if command == "find" {
        return match find::Options::parse(rest) {
            Ok(options) => {
                println!("{}", find::table(&options, |line| eprintln!("{line}")));
                ExitCode::SUCCESS
            }
            Err(message) => usage(&message),
        };
    }
    if command == "families" {
        return match families::Options::parse(rest) {
            Ok(options) => {
                println!("{}", families::table(&options, |line| eprintln!("{line}")));
                ExitCode::SUCCESS
            }
            Err(message) => usage(&message),
        };
    }
    if command == "shrink" {
        return match shrink::Options::parse(rest) {
            Ok(options) => {
                println!("{}", shrink::table(&options, |line| eprintln!("{line}")));
                ExitCode::SUCCESS
            }
            Err(message) => usage(&message),
        };
    }
    if let ("histories", [option, folder]) = (command.as_str(), rest)
        && option == "--write"
    {
        return match histories::write(folder.as_ref()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => usage(&format!("cannot write: {error}")),
        };
    }
    let options = match Options::parse(rest) {
        Ok(options) => options,
        Err(message) => return usage(&message),
    };
    match command.as_str() {
        "actor" => println!("{}", actor_costs::table(&options)),
        "core" => println!("{}", core_costs::table(&options)),
        "histories" => println!("{}", histories::table(&options)),
        "network" => println!("{}", network_costs::table(&options)),
        "real" => println!("{}", real_costs::table(&options)),
        "sync" => println!("{}\n{}", lock_costs::table(&options), sync_costs::table(&options)),
        other => return usage(&format!("unknown command {other:?}")),
    }
    ExitCode::SUCCESS
}

fn usage(message: &str) -> ExitCode {
    eprintln!(
        "{message}\n\
         usage: parcae-benches actor|core|sync|real|network [--rounds N] [--only TEXT] [--side TEXT]\n\
         \u{20}      parcae-benches histories [--rounds N] [--only TEXT] | histories --write FOLDER\n\
         \u{20}      parcae-benches find [--trials N] [--cap N] [--only TEXT] [--side TEXT]\n\
         \u{20}      parcae-benches families [--seeds N] [--only TEXT] [--side TEXT]\n\
         \u{20}      parcae-benches shrink [--seeds N] [--only TEXT]"
    );
    ExitCode::FAILURE
}
