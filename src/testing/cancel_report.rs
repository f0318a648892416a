//! What came of cancelling an operation at each of its awaits.

use std::fmt;

use crate::executor::{Failure, Wait};
use crate::kernel::Seed;

/// How it went to cancel an operation at each of its awaits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a report may hold a failure: `unwrap` it"]
pub struct CancelReport {
    /// The most awaits that the operation came to under one seed; 0 says that it never pended, and so that
    /// nothing was cancelled.
    pub await_points: u64,
    /// How many runs there were.
    pub runs: u64,
    /// The first failure, at the earliest await and there under the first seed.
    pub failure: Option<CancelFailure>,
}

impl CancelReport {
    /// Tells whether no run failed.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.failure.is_none()
    }

    /// Does nothing if no run failed.
    ///
    /// # Panics
    /// When a run failed, with where the operation was cancelled, the seed and the failure.
    ///
    /// # Examples
    /// ```should_panic
    /// let report = parcae::testing::cancel_at_every_await(
    ///     async || std::cell::Cell::new(0),
    ///     async |count| {
    ///         count.set(1);
    ///         parcae::task::yield_now().await;
    ///         count.set(0);
    ///     },
    ///     async |count, _| assert_eq!(count.get(), 0),
    /// );
    /// report.unwrap(); // panics: cancelled at await 1 of 1 (…), seed 0: …
    /// ```
    #[track_caller]
    pub fn unwrap(self) {
        if let Some(failure) = self.failure {
            panic!("{failure}");
        }
    }
}

/// A run that failed, and where the operation was cancelled in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CancelFailure {
    /// The seed of the run.
    pub seed: Seed,
    /// Where the operation was cancelled; none if it was not, because it fails even so.
    pub cancelled: Option<CancelPoint>,
    /// How the run failed.
    pub failure: Failure,
}

/// Where an operation was cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CancelPoint {
    /// Number of the await, from 1.
    pub number: u64,
    /// How many awaits the operation comes to under the seed when it is not cancelled.
    pub count: u64,
    /// When it was dropped.
    pub moment: CancelMoment,
    /// Where it stood.
    pub wait: CancelWait,
}

/// When an operation that waits is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CancelMoment {
    /// Right after the poll that pended.
    Pending,
    /// When its task had been woken, instead of the next poll.
    Woken,
}

impl CancelMoment {
    /// All of them, in the order in which they are tried.
    pub const ALL: [Self; 2] = [Self::Pending, Self::Woken];
}

/// Why the poll pended after which an operation was cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CancelWait {
    /// It waited.
    For(Wait),
    /// Another task was to go first, before it came to look at this.
    PreemptedBefore(Wait),
}

impl fmt::Display for CancelFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cancelled {
            Some(point) => write!(formatter, "cancelled at {point}")?,
            None => formatter.write_str("not cancelled")?,
        }
        write!(formatter, ", seed {}: {}", self.seed, self.failure)
    }
}

impl std::error::Error for CancelFailure {}

impl fmt::Display for CancelPoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "await {} of {} (", self.number, self.count)?;
        if self.moment == CancelMoment::Woken {
            formatter.write_str("woken; ")?;
        }
        write!(formatter, "{})", self.wait)
    }
}

impl fmt::Display for CancelWait {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For(wait) => write!(formatter, "waits for {wait}"),
            Self::PreemptedBefore(wait) => write!(formatter, "preempted before {wait}"),
        }
    }
}
