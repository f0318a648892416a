//! Making a failure small: the fewest and least overrides over the default world that still show it.
//!
//! Each pass proposes worlds in a fixed order; the first that fails with the same signature and is
//! simpler ([`cost`]) is accepted, re-recorded, and its overrides are keyed anew from its own log,
//! because an edit may renumber what comes after it. Passes repeat until none makes progress:
//!
//! 0. *Confirm*: what is shrunk has failed twice alike, and in the end its smallest world is run once
//!    more. Runs that differ are reported as such, and not shrunk.
//! 1. *Convert*: the run that was found, as overrides over the default world; it must be the same.
//! 2. [*Default-fill*](fill): no overrides at all; then none of one class or site; and none of one task
//!    or link, once switches are few.
//! 3. [*Near the default*](near): each single deviation of the default schedule. What fails with one
//!    forced switch needs no search among many.
//! 4. [*Truncate*](truncate), if much is left: nothing forced from some moment on, or up to one.
//! 5. [*ddmin*](reduce) by [class](class), cheapest to explain last; at the end each override has been
//!    left out alone and was seen to be necessary.
//! 6. [*Shorten*](shorten): an operation of the workload less, from the end and from the middle.
//! 7. [*Lower*](lower) values towards their defaults by bisection, alone and together.
//! 8. [*Begin again*](reduce), if more than a few are left: from before whole objects were left out, in another order.
//! 9. [*Repair*](repair): a class of faults is left out, and latencies and switches are drawn anew until
//!    it fails without.
//! 10. [*Exchange*](near): two deviations of the schedule for one other, for each two.
//! 11. [*Round*](lower) durations to values that are easy to read.
//!
//! The budget counts runs, never seconds. Candidates may be tried in parallel but are accepted in
//! order, so the result is the same on every machine. No pass asks which strategy found the failure: what
//! a strategy draws is no choice.
//!
//! # Source
//! Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input" (2002) for ddmin; the
//! order of passes and the re-keying follow Hypothesis and measurements of our own.

mod class;
mod cost;
mod fill;
mod lower;
mod near;
mod reduce;
mod repair;
mod shorten;
mod truncate;

use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

pub(super) use self::class::{Class, Classes};
use self::cost::Cost;
use self::reduce::Removal;
use super::check::{Check, Shrink};
use super::determinism;
use super::finding::{RunSize, ShrinkSummary};
use super::host::{self, Deadline, Flow, NoThread, Stopwatch};
use super::processes::{Ahead, Processes};
use super::signature::Signature;
use super::sim::{Outcome, Settings};
use super::world::{Program, World};
use crate::executor::Failure;
use crate::kernel::{Overrides, Seed, prf};

/// How much may be spent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    runs: u64,
    runs_without_progress: u64,
    redraws: u64,
    deadline: Deadline,
}

impl Budget {
    pub(super) fn new(shrink: &Shrink, deadline: Deadline) -> Self {
        let Shrink { runs, runs_without_progress, redraws } = *shrink;
        Self { runs, runs_without_progress, redraws, deadline }
    }
}

/// What shrinking came to.
#[derive(Debug)]
pub(super) struct Shrunk {
    pub(super) world: World,
    pub(super) outcome: Outcome,
    pub(super) summary: ShrinkSummary,
    /// How a second run of the world differed from the first.
    pub(super) leak: Option<Failure>,
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
    removal: Removal,
    /// The least world with a fault that was done without, while it is not known at what price.
    before_repair: Option<World>,
    /// Fingerprints of the overrides that were tried.
    tried: BTreeSet<u64>,
    /// Those of them that were accepted, and simpler ones since: they may be easier to read.
    accepted: BTreeSet<u64>,
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

/// What a candidate has to be, beside failing in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    /// Simpler than the simplest so far, or a part of its overrides.
    Simpler,
    /// No more of anything that is counted; times and values may be greater.
    AsSimple,
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
            removal: Removal::ByObject,
            before_repair: None,
            tried: BTreeSet::new(),
            accepted: BTreeSet::new(),
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
        self.settings = bounded(&self.settings, failure, original.steps(), original.elapsed());
        let converted = World::of_log(original.seed(), original.log()?);
        self.runs += 1;
        let Ok(true) = self.accept(converted, Gate::Simpler) else { return None };
        let (ControlFlow::Continue(()) | ControlFlow::Break(Exhausted)) = self.passes();
        self.undo_bad_repair();
        let leak = self.confirm();
        let best = self.best.expect("the conversion was accepted");
        let log = best.outcome.log().expect("what was accepted was run with its log");
        let size = RunSize::of(&best.world, log, best.outcome.steps());
        let summary = ShrinkSummary {
            size,
            runs: self.runs,
            wall_time: stopwatch.elapsed(),
            is_minimal: self.is_minimal,
            is_cut: self.is_cut,
            others: self.others,
        };
        Some(Shrunk { world: best.world, outcome: best.outcome, summary, leak })
    }

    /// Runs the smallest world once more: something that leaks from run to run may have failed it. As the
    /// runs that confirm the failure itself, it is none of the budget.
    fn confirm(&mut self) -> Option<Failure> {
        if self.is_cut {
            return None;
        }
        let Ok(again) = self.run(&self.best().world, true) else {
            self.is_cut = true;
            return None;
        };
        determinism::difference(&self.best().outcome, &again)
    }

    fn passes(&mut self) -> ControlFlow<Exhausted> {
        self.fill_with_defaults()?;
        self.look_near_default()?;
        // Not before: a switch to somebody who is not needed may be as few, and says less.
        let start = self.best().world.clone();
        self.fill_objects()?;
        self.truncate()?;
        let mut start = Some(start);
        loop {
            self.is_minimal = false;
            while self.reduce_all()? | self.shorten()? | self.lower()? | self.lower_together()? {}
            // Each override has been left out alone; from here on it only gets better.
            self.is_minimal = true;
            if let Some(start) = start.take()
                && self.reduce_otherwise(start)?
            {
                continue;
            }
            let is_repaired = if self.undo_bad_repair() { false } else { self.repair()? };
            if !is_repaired && !self.exchange()? {
                break;
            }
        }
        while self.round()? {
            // A rounded value may do without another override.
            self.is_minimal = false;
            while self.reduce_all()? {}
            self.is_minimal = true;
        }
        ControlFlow::Continue(())
    }

    // Trying

    /// Tries worlds in order and accepts the first that fails as wanted and is simpler. They are made
    /// as they are needed: of a big run all of them would not fit into memory.
    ///
    /// How many are tried at once depends on the number of jobs, and nothing else does: those that come
    /// after the one that is accepted count as not tried.
    fn propose(&mut self, candidates: impl IntoIterator<Item = Overrides>) -> Pass {
        self.propose_to(Gate::Simpler, candidates)
    }

    fn propose_to(&mut self, gate: Gate, candidates: impl IntoIterator<Item = Overrides>) -> Pass {
        let mut candidates = candidates.into_iter();
        let mut proposed = BTreeSet::new();
        let mut batch = VecDeque::new();
        loop {
            let most = self.affordable().min(self.check.jobs.max(1) * BATCH_PER_JOB);
            while batch.len() < most.max(1)
                && let Some(candidate) = candidates.next()
            {
                let print = fingerprint(&candidate);
                let may_come_again = gate == Gate::AsSimple && self.accepted.contains(&print);
                let is_new = !self.tried.contains(&print) || may_come_again;
                if is_new && candidate != *self.overrides() && proposed.insert(print) {
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
                let is_accepted = self.accept(World::of_overrides(self.seed(), failing), gate);
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
    fn accept(&mut self, world: World, gate: Gate) -> Result<bool, NoThread> {
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
        let cost = Cost::of(&world, log, &outcome);
        let is_simpler = self.best.as_ref().is_none_or(|best| match gate {
            // A part of the overrides is kept even if more happens without the rest: each override that
            // stays is to be a necessary one.
            Gate::Simpler => cost < best.cost || best.is_more_than(&world, cost),
            Gate::AsSimple => cost.shape() <= best.cost.shape(),
        });
        if is_simpler {
            let print = fingerprint(&world.overrides);
            self.tried.insert(print);
            self.accepted.insert(print);
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

    /// Runs a world with its log that is not known to fail; none if its process ends.
    fn look_at(&mut self, overrides: &Overrides) -> ControlFlow<Exhausted, Option<Outcome>> {
        let world = World::of_overrides(self.seed(), overrides.clone());
        let ahead = self.ahead(&world);
        if let Some(Ahead::Ended(_)) = self.unless_cut(ahead)? {
            return ControlFlow::Continue(None);
        }
        let outcome = self.run(&world, true);
        let outcome = self.unless_cut(outcome)?;
        ControlFlow::Continue(Some(outcome))
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

    /// Returns what the overrides of the best world are about.
    fn classes(&self) -> Classes {
        let log = self.best().outcome.log().expect("what was accepted was run with its log");
        Classes::of(self.overrides(), log)
    }

    fn overrides(&self) -> &Overrides {
        &self.best().world.overrides
    }

    fn seed(&self) -> Seed {
        self.best().world.seed
    }
}

impl Best {
    fn is_more_than(&self, world: &World, cost: Cost) -> bool {
        cost::is_part_of(&world.overrides, &self.world.overrides) && cost.faults <= self.cost.faults
    }
}

/// Bounds each run that is like one that failed by twice that, so that one that spins costs little.
pub(super) fn bounded(
    settings: &Settings,
    failure: &Failure,
    steps: u64,
    elapsed: Duration,
) -> Settings {
    let mut settings = settings.clone();
    let is_limit = matches!(
        failure,
        Failure::Livelock { .. } | Failure::StepLimit { .. } | Failure::TimeLimit { .. }
    );
    if !is_limit {
        let limits = &mut settings.limits;
        limits.steps = limits.steps.min(steps.saturating_mul(2).saturating_add(SPARE_STEPS));
        limits.time = limits.time.min(elapsed.saturating_mul(2).saturating_add(SPARE_TIME));
    }
    settings
}

/// Returns 64 bits by which overrides are told apart; of 5,000 two are alike once in 10^12 times.
fn fingerprint(overrides: &Overrides) -> u64 {
    overrides.iter().fold(overrides.len() as u64, |print, (key, value)| {
        prf(Seed::new(print.rotate_left(1) ^ value), *key)
    })
}

const SPARE_STEPS: u64 = 1_000;
const SPARE_TIME: Duration = Duration::from_secs(60);
const BATCH_PER_JOB: usize = 4;
