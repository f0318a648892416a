//! What tasks operate on and wait for, with an identity that is the same in every run of a world.

use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Executor;
use crate::context;

/// Identity of a lock, queue, event or cell, for points, reports and strategies.
///
/// Its number is a hash of the task that made it and how many that task had made before; what was
/// made outside of the run (a static) gets one when it is first used in it.
#[derive(Debug)]
pub(crate) struct Resource {
    /// Run (16 bits) and number (48), or 0 when it has none yet.
    identity: AtomicU64,
    kind: &'static str,
    name: Option<&'static str>,
    made_at: &'static Location<'static>,
}

impl Resource {
    /// Makes the identity of something of this kind ("Mutex"), made at the caller's caller.
    #[track_caller]
    pub(crate) fn new(kind: &'static str) -> Self {
        let identity = context::with(Executor::next_resource).unwrap_or(NONE);
        Self { identity: identity.into(), kind, name: None, made_at: Location::caller() }
    }

    /// Gives it a name for reports.
    pub(crate) fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// Returns what a report says of it.
    pub(crate) fn about(&self) -> ResourceInfo {
        ResourceInfo { kind: self.kind, name: self.name, made_at: Some(self.made_at) }
    }

    /// Returns its number in the run of this executor.
    #[inline]
    pub(super) fn number(&self, run: u16, next: impl FnOnce() -> u64) -> u64 {
        // Relaxed: the number is read back only by the thread of the run that wrote it.
        let identity = self.identity.load(Ordering::Relaxed);
        if identity >> 48 == u64::from(run) {
            return identity & NUMBER_MASK;
        }
        let identity = next();
        self.identity.store(identity, Ordering::Relaxed);
        identity & NUMBER_MASK
    }
}

/// Joins a run and a number into an identity.
pub(super) fn identity(run: u16, number: u64) -> u64 {
    (u64::from(run) << 48) | (number & NUMBER_MASK)
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

/// What a task does to a resource at a point.
#[derive(Debug, PartialEq, Eq)]
pub struct Verb {
    /// Name as reports print it: `lock`, `get`.
    pub name: &'static str,
    /// Whether two of them on one resource commute.
    pub access: Access,
    /// A number for the hash chain, unlike those of other verbs.
    pub(crate) number: u64,
}

impl Verb {
    /// Makes a verb.
    pub(crate) const fn new(name: &'static str, access: Access) -> Self {
        Self { name, access, number: crate::kernel::hash_text(name) }
    }
}

/// Whether an operation changes what it operates on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Two reads in either order give the same.
    Read,
    /// The order matters.
    Write,
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
    /// The first step of a task, before any operation.
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

const NONE: u64 = 0;
const NUMBER_MASK: u64 = (1 << 48) - 1;
