//! Tasks that one future waits for together, in the order in which they end.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};

use super::Task;
use crate::backend::{self, TaskRef, WakeTarget};
use crate::ending::JoinEnd;

/// Notices tasks as they end, each through a waker of its own: a look costs what has ended since,
/// not what there is. Those that had ended before the first look come in the order given.
#[derive(Debug)]
pub(super) struct EndOrder {
    tasks: Vec<TaskRef>,
    /// Which ends have been noticed.
    is_noticed: Vec<bool>,
    /// No unnoticed task comes before it.
    first: usize,
    is_begun: bool,
    ends: Arc<Ends>,
    at: &'static Location<'static>,
}

impl EndOrder {
    pub(super) fn new(tasks: Vec<TaskRef>, at: &'static Location<'static>) -> Self {
        let is_noticed = vec![false; tasks.len()];
        Self { tasks, is_noticed, first: 0, is_begun: false, ends: Arc::default(), at }
    }

    /// Waits for the next task to end, and returns its index; none when all have.
    pub(super) fn poll_next(&mut self, context: &Context<'_>) -> Poll<Option<usize>> {
        self.ends.watch(context);
        if !self.is_begun {
            self.is_begun = true;
            for index in 0..self.tasks.len() {
                if self.poll_finished(index).is_ready() {
                    self.ends.lock().ended.push_back(index);
                }
            }
        }
        loop {
            let ended = self.ends.next();
            if let Some(index) = ended {
                if !self.is_noticed[index] && self.poll_finished(index).is_ready() {
                    return Poll::Ready(Some(self.notice(index)));
                }
                continue;
            }
            while self.is_noticed.get(self.first) == Some(&true) {
                self.first += 1;
            }
            if self.first == self.tasks.len() {
                return Poll::Ready(None);
            }
            // Asked once more, so that a report of a deadlock says who is waited for.
            if self.poll_finished(self.first).is_pending() {
                return Poll::Pending;
            }
            self.ends.lock().ended.push_back(self.first);
        }
    }

    /// Returns the tasks whose ends have not been noticed.
    pub(super) fn unnoticed(&self) -> impl Iterator<Item = usize> + '_ {
        self.is_noticed
            .iter()
            .enumerate()
            .filter(|(_, is_noticed)| !**is_noticed)
            .map(|(index, _)| index)
    }

    fn notice(&mut self, index: usize) -> usize {
        self.is_noticed[index] = true;
        index
    }

    fn poll_finished(&self, index: usize) -> Poll<()> {
        self.tasks[index].poll_finished(&self.ends.waker(index), self.at)
    }
}

impl Drop for EndOrder {
    fn drop(&mut self) {
        drop(self.ends.take_watcher());
    }
}

/// Tasks that may have ended, and who is told. While the list is held no code of the user's runs: wakers
/// are cloned, called and dropped before or after.
#[derive(Debug, Default)]
pub(super) struct Ends {
    list: Mutex<EndList>,
}

#[derive(Debug, Default)]
struct EndList {
    /// Tasks that may have ended, in that order.
    ended: VecDeque<usize>,
    watcher: Option<WakeTarget>,
}

impl Ends {
    /// Keeps whom to wake when a task ends.
    pub(super) fn watch(&self, context: &Context<'_>) {
        let watcher = WakeTarget::of(context.waker());
        let replaced = self.lock().watcher.replace(watcher);
        drop(replaced);
    }

    pub(super) fn take_watcher(&self) -> Option<WakeTarget> {
        self.lock().watcher.take()
    }

    /// Notes that a task may have ended.
    pub(super) fn add(&self, index: usize) {
        let watcher = {
            let mut list = self.lock();
            list.ended.push_back(index);
            list.watcher.take()
        };
        if let Some(watcher) = watcher {
            watcher.wake();
        }
    }

    /// Returns the next task that may have ended.
    pub(super) fn next(&self) -> Option<usize> {
        self.lock().ended.pop_front()
    }

    /// Returns what notes that this task has ended.
    pub(super) fn waker(self: &Arc<Self>, index: usize) -> Waker {
        Waker::from(Arc::new(EndWaker { index, ends: self.clone() }))
    }

    fn lock(&self) -> MutexGuard<'_, EndList> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct EndWaker {
    index: usize,
    ends: Arc<Ends>,
}

impl Wake for EndWaker {
    fn wake(self: Arc<Self>) {
        self.ends.add(self.index);
    }
}

/// Tasks that a future owns and waits for together. Dropping it cancels those that are left, and whoever
/// drops it ends after they have.
#[derive(Debug)]
pub(super) struct OwnedTasks<T: 'static> {
    /// None when its end was taken.
    tasks: Vec<Option<Task<T>>>,
    order: EndOrder,
}

impl<T: 'static> OwnedTasks<T> {
    #[track_caller]
    pub(super) fn new(tasks: impl IntoIterator<Item = Task<T>>) -> Self {
        let tasks: Vec<Option<Task<T>>> = tasks.into_iter().map(Some).collect();
        let ids = tasks.iter().flatten().map(Task::task_ref).collect();
        Self { tasks, order: EndOrder::new(ids, Location::caller()) }
    }

    pub(super) fn count(&self) -> usize {
        self.tasks.len()
    }

    /// Waits for the next task to end and returns it with its index; none when all were returned.
    pub(super) fn poll_next(&mut self, context: &Context<'_>) -> Poll<Option<(usize, Task<T>)>> {
        self.order.poll_next(context).map(|next| {
            next.map(|index| (index, self.tasks[index].take().expect("a task ends once")))
        })
    }

    /// Waits for the next task to end and returns its index and how it ended.
    pub(super) fn poll_end(&mut self, context: &Context<'_>) -> Poll<Option<(usize, JoinEnd<T>)>> {
        self.poll_next(context).map(|next| {
            next.map(|(index, task)| match task.poll_end(context, self.order.at) {
                Poll::Ready(end) => (index, end),
                Poll::Pending => unreachable!("a task that has ended has ended"),
            })
        })
    }

    /// Cancels the tasks that are left; they are still waited for.
    pub(super) fn cancel_rest(&self) {
        for index in self.order.unnoticed() {
            if let Some(task) = &self.tasks[index] {
                task.cancel_handle().cancel();
            }
        }
    }

    /// Takes the tasks that are left, in the order given.
    pub(super) fn take_rest(&mut self) -> Vec<Task<T>> {
        self.tasks.iter_mut().filter_map(Option::take).collect()
    }
}

impl<T> Drop for OwnedTasks<T> {
    fn drop(&mut self) {
        let left = self.tasks.iter_mut().filter_map(Option::take).collect();
        leave_behind(left, self.order.at);
    }
}

/// Cancels tasks, and leaves a cleanup behind that waits for them: the running task ends after they have,
/// and so does a time-out that dropped who owned them.
pub(super) fn leave_behind<T: 'static>(tasks: Vec<Task<T>>, at: &'static Location<'static>) {
    if tasks.iter().all(Task::is_finished) {
        return;
    }
    tasks.iter().for_each(|task| task.cancel_handle().cancel());
    let mut order = EndOrder::new(tasks.iter().map(Task::task_ref).collect(), at);
    let mut tasks: Vec<Option<Task<T>>> = tasks.into_iter().map(Some).collect();
    let wait = poll_fn(move |context: &mut Context<'_>| {
        while let Some(index) = ready!(order.poll_next(context)) {
            // Dropped as it ends: a panic that nobody saw fails the run.
            drop(tasks[index].take());
        }
        Poll::Ready(())
    });
    backend::spawn_cleanup(wait, at);
}
