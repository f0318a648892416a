//! How long to wait between attempts.

use std::time::Duration;

use crate::rng::{Rng, rng};

/// How long to wait before each retry: ever longer, up to a cap, spread by jitter.
///
/// Before retry `n` (0 for the first) it is `min(cap, first * factor^n)`, which [`Jitter`] then
/// spreads.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::retry::{Backoff, Jitter};
/// use std::time::Duration;
///
/// let backoff = Backoff::exponential(Duration::from_secs(1), 2)
///     .cap(Duration::from_secs(5))
///     .jitter(Jitter::None);
/// let seconds: Vec<_> = backoff.delays().take(5).map(|delay| delay.as_secs()).collect();
/// assert_eq!(seconds, [1, 2, 4, 5, 5]);
/// # }).unwrap();
/// ```
///
/// # Source
/// M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it says how long to wait and waits for nothing"]
pub struct Backoff {
    first_nanos: u64,
    factor: u32,
    cap_nanos: u64,
    jitter: Jitter,
}

impl Backoff {
    /// Makes a back-off of `first`, `first * factor`, `first * factor^2` and so on, with a cap of 20
    /// seconds and full jitter.
    ///
    /// # Panics
    /// When the factor is 0.
    #[track_caller]
    pub fn exponential(first: Duration, factor: u32) -> Self {
        assert!(factor > 0, "the factor of a back-off is above 0");
        let cap_nanos = nanos(CAP_DEFAULT);
        Self { first_nanos: nanos(first), factor, cap_nanos, jitter: Jitter::Full }
    }

    /// Makes a back-off that is always the same, without jitter.
    pub fn constant(delay: Duration) -> Self {
        Self::exponential(delay, 1).cap(delay).jitter(Jitter::None)
    }

    /// Makes no delay longer than this.
    pub fn cap(mut self, cap: Duration) -> Self {
        self.cap_nanos = nanos(cap);
        self
    }

    /// Spreads the delays.
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// Returns the delays, one after the other, without end.
    pub fn delays(self) -> Delays {
        let step = self.first_nanos.min(self.cap_nanos);
        Delays { backoff: self, step, previous: self.first_nanos }
    }
}

impl Default for Backoff {
    /// 100 milliseconds, doubled up to 20 seconds, with full jitter.
    fn default() -> Self {
        Self::exponential(FIRST_DEFAULT, 2)
    }
}

/// How delays are spread, so that those who failed together do not come back together.
///
/// `step` is the delay without jitter; all draws are even and include both bounds.
///
/// # Source
/// M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015; the names are his.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Jitter {
    /// `step`: whoever fails together returns together. For tests, and for a single client.
    None,
    /// Between 0 and `step`. The least work for the server.
    #[default]
    Full,
    /// `step / 2`, and between 0 and `step / 2` more: never very soon.
    Equal,
    /// Between `first` and 3 times the delay before (the first one counts as `first`), up to the
    /// cap. The factor is not used.
    Decorrelated,
}

/// The delays of a [`Backoff`].
///
/// # Panics
/// With jitter, outside of a parcae runtime.
///
/// # Determinism
/// One draw from [`rng()`] for each delay; none without jitter.
#[derive(Clone, Debug)]
pub struct Delays {
    backoff: Backoff,
    /// The next delay without jitter.
    step: u64,
    /// The delay before, for [`Jitter::Decorrelated`].
    previous: u64,
}

impl Iterator for Delays {
    type Item = Duration;

    #[track_caller]
    fn next(&mut self) -> Option<Duration> {
        let Backoff { first_nanos, factor, cap_nanos, jitter } = self.backoff;
        let step = self.step;
        self.step = step.saturating_mul(u64::from(factor)).min(cap_nanos);
        let delay = match jitter {
            Jitter::None => step,
            Jitter::Full => between(rng(), 0, step),
            Jitter::Equal => {
                let half = step / 2;
                step - half + between(rng(), 0, half)
            }
            Jitter::Decorrelated => {
                let high = self.previous.saturating_mul(3).max(first_nanos);
                between(rng(), first_nanos, high).min(cap_nanos)
            }
        };
        self.previous = delay;
        Some(Duration::from_nanos(delay))
    }
}

/// Draws a number from `low..=high`.
#[track_caller]
fn between(mut rng: Rng, low: u64, high: u64) -> u64 {
    let count = u128::from(high - low) + 1;
    // The odds of two numbers differ by less than count / 2^64.
    let offset = (u128::from(rng.next_u64()) * count) >> 64;
    low + u64::try_from(offset).expect("less than a count of at most 2^64")
}

/// The longest time in nanoseconds is 584 years.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

const FIRST_DEFAULT: Duration = Duration::from_millis(100);
const CAP_DEFAULT: Duration = Duration::from_secs(20);
