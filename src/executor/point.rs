//! Scheduling points: where a leaf future tells what it is about to do, and may be preempted.

use std::panic::Location;
use std::task::{Context, Poll};

use super::Executor;
use super::core::Core;
use super::failure::Wait;
use super::log::Happening;
use super::resource::{Operation, Resource};
use crate::context;
use crate::kernel::{Event, EventKind, Verb};

/// The point in front of one operation of a leaf future.
///
/// A leaf polls it before it looks at its resource. If another task is to go first it pends once;
/// polled again, it is ready. Outside of a simulation, and under `Fifo`, it is always ready.
#[derive(Debug, Default)]
pub(crate) struct Point {
    state: PointState,
}

#[derive(Clone, Copy, Debug, Default)]
enum PointState {
    #[default]
    Ahead,
    /// As ahead, of an operation that has been done before.
    Again,
    Preempted,
    Passed,
}

impl Point {
    /// Makes the point of an operation that has not begun.
    pub(crate) const fn new() -> Self {
        Self { state: PointState::Ahead }
    }

    /// Makes the point of an operation that has begun before.
    pub(crate) const fn again() -> Self {
        Self { state: PointState::Again }
    }

    /// Makes a point again that was taken apart by [`Point::bits`].
    #[inline]
    pub(crate) const fn of_bits(bits: u8) -> Self {
        Self {
            state: match bits {
                0 => PointState::Ahead,
                1 => PointState::Again,
                2 => PointState::Preempted,
                _ => PointState::Passed,
            },
        }
    }

    /// Takes it apart, to be kept where several may reach it. That of [`Point::new`] is 0.
    #[inline]
    pub(crate) const fn bits(&self) -> u8 {
        self.state as u8
    }

    /// Tells whether nobody has come to it yet.
    #[inline]
    pub(crate) fn is_ahead(&self) -> bool {
        matches!(self.state, PointState::Ahead)
    }

    /// Comes to the point; pends if the running task is preempted.
    #[inline]
    pub(crate) fn poll(
        &mut self,
        context: &Context<'_>,
        resource: &Resource,
        verb: &'static Verb,
        at: &'static Location<'static>,
    ) -> Poll<()> {
        match self.state {
            PointState::Passed => Poll::Ready(()),
            PointState::Preempted => self.pass_late(resource, verb, at),
            PointState::Ahead | PointState::Again => match arrive(resource, verb, at) {
                Arrival::Goes => {
                    self.state = PointState::Passed;
                    Poll::Ready(())
                }
                Arrival::Preempted => {
                    self.state = PointState::Preempted;
                    // A combinator that wraps wakers polls only the children that were woken.
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
            },
        }
    }

    #[cold]
    fn pass_late(
        &mut self,
        resource: &Resource,
        verb: &'static Verb,
        at: &'static Location<'static>,
    ) -> Poll<()> {
        self.state = PointState::Passed;
        let _ = context::with(|executor: &Executor| executor.pass_late(resource, verb, at));
        Poll::Ready(())
    }
}

/// What becomes of a task that comes to a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrival {
    Goes,
    Preempted,
}

/// Apart, so that the many kinds of futures share it.
#[inline(never)]
fn arrive(resource: &Resource, verb: &'static Verb, at: &'static Location<'static>) -> Arrival {
    context::with(|executor: &Executor| executor.core.borrow_mut().arrive(resource, verb, at))
        .unwrap_or(Arrival::Goes)
}

impl Core {
    #[inline]
    fn arrive(
        &mut self,
        resource: &Resource,
        verb: &'static Verb,
        at: &'static Location<'static>,
    ) -> Arrival {
        let Some(index) = self.running else { return Arrival::Goes };
        let Some(number) = self.own_number_of(resource) else {
            return self.arrive_late(index, resource, verb, at);
        };
        if self.is_preempted || self.failure.is_some() || self.is_at_fuse() {
            return self.arrive_late(index, resource, verb, at);
        }
        self.steps += 1;
        self.operate(index, number, verb);
        if self.is_plain {
            return Arrival::Goes;
        }
        self.go_or_preempt(index, resource, verb, at)
    }

    /// Arrives where something is out of the ordinary.
    #[cold]
    #[inline(never)]
    fn arrive_late(
        &mut self,
        index: u32,
        resource: &Resource,
        verb: &'static Verb,
        at: &'static Location<'static>,
    ) -> Arrival {
        if self.is_preempted || self.failure.is_some() || self.count_step() {
            self.is_preempted = true;
            self.is_woken = true;
            return Arrival::Preempted;
        }
        let number = self.number_of(resource);
        self.operate(index, number, verb);
        self.go_or_preempt(index, resource, verb, at)
    }

    /// Counts an operation of a task.
    #[inline]
    fn operate(&mut self, index: u32, number: u64, verb: &'static Verb) {
        let slot = self.tasks.get_mut(index);
        slot.steps += 1;
        slot.operation = Operation { resource: number, verb };
        let stream = slot.stream;
        let kind = EventKind::Operation;
        let event = Event { kind, task: stream, subject: number, value: verb.number };
        self.chain = self.chain.with(event);
        self.event_count += 1;
    }

    /// Decides whether the running task does its operation, and logs what comes of it.
    #[inline(never)]
    fn go_or_preempt(
        &mut self,
        index: u32,
        resource: &Resource,
        verb: &'static Verb,
        at: &'static Location<'static>,
    ) -> Arrival {
        let slot = self.tasks.get(index);
        let (number, step) = (slot.operation.resource, (slot.stream, slot.steps));
        let picked = if self.ready.is_empty() || self.is_plain || !self.interrupted.is_empty() {
            self.tell_picker(index);
            0
        } else {
            self.decide(step, Some(index))
        };
        if picked == 0 {
            let what = || Happening::Operation { resource: number, verb: verb.name };
            self.log_use(resource, what, at);
            return Arrival::Goes;
        }
        self.preempt(picked - 1);
        let what = || Happening::Preempted { resource: number, verb: verb.name };
        self.log_use(resource, what, at);
        Arrival::Preempted
    }
}

impl Executor {
    /// Notes what the running task waits for, for stall reports and strategies.
    #[inline]
    pub(super) fn note_wait(
        &self,
        resource: &Resource,
        verb: &'static Verb,
        at: &'static Location<'static>,
    ) {
        let mut core = self.core.borrow_mut();
        let core = &mut *core;
        let Some(index) = core.running else { return };
        let number = core.number_of(resource);
        core.tasks.set_wait_for(index, Operation { resource: number, verb }, resource, at);
        core.log_use(resource, || Happening::Wait { resource: number, verb: verb.name }, at);
    }

    fn pass_late(&self, resource: &Resource, verb: &'static Verb, at: &'static Location<'static>) {
        let mut core = self.core.borrow_mut();
        let core = &mut *core;
        if core.running.is_some() {
            // Also without a log, which must not decide who gave it its number.
            let number = core.number_of(resource);
            core.log_use(
                resource,
                || Happening::Operation { resource: number, verb: verb.name },
                at,
            );
        }
    }
}

/// Notes what the running task waits for. A leaf calls it whenever it pends.
#[inline]
pub(crate) fn note_wait(resource: &Resource, verb: &'static Verb, at: &'static Location<'static>) {
    let _ = context::with(|executor: &Executor| executor.note_wait(resource, verb, at));
}

/// Adds a line to the log of a recorded run; `text` is not called otherwise.
pub(crate) fn note(text: impl FnOnce() -> String) {
    let _ = context::with(|executor: &Executor| {
        if executor.core.borrow().log.is_some() {
            // Not borrowed: the text is made by code of the user's (`Debug`).
            let text = text().into();
            let mut core = executor.core.borrow_mut();
            let stream = core.current_stream();
            core.log_entry(stream, Happening::Note(text), None);
        }
    });
}

/// Tells whether the running task was preempted during this poll: what pends is not "not ready".
#[inline]
pub(crate) fn is_preempted() -> bool {
    context::with(|executor: &Executor| executor.core.borrow().is_preempted).unwrap_or(false)
}

/// Returns what the running task waits for, as far as a leaf has noted it during this poll.
pub(crate) fn current_wait() -> Wait {
    let wait = context::with(|executor: &Executor| executor.core.borrow().running_wait());
    wait.unwrap_or(Wait::UNKNOWN)
}

impl Core {
    /// Lets the task at `place` in the queue go on; the running one joins the back of the queue when
    /// its poll returns.
    fn preempt(&mut self, place: usize) {
        let chosen = self.ready.remove(place);
        self.chosen = Some(chosen);
        self.is_preempted = true;
    }

    /// Adds what the running task does with a resource to the log, if there is one.
    #[inline]
    fn log_use(
        &mut self,
        resource: &Resource,
        what: impl FnOnce() -> Happening,
        at: &'static Location<'static>,
    ) {
        if self.log.is_some() {
            self.log_use_late(resource, what(), at);
        }
    }

    #[cold]
    fn log_use_late(
        &mut self,
        resource: &Resource,
        what: Happening,
        at: &'static Location<'static>,
    ) {
        let number = self.number_of(resource);
        self.log_resource(number, resource);
        self.log_entry(self.current_stream(), what, Some(at));
    }
}
