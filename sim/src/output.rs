//! What goes to stdout and stderr.

use std::error::Error as _;
use std::io::{self, IsTerminal as _, Write as _};

use parcae::report::{ReplayCommand, Style};

use crate::error::CommandError;

/// Writes to stdout. That the reader has gone, as with `| head`, is no error: the exit code still
/// says what was found.
pub(crate) fn print(text: &str) -> Result<(), CommandError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(CommandError::Output),
    }
}

/// Returns whether what goes to stdout has colours.
#[expect(clippy::disallowed_methods, reason = "NO_COLOR is an agreement between all programs")]
pub(crate) fn style() -> Style {
    let no_color = std::env::var_os("NO_COLOR").map(|value| value.to_string_lossy().into_owned());
    Style::for_terminal(io::stdout().is_terminal(), no_color.as_deref())
}

/// Returns how a line begins that replays a token: with the program as it was called, so that the line
/// works where it is read, also under `cargo run`.
pub(crate) fn replay_command() -> ReplayCommand {
    let called = std::env::args_os().next().and_then(|called| called.into_string().ok());
    let called = called.filter(|called| is_plain_word(called));
    ReplayCommand::of_cli(called.unwrap_or_else(|| "parcae".to_owned()))
}

/// Returns whether a shell takes this as one word.
fn is_plain_word(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@%".contains(&byte);
    !text.is_empty() && text.bytes().all(is_plain)
}

/// Writes an error and its causes to stderr, as clap writes its own.
pub(crate) fn complain(error: &CommandError) {
    let mut text = format!("error: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text.push('\n');
    // Where nobody reads stderr there is nobody to tell.
    drop(io::stderr().write_all(text.as_bytes()));
}

/// Writes a line to stderr.
pub(crate) fn tell(line: &str) {
    drop(writeln!(io::stderr(), "{line}"));
}
