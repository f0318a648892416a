//! Locks, events and queues for tasks that share something.
//!
//! | you want | use |
//! |---|---|
//! | one task at a time to change a value, across awaits | [`Mutex`] |
//! | many to read it at once, or one to change it | [`RwLock`] |
//! | so many tasks at a time to do something | [`Semaphore`] |
//! | to wait, under a lock, until others have changed its value | [`Condition`] |
//! | tasks to wait until something has happened | [`Event`] |
//! | tasks to wait for each other, round by round | [`Barrier`] |
//! | something done once, by whoever comes first | [`Once`], [`OnceCell`] |
//! | to tell one waiting task, or all, to look again | [`Notify`] |
//! | one value from one task to another: an answer | [`oneshot`] |
//! | to watch a value that changes; only the latest counts | [`watch`] |
//! | every receiver to get every value | [`broadcast`] |
//! | to hand values from task to task, with back-pressure | [`Queue`] |
//! | the least item first, or the last | [`PriorityQueue`], [`LifoQueue`] |
//! | to know that everything handed over was worked off | [`Queue::join`] |
//!
//! All of them serve in the order of arrival and never let a newcomer barge in: what becomes free is
//! the first waiter's from that moment on, whether or not it has run yet. A future that is dropped
//! leaves its primitive as if the operation had not begun, but for its place in the line; what had
//! been assigned to it goes to the next waiter before the drop returns. That holds for every way to
//! cancel: `timeout`, `select!`, [`crate::task::Task::cancel`], the death of a
//! domain.
//!
//! They keep their state inline and store wakers, so they work on any executor and across threads.
//! Inside of a simulation every first poll is a point at which another task may go first, and what a
//! task waits for, who holds it and since which line stand in the report of a deadlock.
//!
//! **When not to use them.** Between two awaits nothing else runs on one thread: state that is not
//! held across an await needs a `Cell` or `RefCell`, no lock. A [`std::sync::Mutex`] is enough
//! between threads where no await happens under it. A future that was granted something and is
//! neither polled nor dropped holds up all behind it, as in every fair primitive: do not keep a
//! half-polled future beside a `select!` loop.
//!
//! **Absent on purpose**: poisoning (a panic under a lock releases it), re-entrant locks, read locks
//! that become write locks, a bounded semaphore (a permit is a guard), blocking calls.
//!
//! Names follow smol's `async-lock` (`Mutex`), tokio (`RwLock`, `Semaphore`, `OnceCell`, `Notify`,
//! `oneshot`, `watch`, `broadcast`), std (`Barrier`, `Once`) and asyncio (`Event`, `Condition`, the
//! queues); the order of service is stricter than in all of them but for the channels.

mod barrier;
pub mod broadcast;
mod condition;
mod error;
mod event;
mod holders;
mod items;
mod job;
mod lifo_queue;
mod mutex;
mod notify;
mod once;
mod once_cell;
pub mod oneshot;
mod permit;
pub(crate) mod primitive;
mod priority_queue;
mod queue;
mod queue_methods;
mod rwlock;
mod semaphore;
mod shares;
pub(crate) mod spin;
pub(crate) mod waiters;
pub mod watch;

pub use barrier::{Barrier, BarrierWait, BarrierWaitResult};
pub use condition::{Condition, ConditionWait, ConditionWaitFor};
pub use error::{
    AcquireError, BarrierError, GetError, PutError, SetError, TryAcquireError, TryGetError,
    TryPutError,
};
pub use event::{Event, EventWait};
pub use job::{GetJob, Job};
pub use lifo_queue::LifoQueue;
pub use mutex::{Lock, Mutex, MutexGuard};
pub use notify::{Notified, Notify};
pub use once::{CallOnce, Once, OnceWait, TryCallOnce};
pub use once_cell::{GetOrInit, GetOrTryInit, OnceCell, OnceCellWait};
pub use permit::{OwnedPermit, Permit};
pub use priority_queue::PriorityQueue;
pub use queue::{Get, Join, Put, Queue};
pub use rwlock::{Read, ReadGuard, RwLock, Write, WriteGuard};
pub use semaphore::{Acquire, AcquireOwned, Semaphore};
