//! Bounds on everything a run can use up.

use std::time::Duration;

/// Bounds of one run; reaching one ends it with a [`super::Failure`] that names the bound.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Most polls and points of a run. Default 10,000,000.
    pub steps: u64,
    /// Most polls and points without time moving; more is a livelock. Default 1,000,000.
    pub steps_per_instant: u64,
    /// Latest virtual time. Default 24 hours, longer than TCP takes to give up.
    pub time: Duration,
    /// Most tasks alive at a time. Default 2,000,000; never above 16,777,216.
    pub tasks: usize,
    /// Most entries, draws and decisions, each, that a recorded run keeps; later ones still enter
    /// the chain, but the run cannot be shrunk. Default 250,000.
    pub logged_events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 10_000_000,
            steps_per_instant: 1_000_000,
            time: Duration::from_secs(24 * 60 * 60),
            tasks: 2_000_000,
            logged_events: 250_000,
        }
    }
}
