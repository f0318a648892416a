//! What a supervisor says of its children.

use super::policy::ChildKind;
use crate::actor::AnyRef;

/// A child, as its supervisor sees it at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChildInfo {
    /// Its name under the supervisor.
    pub name: String,
    /// The same for all its incarnations.
    pub reference: AnyRef,
    /// Whether it is a supervisor.
    pub kind: ChildKind,
    /// What it does.
    pub status: ChildStatus,
    /// How often it was restarted, by itself or with its siblings.
    pub restarts: u64,
}

/// What a child does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChildStatus {
    /// It is not there: it has ended and is not started again, or it was stopped by hand.
    Down,
    /// It waits to be started: for its back-off, or for siblings.
    Waiting,
    /// It is in its `start`.
    Starting,
    /// It runs.
    Running,
    /// It was told to stop and is still there.
    Stopping,
}

/// How many children a supervisor has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChildCounts {
    /// All that it knows of.
    pub specs: usize,
    /// Those that run, or were told to stop and are still there.
    pub active: usize,
    /// Those that start, or wait to be started.
    pub restarting: usize,
    /// Those that are supervisors, running or not.
    pub supervisors: usize,
    /// Those that are not.
    pub workers: usize,
}
