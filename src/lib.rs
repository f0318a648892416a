//! Deterministic simulation of asynchronous programs.

pub mod kernel;

mod context;

pub mod executor;

pub mod task;

pub mod time;

pub mod rng;

pub mod sync;

pub mod testing;

pub mod explore;

pub mod report;

pub mod harness;

pub use executor::Failure;
pub use explore::{Outcome, Sim, SimBuilder};
pub use harness::check;
pub use kernel::Seed;
pub use parcae_macros::test;
pub use rng::{Rng, choose, rng};
pub use task::{Task, spawn, spawn_named, spawn_try};
