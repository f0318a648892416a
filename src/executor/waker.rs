//! The waker as an integer: the one file of the executor with unsafe code.
//!
//! A waker's data pointer is a [`TaskId`] and points to nothing: run (16 bits), generation (24),
//! index (24). Cloning and dropping it do nothing, waking it looks the task up. A wake for a task
//! that is gone is ignored; a wake from a thread that is not inside of the run goes to the inbox of
//! `foreign` and fails the run.
#![expect(unsafe_code, reason = "a waker whose data is an integer needs a vtable of its own")]

use std::ptr;
use std::task::{RawWaker, RawWakerVTable, Waker};

use super::foreign;
use super::{Executor, TaskId};
use crate::context;

/// Makes the waker of a task.
pub(super) fn waker(task: TaskId) -> Waker {
    // SAFETY: The contract of `RawWakerVTable` is upheld: the four functions are thread-safe (they
    // read an integer, and `wake` goes through a thread-local or a mutex), they own no resource that
    // could be released twice or used after release, and they never dereference the data pointer.
    unsafe { Waker::new(data(task), &VTABLE) }
}

/// Who is to be woken: a task of ours, by its number, or any other waker.
///
/// A combinator that wraps wakers (`join_all`, `FuturesUnordered`) hands out its own; those are
/// cloned and kept whole. It is a waker in either case, and so is `Option<WakeTarget>` in size; an
/// enum of number and waker would be half as large again.
#[derive(Debug)]
pub(crate) struct WakeTarget(Waker);

impl WakeTarget {
    /// Returns what wakes the same task as the waker.
    #[inline]
    pub(crate) fn of(waker: &Waker) -> Self {
        match task_of(waker) {
            // As a clone, without the call.
            Some(task) => Self(self::waker(task)),
            None => Self(waker.clone()),
        }
    }

    /// Returns what wakes the same task, if that is one of ours.
    #[inline]
    pub(crate) fn of_task(waker: &Waker) -> Option<Self> {
        task_of(waker).map(|task| Self(self::waker(task)))
    }

    /// Tells whether the waker is that of a task of ours: to clone and to drop it runs no code of others.
    #[inline]
    pub(crate) fn is_of_task(waker: &Waker) -> bool {
        task_of(waker).is_some()
    }

    /// Tells whether the waker wakes the same task.
    #[inline]
    pub(crate) fn will_wake(&self, waker: &Waker) -> bool {
        self.0.will_wake(waker)
    }

    /// Wakes the task.
    #[inline]
    pub(crate) fn wake(self) {
        match self.task_or_waker() {
            Ok(task) => wake_task(task),
            Err(waker) => waker.wake(),
        }
    }

    /// Returns the task of ours.
    ///
    /// # Errors
    /// The waker, if it is not one of ours.
    #[inline]
    pub(super) fn task_or_waker(self) -> Result<TaskId, Waker> {
        task_of(&self.0).ok_or(self.0)
    }
}

/// Returns the task that a waker of ours stands for.
#[inline]
pub(super) fn task_of(waker: &Waker) -> Option<TaskId> {
    if ptr::eq(waker.vtable(), &raw const VTABLE) { task_in(waker.data()) } else { None }
}

#[inline]
fn task_in(data: *const ()) -> Option<TaskId> {
    TaskId::from_bits(data.addr() as u64)
}

fn wake_task_in(data: *const ()) {
    if let Some(task) = task_in(data) {
        wake_task(task);
    }
}

fn wake_task(task: TaskId) {
    let is_here = context::with(|executor: &Executor| {
        let is_of_this_run = executor.run() == task.run();
        if is_of_this_run {
            executor.wake(task);
        }
        is_of_this_run
    });
    if is_here != Some(true) {
        foreign::deliver(task);
    }
}

// A static, not a const: the address is compared.
static VTABLE: RawWakerVTable =
    RawWakerVTable::new(|data| RawWaker::new(data, &VTABLE), wake_task_in, wake_task_in, |_| {});

fn data(task: TaskId) -> *const () {
    ptr::without_provenance(usize::try_from(task.to_bits()).expect("targets have 64 bits"))
}
