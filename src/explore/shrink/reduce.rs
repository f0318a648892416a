//! Leaving out single choices: ddmin.

use std::ops::ControlFlow;

use super::class::Class;
use super::{Pass, Shrinker};
use crate::kernel::Key;

impl Shrinker<'_> {
    /// Leaves out overrides of each class, those of faults first.
    pub(super) fn reduce_all(&mut self) -> Pass {
        let mut has_progressed = false;
        for class in Class::ALL {
            has_progressed |= self.reduce(class)?;
        }
        ControlFlow::Continue(has_progressed)
    }

    /// Leaves out overrides of a class, half of them first, in the end each alone.
    fn reduce(&mut self, class: Class) -> Pass {
        let mut has_progressed = false;
        let mut parts = 2;
        loop {
            let classes = self.classes();
            let is_of_class = |key: &Key| classes.of_key(key) == class;
            let keys: Vec<Key> = self.overrides().keys().copied().filter(is_of_class).collect();
            if keys.is_empty() {
                return ControlFlow::Continue(has_progressed);
            }
            parts = parts.min(keys.len());
            let base = self.overrides().clone();
            let without = |part: &[Key]| {
                let mut rest = base.clone();
                part.iter().for_each(|key| {
                    rest.remove(key);
                });
                rest
            };
            // From the end: what happens last is needed least often.
            let size = keys.len().div_ceil(parts);
            if self.propose(keys.rchunks(size).map(without))? {
                has_progressed = true;
                parts = parts.saturating_sub(1).max(2);
            } else if parts >= keys.len() {
                return ControlFlow::Continue(has_progressed);
            } else {
                parts *= 2;
            }
        }
    }
}
