//! Load, and what came of it: who succeeded, and how long it took.
//!
//! | you want | use |
//! |---|---|
//! | requests that come when they come, however slow the replies are | [`open`] |
//! | so many users, each of whom waits for the reply to the last request | [`closed`] |
//! | requests at equal distances, or at random ones | [`Arrivals`] |
//! | the numbers | [`Report`] |
//!
//! **A reply is no success.** A 404 is a reply, and so is an error that a client caught. What counts
//! as success has to be said, as a function from output to [`Class`]; there is no default.
//!
//! **No coordinated omission.** The latency of an open load is counted from the instant at which a
//! request *should have* begun. A generator that is held up, and then asks when the other side
//! is well again, would otherwise leave out just those who had to wait.
//!
//! **Exact.** Time is virtual and each latency is kept, so a percentile is one of them, to the
//! nanosecond, and the same in every replay.
//!
//! **When not to use it**: to measure how fast code runs. No time passes while it does.

mod arrivals;
mod generator;
mod report;

pub use arrivals::Arrivals;
pub use generator::{Closed, Open, closed, open};
pub use report::{Class, Counts, Report};
