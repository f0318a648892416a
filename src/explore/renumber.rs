//! Replaying in an edited program: unnamed tasks that a new sibling has renumbered.
//!
//! An unnamed task is known by its number among its unnamed siblings, so one more (or one less)
//! spawned before it moves that number, and all overrides that name it go stale. The remedy is to
//! guess the edit: for each place among the unnamed siblings of each task, suppose that the program
//! of the record had no task there (or one more), and translate the overrides accordingly.

use std::collections::{BTreeMap, BTreeSet};

use crate::executor::{Log, SCHEDULE, TaskInfo};
use crate::kernel::{Overrides, StreamId};

/// Returns the overrides as they would be after one unnamed task was added or removed, for each
/// place where that changes something. `log` is of a run of the edited program.
pub(super) fn guesses(overrides: &Overrides, log: &Log) -> Vec<Overrides> {
    let unnamed = log.tasks.values().filter(|task| task.is_unnamed);
    let places: BTreeSet<(StreamId, u32)> =
        unnamed.map(|task| (task.parent, task.ordinal)).collect();
    let mut guesses = Vec::new();
    for (parent, ordinal) in places.into_iter().take(PLACES_MAX) {
        for edit in [Edit::Added, Edit::Removed] {
            let guess = translate(overrides, &old_names(log, parent, ordinal, edit));
            if guess != *overrides && !guesses.contains(&guess) {
                guesses.push(guess);
            }
        }
    }
    guesses
}

/// What was done to the program since the record.
#[derive(Clone, Copy, Debug)]
enum Edit {
    /// The task at the place is new.
    Added,
    /// A task that was at the place is gone.
    Removed,
}

/// Maps the names that tasks had in the record to those that they have now.
fn old_names(
    log: &Log,
    parent: StreamId,
    ordinal: u32,
    edit: Edit,
) -> BTreeMap<StreamId, StreamId> {
    let mut old_by_new = BTreeMap::new();
    log.tasks
        .keys()
        .map(|new| (old_name(log, *new, (parent, ordinal, edit), &mut old_by_new), *new))
        .filter_map(|(old, new)| Some((old?, new)))
        .collect()
}

/// Returns the name that a task had in the record; none for one that was not there.
fn old_name(
    log: &Log,
    new: StreamId,
    edit: (StreamId, u32, Edit),
    known: &mut BTreeMap<StreamId, Option<StreamId>>,
) -> Option<StreamId> {
    if let Some(old) = known.get(&new) {
        return *old;
    }
    // The stream above the first task, or of a domain, has the name it always had.
    let Some(task) = log.tasks.get(&new) else { return Some(new) };
    let old = old_name(log, task.parent, edit, known)
        .and_then(|parent| Some(parent.child(&task.label, old_ordinal(task, edit)?)));
    known.insert(new, old);
    old
}

fn old_ordinal(task: &TaskInfo, (parent, ordinal, edit): (StreamId, u32, Edit)) -> Option<u32> {
    if !task.is_unnamed || task.parent != parent || task.ordinal < ordinal {
        return Some(task.ordinal);
    }
    match edit {
        Edit::Added if task.ordinal == ordinal => None,
        Edit::Added => Some(task.ordinal - 1),
        Edit::Removed => Some(task.ordinal + 1),
    }
}

fn translate(overrides: &Overrides, names: &BTreeMap<StreamId, StreamId>) -> Overrides {
    let renamed = |old: StreamId| names.get(&old).copied().unwrap_or(old);
    overrides
        .iter()
        .map(|(key, value)| {
            let is_schedule = key.site == SCHEDULE.id();
            let mut key = *key;
            key.stream = renamed(key.stream);
            let task = || renamed(StreamId::from_bits(*value)).get();
            (key, if is_schedule { task() } else { *value })
        })
        .collect()
}

const PLACES_MAX: usize = 64;
