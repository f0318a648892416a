//! Many runs of one program.

use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use tracing::Level;

use super::check_report::CheckReport;
use super::control::Control;
use super::error::CheckError;
use super::exhaustive::{Exhauster, Exhaustive};
use super::explain::Explain;
#[cfg(target_os = "linux")]
use super::fork::{self, Bounds, Forks, Relaunch};
use super::host::{self, Isolation};
use super::processes::Processes;
use super::properties::Unmet;
use super::search::Search;
use super::shard::Shard;
use super::sim::{ConfigError, Settings};
use super::strategy::Strategy;
use super::verdict::Verdict;
use super::watchdog::{Running, StuckRun};
use super::world::Program;
use crate::executor::{Limits, Watch};
use crate::fault::BuggifyRates;
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
    pub(super) pilot_seed: Seed,
    pub(super) jobs: usize,
    pub(super) isolation: Isolation,
    pub(super) determinism: Determinism,
    pub(super) shrink: Shrink,
    /// How a failure is explained, if it is.
    pub(super) explain: Option<Explain>,
    pub(super) time_limit: Option<Duration>,
    pub(super) shard: Shard,
    /// Whether seeds are run after one has failed.
    pub(super) keeps_going: bool,
    /// After how many seeds that show nothing new no more are run.
    pub(super) settled_after: Option<u64>,
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
    /// Whether all runs are run instead of seeds.
    pub(super) exhaustive: Option<Exhaustive>,
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
    /// For each sort of faults that is left: most runs without it, in which latencies and switches are drawn
    /// anew, or are the greatest in turn. Default 300.
    pub redraws: u64,
}

impl Default for Shrink {
    fn default() -> Self {
        Self { runs: 5_000, runs_without_progress: 500, redraws: 300 }
    }
}

impl Check {
    /// Makes a check with all defaults: seeds 0 to 99, strategy `Portfolio`, one thread for each core.
    ///
    /// The name stands in reports and in replay tokens.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            first_seed: Seed::new(0),
            seed_count: DEFAULT_SEEDS,
            regression_seeds: Vec::new(),
            settings: Settings { strategy: Strategy::default(), ..Settings::default() },
            pilot_seed: Seed::new(0),
            jobs: host::default_jobs(),
            isolation: Isolation::default(),
            determinism: Determinism::default(),
            shrink: Shrink::default(),
            explain: None,
            time_limit: None,
            shard: Shard::WHOLE,
            keeps_going: false,
            settled_after: None,
            control: Control::new(),
            trace: None,
            is_capturing: false,
            unmet: Unmet::default(),
            expected_modules: Vec::new(),
            memory_limit: MEMORY_LIMIT,
            stuck_after: STUCK_AFTER,
            on_stuck: None,
            test: None,
            exhaustive: None,
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
        let seed = seed.into();
        (self.first_seed, self.seed_count) = (seed, 0);
        self.regression_seeds = vec![seed];
        self
    }

    /// Sets how schedules are explored. Default [`Strategy::Portfolio`].
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.settings.strategy = strategy;
        self
    }

    /// Sets the first of the two seeds that are pilots: runs at random, which show a strategy what the program
    /// does (see [`Check::profile`]). Default 0.
    ///
    /// Whatever repeats a run of one seed has to set the same pilots. So leave it as it is, unless many searches
    /// of one program are to be independent of each other.
    pub fn pilot_seed(mut self, seed: impl Into<Seed>) -> Self {
        self.pilot_seed = seed.into();
        self
    }

    /// Sets how many threads run seeds. Default one for each core.
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.jobs = jobs;
        self
    }

    /// Runs all that can happen instead of seeds, depth first, up to some limits: every order of tasks at every decision, and
    /// every value of the draws that have few. For programs of a few tasks with a few points each;
    /// [`CheckReport::exhaustion`] says whether that was all of it.
    ///
    /// A run is the default world with overrides, so a failure has a token as ever. It ends at the first failure. Seeds and shards
    /// of them, the strategy, jobs, [`Check::keep_going`], [`Check::stop_after_nothing_new`] and [`Isolation::Fork`] have no part in
    /// it; the first seed is what generators ([`rng`](crate::rng())) depend on.
    ///
    /// # Examples
    /// ```
    /// use parcae::explore::{Check, Exhaustive};
    /// use parcae::sync::Mutex;
    /// use std::sync::Arc;
    ///
    /// let report = Check::new("counter").exhaustive(Exhaustive::default()).run(|| async {
    ///     let counter = Arc::new(Mutex::new(0));
    ///     let other = counter.clone();
    ///     let increment = parcae::spawn(async move { *other.lock().await += 1 });
    ///     *counter.lock().await += 1;
    ///     increment.await;
    ///     assert_eq!(*counter.lock().await, 2);
    /// });
    /// assert!(report.finding().is_none());
    /// assert!(report.exhaustion().expect("it was asked for").is_complete());
    /// ```
    pub fn exhaustive(mut self, exhaustive: Exhaustive) -> Self {
        self.exhaustive = Some(exhaustive);
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

    /// Sets how often [`buggify!`](crate::buggify!) is true, and switches it on.
    pub fn buggify_rates(mut self, rates: BuggifyRates) -> Self {
        self.settings.buggify_rates = rates;
        self.buggify(true)
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

    /// Has a failure explained that is found or replayed, for [`Finding::explanation`](super::Finding::explanation).
    /// Default: none is, as that takes more runs than shrinking does. With [`Isolation::Fork`] none is.
    pub fn explain(mut self, explain: impl Into<Option<Explain>>) -> Self {
        self.explain = explain.into();
        self
    }

    /// Sets a limit in wall time, after which no more seeds are begun and shrinking ends; the report
    /// says so. Default none. The first seed is run whatever the limit.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Runs only this part of the seeds; the first of them is run twice as that of the whole would be. A part
    /// never fails for what is unmet, which another part may have met. Default [`Shard::WHOLE`].
    pub fn shard(mut self, shard: Shard) -> Self {
        self.shard = shard;
        self
    }

    /// Sets whether the seeds behind a failing one are run nevertheless: all that fail stand in
    /// [`CheckReport::failing`], and the first of each signature is shrunk. Default false.
    ///
    /// # Examples
    /// ```
    /// use parcae::explore::Check;
    ///
    /// let report = Check::new("dice").seeds(600).keep_going(true).run(|| async {
    ///     let dice: u32 = parcae::choose(1..=6);
    ///     assert!(dice != 3, "a three");
    ///     assert!(dice < 6, "a six");
    /// });
    /// assert_eq!(report.findings().len(), 2);
    /// assert!(report.failing().len() > 100, "a third of them: {}", report.failing().len());
    /// ```
    pub fn keep_going(mut self, keeps_going: bool) -> Self {
        self.keeps_going = keeps_going;
        self
    }

    /// Runs no more seeds after so many in a row that have shown nothing new: see
    /// [`CheckReport::coverage`]. It goes by the order of the seeds, so it ends at the same one on every machine.
    /// A check that ends so counts as whole. Default never.
    pub fn stop_after_nothing_new(mut self, seeds: u64) -> Self {
        self.settled_after = Some(seeds);
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

    /// Runs the program under the seeds, until one fails; all of them if it keeps going ([`Check::keep_going`]), and all runs
    /// instead of seeds if that is asked for ([`Check::exhaustive`]).
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
    /// [`CheckError`] when an option cannot be, or when the machine gives no process, or no thread: fewer than were
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
        let running = Running::of(&self);
        if let Some(exhaustive) = &self.exhaustive {
            let exhauster = Exhauster::new(&self, exhaustive, program, &running);
            return running.watched(|| exhauster.run());
        }
        let processes = self.processes(&program, Location::caller());
        let mut check = self;
        running.watched(|| {
            let pilots = check.run_pilots(&program, &processes, &running)?;
            Search::new(&check, program, processes, pilots, &running).run()
        })
    }

    /// Returns what forks a process for each run, if that is asked for. Does not return in the process
    /// that was started to do so.
    #[cfg(target_os = "linux")]
    pub(super) fn processes(&self, program: &Program, place: &Location<'_>) -> Processes {
        if self.isolation != Isolation::Fork {
            return Processes::default();
        }
        let relaunch = Relaunch::of_here(&self.name, place, self.test.as_deref());
        if relaunch.is_meant_here() {
            let bounds = Bounds { memory_bytes: self.memory_limit, stuck_after: self.stuck_after };
            fork::serve(program, &self.settings, bounds);
        }
        Processes::new(Forks::new(relaunch))
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, reason = "as where there are processes")]
    pub(super) fn processes(&self, _: &Program, _: &Location<'_>) -> Processes {
        Processes::default()
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

    /// Gives runs a thread where they would have a process.
    pub(crate) fn without_processes(mut self) -> Self {
        if self.isolation == Isolation::Fork {
            self.isolation = Isolation::Thread;
        }
        self
    }

    /// Returns how many of the seeds are run here.
    pub(super) fn own_seed_count(&self) -> u64 {
        self.shard.share(self.seed_count())
    }

    /// Returns how many seeds there are.
    pub(super) fn seed_count(&self) -> u64 {
        (self.regression_seeds.len() as u64).saturating_add(self.seed_count)
    }

    /// Returns the seed at a place among those that are run here.
    pub(super) fn seed_at(&self, own: usize) -> Seed {
        let place = self.shard.place(own as u64);
        let regression_count = self.regression_seeds.len() as u64;
        match place.checked_sub(regression_count) {
            Some(place) => Seed::new(self.first_seed.get().wrapping_add(place)),
            None => {
                let place = usize::try_from(place).expect("an index of a list");
                self.regression_seeds[place]
            }
        }
    }
}

const DEFAULT_SEEDS: u64 = 100;
const MEMORY_LIMIT: u64 = 1 << 30;
const STUCK_AFTER: Duration = Duration::from_secs(30);
