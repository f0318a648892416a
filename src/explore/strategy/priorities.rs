//! Priorities of what tasks do next: drawn when first asked for, kept until forgotten.

use std::collections::BTreeMap;

use super::draws::Draws;
use crate::kernel::StreamId;

#[derive(Debug, Default)]
pub(super) struct Priorities {
    of_tasks: BTreeMap<StreamId, u64>,
}

impl Priorities {
    /// Returns the priority of the next operation of a task.
    pub(super) fn of(&mut self, task: StreamId, draws: &mut Draws) -> u64 {
        *self.of_tasks.entry(task).or_insert_with(|| draws.bits())
    }

    /// Forgets it: the operation is done, or an operation that it races with.
    pub(super) fn forget(&mut self, task: StreamId) {
        self.of_tasks.remove(&task);
    }
}
