//! All integration tests, in one binary.
#![expect(clippy::unwrap_used, reason = "a test reports a failure by panicking")]

mod attribute;
mod determinism;
mod explore;
mod harness;
mod points;
mod replay;
mod scenarios;
mod shared;
mod sync;
