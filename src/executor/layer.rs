//! What hangs under a run: a simulated world, which the executor knows by this alone.
//!
//! A layer is attached when the program first asks for it, so that a run without one pays nothing. It
//! sets events among the timers of the tasks and is called back when they are due, once an instant,
//! while nothing of the executor is borrowed.

use std::fmt;

use super::Executor;
use crate::kernel::{Event, Site};

/// What is called back when its events are due. One per run.
pub(crate) trait Layer: fmt::Debug {
    /// Handles all events of one instant, in the order in which they were set. Tasks that are woken at
    /// that instant have been woken, and none has run since.
    fn fire(&self, executor: &Executor, events: &[EventId]);

    /// Returns the name of a resource of its own, for reports: `c1:40001->r0:80`. It may be called
    /// while the executor is borrowed, so it must not call that.
    fn name_of(&self, resource: u64) -> Option<String>;

    /// Returns how reports tell what it draws and does.
    fn phrases(&self) -> &'static [&'static Phrases];

    /// Lets go of all it has. The program has ended and all its tasks are gone, and it is still inside
    /// of the run.
    fn end(&self) -> Vec<Attachment>;
}

/// What a layer wants to be told of again, in 64 bits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventId(pub(crate) u64);

/// Whether an event may still change something for the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It may: the run waits for it.
    Foreground,
    /// It cannot: a run in which only such events are left is a deadlock.
    Background,
}

/// How reports tell what a layer draws and does.
#[derive(Debug)]
pub(crate) struct Phrases {
    /// What is drawn, by site.
    pub(crate) draws: &'static [Phrase],
    /// Says in words what an event of the layer's is, after the name of its object; none for one of
    /// others.
    pub(crate) event: fn(&Event) -> Option<String>,
}

/// How a report tells what was drawn at one site.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phrase {
    pub(crate) site: Site,
    /// Says it of the thing with this number, after the name of its object: `packet 17 is lost`.
    pub(crate) text: fn(ordinal: u64, value: u64) -> String,
}

/// Something that a run leaves behind, such as what went over its network.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attachment {
    /// Name of the file that it would be: `capture.pcapng`.
    pub name: &'static str,
    /// What would be in it.
    pub bytes: Vec<u8>,
}

impl Attachment {
    /// Makes one.
    pub(crate) fn new(name: &'static str, bytes: Vec<u8>) -> Self {
        Self { name, bytes }
    }
}
