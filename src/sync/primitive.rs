//! What all primitives are made of: a state, and futures that wait for their turn.
//!
//! There is no such thing as a grant that travels: a waiter may go on when the state says so of its
//! *rank* in the line. Whoever changes the state does it through [`Primitive::change`], which wakes
//! those whose turn has come. So a waiter that is dropped has passed on what it did not claim by
//! having left the line, and none of the primitives has code for that case.

use std::panic::Location;
use std::task::{Context, Poll, ready};

use super::holders::Holders;
use super::spin::{SpinGuard, SpinLock};
use super::waiters::{Ticket, Waiters, Wakes};
use crate::backend::{
    Grant, Holder, Point, Resource, WakeTarget, note_unpolled, note_wait, publish, watches_holders,
};
use crate::kernel::Verb;

/// State with waiters in it.
pub(crate) trait WaitState {
    /// Whether it can be held; if so it has [`WaitState::holders`].
    const CAN_BE_HELD: bool = false;

    /// Wakes the waiters whose turn has come. Called after every change, unless the state is idle.
    fn wake_due(&mut self, wakes: &mut Wakes);

    /// Tells whether nobody waits, and the run knows of no holders: then a change concerns nobody.
    #[inline]
    fn is_idle(&self) -> bool {
        false
    }

    /// Returns who holds it.
    #[inline]
    fn holders(&mut self) -> Option<&mut Holders> {
        None
    }

    /// Lists what is assigned to waiters, or the first of it, for what can be held; and tells whether
    /// there are any waiters.
    fn tell_waiters(&self, _grants: &mut Vec<Grant>) -> bool {
        false
    }
}

/// State that several threads may reach, and what reports call it.
///
/// While the state is held no code of the user's runs: no waker is called, cloned or dropped, and
/// no value is dropped. So it is held for some nanoseconds, and a lock that spins is enough. The one
/// exception is how the items of a [`super::PriorityQueue`] compare, which it asks to be short.
#[derive(Debug)]
pub(crate) struct Primitive<S> {
    resource: Resource,
    state: SpinLock<S>,
}

impl<S: WaitState> Primitive<S> {
    #[track_caller]
    pub(crate) fn new(kind: &'static str, state: S) -> Self {
        let new = Self { resource: Resource::new(kind), state: SpinLock::new(state) };
        if S::CAN_BE_HELD && watches_holders() {
            new.state.with(|state| new.publish(state));
        }
        new
    }

    /// Returns what points and reports know it by.
    #[inline]
    pub(crate) fn resource(&self) -> &Resource {
        &self.resource
    }

    pub(crate) fn named(self, name: &'static str) -> Self {
        Self { resource: self.resource.named(name), state: self.state }
    }

    /// Looks at the state.
    #[inline]
    pub(crate) fn read<R>(&self, read: impl FnOnce(&S) -> R) -> R {
        self.state.with(|state| read(state))
    }

    /// Takes the state for a change after which whoever takes it wakes by itself, or that concerns nobody.
    #[inline]
    pub(crate) fn hold(&self) -> SpinGuard<'_, S> {
        self.state.lock()
    }

    /// Changes the state, and then wakes whose turn has come.
    #[inline]
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut S) -> R) -> R {
        let mut state = self.state.lock();
        let result = change(&mut state);
        if !state.is_idle() {
            self.attend(state);
        }
        result
    }

    /// As [`Primitive::change`], for a closure that changes nothing when it gives nothing, or adds a
    /// waiter whose turn has not come: that concerns nobody either.
    #[inline]
    fn change_if<R>(&self, change: impl FnOnce(&mut S) -> Option<R>) -> Option<R> {
        let mut state = self.state.lock();
        let result = change(&mut state);
        if result.is_some() && !state.is_idle() {
            self.attend(state);
        }
        result
    }

    /// Tells those whom a change concerns, and lets go of the state.
    #[inline(never)]
    fn attend(&self, mut state: SpinGuard<'_, S>) {
        let mut wakes = Wakes::default();
        state.wake_due(&mut wakes);
        if S::CAN_BE_HELD && state.holders().is_some_and(|holders| holders.are_published()) {
            self.publish(&mut state);
        }
        drop(state);
        wakes.wake();
    }

    /// Takes a waiter out of its line.
    #[inline(never)]
    fn remove(&self, line: &Line<S>, own: Ticket) {
        let target = self.change(|state| {
            let waiters = (line.waiters)(state);
            waiters.remove(waiters.rank(own))
        });
        // Dropped here, where the state is not held.
        drop(target);
    }

    pub(crate) fn get_mut(&mut self) -> &mut S {
        self.state.get_mut()
    }

    pub(crate) fn into_inner(self) -> S {
        self.state.into_inner()
    }

    /// Tells the run who holds it. That is code of ours only, so the state may be held meanwhile.
    #[cold]
    fn publish(&self, state: &mut S) {
        let Some(mut key) = state.holders().map(|holders| holders.published) else { return };
        publish(&mut key, &self.resource, |grants, is_new| {
            if let Some(holders) = state.holders() {
                holders.tell(&mut grants.held, is_new);
            }
            grants.unclaimed.clear();
            state.tell_waiters(&mut grants.unclaimed)
        });
        if let Some(holders) = state.holders() {
            holders.published = key;
        }
    }
}

/// One of the lines of a state: where it is, and what its waiters want to do.
#[derive(Debug)]
pub(crate) struct Line<S> {
    pub(crate) verb: &'static Verb,
    pub(crate) waiters: fn(&mut S) -> &mut Waiters,
}

/// Where a future stands when it asks whether it may go on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// How many stand before it. A newcomer stands behind all waiters.
    pub(crate) rank: usize,
    /// None for a newcomer.
    pub(crate) ticket: Option<Ticket>,
}

/// The part that all waiting futures share.
///
/// ```text
///   ahead -> at its point -> goes on
///              ^    |`-> in the line -> its turn has come -> goes on
///              `----' (preempted)    `-> dropped: leaves the line
/// ```
#[derive(Debug)]
pub(crate) struct Wait {
    point: Point,
    /// Its place in the line, once it has one.
    ticket: Option<Ticket>,
    /// How much it waits for, where that differs.
    weight: usize,
    at: &'static Location<'static>,
}

impl Wait {
    /// Makes the wait of an operation that was called at the caller's caller.
    #[track_caller]
    pub(crate) fn new() -> Self {
        Self::weighing(1)
    }

    /// As [`Wait::new`], for so much at once.
    #[track_caller]
    pub(crate) fn weighing(weight: usize) -> Self {
        Self { weight, ..Self::called_at(Location::caller()) }
    }

    /// As [`Wait::new`], for an operation that was called at this place.
    pub(crate) fn called_at(at: &'static Location<'static>) -> Self {
        Self { point: Point::new(), ticket: None, weight: 1, at }
    }

    /// Begins again when it has gone on, as if the operation was called once more at the same place.
    pub(crate) fn restart(&mut self) {
        self.point = Point::again();
    }

    /// Tells whether it stands in the line.
    pub(crate) fn is_in_line(&self) -> bool {
        self.ticket.is_some()
    }

    /// Comes to the point, if it has not before.
    #[inline]
    pub(crate) fn arrive<S>(
        &mut self,
        context: &Context<'_>,
        primitive: &Primitive<S>,
        line: &Line<S>,
    ) -> Poll<()> {
        self.point.poll(context, &primitive.resource, line.verb, self.at)
    }

    /// Comes to the point, and then waits until `go` gives something. `go` changes nothing when it
    /// gives nothing.
    #[inline]
    pub(crate) fn poll<S: WaitState, R>(
        &mut self,
        context: &Context<'_>,
        primitive: &Primitive<S>,
        line: &Line<S>,
        mut go: impl FnMut(&mut S, Place) -> Option<R>,
    ) -> Poll<R> {
        ready!(self.arrive(context, primitive, line));
        if self.ticket.is_none() {
            // Apart from the rest, because nearly all that do not wait take this way.
            let waker = context.waker();
            let result = primitive.change_if(|state| {
                let rank = (line.waiters)(state).count();
                let result = go(state, Place { rank, ticket: None });
                // A waker of ours is copied without running anything.
                if result.is_none()
                    && let Some(target) = WakeTarget::of_task(waker)
                {
                    self.ticket = Some((line.waiters)(state).push(self.weight, target));
                    self.note_asker(state, context, primitive, line);
                }
                result
            });
            if let Some(result) = result {
                return Poll::Ready(result);
            }
            if self.ticket.is_some() {
                note_wait(&primitive.resource, line.verb, self.at);
                return Poll::Pending;
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
            let mut replaced = None;
            let mut step = Step::Waits;
            let result = primitive.change_if(|state| {
                let waiters = (line.waiters)(state);
                let rank = self.ticket.map_or(waiters.count(), |ticket| waiters.rank(ticket));
                let result = go(state, Place { rank, ticket: self.ticket });
                let waiters = (line.waiters)(state);
                if result.is_some() {
                    replaced = self.ticket.take().and_then(|_| waiters.remove(rank));
                    return result;
                }
                match (self.ticket, target.take()) {
                    (Some(own), _) if waiters.will_wake(own, context.waker()) => {}
                    (_, None) => {
                        step = Step::NeedsTarget;
                        return None;
                    }
                    (Some(own), Some(target)) => replaced = waiters.retarget(own, target),
                    (None, Some(target)) => {
                        self.ticket = Some(waiters.push(self.weight, target));
                    }
                }
                self.note_asker(state, context, primitive, line);
                None
            });
            drop(replaced);
            if let Some(result) = result {
                return Poll::Ready(result);
            }
            match step {
                Step::NeedsTarget => target = Some(WakeTarget::of(context.waker())),
                Step::Waits => {
                    note_wait(&primitive.resource, line.verb, self.at);
                    return Poll::Pending;
                }
            }
        }
    }

    /// Takes a place in the line without being polled, unless `go` gives something. No point.
    pub(crate) fn enter<S: WaitState, R>(
        &mut self,
        primitive: &Primitive<S>,
        line: &Line<S>,
        go: impl FnOnce(&mut S, Place) -> Option<R>,
    ) -> Option<R> {
        // What would have woken it is dropped here, not while the state is held.
        let (result, _target) = primitive.change(|state| {
            let waiters = (line.waiters)(state);
            let rank = self.ticket.map_or(waiters.count(), |ticket| waiters.rank(ticket));
            let result = go(state, Place { rank, ticket: self.ticket });
            let waiters = (line.waiters)(state);
            if result.is_some() {
                let own = self.ticket.take();
                return (result, own.and_then(|_| waiters.remove(rank)));
            }
            self.ticket.get_or_insert_with(|| waiters.push_idle());
            (None, None)
        });
        result
    }

    /// Returns its ticket while it stands in the line.
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        self.ticket
    }

    /// Returns the line of the call.
    #[inline]
    pub(crate) fn at(&self) -> &'static Location<'static> {
        self.at
    }

    /// Notes who waits for what can be held, and lets the run know who holds it, from here until
    /// the last waiter has left.
    #[inline]
    fn note_asker<S: WaitState>(
        &self,
        state: &mut S,
        context: &Context<'_>,
        primitive: &Primitive<S>,
        line: &Line<S>,
    ) {
        if !S::CAN_BE_HELD {
            return;
        }
        if let Some(own) = self.ticket {
            (line.waiters)(state).note_asker(own, Holder::polling(context, self.at));
        }
        if state.holders().is_some_and(|holders| !holders.are_published()) {
            primitive.publish(state);
        }
    }

    /// Leaves the line, if it stands in it: what was its turn is the next waiter's.
    #[inline]
    pub(crate) fn leave<S: WaitState>(&mut self, primitive: &Primitive<S>, line: &Line<S>) {
        if let Some(own) = self.ticket.take() {
            primitive.remove(line, own);
        } else if self.point.is_ahead() {
            note_unpolled(Some(&primitive.resource), line.verb, self.at);
        }
    }
}

/// What came of a look at the state.
enum Step {
    NeedsTarget,
    Waits,
}
