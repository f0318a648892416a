//! The line that runs a failure again.

use std::path::Path;

use crate::explore::ReplayToken;
use crate::kernel::Seed;

/// How the replay line of a report is written.
///
/// # Examples
/// ```
/// use parcae::report::{Detail, ReplayCommand, replay_line};
/// use parcae::explore::Check;
///
/// let report = Check::new("demo").run(|| async { Err::<(), _>("no") });
/// let token = report.finding().and_then(|finding| finding.token()).expect("it can be replayed");
///
/// let command = ReplayCommand::from_prefix("cargo test -p kv demo");
/// assert_eq!(
///     replay_line(&command, token, None),
///     format!("PARCAE_REPLAY={token} cargo test -p kv demo"),
/// );
/// let command = ReplayCommand::of_cli("parcae");
/// assert_eq!(replay_line(&command, token, None), format!("parcae replay {token}"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayCommand {
    form: Form,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Environment { command: String },
    Argument { program: String },
}

impl ReplayCommand {
    /// Makes the line `PARCAE_REPLAY=TOKEN command`, for a program that reads the environment.
    #[must_use]
    pub fn from_prefix(command: impl Into<String>) -> Self {
        Self { form: Form::Environment { command: command.into() } }
    }

    /// Makes the line `program replay TOKEN`, for a program with subcommands.
    #[must_use]
    pub fn of_cli(program: impl Into<String>) -> Self {
        Self { form: Form::Argument { program: program.into() } }
    }
}

/// Returns the line that runs a token again. Where the token is too long for a line and a file
/// holds it, the line names the file: `PARCAE_REPLAY=@target/parcae/demo-0.txt …`.
#[must_use]
pub fn replay_line(command: &ReplayCommand, token: &ReplayToken, file: Option<&Path>) -> String {
    let token = token.to_string();
    let what = match file {
        Some(file) if token.len() > TOKEN_LENGTH_MAX => quoted(&format!("@{}", file.display())),
        _ => token,
    };
    match &command.form {
        Form::Environment { command } => {
            format!("PARCAE_REPLAY={what} {command}").trim_end().to_owned()
        }
        Form::Argument { program } => format!("{program} replay {what}"),
    }
}

/// Says how the line that runs a token again has its failure explained.
pub(super) fn explain_line(command: &ReplayCommand) -> &'static str {
    match &command.form {
        Form::Environment { .. } => "the same line with PARCAE_EXPLAIN=on in front says why",
        Form::Argument { .. } => "the same line with `explain` for `replay` says why",
    }
}

/// Returns the line that runs a seed again, and no other, for a failure without a token.
pub(super) fn seed_line(command: &ReplayCommand, seed: Seed) -> String {
    match &command.form {
        Form::Environment { command } => {
            format!("PARCAE_SEED={seed} {command}").trim_end().to_owned()
        }
        Form::Argument { program } => format!("{program} run with --seed {seed}"),
    }
}

/// Returns a word as a POSIX shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| {
        character.is_alphanumeric() || matches!(character, '@' | '/' | '.' | '-' | '_' | ':' | '+')
    };
    if word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Longest token, in characters, that a replay line holds when a file holds it too.
const TOKEN_LENGTH_MAX: usize = 400;
