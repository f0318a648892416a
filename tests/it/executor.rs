//! Tasks: how they are scheduled, joined, cancelled, and how a run of them fails.

mod cancellation;
mod failures;
mod foreign;
mod handles;
mod points;
mod runs_of_seeds;
mod schedule;
mod stalls;

pub(crate) use runs_of_seeds::mixed_program;
