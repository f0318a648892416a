//! Cancelling an operation at each of its awaits.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::cancel_report::{CancelFailure, CancelMoment, CancelPoint, CancelReport, CancelWait};
use crate::context::{self, Backend};
use crate::executor::{Failure, Happening, Limits, Log, Wait, current_wait, is_preempted, note};
use crate::explore::{ConfigError, Sim, Strategy};
use crate::kernel::Seed;
use crate::task::settle;

/// Cancels an operation at each of its awaits, each time in a world of its own, with all defaults;
/// see [`CancelAtEveryAwait`] for what is done.
///
/// # Panics
/// When it is called inside of a simulation: it does not nest.
///
/// # Examples
/// What is cancelled leaves the lock free, wherever it was:
/// ```
/// use parcae::sync::Mutex;
/// use parcae::testing::cancel_at_every_await;
/// use parcae::time::sleep;
/// use std::time::Duration;
///
/// let report = cancel_at_every_await(
///     async || Mutex::new(0),
///     async |count| {
///         let mut count = count.lock().await;
///         sleep(Duration::from_secs(1)).await;
///         *count += 1;
///     },
///     async |count, output| {
///         let count = *count.lock().await; // a deadlock if the lock was not let go
///         assert_eq!(count, i32::from(output.is_some()));
///     },
/// );
/// assert_eq!(report.await_points, 1);
/// report.unwrap();
/// ```
///
/// An operation that takes something and waits before it has put it in a safe place loses it:
/// ```
/// use parcae::sync::Queue;
/// use parcae::testing::cancel_at_every_await;
///
/// let report = cancel_at_every_await(
///     async || {
///         let jobs = Queue::unbounded().named("jobs");
///         jobs.put("tea").await.expect("open");
///         jobs
///     },
///     async |jobs| {
///         let job = jobs.get().await.expect("open");
///         parcae::task::yield_now().await;
///         jobs.put(job).await.expect("open");
///     },
///     async |jobs, _| assert_eq!(jobs.len(), 1, "a job was lost"),
/// );
/// let failure = report.failure.expect("it is not cancel safe").to_string();
/// assert!(failure.contains("a job was lost"), "{failure}");
/// ```
#[track_caller]
pub fn cancel_at_every_await<S, T>(
    setup: impl AsyncFn() -> S + 'static,
    operation: impl AsyncFn(&S) -> T + 'static,
    invariant: impl AsyncFn(&S, Option<T>) + 'static,
) -> CancelReport
where
    S: 'static,
    T: 'static,
{
    CancelAtEveryAwait::new().run(setup, operation, invariant)
}

/// Options of [`cancel_at_every_await`].
///
/// For every seed the operation is run once to its end, which counts its awaits: the polls that
/// pend. Then there are two worlds for each await `k`. In both the operation is polled as often as
/// its task is woken, and its future is dropped
///
/// * right after its `k`-th poll that pended, and
/// * when its task has been woken after that, *instead* of the next poll: what it waited for has
///   been granted and was not claimed.
///
/// It is never polled without having been woken. Once it is dropped, or has ended, the other tasks run on
/// until all of them are blocked, before time moves; then `invariant` is called with the state, and with
/// the output if there is one. It is the place to assert that nothing was lost (permits, items) and that
/// others are served: if a task waits for ever, the run is a deadlock. Like any run it also fails by a panic
/// of any task and by a task that is left. A cleanup that takes time
/// ([`finally`](crate::task::finally)) is a task too: let the invariant wait for it.
///
/// A preemption before an operation is one of its awaits too, so the number of awaits depends on the
/// seed. An operation of `n` awaits takes about `2 n` runs for each seed, all on this thread, one
/// after the other; awaits are gone through in order, and the first that fails ends it.
///
/// **When not to use it**: for an operation that does not end unless it is cancelled. Let `setup` spawn
/// what ends it.
///
/// # Examples
/// ```
/// use parcae::explore::Strategy;
/// use parcae::sync::Event;
/// use parcae::testing::CancelAtEveryAwait;
/// use std::rc::Rc;
///
/// let report = CancelAtEveryAwait::new().seeds(1).strategy(Strategy::Fifo).run(
///     async || {
///         let event = Rc::new(Event::new());
///         let setter = event.clone();
///         parcae::spawn(async move { setter.set() }).detach();
///         event
///     },
///     async |event| event.wait().await,
///     async |event, _| event.wait().await,
/// );
/// assert_eq!((report.await_points, report.runs), (1, 3));
/// report.unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is cancelled before `run`"]
pub struct CancelAtEveryAwait {
    first_seed: Seed,
    seed_count: u64,
    strategy: Strategy,
    limits: Limits,
}

impl CancelAtEveryAwait {
    /// Makes the options with all defaults: seeds 0 to 49, strategy `Random`.
    pub fn new() -> Self {
        Self {
            first_seed: Seed::new(0),
            seed_count: 50,
            strategy: Strategy::Random,
            limits: Limits::default(),
        }
    }

    /// Sets how many seeds each await is tried under, from the first one on.
    pub fn seeds(mut self, count: u64) -> Self {
        self.seed_count = count;
        self
    }

    /// Sets the first seed. Default 0.
    pub fn first_seed(mut self, seed: impl Into<Seed>) -> Self {
        self.first_seed = seed.into();
        self
    }

    /// Sets how the schedule is explored. Default [`Strategy::Random`].
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Sets all limits of each run. Default [`Limits::default`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Cancels the operation at each of its awaits.
    ///
    /// # Panics
    /// When an option cannot be, as [`CancelAtEveryAwait::try_run`] returns it, and when it is called
    /// inside of a simulation.
    #[track_caller]
    pub fn run<S, T>(
        self,
        setup: impl AsyncFn() -> S + 'static,
        operation: impl AsyncFn(&S) -> T + 'static,
        invariant: impl AsyncFn(&S, Option<T>) + 'static,
    ) -> CancelReport
    where
        S: 'static,
        T: 'static,
    {
        match self.try_run(setup, operation, invariant) {
            Ok(report) => report,
            Err(error) => panic!("{error}"),
        }
    }

    /// Cancels the operation at each of its awaits.
    ///
    /// # Errors
    /// [`ConfigError`] when an option cannot be.
    ///
    /// # Panics
    /// When it is called inside of a simulation.
    #[track_caller]
    pub fn try_run<S, T>(
        self,
        setup: impl AsyncFn() -> S + 'static,
        operation: impl AsyncFn(&S) -> T + 'static,
        invariant: impl AsyncFn(&S, Option<T>) + 'static,
    ) -> Result<CancelReport, ConfigError>
    where
        S: 'static,
        T: 'static,
    {
        let sim = Sim::builder().strategy(self.strategy).limits(self.limits.clone());
        sim.clone().build()?;
        if self.seed_count == 0 {
            return Err(ConfigError::NoSeeds);
        }
        // Seen here, where the place of the call is known.
        if let Err(nested) = context::may_enter(Backend::Simulation) {
            panic!("{nested}");
        }
        let parts = Rc::new((setup, operation, invariant));
        // The program is made anew for each run, and the parts are shared by all.
        let run = |seed: Seed, cut: Option<Cut>, is_logged: bool| {
            let notes = Rc::new(RefCell::new(Notes::default()));
            let (parts, own) = (parts.clone(), notes.clone());
            let sim = sim.clone().seed(seed).log(is_logged).build().expect("checked above");
            let mut outcome = sim.run(move || async move {
                let (setup, operation, invariant) = &*parts;
                let state = setup().await;
                let future = Some(Box::pin(operation(&state)));
                let output = CutAt { future, cut, notes: own }.await;
                settle().await;
                invariant(&state, output).await;
            });
            let log = outcome.take_log();
            let failure = outcome.into_result().err();
            Journey { notes: notes.take(), failure, log }
        };
        Ok(self.search(&run))
    }

    fn seeds_in_order(&self) -> impl Iterator<Item = Seed> {
        let first = self.first_seed.get();
        (0..self.seed_count).map(move |place| Seed::new(first.wrapping_add(place)))
    }

    fn search(&self, run: Run<'_>) -> CancelReport {
        let mut report = CancelReport { await_points: 0, runs: 0, failure: None };
        let mut seeds = Vec::new();
        for seed in self.seeds_in_order() {
            let journey = run(seed, None, false);
            report.runs += 1;
            if let Some(failure) = journey.failure {
                report.failure = Some(CancelFailure { seed, cancelled: None, failure });
                return report;
            }
            report.await_points = report.await_points.max(journey.notes.pends);
            seeds.push((seed, journey.notes.pends));
        }
        let cuts = (1..=report.await_points)
            .flat_map(|number| seeds.iter().map(move |(seed, count)| (number, *seed, *count)))
            .filter(|(number, _, count)| number <= count)
            .flat_map(|place| CancelMoment::ALL.map(|moment| (place, moment)));
        for ((number, seed, count), moment) in cuts {
            report.runs += 1;
            report.failure = cancelled(run, seed, Cut { number, moment }, count);
            if report.failure.is_some() {
                break;
            }
        }
        report
    }
}

impl Default for CancelAtEveryAwait {
    fn default() -> Self {
        Self::new()
    }
}

/// Runs a world in which the operation is cancelled, and returns how it failed.
fn cancelled(run: Run<'_>, seed: Seed, cut: Cut, count: u64) -> Option<CancelFailure> {
    let Journey { notes, failure, .. } = run(seed, Some(cut), false);
    let failure =
        failure.or_else(|| notes.wait.is_none().then(|| other_than_before(&notes, count)))?;
    let at = |wait| CancelPoint { number: cut.number, count, moment: cut.moment, wait };
    let wait = match notes.wait {
        // Of a preemption only the log says what it came before.
        Some(CancelWait::PreemptedBefore(unknown)) => {
            let log = run(seed, Some(cut), true).log;
            let wait = match log {
                Some(log) => last_preemption(&log, unknown),
                None => unknown,
            };
            Some(CancelWait::PreemptedBefore(wait))
        }
        other => other,
    };
    Some(CancelFailure { seed, cancelled: wait.map(at), failure })
}

/// The failure of a run in which the operation did not come to an await that it came to before.
fn other_than_before(notes: &Notes, count: u64) -> Failure {
    Failure::Nondeterminism {
        event: 0,
        first: format!("awaits of the operation: {count}"),
        second: format!("awaits of the operation: {}", notes.pends),
    }
}

/// Returns what the operation was preempted before when it was dropped, if the log says so.
fn last_preemption(log: &Log, unknown: Wait) -> Wait {
    let is_drop = |what: &Happening| matches!(what, Happening::Note(text) if **text == *DROPPED);
    let Some(end) = log.entries.iter().position(|entry| is_drop(&entry.what)) else {
        return unknown;
    };
    let dropper = log.entries[end].task;
    let preemption = log.entries[..end].iter().rev().find_map(|entry| match entry.what {
        Happening::Preempted { resource, verb } if entry.task == dropper => {
            Some((log.resources.get(&resource)?, verb, entry.location))
        }
        _ => None,
    });
    let Some((about, verb, location)) = preemption else { return unknown };
    Wait {
        verb,
        kind: about.kind,
        name: about.name.map(str::to_owned),
        made_at: about.made_at.map(Into::into),
        waits_at: location.map(Into::into),
        ..unknown
    }
}

/// Runs the operation in a new world, with a log or without.
type Run<'a> = &'a dyn Fn(Seed, Option<Cut>, bool) -> Journey;

/// What came of one run.
struct Journey {
    notes: Notes,
    failure: Option<Failure>,
    log: Option<Box<Log>>,
}

/// What is known of the operation in one run.
#[derive(Default)]
struct Notes {
    /// How many of its polls pended.
    pends: u64,
    /// What it waited for when it was dropped; none if it was not.
    wait: Option<CancelWait>,
}

/// Where the operation is dropped.
#[derive(Clone, Copy)]
struct Cut {
    number: u64,
    moment: CancelMoment,
}

/// Polls a future until it has ended or is to be dropped.
struct CutAt<F> {
    /// None when it has been dropped.
    future: Option<Pin<Box<F>>>,
    cut: Option<Cut>,
    notes: Rc<RefCell<Notes>>,
}

impl<F: Future> Future for CutAt<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { future, cut, notes } = &mut *self;
        let pends = notes.borrow().pends;
        if !cut.is_some_and(|cut| cut.moment == CancelMoment::Woken && cut.number == pends) {
            let running = future.as_mut().expect("it is not polled again when it has been dropped");
            if let Poll::Ready(output) = running.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            notes.borrow_mut().pends += 1;
            let Some(cut) = cut.filter(|cut| cut.number == pends + 1) else {
                return Poll::Pending;
            };
            let stands_at =
                if is_preempted() { CancelWait::PreemptedBefore } else { CancelWait::For };
            notes.borrow_mut().wait = Some(stands_at(current_wait()));
            if cut.moment == CancelMoment::Woken {
                return Poll::Pending;
            }
        }
        note(|| DROPPED.to_owned());
        *future = None;
        Poll::Ready(None)
    }
}

const DROPPED: &str = "the operation is cancelled";
