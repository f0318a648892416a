//! What a program traces during one run, with virtual time.
//!
//! A subscriber of our own is installed on the thread of the run and for its length only, so it
//! meets neither other runs nor a subscriber of the user's. It keeps lines of text; nobody pays for
//! it when tracing is off.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::context;
use crate::executor::Executor;

/// Calls `run`; with a level, keeps what is traced at it or above as lines.
pub(super) fn captured<R>(level: Option<Level>, run: impl FnOnce() -> R) -> (R, Vec<String>) {
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
    lines: Vec<String>,
    /// Text of each span: `task{name=worker}`. Spans of one run are few; none is forgotten.
    spans: Vec<String>,
    entered: Vec<usize>,
}

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
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
        let metadata = event.metadata();
        let mut state = lock(&self.state);
        if state.lines.len() >= LINES_MAX {
            return;
        }
        let spans: Vec<&str> = state
            .entered
            .iter()
            .filter_map(|at| state.spans.get(*at))
            .map(String::as_str)
            .collect();
        let line = format!(
            "{time} {:>5} {}{}{}: {}{}",
            metadata.level(),
            spans.join(":"),
            if spans.is_empty() { "" } else { " " },
            metadata.target(),
            fields.message,
            fields.text
        );
        state.lines.push(line);
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

const LINES_MAX: usize = 10_000;
