//! Making tasks, and what their handles do.

use std::any::Any;
use std::fmt::Debug;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::cell::{self, DebugError, FutureCell, NoError, TaskCell};
use super::cleanup::Spawning;
use super::core::{Core, ROOT};
use super::domain::{DomainId, DomainState};
use super::failure::Failure;
use super::id::TaskId;
use super::kin::{Kin, TaskName};
use super::log::Happening;
use super::resource::Operation;
use super::task_table::{Details, Ownership, PROGRAM, Slot, TaskState};
use super::wait_note::WaitSubject;
use super::{Executor, WakeTarget};
use crate::ending::{JoinEnd, TaskPanic};
use crate::kernel::{Access, Event, EventKind, Verb};

/// How a task is made.
#[derive(Debug)]
pub(crate) struct SpawnOptions {
    pub(crate) name: TaskName,
    /// None is the domain of the spawning task.
    pub(crate) domain: Option<DomainId>,
    pub(crate) spawned_at: &'static Location<'static>,
}

impl Executor {
    /// Makes a task that is ready to run.
    pub(crate) fn spawn<F>(&self, future: F, options: SpawnOptions) -> TaskId
    where
        F: Future + 'static,
    {
        self.spawn_cell(Box::pin(FutureCell::<_, _, NoError>::new(future)), options)
    }

    /// Makes a task whose error fails the run, if nobody observes it.
    pub(crate) fn spawn_try<F, V, E>(&self, future: F, options: SpawnOptions) -> TaskId
    where
        F: Future<Output = Result<V, E>> + 'static,
        V: 'static,
        E: Debug + 'static,
    {
        self.spawn_cell(Box::pin(FutureCell::<_, _, DebugError>::new(future)), options)
    }

    fn spawn_cell(&self, cell: Pin<Box<dyn TaskCell>>, options: SpawnOptions) -> TaskId {
        let mut core = self.core.borrow_mut();
        let refused = core.refuse(&options);
        if let Some(domain) = refused {
            let task = core.insert_gone(options, domain);
            drop(core);
            drop(cell);
            return task;
        }
        core.insert(Some(cell), options)
    }

    /// Takes the output of a task that has ended, and forgets it; else joins it.
    pub(crate) fn poll_join<T: 'static>(
        &self,
        task: TaskId,
        waker: &Waker,
        at: &'static Location<'static>,
    ) -> Poll<JoinEnd<T>> {
        // Outside of the borrow, as what it replaces: a foreign waker is code of the user's.
        let target = WakeTarget::of(waker);
        let _replaced;
        let mut core = self.core.borrow_mut();
        core.note_join(task, at);
        let Some(slot) = core.tasks.find(task) else { return Poll::Ready(JoinEnd::Gone) };
        if slot.state != TaskState::Done {
            _replaced = core.tasks.details_mut(task.index()).joiner.replace(target);
            return Poll::Pending;
        }
        let (cell, domain, is_cancelled) = (slot.cell.take(), slot.domain, slot.is_cancelled);
        // A task that kills its own domain is marked as cancelled, to be destroyed after its poll.
        let is_destroyed = core.domains.get(domain).state == DomainState::Dead;
        let without_output =
            if is_cancelled && !is_destroyed { JoinEnd::Cancelled } else { JoinEnd::Gone };
        let panic = core.tasks.details_mut(task.index()).take_panic();
        let rest = core.tasks.remove(task.index());
        drop(core);
        drop(rest);
        Poll::Ready(match (cell, panic) {
            (_, Some(panic)) => JoinEnd::Panicked(Box::new(panic)),
            (Some(mut cell), None) => {
                let output = cell.as_mut().output().and_then(<dyn Any>::downcast_mut::<Option<T>>);
                output.and_then(Option::take).map_or(without_output, JoinEnd::Value)
            }
            (None, None) => without_output,
        })
    }

    /// Waits for a task to end, and leaves its output to whoever joins it.
    pub(crate) fn poll_finished(
        &self,
        task: TaskId,
        waker: &Waker,
        at: &'static Location<'static>,
    ) -> Poll<()> {
        // Outside of the borrow, as what it replaces: a foreign waker is code of the user's.
        let target = WakeTarget::of(waker);
        let _replaced;
        let mut core = self.core.borrow_mut();
        core.note_join(task, at);
        if core.tasks.find(task).is_none_or(|slot| slot.state == TaskState::Done) {
            return Poll::Ready(());
        }
        _replaced = core.tasks.details_mut(task.index()).joiner.replace(target);
        Poll::Pending
    }

    /// Notes that the running task waits for another one.
    pub(crate) fn note_join(&self, task: TaskId, at: &'static Location<'static>) {
        self.core.borrow_mut().note_join(task, at);
    }

    /// Tells whether a task has panicked, or returned an error that nobody may overlook.
    pub(crate) fn has_failed(&self, task: TaskId) -> bool {
        let mut core = self.core.borrow_mut();
        let Some(slot) = core.tasks.find(task) else { return false };
        if slot.state != TaskState::Done {
            return false;
        }
        let cell = slot.cell.take();
        let details = core.tasks.details(task.index());
        let has_panicked = details.cold.as_ref().is_some_and(|cold| cold.payload.is_some());
        drop(core);
        // Not borrowed: an error is described by code of the user's.
        let is_error = cell.as_ref().is_some_and(|cell| cell.error().is_some());
        if let Some(slot) = self.core.borrow_mut().tasks.find(task) {
            slot.cell = cell;
        }
        has_panicked || is_error
    }

    /// Tells whether a task has ended.
    pub(crate) fn is_finished(&self, task: TaskId) -> bool {
        self.core.borrow_mut().tasks.find(task).is_none_or(|slot| slot.state == TaskState::Done)
    }

    /// Returns the name that reports use.
    pub(crate) fn task_name(&self, task: TaskId) -> Option<String> {
        let mut core = self.core.borrow_mut();
        core.tasks.find(task)?;
        Some(core.tasks.path(task.index()))
    }

    /// Marks a task: its future is destroyed at its next pick. Its handle still joins it.
    pub(crate) fn cancel(&self, task: TaskId) {
        self.core.borrow_mut().cancel(task);
    }

    /// Lets go of a task whose handle is dropped: cancels it, or reports what nobody observed.
    pub(crate) fn abandon(&self, task: TaskId) {
        let mut core = self.core.borrow_mut();
        let Some(slot) = core.tasks.find(task) else { return };
        if slot.state == TaskState::Done {
            drop(core);
            self.forget(task.index());
            return;
        }
        slot.ownership = Ownership::Background;
        let joiner = core.tasks.details_mut(task.index()).joiner.take();
        core.cancel(task);
        drop(core);
        drop(joiner);
    }

    /// Lets a task go on without a handle.
    pub(crate) fn detach(&self, task: TaskId, is_background: bool) {
        let mut core = self.core.borrow_mut();
        let Some(slot) = core.tasks.find(task) else { return };
        if slot.state == TaskState::Done {
            drop(core);
            self.forget(task.index());
            return;
        }
        slot.ownership = if is_background { Ownership::Background } else { Ownership::Detached };
    }
}

/// What is dropped when the core is not borrowed any more: it is code of the user's.
pub(super) struct Remains {
    _cell: Option<Pin<Box<dyn TaskCell>>>,
    _joiner: Option<WakeTarget>,
    _panic: Option<TaskPanic>,
}

impl Executor {
    /// Removes a task that is done and has no handle any more.
    fn forget(&self, index: u32) {
        let mut core = self.core.borrow_mut();
        let slot = core.tasks.get(index);
        if slot.cell.is_none() && core.running == Some(index) {
            // By its own destructor: whoever destroys it removes it after that.
            core.tasks.get_mut(index).ownership = Ownership::Background;
            return;
        }
        drop(core);
        let remains = self.take_remains(index);
        let rest = self.core.borrow_mut().tasks.remove(index);
        drop((remains, rest));
    }

    /// Takes what is left of a task that is done. What nobody observed fails the run.
    pub(super) fn take_remains(&self, index: u32) -> Remains {
        let mut core = self.core.borrow_mut();
        let cell = core.tasks.get_mut(index).cell.take();
        let details = core.tasks.details_mut(index);
        let (joiner, panic) = (details.joiner.take(), details.take_panic());
        if let Some(panic) = &panic {
            let task = core.tasks.path(index);
            core.fail(Failure::Panic { task, message: panic.message(), place: panic.place() });
        }
        drop(core);
        // Not borrowed: an error is described by code of the user's.
        if let Some(message) = cell.as_ref().and_then(|cell| cell.error()) {
            let mut core = self.core.borrow_mut();
            let task = core.tasks.path(index);
            core.fail(Failure::Error { task, message });
        }
        Remains { _cell: cell, _joiner: joiner, _panic: panic }
    }
}

impl Details {
    pub(super) fn keep_panic(&mut self, panic: Option<TaskPanic>) {
        if let Some(TaskPanic { payload, note }) = panic {
            let cold = self.cold();
            (cold.payload, cold.panic) = (Some(payload), note);
        }
    }

    fn take_panic(&mut self) -> Option<TaskPanic> {
        let cold = self.cold.as_mut()?;
        let payload = cold.payload.take()?;
        Some(TaskPanic { payload, note: cold.panic.take() })
    }
}

impl Core {
    /// Returns the domain in which no task can be made, if that is where this one would go.
    pub(super) fn refuse(&mut self, options: &SpawnOptions) -> Option<DomainId> {
        let domain = options.domain.unwrap_or_else(|| self.current_domain());
        let is_dead = |domain| self.domains.get(domain).state == DomainState::Dead;
        // What the dying spawn elsewhere has no effect either.
        if is_dead(domain)
            || is_dead(self.current_domain())
            || self.spawning != Spawning::Open
            || self.failure.is_some()
        {
            return Some(domain);
        }
        if self.tasks.live_count() >= self.limits.tasks {
            let tasks = self.limits.tasks;
            let spawner = self.running.map_or_else(String::new, |at| self.tasks.path(at));
            self.fail(Failure::TaskLimit { tasks, spawner });
            return Some(domain);
        }
        None
    }

    pub(super) fn insert(
        &mut self,
        cell: Option<Pin<Box<dyn TaskCell>>>,
        options: SpawnOptions,
    ) -> TaskId {
        let parent = self.running;
        let domain = options.domain.unwrap_or_else(|| self.current_domain());
        let is_inherited = parent.filter(|at| self.tasks.get(*at).domain == domain);
        let (parent_stream, (ordinal, kin)) = match is_inherited {
            Some(at) => {
                let stream = self.tasks.get(at).stream;
                let (ordinal, kin) = self.tasks.next_child(at, options.name);
                (stream, (ordinal, Some(kin)))
            }
            None => {
                let is_program = self.tasks.place_count() == ROOT;
                let domain = self.domains.get_mut(domain);
                (domain.stream, domain.next_child(options.name, is_program))
            }
        };
        let name = kin.as_ref().map_or(&PROGRAM, |kin| &kin.name);
        let stream = parent_stream.child(name.as_str(), ordinal);
        let slot = Slot::new(TaskState::Blocked, cell, stream, domain);
        let spawned_at = options.spawned_at;
        let details = Details { joiner: None, kin, spawned_at, cold: None, ordinal };
        let index = self.tasks.insert(slot, details);
        if let Some(variables) = parent.and_then(|at| self.variables(at).cloned()) {
            self.tasks.details_mut(index).cold().variables = Some(variables);
        }
        if self.log.is_some() {
            self.log_task(index, parent_stream);
        }
        let (kind, subject) = (EventKind::Spawn, stream.get());
        let spawned_at = (index != ROOT).then_some(spawned_at);
        self.event(Event { kind, task: parent_stream, subject, value: 0 }, spawned_at);
        if let Some(place) = self.forced_tasks.get_mut(&stream) {
            *place = Some(index);
        }
        if let Some(picker) = &mut self.picker {
            picker.spawned(parent_stream, stream);
        }
        self.make_ready(index, domain);
        self.task_id(index)
    }

    /// Makes a task that has ended before it began.
    fn insert_gone(&mut self, mut options: SpawnOptions, domain: DomainId) -> TaskId {
        options.domain = Some(domain);
        let stream = self.domains.get(domain).stream;
        let slot = Slot::new(TaskState::Done, None, stream, domain);
        let kin = Some(Rc::new(Kin { parent_path: None, name: options.name }));
        let spawned_at = options.spawned_at;
        let details = Details { joiner: None, kin, spawned_at, cold: None, ordinal: 0 };
        let index = self.tasks.insert(slot, details);
        self.task_id(index)
    }

    fn note_join(&mut self, task: TaskId, at: &'static Location<'static>) {
        let Some(index) = self.running else { return };
        self.tasks.get_mut(index).operation = Operation { resource: 0, verb: &JOIN };
        // A handle that is itself the future of a task is polled by the library: no line to name.
        let at = (at.file() != cell::FILE).then_some(at);
        self.tasks.set_wait(index, WaitSubject::Task(task), at);
        if self.log.is_some()
            && let Some(joined) = self.tasks.find(task)
            && joined.state != TaskState::Done
        {
            let what = Happening::Wait { resource: joined.stream.get(), verb: JOIN.name };
            self.log_entry(self.current_stream(), what, at);
        }
    }

    pub(super) fn cancel(&mut self, task: TaskId) {
        let Some(slot) = self.tasks.find(task) else { return };
        if matches!(slot.state, TaskState::Closing | TaskState::Done) || slot.is_cancelled {
            return;
        }
        slot.is_cancelled = true;
        // A running task that cancels itself is destroyed when its poll returns.
        self.wake_index(task.index());
    }
}

static JOIN: Verb = Verb::new("join", Access::Read);
