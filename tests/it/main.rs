//! All integration tests, in one binary.
#![expect(clippy::unwrap_used, reason = "a test reports a failure by panicking")]

mod actor;
mod attribute;
mod bytes;
mod captures;
mod corpus;
mod determinism;
mod domains;
mod executor;
mod explore;
mod fault;
mod harness;
#[cfg(target_os = "linux")]
mod isolation;
mod kernel;
mod load;
mod main_attribute;
mod network;
mod nodes;
mod oracle;
mod points;
mod pool;
mod random_programs;
mod rate;
mod real;
mod replay;
mod report;
mod retry;
mod runs;
mod scenarios;
mod shared;
mod sockets;
mod stream;
mod sweep;
mod sync;
mod task;
mod testing;
mod tidy;
mod time;
