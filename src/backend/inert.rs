//! What serves the search alone, where there is no simulation: types without content, and calls that do
//! nothing and cost nothing.

use std::panic::Location;
use std::task::{Context, Poll, Waker};

use crate::kernel::{Access, Verb};

/// The point in front of an operation: always passed.
#[derive(Debug, Default)]
pub(crate) struct Point;

impl Point {
    pub(crate) const fn new() -> Self {
        Self
    }

    pub(crate) const fn again() -> Self {
        Self
    }

    /// Nobody asks for what was never polled.
    #[inline]
    pub(crate) fn is_ahead(&self) -> bool {
        false
    }

    #[inline]
    pub(crate) fn poll(
        &mut self,
        _context: &Context<'_>,
        _resource: &Resource,
        _verb: &'static Verb,
        _at: &'static Location<'static>,
    ) -> Poll<()> {
        Poll::Ready(())
    }
}

/// Identity of a lock, queue or event: nobody asks for it.
#[derive(Debug)]
pub(crate) struct Resource;

impl Resource {
    #[inline]
    pub(crate) fn new(_kind: &'static str) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn named(self, _name: &'static str) -> Self {
        self
    }
}

/// Who takes something: nobody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holder;

impl Holder {
    #[inline]
    pub(crate) fn polling(_context: &Context<'_>, _at: &'static Location<'static>) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn running(_at: &'static Location<'static>) -> Self {
        Self
    }
}

/// A share of something: nobody asks whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant;

impl Grant {
    pub(crate) const fn unclaimed(_holder: Holder) -> Self {
        Self
    }
}

/// Where holders are published: nowhere, so there is none of these.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HoldingKey {}

/// What a primitive would tell.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    pub(crate) held: Held,
    pub(crate) unclaimed: Vec<Grant>,
}

/// Who holds a resource.
#[derive(Debug, Default)]
pub(crate) struct Held;

impl Held {
    pub(crate) fn set(&mut self, _place: u32, _holder: Option<Holder>) {}
}

/// Who is to be woken.
#[derive(Debug)]
pub(crate) struct WakeTarget(Waker);

impl WakeTarget {
    #[inline]
    pub(crate) fn of(waker: &Waker) -> Self {
        Self(waker.clone())
    }

    /// No waker can be copied without running anything.
    #[inline]
    pub(crate) fn of_task(_waker: &Waker) -> Option<Self> {
        None
    }

    #[inline]
    pub(crate) fn will_wake(&self, waker: &Waker) -> bool {
        self.0.will_wake(waker)
    }

    #[inline]
    pub(crate) fn wake(self) {
        self.0.wake();
    }
}

#[inline]
pub(crate) fn note_wait(
    _resource: &Resource,
    _verb: &'static Verb,
    _at: &'static Location<'static>,
) {
}

#[inline]
pub(crate) fn note_unpolled(
    _resource: Option<&Resource>,
    _verb: &'static Verb,
    _at: &'static Location<'static>,
) {
}

#[inline]
pub(crate) fn note(_text: impl FnOnce() -> String) {}

/// Nothing is ever preempted.
#[inline]
pub(crate) fn is_preempted() -> bool {
    false
}

#[inline]
pub(crate) fn watches_holders() -> bool {
    false
}

#[inline]
pub(crate) fn publish(
    _key: &mut Option<HoldingKey>,
    _resource: &Resource,
    _tell: impl FnOnce(&mut Grants, bool) -> bool,
) {
}

/// What a task does that sleeps.
pub(crate) static SLEEP: Verb = Verb::new("sleep", Access::Read);
