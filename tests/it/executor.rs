//! Tasks: how they are scheduled, joined, cancelled, and how a run of them fails.

#![expect(
    clippy::async_yields_async,
    reason = "handles leave their runs, to be used where they must not"
)]

mod blocking;
mod cancellation;
mod cleanup;
mod eager;
mod failures;
mod foreign;
mod handles;
mod holding;
mod late;
mod points;
mod resources;
mod runs_of_seeds;
mod schedule;
mod stalls;
mod variables;
mod wait_graph;
mod watch;

pub(crate) use runs_of_seeds::mixed_program;
