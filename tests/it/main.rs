//! All integration tests, in one binary.
#![expect(clippy::unwrap_used, reason = "a test reports a failure by panicking")]

mod attribute;
mod determinism;
mod domains;
mod executor;
mod explore;
mod harness;
mod kernel;
mod points;
mod random_programs;
mod replay;
mod report;
mod runs;
mod scenarios;
mod shared;
mod sync;
mod task;
mod tidy;
mod time;
