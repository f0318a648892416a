//! Aids for tests of concurrent programs.
//!
//! | you want | use |
//! |---|---|
//! | to show a race on plain shared state | [`Shared`] |
//! | to see that an operation may be cancelled wherever it waits | [`cancel_at_every_await`] |
//! | blocks of several tasks to run in an order that the test states | [`Sequencer`] |
//! | to stand in for an async function, and see how it was called | [`mock::AsyncFn`] |
//!
//! **When not to use them**: in a program. A [`Sequencer`] is for one interleaving that is to be pinned
//! down; where any will do, let the seeds try them all.

mod cancel;
mod cancel_report;
pub mod mock;
mod sequencer;
mod shared;

pub use cancel::{CancelAtEveryAwait, cancel_at_every_await};
pub use cancel_report::{CancelFailure, CancelMoment, CancelPoint, CancelReport, CancelWait};
pub use sequencer::{At, Sequencer, Turn};
pub use shared::{Shared, SharedGet, SharedSet, SharedSwap, SharedUpdate};
