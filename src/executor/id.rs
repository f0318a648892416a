//! Names of tasks within a process.

use std::fmt;
use std::num::NonZeroU64;

/// A task: number of the run (16 bits), generation (24), index in the table (24).
///
/// The generation tells a task from later ones in the same place of the table. After 16,777,216
/// tasks in one place it repeats; a stale wake is then a spurious one, which every future allows.
/// Runs are numbered from 1, so it is never 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TaskId(NonZeroU64);

impl TaskId {
    pub(super) fn new(run: u16, generation: u32, index: u32) -> Self {
        assert!(index <= INDEX_MAX, "task index {index} needs more than 24 bits");
        let bits = (u64::from(run) << 48)
            | (u64::from(generation & GENERATION_MASK) << 24)
            | u64::from(index);
        Self(NonZeroU64::new(bits).expect("runs are numbered from 1"))
    }

    /// Returns the task that has these bits; none has 0.
    #[inline]
    pub(super) fn from_bits(bits: u64) -> Option<Self> {
        NonZeroU64::new(bits).map(Self)
    }

    pub(super) const fn to_bits(self) -> u64 {
        self.0.get()
    }

    pub(crate) const fn run(self) -> u16 {
        (self.to_bits() >> 48) as u16
    }

    #[expect(clippy::cast_possible_truncation, reason = "the fields have these widths")]
    pub(super) const fn generation(self) -> u32 {
        (self.to_bits() >> 24) as u32 & GENERATION_MASK
    }

    #[expect(clippy::cast_possible_truncation, reason = "the fields have these widths")]
    pub(super) const fn index(self) -> u32 {
        self.to_bits() as u32 & INDEX_MAX
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TaskId({}.{})", self.index(), self.generation())
    }
}

pub(super) const GENERATION_MASK: u32 = (1 << 24) - 1;

/// Greatest index; the most tasks that one run can have at a time is one more.
pub(super) const INDEX_MAX: u32 = (1 << 24) - 1;
