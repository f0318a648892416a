//! Many runs of one program.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::Location;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tracing::Level;

use super::control::Control;
use super::determinism;
use super::error::CheckError;
use super::finding::Finding;
#[cfg(target_os = "linux")]
use super::fork::{self, Bounds, Forks, Relaunch};
use super::host::{self, Deadline, Flow, Isolation, NoThread, Stopwatch};
use super::lost::{Lost, LostSeed};
use super::observed::Observed;
use super::pilots::Pilots;
use super::properties::{Judged, Merged, Unmet};
use super::shrink::{Budget, Shrinker};
use super::sim::{ConfigError, Outcome, Settings};
use super::strategy::Strategy;
use super::verdict::Verdict;
use super::watchdog::{Running, StuckRun};
use super::world::{Program, World};
use crate::executor::{Failure, Limits, Watch};
use crate::kernel::Seed;

/// Runs a program under many seeds, shrinks the first failure and says how to replay it.
///
/// Seeds are spread over all cores; the result is the same for one thread and for many: the failing
/// seed with the lowest place is the one reported. What differs between machines is only how long
/// it took.
///
/// # Examples
/// ```
/// use parcae::explore::Check;
/// use parcae::testing::Shared;
/// use std::sync::Arc;
///
/// let report = Check::new("counter").seeds(100).run(|| async {
///     let counter = Arc::new(Shared::new(0));
///     let other = counter.clone();
///     let increment = parcae::spawn(async move {
///         let value = other.get().await;
///         other.set(value + 1).await; // somebody else may have written in between
///     });
///     let value = counter.get().await;
///     counter.set(value + 1).await;
///     increment.await;
///     assert_eq!(counter.get().await, 2);
/// });
/// let finding = report.finding().expect("an update is lost under some seed");
/// assert_eq!(finding.world().overrides.len(), 1, "one preemption is enough");
/// ```
#[derive(Clone, Debug)]
#[must_use = "a check does nothing before `run`"]
pub struct Check {
    pub(super) name: String,
    pub(super) first_seed: Seed,
    /// How many seeds are run from the first one on, beside the regression seeds.
    pub(super) seed_count: u64,
    pub(super) regression_seeds: Vec<Seed>,
    pub(super) settings: Settings,
    pub(super) jobs: usize,
    pub(super) isolation: Isolation,
    pub(super) determinism: Determinism,
    pub(super) shrink: Shrink,
    pub(super) time_limit: Option<Duration>,
    pub(super) control: Control,
    pub(super) trace: Option<Level>,
    pub(super) is_capturing: bool,
    pub(super) unmet: Unmet,
    /// Modules whose properties are asked for.
    pub(super) expected_modules: Vec<String>,
    pub(super) memory_limit: u64,
    pub(super) stuck_after: Duration,
    /// Who is told of a run that is stuck on a thread, which cannot be ended.
    pub(super) on_stuck: Option<fn(&StuckRun)>,
    /// Path of the test that this check is, as the test harness is to be told.
    pub(super) test: Option<String>,
}

/// Which seeds are run twice, to see whether the two runs are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Determinism {
    /// The first seed of each check.
    #[default]
    FirstSeed,
    /// All of them, which takes twice as long.
    EverySeed,
    /// None.
    Off,
}

/// How much is spent on making a failure small.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shrink {
    /// Most runs; 0 reports the failure as it was found. Default 5,000.
    pub runs: u64,
    /// Most runs without progress. Default 500.
    pub runs_without_progress: u64,
}

impl Default for Shrink {
    fn default() -> Self {
        Self { runs: 5_000, runs_without_progress: 500 }
    }
}

impl Check {
    /// Makes a check with all defaults: seeds 0 to 99, strategy `Random`, one thread for each core.
    ///
    /// The name stands in reports and in replay tokens.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            first_seed: Seed::new(0),
            seed_count: DEFAULT_SEEDS,
            regression_seeds: Vec::new(),
            settings: Settings::default(),
            jobs: host::default_jobs(),
            isolation: Isolation::default(),
            determinism: Determinism::default(),
            shrink: Shrink::default(),
            time_limit: None,
            control: Control::new(),
            trace: None,
            is_capturing: false,
            unmet: Unmet::default(),
            expected_modules: Vec::new(),
            memory_limit: MEMORY_LIMIT,
            stuck_after: STUCK_AFTER,
            on_stuck: None,
            test: None,
        }
    }

    /// Sets how many seeds are run, from the first one on. After the greatest number comes 0.
    pub fn seeds(mut self, count: u64) -> Self {
        self.seed_count = count;
        self
    }

    /// Sets the first seed. Default 0.
    pub fn first_seed(mut self, seed: impl Into<Seed>) -> Self {
        self.first_seed = seed.into();
        self
    }

    /// Adds a seed that is run before all others, because it once failed.
    pub fn regression_seed(mut self, seed: impl Into<Seed>) -> Self {
        self.regression_seeds.push(seed.into());
        self
    }

    /// Runs this one seed and no other: those that were set before are forgotten.
    pub fn only_seed(mut self, seed: impl Into<Seed>) -> Self {
        self.regression_seeds = vec![seed.into()];
        self.seed_count = 0;
        self
    }

    /// Sets how schedules are explored. Default [`Strategy::Random`].
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.settings.strategy = strategy;
        self
    }

    /// Sets how many threads run seeds. Default one for each core.
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.jobs = jobs;
        self
    }

    /// Sets which thread or process a run gets. Default [`Isolation::Thread`].
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// Sets how many bytes a run may allocate that has a process of its own ([`Isolation::Fork`]), beyond
    /// what that has before. Default 1 GiB.
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// Sets after how much real time a run that has a process of its own ([`Isolation::Fork`]) is ended, as
    /// stuck, or after which [`Check::on_stuck`] is told of one on a thread. Default 30 seconds. Long enough for a busy machine: it depends on its speed.
    pub fn stuck_after(mut self, time: Duration) -> Self {
        self.stuck_after = time;
        self
    }

    /// Sets who is told, on another thread, of a run that has not ended after [`Check::stuck_after`] and has no
    /// process that could be ended. The check waits for the run nevertheless. Default nobody; a check of
    /// the test harness prints the seed.
    pub fn on_stuck(mut self, tell: fn(&StuckRun)) -> Self {
        self.on_stuck = Some(tell);
        self
    }

    /// Says which test this check is, for the process that is started to come to it again.
    pub(crate) fn of_test(mut self, path: &str) -> Self {
        self.test = Some(path.to_owned());
        self
    }

    /// Sets all limits of a run. Default [`Limits::default`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Sets the most polls and points of a run.
    pub fn max_steps(mut self, steps: u64) -> Self {
        self.settings.limits.steps = steps;
        self
    }

    /// Sets the latest virtual time of a run.
    pub fn max_time(mut self, time: Duration) -> Self {
        self.settings.limits.time = time;
        self
    }

    /// Sets what [`crate::time::SystemTime`] shows at the start, as time since 1970. Default 2020-01-01,
    /// 00:00 UTC.
    pub fn epoch(mut self, epoch: Duration) -> Self {
        self.settings.epoch = epoch;
        self
    }

    /// Sets which bad habits are watched for: they stand in the report of a failure, or are one
    /// themselves. Default none.
    pub fn watch(mut self, watch: Watch) -> Self {
        self.settings.watch = watch;
        self
    }

    /// Sets which seeds are run twice. Default [`Determinism::FirstSeed`].
    pub fn determinism(mut self, determinism: Determinism) -> Self {
        self.determinism = determinism;
        self
    }

    /// Sets whether [`buggify!`](crate::buggify!) fires and [`knob!`](crate::knob!) sets anything but the
    /// usual value. Default true.
    pub fn buggify(mut self, is_buggified: bool) -> Self {
        self.settings.is_buggified = is_buggified;
        self
    }

    /// Sets what becomes of a check whose seeds have all passed, but in none of which a
    /// [`sometimes!`](crate::sometimes!) was true. Default: it fails, if it has 100 seeds or more.
    pub fn unmet(mut self, unmet: Unmet) -> Self {
        self.unmet = unmet;
        self
    }

    /// Asks for the properties of a module, and of those inside of it, as `module_path!()` names it: those
    /// that no seed comes to are unmet, too. May be called for several modules.
    ///
    /// Without it, places that no seed comes to are not known: a test binary holds those of many tests.
    /// Ask for the modules that this check is to exercise wholly.
    pub fn expect_properties_of(mut self, module: impl Into<String>) -> Self {
        self.expected_modules.push(module.into());
        self
    }

    /// Keeps, of each property, the details of its first evaluations, and the numbers that were nearest to
    /// what it aims at, for [`report::properties_json`](crate::report::properties_json). Default false.
    pub fn property_details(mut self, are_kept: bool) -> Self {
        self.settings.keeps_details = are_kept;
        self
    }

    /// Sets how much is spent on shrinking. Default [`Shrink::default`].
    pub fn shrink(mut self, shrink: Shrink) -> Self {
        self.shrink = shrink;
        self
    }

    /// Sets a limit in wall time, after which no more seeds are begun and shrinking ends; the report
    /// says so. Default none. The first seed is run whatever the limit.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Sets the handle by which another thread watches or stops the check.
    pub fn control(mut self, control: Control) -> Self {
        self.control = control;
        self
    }

    /// Keeps what the program traces at this level or above, when a world is replayed; see
    /// [`SimBuilder::trace`](super::SimBuilder::trace). A search keeps nothing.
    pub fn trace(mut self, level: Level) -> Self {
        self.trace = Some(level);
        self
    }

    /// Keeps what goes over the network when a world is replayed, for [`Replay::attachments`]
    /// (`capture.pcapng`). A search keeps nothing.
    ///
    /// [`Replay::attachments`]: super::Replay::attachments
    pub fn capture(mut self, is_capturing: bool) -> Self {
        self.is_capturing = is_capturing;
        self
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs the program under the seeds, until one fails.
    ///
    /// The program is called once for each run, on the thread of that run.
    ///
    /// # Panics
    /// When an option cannot be or the machine gives no thread, as [`Check::try_run`] returns it.
    #[track_caller]
    pub fn run<P, F>(self, program: P) -> CheckReport
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future + 'static,
        F::Output: Verdict,
    {
        match self.try_run(program) {
            Ok(report) => report,
            Err(error) => panic!("{error}"),
        }
    }

    /// Runs the program under the seeds, until one fails.
    ///
    /// # Errors
    /// [`CheckError`] when an option cannot be, or when the machine gives no thread: fewer than were
    /// asked for do, but each run needs one, unless the check has [`Isolation::Reuse`]. A failure
    /// whose shrinking gets none is reported as small as it is by then.
    #[track_caller]
    pub fn try_run<P, F>(self, program: P) -> Result<CheckReport, CheckError>
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future + 'static,
        F::Output: Verdict,
    {
        self.validate()?;
        let program = Program::new(program);
        #[cfg(target_os = "linux")]
        let forks = self.forks(&program, Location::caller());
        let mut check = self;
        let pilots = check.run_pilots(&program)?;
        Search {
            check: &check,
            program,
            pilots,
            running: Running::default(),
            #[cfg(target_os = "linux")]
            forks,
        }
        .watched()
    }

    /// Returns what forks a process for each run, if that is asked for. Does not return in the process
    /// that was started to do so.
    #[cfg(target_os = "linux")]
    fn forks(&self, program: &Program, place: &Location<'_>) -> Option<Forks> {
        if self.isolation != Isolation::Fork {
            return None;
        }
        let relaunch = Relaunch::of_here(&self.name, place, self.test.as_deref());
        if relaunch.is_meant_here() {
            let bounds = Bounds { memory_bytes: self.memory_limit, stuck_after: self.stuck_after };
            fork::serve(program, &self.settings, bounds);
        }
        Some(Forks::new(relaunch))
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        self.settings.check()?;
        if self.seed_count() == 0 {
            return Err(ConfigError::NoSeeds);
        }
        if self.jobs == 0 {
            return Err(ConfigError::NoJobs);
        }
        Ok(())
    }

    /// Returns how many seeds there are.
    pub(super) fn seed_count(&self) -> u64 {
        (self.regression_seeds.len() as u64).saturating_add(self.seed_count)
    }

    /// Returns the seed at a place.
    fn seed_at(&self, place: usize) -> Seed {
        match self.regression_seeds.get(place) {
            Some(seed) => *seed,
            None => {
                let place = (place - self.regression_seeds.len()) as u64;
                Seed::new(self.first_seed.get().wrapping_add(place))
            }
        }
    }
}

/// What a check found.
#[derive(Clone, Debug)]
#[must_use = "a report may hold a failure"]
pub struct CheckReport {
    pub(super) name: String,
    pub(super) strategy: Strategy,
    pub(super) seeds_planned: u64,
    pub(super) seeds_run: u64,
    pub(super) pilots_run: u64,
    pub(super) steps: u64,
    pub(super) finding: Option<Box<Finding>>,
    pub(super) stop: Option<Stop>,
    pub(super) wall_time: Duration,
    pub(super) judged: Judged,
    pub(super) lost: Vec<LostSeed>,
}

/// Why a check ended before its last seed without a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// Its limit of wall time was reached.
    TimeLimit,
    /// [`Control::stop`] was called.
    Interrupted,
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

    /// Returns how many seeds were to be run.
    #[must_use]
    pub fn seeds_planned(&self) -> u64 {
        self.seeds_planned
    }

    /// Returns how many seeds were run, up to the failing one if there is one.
    #[must_use]
    pub fn seeds_run(&self) -> u64 {
        self.seeds_run
    }

    /// Returns how many pilot runs came before the seeds: none for a strategy that needs none. A search
    /// that ends with a failing pilot runs no seed.
    #[must_use]
    pub fn pilots_run(&self) -> u64 {
        self.pilots_run
    }

    /// Returns the polls and points of all those runs.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Returns the failure that was found.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        self.finding.as_deref()
    }

    /// Returns the seeds whose process ended before their run did, in order; with [`Isolation::Fork`]
    /// only. The others were run nevertheless, until there were 16 of these.
    #[must_use]
    pub fn lost(&self) -> &[LostSeed] {
        &self.lost
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

pub(super) struct Search<'a> {
    pub(super) check: &'a Check,
    pub(super) program: Program,
    pilots: Pilots,
    running: Running,
    #[cfg(target_os = "linux")]
    forks: Option<Forks>,
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

impl Search<'_> {
    /// Runs the search, and tells of runs that are stuck if somebody wants to know.
    fn watched(&self) -> Result<CheckReport, CheckError> {
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
        let failed = tally.failed;
        let examine = |place| self.examine(check.seed_at(place), &mut tally, search_time, deadline);
        let finding = failed.map(examine).transpose()?;
        let lost_finding = || {
            let LostSeed { seed, failure } = lost.first()?.clone();
            Some(Finding::lost(check, seed, failure, search_time))
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
        let search = Search {
            check: &as_pilot,
            program: self.program.clone(),
            pilots: self.pilots,
            running: Running::default(),
            #[cfg(target_os = "linux")]
            forks: None,
        };
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
        if let Some(forks) = &self.forks {
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
        let shrinker = Shrinker::new(check, &self.program, budget);
        let shrunk = shrinker.shrink(&failure, &outcome);
        Ok(match shrunk {
            Some(shrunk) => Finding::shrunk(check, outcome, failure, shrunk, search_time),
            None => Finding::unshrunk(check, outcome, world, failure, search_time),
        })
    }
}

const DEFAULT_SEEDS: u64 = 100;
const MEMORY_LIMIT: u64 = 1 << 30;
const STUCK_AFTER: Duration = Duration::from_secs(30);
