//! Connections that tasks share.
//!
//! | you want | use |
//! |---|---|
//! | to say how a connection is made and tested | [`Manage`] |
//! | a pool | [`Pool::builder`] |
//! | a connection for a while | [`Pool::get`] |
//! | that a connection in an unknown state is not used again | [`Pooled::poison`] |
//! | to end it, and know that nobody uses it any more | [`Pool::close`] |
//! | numbers for a report or a test | [`Pool::status`] |
//!
//! What takes time (making and testing connections) is done in tasks of the pool's own, never in the
//! future of [`Pool::get`]. So a caller that gives up loses its place in the line and nothing else:
//! the connection that is on its way goes to the next one, or to the idle ones. At every instant
//!
//! ```text
//!   idle + borrowed + connecting + testing <= max + overflow
//! ```
//!
//! **When not to use it**: for one connection that can carry many requests at a time; to bound how
//! much is under way, where nothing is connected to anything.
//!
//! It needs a parcae runtime, for tasks and clock. A connection is made in the domain of the task that
//! made it necessary: a caller, or who gave one back that was poisoned or too old. If that domain dies,
//! those who wait in other domains begin anew.
//!
//! **Absent on purpose**: a task that closes what is idle for too long. That is looked at whenever the
//! pool is used; a timer that never ends would hide a deadlock from its detector.

mod builder;
mod error;
mod get;
mod manage;
mod pooled;
mod shared;
mod state;

pub use builder::PoolBuilder;
pub use error::GetError;
pub use get::{Close, Get, Pool};
pub use manage::Manage;
pub use pooled::Pooled;
pub use state::Status;
