//! How schedules are explored.

use std::fmt;
use std::str::FromStr;

use crate::executor::{Decision, Pick};
use crate::kernel::{Key, Seed, Site, StreamId, prf};

/// How the next task is picked while exploring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// Every candidate alike, at every point.
    #[default]
    Random,
    /// A task runs until it blocks, then the one that became ready first: the default world.
    Fifo,
}

impl Strategy {
    /// All strategies, in the order in which help texts list them.
    pub const ALL: [Self; 2] = [Self::Random, Self::Fifo];

    /// Returns the name, as options and reports use it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Fifo => "fifo",
        }
    }

    /// Makes what picks in the run of this seed; none for `Fifo`.
    pub(super) fn picker(self, seed: Seed) -> Option<Box<dyn Pick>> {
        match self {
            Self::Random => Some(Box::new(Random { seed, draws: 0 })),
            Self::Fifo => None,
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Strategy {
    type Err = ParseStrategyError;

    fn from_str(text: &str) -> Result<Self, ParseStrategyError> {
        Self::ALL
            .into_iter()
            .find(|strategy| strategy.name() == text)
            .ok_or_else(|| ParseStrategyError { text: text.to_owned() })
    }
}

/// A text that is not the name of a strategy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseStrategyError {
    /// What was given.
    pub text: String,
}

impl fmt::Display for ParseStrategyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Strategy::ALL.map(Strategy::name).join("`, `");
        write!(formatter, "{:?} is not a strategy: expected one of `{names}`", self.text)
    }
}

impl std::error::Error for ParseStrategyError {}

/// Picks uniformly. Its draws are numbered and keyed apart from the choices of the run.
#[derive(Debug)]
struct Random {
    seed: Seed,
    draws: u64,
}

impl Pick for Random {
    fn pick(&mut self, decision: &Decision<'_>) -> usize {
        let bits = prf(self.seed, Key::new(StreamId::ROOT, STRATEGY, self.draws));
        self.draws += 1;
        let count = decision.candidate_count() as u128;
        usize::try_from((u128::from(bits) * count) >> 64).expect("below the number of candidates")
    }
}

const STRATEGY: Site = Site::new("strategy");
