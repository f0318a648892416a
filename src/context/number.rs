//! Numbers of the places in a program that a layer keeps something for in each run.
//!
//! A place is a static that a macro makes. Its number says where in a table of the run its state is, so
//! that nothing is looked up by name. Which number it is depends on what was run before in this process,
//! and reaches no run: tables are read in the order of names and lines.

use std::sync::atomic::{AtomicU32, Ordering};

/// Where the numbers of one kind of places come from.
#[derive(Debug)]
pub(crate) struct Numbers(AtomicU32);

impl Numbers {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(1))
    }
}

/// The number of one place, given at its first use.
#[derive(Debug)]
pub(crate) struct Numbered(AtomicU32);

impl Numbered {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Returns the number, from 0.
    #[inline]
    pub(crate) fn index(&self, numbers: &Numbers) -> usize {
        let number = match self.0.load(Ordering::Relaxed) {
            0 => self.assign(numbers),
            number => number,
        };
        number as usize - 1
    }

    #[cold]
    fn assign(&self, numbers: &Numbers) -> u32 {
        let number = numbers.0.fetch_add(1, Ordering::Relaxed);
        assert!(number != 0, "no program has so many places");
        // Another thread may have been first; then this number is nobody's.
        let assigned = self.0.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed);
        assigned.map_or_else(|other| other, |_| number)
    }
}
