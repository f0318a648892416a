//! Bad habits that fail nothing by themselves: what to watch for, and what was seen.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use super::core::Core;
use super::domain::DomainId;
use super::failure::{Failure, HeldBy};
use super::holding::Grant;
use super::id::TaskId;
use super::resource::Resource;
use super::{Executor, ResourceInfo};
use crate::context;
use crate::kernel::{Place, Verb, VirtualTime};

/// Which habits a run watches for. By default none: watching costs time and memory.
///
/// What is seen is a [`Warning`], kept or taken for a failure. Watching changes nothing of the run.
///
/// # Examples
/// ```
/// use parcae::executor::Watch;
/// use parcae::{Sim, sync::Mutex, time::sleep};
/// use std::time::Duration;
///
/// let watch = Watch::default().with_asleep(Duration::ZERO);
/// let outcome = Sim::builder().watch(watch).build()?.run(|| async {
///     let cache = Mutex::new(0).named("cache");
///     let mut guard = cache.lock().await;
///     sleep(Duration::from_secs(1)).await; // nobody can use the cache meanwhile
///     *guard += 1;
/// });
/// let [warning] = outcome.warnings() else { panic!("{:?}", outcome.warnings()) };
/// assert!(warning.to_string().starts_with("sleep under a lock: `main` sleeps for 1s at "));
/// # Ok::<(), parcae::explore::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Watch {
    /// A lock or permit that is held for longer than this, in virtual time. Default none.
    pub held: Option<Duration>,
    /// A lock or permit that is held by a task that sleeps for at least so long. Default none.
    pub asleep: Option<Duration>,
    /// A task that keeps its domain busy for longer than this in one poll. Default none.
    pub busy: Option<Duration>,
    /// Futures of this library and tasks that are dropped without ever having been polled. Default
    /// false. A receiver of a one-shot channel and the future of `Notify::notified` are not among them:
    /// they have a use without it.
    pub unpolled: bool,
    /// What becomes of a warning. Default [`WarningAction::Keep`].
    pub action: WarningAction,
    /// How many warnings are kept. Default 100.
    pub warnings: usize,
}

/// What becomes of a warning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarningAction {
    /// It is kept for the outcome of the run, and for the report if the run fails.
    #[default]
    Keep,
    /// It fails the run, with [`Failure::Warning`].
    Fail,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            held: None,
            asleep: None,
            busy: None,
            unpolled: false,
            action: WarningAction::Keep,
            warnings: 100,
        }
    }
}

impl Watch {
    /// Watches for locks and permits that are held for longer than this, in virtual time.
    #[must_use]
    pub fn with_held(mut self, duration: Duration) -> Self {
        self.held = Some(duration);
        self
    }

    /// Watches for locks and permits whose holder calls [`crate::time::sleep`] for at least so long.
    #[must_use]
    pub fn with_asleep(mut self, duration: Duration) -> Self {
        self.asleep = Some(duration);
        self
    }

    /// Watches for tasks that keep their domain busy for longer than this in one poll.
    #[must_use]
    pub fn with_busy(mut self, duration: Duration) -> Self {
        self.busy = Some(duration);
        self
    }

    /// Watches for futures and tasks that are dropped without having been polled.
    ///
    /// A `select!` or race that is won by an arm before theirs drops such futures, too.
    #[must_use]
    pub fn with_unpolled(mut self, unpolled: bool) -> Self {
        self.unpolled = unpolled;
        self
    }

    /// Sets what becomes of a warning.
    #[must_use]
    pub fn with_action(mut self, action: WarningAction) -> Self {
        self.action = action;
        self
    }

    /// Sets how many warnings are kept.
    #[must_use]
    pub fn with_warnings(mut self, warnings: usize) -> Self {
        self.warnings = warnings;
        self
    }

    /// Tells whether nothing is watched for.
    #[must_use]
    pub fn is_off(&self) -> bool {
        *self == Self { action: self.action, warnings: self.warnings, ..Self::default() }
    }

    pub(super) fn watches_holders(&self) -> bool {
        self.held.is_some() || self.asleep.is_some()
    }
}

/// A bad habit that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A lock or permit was held for long.
    LongHold {
        /// What: ``Mutex `cache` ``.
        resource: String,
        /// By whom, since which line.
        holder: HeldBy,
        /// For how long in virtual time: until it was given back, or the run ended.
        held_for: Duration,
    },
    /// A task sleeps that holds a lock or permit.
    SleepUnderLock {
        /// The task.
        task: String,
        /// What it holds: ``Mutex `cache` ``.
        resource: String,
        /// The line that took it.
        taken_at: Place,
        /// The line that sleeps.
        sleeps_at: Place,
        /// For how long.
        sleeps_for: Duration,
    },
    /// A task kept its domain busy for long in one poll.
    Busy {
        /// The task.
        task: String,
        /// The line that did, the last one if it took several.
        busy_at: Place,
        /// For how long, until the limit was passed.
        busy_for: Duration,
    },
    /// A future was dropped without having been polled: what it was to do was not done.
    NeverPolled {
        /// What it was to do: ``Mutex lock of `cache` ``.
        operation: String,
        /// The line that made it.
        made_at: Place,
        /// The task that dropped it.
        task: String,
    },
    /// A task was cancelled before it ran.
    NeverStarted {
        /// The task.
        task: String,
        /// Where it was spawned.
        spawned_at: Place,
    },
}

impl Warning {
    /// Returns the kind in a few words.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::LongHold { .. } => "long hold",
            Self::SleepUnderLock { .. } => "sleep under a lock",
            Self::Busy { .. } => "busy",
            Self::NeverPolled { .. } => "never polled",
            Self::NeverStarted { .. } => "never started",
        }
    }

    /// Returns the name of the task that it is about, if that is known.
    #[must_use]
    pub fn task(&self) -> Option<&str> {
        match self {
            Self::LongHold { holder, .. } => holder.task.as_deref(),
            Self::SleepUnderLock { task, .. }
            | Self::Busy { task, .. }
            | Self::NeverPolled { task, .. }
            | Self::NeverStarted { task, .. } => Some(task),
        }
    }

    /// Returns the line to look at.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::LongHold { holder, .. } => holder.taken_at.as_ref(),
            Self::SleepUnderLock { sleeps_at: place, .. }
            | Self::Busy { busy_at: place, .. }
            | Self::NeverPolled { made_at: place, .. }
            | Self::NeverStarted { spawned_at: place, .. } => Some(place),
        }
    }

    /// Says what it is about, without places and durations.
    pub(crate) fn subject(&self) -> String {
        let task = self.task().unwrap_or_default();
        match self {
            Self::LongHold { resource, .. } | Self::SleepUnderLock { resource, .. } => {
                format!("{} of {resource} by {task}", self.kind())
            }
            Self::NeverPolled { operation, .. } => {
                format!("{} {operation} by {task}", self.kind())
            }
            Self::Busy { .. } | Self::NeverStarted { .. } => format!("{} {task}", self.kind()),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.kind())?;
        match self {
            Self::LongHold { resource, holder, held_for } => {
                write!(formatter, "{resource} for {held_for:?}, {holder}")
            }
            Self::SleepUnderLock { task, resource, taken_at, sleeps_at, sleeps_for } => write!(
                formatter,
                "`{task}` sleeps for {sleeps_for:?} at {sleeps_at} and holds {resource} since \
                 {taken_at}"
            ),
            Self::Busy { task, busy_at, busy_for } => {
                write!(formatter, "`{task}` kept its domain busy for {busy_for:?} at {busy_at}")
            }
            Self::NeverPolled { operation, made_at, task } => {
                write!(formatter, "{operation} at {made_at} was dropped by `{task}`")
            }
            Self::NeverStarted { task, spawned_at } => {
                write!(formatter, "`{task}` was cancelled before it ran (spawned at {spawned_at})")
            }
        }
    }
}

/// What is watched for, and what was seen.
#[derive(Debug)]
pub(super) struct Watcher {
    watch: Watch,
    warnings: Vec<Warning>,
    busy: Option<Busy>,
    /// The program has ended: what destructors do from here on is no habit.
    is_over: bool,
}

/// How busy a task has made its domain in its present poll.
#[derive(Clone, Copy, Debug)]
struct Busy {
    task: TaskId,
    domain: DomainId,
    /// Until when the domain is busy: nothing but that poll can have made it so.
    until: VirtualTime,
    time: Duration,
}

impl Watcher {
    /// Makes what watches, if anything is to be watched for.
    pub(super) fn of(watch: &Watch) -> Option<Box<Self>> {
        let new =
            || Self { watch: watch.clone(), warnings: Vec::new(), busy: None, is_over: false };
        (!watch.is_off()).then(|| Box::new(new()))
    }

    pub(super) fn into_warnings(self) -> Vec<Warning> {
        self.warnings
    }
}

/// Tells whether the run wants to know all holders, and not only those that somebody waits for.
pub(crate) fn watches_holders() -> bool {
    context::with(|executor: &Executor| executor.watches_holders).unwrap_or(false)
}

/// Notes that a future was dropped that had never been polled.
#[cold]
pub(crate) fn note_unpolled(
    resource: Option<&Resource>,
    verb: &'static Verb,
    at: &'static Location<'static>,
) {
    let _ = context::with(|executor: &Executor| {
        executor.core.borrow_mut().note_unpolled(resource, verb, at);
    });
}

impl Executor {
    /// Notes that the running task sleeps until a reading of its clock.
    #[cold]
    pub(crate) fn note_sleep(&self, deadline_local: u64, at: &'static Location<'static>) {
        self.core.borrow_mut().note_sleep(deadline_local, at);
    }
}

impl Core {
    fn warn(&mut self, warning: Warning) {
        let Some(watcher) = &mut self.watcher else { return };
        if watcher.is_over || self.failure.is_some() {
            return;
        }
        if watcher.warnings.len() >= watcher.watch.warnings || watcher.warnings.contains(&warning) {
            return;
        }
        watcher.warnings.push(warning.clone());
        if watcher.watch.action == WarningAction::Fail {
            self.fail(Failure::Warning { warning: Box::new(warning) });
        }
    }

    fn watched<R>(&self, read: impl FnOnce(&Watch) -> Option<R>) -> Option<R> {
        self.watcher.as_ref().and_then(|watcher| read(&watcher.watch))
    }

    /// Tells whether all holders are published, and not only those that somebody waits for.
    pub(super) fn watches_holders(&self) -> bool {
        self.watcher.as_ref().is_some_and(|watcher| watcher.watch.watches_holders())
    }

    /// Looks at a hold that has ended, or ends with the run.
    pub(super) fn watch_hold(
        &mut self,
        about: Option<ResourceInfo>,
        grant: Grant,
        since: VirtualTime,
    ) {
        let held_for = Duration::from_nanos(self.now.as_nanos() - since.as_nanos());
        if self.watched(|watch| watch.held).is_some_and(|limit| held_for > limit) {
            let holder = self.held_by(grant);
            self.warn(Warning::LongHold { resource: name(about), holder, held_for });
        }
    }

    /// Looks at what is still held when the program has ended.
    pub(super) fn watch_end(&mut self) {
        if self.watches_holders() {
            for (about, grant, since) in self.holdings.held() {
                self.watch_hold(about, grant, since);
            }
        }
        if let Some(watcher) = &mut self.watcher {
            watcher.is_over = true;
        }
    }

    fn note_sleep(&mut self, deadline_local: u64, at: &'static Location<'static>) {
        let Some(index) = self.running else { return };
        let now = self.domains.get(self.current_domain()).clock.local(self.now);
        let sleeps_for = Duration::from_nanos(deadline_local.saturating_sub(now));
        if self.watched(|watch| watch.asleep).is_none_or(|limit| sleeps_for < limit) {
            return;
        }
        let running = TaskId::new(self.run, self.tasks.get(index).generation, index);
        for (about, grant, _) in self.holdings.held() {
            if grant.task() == Some(running) {
                self.warn(Warning::SleepUnderLock {
                    task: self.tasks.path(index),
                    resource: name(about),
                    taken_at: Place::from(grant.at()),
                    sleeps_at: Place::from(at),
                    sleeps_for,
                });
            }
        }
    }

    /// Looks at how busy the running task has made a domain, which was busy until `from` before.
    pub(super) fn watch_busy(
        &mut self,
        domain: DomainId,
        (from, until): (VirtualTime, VirtualTime),
        at: &'static Location<'static>,
    ) {
        let Some(limit) = self.watched(|watch| watch.busy) else { return };
        let Some(index) = self.running.filter(|_| domain == self.current_domain()) else { return };
        let task = TaskId::new(self.run, self.tasks.get(index).generation, index);
        let (name, now) = (self.tasks.path(index), self.now);
        let Some(watcher) = &mut self.watcher else { return };
        // It can be polled again only when that time is over.
        let is_same = |busy: &Busy| {
            (busy.task, busy.domain, busy.until) == (task, domain, from) && from > now
        };
        let before = watcher.busy.filter(is_same).map_or(Duration::ZERO, |busy| busy.time);
        let added = Duration::from_nanos(until.as_nanos() - from.as_nanos());
        let time = before.saturating_add(added);
        watcher.busy = Some(Busy { task, domain, until, time });
        if before <= limit && limit < time {
            self.warn(Warning::Busy { task: name, busy_at: Place::from(at), busy_for: time });
        }
    }

    fn note_unpolled(
        &mut self,
        resource: Option<&Resource>,
        verb: &'static Verb,
        at: &'static Location<'static>,
    ) {
        if self.watched(|watch| Some(watch.unpolled)) != Some(true) {
            return;
        }
        let task = self.running.map_or_else(String::new, |index| self.tasks.path(index));
        let operation = match resource.map(Resource::about) {
            Some(ResourceInfo { kind, name: Some(name), .. }) => {
                format!("{kind} {} of `{name}`", verb.name)
            }
            Some(ResourceInfo { kind, .. }) => format!("{kind} {}", verb.name),
            None => verb.name.to_owned(),
        };
        self.warn(Warning::NeverPolled { operation, made_at: Place::from(at), task });
    }

    /// Looks at a task that is cancelled and has taken no step.
    #[cold]
    pub(super) fn watch_unstarted(&mut self, index: u32) {
        if self.watched(|watch| Some(watch.unpolled)) == Some(true) {
            let spawned_at = Place::from(self.tasks.details(index).spawned_at);
            self.warn(Warning::NeverStarted { task: self.tasks.path(index), spawned_at });
        }
    }
}

/// Returns what a warning calls a resource.
fn name(about: Option<ResourceInfo>) -> String {
    match about {
        Some(ResourceInfo { kind, name: Some(name), .. }) => format!("{kind} `{name}`"),
        Some(ResourceInfo { kind, made_at: Some(at), .. }) => {
            format!("{kind} of {}:{}", at.file(), at.line())
        }
        Some(ResourceInfo { kind, .. }) => kind.to_owned(),
        None => "something".to_owned(),
    }
}
