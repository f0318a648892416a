//! The full record of a run, kept only when asked for.

use std::collections::BTreeMap;
use std::panic::Location;

use super::resource::ResourceInfo;
use crate::kernel::{Chain, Draw, Event, Key, Space, StreamId, VirtualTime};

/// Everything that a report, the shrinker and the determinism check need to know of a run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Log {
    /// What happened, in order.
    pub entries: Vec<LogEntry>,
    /// Drawn choices, in order.
    pub draws: Vec<LoggedDraw>,
    /// Decisions about the schedule that had two candidates or more, in order.
    pub decisions: Vec<LoggedDecision>,
    /// All tasks.
    pub tasks: BTreeMap<StreamId, TaskInfo>,
    /// All resources that were used, by number.
    pub resources: BTreeMap<u64, ResourceInfo>,
    /// How many entries were dropped because of [`super::Limits::logged_events`].
    pub dropped_count: u64,
}

/// One entry: an event of the chain, or something for readers only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// When it happened.
    pub time: VirtualTime,
    /// In which task.
    pub task: StreamId,
    /// What.
    pub what: Happening,
    /// Line of the user's program it comes from, where that is known.
    pub location: Option<&'static Location<'static>>,
    /// The chain after it.
    pub chain: Chain,
}

/// What an entry of the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happening {
    /// An event of the chain.
    Event(Event),
    /// The task did something to a resource.
    Operation {
        /// Number of the resource.
        resource: u64,
        /// Name of the verb.
        verb: &'static str,
    },
    /// The task was preempted before the operation it had come to.
    Preempted,
    /// The task waits.
    Wait {
        /// Number of the resource.
        resource: u64,
        /// Name of the verb.
        verb: &'static str,
    },
    /// The task was woken by the running one.
    Woken {
        /// Which task was woken.
        task: StreamId,
    },
    /// A value that was read, written, sent or received.
    Note(Box<str>),
}

/// A drawn choice and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct LoggedDraw {
    /// The draw.
    pub draw: Draw,
    /// Name of its site.
    pub site: &'static str,
    /// Line of the user's program that drew.
    pub location: Option<&'static Location<'static>>,
    /// Index of its entry in [`Log::entries`].
    pub entry: usize,
}

/// A decision about the schedule.
#[derive(Clone, Copy, Debug)]
pub struct LoggedDecision {
    /// Its address: the task that ran last and the number of its step.
    pub key: Key,
    /// Who went on.
    pub chosen: StreamId,
    /// Who would have gone on by default.
    pub default: StreamId,
    /// Whether the default was to stay on the running task.
    pub can_continue: bool,
    /// Whether an override at the key named a task that was no candidate.
    pub is_stale: bool,
    /// Index of the next entry in [`Log::entries`].
    pub entry: usize,
}

/// What is known of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskInfo {
    /// Path of names: `worker#1/flush`.
    pub name: String,
    /// Where it was spawned.
    pub spawned_at: Option<&'static Location<'static>>,
}

impl Log {
    /// Returns the name of a task, or its number when it is not known.
    #[must_use]
    pub fn task_name(&self, task: StreamId) -> String {
        match self.tasks.get(&task) {
            Some(info) => info.name.clone(),
            None => format!("task {task}"),
        }
    }

    /// Returns the space and value of the draw at a key.
    #[must_use]
    pub fn draw_at(&self, key: Key) -> Option<(Space, u64)> {
        let found = self.draws.iter().find(|logged| logged.draw.key == key)?;
        Some((found.draw.space, found.draw.value))
    }
}
