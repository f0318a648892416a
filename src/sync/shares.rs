//! Shares of something that several can have at once.

use super::primitive::Place;
use super::waiters::{Waiters, Wakes};
use crate::backend::Grant;

/// A number of equal shares, and the line of those who wait for some of them.
///
/// What is free is assigned to the waiters in front, to each as many as it asks for. The first that
/// there are not enough for holds up all behind it and is given nothing meanwhile: so nobody starves,
/// and one that is dropped leaves all shares to the next. Whether those in front have run yet makes no
/// difference to those behind.
#[derive(Debug)]
pub(super) struct Shares {
    /// Those that nobody has, the assigned ones included.
    free: usize,
    pub(super) waiters: Waiters,
}

impl Shares {
    pub(super) fn new(free: usize) -> Self {
        Self { free, waiters: Waiters::default() }
    }

    /// Takes so many if it is the turn of who stands there: they are assigned to it, or it is a
    /// newcomer and they are left over.
    #[must_use]
    #[inline]
    pub(super) fn take(&mut self, place: Place, count: usize) -> bool {
        if place.ticket.is_none() {
            return self.try_take(count);
        }
        let is_due = self.waiters.is_due(place.rank);
        if is_due {
            self.free -= count;
        }
        is_due
    }

    /// Takes so many if nobody waits for them.
    #[must_use]
    #[inline]
    pub(super) fn try_take(&mut self, count: usize) -> bool {
        let are_left = self.waiters.are_all_due() && count <= self.available();
        if are_left {
            self.free -= count;
        }
        are_left
    }

    /// Gives so many back, or adds them.
    #[inline]
    pub(super) fn give(&mut self, count: usize) {
        self.free += count;
    }

    /// Gives so many, but in all no more than waiters can take, one each.
    pub(super) fn give_to_waiters(&mut self, count: usize) {
        self.free = self.free.saturating_add(count).min(self.waiters.count());
    }

    /// Counts those that nobody has and that are assigned to nobody.
    #[inline]
    pub(super) fn available(&self) -> usize {
        self.free - self.waiters.assigned()
    }

    /// Assigns what is free, and wakes whom it is assigned to.
    #[inline]
    pub(super) fn assign(&mut self, wakes: &mut Wakes) {
        self.waiters.assign(self.free, wakes);
    }

    /// Lists what is assigned to waiters that have not been polled since, and tells whether there are
    /// any waiters.
    pub(super) fn tell_waiters(&self, grants: &mut Vec<Grant>) -> bool {
        self.waiters.tell_unclaimed_due(grants);
        self.waiters.count() > 0
    }
}
