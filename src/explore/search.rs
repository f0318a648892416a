//! The search of a check: which seeds are run, where, and what becomes of those that fail.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use super::check::{Check, Determinism};
use super::check_report::{CheckReport, Stop};
use super::determinism;
use super::error::CheckError;
use super::explain::explained;
use super::failing::{FailedRun, Failing, FailingSeed};
use super::finding::Finding;
use super::host::{self, Deadline, Flow, NoThread, Stopwatch};
use super::lost::{Lost, LostSeed};
use super::observed::Observed;
use super::pilots::Pilots;
use super::processes::Processes;
use super::properties::Merged;
use super::shrink::{Budget, Shrinker, Shrunk};
use super::sim::Outcome;
use super::watchdog::Running;
use super::world::{Program, World};
use crate::kernel::Seed;

pub(super) struct Search<'a> {
    pub(super) check: &'a Check,
    program: Program,
    pilots: Pilots,
    running: &'a Running,
    pub(super) processes: Processes,
}

/// What became of the seeds, by place. What ran beside or after the seed that ends the search is left
/// out: it depends on the machine.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The first place whose seed ends the search, as far as is known.
    pub(super) last: Option<usize>,
    pub(super) lost: Lost,
    failing: Failing,
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
    pub(super) chain: u64,
    pub(super) observed: Observed,
    pub(super) failed: Option<FailedRun>,
}

impl Tally {
    /// Counts a seed; says whether more are to be begun. Those behind the one that ends the search stay ahead for
    /// ever: whether they were run depends on the machine.
    pub(super) fn count(&mut self, check: &Check, place: usize, done: Done) -> Flow {
        if done.failed.is_some() && !check.keeps_going {
            self.end_at(place);
        }
        self.ahead.insert(place, done);
        while self.last.is_none_or(|last| self.seeds_run <= last)
            && let Some(done) = self.ahead.remove(&self.seeds_run)
        {
            self.merged.add(done.seed, done.chain, done.observed);
            self.steps += done.steps;
            if let Some(run) = done.failed {
                self.note(check, run);
            }
            if !check.keeps_going && self.lost.is_enough(self.seeds_run) {
                self.end_at(self.seeds_run);
            }
            if check.settled_after.is_some_and(|seeds| self.merged.is_settled(seeds)) {
                self.end_at(self.seeds_run);
            }
            self.seeds_run += 1;
        }
        if self.last.is_some() { Flow::Stop } else { Flow::Continue }
    }

    /// Adds failing runs that stand behind a seed which a stop has left out. None is behind the one that ends the search.
    fn note_those_behind_a_gap(&mut self, check: &Check) {
        let last = self.last;
        for (place, done) in std::mem::take(&mut self.ahead) {
            if last.is_none_or(|last| place <= last)
                && let Some(run) = done.failed
            {
                self.note(check, run);
            }
        }
    }

    fn end_at(&mut self, place: usize) {
        self.last = Some(self.last.map_or(place, |last| last.min(place)));
    }

    /// Adds the next failing run.
    fn note(&mut self, check: &Check, run: FailedRun) {
        let seed = self.failing.add(run);
        if check.keeps_going {
            check.control.note(seed);
        }
    }
}

impl<'a> Search<'a> {
    pub(super) fn new(
        check: &'a Check,
        program: Program,
        processes: Processes,
        pilots: Pilots,
        running: &'a Running,
    ) -> Self {
        Self { check, program, pilots, running, processes }
    }

    pub(super) fn run(&self) -> Result<CheckReport, CheckError> {
        let check = self.check;
        let stopwatch = Stopwatch::start();
        let deadline = Deadline::after(check.time_limit);
        let tally = Mutex::new(Tally::default());
        let seed_count = usize::try_from(check.own_seed_count()).unwrap_or(usize::MAX);
        host::in_parallel(check.jobs, seed_count, |place| self.visit(place, deadline, &tally))?;
        let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.report(tally, stopwatch, deadline)
    }

    /// Examines what failed and judges the rest.
    fn report(
        &self,
        mut tally: Tally,
        stopwatch: Stopwatch,
        deadline: Deadline,
    ) -> Result<CheckReport, CheckError> {
        let check = self.check;
        let search_time = stopwatch.elapsed();
        tally.note_those_behind_a_gap(check);
        let lost = std::mem::take(&mut tally.lost).until(tally.seeds_run)?;
        let Failing { seeds: mut failing, firsts, .. } = std::mem::take(&mut tally.failing);
        let examine = |run| self.examine(run, search_time, deadline);
        let mut findings = firsts.into_iter().map(examine).collect::<Result<Vec<_>, _>>()?;
        if findings.is_empty()
            && let Some(LostSeed { seed, failure }) = lost.first().cloned()
        {
            failing.push(FailingSeed::of(&FailedRun::new(World::of_seed(seed), &failure)));
            findings.push(Finding::lost(check, World::of_seed(seed), failure, search_time));
        }
        let (seeds_run, own_count) = (tally.seeds_run as u64, check.own_seed_count());
        let is_settled = check.settled_after.is_some_and(|seeds| tally.merged.is_settled(seeds));
        let is_ended_by_seeds = tally.last.is_some() && !is_settled;
        let is_early = seeds_run < own_count && !is_ended_by_seeds;
        let stop = is_early.then(|| match is_settled {
            true => Stop::NothingNew,
            false if check.control.is_stopped() => Stop::Interrupted,
            false => Stop::TimeLimit,
        });
        let is_through = matches!(stop, None | Some(Stop::NothingNew));
        let is_whole = findings.is_empty() && is_through && check.shard.is_whole();
        Ok(CheckReport {
            name: check.name.clone(),
            strategy: check.settings.strategy,
            shard: check.shard,
            keeps_going: check.keeps_going,
            seeds_planned: own_count,
            seeds_run,
            pilots_run: self.pilots.run_count,
            steps: tally.steps,
            findings,
            failing,
            stop,
            wall_time: stopwatch.elapsed(),
            coverage: tally.merged.coverage(),
            judged: tally.merged.judge(check, is_whole.then_some(seeds_run)),
            lost,
            exhaustion: None,
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
        let leak = leak.or_else(|| self.pilots.differs(world.seed, &outcome));
        check.control.count_seed();
        let failure = leak.as_ref().or(outcome.failure());
        let failed = failure
            .map(|failure| FailedRun::new(world.clone(), failure))
            .map(|run| FailedRun { leak, ..run });
        let (steps, chain) = (outcome.steps(), outcome.chain().get());
        let done =
            Done { seed: world.seed, steps, chain, observed: outcome.take_observed(), failed };
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(tally.count(check, place, done))
    }

    fn run_world(&self, world: &World, is_logged: bool) -> Result<Outcome, NoThread> {
        let sim = world.sim(&self.check.settings).logged(is_logged);
        host::isolated(self.check.isolation, || self.program.run(sim))
    }

    /// Confirms a failure, shrinks it and gathers what a report needs.
    pub(super) fn examine(
        &self,
        run: FailedRun,
        search_time: Duration,
        deadline: Deadline,
    ) -> Result<Finding, NoThread> {
        let check = self.check;
        if let Some(failure) = run.lost {
            return Ok(Finding::lost(check, run.world, failure, search_time));
        }
        let world = run.world;
        let (outcome, second) =
            determinism::run_twice(&self.program, &world, &check.settings, check.isolation)?;
        if let Some(leak) = run.leak.or(second) {
            return Ok(Finding::unshrunk(check, outcome, world, leak, search_time));
        }
        #[cfg(target_os = "linux")]
        if let Some(leak) = run.forked.and_then(|facts| facts.differs_here(&outcome)) {
            return Ok(Finding::unshrunk(check, outcome, world, leak, search_time));
        }
        let Some(failure) = outcome.failure().cloned() else {
            // It failed when it was found and passes now, without a log to say where they part.
            let failure = determinism::vanished();
            return Ok(Finding::unshrunk(check, outcome, world, failure, search_time));
        };
        let budget = Budget::new(&check.shrink, deadline);
        let shrinker = Shrinker::new(check, (&self.program, &self.processes), budget);
        let finding = match shrinker.shrink(&failure, &outcome) {
            Some(Shrunk { leak: Some(leak), .. }) => {
                Finding::unshrunk(check, outcome, world, leak, search_time)
            }
            Some(shrunk) => Finding::shrunk(check, outcome, failure, shrunk, search_time),
            None => Finding::unshrunk(check, outcome, world, failure, search_time),
        };
        Ok(explained(check, &self.program, finding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::Failure;
    use crate::kernel::VirtualTime;

    fn done(seed: u64, is_failing: bool) -> Done {
        let failure = Failure::Livelock { steps: seed, time: VirtualTime::ZERO, tasks: Vec::new() };
        let world = World::of_seed(Seed::new(seed));
        Done {
            seed: world.seed,
            steps: 1,
            chain: seed,
            observed: Observed::default(),
            failed: is_failing.then(|| FailedRun::new(world, &failure)),
        }
    }

    #[test]
    fn a_failing_seed_behind_one_that_a_stop_has_left_out_is_reported() {
        let check = Check::new("stopped").seeds(10);
        let mut tally = Tally::default();
        assert_eq!(tally.count(&check, 0, done(0, false)), Flow::Continue);
        // Nobody comes back to 1.
        assert_eq!(tally.count(&check, 2, done(2, true)), Flow::Stop);
        assert_eq!(tally.count(&check, 3, done(3, true)), Flow::Stop);
        tally.note_those_behind_a_gap(&check);
        let seeds: Vec<u64> = tally.failing.seeds.iter().map(|it| it.seed().get()).collect();
        assert_eq!(seeds, [2], "what was run behind it depends on the machine");
        assert_eq!(tally.seeds_run, 1);
    }
}
