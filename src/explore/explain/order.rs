//! What has to come before what: the order that a forced choice stands for.

use super::difference::is_alike;
use crate::executor::{Happening, Log, LogEntry};
use crate::kernel::{EventKind, StreamId};

/// Two things of a run that have to come in this order, so that it fails.
///
/// It is read from two worlds that differ in one choice by as little as can be: a delay by a nanosecond, a turn of the
/// schedule. One of them fails; in it the one thing is next where in the other world the other is, and the first comes later.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Order {
    /// What has to come first, in words; the time is that of the world that it was read from.
    pub first: String,
    /// What must not come before that.
    pub then: String,
}

impl Order {
    /// Compares a run that fails with one that does not fail so.
    pub(super) fn between(failing: &Log, other: &Log) -> Option<Self> {
        let [ours, theirs] = [failing, other].map(deeds);
        let is_same =
            |one: &LogEntry, two: &LogEntry| one.task == two.task && is_alike(&one.what, &two.what);
        let place = ours.iter().zip(&theirs).take_while(|(one, two)| is_same(one, two)).count();
        let (first, then) = (ours.get(place)?, theirs.get(place)?);
        // What one task does, its program orders.
        let is_of_one = first.task == then.task && failing.tasks.contains_key(&first.task);
        let comes_later = theirs[place..].iter().any(|entry| is_same(first, entry));
        (comes_later && !is_of_one)
            .then(|| Self { first: failing.describe(first), then: other.describe(then) })
    }
}

/// Returns what tasks, timers, packets and machines do to others; not that a task is put off or waits.
fn deeds(log: &Log) -> Vec<&LogEntry> {
    let is_deed = |entry: &&LogEntry| match &entry.what {
        Happening::Event(event) => matches!(
            event.kind,
            EventKind::Complete
                | EventKind::Cancel
                | EventKind::Panic
                | EventKind::Domain
                | EventKind::Deliver
                | EventKind::Fault
                | EventKind::Node
        ),
        // Of a timer: who is woken by a task follows from what that does.
        Happening::Woken { .. } => entry.task == StreamId::ROOT,
        Happening::Operation { .. } | Happening::Note(_) => true,
        _ => false,
    };
    log.entries.iter().filter(is_deed).collect()
}
