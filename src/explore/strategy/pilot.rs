//! A pilot run: one under `random` that takes note of what its strategy sees.

use std::cell::RefCell;
use std::rc::Rc;

use super::profile::Profile;
use super::random::Random;
use crate::executor::{Candidate, Decision, Pick};
use crate::kernel::{Seed, StreamId};

/// Picks at random and counts what is done.
///
/// Counted is what a strategy could count: a task goes on with its next operation, by decision or
/// because nobody else could.
#[derive(Debug)]
pub(in super::super) struct Pilot {
    random: Random,
    profile: Rc<RefCell<Profile>>,
}

impl Pilot {
    /// Makes what picks in a pilot run, and where its profile will stand.
    pub(in super::super) fn new(seed: Seed) -> (Self, Rc<RefCell<Profile>>) {
        let profile = Rc::new(RefCell::new(Profile::of_one_run(seed)));
        (Self { random: Random::new(seed), profile: profile.clone() }, profile)
    }

    /// Returns the seeds of the pilots of a check.
    pub(in super::super) fn seeds(first: Seed) -> impl Iterator<Item = Seed> {
        (0..PILOTS).map(move |pilot| Seed::new(first.get().wrapping_add(pilot)))
    }
}

impl Pick for Pilot {
    fn pick(&mut self, decision: &Decision<'_>) -> usize {
        let index = self.random.pick(decision);
        let mut profile = self.profile.borrow_mut();
        profile.count_decision();
        profile.count_operation(decision.candidate(index));
        index
    }

    fn went_on(&mut self, candidate: Candidate) {
        self.profile.borrow_mut().count_operation(candidate);
    }

    fn spawned(&mut self, parent: StreamId, child: StreamId) {
        self.profile.borrow_mut().count_task(parent, child);
    }
}

/// More of them know better how long a run is, and each is a run that searches at random only.
const PILOTS: u64 = 2;
