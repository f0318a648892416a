//! What tasks wait for, as stall reports tell it.

use std::collections::BTreeMap;
use std::panic::Location;
use std::ptr;

use super::id::TaskId;
use super::resource::{Resource, ResourceInfo};
use crate::kernel::Verb;

/// What a task waits for, in 24 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct WaitNote {
    pub(super) subject: WaitSubject,
    pub(super) at: Option<&'static Location<'static>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum WaitSubject {
    /// The number of the resource, and how it is used.
    Resource {
        number: u64,
        used: UseId,
    },
    Task(TaskId),
    /// Until this reading of its own clock, in nanoseconds.
    Timer(u64),
    OtherTasks,
    /// The task has to wait for this cleanup of its own.
    Cleanup(TaskId),
}

/// A way to use a resource that somebody has waited with: what reports say of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use {
    pub(super) resource: ResourceInfo,
    pub(super) verb: &'static Verb,
}

impl Use {
    /// Tells whether it is such a use of a resource of the same number, so of the same kind and place;
    /// of two names that read alike, it may say no.
    #[inline]
    pub(super) fn is_of(&self, resource: &Resource, verb: &'static Verb) -> bool {
        let (name, other) = (self.resource.name.unwrap_or_default(), resource.name());
        ptr::eq(self.verb, verb) && ptr::eq(name, other.unwrap_or_default())
    }

    /// Where its parts are. Numbers for comparison, which enter nothing.
    fn place(&self) -> UsePlace {
        let Self { resource: ResourceInfo { kind, name, made_at }, verb } = self;
        let name = name.unwrap_or_default();
        (
            made_at.map_or(ptr::null(), ptr::from_ref).addr(),
            ptr::from_ref(*verb).addr(),
            name.as_ptr().addr(),
            name.len(),
            kind.as_ptr().addr(),
        )
    }
}

type UsePlace = (usize, usize, usize, usize, usize);

/// Names a [`Use`] of the run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UseId(u32);

/// All ways to use a resource that somebody has waited with, each once. Their parts are literals of
/// the program, so there are not many.
#[derive(Debug, Default)]
pub(super) struct Uses {
    list: Vec<Use>,
    /// Where in the list they are. Looked up in only, never walked: addresses differ between runs.
    places: BTreeMap<UsePlace, UseId>,
}

impl Uses {
    #[inline]
    pub(super) fn get(&self, id: UseId) -> &Use {
        &self.list[id.0 as usize]
    }

    /// Returns the name of a use; `last` is the one that was asked for last.
    #[inline(never)]
    pub(super) fn id(
        &mut self,
        resource: &Resource,
        verb: &'static Verb,
        last: &mut UseId,
    ) -> UseId {
        let wanted = Use { resource: resource.about(), verb };
        // Often it is what the last one waited with.
        if self.list.get(last.0 as usize).is_some_and(|last| last.place() == wanted.place()) {
            return *last;
        }
        *last = *self.places.entry(wanted.place()).or_insert_with(|| {
            self.list.push(wanted);
            UseId(u32::try_from(self.list.len() - 1).expect("fewer than 4 billion literals"))
        });
        *last
    }
}
