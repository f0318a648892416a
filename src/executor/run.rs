//! The loop of a run, from its first task to the last destructor.

use std::any::Any;
use std::cell::{Cell, RefCell, RefMut};
use std::future::Future;
use std::panic::{self, AssertUnwindSafe, Location};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::attach::Attach;
use super::cell::TaskCell;
use super::cleanup::Spawning;
use super::core::Core;
use super::domain::DomainState;
use super::failure::Failure;
use super::foreign::RunNumber;
use super::id::TaskId;
use super::limits::Limits;
use super::log::{Happening, Log};
use super::panic::install_hook;
use super::pick::Pick;
use super::resource::Operation;
use super::spawn::SpawnOptions;
use super::task_table::{Ownership, PROGRAM, TaskState};
use super::watch::{Warning, Watch, Watcher};
use super::{Attachment, Executor, WakeTarget, waker};
use crate::context::{self, Nested};
use crate::ending::{JoinEnd, LastPanic, PanicNote, TaskPanic};
use crate::kernel::{Chain, Choices, Event, EventKind, Reseed, StreamId, VirtualTime};

/// Everything that decides a run but the program.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Plan {
    pub(crate) choices: Choices,
    /// When all is drawn from another seed, if it is.
    pub(crate) reseed: Option<Reseed>,
    /// None is `Fifo`.
    pub(crate) picker: Option<Box<dyn Pick>>,
    pub(crate) limits: Limits,
    pub(crate) watch: Watch,
    pub(crate) is_logged: bool,
    pub(crate) is_traced: bool,
    /// Whether what goes over the network is kept.
    pub(crate) is_capturing: bool,
    pub(crate) epoch_nanos: u64,
    /// What other layers keep for the run.
    pub(crate) attach: Attach,
}

/// How a run went.
#[derive(Debug)]
pub(crate) struct Finished<T> {
    pub(crate) result: Result<T, Failure>,
    pub(crate) chain: Chain,
    pub(crate) event_count: u64,
    pub(crate) steps: u64,
    pub(crate) elapsed: VirtualTime,
    pub(crate) log: Option<Box<Log>>,
    pub(crate) warnings: Vec<Warning>,
    /// What the layer below the run leaves behind.
    pub(crate) attachments: Vec<Attachment>,
}

impl Plan {
    /// Runs the program as the first task, to its end or its first failure.
    ///
    /// # Errors
    /// [`Nested`] when this thread is inside of a run already.
    #[track_caller]
    pub(crate) fn run<F>(
        self,
        program: impl FnOnce() -> F + 'static,
    ) -> Result<Finished<F::Output>, Nested>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        install_hook();
        let number = RunNumber::take();
        let log = self.is_logged.then(Box::default);
        let mut core = Core::new(&number, self.choices, self.picker, self.limits, log);
        core.watcher = Watcher::of(&self.watch);
        core.reseed_later(self.reseed);
        let executor = Rc::new(Executor {
            run: number.get(),
            core: RefCell::new(core),
            number: RefCell::new(number),
            last_panic: LastPanic::default(),
            refused: Cell::new(None),
            is_traced: self.is_traced,
            is_capturing: self.is_capturing,
            watches_holders: self.watch.watches_holders(),
            epoch_nanos: self.epoch_nanos,
        });
        let entered = context::enter(executor.clone())?;
        let attached = self.attach.now();
        let spawned_at = Location::caller();
        let options = SpawnOptions { name: PROGRAM, domain: None, spawned_at };
        let root = executor.spawn(async move { program().await }, options);
        executor.drive(Until::Ended(root));
        let result = executor.take_result(root);
        executor.end(result.is_ok());
        let attachments = executor.detach_layer();
        drop(attached);
        drop(entered);
        Ok(Finished { attachments, ..executor.finish(result) })
    }
}

impl Executor {
    /// Polls tasks until the run has come so far, or has failed.
    fn drive(&self, until: Until) {
        loop {
            match self.next_step(until) {
                Step::Poll { task, cell, is_cancelled } => self.poll(task, cell, is_cancelled),
                Step::Wake(wakers) => {
                    wakers.into_iter().for_each(|waker| self.catch(|| waker.wake()));
                }
                Step::Fire => self.fire(),
                Step::Probe => self.probe(),
                Step::Over => return,
            }
        }
    }

    fn next_step(&self, until: Until) -> Step {
        let mut core = self.core.borrow_mut();
        if let Some(refused) = self.refused.take() {
            core.fail(*refused);
        }
        loop {
            if core.failure.is_some() {
                return Step::Over;
            }
            if core.is_probe_due() {
                return Step::Probe;
            }
            if core.has_come(until) {
                return Step::Over;
            }
            // At one instant timers wake first, then packets arrive, then tasks run.
            if !core.due.is_empty() {
                return Step::Fire;
            }
            if let Some(index) = core.take_next() {
                if let Some(step) = core.begin_poll(index) {
                    return step;
                }
                continue;
            }
            if let Some(wake) = self.number.borrow_mut().first_wake() {
                let index = core.tasks.find(wake.task).map(|_| wake.task.index());
                let task = index.map_or_else(String::new, |index| core.tasks.path(index));
                core.fail(Failure::ForeignWake { task, backtrace: wake.backtrace });
                return Step::Over;
            }
            if let Until::Quiet = until {
                return Step::Over;
            }
            let mut wakers = Vec::new();
            if !core.advance(&mut wakers) {
                core.stall();
            }
            if !wakers.is_empty() {
                return Step::Wake(wakers);
            }
        }
    }

    pub(super) fn poll(&self, task: TaskId, mut cell: Pin<Box<dyn TaskCell>>, is_cancelled: bool) {
        let index = task.index();
        let waker = waker::waker(task);
        let result = panic::catch_unwind(AssertUnwindSafe(|| {
            let mut step = || {
                if is_cancelled {
                    cell.as_mut().clear();
                    Poll::Ready(())
                } else {
                    cell.as_mut().poll(&mut Context::from_waker(&waker))
                }
            };
            if self.is_traced { self.span(index).in_scope(step) } else { step() }
        }));
        if let Ok(Poll::Pending) = result {
            let mut core = self.core.borrow_mut();
            if core.tasks.get(index).is_cancelled {
                // Cancelled while it ran: destroyed now, still in its own context.
                drop(core);
                self.poll(task, cell, true);
            } else {
                core.end_poll(index, cell);
            }
            return;
        }
        let panic = result.err().map(|payload| {
            let note = self.note_of(&*payload);
            // What is left of the future may panic again; one failure is enough.
            drop(panic::catch_unwind(AssertUnwindSafe(|| cell.as_mut().clear())));
            TaskPanic::new(payload, note)
        });
        let kind = match (&panic, is_cancelled) {
            (Some(_), _) => EventKind::Panic,
            (None, true) => EventKind::Cancel,
            (None, false) => EventKind::Complete,
        };
        self.end_task(index, kind, cell, panic);
    }

    /// Keeps what is left of a task that has ended for its handle, or destroys it.
    fn end_task(
        &self,
        index: u32,
        kind: EventKind,
        cell: Pin<Box<dyn TaskCell>>,
        panic: Option<TaskPanic>,
    ) {
        let mut core = self.core.borrow_mut();
        core.end_task(index, kind);
        core.tasks.details_mut(index).keep_panic(panic);
        core.tasks.get_mut(index).cell = Some(cell);
        if core.close(index) {
            drop(core);
        } else {
            self.release(core, index);
        }
        self.core.borrow_mut().running = None;
    }

    /// Lets go of a task that has ended: wakes who joins it, or destroys what nobody will take.
    pub(super) fn release(&self, mut core: RefMut<'_, Core>, index: u32) {
        let joiner = core.tasks.details_mut(index).joiner.take();
        // Still in the context of the task, so that the log says who woke.
        if core.tasks.get(index).ownership == Ownership::Attached {
            match joiner.map(WakeTarget::task_or_waker) {
                None => {}
                Some(Ok(task)) if task.run() == self.run => core.wake(task),
                Some(Ok(task)) => self.catch_unborrowed(core, || waker::waker(task).wake()),
                Some(Err(waker)) => self.catch_unborrowed(core, || waker.wake()),
            }
            return;
        }
        let (task, cleanup_of) = (core.task_id(index), core.tasks.cleanup_of(index));
        self.catch_unborrowed(core, || drop((joiner, self.take_remains(index))));
        let rest = self.core.borrow_mut().tasks.remove(index);
        self.catch(|| drop(rest));
        if let Some(owner) = cleanup_of {
            self.end_cleanup(task, owner);
        }
    }

    /// Returns the output of the root, or why there is none.
    fn take_result<T: 'static>(&self, root: TaskId) -> Result<T, Failure> {
        if let Some(failure) = self.core.borrow_mut().failure.take() {
            return Err(failure);
        }
        match self.poll_join(root, Waker::noop(), Location::caller()) {
            Poll::Ready(JoinEnd::Value(value)) => Ok(value),
            Poll::Ready(JoinEnd::Panicked(panic)) => {
                let (message, place) = (panic.message(), panic.place());
                Err(Failure::Panic { task: "main".to_owned(), message, place })
            }
            Poll::Ready(JoinEnd::Cancelled | JoinEnd::Gone) | Poll::Pending => {
                unreachable!("a run is over when its root has ended or when it has failed")
            }
        }
        .and_then(|value| self.settle_rest().map_or(Ok(value), Err))
    }

    /// Lets the tasks that are ready come to their next wait; then no detached task may be left.
    fn settle_rest(&self) -> Option<Failure> {
        self.drive(Until::Quiet);
        let mut core = self.core.borrow_mut();
        if core.failure.is_none() {
            let tasks = core.leaked_tasks();
            if !tasks.is_empty() {
                let cycles = core.wait_cycles();
                core.fail(Failure::Leak { tasks, cycles });
            }
        }
        core.failure.take()
    }

    /// Destroys all tasks that are left, and lets what their destructors leave behind come to its end
    /// if the program has ended well.
    fn end(&self, is_ok: bool) {
        {
            let mut core = self.core.borrow_mut();
            let task = StreamId::ROOT;
            core.event(Event { kind: EventKind::End, task, subject: 0, value: 0 }, None);
            core.watch_end();
            core.spawning = if is_ok { Spawning::CleanupsOnly } else { Spawning::Closed };
        }
        self.destroy_rest();
        if self.core.borrow().cleanup_count > 0 {
            self.core.borrow_mut().spawning = Spawning::Open;
            self.clean_up();
            self.core.borrow_mut().spawning = Spawning::Closed;
            self.destroy_rest();
        }
        // Wakers that are not ours may be left in timers that nobody dropped.
        let left = self.core.borrow_mut().take_wakers();
        self.catch(|| drop(left));
        let probes = self.core.borrow_mut().take_probes();
        self.catch(|| drop(probes));
    }

    /// Lets open cleanups come to their ends; then no task that one of them has detached may be left.
    fn clean_up(&self) {
        while self.core.borrow().cleanup_count > 0 {
            self.drive(Until::CleanedUp);
            if let Some(failure) = self.settle_rest() {
                self.core.borrow_mut().fail(failure);
                return;
            }
        }
    }

    /// Destroys all tasks but cleanups that can come to their ends, each in its own context.
    fn destroy_rest(&self) {
        let place_count = self.core.borrow().tasks.place_count();
        for index in 0..place_count {
            let core = self.core.borrow();
            let (task, state) = (core.task_id(index), core.tasks.get(index).state);
            if core.outlasts_program(index) {
                continue;
            }
            drop(core);
            match state {
                TaskState::Free => {}
                TaskState::Closing | TaskState::Done => self.clear_output(index),
                TaskState::Ready | TaskState::Held | TaskState::Running | TaskState::Blocked => {
                    self.destroy(task);
                }
            }
        }
        let mut core = self.core.borrow_mut();
        let Core { ready, domains, tasks, .. } = &mut *core;
        ready.retain(|index| tasks.get(index).cell.is_some());
        domains.retain_held(|index| tasks.get(index).cell.is_some());
    }

    /// Destroys what is left of a task that has ended: its handle left the run, or is held by a task
    /// that comes later. Whoever waits for its cleanups is told when they have ended.
    fn clear_output(&self, index: u32) {
        let mut core = self.core.borrow_mut();
        let joiner = core.tasks.details_mut(index).joiner.take();
        let variables = core.take_variables(index);
        core.running = Some(index);
        drop(core);
        self.catch(|| drop((self.take_remains(index), variables)));
        let mut core = self.core.borrow_mut();
        core.running = None;
        if core.tasks.get(index).state == TaskState::Closing {
            core.tasks.details_mut(index).joiner = joiner;
        }
    }

    /// Destroys a future or output; a panic in it is an unobserved one.
    pub(super) fn clear_cell(&self, mut cell: Pin<Box<dyn TaskCell>>) {
        self.catch(|| cell.as_mut().clear());
    }

    /// Calls code of the user's; a panic in it is an unobserved one of the running task.
    pub(super) fn catch(&self, call: impl FnOnce()) {
        if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(call)) {
            let note = self.note_of(&*payload);
            let mut core = self.core.borrow_mut();
            let task = core.running.map_or_else(String::new, |at| core.tasks.path(at));
            core.fail(Failure::Panic { task, message: note.message, place: note.place });
        }
    }

    /// As [`Executor::catch`], where the core is borrowed.
    fn catch_unborrowed(&self, core: RefMut<'_, Core>, call: impl FnOnce()) {
        drop(core);
        self.catch(call);
    }

    /// Returns what is known of a panic that was caught.
    pub(crate) fn note_of(&self, payload: &(dyn Any + Send)) -> PanicNote {
        self.last_panic.note_of(payload)
    }

    fn finish<T>(&self, result: Result<T, Failure>) -> Finished<T> {
        let mut core = self.core.borrow_mut();
        let late = core.failure.take().or_else(|| self.refused.take().map(|refused| *refused));
        let result = match (result, late) {
            (Ok(value), None) => Ok(value),
            (Err(failure), _) | (Ok(_), Some(failure)) => Err(failure),
        };
        Finished {
            result,
            chain: core.chain,
            event_count: core.event_count,
            steps: core.steps,
            elapsed: core.now,
            log: core.log.take(),
            warnings: core.watcher.take().map_or_else(Vec::new, |watcher| watcher.into_warnings()),
            attachments: Vec::new(),
        }
    }

    #[cold]
    fn span(&self, index: u32) -> tracing::Span {
        let mut core = self.core.borrow_mut();
        if let Some(span) = core.tasks.details_mut(index).cold().span.clone() {
            return span;
        }
        let name = core.tasks.path(index);
        drop(core);
        // The subscriber is code of the user's.
        let span = tracing::info_span!(target: "parcae", "task", name);
        self.core.borrow_mut().tasks.details_mut(index).cold().span = Some(span.clone());
        span
    }
}

/// How far a run is to come.
#[derive(Clone, Copy, Debug)]
enum Until {
    /// This task has ended, and its cleanups.
    Ended(TaskId),
    /// Nothing is ready.
    Quiet,
    /// No cleanup is open.
    CleanedUp,
}

pub(super) enum Step {
    Poll {
        task: TaskId,
        cell: Pin<Box<dyn TaskCell>>,
        is_cancelled: bool,
    },
    Wake(Vec<Waker>),
    /// The layer below is told of its events.
    Fire,
    /// The program's invariants are looked at.
    Probe,
    Over,
}

impl Core {
    fn has_come(&self, until: Until) -> bool {
        match until {
            Until::Ended(task) => self.tasks.get(task.index()).state == TaskState::Done,
            Until::Quiet => false,
            Until::CleanedUp => self.cleanup_count == 0,
        }
    }

    /// Takes the future of a task out to be polled; none when it ended while it was in the queue.
    // Called from two places; out of line, a yield has 9 % more instructions.
    #[inline(always)]
    pub(super) fn begin_poll(&mut self, index: u32) -> Option<Step> {
        let slot = self.tasks.get_mut(index);
        let cell = slot.cell.take()?;
        slot.state = TaskState::Running;
        slot.is_waiting = false;
        let (stream, is_cancelled) = (slot.stream, slot.is_cancelled);
        let task = TaskId::new(self.run, slot.generation, index);
        self.running = Some(index);
        self.is_woken = false;
        self.is_preempted = false;
        if self.count_step() {
            let slot = self.tasks.get_mut(index);
            slot.cell = Some(cell);
            self.running = None;
            return Some(Step::Over);
        }
        self.event(Event { kind: EventKind::Poll, task: stream, subject: 0, value: 0 }, None);
        Some(Step::Poll { task, cell, is_cancelled })
    }

    /// Puts the future of a task that pends back.
    #[inline]
    fn end_poll(&mut self, index: u32, cell: Pin<Box<dyn TaskCell>>) {
        self.running = None;
        if self.has_slow {
            self.drag(self.tasks.get(index).domain);
        }
        let slot = self.tasks.get_mut(index);
        slot.cell = Some(cell);
        if self.is_preempted {
            // The next task has been decided, and the step is counted; but if that task was held or
            // destroyed since, another one is decided on, and that is a step of its own.
            let domain = slot.domain;
            if self.chosen.is_none() {
                slot.steps += 1;
                self.last = (slot.stream, slot.steps);
            }
            self.make_ready(index, domain);
            return;
        }
        slot.steps += 1;
        self.last = (slot.stream, slot.steps);
        if !slot.is_waiting {
            // What it does next is not known: that which it did last is not it.
            slot.operation = Operation::START;
        }
        if self.is_woken {
            let (domain, stream) = (slot.domain, slot.stream);
            self.make_ready(index, domain);
            // At the limits of a run a task pends without having asked for it.
            if self.log.is_some() && self.failure.is_none() {
                self.log_entry(stream, Happening::Yielded, None);
            }
        } else {
            slot.state = TaskState::Blocked;
        }
    }

    fn end_task(&mut self, index: u32, kind: EventKind) {
        if kind == EventKind::Cancel && self.tasks.get(index).steps == 0 {
            self.watch_unstarted(index);
        }
        let slot = self.tasks.get_mut(index);
        slot.state = TaskState::Done;
        slot.steps += 1;
        let stream = slot.stream;
        self.last = (stream, slot.steps);
        self.event(Event { kind, task: stream, subject: 0, value: 0 }, None);
    }

    /// Tells whether a task is a cleanup that is waited for now that the program has ended.
    fn outlasts_program(&self, index: u32) -> bool {
        let slot = self.tasks.get(index);
        let is_paused = self.domains.get(slot.domain).state == DomainState::Paused;
        self.spawning == Spawning::CleanupsOnly
            && self.tasks.cleanup_of(index).is_some()
            // Nobody resumes a domain any more; one that waits for its own cleanups ends with them.
            && (!is_paused || slot.state == TaskState::Closing)
    }
}
