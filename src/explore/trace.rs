//! What a program traces during one run, with virtual time.
//!
//! A subscriber of our own is installed on the thread of the run and for its length only, so it
//! meets neither other runs nor a subscriber of the user's. It keeps lines of text; nobody pays for
//! it when tracing is off.
//!
//! From `debug` on, what the executor did stands between the lines of the program. It comes from the
//! log and is put in afterwards, so that no subscriber is called while the executor is at work.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::context;
use crate::executor::{Executor, Happening, Log, LogEntry};
use crate::kernel::{EventKind, StreamId};

/// A line that the program traced.
#[derive(Debug)]
pub(super) struct Line {
    /// How many entries the log had when it was traced.
    logged_count: usize,
    text: String,
}

/// Tells whether a trace of this level shows what the executor does, and so needs the log.
pub(super) fn shows_events(level: Option<Level>) -> bool {
    level.is_some_and(|level| level >= Level::DEBUG)
}

/// Returns the lines of the program and, from `debug` on, of the executor, in order.
pub(super) fn merged(level: Option<Level>, lines: Vec<Line>, log: Option<&Log>) -> Vec<String> {
    let log = log.filter(|_| shows_events(level));
    let mut merged = Vec::new();
    let mut shown_count = 0;
    let mut show_events_before = |end: usize, merged: &mut Vec<String>| {
        let Some(log) = log else { return };
        // What is traced when the run is over does not know how many entries there were.
        let end = end.max(shown_count);
        let entries = log.entries[shown_count..end].iter();
        let shown = entries.filter(|entry| level == Some(Level::TRACE) || !is_detail(entry));
        merged.extend(shown.map(|entry| event_line(log, entry)));
        shown_count = end;
    };
    for line in lines {
        show_events_before(line.logged_count, &mut merged);
        merged.push(line.text);
    }
    show_events_before(log.map_or(0, |log| log.entries.len()), &mut merged);
    merged
}

/// Tells whether another entry says the same in more words.
fn is_detail(entry: &LogEntry) -> bool {
    let Happening::Event(event) = &entry.what else { return false };
    matches!(event.kind, EventKind::Poll | EventKind::Operation | EventKind::Time)
}

fn event_line(log: &Log, entry: &LogEntry) -> String {
    let (time, what) = (entry.time, log.describe_what(&entry.what));
    let mut line = format!("{time} DEBUG ");
    if entry.task != StreamId::ROOT {
        let _ = write!(line, "task{{name={}}} ", log.task_name(entry.task));
    }
    let _ = write!(line, "parcae: {what}");
    if let Some(location) = entry.location {
        let _ = write!(line, " ({}:{})", location.file(), location.line());
    }
    line
}

/// Calls `run`; with a level, keeps what is traced at it or above as lines.
pub(super) fn captured<R>(level: Option<Level>, run: impl FnOnce() -> R) -> (R, Vec<Line>) {
    let Some(level) = level else { return (run(), Vec::new()) };
    let state = Arc::new(Mutex::new(State::default()));
    let subscriber = Capture { level, state: state.clone(), next_span: AtomicU64::new(1) };
    let result = tracing::subscriber::with_default(subscriber, run);
    let lines = std::mem::take(&mut lock(&state).lines);
    (result, lines)
}

struct Capture {
    level: Level,
    state: Arc<Mutex<State>>,
    next_span: AtomicU64,
}

#[derive(Default)]
struct State {
    lines: Vec<Line>,
    /// Text of each span: `task{name=worker}`. Spans of one run are few; none is forgotten.
    spans: Vec<String>,
    entered: Vec<usize>,
}

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // The span of the task, too, without which a warning would not say who warns.
        *metadata.level() <= self.level || (metadata.is_span() && metadata.target() == "parcae")
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let mut text = attributes.metadata().name().to_owned();
        if !fields.text.is_empty() {
            let _ = write!(text, "{{{}}}", fields.text.trim_start());
        }
        lock(&self.state).spans.push(text);
        Id::from_u64(self.next_span.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        let mut state = lock(&self.state);
        if let Some(text) = state.spans.get_mut(place(span)) {
            text.push_str(&fields.text);
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let time = context::with(Executor::now).unwrap_or_default();
        let logged_count = context::with(Executor::logged_count).unwrap_or_default();
        let metadata = event.metadata();
        let mut state = lock(&self.state);
        if state.lines.len() >= LINES_MAX {
            if state.lines.len() == LINES_MAX {
                let text = format!("… lines after the first {LINES_MAX} were not kept");
                state.lines.push(Line { logged_count, text });
            }
            return;
        }
        let spans: Vec<&str> = state
            .entered
            .iter()
            .filter_map(|at| state.spans.get(*at))
            .map(String::as_str)
            .collect();
        let text = format!(
            "{time} {:>5} {}{}{}: {}{}",
            metadata.level(),
            spans.join(":"),
            if spans.is_empty() { "" } else { " " },
            metadata.target(),
            fields.message,
            fields.text
        );
        state.lines.push(Line { logged_count, text });
    }

    fn enter(&self, span: &Id) {
        lock(&self.state).entered.push(place(span));
    }

    fn exit(&self, span: &Id) {
        let mut state = lock(&self.state);
        if let Some(at) = state.entered.iter().rposition(|entered| *entered == place(span)) {
            state.entered.remove(at);
        }
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    text: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = value.to_owned();
        } else {
            let _ = write!(self.text, " {}={value}", field.name());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            let _ = write!(self.text, " {}={value:?}", field.name());
        }
    }
}

fn place(span: &Id) -> usize {
    usize::try_from(span.into_u64() - 1).expect("a number of spans in memory")
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Promised by `SimBuilder::trace`: a program that traces for ever does not use up the memory.
const LINES_MAX: usize = 10_000;
