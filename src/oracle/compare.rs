//! Properties that compare numbers or list conditions: the failure shows both sides.

use super::details::Details;
use super::judge::judge;
use super::property::Property;
#[cfg(feature = "simulation")]
use super::tally::Tally;
#[cfg(feature = "simulation")]
use crate::context;

/// What a search that is guided by a property would drive it to: the difference of the two numbers, or
/// the count of the conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// As small as can be.
    Least,
    /// As great as can be.
    Greatest,
}

/// What a property with an aim looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Two numbers.
    Numbers,
    /// Conditions with names.
    Conditions,
}

/// How two numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Left is greater.
    Greater,
    /// Left is greater, or they are equal.
    GreaterOrEqual,
    /// Left is less.
    Less,
    /// Left is less, or they are equal.
    LessOrEqual,
}

/// What a property with an aim has seen that was nearest to it.
#[cfg(feature = "simulation")]
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Guidance {
    /// Two numbers.
    Numbers { left: Number, right: Number },
    /// Conditions by name.
    Conditions(Vec<(&'static str, bool)>),
}

#[cfg(feature = "simulation")]
impl Guidance {
    fn value(&self) -> Number {
        match self {
            Self::Numbers { left, right } => left.minus(*right),
            Self::Conditions(list) => {
                let count = list.iter().filter(|(_, is_true)| *is_true).count();
                Number::Whole(i128::try_from(count).expect("a list in memory"))
            }
        }
    }
}

/// A number that a property compares, whatever its type.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Number {
    /// One of up to 64 bits, or a duration in nanoseconds.
    Whole(i128),
    /// One with a fraction.
    Real(f64),
}

#[cfg(feature = "simulation")]
impl Guidance {
    fn is_not_a_number(&self) -> bool {
        matches!(self.value(), Number::Real(real) if real.is_nan())
    }
}

#[cfg(feature = "simulation")]
impl Number {
    /// Returns the difference of two numbers of one type.
    fn minus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => Self::Whole(left.saturating_sub(right)),
            (Self::Real(left), Self::Real(right)) => Self::Real(left - right),
            _ => unreachable!("both sides of a comparison have one type"),
        }
    }
}

/// Puts `new` into the place of what it is nearer to the aim than.
#[cfg(feature = "simulation")]
pub(super) fn improve(best: &mut Option<Guidance>, new: Guidance, aim: Option<Aim>) {
    let is_better = match (&*best, aim) {
        // What is not a number has no distance to anything.
        (None, _) => !new.is_not_a_number(),
        (Some(best), Some(Aim::Least)) => new.value() < best.value(),
        (Some(best), Some(Aim::Greatest)) => new.value() > best.value(),
        (Some(_), None) => false,
    };
    if is_better {
        *best = Some(new);
    }
}

/// A number that properties compare: any whole number of up to 64 bits, `f32`, `f64`, and durations, in
/// nanoseconds. What is not a number is neither less than, nor greater than, nor equal to anything.
///
/// Implemented for those types only.
pub trait Measure: Copy + PartialOrd + std::fmt::Debug {
    /// Returns it as a number that holds all of them.
    #[doc(hidden)]
    fn measured(self) -> Number;
}

macro_rules! measure {
    ($($number:ty)*) => {$(
        impl Measure for $number {
            #[inline]
            fn measured(self) -> Number {
                Number::Whole(self as i128)
            }
        }
    )*};
}

measure!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

macro_rules! measure_real {
    ($($number:ty)*) => {$(
        impl Measure for $number {
            #[inline]
            fn measured(self) -> Number {
                Number::Real(self.into())
            }
        }
    )*};
}

measure_real!(f32 f64);

impl Measure for std::time::Duration {
    #[inline]
    fn measured(self) -> Number {
        Number::Whole(i128::try_from(self.as_nanos()).unwrap_or(i128::MAX))
    }
}

/// Evaluates a property of two numbers.
#[inline]
pub fn compare<T: Measure>(
    property: &'static Property,
    (left, comparison, right): (T, Comparison, T),
    details: impl FnOnce(&mut Details),
) {
    let condition = match comparison {
        Comparison::Greater => left > right,
        Comparison::GreaterOrEqual => left >= right,
        Comparison::Less => left < right,
        Comparison::LessOrEqual => left <= right,
    };
    judge(property, condition, |list| {
        list.add("left", &left);
        list.add("right", &right);
        details(list);
    });
    #[cfg(feature = "simulation")]
    guide(property, || Guidance::Numbers { left: left.measured(), right: right.measured() });
}

/// Evaluates a property of conditions with names, by whether some or all of them are true.
pub fn some_or_all(
    property: &'static Property,
    is_all: bool,
    conditions: &[(&'static str, bool)],
    details: impl FnOnce(&mut Details),
) {
    let mut values = conditions.iter().map(|(_, is_true)| *is_true);
    let condition =
        if is_all { values.all(|is_true| is_true) } else { values.any(|is_true| is_true) };
    judge(property, condition, |list| {
        for (name, is_true) in conditions {
            list.add(name, is_true);
        }
        details(list);
    });
    #[cfg(feature = "simulation")]
    guide(property, || Guidance::Conditions(conditions.to_vec()));
}

#[cfg(feature = "simulation")]
#[inline]
fn guide(property: &'static Property, guidance: impl FnOnce() -> Guidance) {
    let _ = context::with(|tally: &Tally| tally.guide(property, guidance));
}
