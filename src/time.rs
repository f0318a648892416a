//! Time: sleep, time-outs, intervals, clocks.
//!
//! In a simulation time is virtual: a number that moves only when no task is ready, and then jumps to
//! the next timer. An hour of sleeping costs as much as a nanosecond, and timers are exact. On real time
//! it is the clock of the machine, and timers are late, never early.
//!
//! | you want | use |
//! |---|---|
//! | to wait | [`sleep`], [`sleep_until`] |
//! | to wait at most so long for something | [`timeout`], [`timeout_at`] |
//! | to do something every so often | [`interval`] |
//! | to call a function later | [`call_after`] |
//! | to measure | [`Instant`] |
//! | a date | [`SystemTime`] |
//!
//! Names and semantics follow tokio's `time`. Different: no rounding to milliseconds, no longest
//! sleep, and a sleep of zero lets other tasks go first.

mod call;
mod instant;
mod interval;
mod sleep;
mod system_time;
mod timeout;

pub use call::{Call, call_after};
pub use instant::Instant;
pub use interval::{Interval, MissedTickBehavior, Tick, interval, interval_at};
pub use sleep::{Sleep, sleep, sleep_until};
pub use system_time::SystemTime;
pub use timeout::{Elapsed, Timeout, timeout, timeout_at};
