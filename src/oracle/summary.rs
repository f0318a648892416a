//! What all runs of a check have counted together.

use std::collections::BTreeMap;

use super::compare::{Guidance, improve};
use super::details::Details;
use super::property::{Property, PropertyKind};
use super::tally::{Kept, PropertyCount};
use crate::kernel::Seed;

/// How often a property was evaluated over the seeds of a check.
#[derive(Clone, Debug)]
pub struct PropertySummary {
    property: &'static Property,
    held: u64,
    failed: u64,
    seeds: u64,
    seeds_held: u64,
    seeds_failed: u64,
    first_held: Option<Example>,
    first_failed: Option<Example>,
    pub(crate) guidance: Option<Guidance>,
}

/// One evaluation of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Example {
    /// The seed in which it was.
    pub seed: Seed,
    /// What the program says of it; none unless the check kept details.
    pub details: Option<Details>,
}

impl PropertySummary {
    fn of(property: &'static Property) -> Self {
        Self {
            property,
            held: 0,
            failed: 0,
            seeds: 0,
            seeds_held: 0,
            seeds_failed: 0,
            first_held: None,
            first_failed: None,
            guidance: None,
        }
    }

    /// Returns the property; of several with one message, the first by file and line.
    #[must_use]
    pub fn property(&self) -> &'static Property {
        self.property
    }

    /// Returns how often its condition was true.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held
    }

    /// Returns how often its condition was false.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Returns in how many seeds it was evaluated.
    #[must_use]
    pub fn seeds(&self) -> u64 {
        self.seeds
    }

    /// Returns in how many seeds its condition was true once or more.
    #[must_use]
    pub fn seeds_held(&self) -> u64 {
        self.seeds_held
    }

    /// Returns in how many seeds its condition was false once or more.
    #[must_use]
    pub fn seeds_failed(&self) -> u64 {
        self.seeds_failed
    }

    /// Returns the first seed in which its condition was true.
    #[must_use]
    pub fn first_held(&self) -> Option<&Example> {
        self.first_held.as_ref()
    }

    /// Returns the first seed in which its condition was false.
    #[must_use]
    pub fn first_failed(&self) -> Option<&Example> {
        self.first_failed.as_ref()
    }

    /// Tells whether it asks for something that no seed has shown: a condition that was never true, or a
    /// place that was never come to.
    #[must_use]
    pub fn is_unmet(&self) -> bool {
        let kind = self.property.kind();
        // An `always!` that was false has failed a run, which says more.
        kind.must_be_hit() && self.held == 0 && (self.failed == 0 || !kind.fails_at_once())
    }

    /// Adds what one more seed has counted.
    fn add(&mut self, seed: Seed, count: PropertyCount) {
        let PropertyCount { property, held, failed, kept } = count;
        if property.order() < self.property.order() {
            self.property = property;
        }
        let Kept { first_held, first_failed, guidance } =
            kept.map_or_else(Kept::default, |kept| *kept);
        self.seeds += 1;
        self.held += held;
        self.failed += failed;
        if held > 0 {
            self.seeds_held += 1;
            self.first_held.get_or_insert(Example { seed, details: first_held });
        }
        if failed > 0 {
            self.seeds_failed += 1;
            self.first_failed.get_or_insert(Example { seed, details: first_failed });
        }
        if let Some(guidance) = guidance {
            improve(&mut self.guidance, guidance, property.aim());
        }
    }
}

/// The properties of a check, as its seeds are counted in their order.
#[derive(Debug, Default)]
pub(crate) struct Summaries {
    by_key: BTreeMap<(&'static str, PropertyKind), PropertySummary>,
}

impl Summaries {
    /// Adds what a seed has counted.
    pub(crate) fn add(&mut self, seed: Seed, counts: Vec<PropertyCount>) {
        for count in counts {
            let property = count.property;
            let summary = self.by_key.entry(property.key());
            summary.or_insert_with(|| PropertySummary::of(property)).add(seed, count);
        }
    }

    /// Adds a property that is asked for, whether or not a seed has come to it.
    pub(crate) fn expect(&mut self, property: &'static Property) {
        self.by_key.entry(property.key()).or_insert_with(|| PropertySummary::of(property));
    }

    /// Returns all, in the order of files and lines.
    pub(crate) fn into_list(self) -> Vec<PropertySummary> {
        let mut list: Vec<PropertySummary> = self.by_key.into_values().collect();
        list.sort_by_key(|summary| summary.property.order());
        list
    }
}
