//! Eager tasks: the first poll of a task inside of the call that spawns it.

use super::core::Core;
use super::run::Step;
use super::{Executor, TaskId};

/// A task whose poll is interrupted, with what has to hold when it goes on.
#[derive(Debug)]
pub(super) struct Interrupted {
    index: u32,
    is_woken: bool,
    is_preempted: bool,
}

impl Executor {
    /// Polls a task that was just spawned, inside of the poll of the running one. It is not preempted:
    /// what it does until its first wait happens at once.
    ///
    /// Outside of a poll the task begins as any other.
    pub(crate) fn begin_now(&self, task: TaskId) {
        let mut core = self.core.borrow_mut();
        let Some(running) = core.running else { return };
        if core.interrupted.len() >= DEPTH_MAX {
            return;
        }
        // Nothing was spawned where that was refused, and what a paused domain holds stays there.
        let last = core.ready.len().wrapping_sub(1);
        if core.ready.is_empty() || core.ready.get(last) != task.index() {
            return;
        }
        core.ready.remove(last);
        let (is_woken, is_preempted) = (core.is_woken, core.is_preempted);
        core.interrupted.push(Interrupted { index: running, is_woken, is_preempted });
        let step = core.begin_poll(task.index());
        drop(core);
        if let Some(Step::Poll { task, cell, is_cancelled }) = step {
            self.poll(task, cell, is_cancelled);
        }
        let mut core = self.core.borrow_mut();
        let back = core.interrupted.pop().expect("polls of eager tasks are nested");
        core.running = Some(back.index);
        (core.is_woken, core.is_preempted) = (back.is_woken, back.is_preempted);
    }
}

impl Core {
    /// Notes that a task was woken during its own poll, interrupted or not.
    #[inline]
    pub(super) fn wake_running(&mut self, index: u32) {
        match self.interrupted.iter_mut().find(|task| task.index == index) {
            Some(task) => task.is_woken = true,
            // Not always the one that runs: a task that kills a domain lends the run to the destructors
            // of each of its victims.
            None => self.is_woken = true,
        }
    }
}

/// Eager tasks that spawn eager tasks use the stack of the thread; deeper ones begin as others do.
const DEPTH_MAX: usize = 64;
