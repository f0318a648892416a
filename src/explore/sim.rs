//! One run.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tracing::Level;

use super::observed::{Observed, Observers};
use super::strategy::{Pilot, Profile, Strategy};
use super::trace;
use crate::executor::{Attachment, Failure, Limits, Log, Pick, Plan, Warning, Watch};
use crate::fault::{BuggifyCount, BuggifyRates, KindCount, KnobSetting};
use crate::kernel::{Chain, Choices, Fill, Overrides, Reseed, Seed, VirtualTime};
use crate::oracle::PropertyCount;

/// One run of a program in a simulated world.
///
/// # Examples
/// ```
/// use parcae::Sim;
/// use std::time::Duration;
///
/// let outcome = Sim::new(7).run(|| async {
///     parcae::time::sleep(Duration::from_secs(3600)).await;
///     42
/// });
/// assert_eq!(outcome.elapsed(), Duration::from_secs(3600));
/// assert_eq!(outcome.unwrap(), 42);
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Sim {
    seed: Seed,
    fill: Fill,
    overrides: Overrides,
    reseed: Option<Reseed>,
    /// What answers choices before the defaults do.
    bytes: Option<Arc<[u8]>>,
    settings: Settings,
    is_logged: bool,
    is_capturing: bool,
    is_pilot: bool,
    trace: Option<Level>,
}

/// What a run depends on beside program, seed and overrides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) strategy: Strategy,
    /// What pilots have shown; none is as if there had been none.
    pub(crate) profile: Option<Arc<Profile>>,
    pub(crate) limits: Limits,
    pub(crate) epoch: Duration,
    pub(crate) watch: Watch,
    /// Whether `buggify!` and `knob!` do anything.
    pub(crate) is_buggified: bool,
    pub(crate) buggify_rates: BuggifyRates,
    /// Whether first evaluations of properties are kept with their details.
    pub(crate) keeps_details: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            strategy: Strategy::Random,
            profile: None,
            limits: Limits::default(),
            epoch: EPOCH,
            watch: Watch::default(),
            is_buggified: true,
            buggify_rates: BuggifyRates::default(),
            keeps_details: false,
        }
    }
}

impl Settings {
    /// Checks what the types do not.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let limits = &self.limits;
        let zero = [
            ("steps", limits.steps == 0),
            ("steps_per_instant", limits.steps_per_instant == 0),
            ("tasks", limits.tasks == 0),
        ];
        if let Some((limit, _)) = zero.into_iter().find(|(_, is_zero)| *is_zero) {
            return Err(ConfigError::ZeroLimit { limit });
        }
        if limits.tasks > TASKS_MAX {
            return Err(ConfigError::TooManyTasks { tasks: limits.tasks, limit: TASKS_MAX });
        }
        if u64::try_from(self.epoch.as_nanos()).is_err() {
            return Err(ConfigError::EpochTooLate { epoch: self.epoch });
        }
        Ok(())
    }
}

impl Sim {
    /// Makes a run with this seed and all defaults: strategy `Random`, no log.
    #[must_use]
    pub fn new(seed: impl Into<Seed>) -> Self {
        Self::with_settings(seed.into(), Settings::default())
    }

    /// Returns a builder with all defaults.
    pub fn builder() -> SimBuilder {
        SimBuilder { sim: Self::new(0) }
    }

    pub(crate) fn with_settings(seed: Seed, settings: Settings) -> Self {
        Self {
            seed,
            fill: Fill::Seeded,
            overrides: Overrides::new(),
            reseed: None,
            bytes: None,
            settings,
            is_logged: false,
            is_capturing: false,
            is_pilot: false,
            trace: None,
        }
    }

    pub(crate) fn with_overrides(mut self, fill: Fill, overrides: Overrides) -> Self {
        (self.fill, self.overrides) = (fill, overrides);
        self
    }

    /// Repeats the run up to an event, and then goes another way, at random.
    pub(super) fn reseeded(mut self, reseed: Reseed) -> Self {
        self.reseed = Some(reseed);
        self
    }

    /// Makes the run that bytes drive: the default world, but for what they say.
    pub(super) fn of_bytes(bytes: &[u8], settings: Settings) -> Self {
        let sim = Self::with_settings(Seed::new(0), settings);
        Self { fill: Fill::Default, bytes: Some(bytes.into()), ..sim }
    }

    pub(crate) fn logged(mut self, is_logged: bool) -> Self {
        self.is_logged = is_logged;
        self
    }

    pub(crate) fn capturing(mut self, is_capturing: bool) -> Self {
        self.is_capturing = is_capturing;
        self
    }

    /// Explores at random and keeps what the strategies of other runs have to know.
    pub(super) fn piloting(mut self) -> Self {
        self.is_pilot = true;
        self
    }

    pub(crate) fn traced(mut self, level: Option<Level>) -> Self {
        self.trace = level;
        self
    }

    /// Runs the program to its end or its first failure.
    ///
    /// The program is called inside of the run and its future is the task `main`. When that has
    /// ended, tasks that are ready run on to their next wait; a detached task that is alive then is
    /// a leak.
    ///
    /// # Panics
    /// When it is called inside of a simulation.
    #[track_caller]
    pub fn run<F>(self, program: impl FnOnce() -> F + 'static) -> Outcome<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let seed = self.seed;
        let observers = Observers::new(&self.settings, seed, !self.overrides.is_empty());
        let (picker, profile) = self.picker();
        let choices = Choices::new(seed, self.fill, self.overrides);
        let plan = Plan {
            picker,
            choices: match self.bytes {
                Some(bytes) => choices.with_bytes(&bytes),
                None => choices,
            },
            reseed: self.reseed,
            limits: self.settings.limits,
            watch: self.settings.watch,
            is_logged: self.is_logged || trace::shows_events(self.trace),
            is_traced: self.trace.is_some(),
            is_capturing: self.is_capturing,
            epoch_nanos: u64::try_from(self.settings.epoch.as_nanos()).unwrap_or(u64::MAX),
            attach: observers.attach(),
        };
        let (finished, lines) = trace::captured(self.trace, || plan.run(program));
        match finished {
            Ok(finished) => Outcome {
                seed,
                result: finished.result,
                chain: finished.chain,
                event_count: finished.event_count,
                steps: finished.steps,
                elapsed: finished.elapsed,
                trace: trace::merged(self.trace, lines, finished.log.as_deref()),
                log: finished.log.filter(|_| self.is_logged),
                warnings: finished.warnings,
                attachments: finished.attachments,
                observed: observers.into_observed(),
                profile: profile.map(|profile| Box::new(profile.take())),
            },
            Err(nested) => panic!("{nested}"),
        }
    }

    /// Makes what picks, and where a pilot's profile will stand.
    fn picker(&self) -> (Option<Box<dyn Pick>>, Option<PilotProfile>) {
        let Settings { strategy, profile, limits, .. } = &self.settings;
        match self.fill {
            // Nobody is asked before everything is drawn from that seed.
            Fill::Default => {
                let anew = |seed| Strategy::Random.picker(seed, &Profile::default(), limits);
                (self.reseed.and_then(|reseed| anew(reseed.seed)), None)
            }
            Fill::Seeded if self.is_pilot => {
                let (pilot, profile) = Pilot::new(self.seed);
                (Some(Box::new(pilot)), Some(profile))
            }
            Fill::Seeded => match profile {
                Some(profile) => (strategy.picker(self.seed, profile, limits), None),
                None => (strategy.picker(self.seed, &Profile::default(), limits), None),
            },
        }
    }
}

/// The profile of a pilot run, which its strategy fills.
type PilotProfile = Rc<RefCell<Profile>>;

/// Options of one run.
///
/// # Examples
/// ```
/// use parcae::Sim;
/// use parcae::explore::Strategy;
///
/// let sim = Sim::builder().seed(7).strategy(Strategy::Fifo).max_steps(1000).build()?;
/// assert!(sim.run(|| async {}).is_ok());
///
/// let error = Sim::builder().max_steps(0).build().unwrap_err();
/// assert_eq!(error.to_string(), "the limit `steps` is 0, so no run could take a step");
/// # Ok::<(), parcae::explore::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing before `build`"]
pub struct SimBuilder {
    sim: Sim,
}

/// Makes the run that a fuzzer's bytes drive, with all defaults otherwise.
///
/// Each choice of the run takes the next bytes, as many as it has values for; a zero is its default. When they
/// are used up, what is left is the default world: first in, first out, least values. The same bytes are the
/// same run.
///
/// To have a failure shrunk, with a token that replays it: [`Check::run_bytes`](super::Check::run_bytes).
///
/// # Examples
/// ```
/// use parcae::explore::from_bytes;
///
/// let sum = |bytes: &[u8]| {
///     let sim = from_bytes(bytes).build().expect("all defaults");
///     let (first, second) = (1..=6, 1..=6);
///     sim.run(|| async { parcae::choose(first) + parcae::choose(second) }).unwrap()
/// };
/// assert_eq!(sum(&[]), 2, "two ones");
/// assert_eq!(sum(&[5, 2]), 9, "a six and a three");
/// ```
pub fn from_bytes(bytes: &[u8]) -> SimBuilder {
    SimBuilder { sim: Sim::of_bytes(bytes, Settings::default()) }
}

impl SimBuilder {
    /// Sets the seed. Default 0.
    pub fn seed(mut self, seed: impl Into<Seed>) -> Self {
        self.sim.seed = seed.into();
        self
    }

    /// Sets how the schedule is explored. Default [`Strategy::Random`].
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.sim.settings.strategy = strategy;
        self
    }

    /// Sets what the strategy knows of the program, as [`Check::profile`](super::Check::profile) returns
    /// it: with it a seed runs as in that check. Default: nothing, which `random` and `fifo` need not.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.sim.settings.profile = Some(Arc::new(profile));
        self
    }

    /// Sets all limits. Default [`Limits::default`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.sim.settings.limits = limits;
        self
    }

    /// Sets the most polls and points of the run.
    pub fn max_steps(mut self, steps: u64) -> Self {
        self.sim.settings.limits.steps = steps;
        self
    }

    /// Sets the latest virtual time.
    pub fn max_time(mut self, time: Duration) -> Self {
        self.sim.settings.limits.time = time;
        self
    }

    /// Sets what [`crate::time::SystemTime`] shows at the start, as time since 1970. Default 2020-01-01,
    /// 00:00 UTC.
    pub fn epoch(mut self, epoch: Duration) -> Self {
        self.sim.settings.epoch = epoch;
        self
    }

    /// Sets which bad habits are watched for, for [`Outcome::warnings`]. Default none.
    pub fn watch(mut self, watch: Watch) -> Self {
        self.sim.settings.watch = watch;
        self
    }

    /// Sets whether [`buggify!`](crate::buggify!) fires and [`knob!`](crate::knob!) sets anything but the
    /// usual value. Default true.
    pub fn buggify(mut self, is_buggified: bool) -> Self {
        self.sim.settings.is_buggified = is_buggified;
        self
    }

    /// Replaces drawn choices at some keys; the rest are filled as `fill` says.
    pub fn overrides(mut self, fill: Fill, overrides: Overrides) -> Self {
        self.sim = self.sim.with_overrides(fill, overrides);
        self
    }

    /// Keeps the full log of the run, for [`Outcome::log`].
    pub fn log(mut self, is_logged: bool) -> Self {
        self.sim = self.sim.logged(is_logged);
        self
    }

    /// Keeps what goes over the network, for [`Outcome::attachment`] under the name `capture.pcapng`.
    pub fn capture(mut self, is_capturing: bool) -> Self {
        self.sim = self.sim.capturing(is_capturing);
        self
    }

    /// Keeps what the program traces at this level or above, for [`Outcome::trace`]; from `debug` on
    /// with what its tasks do. Of the program's lines the first 10,000 are kept.
    ///
    /// # Examples
    /// ```
    /// use tracing::Level;
    ///
    /// let outcome = parcae::Sim::builder().trace(Level::DEBUG).build()?.run(|| async {
    ///     parcae::time::sleep(std::time::Duration::from_millis(250)).await;
    ///     tracing::debug!(cups = 3, "tea is ready");
    /// });
    /// let line = outcome.trace().iter().find(|line| line.contains("tea")).expect("it is traced");
    /// assert!(line.starts_with("0.250 s DEBUG task{name=main}"));
    /// assert!(line.ends_with("tea is ready cups=3"));
    /// assert!(outcome.trace().iter().any(|line| line.contains("parcae: sets a timer at 0.250 s")));
    /// # Ok::<(), parcae::explore::ConfigError>(())
    /// ```
    pub fn trace(mut self, level: Level) -> Self {
        self.sim = self.sim.traced(Some(level));
        self
    }

    /// Checks the options.
    ///
    /// # Errors
    /// [`ConfigError`] says which option cannot be, and what could.
    pub fn build(self) -> Result<Sim, ConfigError> {
        self.sim.settings.check()?;
        Ok(self.sim)
    }
}

/// How a run went.
#[derive(Debug)]
#[must_use = "an outcome may be a failure"]
pub struct Outcome<T = ()> {
    seed: Seed,
    result: Result<T, Failure>,
    chain: Chain,
    event_count: u64,
    steps: u64,
    elapsed: VirtualTime,
    log: Option<Box<Log>>,
    trace: Vec<String>,
    warnings: Vec<Warning>,
    attachments: Vec<Attachment>,
    observed: Observed,
    /// Kept by a pilot only.
    profile: Option<Box<Profile>>,
}

impl<T> Outcome<T> {
    /// Returns the seed of the run.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// Tells whether the program ended and nothing else failed.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.result.is_ok()
    }

    /// Returns why the run failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.result.as_ref().err()
    }

    /// Returns what the program returned, or why the run failed.
    ///
    /// # Errors
    /// The failure of the run.
    pub fn into_result(self) -> Result<T, Failure> {
        self.result
    }

    /// Returns what the program returned.
    ///
    /// # Panics
    /// When the run failed, with its failure.
    #[track_caller]
    pub fn unwrap(self) -> T {
        match self.result {
            Ok(value) => value,
            Err(failure) => panic!("seed {}: {failure}", self.seed),
        }
    }

    pub(crate) fn and_then<U>(self, check: impl FnOnce(T) -> Result<U, Failure>) -> Outcome<U> {
        Outcome {
            seed: self.seed,
            result: self.result.and_then(check),
            chain: self.chain,
            event_count: self.event_count,
            steps: self.steps,
            elapsed: self.elapsed,
            log: self.log,
            trace: self.trace,
            warnings: self.warnings,
            attachments: self.attachments,
            observed: self.observed,
            profile: self.profile,
        }
    }

    pub(super) fn take_profile(&mut self) -> Option<Box<Profile>> {
        self.profile.take()
    }

    pub(super) fn take_observed(&mut self) -> Observed {
        std::mem::take(&mut self.observed)
    }

    pub(crate) fn take_warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings)
    }

    pub(crate) fn take_trace(&mut self) -> Vec<String> {
        std::mem::take(&mut self.trace)
    }

    pub(crate) fn take_attachments(&mut self) -> Vec<Attachment> {
        std::mem::take(&mut self.attachments)
    }

    pub(crate) fn take_log(&mut self) -> Option<Box<Log>> {
        self.log.take()
    }

    /// Returns the hash over all events: equal for equal runs.
    #[must_use]
    pub fn chain(&self) -> Chain {
        self.chain
    }

    /// Returns how many events the chain holds.
    #[must_use]
    pub fn event_count(&self) -> u64 {
        self.event_count
    }

    /// Returns how many polls and points there were.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Returns how long the run lasted, in virtual time.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed.elapsed()
    }

    /// Returns the log, if it was asked for.
    #[must_use]
    pub fn log(&self) -> Option<&Log> {
        self.log.as_deref()
    }

    /// Returns the bytes of a file that the run leaves behind, such as `capture.pcapng`; none if it
    /// has none of that name.
    #[must_use]
    pub fn attachment(&self, name: &str) -> Option<&[u8]> {
        let found = self.attachments.iter().find(|attachment| attachment.name == name);
        found.map(|attachment| attachment.bytes.as_slice())
    }

    /// Returns the habits that [`SimBuilder::watch`] asked for and that were seen, in order; none
    /// without it.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Returns how often the properties were evaluated that the run came to, in the order of files and
    /// lines; see [`oracle`](crate::oracle).
    #[must_use]
    pub fn properties(&self) -> &[PropertyCount] {
        &self.observed.properties
    }

    /// Returns what became of the places of [`buggify!`](crate::buggify!) that the run came to.
    #[must_use]
    pub fn buggified(&self) -> &[BuggifyCount] {
        &self.observed.buggified
    }

    /// Returns what became of the faults of a [`Chaos`](crate::fault::Chaos) in the run, by kind. Those that have begun
    /// are counted as planned, too; the effects of those that were on when it ended are not known.
    #[must_use]
    pub fn faults(&self) -> &[KindCount] {
        &self.observed.faults
    }

    /// Returns the values of the knobs that the run asked for; see [`knob!`](crate::knob!).
    #[must_use]
    pub fn knobs(&self) -> &[KnobSetting] {
        &self.observed.knobs
    }

    /// Returns the lines that [`SimBuilder::trace`] asked for, with virtual time; none without it.
    #[must_use]
    pub fn trace(&self) -> &[String] {
        &self.trace
    }
}

/// An option that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A limit of zero.
    ZeroLimit {
        /// Which.
        limit: &'static str,
    },
    /// More tasks than a run can number.
    TooManyTasks {
        /// What was asked for.
        tasks: usize,
        /// The most there can be.
        limit: usize,
    },
    /// A virtual epoch that does not fit into 64 bits of nanoseconds.
    EpochTooLate {
        /// What was asked for.
        epoch: Duration,
    },
    /// No seeds to run.
    NoSeeds,
    /// No threads to run them on.
    NoJobs,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZeroLimit { limit } => {
                write!(formatter, "the limit `{limit}` is 0, so no run could take a step")
            }
            Self::TooManyTasks { tasks, limit } => {
                write!(formatter, "the limit `tasks` is {tasks}, the most there can be is {limit}")
            }
            Self::EpochTooLate { epoch } => write!(
                formatter,
                "the epoch {epoch:?} after 1970 is too late, the latest is in the year 2554"
            ),
            Self::NoSeeds => formatter.write_str("a check of 0 seeds would check nothing"),
            Self::NoJobs => formatter.write_str("a check with 0 jobs would never begin"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// 2020-01-01T00:00:00Z: 18,262 days after 1970.
const EPOCH: Duration = Duration::from_secs(18_262 * 24 * 60 * 60);

const TASKS_MAX: usize = 1 << 24;
