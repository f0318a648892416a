//! What strategies know of a program before they explore it.

use std::collections::{BTreeMap, BTreeSet};

use super::draws::Draws;
use crate::executor::{Access, Candidate};
use crate::kernel::{Seed, StreamId};

/// How long the runs of a program are, and which task does how much with which resource: what pilot
/// runs of a check have shown.
///
/// It is a function of program and config, made by [`Check::profile`](crate::explore::Check::profile); see
/// [`Strategy`](super::Strategy) for what it is good for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The seeds of the pilots.
    pilots: Vec<Seed>,
    /// How many runs the numbers are sums of: not of pilots whose process ended first.
    run_count: u64,
    decision_count: u64,
    /// Who spawned a task.
    parents: BTreeMap<StreamId, StreamId>,
    /// How many operations, by resource and task.
    operations: BTreeMap<u64, BTreeMap<StreamId, u64>>,
    written: BTreeSet<u64>,
    /// How many pairs of resource and task there are.
    pair_count: usize,
}

impl Profile {
    /// Makes that of a run which is about to begin.
    pub(super) fn of_one_run(seed: Seed) -> Self {
        Self { pilots: vec![seed], run_count: 1, ..Self::default() }
    }

    /// Tells whether this is the seed of a pilot.
    pub(super) fn is_pilot(&self, seed: Seed) -> bool {
        self.pilots.contains(&seed)
    }

    /// Adds what other runs have shown.
    pub(in super::super) fn add(&mut self, other: &Self) {
        self.pilots.extend(&other.pilots);
        self.run_count += other.run_count;
        self.decision_count += other.decision_count;
        self.parents.extend(&other.parents);
        self.written.extend(&other.written);
        for (resource, tasks) in &other.operations {
            for (task, count) in tasks {
                self.count(*resource, *task, *count);
            }
        }
    }

    /// Adds a pilot that has shown nothing.
    pub(in super::super) fn add_pilot(&mut self, seed: Seed) {
        self.pilots.push(seed);
    }

    /// Returns it as numbers, for another process.
    #[cfg(target_os = "linux")]
    pub(in super::super) fn to_numbers(&self) -> Vec<u64> {
        let mut numbers = vec![self.decision_count, self.run_count, self.pilots.len() as u64];
        numbers.extend(self.pilots.iter().map(|seed| seed.get()));
        numbers.push(self.parents.len() as u64);
        numbers.extend(self.parents.iter().flat_map(|(child, parent)| [child.get(), parent.get()]));
        numbers.push(self.written.len() as u64);
        numbers.extend(&self.written);
        for (resource, tasks) in &self.operations {
            let counts = tasks.iter().map(|(task, count)| [*resource, task.get(), *count]);
            numbers.extend(counts.flatten());
        }
        numbers
    }

    /// Makes it from its numbers; none if they are not those of a profile.
    #[cfg(target_os = "linux")]
    pub(in super::super) fn of_numbers(numbers: &[u64]) -> Option<Self> {
        let mut rest = numbers.iter().copied();
        let (decision_count, run_count) = (rest.next()?, rest.next()?);
        let mut profile = Self { run_count, decision_count, ..Self::default() };
        for _ in 0..rest.next()? {
            profile.pilots.push(Seed::new(rest.next()?));
        }
        for _ in 0..rest.next()? {
            let (child, parent) = (rest.next()?, rest.next()?);
            profile.parents.insert(StreamId::from_bits(child), StreamId::from_bits(parent));
        }
        for _ in 0..rest.next()? {
            profile.written.insert(rest.next()?);
        }
        while let Some(resource) = rest.next() {
            let (task, count) = (StreamId::from_bits(rest.next()?), rest.next()?);
            profile.operations.entry(resource).or_default().insert(task, count);
            profile.pair_count += 1;
        }
        Some(profile)
    }

    pub(super) fn count_decision(&mut self) {
        self.decision_count += 1;
    }

    pub(super) fn count_task(&mut self, parent: StreamId, child: StreamId) {
        if self.parents.len() < KEPT_MAX {
            self.parents.insert(child, parent);
        }
    }

    pub(super) fn count_operation(&mut self, candidate: Candidate) {
        let Candidate { task, operation } = candidate;
        if operation.resource == 0 {
            return;
        }
        self.count(operation.resource, task, 1);
        if operation.verb.access == Access::Write
            && self.operations.contains_key(&operation.resource)
        {
            self.written.insert(operation.resource);
        }
    }

    fn count(&mut self, resource: u64, task: StreamId, count: u64) {
        let is_full = self.pair_count >= KEPT_MAX;
        let known = self.operations.get_mut(&resource).and_then(|tasks| tasks.get_mut(&task));
        match known {
            Some(known) => *known += count,
            None if is_full => {}
            None => {
                self.operations.entry(resource).or_default().insert(task, count);
                self.pair_count += 1;
            }
        }
    }

    /// Returns how many decisions a run has, rounded up; 0 if that is not known.
    pub(super) fn decisions(&self) -> u64 {
        self.decision_count.div_ceil(self.run_count())
    }

    /// Returns how many decisions to expect, at least 1; drawn where it is not known.
    pub(super) fn length(&self, draws: &mut Draws) -> u64 {
        if self.run_count == 0 {
            return LENGTH_MIN << draws.below(LENGTH_DOUBLINGS);
        }
        self.decisions().max(1)
    }

    /// Returns how many runs the counts of operations are sums of, at least 1.
    pub(super) fn run_count(&self) -> u64 {
        self.run_count.max(1)
    }

    /// Returns who spawned a task.
    pub(super) fn parent(&self, task: StreamId) -> Option<StreamId> {
        self.parents.get(&task).copied()
    }

    /// Returns the resources that several tasks use and one of them writes, and how often.
    pub(super) fn shared(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let shared = self
            .operations
            .iter()
            .filter(|(resource, tasks)| tasks.len() > 1 && self.written.contains(resource));
        shared.map(|(resource, tasks)| (*resource, tasks.values().sum()))
    }

    /// Returns how many operations tasks do, with one resource or with all.
    pub(super) fn operations(&self, resource: Option<u64>) -> Vec<(StreamId, u64)> {
        let of_one = |tasks: &BTreeMap<StreamId, u64>| {
            tasks.iter().map(|(task, count)| (*task, *count)).collect::<Vec<_>>()
        };
        match resource {
            Some(resource) => self.operations.get(&resource).map(of_one).unwrap_or_default(),
            None => self.operations.values().flat_map(of_one).collect(),
        }
    }
}

/// Most tasks, and most pairs of resource and task, that are told apart: strategies go through them
/// in each run.
const KEPT_MAX: usize = 16_384;
const LENGTH_MIN: u64 = 8;
const LENGTH_DOUBLINGS: u64 = 8;
