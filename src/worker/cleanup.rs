//! What a destructor leaves behind to be awaited: child tasks that the end of their owner waits for.

use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::Worker;
use super::core::TaskCore;
use super::handle::Handle;
use super::polled::Polled;
use crate::context;

/// The cleanups of one task.
#[derive(Debug, Default)]
pub(super) struct Cleanups {
    spawned_count: u64,
    /// Serial numbers of those that have not ended.
    open: Vec<u64>,
    waiters: Vec<Waker>,
}

impl Cleanups {
    pub(super) fn are_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Ends the wait for those that have not ended.
    pub(super) fn forget(self) {
        self.waiters.into_iter().for_each(Waker::wake);
    }
}

/// Cleanups that a task has spawned in one stretch of its life.
#[derive(Clone, Debug)]
pub(crate) struct CleanupSpan {
    owner: Arc<TaskCore>,
    /// Serial number of the first, and of the one after the last.
    first: u64,
    end: u64,
}

/// Calls what may leave cleanups of the running task behind, and returns which they are.
pub(crate) fn cleanups_of(call: impl FnOnce()) -> Option<CleanupSpan> {
    let before = context::with(Worker::cleanup_mark).flatten();
    call();
    let (owner, first) = before?;
    let end = owner.lock().cleanups.as_ref().map_or(0, |cleanups| cleanups.spawned_count);
    Some(CleanupSpan { owner, first, end })
}

impl CleanupSpan {
    /// Waits until they have ended.
    pub(crate) fn poll(&self, waker: &Waker) -> Poll<()> {
        let waiter = waker.clone();
        let mut state = self.owner.lock();
        let span = self.first..self.end;
        let cleanups = state.cleanups.as_mut();
        let open = cleanups.filter(|cleanups| cleanups.open.iter().any(|open| span.contains(open)));
        let Some(cleanups) = open else {
            drop(state);
            drop(waiter);
            return Poll::Ready(());
        };
        let is_known = cleanups.waiters.iter().any(|known| known.will_wake(&waiter));
        let unused = if is_known {
            Some(waiter)
        } else {
            cleanups.waiters.push(waiter);
            None
        };
        drop(state);
        drop(unused);
        Poll::Pending
    }
}

/// Says that a cleanup has ended, when it is dropped.
#[derive(Debug)]
pub(super) struct OwnedCleanup {
    owner: Arc<TaskCore>,
    serial: u64,
}

impl Drop for OwnedCleanup {
    fn drop(&mut self) {
        let mut state = self.owner.lock();
        let Some(cleanups) = state.cleanups.as_mut() else { return };
        cleanups.open.retain(|open| *open != self.serial);
        let waiters = std::mem::take(&mut cleanups.waiters);
        drop(state);
        waiters.into_iter().for_each(Waker::wake);
        self.owner.wake_if_closing();
    }
}

impl Worker {
    /// Spawns a cleanup of the running task. Where nothing can be spawned any more the future is dropped.
    pub(crate) fn spawn_cleanup<F>(&self, future: F, spawned_at: &'static Location<'static>)
    where
        F: Future<Output = ()> + 'static,
    {
        let Some((owner, _)) = self.cleanup_mark() else { return };
        let core = self.child(self.index, Some("cleanup".into()), spawned_at);
        let handle = Handle::new(core.of_cleanup(), |()| None);
        if self.run.admit(&handle.core).is_err() {
            return;
        }
        handle.detach();
        let serial = {
            let mut state = owner.lock();
            let cleanups = state.cleanups.get_or_insert_default();
            let serial = cleanups.spawned_count;
            cleanups.spawned_count += 1;
            cleanups.open.push(serial);
            serial
        };
        let cleanup = Some(OwnedCleanup { owner, serial });
        self.schedule(Polled::new(future, handle, self.variables(), cleanup));
    }

    /// Returns the running task and how many cleanups it has spawned.
    fn cleanup_mark(&self) -> Option<(Arc<TaskCore>, u64)> {
        let owner = self.running.borrow().as_ref()?.core.clone();
        let count = owner.lock().cleanups.as_ref().map_or(0, |cleanups| cleanups.spawned_count);
        Some((owner, count))
    }
}
