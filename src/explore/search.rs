//! The search of a check: which seeds are run, where, and what becomes of the first that fails.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use super::check::{Check, Determinism};
use super::check_report::{CheckReport, Stop};
use super::determinism;
use super::error::CheckError;
use super::finding::Finding;
#[cfg(target_os = "linux")]
use super::fork;
use super::host::{self, Deadline, Flow, NoThread, Stopwatch};
use super::lost::{Lost, LostSeed};
use super::observed::Observed;
use super::pilots::Pilots;
use super::processes::Processes;
use super::properties::Merged;
use super::shrink::{Budget, Shrinker};
use super::sim::Outcome;
use super::strategy::Strategy;
use super::watchdog::{Running, StuckRun};
use super::world::{Program, World};
use crate::executor::Failure;
use crate::kernel::Seed;

pub(super) struct Search<'a> {
    pub(super) check: &'a Check,
    pub(super) program: Program,
    pilots: Pilots,
    running: Running,
    pub(super) processes: Processes,
}

/// What became of the seeds, by place. What ran beside or after the failing seed is left out: it
/// depends on the machine.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) failed: Option<usize>,
    pub(super) leak: Option<Failure>,
    /// The failing run in its own process, for comparison.
    #[cfg(target_os = "linux")]
    pub(super) forked: Option<fork::Facts>,
    pub(super) lost: Lost,
    /// How many seeds have been run without a gap, and their steps.
    seeds_run: usize,
    steps: u64,
    merged: Merged,
    /// Seeds that were done before one in front of them.
    ahead: BTreeMap<usize, Done>,
}

/// What is known of one seed that was run.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) seed: Seed,
    pub(super) steps: u64,
    pub(super) observed: Observed,
}

impl Tally {
    /// Counts a seed. Those behind the first failing one stay ahead for ever: whether they were run
    /// depends on the machine.
    pub(super) fn count(&mut self, place: usize, done: Done) {
        self.ahead.insert(place, done);
        while self.failed.is_none_or(|failed| self.seeds_run <= failed)
            && let Some(Done { seed, steps, observed }) = self.ahead.remove(&self.seeds_run)
        {
            self.seeds_run += 1;
            self.steps += steps;
            self.merged.add(seed, observed);
        }
    }
}

impl<'a> Search<'a> {
    pub(super) fn new(
        check: &'a Check,
        program: Program,
        processes: Processes,
        pilots: Pilots,
    ) -> Self {
        Self { check, program, pilots, running: Running::default(), processes }
    }

    /// Runs the search, and tells of runs that are stuck if somebody wants to know.
    pub(super) fn watched(&self) -> Result<CheckReport, CheckError> {
        let check = self.check;
        let Some(on_stuck) = check.on_stuck else { return self.run() };
        let tell = |seed| {
            on_stuck(&StuckRun { check: check.name.clone(), seed, after: check.stuck_after });
        };
        self.running.watched(check.stuck_after, tell, || self.run())
    }

    fn run(&self) -> Result<CheckReport, CheckError> {
        let check = self.check;
        let stopwatch = Stopwatch::start();
        let deadline = Deadline::after(check.time_limit);
        if let Some(seed) = self.pilots.failed {
            return Ok(self.report_of_pilot(seed, stopwatch, deadline)?);
        }
        let tally = Mutex::new(Tally::default());
        let seed_count = usize::try_from(check.seed_count()).unwrap_or(usize::MAX);
        host::in_parallel(check.jobs, seed_count, |place| self.visit(place, deadline, &tally))?;
        let mut tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        let search_time = stopwatch.elapsed();
        let lost = std::mem::take(&mut tally.lost).until(tally.failed)?;
        let lost: Vec<LostSeed> = self.pilots.lost.iter().cloned().chain(lost).collect();
        let failed = tally.failed;
        let examine = |place| self.examine(check.seed_at(place), &mut tally, search_time, deadline);
        let finding = failed.map(examine).transpose()?;
        let lost_finding = || {
            let LostSeed { seed, strategy, failure } = lost.first()?.clone();
            let finding = Finding::lost(check, World::of_seed(seed), failure);
            Some(finding.found_by(strategy, search_time))
        };
        let finding = finding.or_else(lost_finding).map(Box::new);
        let seeds_run = tally.seeds_run as u64;
        let is_early = finding.is_none() && seeds_run < check.seed_count();
        let is_whole = finding.is_none() && !is_early;
        let judged = tally.merged.judge(check, is_whole);
        let stop = is_early
            .then(|| if check.control.is_stopped() { Stop::Interrupted } else { Stop::TimeLimit });
        Ok(CheckReport {
            name: check.name.clone(),
            strategy: check.settings.strategy,
            seeds_planned: check.seed_count(),
            seeds_run,
            pilots_run: self.pilots.run_count,
            steps: self.pilots.steps + tally.steps,
            finding,
            stop,
            wall_time: stopwatch.elapsed(),
            judged,
            lost,
        })
    }

    /// Reports a pilot that failed, instead of running seeds.
    fn report_of_pilot(
        &self,
        seed: Seed,
        stopwatch: Stopwatch,
        deadline: Deadline,
    ) -> Result<CheckReport, NoThread> {
        let mut as_pilot = self.check.clone();
        as_pilot.settings.strategy = Strategy::Random;
        let (program, processes) = (self.program.clone(), self.processes.clone());
        let search = Search::new(&as_pilot, program, processes, Pilots::default());
        let found = &mut Tally::default();
        let finding = search.examine(seed, found, stopwatch.elapsed(), deadline)?;
        Ok(CheckReport {
            name: self.check.name.clone(),
            strategy: self.check.settings.strategy,
            seeds_planned: self.check.seed_count(),
            seeds_run: 0,
            pilots_run: self.pilots.run_count,
            steps: self.pilots.steps,
            finding: Some(Box::new(finding)),
            stop: None,
            wall_time: stopwatch.elapsed(),
            judged: Merged::default().judge(self.check, false),
            lost: Vec::new(),
        })
    }

    fn visit(
        &self,
        place: usize,
        deadline: Deadline,
        tally: &Mutex<Tally>,
    ) -> Result<Flow, NoThread> {
        let check = self.check;
        // At least one seed is run, however late it is.
        if place > 0 && (check.control.is_stopped() || deadline.is_over()) {
            return Ok(Flow::Stop);
        }
        let world = World::of_seed(check.seed_at(place));
        let is_checked = match check.determinism {
            Determinism::FirstSeed => place == 0,
            Determinism::EverySeed => true,
            Determinism::Off => false,
        };
        #[cfg(target_os = "linux")]
        if let Some(forks) = self.processes.forks() {
            return Ok(self.visit_forked(forks, (place, world.seed), is_checked, tally));
        }
        let (mut outcome, leak) = if is_checked {
            let twice =
                || determinism::run_twice(&self.program, &world, &check.settings, check.isolation);
            self.running.noted(world.seed, twice)?
        } else {
            (self.running.noted(world.seed, || self.run_world(&world, false))?, None)
        };
        check.control.count_seed();
        let has_failed = leak.is_some() || !outcome.is_ok();
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        if has_failed && tally.failed.is_none_or(|failed| place < failed) {
            tally.failed = Some(place);
            tally.leak = leak;
        }
        let (steps, observed) = (outcome.steps(), outcome.take_observed());
        tally.count(place, Done { seed: world.seed, steps, observed });
        Ok(if has_failed { Flow::Stop } else { Flow::Continue })
    }

    fn run_world(&self, world: &World, is_logged: bool) -> Result<Outcome, NoThread> {
        let sim = world.sim(&self.check.settings).logged(is_logged);
        host::isolated(self.check.isolation, || self.program.run(sim))
    }

    /// Confirms a failure, shrinks it and gathers what a report needs.
    fn examine(
        &self,
        seed: Seed,
        tally: &mut Tally,
        search_time: Duration,
        deadline: Deadline,
    ) -> Result<Finding, NoThread> {
        let check = self.check;
        let world = World::of_seed(seed);
        let leak = tally.leak.take();
        let (outcome, second) =
            determinism::run_twice(&self.program, &world, &check.settings, check.isolation)?;
        if let Some(leak) = leak.or(second) {
            return Ok(Finding::unshrunk(check, outcome, world, leak, search_time));
        }
        #[cfg(target_os = "linux")]
        if let Some(leak) = tally.forked.take().and_then(|facts| facts.differs_here(&outcome)) {
            return Ok(Finding::unshrunk(check, outcome, world, leak, search_time));
        }
        let Some(failure) = outcome.failure().cloned() else {
            // It failed when it was found and passes now, without a log to say where they part.
            let failure = determinism::vanished();
            return Ok(Finding::unshrunk(check, outcome, world, failure, search_time));
        };
        let budget = Budget::new(&check.shrink, deadline);
        let shrinker = Shrinker::new(check, (&self.program, &self.processes), budget);
        let shrunk = shrinker.shrink(&failure, &outcome);
        Ok(match shrunk {
            Some(shrunk) => Finding::shrunk(check, outcome, failure, shrunk, search_time),
            None => Finding::unshrunk(check, outcome, world, failure, search_time),
        })
    }
}
