//! What a group and its children share.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use pin_project_lite::pin_project;

use super::task::GroupTaskError;
use crate::backend::WakeTarget;
use crate::ending::JoinEnd;
use crate::task::end_order::Ends;
use crate::task::handle::Task;

/// State of a group. While it is held no code of the user's runs: futures, values, errors and
/// foreign wakers are dropped and called after.
///
/// ```text
///   open -> failing (all children are cancelled) -> over
///     `------------------------------------------->
/// ```
pub(super) struct Shared<E> {
    state: Mutex<State<E>>,
    /// Children whose futures or cleanups have ended since the group looked last, and who polls it.
    ends: Arc<Ends>,
}

struct State<E> {
    phase: Phase,
    next: usize,
    /// Children that were admitted and are not added yet: on real time by other threads.
    admitted: usize,
    /// Whether the group waits for them to be added.
    is_awaited: bool,
    children: BTreeMap<usize, Task<()>>,
    errors: Vec<E>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    Failing,
    Over,
}

impl<E> Shared<E> {
    pub(super) fn new() -> Self {
        let state = State {
            phase: Phase::Open,
            next: 0,
            admitted: 0,
            is_awaited: false,
            children: BTreeMap::new(),
            errors: Vec::new(),
        };
        Self { state: Mutex::new(state), ends: Arc::default() }
    }

    /// Returns the number of the next child, if the group takes one.
    pub(super) fn admit(&self) -> Option<usize> {
        let mut state = self.lock();
        (state.phase == Phase::Open).then(|| {
            state.next += 1;
            state.admitted += 1;
            state.next - 1
        })
    }

    /// Adds a child that was admitted and spawned.
    pub(super) fn add(&self, number: usize, task: Task<()>) {
        let mut state = self.lock();
        state.admitted -= 1;
        if state.phase != Phase::Open {
            // It ran at once, or on another thread, and the group has failed or was dropped since.
            task.cancel_handle().cancel();
        }
        if state.phase == Phase::Over {
            drop(state);
            drop(task);
            return;
        }
        state.children.insert(number, task);
        let is_awaited = std::mem::take(&mut state.is_awaited);
        drop(state);
        if is_awaited {
            self.ends.add(number);
        }
    }

    /// Tells whether a child is admitted that is not there yet; then the group is woken when it is.
    pub(super) fn awaits_child(&self) -> bool {
        let mut state = self.lock();
        state.is_awaited = state.admitted > 0;
        state.is_awaited
    }

    pub(super) fn is_open(&self) -> bool {
        self.lock().phase == Phase::Open
    }

    pub(super) fn child_count(&self) -> usize {
        self.lock().children.len()
    }

    pub(super) fn first_child(&self) -> Option<usize> {
        self.lock().children.first_key_value().map(|(number, _)| *number)
    }

    /// Keeps an error, and cancels the children. Gives it back when the group is over.
    pub(super) fn fail(&self, error: E) -> Result<(), E> {
        let mut state = self.lock();
        if state.phase == Phase::Over {
            return Err(error);
        }
        state.errors.push(error);
        drop(state);
        self.abort();
        Ok(())
    }

    /// Cancels the children, and wakes the group to drop its body.
    pub(super) fn abort(&self) {
        let mut state = self.lock();
        if state.phase != Phase::Open {
            return;
        }
        state.phase = Phase::Failing;
        for task in state.children.values() {
            task.cancel_handle().cancel();
        }
        drop(state);
        if let Some(owner) = self.ends.take_watcher() {
            owner.wake();
        }
    }

    /// Keeps whom to wake when a child ends or fails.
    pub(super) fn watch(&self, context: &Context<'_>) {
        self.ends.watch(context);
    }

    /// Returns the next child that may have ended.
    pub(super) fn next_end(&self) -> Option<usize> {
        self.ends.next()
    }

    pub(super) fn take_errors(&self) -> Vec<E> {
        std::mem::take(&mut self.lock().errors)
    }

    /// Joins a child and forgets it if it has ended; none when that is done already. One that has not
    /// comes again when it has, so that a look costs what has ended since the last one.
    pub(super) fn poll_child(
        &self,
        number: usize,
        at: &'static Location<'static>,
    ) -> Option<Poll<JoinEnd<()>>> {
        // Taken out, because joining may call and drop foreign wakers.
        let task = self.lock().children.remove(&number)?;
        let waker = match task.is_finished() {
            true => Waker::noop().clone(),
            false => self.ends.waker(number),
        };
        let end = task.poll_end(&Context::from_waker(&waker), at);
        if end.is_pending() {
            let mut state = self.lock();
            if state.phase != Phase::Open {
                // Another thread may have cancelled all that were there meanwhile.
                task.cancel_handle().cancel();
            }
            state.children.insert(number, task);
        }
        Some(end)
    }

    /// Ends the group, and returns the children that are left.
    pub(super) fn close(&self) -> BTreeMap<usize, Task<()>> {
        let mut state = self.lock();
        state.phase = Phase::Over;
        let children = std::mem::take(&mut state.children);
        drop(state);
        drop(self.ends.take_watcher());
        children
    }

    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of a child, for its handle.
pub(super) struct Outcome<V> {
    state: Mutex<OutcomeState<V>>,
}

struct OutcomeState<V> {
    result: Option<Result<V, GroupTaskError>>,
    waiter: Option<WakeTarget>,
}

impl<V> Outcome<V> {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(OutcomeState { result: None, waiter: None }) }
    }

    pub(super) fn refuse(&self) {
        self.set(Err(GroupTaskError::Refused));
    }

    fn set(&self, result: Result<V, GroupTaskError>) {
        let waiter = {
            let mut state = self.lock();
            state.result = Some(result);
            state.waiter.take()
        };
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }

    pub(super) fn take(&self) -> Option<Result<V, GroupTaskError>> {
        self.lock().result.take()
    }

    pub(super) fn is_set(&self) -> bool {
        self.lock().result.is_some()
    }

    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Result<V, GroupTaskError>> {
        // Before the state is held: a foreign waker is code of the user's.
        let waiter = WakeTarget::of(context.waker());
        let mut state = self.lock();
        let taken = state.result.take();
        let unused = match &taken {
            Some(_) => Some(waiter),
            None => state.waiter.replace(waiter),
        };
        drop(state);
        drop(unused);
        taken.map_or(Poll::Pending, Poll::Ready)
    }

    fn lock(&self) -> MutexGuard<'_, OutcomeState<V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pin_project! {
    /// A child: its future, and what it tells its group.
    pub(super) struct Child<F: Future, V, E> {
        // Dropped before the report is, which says that it has ended.
        #[pin]
        future: F,
        split: fn(F::Output) -> Result<V, E>,
        report: Report<V, E>,
    }
}

impl<F: Future, V, E> Child<F, V, E> {
    pub(super) fn new(
        future: F,
        split: fn(F::Output) -> Result<V, E>,
        number: usize,
        group: Arc<Shared<E>>,
        outcome: Arc<Outcome<V>>,
    ) -> Self {
        Self { future, split, report: Report { number, group, outcome, is_made: false } }
    }
}

impl<F: Future, V, E> Future for Child<F, V, E> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let mut alarm = Alarm { report: this.report, is_armed: true };
        let poll = this.future.poll(context);
        alarm.is_armed = false;
        drop(alarm);
        let output = ready!(poll);
        match (this.split)(output) {
            Ok(value) => this.report.make(Ok(value)),
            Err(error) => {
                this.report.make(Err(GroupTaskError::Failed));
                // One that was dropped while the child ran has nobody to tell.
                drop(this.report.group.fail(error));
            }
        }
        Poll::Ready(())
    }
}

/// Tells the handle and the group of a child what becomes of it; at the latest when it is dropped.
struct Report<V, E> {
    number: usize,
    group: Arc<Shared<E>>,
    outcome: Arc<Outcome<V>>,
    is_made: bool,
}

impl<V, E> Report<V, E> {
    fn make(&mut self, result: Result<V, GroupTaskError>) {
        self.is_made = true;
        self.outcome.set(result);
    }
}

impl<V, E> Drop for Report<V, E> {
    fn drop(&mut self) {
        if !self.is_made {
            self.make(Err(GroupTaskError::Cancelled));
        }
        self.group.ends.add(self.number);
    }
}

/// Cancels the group when the poll of a child panics, before anything else runs.
struct Alarm<'a, V, E> {
    report: &'a mut Report<V, E>,
    is_armed: bool,
}

impl<V, E> Drop for Alarm<'_, V, E> {
    fn drop(&mut self) {
        if self.is_armed {
            self.report.make(Err(GroupTaskError::Panicked));
            self.report.group.abort();
        }
    }
}
