//! A circuit breaker.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::backend::{Point, Resource};
use crate::kernel::{Access, Ratio, Verb};
use crate::time::Instant;

/// Stops calls to something that keeps failing, and lets a few through after a while to see.
///
/// ```text
///                 failures reach the threshold
///   closed ─────────────────────────────────────> open
///     ^                                           |  ^
///     |                   a call after `open_for` |  | a probe fails
///     |                                           v  |
///     `──────────────────────────────────────── half-open
///                 all probes succeed
/// ```
///
/// * **Closed**: calls go through; their failures are counted.
/// * **Open**: calls are refused at once, with the time until which.
/// * **Half-open**: the next `probes` calls go through, the others are refused. A probe that is
///   cancelled says nothing, and the next call takes its place.
///
/// A call counts for the state that it began in: what began before the breaker opened neither closes
/// nor opens it when it ends. A probe that never ends keeps the breaker half-open, and the others out:
/// bound the operation by a [`timeout`](crate::time::timeout).
///
/// It looks at the clock of whoever calls: share it among tasks whose clocks agree.
///
/// **When not to use it**: for errors that are the caller's (a 404 says that the server works): see
/// [`Breaker::call_when`]. To bound what retries add, where a [`crate::retry::RetryBudget`] degrades
/// by and by, and a breaker stops everybody.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::rate::{Breaker, BreakerError};
/// use parcae::time::sleep;
/// use std::time::Duration;
///
/// let breaker = Breaker::consecutive(2, Duration::from_secs(30));
/// for _ in 0..2 {
///     let error = breaker.call(async { Err::<(), _>("down") }).await.unwrap_err();
///     assert_eq!(error, BreakerError::Inner("down"));
/// }
/// let refused = breaker.call(async { Ok::<_, &str>(()) }).await;
/// assert!(matches!(refused, Err(BreakerError::Open { .. })));
/// sleep(Duration::from_secs(30)).await;
/// assert_eq!(breaker.call(async { Ok::<_, &str>(()) }).await, Ok(()));
/// # }).unwrap();
/// ```
///
/// # Source
/// M. Nygard, "Release It!", 2007, chapter 5; the count-based window is that of resilience4j.
#[derive(Debug)]
pub struct Breaker {
    resource: Resource,
    trip: Trip,
    open_for: Duration,
    probes: u32,
    state: Mutex<State>,
}

/// When a breaker opens.
#[derive(Clone, Copy, Debug)]
enum Trip {
    Consecutive(u32),
    Ratio { failures: Ratio, window: usize },
}

#[derive(Debug)]
struct State {
    /// Counts the changes of the phase: a call belongs to the one that it began in.
    epoch: u64,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Closed(Window),
    Open { until: Instant },
    HalfOpen { under_way: u32, succeeded: u32 },
}

/// The last outcomes, or how many failed in a row.
#[derive(Debug, Default)]
struct Window {
    failures: u32,
    /// Whether each failed. Not kept when failures are counted in a row.
    outcomes: VecDeque<bool>,
}

impl Breaker {
    /// Makes a closed breaker that opens at so many failures in a row, for so long.
    ///
    /// # Panics
    /// When the count is 0.
    #[must_use]
    #[track_caller]
    pub fn consecutive(failures: u32, open_for: Duration) -> Self {
        assert!(failures > 0, "a breaker opens at one failure or more");
        Self::new(Trip::Consecutive(failures), open_for)
    }

    /// Makes a closed breaker that opens when this part of the last `window` calls failed, for so
    /// long. It does not open before there were so many calls.
    ///
    /// # Panics
    /// When the window or the ratio is 0.
    ///
    /// # Examples
    /// ```
    /// use parcae::{kernel::Ratio, rate::Breaker};
    /// use std::time::Duration;
    /// let breaker = Breaker::ratio(Ratio::percent(50), 20, Duration::from_secs(30)).probes(3);
    /// # let _ = breaker;
    /// ```
    #[must_use]
    #[track_caller]
    pub fn ratio(failures: Ratio, window: usize, open_for: Duration) -> Self {
        assert!(window > 0, "a ratio is one of the last calls, at least one");
        assert!(failures.numerator() > 0, "a breaker opens at one failure or more");
        Self::new(Trip::Ratio { failures, window }, open_for)
    }

    #[track_caller]
    fn new(trip: Trip, open_for: Duration) -> Self {
        let state = State { epoch: 0, phase: Phase::Closed(Window::default()) };
        let resource = Resource::new("Breaker");
        Self { resource, trip, open_for, probes: 1, state: Mutex::new(state) }
    }

    /// Lets so many calls through when it is half-open, and closes when all of them succeed. 1 if it
    /// is not set.
    ///
    /// # Panics
    /// When it is 0.
    #[must_use]
    #[track_caller]
    pub fn probes(mut self, probes: u32) -> Self {
        assert!(probes > 0, "at least one call probes whether the breaker may close");
        self.probes = probes;
        self
    }

    /// Gives it a name for reports.
    #[must_use]
    pub fn named(mut self, name: &'static str) -> Self {
        self.resource = self.resource.named(name);
        self
    }

    /// Runs an operation unless the breaker is open. Each error counts as a failure.
    ///
    /// An operation that is refused is dropped without having been polled.
    ///
    /// # Errors
    /// [`BreakerError::Inner`] with the operation's error, else why it was refused.
    ///
    /// # Panics
    /// Polled outside of a parcae runtime.
    ///
    /// # Cancel safety
    /// As cancel safe as the operation; a call that is dropped counts for nothing.
    #[track_caller]
    pub fn call<F, T, E>(&self, operation: F) -> Call<'_, F::IntoFuture, AnyError<E>>
    where
        F: IntoFuture<Output = Result<T, E>>,
    {
        self.call_when(operation, |_| true)
    }

    /// Runs an operation unless the breaker is open. An error counts as a failure if `is_failure`
    /// holds of it, else as a success: the other side answered.
    ///
    /// # Errors
    /// [`BreakerError::Inner`] with the operation's error, else why it was refused.
    ///
    /// # Panics
    /// Polled outside of a parcae runtime.
    ///
    /// # Cancel safety
    /// As cancel safe as the operation; a call that is dropped counts for nothing.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::rate::{Breaker, BreakerState};
    /// use std::time::Duration;
    ///
    /// let breaker = Breaker::consecutive(1, Duration::from_secs(1));
    /// let missing = async { Err::<(), _>(404) };
    /// breaker.call_when(missing, |status: &u16| *status >= 500).await.unwrap_err();
    /// assert_eq!(breaker.state(), BreakerState::Closed);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn call_when<F, W, T, E>(&self, operation: F, is_failure: W) -> Call<'_, F::IntoFuture, W>
    where
        F: IntoFuture<Output = Result<T, E>>,
        W: Fn(&E) -> bool,
    {
        let operation = operation.into_future();
        let (point, at) = (Point::new(), Location::caller());
        Call { breaker: self, point, admission: None, is_failure, at, operation }
    }

    /// Returns the state. An open breaker stays open until the first call after its time.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        match self.lock().phase {
            Phase::Closed(_) => BreakerState::Closed,
            Phase::Open { until } => BreakerState::Open { until },
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    fn admit<E>(&self, now: Instant) -> Result<Admission<'_>, BreakerError<E>> {
        let mut state = self.lock();
        match &mut state.phase {
            Phase::Closed(_) => {}
            Phase::Open { until } if now < *until => {
                return Err(BreakerError::Open { until: *until });
            }
            Phase::Open { .. } => state.turn(Phase::HalfOpen { under_way: 1, succeeded: 0 }),
            Phase::HalfOpen { under_way, succeeded } if *under_way + *succeeded < self.probes => {
                *under_way += 1;
            }
            Phase::HalfOpen { .. } => return Err(BreakerError::Probing),
        }
        Ok(Admission { breaker: self, epoch: state.epoch, is_counted: false })
    }

    fn count(&self, epoch: u64, has_failed: bool, now: Instant) {
        let mut state = self.lock();
        if state.epoch != epoch {
            return;
        }
        let next = match &mut state.phase {
            Phase::Closed(window) => {
                if !window.adds_up(self.trip, has_failed) {
                    return;
                }
                self.open(now)
            }
            Phase::HalfOpen { .. } if has_failed => self.open(now),
            Phase::HalfOpen { under_way, succeeded } => {
                *under_way -= 1;
                *succeeded += 1;
                if *succeeded < self.probes {
                    return;
                }
                Phase::Closed(Window::default())
            }
            Phase::Open { .. } => return,
        };
        state.turn(next);
    }

    fn open(&self, now: Instant) -> Phase {
        Phase::Open { until: now.saturating_add(self.open_for) }
    }

    // Nothing of the user's runs while it is held, so poisoning is ignored.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn turn(&mut self, phase: Phase) {
        self.phase = phase;
        self.epoch += 1;
    }
}

impl Window {
    /// Counts an outcome, and tells whether the breaker is to open.
    fn adds_up(&mut self, trip: Trip, has_failed: bool) -> bool {
        match trip {
            Trip::Consecutive(count) => {
                self.failures = if has_failed { self.failures + 1 } else { 0 };
                self.failures >= count
            }
            Trip::Ratio { failures, window } => {
                self.outcomes.push_back(has_failed);
                self.failures += u32::from(has_failed);
                if self.outcomes.len() > window {
                    let oldest = self.outcomes.pop_front();
                    self.failures -= u32::from(oldest == Some(true));
                }
                let parts = u128::from(self.failures) * u128::from(failures.denominator());
                let limit = window as u128 * u128::from(failures.numerator());
                self.outcomes.len() == window && parts >= limit
            }
        }
    }
}

/// The state of a [`Breaker`].
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::rate::{Breaker, BreakerState};
/// use parcae::time::Instant;
/// use std::time::Duration;
///
/// let breaker = Breaker::consecutive(1, Duration::from_secs(30));
/// breaker.call(async { Err::<(), _>("down") }).await.unwrap_err();
/// let until = Instant::now() + Duration::from_secs(30);
/// assert_eq!(breaker.state(), BreakerState::Open { until });
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// Calls are refused.
    Open {
        /// The first call from then on is a probe.
        until: Instant,
    },
    /// A few calls go through, to see.
    HalfOpen,
}

/// What [`Breaker::call`] takes for a failure: each error.
pub type AnyError<E> = fn(&E) -> bool;

pin_project! {
    /// Future of [`Breaker::call`] and [`Breaker::call_when`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Call<'a, F, W> {
        breaker: &'a Breaker,
        point: Point,
        admission: Option<Admission<'a>>,
        is_failure: W,
        at: &'static Location<'static>,
        #[pin]
        operation: F,
    }
}

impl<F, W, T, E> Future for Call<'_, F, W>
where
    F: Future<Output = Result<T, E>>,
    W: Fn(&E) -> bool,
{
    type Output = Result<T, BreakerError<E>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.admission.is_none() {
            ready!(this.point.poll(context, &this.breaker.resource, &CALL, this.at));
            match this.breaker.admit(Instant::now()) {
                Ok(admission) => *this.admission = Some(admission),
                Err(refused) => return Poll::Ready(Err(refused)),
            }
        }
        let result = ready!(this.operation.poll(context));
        let has_failed = result.as_ref().err().is_some_and(this.is_failure);
        if let Some(admission) = this.admission.take() {
            admission.count(has_failed);
        }
        Poll::Ready(result.map_err(BreakerError::Inner))
    }
}

/// A call that was let through.
#[derive(Debug)]
struct Admission<'a> {
    breaker: &'a Breaker,
    epoch: u64,
    is_counted: bool,
}

impl Admission<'_> {
    fn count(mut self, has_failed: bool) {
        self.is_counted = true;
        self.breaker.count(self.epoch, has_failed, Instant::now());
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if self.is_counted {
            return;
        }
        // A cancelled probe makes place for another.
        let mut state = self.breaker.lock();
        if state.epoch == self.epoch
            && let Phase::HalfOpen { under_way, .. } = &mut state.phase
        {
            *under_way -= 1;
        }
    }
}

/// Why a call through a [`Breaker`] failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerError<E> {
    /// The breaker is open. The operation did not run.
    Open {
        /// From then on a call may probe.
        until: Instant,
    },
    /// The breaker is half-open, and its probes are under way. The operation did not run.
    Probing,
    /// The operation failed.
    Inner(E),
}

impl<E> fmt::Display for BreakerError<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Open { .. } => "the circuit breaker is open",
            Self::Probing => "the circuit breaker is half-open and probes already",
            Self::Inner(_) => "the call failed",
        })
    }
}

impl<E: Error + 'static> Error for BreakerError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Inner(error) => Some(error),
            Self::Open { .. } | Self::Probing => None,
        }
    }
}

static CALL: Verb = Verb::new("call", Access::Write);
