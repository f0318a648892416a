//! How schedules are explored.
//!
//! | strategy | finds | misses |
//! |---|---|---|
//! | `random` | what many schedules show | what needs one of many tasks to be late |
//! | `pct`, `pct-mix` | what few switches show, however long the run is | what needs many |
//! | `pos` | races of two operations | one task against many |
//! | `surw`, `urw` | one order among many of the operations on one resource | rare states of other kinds |
//! | `delay` | what few delays of the default schedule show | what needs more of them |
//! | `portfolio` | most of it: each seed takes one of the first four | nothing for ever, each at a part of its speed |
//! | `fifo` | what depends on choices alone | every preemption |
//!
//! # A seed alone replays its run
//! A strategy draws from the seed; its draws are no choices of the run, so that a failure is told as
//! overrides of the default world, whatever found it. What else it has to know, such as how long a
//! run is, stands in a [`Profile`]: what two *pilot runs* showed, under `random`. They are the seeds 0 and
//! 1, whatever is searched, and run at random in each search that has a profile. So a profile is a function
//! of program and config. Which seeds ran before or beside a run has no part in it: any process that has
//! the program makes the profile anew and with it the same run, and no token carries one.
//!
//! A run made by [`Sim`](super::Sim) alone has no pilots. It explores with an empty profile, unless it
//! is given that of a check.
//!
//! # Nobody starves
//! Whoever is ready runs before time moves, whatever the strategy. Within one instant, a task that
//! spins until another one has gone on could starve it: so after ten times as many decisions as the
//! pilots had, and 1,000 more, tasks are drawn at random for the rest of the run (`fair.rs`).

mod delay;
mod draws;
mod fair;
mod pct;
mod pilot;
mod portfolio;
mod pos;
mod priorities;
mod profile;
mod random;
mod surw;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use self::delay::Delay;
use self::fair::Fair;
use self::pct::Pct;
use self::pos::Pos;
use self::random::Random;
use self::surw::Surw;
use crate::executor::{Limits, Pick};
use crate::kernel::Seed;

pub(super) use self::pilot::Pilot;
pub use self::profile::Profile;

/// How the next task is picked while exploring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// Every candidate alike, at every point. The default of a [`Sim`](super::Sim) alone.
    Random,
    /// A task runs until it blocks, then the one that became ready first: the default world.
    Fifo,
    /// One of the others for each seed, three times of ten each: selectively uniform, priorities with
    /// change points of any depth, sampling of partial orders; and one time at random.
    /// The default of a [`Check`](super::Check).
    #[default]
    Portfolio,
    /// Random priorities of tasks, lowered at two random decisions: a bug that needs three orderings
    /// is found with a known probability.
    Pct,
    /// As `Pct`, with zero to nine such decisions, drawn for each seed.
    PctMix,
    /// Random priorities of operations, drawn anew for those that race with one that is done.
    Pos,
    /// A random walk in which all interleavings of all operations are equally likely, as far as the
    /// pilots' counts are right.
    Urw,
    /// The same for the operations on one resource, drawn for each seed; the rest by priorities.
    Surw,
    /// The default schedule with one to five delays at random decisions.
    Delay,
}

impl Strategy {
    /// All strategies, in the order in which help texts list them. Tokens name one by its place: new
    /// ones come last.
    pub const ALL: [Self; 9] = [
        Self::Random,
        Self::Fifo,
        Self::Portfolio,
        Self::Pct,
        Self::PctMix,
        Self::Pos,
        Self::Urw,
        Self::Surw,
        Self::Delay,
    ];

    /// Returns the name, as options and reports use it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Fifo => "fifo",
            Self::Portfolio => "portfolio",
            Self::Pct => "pct",
            Self::PctMix => "pct-mix",
            Self::Pos => "pos",
            Self::Urw => "urw",
            Self::Surw => "surw",
            Self::Delay => "delay",
        }
    }

    /// Tells whether it has to know what pilot runs have shown.
    pub(super) const fn needs_profile(self) -> bool {
        !matches!(self, Self::Random | Self::Fifo)
    }

    /// Makes what picks in the run of this seed; none for `Fifo`. Pilots stay what they were when the profile
    /// was made of them.
    pub(super) fn picker(
        self,
        seed: Seed,
        profile: &Profile,
        limits: &Limits,
    ) -> Option<Box<dyn Pick>> {
        if self.needs_profile() && profile.is_pilot(seed) {
            return Some(Box::new(Random::new(seed)));
        }
        let strategy: Box<dyn Pick> = match self {
            Self::Random => return Some(Box::new(Random::new(seed))),
            Self::Fifo => return None,
            Self::Portfolio => return portfolio::member(seed).picker(seed, profile, limits),
            Self::Pct => Box::new(Pct::new(seed, profile)),
            Self::PctMix => Box::new(Pct::of_any_depth(seed, profile)),
            Self::Pos => Box::new(Pos::new(seed)),
            Self::Urw => Box::new(Surw::of_all(seed, profile)),
            Self::Surw => Box::new(Surw::of_one(seed, profile)),
            Self::Delay => Box::new(Delay::new(seed, profile)),
        };
        Some(Box::new(Fair::new(strategy, seed, profile, limits)))
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
