//! Events of a log, as EDN.

use std::fmt::Write as _;

use super::error::LogError;
use super::reader::Reader;
use super::value::Value;

/// An event of a log: that somebody asked for something, or what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Who asked.
    pub process: Process,
    /// Whether it asks or ends.
    pub kind: EventKind,
    /// What for: the name of the function, without a colon.
    pub function: String,
    /// What belongs to it: what is written, what was read.
    pub value: Value,
    /// Which part of the system it is about, where that is told.
    pub key: Option<Value>,
    /// When, in nanoseconds from the beginning, where that is told.
    pub time: Option<i64>,
    /// The line it begins at, from 1; 0 if it was not read.
    pub line: usize,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Process {
    /// A client.
    Client(u64),
    /// Somebody who is no client, by name: those who make trouble.
    Other(String),
}

/// What kind of event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// Somebody asks.
    Invoke,
    /// It was done.
    Ok,
    /// It was not done.
    Fail,
    /// Nobody knows whether it was done.
    Info,
}

impl Event {
    /// Makes an event of a client, without key, time and line.
    #[must_use]
    pub fn new(client: u64, kind: EventKind, function: &str, value: Value) -> Self {
        let process = Process::Client(client);
        Self { process, kind, function: function.to_owned(), value, key: None, time: None, line: 0 }
    }

    /// Returns it with a key.
    #[must_use]
    pub fn with_key(self, key: Option<Value>) -> Self {
        Self { key, ..self }
    }
}

impl EventKind {
    /// Returns the keyword, without its colon.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invoke => "invoke",
            Self::Ok => "ok",
            Self::Fail => "fail",
            Self::Info => "info",
        }
    }

    pub(super) fn named(value: &Value) -> Option<Self> {
        let kinds = [Self::Invoke, Self::Ok, Self::Fail, Self::Info];
        kinds.into_iter().find(|kind| value.as_keyword() == Some(kind.name()))
    }
}

impl Process {
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(number) => u64::try_from(*number).ok().map(Self::Client),
            Value::Keyword(name) => Some(Self::Other(name.clone())),
            _ => None,
        }
    }

    pub(super) fn value(&self) -> Value {
        match self {
            Self::Client(number) => Value::Integer(number.cast_signed()),
            Self::Other(name) => Value::Keyword(name.clone()),
        }
    }
}

/// Reads a log in EDN: maps with `:process`, `:type`, `:f`, and what may be there: `:value`, `:key`, `:time`. Other entries are not
/// looked at. The maps stand one after the other, or in one vector or list.
///
/// # Errors
/// What stands where something else should.
pub fn from_edn(text: &str) -> Result<Vec<Event>, LogError> {
    let mut reader = Reader::new(text, 1)?;
    let close = match reader.peek()? {
        Some('[') => Some(']'),
        Some('(') => Some(')'),
        _ => None,
    };
    if close.is_some() {
        reader.step();
    }
    let mut events = Vec::new();
    loop {
        let line = reader.line()?;
        match reader.peek()? {
            None if close.is_none() => return Ok(events),
            next @ Some(']' | ')') if next == close => {
                reader.step();
                let rest = reader.peek()?;
                return if rest.is_none() { Ok(events) } else { Err(reader.expected("the end")) };
            }
            // Jepsen prints its histories as records, too: `#jepsen.history.Op{...}`.
            Some('{' | '#') => {}
            _ => return Err(reader.expected("a map, which is an event")),
        }
        events.push(event(line, reader.value(0)?)?);
    }
}

fn event(line: usize, mut value: Value) -> Result<Event, LogError> {
    while let Value::Tagged(_, inner) = value {
        value = *inner;
    }
    let missing = |expected| LogError::Expected { line, expected, found: "a map without".into() };
    let Value::Map(mut entries) = value else {
        return Err(missing("a map, which is an event"));
    };
    let mut entry = |name: &str| {
        let place = entries.iter().position(|(key, _)| key.as_keyword() == Some(name))?;
        Some(entries.swap_remove(place).1)
    };
    let process = entry("process").as_ref().and_then(Process::of);
    let kind = entry("type").as_ref().and_then(EventKind::named);
    let function = match entry("f") {
        Some(Value::Keyword(name) | Value::Text(name) | Value::Symbol(name)) => Some(name),
        _ => None,
    };
    Ok(Event {
        process: process.ok_or_else(|| missing(":process with a number or a keyword"))?,
        kind: kind.ok_or_else(|| missing(":type with one of :invoke, :ok, :fail, :info"))?,
        function: function.ok_or_else(|| missing(":f with a keyword"))?,
        value: entry("value").unwrap_or(Value::Nil),
        key: entry("key"),
        time: entry("time").as_ref().and_then(Value::as_integer),
        line,
    })
}

/// Writes a log in EDN, a map on each line.
#[must_use]
pub fn to_edn(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        let (process, kind) = (event.process.value(), event.kind.name());
        let _ = write!(text, "{{:process {process}, :type :{kind}, :f :{}", event.function);
        if let Some(key) = &event.key {
            let _ = write!(text, ", :key {key}");
        }
        let _ = write!(text, ", :value {}", event.value);
        if let Some(time) = event.time {
            let _ = write!(text, ", :time {time}");
        }
        text += "}\n";
    }
    text
}
