//! What goes to stdout and stderr.

use std::error::Error;
use std::io::{self, Write as _};

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
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
