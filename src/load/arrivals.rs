//! When requests come.

use std::time::Duration;

use crate::rng::rng;

/// When the requests of an open load come.
///
/// # Examples
/// ```
/// use parcae::load::Arrivals;
/// let even = Arrivals::per_second(100);
/// let random = Arrivals::per_second(100).poisson();
/// assert_ne!(even, random);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it says when requests come and sends none"]
pub struct Arrivals {
    count: u32,
    spacing: Spacing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spacing {
    Even,
    Poisson,
}

impl Arrivals {
    /// So many in a second at equal distances, the first one at once. They do not drift: request
    /// `n` comes after `n / count` seconds, rounded down to the nanosecond.
    ///
    /// # Panics
    /// When the count is 0.
    #[track_caller]
    pub fn per_second(count: u32) -> Self {
        assert!(count > 0, "a rate is above 0");
        Self { count, spacing: Spacing::Even }
    }

    /// So many in a second on average, independent of each other: a Poisson process. The first one
    /// comes after a gap too.
    ///
    /// # Determinism
    /// One draw from [`rng()`] of the task that runs the load for each request.
    pub fn poisson(mut self) -> Self {
        self.spacing = Spacing::Poisson;
        self
    }

    /// Returns when a request comes, from the time of the one before it. Both since the start.
    pub(super) fn next(self, number: u64, before: Duration) -> Duration {
        match self.spacing {
            Spacing::Even => {
                let nanos = u128::from(number) * NANOS_PER_SECOND / u128::from(self.count);
                Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
            }
            Spacing::Poisson => before.saturating_add(exponential(self.count)),
        }
    }
}

/// Draws a time that is exponentially distributed, by inversion.
fn exponential(per_second: u32) -> Duration {
    // In steps of 2^-53, above 0 and up to 1: every one of them is a floating-point number.
    let uniform = ((rng().next_u64() >> 11) + 1) as f64 / TWO_53;
    let seconds = -libm::log(uniform) / f64::from(per_second);
    Duration::from_secs_f64(seconds)
}

const NANOS_PER_SECOND: u128 = 1_000_000_000;
const TWO_53: f64 = (1_u64 << 53) as f64;
