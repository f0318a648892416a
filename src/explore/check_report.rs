//! What a check comes to.

use std::time::Duration;

use super::coverage::Coverage;
use super::exhaustive::Exhaustion;
use super::failing::FailingSeed;
use super::finding::Finding;
use super::lost::LostSeed;
use super::properties::Judged;
use super::shard::Shard;
use super::strategy::Strategy;

/// What a check found.
#[derive(Clone, Debug)]
#[must_use = "a report may hold a failure"]
pub struct CheckReport {
    pub(super) name: String,
    pub(super) strategy: Strategy,
    pub(super) shard: Shard,
    pub(super) keeps_going: bool,
    pub(super) seeds_planned: u64,
    pub(super) seeds_run: u64,
    pub(super) pilots_run: u64,
    pub(super) steps: u64,
    pub(super) findings: Vec<Finding>,
    pub(super) failing: Vec<FailingSeed>,
    pub(super) stop: Option<Stop>,
    pub(super) wall_time: Duration,
    pub(super) coverage: Coverage,
    pub(super) judged: Judged,
    pub(super) lost: Vec<LostSeed>,
    pub(super) exhaustion: Option<Exhaustion>,
}

/// Why a check ended before its last seed, if it was not because of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// Its limit of wall time was reached.
    TimeLimit,
    /// [`Control::stop`](super::Control::stop) was called.
    Interrupted,
    /// So many seeds have shown nothing new, as [`Check::stop_after_nothing_new`](super::Check::stop_after_nothing_new)
    /// asked for.
    NothingNew,
}

impl CheckReport {
    /// Returns the name of the check.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the strategy.
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// Returns which part of the seeds the check was of.
    #[must_use]
    pub fn shard(&self) -> Shard {
        self.shard
    }

    /// Tells whether seeds were run behind a failing one.
    #[must_use]
    pub fn keeps_going(&self) -> bool {
        self.keeps_going
    }

    /// Returns how many seeds were to be run, by this shard.
    #[must_use]
    pub fn seeds_planned(&self) -> u64 {
        self.seeds_planned
    }

    /// Returns how many seeds were run, up to the one that ended the check if one did.
    #[must_use]
    pub fn seeds_run(&self) -> u64 {
        self.seeds_run
    }

    /// Returns how many pilot runs came before the seeds: none for a strategy that needs none.
    #[must_use]
    pub fn pilots_run(&self) -> u64 {
        self.pilots_run
    }

    /// Returns the polls and points of the runs of seeds.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Returns the failure that was found; of several, the first.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        self.findings.first()
    }

    /// Returns the failures that were found: one for each signature, each of the first seed that shows it. More
    /// than one only of a check that keeps going ([`Check::keep_going`](super::Check::keep_going)).
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Returns the seeds that fail, in the order of the check. More than one only of a check that keeps
    /// going.
    #[must_use]
    pub fn failing(&self) -> &[FailingSeed] {
        &self.failing
    }

    /// Returns what the seeds have reached together.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// Returns the seeds whose process ended before their run did, in order; with [`Isolation::Fork`](super::Isolation::Fork)
    /// only. The others were run nevertheless, until there were 16 of these; of a check that keeps going all are, and they
    /// stand among those that fail, too.
    #[must_use]
    pub fn lost(&self) -> &[LostSeed] {
        &self.lost
    }

    /// Returns how much of all runs was run; none without [`Check::exhaustive`](super::Check::exhaustive). With it, runs stand
    /// where others count seeds.
    #[must_use]
    pub fn exhaustion(&self) -> Option<Exhaustion> {
        self.exhaustion
    }

    /// Returns why the check ended early.
    #[must_use]
    pub fn stop(&self) -> Option<Stop> {
        self.stop
    }

    /// Returns how long the check took. Wall times, here and in the finding, are the only part that
    /// differs between machines, unless the check was stopped early.
    #[must_use]
    pub fn wall_time(&self) -> Duration {
        self.wall_time
    }
}
