//! Faults that a program makes itself: rare branches taken on purpose, limits set to extremes.
//!
//! | macro | in a simulation | elsewhere |
//! |---|---|---|
//! | [`buggify!`](crate::buggify!) | true now and then | false |
//! | [`knob!`](crate::knob!) | the usual value, or another one of its range | the usual value |
//!
//! A program has branches that a test comes to once in a million runs: the buffer that is full, the
//! reply that is late, the cache that has just been dropped. `buggify!` takes them on purpose, in the
//! program, where one knows what is allowed to happen: *only what the program must survive anyhow*.
//!
//! # How often
//!
//! In 20 % of the runs nothing of this happens, so that the plain program is tested, too. In the others
//! each place of a `buggify!` is active with 25 %, and one that is active fires with 25 %, or with its
//! own probability: so most runs have a few things that go wrong often, and no two runs the same. A knob
//! has its usual value in half of them, an end of its range in a quarter, and any value of it in the rest.
//!
//! Both are on in every simulation, and cost a program without them nothing;
//! [`Check::buggify`](crate::explore::Check::buggify) and
//! [`SimBuilder::buggify`](crate::SimBuilder::buggify) switch them off.
//!
//! # Determinism
//!
//! Each firing is a choice of the task, by the name of the place and the number of times that the task has
//! come to it; each knob is one of the run, by its name. A failure shrinks to the firings that it needs,
//! and to usual values. Runs that come to neither draw nothing.
//!
//! # Source
//! `Buggify.h` of `FoundationDB`, and its randomised knobs.

mod buggify;
mod knob;
#[cfg(feature = "simulation")]
mod run;

pub use self::buggify::BuggifyPlace;
pub use self::knob::{KnobPlace, Tunable};
#[cfg(feature = "simulation")]
pub use self::run::{BuggifyCount, BuggifySummary, KnobSetting};

#[cfg(feature = "simulation")]
pub(crate) use self::run::{FaultRun, Firings};

/// What the macros of this layer expand to. No part of the interface.
#[doc(hidden)]
pub mod written {
    pub use super::buggify::fires;
    pub use super::knob::{of_list, of_range};
}
