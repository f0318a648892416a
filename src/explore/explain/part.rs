//! One choice that a failing world forces: what happens without it, and which values would do.

use std::fmt;

use super::difference::Difference;
use super::order::Order;
use crate::explore::signature::Signature;
use crate::kernel::{Key, Space};

/// One choice that a failing world forces.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Part {
    /// Its address.
    pub key: Key,
    /// Its value.
    pub value: u64,
    /// What happens without it.
    pub without: Without,
    /// The values next to it with which the run fails in the same way; none where values are no numbers.
    pub range: Option<ValueRange>,
    /// What has to come before what, so that the run fails: what the choice stands for. At each end of the range one at
    /// most; none where it changes what a task does, or what happens at all.
    pub orders: Vec<Order>,
}

/// What happens when one choice is left to the default and all others stay.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Without {
    /// The run passes.
    Passes(Option<Difference>),
    /// The run fails, but otherwise.
    FailsOtherwise(Signature, Option<Difference>),
    /// The run fails in the same way: the choice is not needed.
    FailsAlike,
    /// It was not tried, for want of runs.
    Untried,
}

impl Without {
    /// Returns where the run without the choice first does something else.
    #[must_use]
    pub fn difference(&self) -> Option<&Difference> {
        match self {
            Self::Passes(difference) | Self::FailsOtherwise(_, difference) => difference.as_ref(),
            Self::FailsAlike | Self::Untried => None,
        }
    }

    /// Tells whether the run does not fail in the same way without the choice.
    #[must_use]
    pub fn is_necessary(&self) -> bool {
        matches!(self, Self::Passes(_) | Self::FailsOtherwise(..))
    }
}

/// Values that do as well as the one that a failing world has, without a gap as far as was looked.
///
/// Its ends were found by going away from the value in steps that double, and back by halves. What is
/// between two steps was not tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ValueRange {
    /// The least of them.
    pub low: u64,
    /// The greatest of them.
    pub high: u64,
    /// Of what they are drawn.
    pub space: Space,
}

impl ValueRange {
    /// Tells whether nothing that can be drawn is less.
    #[must_use]
    pub fn begins_with_least(&self) -> bool {
        !self.space.contains(self.low.wrapping_sub(1)) || self.low == self.space.default_value()
    }

    /// Tells whether nothing that can be drawn is greater.
    #[must_use]
    pub fn ends_with_greatest(&self) -> bool {
        !self.space.contains(self.high.wrapping_add(1))
    }
}

impl fmt::Display for ValueRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, high] = [self.low, self.high].map(|value| self.space.show(value));
        let what = match self.space {
            Space::Nanos { .. } | Space::Skewed { .. } => "delay",
            _ => "value",
        };
        match (self.begins_with_least(), self.ends_with_greatest()) {
            (_, true) if low != high => write!(formatter, "any {what} ≥ {low}"),
            (true, false) if low != high => write!(formatter, "any {what} ≤ {high}"),
            _ if low == high => write!(formatter, "no {what} but {low}"),
            _ => write!(formatter, "any {what} from {low} to {high}"),
        }
    }
}
