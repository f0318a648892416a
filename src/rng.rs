//! Chance in user code: a random generator and choices that shrink.
//!
//! * [`choose`] picks from a range and is a choice of the run: it is explored, recorded and, when a
//!   failure is shrunk, lowered. Use it for what the *test* varies: workloads, sizes, delays.
//! * [`rng`] is a generator for what the *program* draws: jitter, ids, shuffles. It depends on the
//!   seed and the task, and is not shrunk.

use std::convert::Infallible;
use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::panic::Location;

use rand_core::{Rng as _, TryRng};

use crate::context;
use crate::executor::{Executor, RNG, SCHEDULE};
use crate::kernel::{Site, Space};

/// Returns the random generator of the running task.
///
/// # Panics
/// When it is used outside of a parcae runtime.
///
/// # Determinism
/// One ChaCha8 stream per task, seeded from the seed and the task's name, in every fill mode. What
/// another task draws changes nothing in it.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// let bits = parcae::rng().next_u64();
/// # let _ = bits;
/// # }).unwrap();
/// ```
#[must_use]
pub fn rng() -> Rng {
    Rng { _private: () }
}

/// The random generator of whatever task uses it; made by [`rng`].
///
/// Implements the traits of `rand_core` 0.10, so crates such as `rand` can draw from it.
#[derive(Clone, Copy)]
pub struct Rng {
    _private: (),
}

impl Rng {
    /// Returns 32 random bits.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn next_u32(&mut self) -> u32 {
        context::expect("Rng::next_u32", |executor: &Executor| {
            executor.with_rng(rand_core::Rng::next_u32)
        })
    }

    /// Returns 64 random bits.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn next_u64(&mut self) -> u64 {
        context::expect("Rng::next_u64", |executor: &Executor| {
            executor.with_rng(rand_core::Rng::next_u64)
        })
    }

    /// Fills a buffer with random bytes.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn fill_bytes(&mut self, bytes: &mut [u8]) {
        context::expect("Rng::fill_bytes", |executor: &Executor| {
            executor.with_rng(|generator| generator.fill_bytes(bytes));
        });
    }
}

impl TryRng for Rng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(Self::next_u32(self))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(Self::next_u64(self))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        Self::fill_bytes(self, bytes);
        Ok(())
    }
}

impl fmt::Debug for Rng {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Rng")
    }
}

/// Chooses a number from a range; its least value is the default to which failures shrink.
///
/// # Panics
/// On an empty range, and outside of a parcae runtime.
///
/// # Determinism
/// One choice at site `choose` of the running task; its ordinal counts the task's calls. Use
/// [`choose_for`] where calls may come and go.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// let clients = parcae::choose(1..=5);
/// assert!((1..=5).contains(&clients));
/// # }).unwrap();
/// ```
#[track_caller]
pub fn choose(range: impl RangeBounds<u64>) -> u64 {
    let (space, at) = (space("parcae::choose", &range), Location::caller());
    context::expect("parcae::choose", |executor: &Executor| {
        executor.choose(CHOOSE, None, space, at)
    })
}

/// Chooses a number for one thing: the ordinal says which, the label what for.
///
/// A choice added or removed elsewhere changes nothing in this one.
///
/// # Panics
/// On an empty range, and outside of a parcae runtime.
///
/// # Determinism
/// One choice at the label's site of the running task, with this ordinal.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// for request in 0..3 {
///     let size = parcae::rng::choose_for("request size", request, 0..1024);
///     assert!(size < 1024);
/// }
/// # }).unwrap();
/// ```
#[track_caller]
pub fn choose_for(label: &'static str, ordinal: u64, range: impl RangeBounds<u64>) -> u64 {
    let (space, at) = (space("parcae::rng::choose_for", &range), Location::caller());
    context::expect("parcae::rng::choose_for", |executor: &Executor| {
        executor.choose(site_of(label), Some(ordinal), space, at)
    })
}

/// Returns the site of a label of the user's, which is none of the library's own.
fn site_of(label: &'static str) -> Site {
    let site = Site::new(label);
    let is_taken = [CHOOSE, RNG, SCHEDULE].iter().any(|own| own.id() == site.id());
    if is_taken { Site::beside(label) } else { site }
}

#[track_caller]
fn space(call: &str, range: &impl RangeBounds<u64>) -> Space {
    let low = match range.start_bound() {
        Bound::Included(low) => Some(*low),
        Bound::Excluded(low) => low.checked_add(1),
        Bound::Unbounded => Some(0),
    };
    let high = match range.end_bound() {
        Bound::Included(high) => Some(*high),
        Bound::Excluded(high) => high.checked_sub(1),
        Bound::Unbounded => Some(u64::MAX),
    };
    match (low, high) {
        (Some(low), Some(high)) if low <= high => Space::Integer { low, high, default: low },
        _ => panic!("`{call}` was given an empty range"),
    }
}

const CHOOSE: Site = Site::new("choose");
