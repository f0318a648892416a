//! Cleanup that awaits: tasks that a destructor leaves behind, and who waits for them.
//!
//! Dropping cannot await. A future that has something to await when it is dropped spawns a *cleanup*:
//! a child of the task in whose context it is dropped. That task has not ended before its cleanups
//! have: whoever joins or cancels it waits for them, and so does the end of the run.
//!
//! ```text
//!   running -> future gone -> closing (cleanups are open) -> done
//!                        `-> done
//! ```
//!
//! How long a cleanup may take is bounded by the layer above, which knows of time.

use std::future::Future;
use std::panic::Location;
use std::task::{Poll, Waker};

use super::cell::{FutureCell, NoError};
use super::core::Core;
use super::domain::DomainState;
use super::kin::TaskName;
use super::spawn::SpawnOptions;
use super::task_table::{Ownership, TaskState};
use super::wait_note::WaitSubject;
use super::{Executor, TaskId, WakeTarget};
use crate::context;

/// The cleanups of one task.
#[derive(Debug, Default)]
pub(super) struct Cleanups {
    open: Vec<OpenCleanup>,
    /// How many there were; the serial number of the next.
    spawned_count: u64,
    /// Futures of the task itself that wait for cleanups.
    waiters: Vec<WakeTarget>,
}

#[derive(Clone, Copy, Debug)]
struct OpenCleanup {
    serial: u64,
    task: TaskId,
}

/// What may still be spawned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spawning {
    /// Everything.
    Open,
    /// The program has ended: what destructors leave behind, and nothing else.
    CleanupsOnly,
    /// Nothing.
    Closed,
}

/// Cleanups that a task has spawned in one stretch of its life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CleanupSpan {
    owner: TaskId,
    /// Serial number of the first, and of the one after the last.
    first: u64,
    end: u64,
}

/// Calls what may leave cleanups of the running task behind, and returns which they are. No others are
/// waited for: a task that drops such futures again and again would never be done with it.
pub(crate) fn cleanups_of(call: impl FnOnce()) -> Option<CleanupSpan> {
    let before = context::with(Executor::cleanup_mark).flatten();
    call();
    let (owner, first) = before?;
    let (_, end) = context::with(Executor::cleanup_mark).flatten()?;
    Some(CleanupSpan { owner, first, end })
}

impl Executor {
    /// Spawns a cleanup of the running task. Where nothing can be spawned any more (the domain is dead,
    /// the run has failed, or it ends while the domain is paused) the future is dropped.
    pub(crate) fn spawn_cleanup<F>(&self, future: F, spawned_at: &'static Location<'static>)
    where
        F: Future<Output = ()> + 'static,
    {
        let cell = Box::pin(FutureCell::<_, _, NoError>::new(future));
        let options = SpawnOptions { name: TaskName::Static("cleanup"), domain: None, spawned_at };
        let mut core = self.core.borrow_mut();
        if core.refuse_cleanup(&options) {
            drop(core);
            drop(cell);
            return;
        }
        let owner = core.running;
        let task = core.insert(Some(cell), options);
        core.cleanup_count += 1;
        core.tasks.get_mut(task.index()).ownership = Ownership::Cleanup;
        let Some(owner) = owner else { return };
        let owner_id = core.task_id(owner);
        core.tasks.details_mut(task.index()).cold().cleanup_of = Some(owner_id);
        let cleanups = core.tasks.details_mut(owner).cold().cleanups.get_or_insert_default();
        cleanups.open.push(OpenCleanup { serial: cleanups.spawned_count, task });
        cleanups.spawned_count += 1;
    }

    /// Returns the running task and how many cleanups it has spawned.
    fn cleanup_mark(&self) -> Option<(TaskId, u64)> {
        let core = self.core.borrow();
        let index = core.running?;
        let count = core.cleanups(index).map_or(0, |cleanups| cleanups.spawned_count);
        Some((core.task_id(index), count))
    }

    /// Waits until these cleanups have ended, whichever task asks.
    pub(crate) fn poll_cleanups(
        &self,
        span: CleanupSpan,
        waker: &Waker,
        at: &'static Location<'static>,
    ) -> Poll<()> {
        // Outside of the borrow: a foreign waker is code of the user's.
        let target = WakeTarget::of(waker);
        let mut core = self.core.borrow_mut();
        if core.tasks.find(span.owner).is_none() {
            return Poll::Ready(());
        }
        let cold = core.tasks.details_mut(span.owner.index()).cold.as_deref_mut();
        let Some(cleanups) = cold.and_then(|cold| cold.cleanups.as_deref_mut()) else {
            return Poll::Ready(());
        };
        let is_of_it = |open: &&OpenCleanup| (span.first..span.end).contains(&open.serial);
        let Some(open) = cleanups.open.iter().find(is_of_it).copied() else {
            return Poll::Ready(());
        };
        if !cleanups.waiters.iter().any(|waiter| waiter.will_wake(waker)) {
            cleanups.waiters.push(target);
        }
        if let Some(index) = core.running {
            core.tasks.set_wait(index, WaitSubject::Cleanup(open.task), at);
        }
        Poll::Pending
    }

    /// Tells the task that a cleanup belongs to that it has ended, and ends that task too if it has
    /// waited for nothing else. Those who are to be woken are called unborrowed.
    pub(super) fn end_cleanup(&self, cleanup: TaskId, owner: Option<TaskId>) {
        let mut core = self.core.borrow_mut();
        core.cleanup_count -= 1;
        let Some((owner, waiters, has_ended)) =
            owner.and_then(|owner| core.forget_cleanup(owner, cleanup))
        else {
            return;
        };
        drop(core);
        for waiter in waiters {
            self.catch(|| waiter.wake());
        }
        if has_ended {
            let running = self.core.borrow_mut().running.replace(owner);
            self.release(self.core.borrow_mut(), owner);
            self.core.borrow_mut().running = running;
        }
    }
}

impl Core {
    fn refuse_cleanup(&mut self, options: &SpawnOptions) -> bool {
        let spawning = self.spawning;
        if spawning == Spawning::CleanupsOnly {
            // Nobody resumes a domain any more.
            if self.domains.get(self.current_domain()).state == DomainState::Paused {
                return true;
            }
            self.spawning = Spawning::Open;
        }
        let is_refused = self.refuse(options).is_some();
        self.spawning = spawning;
        is_refused
    }

    fn cleanups(&self, index: u32) -> Option<&Cleanups> {
        self.tasks.details(index).cold.as_ref()?.cleanups.as_deref()
    }

    /// Lets a task that has ended wait for its cleanups. False when it has none.
    pub(super) fn close(&mut self, index: u32) -> bool {
        let open = self.cleanups(index).and_then(|cleanups| cleanups.open.first().copied());
        let Some(open) = open else { return false };
        self.tasks.get_mut(index).state = TaskState::Closing;
        self.tasks.set_wait(index, WaitSubject::Cleanup(open.task), None);
        true
    }

    /// Takes a cleanup off the list of its task. Returns the place of that task, who waits in it, and
    /// whether it has ended with this.
    fn forget_cleanup(
        &mut self,
        owner: TaskId,
        cleanup: TaskId,
    ) -> Option<(u32, Vec<WakeTarget>, bool)> {
        let state = self.tasks.find(owner)?.state;
        let index = owner.index();
        let cleanups = self.tasks.details_mut(index).cold().cleanups.as_deref_mut()?;
        cleanups.open.retain(|open| open.task != cleanup);
        let waiters = std::mem::take(&mut cleanups.waiters);
        let next = cleanups.open.first().map(|open| open.task);
        let is_closing = state == TaskState::Closing;
        match next {
            Some(next) if is_closing => {
                self.tasks.set_wait(index, WaitSubject::Cleanup(next), None);
            }
            None if is_closing => self.tasks.get_mut(index).state = TaskState::Done,
            _ => {}
        }
        Some((index, waiters, is_closing && next.is_none()))
    }
}
