//! Events of a log, as the lines that Jepsen prints while it runs.

use std::fmt::Write as _;

use super::error::LogError;
use super::event::{Event, EventKind, Process};
use super::reader::Reader;
use super::value::Value;

/// Reads the events among the lines of a log. Lines that are not by `jepsen.util` are not looked at.
///
/// An event has four fields between tabs: process, kind, function and value, in EDN.
///
/// # Errors
/// What stands in an event where something else should.
pub fn from_lines(text: &str) -> Result<Vec<Event>, LogError> {
    let _ = Reader::new(text, 1)?;
    let mut events = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let Some((_, fields)) = line.split_once(MARK) else { continue };
        let mut reader = Reader::new(fields, number)?;
        let mut field = |expected| {
            let missing = reader.expected(expected);
            reader.value(0).map(|value| (value, missing))
        };
        let (process, missing) = field("a process: a number or a keyword")?;
        let process = Process::of(&process).ok_or(missing)?;
        let (kind, missing) = field("one of :invoke, :ok, :fail, :info")?;
        let kind = EventKind::named(&kind).ok_or(missing)?;
        let (function, missing) = field("a function: a keyword")?;
        let function = function.as_keyword().ok_or(missing)?.to_owned();
        let (value, _) = field("a value")?;
        // What comes behind it are words for people: why it failed.
        events.push(Event { process, kind, function, value, key: None, time: None, line: number });
    }
    Ok(events)
}

/// Writes a log of such lines. They have no place for keys and times.
#[must_use]
pub fn to_lines(events: &[Event]) -> String {
    let mut text = String::new();
    for Event { process, kind, function, value, .. } in events {
        let (process, kind): (Value, _) = (process.value(), kind.name());
        let _ = writeln!(text, "INFO {MARK}{process}\t:{kind}\t:{function}\t{value}");
    }
    text
}

const MARK: &str = " jepsen.util - ";
