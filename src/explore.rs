//! One run, many runs, and what to do with one that fails.
//!
//! ```text
//! Sim    one seed                 -> Outcome   (value or Failure, hash chain, log on demand)
//! Check  many seeds, many threads -> CheckReport -> Finding (shrunk world, its log, replay token)
//! ```
//!
//! | you want | use |
//! |---|---|
//! | a test | `#[parcae::test]`, or [`crate::check`] |
//! | many seeds as a value | [`Check`] |
//! | all runs of a small program | [`Check::exhaustive`] |
//! | one run as a value | [`Sim`] |
//! | to run a recorded failure again | [`Check::replay`] with a [`ReplayToken`] |
//! | to know why a failure happens | [`Check::explain`], then [`Finding::explanation`] |
//! | all seeds that fail | [`Check::keep_going`] |
//! | a part of the seeds | [`Check::shard`] with a [`Shard`] |
//! | a run that a fuzzer drives | [`from_bytes`], [`Check::run_bytes`] |
//! | to watch or stop a check | [`Control`] |
//!
//! How a failure is shown is the matter of [`crate::report`].

mod bytes;
mod check;
mod check_report;
mod control;
mod coverage;
mod determinism;
mod error;
mod exhaustive;
mod explain;
mod failing;
mod finding;
#[cfg(target_os = "linux")]
mod fork;
#[cfg(target_os = "linux")]
mod forked;
mod host;
mod lost;
mod observed;
mod pilots;
mod processes;
mod properties;
mod renumber;
mod replay;
mod search;
mod shard;
mod shrink;
mod signature;
mod sim;
mod strategy;
mod token;
mod trace;
mod verdict;
mod watchdog;
mod world;

pub use check::{Check, Determinism, Shrink};
pub use check_report::{CheckReport, Stop};
pub use control::Control;
pub use coverage::Coverage;
pub use error::CheckError;
pub use exhaustive::{Exhaustion, Exhaustive, Independence, Unexplored};
pub use explain::{
    Change, Difference, Explain, Explanation, Likelihood, LikelihoodPoint, NearestPass, Order,
    Part, ValueRange, Without,
};
pub use failing::FailingSeed;
pub use finding::{Finding, RunSize, ShrinkSummary};
#[cfg(target_os = "linux")]
pub use fork::NoProcess;
pub use host::{Isolation, NoThread, NotUnicode, ParseIsolationError, is_fork_server};
pub use lost::LostSeed;
pub use properties::Unmet;
pub use replay::{Divergence, Recurrence, Replay, ReplayError, ReplayMode, ReplayVerdict};
pub use shard::{ParseShardError, Shard};
pub use signature::Signature;
pub use sim::{ConfigError, Outcome, Sim, SimBuilder, from_bytes};
pub use strategy::{ParseStrategyError, Profile, Strategy};
pub use token::{ParseTokenError, ReplayToken};
pub use verdict::Verdict;
pub use watchdog::StuckRun;
pub use world::World;

pub(crate) use host::variable;
