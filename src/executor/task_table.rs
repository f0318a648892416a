//! All tasks of a run, found by index and generation.

use std::any::Any;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;

use rand_chacha::ChaCha8Rng;

use super::cell::TaskCell;
use super::cleanup::Cleanups;
use super::core::ROOT;
use super::domain::DomainId;
use super::id::{GENERATION_MASK, TaskId};
use super::kin::{Children, Kin, TaskName, kept_kin};
use super::resource::{Operation, Resource};
use super::wait_note::{Use, UseId, Uses, WaitNote, WaitSubject};
use super::waker::WakeTarget;
use crate::ending::PanicNote;
use crate::kernel::StreamId;

/// Life of a task.
///
/// ```text
/// free -> ready <-> running -> (closing ->) done -> free     (done until its handle has let go)
///           ^          |
///           +- blocked <+            held: ready, but its domain is paused or busy
///                                    closing: waits for its cleanups
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TaskState {
    Free,
    Ready,
    Held,
    Running,
    Blocked,
    Closing,
    Done,
}

/// Who takes the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ownership {
    /// A handle exists.
    Attached,
    /// The handle let go; the task must end before the program does.
    Detached,
    /// The handle let go and the task may outlive the program.
    Background,
    /// There never was a handle: a destructor left it behind.
    Cleanup,
}

/// What every step of a task touches, in 64 bytes.
pub(super) struct Slot {
    pub(super) cell: Option<Pin<Box<dyn TaskCell>>>,
    pub(super) stream: StreamId,
    /// Points and polls so far: the ordinal of its next decision.
    pub(super) steps: u64,
    /// What it does next, or waits for.
    pub(super) operation: Operation,
    pub(super) generation: u32,
    pub(super) unnamed_children: u32,
    pub(super) domain: DomainId,
    pub(super) state: TaskState,
    pub(super) ownership: Ownership,
    pub(super) is_cancelled: bool,
    /// Whether its place among the waits says what it waits for.
    pub(super) is_waiting: bool,
}

/// What handles and reports ask for, in 48 bytes.
pub(super) struct Details {
    pub(super) joiner: Option<WakeTarget>,
    /// None for the program itself.
    pub(super) kin: Option<Rc<Kin>>,
    pub(super) spawned_at: &'static Location<'static>,
    pub(super) cold: Option<Box<Cold>>,
    pub(super) ordinal: u32,
}

/// What few tasks need.
#[derive(Default)]
pub(super) struct Cold {
    pub(super) path: Option<Rc<str>>,
    pub(super) named_children: Children,
    pub(super) unnamed_kin: Option<Rc<Kin>>,
    pub(super) resources_made: u64,
    /// How often each site was asked without an ordinal of the caller's.
    pub(super) site_ordinals: Vec<(u32, u64)>,
    pub(super) rng: Option<ChaCha8Rng>,
    pub(super) payload: Option<Box<dyn Any + Send>>,
    pub(super) panic: Option<PanicNote>,
    pub(super) span: Option<tracing::Span>,
    pub(super) cleanups: Option<Box<Cleanups>>,
    /// Context variables, of a type that the layer above knows.
    pub(super) variables: Option<Rc<dyn Any>>,
    /// Whose cleanup this task is.
    pub(super) cleanup_of: Option<TaskId>,
}

impl Slot {
    /// Makes the slot of a task that has a handle and has taken no step.
    pub(super) fn new(
        state: TaskState,
        cell: Option<Pin<Box<dyn TaskCell>>>,
        stream: StreamId,
        domain: DomainId,
    ) -> Self {
        Self {
            cell,
            stream,
            steps: 0,
            operation: Operation::START,
            generation: 0,
            unnamed_children: 0,
            domain,
            state,
            ownership: Ownership::Attached,
            is_cancelled: false,
            is_waiting: false,
        }
    }
}

impl Details {
    pub(super) fn cold(&mut self) -> &mut Cold {
        self.cold.get_or_insert_default()
    }

    /// Returns the name that the task was given.
    pub(super) fn name(&self) -> &TaskName {
        self.kin.as_ref().map_or(&PROGRAM, |kin| &kin.name)
    }

    fn path(&self) -> String {
        match &self.kin {
            Some(kin) => kin.path(self.ordinal),
            None => PROGRAM.as_str().to_owned(),
        }
    }
}

/// Name of the task that runs the program.
pub(super) const PROGRAM: TaskName = TaskName::Static("main");

/// Returns how often a site was counted, and counts once more.
pub(super) fn count_up(counters: &mut Vec<(u32, u64)>, site: u32) -> u64 {
    match counters.iter_mut().find(|(counted, _)| *counted == site) {
        Some((_, count)) => {
            *count += 1;
            *count - 1
        }
        None => {
            counters.push((site, 1));
            0
        }
    }
}

/// Tasks by place. What is touched together lies together: `slots` at every step, `waits` when a
/// task pends, `details` at its two ends.
#[derive(Default)]
pub(super) struct TaskTable {
    slots: Vec<Slot>,
    waits: Vec<WaitNote>,
    details: Vec<Details>,
    uses: Uses,
    free: Vec<u32>,
    live_count: u32,
    /// The use that was waited with last.
    last_use: UseId,
}

/// Adds an entry to a table. Large ones grow by an eighth: doubling would leave up to half of them
/// empty, and moving one is cheap, because an allocator moves pages of large blocks and not bytes.
pub(super) fn push<T>(table: &mut Vec<T>, entry: T) {
    if table.len() == table.capacity() && table.len() >= LARGE_TABLE {
        table.reserve_exact(table.len() / 8);
    }
    table.push(entry);
}

impl TaskTable {
    /// Puts a task into a free place and returns its index.
    pub(super) fn insert(&mut self, mut slot: Slot, details: Details) -> u32 {
        self.live_count += 1;
        if let Some(index) = self.free.pop() {
            let place = index as usize;
            slot.generation = self.slots[place].generation;
            self.slots[place] = slot;
            self.details[place] = details;
            return index;
        }
        let index = u32::try_from(self.slots.len()).expect("the task limit is below 2^24");
        push(&mut self.slots, slot);
        push(&mut self.waits, WaitNote { subject: WaitSubject::OtherTasks, at: None });
        push(&mut self.details, details);
        index
    }

    /// Frees a place. The caller has taken the future and who joins it; what is returned is to be
    /// dropped when tasks are not borrowed any more: values of context variables, a tracing span.
    #[must_use = "it is dropped unborrowed: it holds values of the user's"]
    pub(super) fn remove(&mut self, index: u32) -> Option<Box<Cold>> {
        let slot = &mut self.slots[index as usize];
        assert!(slot.cell.is_none(), "a slot is freed without its future");
        slot.state = TaskState::Free;
        slot.generation = (slot.generation + 1) & GENERATION_MASK;
        let details = &mut self.details[index as usize];
        details.kin = None;
        let cold = details.cold.take();
        // The place of the program is not used again: it is how the program is told from others.
        if index != ROOT {
            self.free.push(index);
        }
        self.live_count -= 1;
        cold
    }

    /// Returns how many tasks have not been removed.
    pub(super) fn live_count(&self) -> usize {
        self.live_count as usize
    }

    /// Returns how many places the table has; all indices are below.
    pub(super) fn place_count(&self) -> u32 {
        u32::try_from(self.slots.len()).expect("the task limit is below 2^24")
    }

    /// Returns the slot of a task that still exists.
    #[inline]
    pub(super) fn find(&mut self, task: TaskId) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(task.index() as usize)?;
        (slot.generation == task.generation() && slot.state != TaskState::Free).then_some(slot)
    }

    #[inline]
    pub(super) fn get(&self, index: u32) -> &Slot {
        &self.slots[index as usize]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, index: u32) -> &mut Slot {
        &mut self.slots[index as usize]
    }

    #[inline]
    pub(super) fn details(&self, index: u32) -> &Details {
        &self.details[index as usize]
    }

    #[inline]
    pub(super) fn details_mut(&mut self, index: u32) -> &mut Details {
        &mut self.details[index as usize]
    }

    /// Notes what a task is about to wait for.
    #[inline]
    pub(super) fn set_wait(
        &mut self,
        index: u32,
        subject: WaitSubject,
        at: impl Into<Option<&'static Location<'static>>>,
    ) {
        self.get_mut(index).is_waiting = true;
        self.waits[index as usize] = WaitNote { subject, at: at.into() };
    }

    /// Returns what a task waits for, if that was noted since its last poll began.
    pub(super) fn wait(&self, index: u32) -> Option<WaitNote> {
        self.get(index).is_waiting.then(|| self.waits[index as usize])
    }

    /// Returns whose cleanup a task is, if it is one; inside of that, none for nobody's.
    pub(super) fn cleanup_of(&self, index: u32) -> Option<Option<TaskId>> {
        let is_cleanup = self.get(index).ownership == Ownership::Cleanup;
        is_cleanup.then(|| self.details(index).cold.as_ref().and_then(|cold| cold.cleanup_of))
    }

    /// Returns the path of names that reports show: `worker#1/flush`.
    pub(super) fn path(&self, index: u32) -> String {
        self.details(index).path()
    }

    /// Counts one more child of this name. Returns how many there were, and what they have in common.
    pub(super) fn next_child(&mut self, index: u32, name: TaskName) -> (u32, Rc<Kin>) {
        let path = self.path_for_children(index);
        let details = &mut self.details[index as usize];
        // A task that is named `task` is counted with those that have no name: streams are of names.
        if name.as_str() == TaskName::Unnamed.as_str() {
            let slot = &mut self.slots[index as usize];
            let ordinal = slot.unnamed_children;
            slot.unnamed_children += 1;
            return (ordinal, kept_kin(&mut details.cold().unnamed_kin, name, path.as_ref()));
        }
        let namesakes = details.cold().named_children.of(&name);
        (namesakes.next(), namesakes.kin(name, path.as_ref()))
    }

    /// Returns the path that the children of a task begin with; none for the program.
    fn path_for_children(&mut self, index: u32) -> Option<Rc<str>> {
        let details = &mut self.details[index as usize];
        let known = details.cold.as_ref().and_then(|cold| cold.path.clone());
        if index == ROOT || known.is_some() {
            return known;
        }
        let path: Rc<str> = details.path().into();
        details.cold().path = Some(path.clone());
        Some(path)
    }

    /// Notes that a task is about to wait with an operation on this resource.
    #[inline]
    pub(super) fn set_wait_for(
        &mut self,
        index: u32,
        operation: Operation,
        resource: &Resource,
        at: &'static Location<'static>,
    ) {
        let note = &mut self.waits[index as usize];
        let number = operation.resource;
        // Most tasks wait for the same again and again.
        let used = match note.subject {
            WaitSubject::Resource { number: guessed, used }
                if guessed == number && self.uses.get(used).is_of(resource, operation.verb) =>
            {
                used
            }
            _ => self.uses.id(resource, operation.verb, &mut self.last_use),
        };
        *note = WaitNote { subject: WaitSubject::Resource { number, used }, at: Some(at) };
        let slot = &mut self.slots[index as usize];
        slot.operation = operation;
        slot.is_waiting = true;
    }

    /// Returns what reports say of what a task waits for.
    pub(super) fn use_of(&self, id: UseId) -> &Use {
        self.uses.get(id)
    }

    /// Returns the indices of all tasks that exist, in order of their places.
    pub(super) fn indices(&self) -> impl Iterator<Item = u32> + '_ {
        (0..)
            .zip(&self.slots)
            .filter(|(_, slot)| slot.state != TaskState::Free)
            .map(|(index, _)| index)
    }
}

/// Entries from which on a table is large.
const LARGE_TABLE: usize = 4096;
