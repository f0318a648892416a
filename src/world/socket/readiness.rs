//! Who waits for a socket.

use std::task::Waker;

use super::super::calls::Side;
use super::super::state::Wakes;
use crate::executor::WakeTarget;

/// Tasks that wait for one side of a socket. All of them are woken together, and register again.
///
/// Nearly always it is one, or none: more of them are in a list of their own.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    first: Option<WakeTarget>,
    #[expect(clippy::box_collection, reason = "a word in each socket instead of three")]
    more: Option<Box<Vec<WakeTarget>>>,
}

impl Waiters {
    /// Adds who waits, unless it does already. `target` stays where it is not needed.
    #[inline]
    pub(crate) fn add(&mut self, target: &mut Option<WakeTarget>, waker: &Waker) {
        // While there is no first one, there are no more of them.
        let Some(first) = &self.first else {
            self.first = target.take();
            return;
        };
        let mut more = self.more.iter().flat_map(|more| more.iter());
        if !first.will_wake(waker) && !more.any(|known| known.will_wake(waker)) {
            self.more.get_or_insert_default().extend(target.take());
        }
    }

    /// Has all of them woken, in the order in which they came.
    #[inline]
    pub(crate) fn wake(&mut self, wakes: &mut Wakes) {
        if let Some(first) = self.first.take() {
            wakes.wake(first);
            if let Some(more) = self.more.take() {
                more.into_iter().for_each(|target| wakes.wake(target));
            }
        }
    }

    /// Lets go of all of them.
    pub(crate) fn let_go(&mut self, wakes: &mut Wakes) {
        let more = self.more.take().into_iter().flat_map(|more| more.into_iter());
        self.first.take().into_iter().chain(more).for_each(|target| wakes.let_go(target));
    }
}

/// Tasks that wait for the two sides of a stream; as [`Waiters`] of each, in fewer words.
#[derive(Debug, Default)]
pub(super) struct StreamWaiters {
    first: [Option<WakeTarget>; 2],
    more: Option<Box<[Vec<WakeTarget>; 2]>>,
}

impl StreamWaiters {
    /// Adds who waits for a side, unless it does already. `target` stays where it is not needed.
    #[inline]
    pub(super) fn add(&mut self, side: Side, target: &mut Option<WakeTarget>, waker: &Waker) {
        let side = side as usize;
        // While there is no first one, there are no more of them.
        let Some(first) = &self.first[side] else {
            self.first[side] = target.take();
            return;
        };
        let mut more = self.more.iter().flat_map(|more| more[side].iter());
        if !first.will_wake(waker) && !more.any(|known| known.will_wake(waker)) {
            self.more.get_or_insert_default()[side].extend(target.take());
        }
    }

    /// Has all of them woken who wait for a side, in the order in which they came.
    #[inline]
    pub(super) fn wake(&mut self, side: Side, wakes: &mut Wakes) {
        let Some(first) = self.first[side as usize].take() else { return };
        wakes.wake(first);
        if let Some(more) = &mut self.more {
            more[side as usize].drain(..).for_each(|target| wakes.wake(target));
        }
    }

    /// Lets go of all of them.
    pub(super) fn let_go(&mut self, wakes: &mut Wakes) {
        let more = self.more.take().into_iter().flat_map(|more| more.into_iter().flatten());
        let first = self.first.iter_mut().filter_map(Option::take);
        first.chain(more).for_each(|target| wakes.let_go(target));
    }
}

const _: () = assert!(size_of::<StreamWaiters>() == 40, "memory of an idle connection");
