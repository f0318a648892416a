//! Context variables of tasks, as far as the executor knows them: one value that a child copies.

use std::any::Any;
use std::rc::Rc;

use super::Executor;
use super::core::Core;

impl Executor {
    /// Returns the variables of the running task, if it has any.
    pub(crate) fn variables(&self) -> Option<Rc<dyn Any>> {
        let core = self.core.borrow();
        core.running.and_then(|index| core.variables(index).cloned())
    }

    /// Tells whether a task runs, whose variables can be set.
    pub(crate) fn has_variables(&self) -> bool {
        self.core.borrow().running.is_some()
    }

    /// Replaces the variables of the running task. Returns false when no task runs.
    pub(crate) fn set_variables(&self, variables: Option<Rc<dyn Any>>) -> bool {
        let mut core = self.core.borrow_mut();
        let Some(index) = core.running else { return false };
        let place = &mut core.tasks.details_mut(index).cold().variables;
        let replaced = std::mem::replace(place, variables);
        drop(core);
        // Unborrowed: values are the user's.
        drop(replaced);
        true
    }
}

impl Core {
    /// Takes the variables of a task that has ended.
    pub(super) fn take_variables(&mut self, index: u32) -> Option<Rc<dyn Any>> {
        self.tasks.details_mut(index).cold.as_mut()?.variables.take()
    }

    pub(super) fn variables(&self, index: u32) -> Option<&Rc<dyn Any>> {
        self.tasks.details(index).cold.as_ref()?.variables.as_ref()
    }
}
