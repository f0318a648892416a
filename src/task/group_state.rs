//! What a group and its children share.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::group_task::GroupTaskError;
use super::handle::Task;
use crate::executor::{JoinEnd, WakeTarget};

/// State of a group. While it is held no code of the user's runs: futures, values, errors and
/// foreign wakers are dropped and called after.
///
/// ```text
///   open -> failing (all children are cancelled) -> over
///     `------------------------------------------->
/// ```
pub(super) struct Shared<E> {
    state: Mutex<State<E>>,
}

struct State<E> {
    phase: Phase,
    next: u64,
    children: BTreeMap<u64, Task<()>>,
    /// Children whose futures have ended since the group looked last.
    ended: Vec<u64>,
    errors: Vec<E>,
    /// Who polls the group.
    owner: Option<WakeTarget>,
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
            children: BTreeMap::new(),
            ended: Vec::new(),
            errors: Vec::new(),
            owner: None,
        };
        Self { state: Mutex::new(state) }
    }

    /// Returns the number of the next child, if the group takes one.
    pub(super) fn admit(&self) -> Option<u64> {
        let mut state = self.lock();
        (state.phase == Phase::Open).then(|| {
            state.next += 1;
            state.next - 1
        })
    }

    /// Adds a child that was admitted and spawned.
    pub(super) fn add(&self, number: u64, task: Task<()>) {
        let mut state = self.lock();
        if state.phase != Phase::Open {
            // It ran at once, and the group has failed or was dropped since.
            task.cancel_handle().cancel();
        }
        if state.phase == Phase::Over {
            drop(state);
            drop(task);
            return;
        }
        state.children.insert(number, task);
    }

    pub(super) fn is_open(&self) -> bool {
        self.lock().phase == Phase::Open
    }

    pub(super) fn child_count(&self) -> usize {
        self.lock().children.len()
    }

    pub(super) fn first_child(&self) -> Option<u64> {
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
        let owner = {
            let mut state = self.lock();
            if state.phase != Phase::Open {
                return;
            }
            state.phase = Phase::Failing;
            for task in state.children.values() {
                task.cancel_handle().cancel();
            }
            state.owner.take()
        };
        if let Some(owner) = owner {
            owner.wake();
        }
    }

    /// Notes that the future of a child has ended.
    fn note_end(&self, number: u64) {
        let owner = {
            let mut state = self.lock();
            state.ended.push(number);
            state.owner.take()
        };
        if let Some(owner) = owner {
            owner.wake();
        }
    }

    /// Keeps whom to wake when a child ends or fails.
    pub(super) fn watch(&self, context: &Context<'_>) {
        let owner = WakeTarget::of(context.waker());
        let replaced = self.lock().owner.replace(owner);
        drop(replaced);
    }

    pub(super) fn take_ended(&self) -> Vec<u64> {
        std::mem::take(&mut self.lock().ended)
    }

    pub(super) fn take_errors(&self) -> Vec<E> {
        std::mem::take(&mut self.lock().errors)
    }

    /// Joins a child and forgets it if it has ended; none when that is done already.
    pub(super) fn poll_child(
        &self,
        number: u64,
        context: &Context<'_>,
        at: &'static Location<'static>,
    ) -> Option<Poll<JoinEnd<()>>> {
        // Taken out, because joining may call and drop foreign wakers.
        let task = self.lock().children.remove(&number)?;
        let end = task.poll_end(context, at);
        if end.is_pending() {
            self.lock().children.insert(number, task);
        }
        Some(end)
    }

    /// Ends the group, and returns the children that are left.
    pub(super) fn close(&self) -> BTreeMap<u64, Task<()>> {
        let mut state = self.lock();
        state.phase = Phase::Over;
        let (children, owner) = (std::mem::take(&mut state.children), state.owner.take());
        drop(state);
        drop(owner);
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
        number: u64,
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
    number: u64,
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
        self.group.note_end(self.number);
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
