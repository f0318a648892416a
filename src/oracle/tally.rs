//! What one run has counted.

use std::cell::RefCell;

use super::compare::Guidance;
use super::details::Details;
use super::property::Property;
use crate::context;

/// The counts of a run, by the number of the property.
#[derive(Debug)]
pub(crate) struct Tally {
    counts: RefCell<Vec<Count>>,
    /// Whether the details of first evaluations and the best numbers are kept.
    is_keeping: bool,
}

context::slot!(Tally, Simulation);

#[derive(Debug, Default)]
struct Count {
    property: Option<&'static Property>,
    held: u64,
    failed: u64,
    kept: Option<Box<Kept>>,
}

/// What is kept beside the counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Kept {
    pub(crate) first_held: Option<Details>,
    pub(crate) first_failed: Option<Details>,
    pub(crate) guidance: Option<Guidance>,
}

/// How often a property was evaluated in one run.
#[derive(Clone, Debug)]
pub struct PropertyCount {
    pub(super) property: &'static Property,
    pub(super) held: u64,
    pub(super) failed: u64,
    pub(super) kept: Option<Box<Kept>>,
}

impl PropertyCount {
    /// Makes the count of a run in another process.
    #[cfg(target_os = "linux")]
    pub(crate) fn new(
        property: &'static Property,
        (held, failed): (u64, u64),
        kept: Option<Kept>,
    ) -> Self {
        Self { property, held, failed, kept: kept.map(Box::new) }
    }

    /// Returns what is kept beside the counts.
    #[cfg(target_os = "linux")]
    pub(crate) fn kept(&self) -> Option<&Kept> {
        self.kept.as_deref()
    }

    /// Returns the property.
    #[must_use]
    pub fn property(&self) -> &'static Property {
        self.property
    }

    /// Returns how often its condition was true; for [`reachable!`](crate::reachable!), how often it was
    /// come to.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held
    }

    /// Returns how often its condition was false; for [`unreachable!`](crate::unreachable!), how often it
    /// was come to.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed
    }
}

impl Tally {
    pub(crate) fn new(is_keeping: bool) -> Self {
        Self { counts: RefCell::default(), is_keeping }
    }

    /// Counts an evaluation; true when somebody wants to know its details.
    #[inline]
    pub(super) fn count(&self, property: &'static Property, condition: bool) -> bool {
        let mut counts = self.counts.borrow_mut();
        let index = property.index();
        if index >= counts.len() {
            grow(&mut counts, index);
        }
        let count = &mut counts[index];
        count.property = Some(property);
        let tried = if condition { &mut count.held } else { &mut count.failed };
        *tried += 1;
        self.is_keeping && *tried == 1
    }

    /// Keeps the details of an evaluation.
    pub(super) fn keep(&self, property: &'static Property, condition: bool, details: Details) {
        let mut counts = self.counts.borrow_mut();
        let kept = counts[property.index()].kept.get_or_insert_default();
        let place = if condition { &mut kept.first_held } else { &mut kept.first_failed };
        place.get_or_insert(details);
    }

    /// Keeps what a property compared, if it is nearer to its aim than all before.
    pub(super) fn guide(&self, property: &'static Property, guidance: impl FnOnce() -> Guidance) {
        if !self.is_keeping {
            return;
        }
        let mut counts = self.counts.borrow_mut();
        let kept = counts[property.index()].kept.get_or_insert_default();
        super::compare::improve(&mut kept.guidance, guidance(), property.aim());
    }

    /// Takes the counts out, in the order of files and lines; several places with one message are one
    /// property.
    pub(crate) fn take_counts(&self) -> Vec<PropertyCount> {
        let counts = std::mem::take(&mut *self.counts.borrow_mut());
        let of = |count: Count| {
            let Count { property, held, failed, kept } = count;
            property.map(|property| PropertyCount { property, held, failed, kept })
        };
        let mut counts: Vec<PropertyCount> = counts.into_iter().filter_map(of).collect();
        counts.sort_by_key(|count| count.property.order());
        let mut merged: Vec<PropertyCount> = Vec::with_capacity(counts.len());
        for count in counts {
            let is_it = |other: &&mut PropertyCount| other.property.is_same(count.property);
            match merged.iter_mut().find(is_it) {
                Some(same) => same.merge(count),
                None => merged.push(count),
            }
        }
        merged
    }
}

impl PropertyCount {
    fn merge(&mut self, other: Self) {
        self.held += other.held;
        self.failed += other.failed;
        let Some(other) = other.kept else { return };
        let aim = self.property.aim();
        let kept = self.kept.get_or_insert_default();
        kept.first_held = kept.first_held.take().or(other.first_held);
        kept.first_failed = kept.first_failed.take().or(other.first_failed);
        if let Some(guidance) = other.guidance {
            super::compare::improve(&mut kept.guidance, guidance, aim);
        }
    }
}

#[cold]
fn grow(counts: &mut Vec<Count>, index: usize) {
    counts.resize_with(index + 1, Count::default);
}
