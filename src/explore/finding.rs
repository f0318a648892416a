//! A failure that was found, and what is known of it.

use std::time::Duration;

use super::check::Check;
use super::explain::Explanation;
use super::observed::Observed;
use super::shrink::{Class, Classes, Shrunk};
use super::signature::Signature;
use super::sim::Outcome;
use super::strategy::Strategy;
use super::token::{Expectation, ReplayToken};
use super::world::World;
use crate::executor::{Failure, Log, Warning};
use crate::fault::{BuggifyCount, KindCount, KnobSetting};
use crate::kernel::{Seed, VirtualTime};

/// A failure, the smallest world that was found to show it, and the log of that world's run.
#[derive(Clone, Debug)]
pub struct Finding {
    seed: Seed,
    strategy: Strategy,
    failure: Failure,
    world: World,
    log: Log,
    found: RunSize,
    shrink: Option<ShrinkSummary>,
    search_time: Duration,
    token: Option<ReplayToken>,
    elapsed: VirtualTime,
    warnings: Vec<Warning>,
    observed: Observed,
    steps: u64,
    explanation: Option<Box<Explanation>>,
    /// Whether an explanation can be asked for.
    is_explainable: bool,
}

/// How big a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunSize {
    /// Choices that differ from the default world's.
    pub choices: usize,
    /// Decisions about the schedule among them.
    pub switches: usize,
    /// Faults among them, and rare branches that are taken; without what says when, how long and at whom.
    pub faults: usize,
    /// Polls and points.
    pub steps: u64,
}

impl RunSize {
    /// Returns the size of a world over the default one; `log` is of its run.
    pub(super) fn of(world: &World, log: &Log, steps: u64) -> Self {
        let classes = Classes::of(&world.overrides, log);
        let count = |is_wanted: fn(Class) -> bool| {
            world.overrides.keys().filter(|key| is_wanted(classes.of_key(key))).count()
        };
        let (switches, faults) = (count(|class| class == Class::Schedule), count(Class::is_fault));
        Self { choices: world.overrides.len(), switches, faults, steps }
    }
}

/// How a failure was shrunk.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ShrinkSummary {
    /// Size of the shrunk run.
    pub size: RunSize,
    /// Runs that it took.
    pub runs: u64,
    /// Wall time that it took.
    pub wall_time: Duration,
    /// Whether each override was seen to be necessary: without it the run does not fail this way.
    pub is_minimal: bool,
    /// Whether a wall limit, a stop or a lack of threads ended it.
    pub is_cut: bool,
    /// Other failures met on the way, each once.
    pub others: Vec<Signature>,
}

impl Finding {
    pub(super) fn unshrunk(
        check: &Check,
        mut outcome: Outcome,
        world: World,
        failure: Failure,
        search_time: Duration,
    ) -> Self {
        let log = *outcome.take_log().expect("what is examined was run with its log");
        let seed = world.seed;
        let found = RunSize::of(&World::of_log(seed, &log), &log, outcome.steps());
        let is_replayable = !matches!(failure, Failure::Nondeterminism { .. });
        let token = is_replayable.then(|| token(check, world.clone(), &failure, &outcome, &log));
        let (warnings, observed) = (outcome.take_warnings(), outcome.take_observed());
        Self {
            steps: outcome.steps(),
            explanation: None,
            is_explainable: false,
            seed,
            strategy: check.settings.strategy,
            failure,
            world,
            log,
            found,
            shrink: None,
            search_time,
            token,
            elapsed: VirtualTime::ZERO.after(outcome.elapsed()),
            warnings,
            observed,
        }
    }

    pub(super) fn shrunk(
        check: &Check,
        mut original: Outcome,
        failure: Failure,
        shrunk: Shrunk,
        search_time: Duration,
    ) -> Self {
        let seed = original.seed();
        let original_log = original.take_log().expect("what is examined was run with its log");
        let world = World::of_log(seed, &original_log);
        let found = RunSize::of(&world, &original_log, original.steps());
        let Shrunk { world, outcome, summary, .. } = shrunk;
        // The same signature, but numbers in the message may be smaller now.
        let failure = outcome.failure().cloned().unwrap_or(failure);
        let finding = Self::unshrunk(check, outcome, world, failure, search_time);
        Self { found, shrink: Some(summary), ..finding }
    }

    /// Makes the finding of a world whose process did not come to the end of its run: nothing is known of
    /// that run, and running it here would end this process, too.
    pub(super) fn lost(
        check: &Check,
        world: World,
        failure: Failure,
        search_time: Duration,
    ) -> Self {
        Self {
            seed: world.seed,
            strategy: check.settings.strategy,
            failure,
            world,
            log: Log::default(),
            found: RunSize { choices: 0, switches: 0, faults: 0, steps: 0 },
            shrink: None,
            search_time,
            token: None,
            elapsed: VirtualTime::ZERO,
            warnings: Vec::new(),
            observed: Observed::default(),
            steps: 0,
            explanation: None,
            is_explainable: false,
        }
    }

    /// Makes the finding of a world that was run again.
    pub(super) fn replayed(
        check: &Check,
        outcome: Outcome,
        world: World,
        failure: Failure,
    ) -> Self {
        Self::unshrunk(check, outcome, world, failure, Duration::ZERO)
    }

    /// Returns the seed that found it.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// Returns the strategy that found it.
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// Returns the failure of the shrunk run.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    /// Returns the shrunk world.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Returns the log of the shrunk run.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Returns how big the run was that found it.
    #[must_use]
    pub fn found(&self) -> RunSize {
        self.found
    }

    /// Returns how it was shrunk; none if it was not.
    #[must_use]
    pub fn shrink(&self) -> Option<&ShrinkSummary> {
        self.shrink.as_ref()
    }

    /// Returns the wall time until it was found.
    #[must_use]
    pub fn search_time(&self) -> Duration {
        self.search_time
    }

    /// Returns the token that replays the shrunk run; none for a failure that no world decides.
    #[must_use]
    pub fn token(&self) -> Option<&ReplayToken> {
        self.token.as_ref()
    }

    /// Returns why it happens, if [`Check::explain`] asked for that.
    #[must_use]
    pub fn explanation(&self) -> Option<&Explanation> {
        self.explanation.as_deref()
    }

    pub(super) fn with_is_explainable(mut self, is_explainable: bool) -> Self {
        self.is_explainable = is_explainable;
        self
    }

    /// Tells whether an explanation can be asked for and is not there.
    pub(crate) fn can_be_explained(&self) -> bool {
        self.is_explainable && self.explanation.is_none()
    }

    pub(super) fn with_explanation(mut self, explanation: Explanation) -> Self {
        self.explanation = Some(Box::new(explanation));
        self
    }

    /// Returns the polls and points of the shrunk run.
    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    /// Returns the bad habits that were seen in the shrunk run, if they were watched for.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Returns the places of [`buggify!`](crate::buggify!) that the shrunk run came to.
    #[must_use]
    pub fn buggified(&self) -> &[BuggifyCount] {
        &self.observed.buggified
    }

    /// Returns what became of the faults of a [`Chaos`](crate::fault::Chaos) in the shrunk run, by kind. Those that have
    /// begun are counted as planned, too; the effects of those that were on when it failed are not known.
    #[must_use]
    pub fn faults(&self) -> &[KindCount] {
        &self.observed.faults
    }

    /// Returns how strong the nemeses of the shrunk run were, in sixteenths, 0 for those that were left out; none unless
    /// it was drawn ([`swarm`](crate::fault::ChaosBuilder::swarm)).
    #[must_use]
    pub fn nemeses(&self) -> &[(&'static str, u32)] {
        &self.observed.nemeses
    }

    /// Returns the values of the knobs that the shrunk run asked for.
    #[must_use]
    pub fn knobs(&self) -> &[KnobSetting] {
        &self.observed.knobs
    }

    /// Returns how long the shrunk run lasted, in virtual time.
    #[must_use]
    pub fn elapsed(&self) -> VirtualTime {
        self.elapsed
    }
}

fn token(
    check: &Check,
    world: World,
    failure: &Failure,
    outcome: &Outcome,
    log: &Log,
) -> ReplayToken {
    let expected = Expectation::of(failure, outcome, log);
    ReplayToken::new(&check.name, world, &check.settings, expected)
}

impl Expectation {
    pub(super) fn of(failure: &Failure, outcome: &Outcome, log: &Log) -> Self {
        let distance = Self::checkpoint_distance(outcome.event_count());
        let distance = usize::try_from(distance).expect("a number of events in memory");
        let chains = log.chains();
        let checkpoints = chains.chunks_exact(distance).map(|chains| {
            let last = chains[distance - 1].get();
            u16::try_from(last >> 48).expect("the upper 16 bits")
        });
        Self {
            signature_hash: Signature::of(failure).hash(),
            event_count: outcome.event_count(),
            chain: outcome.chain().get(),
            checkpoints: checkpoints.collect(),
        }
    }
}
