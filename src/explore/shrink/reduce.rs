//! Leaving out single choices: ddmin.

use std::ops::ControlFlow;

use super::class::Class;
use super::{Best, Exhausted, Gate, Pass, Shrinker};
use crate::explore::world::World;
use crate::kernel::Key;

/// What is left out first: each leads to another least world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removal {
    /// What is of one task or link, by the numbers of those.
    ByObject,
    /// What is asked for last.
    ByTime,
}

impl Shrinker<'_> {
    /// Begins again at an earlier world, in the other order, if what is left is much; keeps the simpler one. It may
    /// take as many runs as the first way has taken.
    pub(super) fn reduce_otherwise(&mut self, start: World) -> Pass {
        if self.overrides().len() < AGAIN_MIN || self.affordable() == 0 {
            return ControlFlow::Continue(false);
        }
        let (budget, in_vain) = (self.budget, self.runs_without_progress);
        self.budget.runs = budget.runs.min(self.runs.saturating_mul(2));
        self.runs_without_progress = 0;
        self.removal = Removal::ByTime;
        // It may pass where the first way has passed.
        self.tried.retain(|print| !self.accepted.contains(print));
        let kept = self.best.take();
        let is_there = self.accept(start, Gate::Simpler);
        let reduced = match self.unless_cut(is_there) {
            ControlFlow::Continue(true) => self.fill_and_reduce(),
            ControlFlow::Continue(false) => ControlFlow::Break(Exhausted),
            ControlFlow::Break(exhausted) => ControlFlow::Break(exhausted),
        };
        self.removal = Removal::ByObject;
        (self.budget, self.runs_without_progress) = (budget, in_vain);
        let reading = |best: &Option<Best>| best.as_ref().map(|best| best.cost.reading());
        let is_simpler = reduced.is_continue() && reading(&self.best) < reading(&kept);
        if !is_simpler {
            self.best = kept;
        }
        // That its own runs are used up does not concern the passes that come after.
        if self.is_cut { ControlFlow::Break(Exhausted) } else { ControlFlow::Continue(is_simpler) }
    }

    fn fill_and_reduce(&mut self) -> ControlFlow<Exhausted> {
        self.fill_objects()?;
        self.truncate()?;
        while self.reduce_all()? {}
        ControlFlow::Continue(())
    }

    fn keys_in_order(&self) -> Vec<Key> {
        match self.removal {
            Removal::ByObject => self.overrides().keys().copied().collect(),
            Removal::ByTime => self.keys_by_time(),
        }
    }

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
            let mut keys = self.keys_in_order();
            keys.retain(|key| classes.of_key(key) == class);
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

/// Fewer are as few as they can be nearly always.
const AGAIN_MIN: usize = 5;
