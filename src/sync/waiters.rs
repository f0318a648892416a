//! A line of waiters.

use std::collections::VecDeque;
use std::ops::Range;
use std::task::Waker;

use crate::backend::{Grant, Holder, WakeTarget};

/// Futures that wait, in the order of their arrival.
///
/// A waiter stays in the line until its future goes on or is dropped, woken or not: what counts is
/// its rank, so that being woken and being dropped can cross without anything getting lost.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    line: VecDeque<Waiter>,
    /// Who waits and where, in the same order. Only for what can be held: apart from the line, because
    /// it is as large again.
    askers: VecDeque<(Ticket, Holder)>,
    next: Ticket,
    /// All before it have been woken by [`Waiters::wake_before`], and not polled since.
    woken: Ticket,
    /// How many in front have what they wait for assigned to them, by [`Waiters::assign`].
    due_count: usize,
    /// The sum of what they weigh.
    assigned: usize,
}

/// Names a waiter. A later one is greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

#[derive(Debug)]
struct Waiter {
    ticket: Ticket,
    /// How much it waits for.
    weight: usize,
    /// None when it has been woken and not polled since, or was never polled.
    target: Option<WakeTarget>,
}

impl Waiters {
    /// Counts the waiters.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.line.len()
    }

    /// Tells whether nobody waits.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Counts the waiters before a ticket, which need not stand in the line.
    pub(crate) fn count_before(&self, end: Ticket) -> usize {
        // Nearly always there is none.
        match self.line.front() {
            Some(first) if first.ticket < end => {
                self.line.partition_point(|waiter| waiter.ticket < end)
            }
            _ => 0,
        }
    }

    /// Lists the tickets from one on, in order.
    pub(crate) fn tickets_from(&self, begin: Ticket) -> impl Iterator<Item = Ticket> + '_ {
        self.line.range(self.count_before(begin)..).map(|waiter| waiter.ticket)
    }

    /// Returns the ticket of the first waiter.
    pub(crate) fn first_ticket(&self) -> Option<Ticket> {
        self.line.front().map(|first| first.ticket)
    }

    /// Returns the ticket that the next waiter will get.
    pub(crate) fn next_ticket(&self) -> Ticket {
        self.next
    }

    /// Puts a waiter that waits for so much at the end of the line.
    pub(crate) fn push(&mut self, weight: usize, target: WakeTarget) -> Ticket {
        self.push_waiter(weight, Some(target))
    }

    /// Puts a waiter at the end of the line that looks by itself when it is polled.
    pub(crate) fn push_idle(&mut self) -> Ticket {
        self.push_waiter(1, None)
    }

    fn push_waiter(&mut self, weight: usize, target: Option<WakeTarget>) -> Ticket {
        let ticket = self.next;
        self.next = Ticket(ticket.0 + 1);
        if self.line.len() == self.line.capacity() && self.line.len() >= LARGE_LINE {
            // By an eighth: doubling would leave up to half of it empty.
            self.line.reserve_exact(self.line.len() / 8);
        }
        self.line.push_back(Waiter { ticket, weight, target });
        ticket
    }

    /// Returns the tickets of the waiters at these ranks.
    pub(crate) fn tickets(&self, ranks: Range<usize>) -> impl Iterator<Item = Ticket> {
        self.line.range(ranks).map(|waiter| waiter.ticket)
    }

    /// Returns how many stand before a waiter.
    #[inline]
    pub(crate) fn rank(&self, ticket: Ticket) -> usize {
        // Nearly always the one that is polled is the first.
        if self.line.front().is_some_and(|first| first.ticket == ticket) {
            return 0;
        }
        let found = self.line.binary_search_by_key(&ticket, |waiter| waiter.ticket);
        found.expect("a waiter is in the line until its future takes it out")
    }

    /// Takes the waiter at a rank out of the line. Returns what would have woken it.
    pub(crate) fn remove(&mut self, rank: usize) -> Option<WakeTarget> {
        let waiter = match rank {
            0 => self.line.pop_front(),
            rank => self.remove_inside(rank),
        };
        let waiter = waiter.expect("a rank is in the line");
        if !self.askers.is_empty() {
            self.forget_asker(waiter.ticket);
        }
        if self.is_due(rank) {
            self.due_count -= 1;
            self.assigned -= waiter.weight;
        }
        waiter.target
    }

    /// Tells whether a waiter is woken through this waker when its turn comes.
    pub(crate) fn will_wake(&self, ticket: Ticket, waker: &Waker) -> bool {
        let waiter = &self.line[self.rank(ticket)];
        waiter.target.as_ref().is_some_and(|target| target.will_wake(waker))
    }

    /// Replaces what wakes a waiter. Returns what would have woken it.
    pub(crate) fn retarget(&mut self, ticket: Ticket, target: WakeTarget) -> Option<WakeTarget> {
        let rank = self.rank(ticket);
        self.woken = self.woken.min(ticket);
        self.line[rank].target.replace(target)
    }

    /// Notes who waits, and where.
    pub(crate) fn note_asker(&mut self, ticket: Ticket, asker: Holder) {
        // Nearly always it has just come.
        if self.askers.back().is_none_or(|(last, _)| *last < ticket) {
            self.askers.push_back((ticket, asker));
            return;
        }
        match self.place_of_asker(ticket) {
            Ok(place) => self.askers[place].1 = asker,
            Err(place) => self.askers.insert(place, (ticket, asker)),
        }
    }

    #[inline(never)]
    fn remove_inside(&mut self, rank: usize) -> Option<Waiter> {
        self.line.remove(rank)
    }

    #[inline(never)]
    fn forget_asker(&mut self, ticket: Ticket) {
        let Some((first, _)) = self.askers.front() else { return };
        if *first == ticket {
            self.askers.pop_front();
        } else if let Ok(place) = self.place_of_asker(ticket) {
            self.askers.remove(place);
        }
    }

    fn place_of_asker(&self, ticket: Ticket) -> Result<usize, usize> {
        // Nearly always the one that is looked for is the first.
        if self.askers.front().is_some_and(|(first, _)| *first == ticket) {
            return Ok(0);
        }
        self.askers.binary_search_by_key(&ticket, |(asked, _)| *asked)
    }

    /// Lists those among the first so many that were woken and not polled since: what they were
    /// woken for is theirs. No more than some, because it is done at each change.
    pub(crate) fn tell_unclaimed(&self, count: usize, grants: &mut Vec<Grant>) {
        for waiter in (0..count.min(UNCLAIMED_TOLD_MAX)).map_while(|rank| self.line.get(rank)) {
            if waiter.target.is_none()
                && let Ok(place) = self.place_of_asker(waiter.ticket)
            {
                grants.push(Grant::unclaimed(self.askers[place].1));
            }
        }
    }

    /// Wakes the waiter at a rank, if there is one that has not been woken.
    #[inline]
    pub(crate) fn wake(&mut self, rank: usize, wakes: &mut Wakes) {
        if let Some(target) = self.line.get_mut(rank).and_then(|waiter| waiter.target.take()) {
            wakes.push(target);
        }
    }

    /// Wakes the waiters before a ticket.
    pub(crate) fn wake_before(&mut self, end: Ticket, wakes: &mut Wakes) {
        if self.woken >= end {
            return;
        }
        let begin = self.count_before(self.woken);
        for waiter in self.line.range_mut(begin..).take_while(|waiter| waiter.ticket < end) {
            if let Some(target) = waiter.target.take() {
                wakes.push(target);
            }
        }
        self.woken = end;
    }

    /// Wakes all waiters.
    pub(crate) fn wake_all(&mut self, wakes: &mut Wakes) {
        self.wake_before(self.next, wakes);
    }

    /// Assigns a supply to the waiters in front, to each as much as it weighs, and wakes them. The
    /// first that there is not enough for gets nothing, nor do those behind it.
    ///
    /// The supply may shrink only by what a waiter weighs that takes it and leaves.
    #[inline]
    pub(crate) fn assign(&mut self, supply: usize, wakes: &mut Wakes) {
        while let Some(waiter) = self.line.get_mut(self.due_count)
            && waiter.weight <= supply - self.assigned
        {
            self.due_count += 1;
            self.assigned += waiter.weight;
            if let Some(target) = waiter.target.take() {
                wakes.push(target);
            }
        }
    }

    /// Tells whether the waiter at a rank has been assigned what it waits for.
    #[inline]
    pub(crate) fn is_due(&self, rank: usize) -> bool {
        rank < self.due_count
    }

    /// Tells whether all waiters are due, so that what is left is a newcomer's.
    #[inline]
    pub(crate) fn are_all_due(&self) -> bool {
        self.due_count == self.line.len()
    }

    /// Lists the due waiters that have not been polled since.
    pub(crate) fn tell_unclaimed_due(&self, grants: &mut Vec<Grant>) {
        self.tell_unclaimed(self.due_count, grants);
    }

    /// Returns how much of the supply is assigned.
    #[inline]
    pub(crate) fn assigned(&self) -> usize {
        self.assigned
    }
}

/// Tasks to be woken once the state is let go: a foreign waker runs code of the user's.
#[derive(Debug, Default)]
pub(crate) enum Wakes {
    #[default]
    None,
    /// Apart, so that waking one costs no allocation.
    One(WakeTarget),
    Many(Vec<WakeTarget>),
}

impl Wakes {
    #[inline]
    pub(crate) fn push(&mut self, target: WakeTarget) {
        match self {
            Self::None => *self = Self::One(target),
            Self::One(_) | Self::Many(_) => self.push_more(target),
        }
    }

    #[inline(never)]
    fn push_more(&mut self, target: WakeTarget) {
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
    pub(crate) fn wake(self) {
        match self {
            Self::None => {}
            Self::One(target) => target.wake(),
            Self::Many(targets) => targets.into_iter().for_each(WakeTarget::wake),
        }
    }
}

/// As many as a report names, and some more to find a cycle of waits by.
const UNCLAIMED_TOLD_MAX: usize = 32;

/// Waiters from which on a line is large.
const LARGE_LINE: usize = 4096;
