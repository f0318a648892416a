//! A rate limit.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::backend;
use crate::kernel::{Access, Verb, VirtualTime};
use crate::sync::primitive::{Line, Place, Primitive, Wait, WaitState};
use crate::sync::waiters::{Ticket, Waiters, Wakes};
use crate::time::{Sleep, sleep};

/// A bucket of tokens that fills at an even rate, and that whatever is to begin takes a token from.
///
/// It begins full. At most `burst` things begin at once, and in `d` no more than `burst` and those
/// that the rate allows in `d`: with the burst of 1 that is the default, no second has more
/// than `k` starts. What waits is served in the order of arrival, and what needs many tokens is not
/// overtaken by what needs few. All is counted in whole fractions of a nanosecond: 3 in a second
/// stay 3 in a second, for ever.
///
/// It counts in the time of the run, whatever the clocks of domains show, so that tasks of several
/// domains can share it. Who waits does so by the clock of its domain: a slow one is late by that.
///
/// **When not to use it**: across runs; make it inside of the run whose time it is to follow.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::rate::Rate;
/// use parcae::time::Instant;
/// use std::time::Duration;
///
/// let rate = Rate::per_second(10).burst(3);
/// let start = Instant::now();
/// for _ in 0..5 {
///     rate.acquire().await;
/// }
/// assert_eq!(start.elapsed(), Duration::from_millis(200), "3 at once, then 2 more");
/// # }).unwrap();
/// ```
///
/// # Source
/// The generic cell rate algorithm, ITU-T I.371: a token bucket that keeps one number.
pub struct Rate {
    primitive: Primitive<State>,
}

struct State {
    /// Tokens in each period; also how many ticks make a nanosecond.
    count: u32,
    /// Ticks that a token takes to come: the nanoseconds of a period.
    token: u64,
    burst: u32,
    /// When the clock was looked at first; ticks count from then.
    origin: Option<VirtualTime>,
    /// When the bucket is full, in ticks.
    full_at: u128,
    /// The waiter that waits for its time. Any other that comes to be the first is woken.
    timed: Option<Ticket>,
    waiters: Waiters,
}

impl WaitState for State {
    fn wake_due(&mut self, wakes: &mut Wakes) {
        if self.waiters.first_ticket() != self.timed {
            self.waiters.wake(0, wakes);
        }
    }
}

impl State {
    /// Takes so many tokens, or returns how long it takes until they are there.
    fn take(&mut self, permits: u32, now: VirtualTime) -> Result<(), Duration> {
        let now = self.ticks(now);
        let full_at = self.full_from(now) + self.worth(u128::from(permits));
        let wait = self.wait(full_at, now);
        if wait.is_zero() {
            self.full_at = full_at;
            return Ok(());
        }
        Err(wait)
    }

    /// Returns from when on the bucket is full, if nothing more is taken.
    fn full_from(&self, now: u128) -> u128 {
        // A wait ends at the next whole nanosecond; what it is late by is not lost.
        let late = now.saturating_sub(self.full_at);
        if late < u128::from(self.count) { self.full_at } else { now }
    }

    /// Returns how long it takes until a bucket that would be full at `full_at` is not overdrawn.
    fn wait(&self, full_at: u128, now: u128) -> Duration {
        let ticks = full_at.saturating_sub(self.worth(u128::from(self.burst)) + now);
        let nanos = ticks.div_ceil(u128::from(self.count));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn worth(&self, permits: u128) -> u128 {
        permits * u128::from(self.token)
    }

    fn ticks(&mut self, now: VirtualTime) -> u128 {
        let origin = *self.origin.get_or_insert(now);
        let nanos = now.as_nanos().saturating_sub(origin.as_nanos());
        u128::from(nanos) * u128::from(self.count)
    }
}

impl Rate {
    const WAITERS: Line<State> = Line { verb: &ACQUIRE, waiters: |state| &mut state.waiters };

    /// Makes a limit of so many in a second, one at a time.
    ///
    /// # Panics
    /// When the count is 0.
    #[must_use]
    #[track_caller]
    pub fn per_second(count: u32) -> Self {
        Self::new(count, Duration::from_secs(1))
    }

    /// Makes a limit of so many in each period, one at a time.
    ///
    /// # Panics
    /// When the count or the period is 0, or the period is longer than 584 years.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// let mails = parcae::rate::Rate::new(100, Duration::from_secs(3600)).burst(20).named("mails");
    /// # let _ = mails;
    /// ```
    #[must_use]
    #[track_caller]
    pub fn new(count: u32, period: Duration) -> Self {
        assert!(count > 0, "a rate is above 0");
        assert!(!period.is_zero(), "the period of a rate is above 0");
        let token = u64::try_from(period.as_nanos()).expect("a period of less than 584 years");
        let waiters = Waiters::default();
        let state =
            State { count, token, burst: 1, origin: None, full_at: 0, timed: None, waiters };
        Self { primitive: Primitive::new("Rate", state) }
    }

    /// Lets so many begin at once after a rest.
    ///
    /// # Panics
    /// When it is 0.
    #[must_use]
    #[track_caller]
    pub fn burst(mut self, burst: u32) -> Self {
        assert!(burst > 0, "at least one may begin at a time");
        self.primitive.get_mut().burst = burst;
        self
    }

    /// Gives it a name for reports.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { primitive: self.primitive.named(name) }
    }

    /// Waits until a token is there and nobody waits before this, and takes it.
    ///
    /// The place in the line is taken at the first poll.
    ///
    /// # Panics
    /// Polled outside of a parcae runtime.
    ///
    /// # Cancel safety
    /// Cancel safe: a future that is dropped took no token. Only the place in the line is lost.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let rate = parcae::rate::Rate::per_second(2);
    /// rate.acquire().await;
    /// rate.acquire().await;
    /// assert_eq!(parcae::time::SystemTime::now().since_epoch().subsec_millis(), 500);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn acquire(&self) -> Acquire<'_> {
        self.acquire_many(1)
    }

    /// Waits until so many tokens are there and nobody waits before this, and takes them.
    ///
    /// # Panics
    /// When they are more than the burst, which never come together. Polled outside of a parcae
    /// runtime.
    ///
    /// # Cancel safety
    /// Cancel safe: a future that is dropped took no token. Only the place in the line is lost.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::{rate::Rate, time::Instant};
    /// use std::time::Duration;
    ///
    /// let bytes = Rate::per_second(1_000_000).burst(64_000);
    /// let start = Instant::now();
    /// for _ in 0..3 {
    ///     bytes.acquire_many(64_000).await;
    /// }
    /// assert_eq!(start.elapsed(), Duration::from_millis(128));
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn acquire_many(&self, permits: u32) -> Acquire<'_> {
        self.check(permits);
        Acquire { rate: self, permits, wait: Wait::new(), timer: None }
    }

    /// Takes a token if there is one and nobody waits for it.
    ///
    /// # Errors
    /// [`RetryAfter`] says when there can be one, at the earliest.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::rate::{Rate, RetryAfter};
    /// use std::time::Duration;
    ///
    /// let rate = Rate::per_second(4);
    /// assert_eq!(rate.try_acquire(), Ok(()));
    /// assert_eq!(rate.try_acquire(), Err(RetryAfter(Duration::from_millis(250))));
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn try_acquire(&self) -> Result<(), RetryAfter> {
        self.try_acquire_many(1)
    }

    /// Takes so many tokens if they are there and nobody waits for them.
    ///
    /// # Errors
    /// [`RetryAfter`] says when they can be there, at the earliest.
    ///
    /// # Panics
    /// When they are more than the burst. Outside of a parcae runtime.
    #[track_caller]
    pub fn try_acquire_many(&self, permits: u32) -> Result<(), RetryAfter> {
        self.check(permits);
        let now = now();
        self.primitive.change(|state| {
            let waiting = state.waiters.count() as u128;
            if waiting == 0 {
                return state.take(permits, now).map_err(RetryAfter);
            }
            // Each of those who wait takes one token or more.
            let now = state.ticks(now);
            let full_at = state.full_from(now) + state.worth(waiting + u128::from(permits));
            Err(RetryAfter(state.wait(full_at, now)))
        })
    }

    #[track_caller]
    fn check(&self, permits: u32) {
        let burst = self.primitive.read(|state| state.burst);
        assert!(permits <= burst, "{permits} tokens never come together: the burst is {burst}");
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Copied out: what is written to may be code of the user's.
        let read = |state: &State| (state.count, Duration::from_nanos(state.token), state.burst);
        let (count, period, burst) = self.primitive.read(read);
        formatter
            .debug_struct("Rate")
            .field("count", &count)
            .field("period", &period)
            .field("burst", &burst)
            .finish_non_exhaustive()
    }
}

/// Future of [`Rate::acquire`] and [`Rate::acquire_many`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Acquire<'a> {
    rate: &'a Rate,
    permits: u32,
    wait: Wait,
    /// Set while it is the first in the line.
    timer: Option<Sleep>,
}

impl Future for Acquire<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let (rate, permits) = (self.rate, self.permits);
        loop {
            let now = now();
            let mut missing = None;
            let go = |state: &mut State, place: Place| {
                if place.rank > 0 {
                    return None;
                }
                match state.take(permits, now) {
                    Ok(()) => Some(()),
                    Err(wait) => {
                        let own = place.ticket.unwrap_or_else(|| state.waiters.next_ticket());
                        state.timed = Some(own);
                        missing = Some(wait);
                        None
                    }
                }
            };
            if self.wait.poll(context, &rate.primitive, &Rate::WAITERS, go).is_ready() {
                return Poll::Ready(());
            }
            // Preempted, or there are others before it.
            let Some(missing) = missing else { return Poll::Pending };
            let timer = self.timer.get_or_insert_with(|| sleep(missing));
            ready!(Pin::new(timer).poll(context));
            self.timer = None;
        }
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        self.wait.leave(&self.rate.primitive, &Rate::WAITERS);
    }
}

/// There are not enough tokens: come back after so long, at the earliest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter(pub Duration);

impl fmt::Display for RetryAfter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the rate is used up for {:?}", self.0)
    }
}

impl Error for RetryAfter {}

/// Returns the time that all domains agree on. By a clock that runs behind another one's, a token that
/// was taken there would lie the further ahead the longer the run.
#[track_caller]
fn now() -> VirtualTime {
    backend::global_now("a rate limit")
}

static ACQUIRE: Verb = Verb::new("acquire", Access::Write);
