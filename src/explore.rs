//! One run, many runs, and what to do with one that fails.

mod sim;
mod strategy;

pub use sim::{ConfigError, Outcome, Sim, SimBuilder};
pub use strategy::{ParseStrategyError, Strategy};
