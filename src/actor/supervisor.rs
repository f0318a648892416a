//! Supervisors: actors that start others, restart them when they fail, and stop them.
//!
//! | you want | use |
//! |---|---|
//! | a fixed set of children that start and stop in order | [`Supervisor`], [`Supervisor::child`] |
//! | many children of one kind that come and go | [`DynamicSupervisor`] |
//! | supervisors under supervisors | [`Supervisor::supervisor`], [`Supervisor::dynamic`] |
//! | to say what is restarted with what | [`Strategy`] |
//! | to say when a child is restarted, and how it is stopped | [`ChildSpec`] |
//! | to start and stop children by hand | [`SupervisorRef`] |
//!
//! # Restarts
//! A child that ends is restarted as its [`Restart`] says, alone or with siblings as the [`Strategy`] says;
//! siblings are gone before the first of them is started again. Each such restart counts, also one that
//! fails in the child's `start`. When there are more than the *intensity* allows in its period, which
//! slides, the supervisor stops all children and fails itself: the next one above it decides, and if there
//! is none and nobody observes it, the run fails.
//!
//! **References stay valid.** A child's reference is of whichever incarnation there is. Messages that it has
//! not taken wait for the next one, or not ([`OnRestart`]). The one that it failed at is lost. To a child
//! that is down, because it is done or was stopped by hand, nothing can be sent.
//!
//! # A supervisor is never deaf
//! Erlang's supervisor waits in the start of a child and hears nothing meanwhile. This one waits for nothing:
//! when it is told to stop while a child starts, that child is killed, and what was started is stopped.
//! Under [`Strategy::OneForOne`] a child that takes long to start keeps nobody else from being restarted.
//!
//! When it is stopped it stops its children, one by one, the last first, each as its [`Shutdown`] says. When
//! it is killed it kills them. Either way they are gone when anybody hears of its end: who waits for it, who
//! monitors it, who is linked to it. When its machine dies nothing is done for anybody.
//!
//! **When not to use it**: for a task whose failure should end what it belongs to, a
//! [`group`](crate::task::group()) is simpler.
//!
//! # Where it departs from Erlang
//! * A child that is in its `start` when it is to be stopped is killed.
//! * A child that ends while others are started for the first time is restarted at once, not afterwards.
//! * To give up is a failure ([`ExitReason::Error`](crate::actor::ExitReason::Error)), not a shutdown: a transient
//!   supervisor that gives up is restarted.
//! * A killed supervisor has ended when its children are gone. In Erlang they learn of it by their links, after
//!   it, and those that trap exits live on until they have terminated; whoever starts it again may meet them.
//!   Here they are killed, as by [`Shutdown::Kill`], and never meet those of the next incarnation.
//! * A stop that comes too late for an incarnation is not meant for the next one.

mod builder;
mod child_info;
mod dynamic;
mod error;
mod keeper;
mod policy;
mod reference;
mod roster;
mod seat;
mod slot;
mod spec;
mod tree;
mod window;

pub use builder::Supervisor;
pub use child_info::{ChildCounts, ChildInfo, ChildStatus};
pub use dynamic::{DynamicRef, DynamicSupervisor};
pub use error::{ChildError, SpecError, SupervisorError};
pub use policy::{AutoShutdown, ChildKind, OnRestart, Restart, Shutdown, Strategy};
pub use reference::SupervisorRef;
pub use slot::ChildSlot;
pub use spec::ChildSpec;
