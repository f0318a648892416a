//! Supervisors.

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
