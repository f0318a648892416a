//! What tasks share.

mod barrier;
mod broadcast;
mod condition;
mod event;
mod mutex;
mod notify;
mod once;
mod oneshot;
mod queue;
mod queue_kinds;
mod rwlock;
mod semaphore;
mod watch;
