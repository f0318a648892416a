//! All tasks of a run, found by index and generation.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;

use rand_chacha::ChaCha8Rng;

use super::cell::TaskCell;
use super::cleanup::Cleanups;
use super::core::ROOT;
use super::domain::DomainId;
use super::id::{GENERATION_MASK, TaskId};
use super::resource::{Operation, ResourceInfo, Verb};
use super::waker::WakeTarget;
use crate::kernel::{StreamId, hash_text};

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

/// A name given at spawn.
#[derive(Clone, Debug)]
pub(crate) enum TaskName {
    /// None; the report says `task#3`.
    Unnamed,
    /// A literal.
    Static(&'static str),
    /// Made at run time.
    Shared(Rc<str>),
}

impl TaskName {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Unnamed => "task",
            Self::Static(name) => name,
            Self::Shared(name) => name,
        }
    }
}

impl From<&'static str> for TaskName {
    fn from(name: &'static str) -> Self {
        Self::Static(name)
    }
}

impl From<String> for TaskName {
    fn from(name: String) -> Self {
        Self::Shared(name.into())
    }
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

/// What handles and reports ask for.
pub(super) struct Details {
    pub(super) joiner: Option<WakeTarget>,
    pub(super) parent_path: Option<Rc<str>>,
    pub(super) name: TaskName,
    pub(super) ordinal: u32,
    pub(super) spawned_at: &'static Location<'static>,
    pub(super) cold: Option<Box<Cold>>,
}

/// What a task waits for, for stall reports.
#[derive(Clone, Copy)]
pub(super) struct WaitNote {
    pub(super) subject: WaitSubject,
    pub(super) at: Option<&'static Location<'static>>,
}

#[derive(Clone, Copy)]
pub(super) enum WaitSubject {
    /// With its number.
    Resource(ResourceInfo, u64, &'static Verb),
    Task(TaskId),
    /// Until this reading of its own clock, in nanoseconds.
    Timer(u64),
    OtherTasks,
    /// The task has to wait for this cleanup of its own.
    Cleanup(TaskId),
}

/// How many children of each name there were, by the hash of the name.
#[derive(Debug, Default)]
pub(super) struct ChildCounts(BTreeMap<u64, u32>);

impl ChildCounts {
    /// Returns how many there were of this name, and counts one more.
    pub(super) fn next(&mut self, name: &TaskName) -> u32 {
        let count = self.0.entry(hash_text(name.as_str())).or_default();
        *count += 1;
        *count - 1
    }
}

/// What few tasks need.
#[derive(Default)]
pub(super) struct Cold {
    pub(super) path: Option<Rc<str>>,
    pub(super) named_children: ChildCounts,
    pub(super) resources_made: u64,
    /// How often each site was asked without an ordinal of the caller's.
    pub(super) site_ordinals: Vec<(u32, u64)>,
    pub(super) rng: Option<ChaCha8Rng>,
    pub(super) payload: Option<Box<dyn Any + Send>>,
    pub(super) panic: Option<super::panic::PanicNote>,
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

    fn path(&self) -> String {
        let ordinal = match (&self.name, self.ordinal) {
            (TaskName::Unnamed, ordinal) => format!("#{ordinal}"),
            (_, 0) => String::new(),
            (_, ordinal) => format!("#{ordinal}"),
        };
        match &self.parent_path {
            Some(parent) if !parent.is_empty() => {
                format!("{parent}/{}{ordinal}", self.name.as_str())
            }
            _ => format!("{}{ordinal}", self.name.as_str()),
        }
    }
}

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
    free: Vec<u32>,
    live_count: usize,
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
        self.slots.push(slot);
        self.waits.push(WaitNote { subject: WaitSubject::OtherTasks, at: None });
        self.details.push(details);
        index
    }

    /// Frees a place. The caller has taken what must not be dropped while tasks are borrowed.
    pub(super) fn remove(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        assert!(slot.cell.is_none(), "a slot is freed without its future");
        slot.state = TaskState::Free;
        slot.generation = (slot.generation + 1) & GENERATION_MASK;
        let details = &mut self.details[index as usize];
        details.parent_path = None;
        details.cold = None;
        // The place of the program is not used again: it is how the program is told from others.
        if index != ROOT {
            self.free.push(index);
        }
        self.live_count -= 1;
    }

    /// Returns how many tasks have not been removed.
    pub(super) fn live_count(&self) -> usize {
        self.live_count
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

    /// Returns how many children of this name a task had, and counts one more.
    pub(super) fn next_child(&mut self, index: u32, name: &TaskName) -> u32 {
        // A task that is named `task` is counted with those that have no name: streams are of names.
        if name.as_str() == TaskName::Unnamed.as_str() {
            let slot = self.get_mut(index);
            let ordinal = slot.unnamed_children;
            slot.unnamed_children += 1;
            return ordinal;
        }
        self.details_mut(index).cold().named_children.next(name)
    }

    /// Returns the indices of all tasks that exist, in order of their places.
    pub(super) fn indices(&self) -> impl Iterator<Item = u32> + '_ {
        (0..)
            .zip(&self.slots)
            .filter(|(_, slot)| slot.state != TaskState::Free)
            .map(|(index, _)| index)
    }
}
