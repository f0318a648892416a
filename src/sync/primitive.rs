//! What all primitives are made of: a state, and futures that wait for their turn.
//!
//! There is no such thing as a grant that travels: a waiter may go on when the state says so of its
//! *rank* in the line. Whoever changes the state does it through [`Primitive::change`], which wakes
//! those whose turn has come. So a waiter that is dropped has passed on what it did not claim by
//! having left the line, and none of the primitives has code for that case.

use std::panic::Location;
use std::task::{Context, Poll, ready};

use super::spin::SpinLock;
use super::waiters::{Ticket, Waiters, Wakes};
use crate::executor::{Point, Resource, Verb, WakeTarget, note_wait};

/// State with waiters in it.
pub(super) trait WaitState {
    /// Wakes the waiters whose turn has come. Called after every change.
    fn wake_due(&mut self, wakes: &mut Wakes);
}

/// State that several threads may reach, and what reports call it.
///
/// While the state is held no code of the user's runs: no waker is called, cloned or dropped, and
/// no value is dropped. So it is held for some nanoseconds, and a lock that spins is enough.
#[derive(Debug)]
pub(super) struct Primitive<S> {
    resource: Resource,
    state: SpinLock<S>,
}

impl<S: WaitState> Primitive<S> {
    #[track_caller]
    pub(super) fn new(kind: &'static str, state: S) -> Self {
        Self { resource: Resource::new(kind), state: SpinLock::new(state) }
    }

    pub(super) fn named(self, name: &'static str) -> Self {
        Self { resource: self.resource.named(name), state: self.state }
    }

    /// Looks at the state.
    #[inline]
    pub(super) fn read<R>(&self, read: impl FnOnce(&S) -> R) -> R {
        self.state.with(|state| read(state))
    }

    /// Changes the state, and then wakes whose turn has come.
    #[inline]
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut S) -> R) -> R {
        let mut wakes = Wakes::default();
        let result = self.state.with(|state| {
            let result = change(state);
            state.wake_due(&mut wakes);
            result
        });
        wakes.wake();
        result
    }

    /// Takes a waiter out of its line.
    #[inline(never)]
    fn remove(&self, line: &Line<S>, own: Ticket) {
        let target = self.change(|state| (line.waiters)(state).remove(own));
        // Dropped here, where the state is not held.
        drop(target);
    }
}

/// One of the lines of a state: where it is, and what its waiters want to do.
#[derive(Debug)]
pub(super) struct Line<S> {
    pub(super) verb: &'static Verb,
    pub(super) waiters: fn(&mut S) -> &mut Waiters,
}

/// Where a future stands when it asks whether it may go on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// How many stand before it. A newcomer stands behind all waiters.
    pub(super) rank: usize,
    /// None for a newcomer.
    pub(super) ticket: Option<Ticket>,
}

/// The part that all waiting futures share.
///
/// ```text
///   ahead -> at its point -> goes on
///              ^    |`-> in the line -> its turn has come -> goes on
///              `----' (preempted)    `-> dropped: leaves the line
/// ```
#[derive(Debug)]
pub(super) struct Wait {
    point: Point,
    /// Its place in the line, once it has one.
    ticket: Option<Ticket>,
    at: &'static Location<'static>,
}

impl Wait {
    /// Makes the wait of an operation that was called at the caller's caller.
    #[track_caller]
    pub(super) fn new() -> Self {
        Self { point: Point::new(), ticket: None, at: Location::caller() }
    }

    /// Comes to the point, and then waits until `go` gives something. `go` changes nothing when it
    /// gives nothing.
    #[inline]
    pub(super) fn poll<S: WaitState, R>(
        &mut self,
        context: &Context<'_>,
        primitive: &Primitive<S>,
        line: &Line<S>,
        mut go: impl FnMut(&mut S, Place) -> Option<R>,
    ) -> Poll<R> {
        ready!(self.point.poll(context, &primitive.resource, line.verb, self.at));
        if self.ticket.is_none() {
            // Apart from the rest, because nearly all that do not wait take this way.
            let result = primitive.change(|state| {
                let rank = (line.waiters)(state).count();
                go(state, Place { rank, ticket: None })
            });
            if let Some(result) = result {
                return Poll::Ready(result);
            }
        }
        self.poll_in_line(context, primitive, line, go)
    }

    /// Goes on if its turn has come; else stands in the line.
    #[inline(never)]
    fn poll_in_line<S: WaitState, R>(
        &mut self,
        context: &Context<'_>,
        primitive: &Primitive<S>,
        line: &Line<S>,
        mut go: impl FnMut(&mut S, Place) -> Option<R>,
    ) -> Poll<R> {
        // Cloned when it turns out to be needed, and not while the state is held.
        let mut target = self.ticket.is_none().then(|| WakeTarget::of(context.waker()));
        loop {
            // What was replaced is dropped here, not while the state is held.
            let (step, _replaced) = primitive.change(|state| {
                let waiters = (line.waiters)(state);
                let rank = self.ticket.map_or(waiters.count(), |ticket| waiters.rank(ticket));
                if let Some(result) = go(state, Place { rank, ticket: self.ticket }) {
                    let own = self.ticket.take();
                    let target = own.and_then(|own| (line.waiters)(state).remove(own));
                    return (Step::Goes(result), target);
                }
                let waiters = (line.waiters)(state);
                match (self.ticket, target.take()) {
                    (Some(own), _) if waiters.will_wake(own, context.waker()) => {
                        (Step::Waits, None)
                    }
                    (_, None) => (Step::NeedsTarget, None),
                    (Some(own), Some(target)) => (Step::Waits, waiters.retarget(own, target)),
                    (None, Some(target)) => {
                        self.ticket = Some(waiters.push(target));
                        (Step::Waits, None)
                    }
                }
            });
            match step {
                Step::Goes(result) => return Poll::Ready(result),
                Step::NeedsTarget => target = Some(WakeTarget::of(context.waker())),
                Step::Waits => {
                    note_wait(&primitive.resource, line.verb, self.at);
                    return Poll::Pending;
                }
            }
        }
    }

    /// Leaves the line, if it stands in it: what was its turn is the next waiter's.
    #[inline]
    pub(super) fn leave<S: WaitState>(&mut self, primitive: &Primitive<S>, line: &Line<S>) {
        if let Some(own) = self.ticket.take() {
            primitive.remove(line, own);
        }
    }
}

/// What came of a look at the state.
enum Step<R> {
    Goes(R),
    NeedsTarget,
    Waits,
}
