//! A line of waiters.

use std::collections::VecDeque;
use std::task::Waker;

use crate::executor::WakeTarget;

/// Futures that wait, in the order of their arrival.
///
/// A waiter stays in the line until its future goes on or is dropped, woken or not: what counts is
/// its rank, so that being woken and being dropped can cross without anything getting lost.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    line: VecDeque<Waiter>,
    next: Ticket,
}

/// Names a waiter. A later one is greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

#[derive(Debug)]
struct Waiter {
    ticket: Ticket,
    /// None when it has been woken and not polled since.
    target: Option<WakeTarget>,
}

impl Waiters {
    /// Counts the waiters.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.line.len()
    }

    /// Returns the ticket that the next waiter will get.
    pub(super) fn next_ticket(&self) -> Ticket {
        self.next
    }

    /// Puts a waiter at the end of the line.
    pub(super) fn push(&mut self, target: WakeTarget) -> Ticket {
        let ticket = self.next;
        self.next = Ticket(ticket.0 + 1);
        if self.line.len() == self.line.capacity() && self.line.len() >= LARGE_LINE {
            // By an eighth: doubling would leave up to half of it empty.
            self.line.reserve_exact(self.line.len() / 8);
        }
        self.line.push_back(Waiter { ticket, target: Some(target) });
        ticket
    }

    /// Returns how many stand before a waiter.
    pub(super) fn rank(&self, ticket: Ticket) -> usize {
        // Nearly always the one that is polled is the first.
        if self.line.front().is_some_and(|first| first.ticket == ticket) {
            return 0;
        }
        let found = self.line.binary_search_by_key(&ticket, |waiter| waiter.ticket);
        found.expect("a waiter is in the line until its future takes it out")
    }

    /// Takes a waiter out of the line. Returns what would have woken it.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<WakeTarget> {
        let waiter = match self.rank(ticket) {
            0 => self.line.pop_front(),
            rank => self.line.remove(rank),
        };
        waiter.expect("a rank is in the line").target
    }

    /// Tells whether a waiter is woken through this waker when its turn comes.
    pub(super) fn will_wake(&self, ticket: Ticket, waker: &Waker) -> bool {
        let waiter = &self.line[self.rank(ticket)];
        waiter.target.as_ref().is_some_and(|target| target.will_wake(waker))
    }

    /// Replaces what wakes a waiter. Returns what would have woken it.
    pub(super) fn retarget(&mut self, ticket: Ticket, target: WakeTarget) -> Option<WakeTarget> {
        let rank = self.rank(ticket);
        self.line[rank].target.replace(target)
    }

    /// Wakes the waiter at a rank, if there is one that has not been woken.
    #[inline]
    pub(super) fn wake(&mut self, rank: usize, wakes: &mut Wakes) {
        if let Some(target) = self.line.get_mut(rank).and_then(|waiter| waiter.target.take()) {
            wakes.push(target);
        }
    }

    /// Wakes the waiters before a ticket.
    pub(super) fn wake_before(&mut self, end: Ticket, wakes: &mut Wakes) {
        for waiter in self.line.iter_mut().take_while(|waiter| waiter.ticket < end) {
            if let Some(target) = waiter.target.take() {
                wakes.push(target);
            }
        }
    }

    /// Wakes all waiters.
    pub(super) fn wake_all(&mut self, wakes: &mut Wakes) {
        self.wake_before(self.next, wakes);
    }
}

/// Tasks to be woken once the state is let go: a foreign waker runs code of the user's.
#[derive(Debug, Default)]
pub(super) enum Wakes {
    #[default]
    None,
    /// Apart, so that waking one costs no allocation.
    One(WakeTarget),
    Many(Vec<WakeTarget>),
}

impl Wakes {
    fn push(&mut self, target: WakeTarget) {
        *self = match std::mem::take(self) {
            Self::None => Self::One(target),
            Self::One(first) => Self::Many(vec![first, target]),
            Self::Many(mut targets) => {
                targets.push(target);
                Self::Many(targets)
            }
        };
    }

    /// Wakes them, in the order in which they were added.
    #[inline]
    pub(super) fn wake(self) {
        match self {
            Self::None => {}
            Self::One(target) => wake_one(target),
            Self::Many(targets) => wake_many(targets),
        }
    }
}

/// Waiters from which on a line is large.
const LARGE_LINE: usize = 4096;

// Apart, so that finding that there is nobody to wake is small.

#[inline(never)]
fn wake_one(target: WakeTarget) {
    target.wake();
}

#[inline(never)]
fn wake_many(targets: Vec<WakeTarget>) {
    targets.into_iter().for_each(WakeTarget::wake);
}
