//! Tests of the library, through its public interface.
#![expect(clippy::unwrap_used, reason = "a test reports a failure by panicking")]

mod explore;
mod shared;
mod sync;
