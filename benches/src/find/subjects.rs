//! Programs with one bug each, after those by which the literature compares strategies.
//!
//! # Source
//! `reorder` to `bluetooth`: `SCTBench` (Thomson, Donaldson and Betts, "Concurrency testing using
//! controlled schedulers", 2016), rewritten. The others show what one strategy is good at and another
//! is not.

mod account;
mod alternation;
mod bluetooth;
mod deadlock;
mod lazy;
mod reorder;
mod token_ring;
mod two_stage;
mod uneven;
mod wrong_lock;

use std::future::Future;

use super::host::Host;
use super::{Side, Trial, feedback, ours, shuttle};

/// A program that panics or comes to a deadlock under some schedule.
pub(crate) trait Subject: Copy + Send + Sync + 'static {
    fn name(&self) -> String;

    fn run<H: Host>(self) -> impl Future<Output = ()>;
}

/// A subject whose type is forgotten.
pub(crate) struct Entry {
    pub(crate) name: String,
    search: Box<dyn Fn(Side, u64, u64) -> Trial>,
}

impl Entry {
    fn of(subject: impl Subject) -> Self {
        let search = move |side, trial, cap| match side {
            Side::Ours(strategy) => ours::search(subject, strategy, trial, cap),
            Side::Feedback => feedback::search(subject, trial, cap),
            Side::Shuttle(scheduler) => shuttle::search(subject, scheduler, trial, cap),
        };
        Self { name: subject.name(), search: Box::new(search) }
    }

    pub(crate) fn search(&self, side: Side, trial: u64, cap: u64) -> Trial {
        (self.search)(side, trial, cap)
    }
}

pub(crate) fn all() -> Vec<Entry> {
    vec![
        Entry::of(reorder::Reorder(3)),
        Entry::of(reorder::Reorder(5)),
        Entry::of(reorder::Reorder(10)),
        Entry::of(reorder::Reorder(20)),
        Entry::of(reorder::Reorder(50)),
        Entry::of(two_stage::TwoStage(2)),
        Entry::of(two_stage::TwoStage(20)),
        Entry::of(two_stage::TwoStage(50)),
        Entry::of(account::Account),
        Entry::of(lazy::Lazy),
        Entry::of(deadlock::Deadlock),
        Entry::of(wrong_lock::WrongLock(3)),
        Entry::of(wrong_lock::WrongLock(7)),
        Entry::of(token_ring::TokenRing),
        Entry::of(bluetooth::Bluetooth),
        Entry::of(uneven::Uneven(25)),
        Entry::of(alternation::Alternation { rounds: 5, noise: 0 }),
        Entry::of(alternation::Alternation { rounds: 8, noise: 0 }),
        Entry::of(alternation::Alternation { rounds: 4, noise: 2 }),
    ]
}
