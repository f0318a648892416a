//! Chance in user code: a random generator and choices that shrink.
//!
//! * [`choose`] picks from a range and is a choice of the run: it is explored, recorded and, when a
//!   failure is shrunk, lowered. Use it for what the *test* varies: workloads, sizes, delays.
//! * [`rng`] is a generator for what the *program* draws: jitter, ids, shuffles. It depends on the
//!   seed and the task, and is not shrunk.
//!
//! On real time both draw what they draw in a simulation under the seed of the run, which the operating
//! system gives if the options do not. It has 64 bits: keys and tokens that nobody may guess are not made
//! of it.

use std::convert::Infallible;
use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::panic::Location;

use rand_core::{Rng as _, TryRng};

use crate::backend;
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
        backend::with_rng("Rng::next_u32", rand_core::Rng::next_u32)
    }

    /// Returns 64 random bits.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn next_u64(&mut self) -> u64 {
        backend::with_rng("Rng::next_u64", rand_core::Rng::next_u64)
    }

    /// Fills a buffer with random bytes.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn fill_bytes(&mut self, bytes: &mut [u8]) {
        backend::with_rng("Rng::fill_bytes", |generator| generator.fill_bytes(bytes));
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

/// Chooses a number from a range, of any type of whole numbers up to 64 bits.
///
/// Failures shrink to the least value of the range, or to the one nearest to 0 if the range begins
/// below 0.
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
/// let names = ["Nona", "Decima", "Morta"];
/// let name = names[parcae::choose(0..names.len())];
/// # let _ = name;
/// # }).unwrap();
/// ```
#[track_caller]
pub fn choose<T: Choosable>(range: impl RangeBounds<T>) -> T {
    let (space, at) = (space("parcae::choose", &range), Location::caller());
    let value = backend::choose("parcae::choose", CHOOSE, None, space, at);
    number(space, value)
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
pub fn choose_for<T: Choosable>(
    label: &'static str,
    ordinal: u64,
    range: impl RangeBounds<T>,
) -> T {
    let (space, at) = (space("parcae::rng::choose_for", &range), Location::caller());
    let site = Site::label(label);
    let value = backend::choose("parcae::rng::choose_for", site, Some(ordinal), space, at);
    number(space, value)
}

/// A type of whole numbers that [`choose`] can choose: all of up to 64 bits.
///
/// Sealed: what a run can draw is fixed.
pub trait Choosable: Copy + TryFrom<i128> + Into128 {}

impl<T: Copy + TryFrom<i128> + Into128> Choosable for T {}

mod sealed {
    /// Bounds of a type of whole numbers, in a type that holds all of them.
    #[expect(unnameable_types, reason = "nobody else is to implement it")]
    pub trait Into128 {
        const LEAST: i128;
        const GREATEST: i128;
        fn into_128(self) -> i128;
    }

    macro_rules! into_128 {
        ($($number:ty)*) => {$(
            impl Into128 for $number {
                const LEAST: i128 = <$number>::MIN as i128;
                const GREATEST: i128 = <$number>::MAX as i128;

                fn into_128(self) -> i128 {
                    self as i128
                }
            }
        )*};
    }

    into_128!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
}

use sealed::Into128;

#[track_caller]
fn space<T: Choosable>(call: &str, range: &impl RangeBounds<T>) -> Space {
    let low = match range.start_bound() {
        Bound::Included(low) => low.into_128(),
        Bound::Excluded(low) => low.into_128() + 1,
        Bound::Unbounded => T::LEAST,
    };
    let high = match range.end_bound() {
        Bound::Included(high) => high.into_128(),
        Bound::Excluded(high) => high.into_128() - 1,
        Bound::Unbounded => T::GREATEST,
    };
    assert!(low <= high, "`{call}` was given an empty range");
    let fits = "a number of up to 64 bits";
    if low < 0 {
        let [low, high] = [low, high].map(|bound| i64::try_from(bound).expect(fits));
        return Space::Signed { low, high };
    }
    let [low, high] = [low, high].map(|bound| u64::try_from(bound).expect(fits));
    Space::Integer { low, high, default: low }
}

fn number<T: Choosable>(space: Space, value: u64) -> T {
    let value = match space {
        Space::Signed { .. } => i128::from(value.cast_signed()),
        _ => i128::from(value),
    };
    T::try_from(value).ok().expect("the space lies within the type")
}

const CHOOSE: Site = Site::new("choose");
