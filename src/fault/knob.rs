//! Limits and times that each run sets anew.

use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::time::Duration;

#[cfg(feature = "simulation")]
use super::run::FaultRun;
#[cfg(feature = "simulation")]
use crate::context;
#[cfg(feature = "simulation")]
use crate::context::{Numbered, Numbers};

/// Returns a value that each run of a simulation sets anew: the usual one, an end of its range, or any
/// of it.
///
/// ```text
/// knob!("batch size", 64, 1..=4096)                 a whole number or duration of a range
/// knob!("mode", Mode::Fast, [Mode::Safe])           the first, or one of a list
/// ```
///
/// In one run it is always the same, wherever it is asked for. It is known by its name, so a name stands
/// for one knob in a program. On real time and outside of any runtime it is the usual value. How often it
/// is which: see [`fault`](crate::fault).
///
/// # Panics
/// When the usual value is outside of the range.
///
/// # Determinism
/// Draws once in each run, when it is first asked for. The default is the usual value, to which failures
/// shrink.
///
/// # Examples
/// ```
/// let report = parcae::explore::Check::new("batches").seeds(100).run(|| async {
///     let size = parcae::knob!("batch size", 64, 1..=4096_usize);
///     let batches = 100 / size; // should be rounded up
///     assert!(batches * size >= 100 || size == 64, "{batches} of {size} are too few");
/// });
/// let finding = report.finding().expect("some seed sets it so");
/// assert_eq!(finding.knobs()[0].to_string(), "`batch size` is 65 (usually 64)");
/// assert_eq!(parcae::knob!("batch size", 64, 1..=4096), 64);
/// ```
#[macro_export]
macro_rules! knob {
    ($name:literal, $default:expr, [$($value:expr),+ $(,)?] $(,)?) => {{
        static PLACE: $crate::fault::KnobPlace = $crate::fault::KnobPlace::new($name);
        $crate::fault::written::of_list(&PLACE, [$default $(, $value)+])
    }};
    ($name:literal, $default:expr, $range:expr $(,)?) => {{
        static PLACE: $crate::fault::KnobPlace = $crate::fault::KnobPlace::new($name);
        $crate::fault::written::of_range(&PLACE, $default, $range)
    }};
}

/// A place of [`knob!`](crate::knob!) in a program.
#[derive(Debug)]
pub struct KnobPlace {
    name: &'static str,
    #[cfg(feature = "simulation")]
    number: Numbered,
}

impl KnobPlace {
    /// Makes the static of a macro.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            #[cfg(feature = "simulation")]
            number: Numbered::new(),
        }
    }

    /// Returns the name of the knob.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    #[inline]
    #[cfg(feature = "simulation")]
    pub(super) fn index(&self) -> usize {
        self.number.index(&NUMBERS)
    }
}

#[cfg(feature = "simulation")]
static NUMBERS: Numbers = Numbers::new();

/// What a knob of a range sets: a whole number of up to 64 bits, or a duration of up to 584 years.
///
/// Implemented for those types only.
pub trait Tunable: Copy + PartialOrd + Debug {
    /// Returns how far it is above another one.
    #[doc(hidden)]
    fn above(self, low: Self) -> u64;

    /// Returns what is so far above another one.
    #[doc(hidden)]
    fn raised(low: Self, by: u64) -> Self;
}

macro_rules! tunable {
    ($($number:ty)*) => {$(
        impl Tunable for $number {
            fn above(self, low: Self) -> u64 {
                u64::try_from(i128::from_number(self) - i128::from_number(low))
                    .expect("a range of 64 bits has at most so many")
            }

            fn raised(low: Self, by: u64) -> Self {
                let value = i128::from_number(low) + i128::from(by);
                Self::try_from(value).expect("it lies in a range of this type")
            }
        }

        impl FromNumber<$number> for i128 {
            fn from_number(number: $number) -> Self {
                number as Self
            }
        }
    )*};
}

/// `From`, also for the types of the size of a pointer.
trait FromNumber<T> {
    fn from_number(number: T) -> Self;
}

tunable!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

impl Tunable for Duration {
    fn above(self, low: Self) -> u64 {
        u64::try_from((self - low).as_nanos()).unwrap_or(u64::MAX)
    }

    fn raised(low: Self, by: u64) -> Self {
        low + Self::from_nanos(by)
    }
}

/// Returns the value of a knob that is one of a range.
#[must_use]
#[track_caller]
pub fn of_range<T: Tunable>(place: &'static KnobPlace, default: T, range: RangeInclusive<T>) -> T {
    let (low, high) = range.into_inner();
    assert!(
        low <= default && default <= high,
        "the usual value of the knob `{}` is {default:?}, outside of {low:?}..={high:?}",
        place.name()
    );
    #[cfg(feature = "simulation")]
    {
        let [default_above, high_above] = [default.above(low), high.above(low)];
        let show = |value: u64| format!("{:?}", T::raised(low, value));
        let set =
            context::with(|run: &FaultRun| run.knob(place, (default_above, high_above), show));
        set.flatten().map_or(default, |set| T::raised(low, set))
    }
    #[cfg(not(feature = "simulation"))]
    default
}

/// Returns the value of a knob that is one of a list, of which the first is the usual one.
#[must_use]
#[track_caller]
pub fn of_list<T: Debug, const N: usize>(place: &'static KnobPlace, values: [T; N]) -> T {
    #[cfg(feature = "simulation")]
    let set = {
        let show = |value: u64| {
            let value = usize::try_from(value).expect("an index of the list");
            format!("{:?}", values[value])
        };
        let set = context::with(|run: &FaultRun| run.knob(place, (0, N as u64 - 1), show));
        set.flatten().unwrap_or_default()
    };
    #[cfg(not(feature = "simulation"))]
    let set = {
        let _ = place;
        0_u64
    };
    let index = usize::try_from(set).expect("an index of the list");
    values.into_iter().nth(index).expect("the list has as many values as were drawn from")
}
