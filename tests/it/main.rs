//! Integration tests of `parcae`: one binary, one module per part.
#![expect(clippy::unwrap_used, reason = "a test reports a failure by panicking")]

mod domains;
mod executor;
mod kernel;
mod runs;
mod tidy;
mod time;
