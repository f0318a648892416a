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
//! | to end a task whose handle is awaited or given away | [`Task::cancel_handle`] |
//! | to see what all tasks do, or who waits for whom | [`dump_tasks`], [`await_tree`] |
//!
//! Several at once:
//!
//! | you want | use |
//! |---|---|
//! | tasks that end before the code that started them goes on, and all their errors | [`group()`] |
//! | all values, in the order given | [`gather()`] |
//! | all values, or the first error | [`try_gather`] |
//! | how each ended: value, panic, cancelled | [`gather_results`] |
//! | the first to end, the first failure, or a time limit, and the others to run on | [`wait()`] |
//! | to work off tasks as they end | [`as_completed()`] |
//! | the first of several futures | [`race()`] |
//! | the first of several futures, with code for each | [`select!`](crate::select!) |
//! | to be asked to end, with a reason, along a tree | [`CancelToken`] |
//! | to stop waiting for a task without ending it | [`shield()`] |
//! | to hear that the program is to end | [`shutdown_token`] |
//! | a task on a thread of your choice | [`spawn_on`] |
//!
//! Prefer a [`group()`] to single tasks: nothing in it outlives it, and nothing that fails in it is lost.
//! What takes tasks cancels them when it is dropped, and the task or time-out that dropped it ends after they
//! have; but for [`wait()`] and [`shield()`], which leave them alone. What takes futures polls them where they
//! are.
//!
//! ```
//! # parcae::Sim::new(7).run(|| async {
//! use parcae::{sync::Queue, time::sleep};
//! use std::time::Duration;
//!
//! let queue = Queue::unbounded();
//! queue.put(20).await.expect("open");
//! let mut deadline = sleep(Duration::from_secs(5));
//! let mut sum = 0;
//! loop {
//!     parcae::select! {
//!         Ok(item) = queue.get() => sum += item,
//!         () = &mut deadline => break,
//!         else => unreachable!("the queue is not closed"),
//!     }
//! }
//! assert_eq!(sum, 20);
//! # }).unwrap();
//! ```
//!
//! Names follow async-task and smol; a task that is dropped is cancelled, unlike in tokio. What is for
//! several tasks follows asyncio, [`select!`](crate::select!) and [`CancelToken`] follow tokio.
//!
//! **Absent on purpose**: a way to end a group early without a failure (cancel its children by hand), and
//! priorities.

mod as_completed;
mod builder;
mod burn;
mod cancel_token;
mod context_var;
mod end_order;
mod gather;
mod group;
mod handle;
#[cfg(feature = "simulation")]
mod introspect;
mod race;
mod rotation;
mod scope;
mod select;
mod shield;
mod shutdown;
mod unblock;
mod wait;
mod worker;
mod yielding;

pub use as_completed::{AsCompleted, NextCompleted, as_completed};
pub use builder::{Builder, spawn, spawn_named, spawn_try};
pub use burn::{Burn, burn};
pub use cancel_token::{CancelGuard, CancelReason, CancelRun, CancelToken, CancelWait, Cancelled};
pub use context_var::{ContextScope, ContextVar};
pub use gather::{Gather, GatherResults, TryGather, gather, gather_results, try_gather};
pub use group::{Group, GroupError, GroupJoin, GroupTask, GroupTaskError, RunGroup, group};
pub use handle::{Cancel, CancelHandle, Join, JoinError, Task};
#[cfg(feature = "simulation")]
pub use introspect::{AwaitBranch, AwaitTree, TaskDump, TaskRow, await_tree, dump_tasks};
pub use race::{Race, race};
pub use scope::{GRACE, finally, finally_within, scope};
#[doc(hidden)]
pub use select::Select;
pub use shield::{Shield, shield};
pub use shutdown::shutdown_token;
#[cfg(feature = "simulation")]
pub(crate) use shutdown::shutdown_token_of;
pub use unblock::{BlockingPool, Unblock, unblock};
pub use wait::{Wait, WaitUntil, wait};
pub use worker::{Worker, spawn_on, workers};
pub use yielding::{Settle, YieldNow, settle, yield_now};
