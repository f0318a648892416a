//! A condition.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::mutex::{Lock, Mutex, MutexGuard};
use super::primitive::{Line, Primitive, Wait, WaitState};
use super::shares::Shares;
use super::waiters::Wakes;
use crate::kernel::{Access, Verb};

/// Lets tasks that hold a [`super::Mutex`] wait until others have changed what it guards.
///
/// [`Condition::wait`] takes the guard, lets go of the lock, waits to be notified, and locks again.
/// It stands in the line before it lets go, so a change that is made under the lock and notified
/// after it is never missed. Notifications go to those who wait in the order of their arrival; without
/// a waiter they are lost.
///
/// A waiter that is notified has to look again: another task may have locked before it, and a
/// notification that a dropped waiter did not use is passed on to the next. [`Condition::wait_for`]
/// looks, in a loop. Whoever notifies need not hold the lock.
///
/// The condition belongs to no lock; all who wait for one should use the same, or a notification may
/// go to one who waits for something else.
///
/// **When not to use it**: to hand over values ([`super::Queue`]), to wait for what happens once
/// ([`super::Event`]), to count ([`super::Semaphore`]).
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::sync::{Condition, Mutex};
/// use std::rc::Rc;
///
/// let shelf = Rc::new((Mutex::new(Vec::new()), Condition::new().named("filled")));
/// let consumer = parcae::spawn({
///     let shelf = shelf.clone();
///     async move {
///         let (books, filled) = &*shelf;
///         let guard = books.lock().await;
///         let mut guard = filled.wait_for(guard, |books: &mut Vec<_>| !books.is_empty()).await;
///         guard.pop()
///     }
/// });
/// let (books, filled) = &*shelf;
/// books.lock().await.push("Nona");
/// filled.notify_one();
/// assert_eq!(consumer.await, Some("Nona"));
/// # }).unwrap();
/// ```
///
/// A change that nobody is notified of is a deadlock, and the report names the condition:
/// ```
/// use parcae::{Sim, sync::{Condition, Mutex}};
///
/// let outcome = Sim::new(7).run(|| async {
///     let (books, filled) = (Mutex::new(0), Condition::new().named("filled"));
///     let guard = books.lock().await;
///     drop(filled.wait(guard).await);
/// });
/// let failure = outcome.into_result().unwrap_err().to_string();
/// assert!(failure.contains("`main` waits for Condition wait of `filled`"));
/// ```
pub struct Condition {
    primitive: Primitive<State>,
}

/// The free shares are the notifications that no waiter has claimed. There are never more than waiters.
struct State(Shares);

impl WaitState for State {
    fn wake_due(&mut self, wakes: &mut Wakes) {
        // A waiter may have been dropped: one that nobody is left for is lost.
        self.0.give_to_waiters(0);
        self.0.assign(wakes);
    }
}

impl Condition {
    const WAITERS: Line<State> = Line { verb: &WAIT, waiters: |state| &mut state.0.waiters };

    /// Makes a condition that nobody waits for.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        Self { primitive: Primitive::new("Condition", State(Shares::new(0))) }
    }

    /// Gives it a name for reports.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { primitive: self.primitive.named(name) }
    }

    /// Lets go of the lock, waits to be notified, and locks again.
    ///
    /// The first poll takes the place in the line and lets go of the lock, in this order. It may go on
    /// without a change that it waits for, see [`Condition`].
    ///
    /// # Cancel safety
    /// A dropped future does not lock again: the guard is gone with it. A notification that it was
    /// given goes to the next waiter, also if it is dropped while it locks again.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::{sync::{Condition, Mutex}, time::timeout};
    /// use std::time::Duration;
    ///
    /// let (state, changed) = (Mutex::new(0), Condition::new());
    /// let guard = state.lock().await;
    /// assert!(timeout(Duration::from_secs(1), changed.wait(guard)).await.is_err());
    /// assert!(state.try_lock().is_some());
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn wait<'a, 'g, T>(&'a self, guard: MutexGuard<'g, T>) -> ConditionWait<'a, 'g, T> {
        let mutex = guard.mutex();
        ConditionWait { condition: self, mutex, guard: Some(guard), wait: Wait::new(), lock: None }
    }

    /// Waits as [`Condition::wait`] does until the predicate is true of the value. It is asked with the
    /// lock held: at first, and after each notification.
    ///
    /// # Cancel safety
    /// As [`Condition::wait`].
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::sync::{Condition, Mutex};
    /// use std::rc::Rc;
    ///
    /// let shared = Rc::new((Mutex::new(0), Condition::new()));
    /// let counter = parcae::spawn({
    ///     let shared = shared.clone();
    ///     async move {
    ///         for _ in 0..3 {
    ///             *shared.0.lock().await += 1;
    ///             shared.1.notify_all();
    ///         }
    ///     }
    /// });
    /// let (count, changed) = &*shared;
    /// let guard = changed.wait_for(count.lock().await, |count| *count >= 3).await;
    /// assert_eq!(*guard, 3);
    /// # drop(guard);
    /// counter.await;
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn wait_for<'a, 'g, T, P>(
        &'a self,
        guard: MutexGuard<'g, T>,
        predicate: P,
    ) -> ConditionWaitFor<'a, 'g, T, P>
    where
        P: FnMut(&mut T) -> bool,
    {
        ConditionWaitFor { wait: self.wait(guard), predicate, is_asked: false }
    }

    /// Notifies the first waiter that is not notified yet.
    pub fn notify_one(&self) {
        self.notify(1);
    }

    /// Notifies so many of those that are not notified yet, or all if they are fewer.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::sync::{Condition, Mutex};
    /// use std::rc::Rc;
    ///
    /// let shared = Rc::new((Mutex::new(0), Condition::new()));
    /// let tasks = [(); 3].map(|()| {
    ///     let shared = shared.clone();
    ///     parcae::spawn(async move {
    ///         let guard = shared.0.lock().await;
    ///         *shared.1.wait(guard).await += 1;
    ///     })
    /// });
    /// parcae::task::settle().await;
    /// shared.1.notify(2);
    /// parcae::task::settle().await;
    /// assert_eq!(*shared.0.lock().await, 2);
    /// shared.1.notify_all();
    /// for task in tasks {
    ///     task.await;
    /// }
    /// # }).unwrap();
    /// ```
    pub fn notify(&self, count: usize) {
        self.primitive.change(|state| state.0.give_to_waiters(count));
    }

    /// Notifies all waiters.
    pub fn notify_all(&self) {
        self.notify(usize::MAX);
    }
}

impl Default for Condition {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Condition").finish_non_exhaustive()
    }
}

/// Future of [`Condition::wait`].
///
/// ```text
///   with the guard -> in the line -> notified, locks again -> has locked
///     (at its point)
/// ```
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ConditionWait<'a, 'g, T> {
    condition: &'a Condition,
    mutex: &'g Mutex<T>,
    /// Until it stands in the line.
    guard: Option<MutexGuard<'g, T>>,
    wait: Wait,
    /// From when it has been notified until it has locked again.
    lock: Option<Lock<'g, T>>,
}

impl<'g, T> ConditionWait<'_, 'g, T> {
    fn arrive(&mut self, context: &Context<'_>) -> Poll<()> {
        self.wait.arrive(context, &self.condition.primitive, &Condition::WAITERS)
    }

    /// Begins again when it has ended.
    fn restart(&mut self, guard: MutexGuard<'g, T>) {
        self.guard = Some(guard);
        self.wait.restart();
    }
}

// The value is never pinned: the guard may be moved.
impl<T> Unpin for ConditionWait<'_, '_, T> {}

impl<'g, T> Future for ConditionWait<'_, 'g, T> {
    type Output = MutexGuard<'g, T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<MutexGuard<'g, T>> {
        let Self { condition, mutex, guard, wait, lock } = self.get_mut();
        if lock.is_none() {
            let primitive = &condition.primitive;
            let notified = wait.poll(context, primitive, &Condition::WAITERS, |state, place| {
                state.0.take(place, 1).then_some(())
            });
            if notified.is_pending() {
                // Not before: who locks next may notify at once. A preempted one keeps the lock.
                if wait.is_in_line() {
                    *guard = None;
                }
                return Poll::Pending;
            }
        }
        let relock = lock.get_or_insert_with(|| mutex.lock_at(wait.at()));
        let guard = ready!(Pin::new(relock).poll(context));
        *lock = None;
        Poll::Ready(guard)
    }
}

impl<T> Drop for ConditionWait<'_, '_, T> {
    fn drop(&mut self) {
        self.wait.leave(&self.condition.primitive, &Condition::WAITERS);
        if self.lock.is_some() {
            self.condition.notify_one();
        }
    }
}

impl<T> fmt::Debug for ConditionWait<'_, '_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ConditionWait")
            .field("is_notified", &self.lock.is_some())
            .finish_non_exhaustive()
    }
}

/// Future of [`Condition::wait_for`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ConditionWaitFor<'a, 'g, T, P> {
    wait: ConditionWait<'a, 'g, T>,
    predicate: P,
    /// The predicate has been asked before anything was waited for.
    is_asked: bool,
}

// The predicate is never pinned.
impl<T, P> Unpin for ConditionWaitFor<'_, '_, T, P> {}

impl<'g, T, P: FnMut(&mut T) -> bool> Future for ConditionWaitFor<'_, 'g, T, P> {
    type Output = MutexGuard<'g, T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<MutexGuard<'g, T>> {
        let Self { wait, predicate, is_asked } = self.get_mut();
        if !*is_asked {
            ready!(wait.arrive(context));
            *is_asked = true;
            let guard = wait.guard.as_mut().expect("it has not let go of the lock");
            if predicate(guard) {
                return Poll::Ready(wait.guard.take().expect("it has not let go of the lock"));
            }
        }
        loop {
            let mut guard = ready!(Pin::new(&mut *wait).poll(context));
            if predicate(&mut guard) {
                return Poll::Ready(guard);
            }
            wait.restart(guard);
        }
    }
}

impl<T, P> fmt::Debug for ConditionWaitFor<'_, '_, T, P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ConditionWaitFor").finish_non_exhaustive()
    }
}

static WAIT: Verb = Verb::new("wait", Access::Write);
