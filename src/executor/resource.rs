//! What tasks operate on and wait for, with an identity that is the same in every run of a world.

use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Executor;
use super::core::Core;
use crate::context;
use crate::kernel::{Access, StreamId, Verb, fold};

/// Identity of a lock, queue, event or cell, for points, reports and strategies.
///
/// Its number is a hash of the task that made it and how many that task had made before. What was
/// made outside of the run (a static) gets one of the task that is the first to use it there, and
/// keeps it for that run; so other runs that use it at the same time change nothing in this one.
#[derive(Debug)]
pub(crate) struct Resource {
    /// Serial number of the run that made it, or `NO_RUN`.
    made_in: u64,
    /// Its number in that run; made outside of a run, one that no other resource has.
    made_as: u64,
    kind: &'static str,
    name: Option<&'static str>,
    made_at: &'static Location<'static>,
}

impl Resource {
    /// Makes the identity of something of this kind ("Mutex"), made at the caller's caller.
    #[track_caller]
    pub(crate) fn new(kind: &'static str) -> Self {
        let made = context::with(Executor::next_resource);
        let outside = || (NO_RUN, MADE_OUTSIDE.fetch_add(1, Ordering::Relaxed));
        let (made_in, made_as) = made.unwrap_or_else(outside);
        Self { made_in, made_as, kind, name: None, made_at: Location::caller() }
    }

    /// Makes an identity again that was taken apart to be kept in fewer bytes.
    pub(crate) fn rebuilt(
        serial: u64,
        number: u64,
        kind: &'static str,
        made_at: &'static Location<'static>,
    ) -> Self {
        Self { made_in: serial, made_as: number, kind, name: None, made_at }
    }

    /// Gives it a name for reports.
    pub(crate) fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// Returns the name that it was given.
    #[inline]
    pub(super) fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// Returns what a report says of it.
    pub(crate) fn about(&self) -> ResourceInfo {
        ResourceInfo { kind: self.kind, name: self.name, made_at: Some(self.made_at) }
    }
}

impl Core {
    /// Returns the number of a resource in this run.
    #[inline]
    pub(super) fn number_of(&mut self, resource: &Resource) -> u64 {
        match self.own_number_of(resource) {
            Some(number) => number,
            None => self.number_of_outsider((resource.made_in, resource.made_as)),
        }
    }

    /// Returns the number of a resource that was made in this run.
    #[inline]
    pub(super) fn own_number_of(&self, resource: &Resource) -> Option<u64> {
        (resource.made_in == self.serial).then_some(resource.made_as)
    }

    /// Returns the number of a resource, if it has one in this run.
    pub(super) fn known_number_of(&self, resource: &Resource) -> Option<u64> {
        let of_outsider =
            || self.seldom.as_ref()?.outsiders.get(&(resource.made_in, resource.made_as)).copied();
        self.own_number_of(resource).or_else(of_outsider)
    }

    #[cold]
    fn number_of_outsider(&mut self, made: (u64, u64)) -> u64 {
        if let Some(number) = self.seldom.as_ref().and_then(|seldom| seldom.outsiders.get(&made)) {
            return *number;
        }
        let number = self.next_resource();
        self.seldom.get_or_insert_default().outsiders.insert(made, number);
        number
    }

    /// Returns the number of the next resource of the running task.
    pub(super) fn next_resource(&mut self) -> u64 {
        let (maker, ordinal) = match self.running {
            Some(index) => {
                let stream = self.tasks.get(index).stream;
                (stream, &mut self.tasks.details_mut(index).cold().resources_made)
            }
            None => (StreamId::ROOT, &mut self.resources_of_nobody),
        };
        *ordinal += 1;
        fold(maker.get() ^ WORDS[0], (*ordinal - 1) ^ WORDS[1]) & NUMBER_MASK
    }
}

/// What a report says of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceInfo {
    /// Kind: `Mutex`, `Queue`.
    pub kind: &'static str,
    /// Name given by the user.
    pub name: Option<&'static str>,
    /// Where it was made.
    pub made_at: Option<&'static Location<'static>>,
}

/// The next operation of a candidate: which resource, how.
///
/// Two operations *race* when they are on one resource and one of them writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Number of the resource, the same in every run of a world; 0 is none.
    pub resource: u64,
    /// What it does to it.
    pub verb: &'static Verb,
}

impl Operation {
    /// None that is known: the first step of a task, or one after it yielded or slept.
    pub const START: Self = Self { resource: 0, verb: &START };

    /// Tells whether the order of the two can matter.
    #[must_use]
    pub fn races_with(self, other: Self) -> bool {
        self.resource != 0
            && self.resource == other.resource
            && (self.verb.access == Access::Write || other.verb.access == Access::Write)
    }
}

static START: Verb = Verb::new("start", Access::Read);

/// Serial numbers of runs begin at 1.
const NO_RUN: u64 = 0;

// Visible to nobody: it only tells resources apart, and none of it enters a run.
static MADE_OUTSIDE: AtomicU64 = AtomicU64::new(0);

const NUMBER_MASK: u64 = (1 << 48) - 1;
const WORDS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03];
