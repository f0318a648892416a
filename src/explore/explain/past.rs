//! The causal past of a failure: what happened before it and may have had a part in it.
//!
//! One pass over the log from its end to its beginning. An event is in the past of the failure when
//! something that is in it comes later and follows from it: a later event of the same task; a task that it
//! spawned or woke; an operation on the same resource; for a packet, that a task of the machine it came
//! to went on with the network afterwards. That is more than what had a part: a lock orders all that took it.

use std::collections::BTreeSet;

use crate::executor::{Failure, Happening, Log, LogEntry, StalledTask};
use crate::kernel::{Event, EventKind, StreamId};

/// Returns the indices of the entries that happened before a failure, in order.
pub(super) fn causal_past(log: &Log, failure: &Failure) -> Vec<usize> {
    let is_end = |entry: &LogEntry| matches!(&entry.what, Happening::Event(event) if event.kind == EventKind::End);
    let end = log.entries.iter().position(is_end).unwrap_or(log.entries.len());
    let mut past = Past::new(log);
    past.tasks.extend(sinks(log, failure));
    if past.tasks.is_empty()
        && let Some(last) =
            log.entries[..end].iter().rfind(|entry| log.tasks.contains_key(&entry.task))
    {
        past.tasks.insert(last.task);
    }
    let mut indices: Vec<usize> = (0..end).rev().filter(|index| past.take(*index)).collect();
    indices.reverse();
    indices
}

/// Returns the tasks in which the failure shows.
fn sinks(log: &Log, failure: &Failure) -> Vec<StreamId> {
    let stalled = |tasks: &[StalledTask]| tasks.iter().map(|task| task.name.clone()).collect();
    let names: Vec<String> = match failure {
        Failure::Panic { task, .. }
        | Failure::Error { task, .. }
        | Failure::ForeignWake { task, .. }
        | Failure::Property { task, .. } => vec![task.clone()],
        Failure::TaskLimit { spawner, .. } => vec![spawner.clone()],
        Failure::Deadlock { tasks, .. }
        | Failure::TimeLimit { tasks, .. }
        | Failure::Leak { tasks, .. }
        | Failure::Livelock { tasks, .. }
        | Failure::StepLimit { tasks, .. } => stalled(tasks),
        _ => Vec::new(),
    };
    let is_named = |name: &str| names.iter().any(|known| known == name);
    log.tasks.iter().filter(|(_, info)| is_named(&info.name)).map(|(task, _)| *task).collect()
}

/// What later events follow from, as the log is read backwards.
#[derive(Debug)]
struct Past<'a> {
    log: &'a Log,
    tasks: BTreeSet<StreamId>,
    resources: BTreeSet<u64>,
    /// Machines whose tasks go on with the network.
    receivers: BTreeSet<String>,
    /// Packets that come to those, by flow and number.
    packets: BTreeSet<(StreamId, u64)>,
}

impl<'a> Past<'a> {
    fn new(log: &'a Log) -> Self {
        Self {
            log,
            tasks: BTreeSet::new(),
            resources: BTreeSet::new(),
            receivers: BTreeSet::new(),
            packets: BTreeSet::new(),
        }
    }

    /// Tells whether an entry is in the past, and if so adds what it follows from.
    fn take(&mut self, index: usize) -> bool {
        let entry = &self.log.entries[index];
        let is_in = self.tasks.contains(&entry.task) || self.is_followed(&entry.what, entry.task);
        if !is_in {
            return false;
        }
        if self.log.tasks.contains_key(&entry.task) {
            self.tasks.insert(entry.task);
        }
        match &entry.what {
            Happening::Operation { resource, .. } | Happening::Wait { resource, .. } => {
                self.resources.insert(*resource);
                if self.log.names.contains_key(resource) {
                    self.receivers.insert(self.machine_of(entry.task));
                }
            }
            Happening::Woken { task } if self.is_after_delivery(index) => {
                self.receivers.insert(self.machine_of(*task));
            }
            Happening::Event(event) => self.take_event(event, index),
            _ => {}
        }
        true
    }

    fn is_followed(&self, what: &Happening, task: StreamId) -> bool {
        match what {
            Happening::Operation { resource, .. } => self.resources.contains(resource),
            Happening::Woken { task } => self.tasks.contains(task),
            Happening::Event(event) => match event.kind {
                EventKind::Spawn => self.tasks.contains(&StreamId::from_bits(event.subject)),
                EventKind::Deliver => self.receivers.contains(target(&self.log.task_name(task))),
                EventKind::Send => self.packets.contains(&(task, event.subject)),
                EventKind::Node => {
                    let name = self.log.task_name(task);
                    self.tasks.iter().any(|task| self.machine_of(*task) == name)
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn take_event(&mut self, event: &Event, index: usize) {
        match event.kind {
            EventKind::Deliver => {
                self.packets.insert((event.task, event.subject));
            }
            // The call that sent it, or did it, stands right in front.
            EventKind::Send | EventKind::Node => self.tasks.extend(self.task_before(index)),
            _ => {}
        }
    }

    /// Tells whether an entry was made while a packet arrived.
    fn is_after_delivery(&self, index: usize) -> bool {
        let kind = |entry: &LogEntry| match &entry.what {
            Happening::Event(event) => Some(event.kind),
            _ => None,
        };
        let before = self.log.entries[..index].iter().rev();
        let mut events = before.filter_map(kind);
        let ends = [EventKind::Time, EventKind::Poll, EventKind::Deliver];
        events.find(|kind| ends.contains(kind)) == Some(EventKind::Deliver)
    }

    /// Returns the task that ran when an entry was made by what is no task.
    fn task_before(&self, index: usize) -> Option<StreamId> {
        let is_time = |entry: &&LogEntry| matches!(&entry.what, Happening::Event(event) if event.kind == EventKind::Time);
        let same_instant =
            self.log.entries[..index].iter().rev().take_while(|entry| !is_time(entry));
        let mut tasks = same_instant.map(|entry| entry.task);
        tasks.find(|task| self.log.tasks.contains_key(task))
    }

    /// Returns the machine of a task: its path begins with that.
    fn machine_of(&self, task: StreamId) -> String {
        let name = self.log.task_name(task);
        let first = name.split('/').next().unwrap_or_default();
        let first = first.split('#').next().unwrap_or_default();
        let is_machine = self.log.objects.values().any(|object| **object == *first);
        if is_machine { first.to_owned() } else { TEST.to_owned() }
    }
}

/// Returns the machine that the packets of a flow come to: the name of the flow begins `from->to`.
fn target(flow: &str) -> &str {
    let rest = flow.split_once("->").map_or("", |(_, rest)| rest);
    rest.split([',', ' ', ':']).next().unwrap_or_default()
}

/// The machine of whoever is on none.
const TEST: &str = "test";

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn the_target_of_a_flow_is_in_its_name() {
        assert_eq!(target("a->kv-1, connection 0 to :80"), "kv-1");
        assert_eq!(target("a->kv-1, answers of :80 to :4000"), "kv-1");
        assert_eq!(target("link"), "");
    }
}
