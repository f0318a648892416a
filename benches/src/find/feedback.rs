//! A search by feedback, built on the public interface: is it worth more than the portfolio?
//!
//! A run counts as new if some operation followed another one on the same resource for the first time.
//! Such runs are kept. Two of three runs begin as a kept one did, up to a drawn decision, and go on as
//! the portfolio has it under a seed of their own; the third is one of the portfolio.
//!
//! # Source
//! Wolff, Duan, Li, Krishnan, Mathur and Roychoudhury, "Greybox fuzzing for concurrency testing" (RFF),
//! ASPLOS 2024: reads-from pairs as coverage.
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "a search is timed")]

use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;
use std::time::Instant;

use parcae::Sim;
use parcae::executor::{Happening, Log};
use parcae::explore::{Check, Profile, Strategy};
use parcae::kernel::{Fill, Key, Overrides, Seed, StreamId};

use super::Trial;
use super::ours::{Parcae, first_seed};
use super::subjects::Subject;

/// One operation, as it is told apart from others: who does what, and where.
type Operation = (StreamId, &'static str, Option<&'static Location<'static>>);

/// The decisions of a run, in order.
type Decisions = Vec<(Key, u64)>;

pub(crate) fn search(subject: impl Subject, trial: u64, cap: u64) -> Trial {
    let start = Instant::now();
    let first = first_seed(trial);
    let profile = Check::new(subject.name())
        .strategy(Strategy::Portfolio)
        .pilot_seed(first)
        .profile(move || subject.run::<Parcae>())
        .expect("the options are right");
    let mut kept = Kept::default();
    let mut draws = Draws(first);
    for run in 0..cap {
        let begin = kept.begin(&mut draws);
        let outcome = sim(first + run, profile.clone(), begin).run(move || subject.run::<Parcae>());
        if !outcome.is_ok() {
            return Trial { is_found: true, runs: run + 1, time: start.elapsed() };
        }
        kept.learn(outcome.log().expect("it is logged"));
    }
    Trial { is_found: false, runs: cap, time: start.elapsed() }
}

fn sim(seed: u64, profile: Profile, begin: Overrides) -> Sim {
    let builder = Sim::builder().seed(seed).strategy(Strategy::Portfolio).profile(profile);
    builder.overrides(Fill::Seeded, begin).log(true).build().expect("the options are right")
}

/// What was seen, and the runs that showed something new.
#[derive(Default)]
struct Kept {
    seen: BTreeSet<(u64, Operation, Operation)>,
    runs: Vec<Decisions>,
}

impl Kept {
    /// Draws how a run begins.
    fn begin(&self, draws: &mut Draws) -> Overrides {
        if self.runs.is_empty() || draws.below(3) == 0 {
            return Overrides::new();
        }
        let run = &self.runs[draws.below(self.runs.len())];
        run[..draws.below(run.len() + 1)].iter().copied().collect()
    }

    fn learn(&mut self, log: &Log) {
        let mut last: BTreeMap<u64, Operation> = BTreeMap::new();
        let mut is_new = false;
        for entry in &log.entries {
            let Happening::Operation { resource, verb } = entry.what else { continue };
            let operation = (entry.task, verb, entry.location);
            if let Some(before) = last.insert(resource, operation) {
                is_new |= self.seen.insert((resource, before, operation));
            }
        }
        if is_new {
            let decisions = log.decisions.iter();
            self.runs.push(decisions.map(|one| (one.key, one.chosen.get())).collect());
        }
    }
}

/// Draws of the search, apart from those of its runs.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 += 1;
        let key = Key::new(StreamId::ROOT, parcae::kernel::Site::new("feedback"), self.0);
        let bits = parcae::kernel::prf(Seed::new(self.0), key);
        usize::try_from(bits % bound as u64).expect("below the bound")
    }
}
