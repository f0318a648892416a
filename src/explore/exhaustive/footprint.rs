//! What a step of a task touches, as far as the log of its run shows.
//!
//! A step is what a task does from the decision that lets it go on to the next decision. The log has what it does at points and
//! what it waits for. It does not have what destructors do, such as letting a lock go; so whatever a task has touched before
//! counts as touched again, but for cells, which nobody holds.

use std::collections::BTreeMap;

use crate::executor::{Happening, Log, LogEntry};
use crate::kernel::{EventKind, StreamId};

/// What a step touches, and whether it changes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Footprint {
    /// These resources; true for those that it may change.
    Resources(BTreeMap<u64, bool>),
    /// It is not known.
    Anything,
}

impl Footprint {
    /// Tells whether two steps of different tasks lead to the same in either order.
    pub(super) fn commutes_with(&self, other: &Self) -> bool {
        let (Self::Resources(one), Self::Resources(other)) = (self, other) else { return false };
        let is_apart = |(resource, changes): (&u64, &bool)| {
            other.get(resource).is_none_or(|others| !changes && !others)
        };
        one.iter().all(is_apart)
    }
}

/// Reads the log of a run from front to back, one step after the other.
#[derive(Debug, Default)]
pub(super) struct Footprints {
    /// What each task has touched so far that it might let go of.
    held: BTreeMap<StreamId, Vec<u64>>,
}

impl Footprints {
    /// Returns what was touched in these entries, which follow those that were read before.
    pub(super) fn read(&mut self, log: &Log, entries: &[LogEntry]) -> Footprint {
        let mut touched = BTreeMap::new();
        let mut is_known = true;
        for LogEntry { task, what, .. } in entries {
            for held in self.held.get(task).into_iter().flatten() {
                touched.insert(*held, true);
            }
            match what {
                Happening::Operation { resource, verb } | Happening::Wait { resource, verb } => {
                    let is_cell = log.resources.get(resource).is_some_and(|info| info.kind == CELL);
                    *touched.entry(*resource).or_default() |= !is_cell || *verb != READ;
                    if !is_cell {
                        self.held.entry(*task).or_default().push(*resource);
                    }
                }
                Happening::Woken { task } => drop(touched.insert(task.get(), true)),
                Happening::Event(event) => match event.kind {
                    EventKind::Poll | EventKind::Operation => {}
                    EventKind::Spawn => drop(touched.insert(event.subject, true)),
                    EventKind::Complete | EventKind::Cancel => {
                        touched.insert(task.get(), true);
                    }
                    _ => is_known = false,
                },
                Happening::Preempted { .. } | Happening::Yielded | Happening::Note(_) => {}
            }
        }
        if is_known { Footprint::Resources(touched) } else { Footprint::Anything }
    }
}

/// What [`Shared`](crate::testing::Shared) says it is: nobody holds one.
const CELL: &str = "Shared";

/// What is done to one that changes nothing.
const READ: &str = "read";
