//! Making a failure small: the fewest and least overrides over the default world that still show it.
//!
//! Each pass proposes worlds in a fixed order; the first that fails with the same signature is
//! accepted, re-recorded, and its overrides are keyed anew from its own log, because an edit may
//! renumber what comes after it. Passes repeat until none makes progress:
//!
//! 1. *Convert*: the run that was found, as overrides over the default world; it must be the same.
//! 2. *Default-fill*: no overrides at all; then none of one kind.
//! 3. *Near the default*: each single deviation of the default schedule. What fails with one forced
//!    switch needs no search among many.
//! 4. *ddmin* over schedule deviations, then over other choices; at the end each override has been
//!    left out alone and was seen to be necessary.
//! 5. *Lower* values towards their defaults by bisection.
//! 6. *Exchange*: two deviations of the schedule for one other, for each two.
//!
//! The budget counts runs, never seconds. Candidates may be tried in parallel but are accepted in
//! order, so the result is the same on every machine.
//!
//! # Source
//! Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input" (2002) for ddmin; the
//! order of passes and the re-keying follow Hypothesis and measurements of our own.

use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::PoisonError;

use super::check::{Check, Shrink};
use super::finding::{RunSize, ShrinkSummary};
use super::host::{self, Deadline, Flow, NoThread, Stopwatch};
use super::processes::{Ahead, Processes};
use super::signature::Signature;
use super::sim::{Outcome, Settings};
use super::world::{Program, World};
use crate::executor::{Failure, Log, SCHEDULE};
use crate::kernel::{Key, Overrides, Seed, prf};

/// How much may be spent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    runs: u64,
    runs_without_progress: u64,
    deadline: Deadline,
}

impl Budget {
    pub(super) fn new(shrink: &Shrink, deadline: Deadline) -> Self {
        let Shrink { runs, runs_without_progress, .. } = *shrink;
        Self { runs, runs_without_progress, deadline }
    }
}

/// What shrinking came to.
#[derive(Debug)]
pub(super) struct Shrunk {
    pub(super) world: World,
    pub(super) outcome: Outcome,
    pub(super) summary: ShrinkSummary,
}

#[derive(Debug)]
pub(super) struct Shrinker<'a> {
    check: &'a Check,
    program: &'a Program,
    processes: &'a Processes,
    budget: Budget,
    settings: Settings,
    target: Option<Signature>,
    best: Option<Best>,
    /// Fingerprints of the overrides that were tried.
    tried: BTreeSet<u64>,
    others: Vec<Signature>,
    runs: u64,
    runs_without_progress: u64,
    /// Each override was seen to be necessary.
    is_minimal: bool,
    is_cut: bool,
}

/// The smallest failing world so far.
#[derive(Debug)]
struct Best {
    world: World,
    outcome: Outcome,
    cost: Cost,
}

/// What makes one failing world simpler than another, most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    overrides: usize,
    preemptions: usize,
    /// Sum of how far values are from their defaults.
    distance: u128,
    steps: u64,
}

/// A pass was ended: the budget is used up, or the wall limit or a lack of threads cut it.
#[derive(Debug)]
struct Exhausted;

type Pass = ControlFlow<Exhausted, bool>;

impl<'a> Shrinker<'a> {
    pub(super) fn new(
        check: &'a Check,
        (program, processes): (&'a Program, &'a Processes),
        budget: Budget,
    ) -> Self {
        Self {
            check,
            program,
            processes,
            budget,
            settings: check.settings.clone(),
            target: None,
            best: None,
            tried: BTreeSet::new(),
            others: Vec::new(),
            runs: 0,
            runs_without_progress: 0,
            is_minimal: false,
            is_cut: false,
        }
    }

    /// Shrinks the failure of a logged run; none when the budget is zero or the run cannot be
    /// expressed as overrides.
    pub(super) fn shrink(mut self, failure: &Failure, original: &Outcome) -> Option<Shrunk> {
        if self.budget.runs == 0 {
            return None;
        }
        let stopwatch = Stopwatch::start();
        self.target = Some(Signature::of(failure));
        self.bound(failure, original);
        let converted = World::of_log(original.seed(), original.log()?);
        self.runs += 1;
        let Ok(true) = self.accept(converted) else { return None };
        let (ControlFlow::Continue(()) | ControlFlow::Break(Exhausted)) = self.passes();
        let best = self.best.expect("the conversion was accepted");
        let size = RunSize::of(&best.world, best.outcome.steps());
        let summary = ShrinkSummary {
            size,
            runs: self.runs,
            wall_time: stopwatch.elapsed(),
            is_minimal: self.is_minimal,
            is_cut: self.is_cut,
            others: self.others,
        };
        Some(Shrunk { world: best.world, outcome: best.outcome, summary })
    }

    /// Bounds each candidate by twice the original run, so that one that spins costs little.
    fn bound(&mut self, failure: &Failure, original: &Outcome) {
        let is_limit = matches!(
            failure,
            Failure::Livelock { .. } | Failure::StepLimit { .. } | Failure::TimeLimit { .. }
        );
        if !is_limit {
            let limits = &mut self.settings.limits;
            limits.steps = limits.steps.min(original.steps() * 2 + SPARE_STEPS);
            limits.time = limits.time.min(original.elapsed() * 2 + SPARE_TIME);
        }
    }

    fn passes(&mut self) -> ControlFlow<Exhausted> {
        self.fill_with_defaults()?;
        self.look_near_default()?;
        loop {
            self.is_minimal = false;
            while self.reduce(|key| key.site == SCHEDULE.id())?
                | self.reduce(|key| key.site != SCHEDULE.id())?
                | self.lower()?
            {}
            // Each override has been left out alone; from here on it only gets better.
            self.is_minimal = true;
            if !self.exchange()? {
                return ControlFlow::Continue(());
            }
        }
    }

    /// Leaves out all overrides, then those of each site.
    fn fill_with_defaults(&mut self) -> Pass {
        let mut has_progressed = self.propose([Overrides::new()])?;
        let sites: BTreeSet<u32> = self.overrides().keys().map(|key| key.site).collect();
        for site in sites {
            let mut without = self.overrides().clone();
            without.retain(|key, _| key.site != site);
            has_progressed |= self.propose([without])?;
        }
        ControlFlow::Continue(has_progressed)
    }

    /// Tries every single deviation from the default schedule, with the other choices as they are.
    fn look_near_default(&mut self) -> Pass {
        let is_schedule = |key: &Key| key.site == SCHEDULE.id();
        let deviations = self.overrides().keys().filter(|key| is_schedule(key)).count();
        if deviations < 2 {
            return ControlFlow::Continue(false);
        }
        let mut base = self.overrides().clone();
        base.retain(|key, _| !is_schedule(key));
        self.deviate_once(base)
    }

    /// Puts one deviation in the place of two, for each two.
    fn exchange(&mut self) -> Pass {
        let keys: Vec<Key> =
            self.overrides().keys().copied().filter(|key| key.site == SCHEDULE.id()).collect();
        for (place, second) in keys.iter().enumerate() {
            for first in &keys[..place] {
                let mut base = self.overrides().clone();
                base.remove(first);
                base.remove(second);
                if self.deviate_once(base)? {
                    return ControlFlow::Continue(true);
                }
            }
        }
        ControlFlow::Continue(false)
    }

    /// Tries every single deviation from the schedule of a world.
    fn deviate_once(&mut self, base: Overrides) -> Pass {
        if self.affordable() == 0 || self.is_over() {
            return ControlFlow::Break(Exhausted);
        }
        let world = World::of_overrides(self.seed(), base.clone());
        let ahead = self.ahead(&world);
        if let Some(Ahead::Ended(_)) = self.unless_cut(ahead)? {
            return ControlFlow::Continue(false);
        }
        let outcome = self.run(&world, true);
        let outcome = self.unless_cut(outcome)?;
        let Some(log) = outcome.log() else { return ControlFlow::Continue(false) };
        let undecided = log.decisions.iter().filter(|decision| !base.contains_key(&decision.key));
        let candidates = undecided
            .flat_map(|decision| {
                decision.alternatives.iter().map(|alternative| {
                    let mut deviating = base.clone();
                    deviating.insert(decision.key, alternative.get());
                    deviating
                })
            })
            .take(NEAR_CANDIDATES_MAX);
        self.propose(candidates)
    }

    /// Leaves out overrides of a class, half of them first, in the end each alone.
    fn reduce(&mut self, is_of_class: impl Fn(&Key) -> bool) -> Pass {
        let mut has_progressed = false;
        let mut parts = 2;
        loop {
            let keys: Vec<Key> = self.overrides().keys().copied().filter(&is_of_class).collect();
            if keys.is_empty() {
                return ControlFlow::Continue(has_progressed);
            }
            parts = parts.min(keys.len());
            let base = self.overrides().clone();
            let without = |part: &[Key]| {
                let mut rest = base.clone();
                part.iter().for_each(|key| {
                    rest.remove(key);
                });
                rest
            };
            // From the end: what happens last is needed least often.
            let size = keys.len().div_ceil(parts);
            if self.propose(keys.rchunks(size).map(without))? {
                has_progressed = true;
                parts = parts.saturating_sub(1).max(2);
            } else if parts >= keys.len() {
                return ControlFlow::Continue(has_progressed);
            } else {
                parts *= 2;
            }
        }
    }

    /// Moves each value towards its default, as far as the failure stays.
    fn lower(&mut self) -> Pass {
        let mut has_progressed = false;
        let keys: Vec<Key> = self.overrides().keys().copied().collect();
        for key in keys.into_iter().filter(|key| key.site != SCHEDULE.id()) {
            while let Some(closer) = self.closer_values(key) {
                let base = self.overrides().clone();
                let candidates = closer.into_iter().map(|value| {
                    let mut lowered = base.clone();
                    lowered.insert(key, value);
                    lowered
                });
                if !self.propose(candidates)? {
                    break;
                }
                has_progressed = true;
            }
        }
        ControlFlow::Continue(has_progressed)
    }

    /// Returns values between a value and its default, closest to the default first.
    fn closer_values(&self, key: Key) -> Option<Vec<u64>> {
        let log = self.best().outcome.log()?;
        let (space, value) = log.draw_at(key)?;
        let distance = space.distance(value);
        let mut steps: Vec<u64> = (0..u64::BITS)
            .map(|shift| distance - (distance >> shift))
            .chain([distance.saturating_sub(1)])
            .filter(|step| (1..distance).contains(step))
            .collect();
        steps.sort_unstable();
        steps.dedup();
        let values: Vec<u64> = steps.into_iter().map(|step| space.toward(value, step)).collect();
        (!values.is_empty()).then_some(values)
    }

    // Trying

    /// Tries worlds in order and accepts the first that fails as wanted and is simpler. They are made
    /// as they are needed: of a big run all of them would not fit into memory.
    ///
    /// How many are tried at once depends on the number of jobs, and nothing else does: those that come
    /// after the one that is accepted count as not tried.
    fn propose(&mut self, candidates: impl IntoIterator<Item = Overrides>) -> Pass {
        let mut candidates = candidates.into_iter();
        let mut proposed = BTreeSet::new();
        let mut batch = VecDeque::new();
        loop {
            let most = self.affordable().min(self.check.jobs.max(1) * BATCH_PER_JOB);
            while batch.len() < most.max(1)
                && let Some(candidate) = candidates.next()
            {
                let print = fingerprint(&candidate);
                let is_new = !self.tried.contains(&print) && candidate != *self.overrides();
                if is_new && proposed.insert(print) {
                    batch.push_back(candidate);
                }
            }
            if batch.is_empty() {
                return ControlFlow::Continue(false);
            }
            if most == 0 || self.is_over() {
                return ControlFlow::Break(Exhausted);
            }
            // The budget may have shrunk since the rest of a batch was made.
            let count = batch.len().min(most);
            let found = self.first_failing(&batch.make_contiguous()[..count]);
            let found = self.unless_cut(found)?;
            let spent = found.map_or(count, |place| place + 1);
            self.runs += spent as u64;
            self.runs_without_progress += spent as u64;
            self.tried.extend(batch.iter().take(spent).map(fingerprint));
            let last = batch.drain(..spent).next_back();
            if let (Some(_), Some(failing)) = (found, last) {
                let is_accepted = self.accept(World::of_overrides(self.seed(), failing));
                if self.unless_cut(is_accepted)? {
                    self.runs_without_progress = 0;
                    return ControlFlow::Continue(true);
                }
            }
        }
    }

    /// Runs worlds in parallel; returns the place of the first that fails as wanted.
    fn first_failing(&mut self, candidates: &[Overrides]) -> Result<Option<usize>, NoThread> {
        let results = Mutex::new(vec![None; candidates.len()]);
        let seed = self.seed();
        host::in_parallel(self.check.jobs, candidates.len(), |place| {
            let world = World::of_overrides(seed, candidates[place].clone());
            let signature = self.signature(&world)?;
            let is_wanted = signature == self.target;
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            results[place] = signature;
            Ok(if is_wanted { Flow::Stop } else { Flow::Continue })
        })?;
        let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        let found =
            results.iter().position(|signature| signature.is_some() && *signature == self.target);
        // Only what a single thread would have seen too.
        let seen = found.unwrap_or(results.len());
        for signature in results.into_iter().take(seen).flatten() {
            if !self.others.contains(&signature) {
                self.others.push(signature);
            }
        }
        Ok(found)
    }

    /// Records a world's run and keeps it, keyed anew, if it fails as wanted and is simpler.
    fn accept(&mut self, world: World) -> Result<bool, NoThread> {
        if !self.is_worth_a_run(&world)? {
            return Ok(false);
        }
        let outcome = self.run(&world, true)?;
        if outcome.failure().map(Signature::of) != self.target {
            return Ok(false);
        }
        // What was dropped from the log may be an override without which the run does not fail.
        let Some(log) = outcome.log().filter(|log| log.dropped_count == 0) else {
            return Ok(false);
        };
        let world = World::of_log(world.seed, log);
        let cost = Cost::of(&world, log, outcome.steps());
        let is_simpler = self.best.as_ref().is_none_or(|best| cost < best.cost);
        if is_simpler {
            self.best = Some(Best { world, outcome, cost });
        }
        Ok(is_simpler)
    }

    /// Runs a world, in a process of its own if all runs have one, and returns what its failure is compared by.
    fn signature(&self, world: &World) -> Result<Option<Signature>, NoThread> {
        let Some(ahead) = self.ahead(world)? else {
            return Ok(self.run(world, false)?.failure().map(Signature::of));
        };
        self.check.control.count_shrink_run();
        Ok(match ahead {
            Ahead::Ran(signature) => signature,
            Ahead::Ended(failure) => Some(Signature::of(&failure)),
        })
    }

    /// Tells whether a world may be run in this process, and fails as wanted, or may.
    fn is_worth_a_run(&self, world: &World) -> Result<bool, NoThread> {
        Ok(match self.ahead(world)? {
            None => true,
            Some(Ahead::Ran(signature)) => signature == self.target,
            Some(Ahead::Ended(_)) => false,
        })
    }

    fn ahead(&self, world: &World) -> Result<Option<Ahead<Option<Signature>>>, NoThread> {
        // For want of a process shrinking ends as for want of a thread.
        self.processes.run(world, &self.settings).map_err(|error| NoThread::new(error.to_string()))
    }

    fn run(&self, world: &World, is_logged: bool) -> Result<Outcome, NoThread> {
        self.check.control.count_shrink_run();
        let sim = world.sim(&self.settings).logged(is_logged);
        host::isolated(self.check.isolation, || self.program.run(sim))
    }

    /// Ends the passes when the machine gives no thread: the best so far is worth a report.
    fn unless_cut<R>(&mut self, result: Result<R, NoThread>) -> ControlFlow<Exhausted, R> {
        match result {
            Ok(value) => ControlFlow::Continue(value),
            Err(NoThread { .. }) => {
                self.is_cut = true;
                ControlFlow::Break(Exhausted)
            }
        }
    }

    /// Returns how many runs the budget still pays for.
    fn affordable(&self) -> usize {
        let in_all = self.budget.runs.saturating_sub(self.runs);
        let in_vain = self.budget.runs_without_progress.saturating_sub(self.runs_without_progress);
        usize::try_from(in_all.min(in_vain)).unwrap_or(usize::MAX)
    }

    fn is_over(&mut self) -> bool {
        self.is_cut = self.check.control.is_stopped() || self.budget.deadline.is_over();
        self.is_cut
    }

    fn best(&self) -> &Best {
        self.best.as_ref().expect("passes begin after the conversion was accepted")
    }

    fn overrides(&self) -> &Overrides {
        &self.best().world.overrides
    }

    fn seed(&self) -> Seed {
        self.best().world.seed
    }
}

impl Cost {
    fn of(world: &World, log: &Log, steps: u64) -> Self {
        let preemptions = log
            .decisions
            .iter()
            .filter(|decision| decision.can_continue && decision.chosen != decision.default)
            .count();
        let distance = log
            .draws
            .iter()
            .map(|logged| u128::from(logged.draw.space.distance(logged.draw.value)))
            .sum();
        Self { overrides: world.overrides.len(), preemptions, distance, steps }
    }
}

/// Returns 64 bits by which overrides are told apart; of 5,000 two are alike once in 10^12 times.
fn fingerprint(overrides: &Overrides) -> u64 {
    overrides.iter().fold(overrides.len() as u64, |print, (key, value)| {
        prf(Seed::new(print.rotate_left(1) ^ value), *key)
    })
}

const SPARE_STEPS: u64 = 1_000;
const SPARE_TIME: std::time::Duration = std::time::Duration::from_secs(60);
const NEAR_CANDIDATES_MAX: usize = 300;
const BATCH_PER_JOB: usize = 4;
