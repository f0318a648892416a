//! The fair tail: no schedule starves anyone for ever.
//!
//! A strategy may let one task wait for as long as another one is ready. If that one spins until the
//! first has gone on, the run would never end, and its step limit would be a failure of the strategy
//! and not of the program. So after many more decisions than a run needs, tasks are drawn at random.
//!
//! # Source
//! Coyote (<https://github.com/microsoft/coyote>) turns its unfair strategies random after 10,000 steps.

use super::draws::Draws;
use super::profile::Profile;
use crate::executor::{Candidate, Decision, Limits, Pick};
use crate::kernel::{Seed, StreamId};

#[derive(Debug)]
pub(super) struct Fair {
    inner: Box<dyn Pick>,
    tail: Draws,
    /// How many decisions the strategy still takes.
    left: u64,
}

impl Fair {
    pub(super) fn new(
        inner: Box<dyn Pick>,
        seed: Seed,
        profile: &Profile,
        limits: &Limits,
    ) -> Self {
        let usual = match profile.decisions() {
            0 => UNKNOWN,
            decisions => decisions.saturating_mul(MANY).saturating_add(SPARE),
        };
        // The tail has to come before a limit does.
        let left = usual.min(limits.steps / 4).min(limits.steps_per_instant / 4);
        Self { inner, tail: Draws::new(Seed::new(!seed.get())), left }
    }
}

impl Pick for Fair {
    fn pick(&mut self, decision: &Decision<'_>) -> usize {
        let count = decision.candidate_count();
        if self.left == 0 {
            return self.tail.index(count);
        }
        self.left -= 1;
        if count <= CROWD {
            return self.inner.pick(decision);
        }
        // Strategies look at each candidate at each decision.
        let index = self.tail.index(count);
        self.inner.went_on(decision.candidate(index));
        index
    }

    fn went_on(&mut self, candidate: Candidate) {
        self.inner.went_on(candidate);
    }

    fn spawned(&mut self, parent: StreamId, child: StreamId) {
        self.inner.spawned(parent, child);
    }
}

/// How many times as many decisions as pilots had are taken before the tail.
const MANY: u64 = 10;
const SPARE: u64 = 1_000;
/// Decisions before the tail where there were no pilots.
const UNKNOWN: u64 = 10_000;
/// With more candidates than these one of them is drawn.
const CROWD: usize = 128;
