//! How the command ends.

use std::process::ExitCode;

/// What the exit code says. [`crate::cli`] lists the codes in its help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Nothing failed; a replay does not fail any more.
    Clean = 0,
    /// The command line, or a file that it names, cannot be read.
    Usage = 2,
    /// A replay fails otherwise than recorded, or took another way there.
    Diverged = 3,
    /// A seed fails; a replay fails as recorded.
    Failing = 42,
    /// The machine failed: a report that cannot be written, though a seed fails, or a thread that cannot
    /// be made.
    Infrastructure = 75,
    /// Ctrl-C or SIGTERM, before any seed failed: 128 + SIGINT, as shells have it. Not `Clean`, because
    /// fewer seeds were run than asked for.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
