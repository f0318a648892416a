//! Tasks: spawn them, join them, cancel them, let others run.
//!
//! [`spawn`] makes a task that runs beside the one that made it. The [`Task`] it returns *is* the
//! task: await it for the output, drop it to cancel, [`Task::detach`] to let go. A task that is
//! spawned does not begin before its maker comes to an await.
//!
//! | you want | use |
//! |---|---|
//! | the output of a task | `task.await` |
//! | to see a panic instead of passing it on | [`Task::join`] |
//! | to end a task and know that it has ended | [`Task::cancel`] |
//! | a task that must end before the program does | [`Task::detach`] |
//! | a task that may outlive the program | [`Task::background`] |
//! | a name in reports | [`spawn_named`], [`Builder`] |
//! | errors that nobody may overlook | [`spawn_try`] |
//! | to let others go first | [`yield_now`]; in tests [`settle`] |
//! | to see what all tasks do, or who waits for whom | [`dump_tasks`], [`await_tree`] |
//!
//! Names follow async-task and smol; a task that is dropped is cancelled, unlike in tokio.

mod builder;
mod handle;
mod introspect;
mod yielding;

pub use builder::{Builder, spawn, spawn_named, spawn_try};
pub use handle::{Cancel, Join, JoinError, Task};
pub use introspect::{AwaitBranch, AwaitTree, TaskDump, TaskRow, await_tree, dump_tasks};
pub use yielding::{Settle, YieldNow, settle, yield_now};
