//! What a shrunk world forces, as sentences made from the log of its run.

use std::collections::BTreeMap;
use std::panic::Location;

use crate::executor::{Happening, Log, LogEntry, LoggedDecision, LoggedDraw};
use crate::explore::Finding;
use crate::kernel::{Event, EventKind, Key, Space, StreamId, VirtualTime};

/// One override in words.
#[derive(Debug)]
pub(super) struct Sentence {
    /// Address of the choice.
    pub(super) key: Key,
    /// The text.
    pub(super) text: String,
    /// The tasks that it names.
    pub(super) tasks: Vec<StreamId>,
    /// Index of its entry in the log; none when it applied to nothing.
    pub(super) entry: Option<usize>,
}

/// Returns the overrides of a world in words, in the order in which they come to bear; those that
/// applied to nothing are last.
pub(super) fn story(finding: &Finding) -> Vec<Sentence> {
    let log = finding.log();
    let met = Met::of(log);
    let overrides = finding.world().overrides.iter();
    let mut sentences: Vec<Sentence> =
        overrides.map(|(key, value)| met.sentence(log, *key, *value)).collect();
    sentences.sort_by_key(|sentence| sentence.entry.unwrap_or(usize::MAX));
    sentences
}

/// Decisions and draws of a run by what an override asks for.
#[derive(Debug)]
struct Met<'a> {
    decisions: BTreeMap<(Key, u64), &'a LoggedDecision>,
    draws: BTreeMap<(Key, u64), &'a LoggedDraw>,
}

impl<'a> Met<'a> {
    fn of(log: &'a Log) -> Self {
        let decisions = log.decisions.iter().filter(|decision| !decision.is_stale);
        let decisions = decisions.map(|met| ((met.key, met.chosen.get()), met));
        let draws = log.draws.iter().map(|met| ((met.draw.key, met.draw.value), met));
        Self { decisions: decisions.collect(), draws: draws.collect() }
    }

    fn sentence(&self, log: &Log, key: Key, value: u64) -> Sentence {
        if let Some(decision) = self.decisions.get(&(key, value)) {
            return of_decision(log, decision);
        }
        if let Some(drawn) = self.draws.get(&(key, value)) {
            return of_draw(log, drawn);
        }
        let text = format!("{} (this did not come up)", log.describe_override(key, value));
        Sentence { key, text, tasks: Vec::new(), entry: None }
    }
}

fn of_decision(log: &Log, decision: &LoggedDecision) -> Sentence {
    let text = if decision.can_continue { preemption(log, decision) } else { turn(log, decision) };
    let tasks = vec![decision.key.stream, decision.chosen, decision.default];
    Sentence { key: decision.key, text, tasks, entry: Some(decision.entry) }
}

/// A task was preempted at a point.
fn preemption(log: &Log, decision: &LoggedDecision) -> String {
    let (task, next) = (log.task_name(decision.key.stream), log.task_name(decision.chosen));
    let text = format!("`{task}` is preempted by `{next}`");
    if let Some(LogEntry { what: Happening::Preempted { resource, verb }, location, .. }) =
        log.entries.get(decision.entry)
    {
        let what = Happening::Operation { resource: *resource, verb };
        return format!("{text} before: {}{}", log.describe_what(&what), at(*location));
    }
    text
}

/// Another task than the first in the queue had its turn.
fn turn(log: &Log, decision: &LoggedDecision) -> String {
    let (next, default) = (log.task_name(decision.chosen), log.task_name(decision.default));
    let task = decision.key.stream;
    let last = LastPoll::before(log, decision);
    let name = log.task_name(task);
    let when = match last {
        LastPoll::Yielded if task == decision.chosen => {
            return format!("`{name}` yields and goes on all the same, before `{default}`");
        }
        LastPoll::Yielded => format!("when `{name}` yields"),
        LastPoll::Ended => format!("when `{name}` has ended"),
        LastPoll::Cancelled => format!("when `{name}` has been cancelled"),
        LastPoll::Panicked => format!("when `{name}` has panicked"),
        LastPoll::Waits(waits) if waits.is_empty() => format!("when `{name}` waits"),
        LastPoll::Waits(waits) => format!("when `{name}` waits ({})", waits.join(", ")),
        LastPoll::TimeMoved(time) => format!("at {time}"),
        LastPoll::Unknown => format!("after step {} of `{name}`", decision.key.ordinal),
    };
    format!("{when}, `{next}` goes on before `{default}`")
}

/// How the poll before a decision ended.
#[derive(Debug)]
enum LastPoll {
    Yielded,
    Ended,
    Cancelled,
    Panicked,
    /// What the last entries of the poll say that it waits for.
    Waits(Vec<String>),
    /// Time has moved since, and tasks were woken by it.
    TimeMoved(VirtualTime),
    Unknown,
}

impl LastPoll {
    fn before(log: &Log, decision: &LoggedDecision) -> Self {
        let Some(entries) = log.entries.get(..decision.entry) else { return Self::Unknown };
        let mut waits = Vec::new();
        let mut are_last = true;
        for entry in entries.iter().rev() {
            if let Happening::Event(Event { kind: EventKind::Time, .. }) = entry.what {
                return Self::TimeMoved(entry.time);
            }
            if entry.task != decision.key.stream {
                continue;
            }
            match &entry.what {
                Happening::Yielded => return Self::Yielded,
                Happening::Event(event) => match event.kind {
                    EventKind::Complete => return Self::Ended,
                    EventKind::Cancel => return Self::Cancelled,
                    EventKind::Panic => return Self::Panicked,
                    EventKind::Poll => return Self::Waits(waits),
                    EventKind::TimerSet if are_last => waits.insert(0, wait(log, entry)),
                    _ => are_last = false,
                },
                Happening::Wait { .. } if are_last => waits.insert(0, wait(log, entry)),
                // Who ends wakes who joins.
                Happening::Woken { .. } => {}
                // What it did before it came to its last waits.
                _ => are_last = false,
            }
        }
        Self::Unknown
    }
}

fn wait(log: &Log, entry: &LogEntry) -> String {
    let what = match &entry.what {
        Happening::Wait { resource, verb } => format!("{verb} {}", log.resource_name(*resource)),
        Happening::Event(event) => format!("until {}", VirtualTime::from_nanos(event.subject)),
        _ => String::new(),
    };
    match entry.location {
        Some(location) => format!("{what} at {}:{}", location.file(), location.line()),
        None => what,
    }
}

fn of_draw(log: &Log, drawn: &LoggedDraw) -> Sentence {
    let LoggedDraw { draw, site, location, entry } = drawn;
    let Key { stream, ordinal, .. } = draw.key;
    let key = draw.key;
    let sentence = |text| Sentence { key, text, tasks: vec![stream], entry: Some(*entry) };
    match draw.space {
        Space::Knob { .. } => {
            // The run says right after the draw what that is.
            if let Some(LogEntry { what: Happening::Note(note), .. }) = log.entries.get(entry + 1) {
                return sentence(format!("knob {note}"));
            }
        }
        _ if is_firing(drawn) => {
            let name = log.task_name(stream);
            return sentence(format!("`{name}`: {site} fires{}", at(*location)));
        }
        _ => {}
    }
    let text = format!(
        "`{}` draws {} for {site} {ordinal} (default {}){}",
        log.task_name(stream),
        draw.space.show(draw.value),
        draw.space.show(draw.space.default_value()),
        at(*location),
    );
    sentence(text)
}

/// Tells whether a draw is a rare branch of the program's that is taken.
pub(super) fn is_firing(drawn: &LoggedDraw) -> bool {
    let is_chance = matches!(drawn.draw.space, Space::Chance { .. });
    is_chance && drawn.draw.value == 1 && drawn.site.starts_with(BUGGIFY)
}

fn at(location: Option<&Location<'_>>) -> String {
    location.map_or_else(String::new, |at| format!(" ({}:{})", at.file(), at.line()))
}

/// How the names of places begin that fire now and then.
const BUGGIFY: &str = "buggify ";
