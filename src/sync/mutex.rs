//! A lock, with unsafe code.
//!
//! The value stays where it is; what goes from task to task is the right to reach it. Everything that
//! this rests on is in this file: a guard is made when `is_held` turns true, and it turns false when
//! that guard is dropped.
#![expect(unsafe_code, reason = "a value that is reached through a shared lock needs a cell")]

use std::cell::UnsafeCell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::holders::{HolderKey, Holders};
use super::primitive::{Line, Primitive, Wait, WaitState};
use super::waiters::{Waiters, Wakes};
use crate::backend::{Grant, Holder};
use crate::kernel::{Access, Verb};

/// A value that one task at a time may use, also across awaits.
///
/// Tasks get it in the order in which they asked: a guard that is dropped hands the lock to the
/// first waiter, and until that has run nobody else gets it, [`Mutex::try_lock`] included. It is not
/// re-entrant: a task that locks it twice waits for itself. A panic under the lock releases it; the
/// value is as the panic left it.
///
/// **When not to use it**: for state that is not held across an await (a `Cell`, a `RefCell` or a
/// [`std::sync::Mutex`] will do), and around slow calls of many tasks, which then queue one behind
/// the other.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::sync::Mutex;
/// use std::rc::Rc;
///
/// let balance = Rc::new(Mutex::new(100).named("balance"));
/// let deposit = parcae::spawn({
///     let balance = balance.clone();
///     async move { *balance.lock().await += 20 }
/// });
/// deposit.await;
/// assert_eq!(*balance.lock().await, 120);
/// # }).unwrap();
/// ```
///
/// A task that waits for itself is a deadlock, and the report names the lock and who holds it since
/// which line:
/// ```
/// use parcae::{Sim, sync::Mutex};
///
/// let outcome = Sim::new(7).run(|| async {
///     let balance = Mutex::new(100).named("balance");
///     let _first = balance.lock().await;
///     let _second = balance.lock().await;
/// });
/// let failure = outcome.into_result().unwrap_err().to_string();
/// assert!(failure.contains("`main` waits for Mutex lock of `balance`"));
/// assert!(failure.contains("held by `main` since "));
/// ```
pub struct Mutex<T> {
    primitive: Primitive<State>,
    value: UnsafeCell<T>,
}

struct State {
    /// Whether there is a guard.
    is_held: bool,
    /// Whose guard that is.
    holders: Holders,
    waiters: Waiters,
}

impl WaitState for State {
    const CAN_BE_HELD: bool = true;

    #[inline]
    fn is_idle(&self) -> bool {
        self.waiters.is_empty() && !self.holders.are_published()
    }

    #[inline]
    fn wake_due(&mut self, wakes: &mut Wakes) {
        if !self.is_held {
            self.waiters.wake(0, wakes);
        }
    }

    #[inline]
    fn holders(&mut self) -> Option<&mut Holders> {
        Some(&mut self.holders)
    }

    fn tell_waiters(&self, grants: &mut Vec<Grant>) -> bool {
        if !self.is_held {
            self.waiters.tell_unclaimed(1, grants);
        }
        self.waiters.count() > 0
    }
}

impl State {
    /// Takes the lock for who stands at this rank, if it is free and theirs.
    #[inline]
    fn take(&mut self, rank: usize, holder: impl FnOnce() -> Holder) -> Option<()> {
        let may_take = rank == 0 && !self.is_held;
        may_take.then(|| {
            self.is_held = true;
            self.holders.add(holder());
        })
    }
}

// SAFETY: Threads that share a lock reach the value only through a guard, of which there is one at a
// time, so sharing the lock does no more than sending the value from one to the next.
unsafe impl<T: Send> Sync for Mutex<T> {}

// A panic under the lock leaves the value as it is, as the page says.
impl<T> UnwindSafe for Mutex<T> {}
impl<T> RefUnwindSafe for Mutex<T> {}

impl<T> Mutex<T> {
    const WAITERS: Line<State> = Line { verb: &LOCK, waiters: |state| &mut state.waiters };

    /// Makes a lock around a value.
    #[must_use]
    #[track_caller]
    pub fn new(value: T) -> Self {
        let state =
            State { is_held: false, holders: Holders::default(), waiters: Waiters::default() };
        Self { primitive: Primitive::new("Mutex", state), value: UnsafeCell::new(value) }
    }

    /// Gives it a name for reports.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { primitive: self.primitive.named(name), value: self.value }
    }

    /// Waits until the lock is free and nobody waits before this, and takes it.
    ///
    /// The place in the line is taken at the first poll.
    ///
    /// # Cancel safety
    /// Cancel safe: a lock that was assigned to the future goes to the next waiter. Only the place
    /// in the line is lost.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let names = parcae::sync::Mutex::new(Vec::new());
    /// let mut guard = names.lock().await;
    /// guard.push("Clotho");
    /// parcae::task::yield_now().await; // still locked
    /// guard.push("Lachesis");
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn lock(&self) -> Lock<'_, T> {
        Lock { mutex: self, wait: Wait::new() }
    }

    /// Waits as [`Mutex::lock`] does, for a call at this place.
    pub(super) fn lock_at(&self, at: &'static Location<'static>) -> Lock<'_, T> {
        Lock { mutex: self, wait: Wait::called_at(at) }
    }

    /// Takes the lock if it is free and nobody waits for it.
    ///
    /// # Examples
    /// ```
    /// let mutex = parcae::sync::Mutex::new(1);
    /// let guard = mutex.try_lock().expect("nobody holds it");
    /// assert!(mutex.try_lock().is_none());
    /// drop(guard);
    /// assert!(mutex.try_lock().is_some());
    /// ```
    #[must_use = "dropping the guard unlocks at once"]
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let holder = Holder::running(Location::caller());
        let taken = self.primitive.change(|state| state.take(state.waiters.count(), || holder));
        taken.map(|()| self.guard())
    }

    /// Returns the value; that there is no other reference is lock enough.
    ///
    /// # Examples
    /// ```
    /// let mut mutex = parcae::sync::Mutex::new(1);
    /// *mutex.get_mut() += 1;
    /// assert_eq!(mutex.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Returns the value.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }

    /// Makes the guard of whoever has just taken the lock.
    #[inline]
    fn guard(&self) -> MutexGuard<'_, T> {
        MutexGuard { mutex: self, value: PhantomData }
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Mutex");
        match self.try_lock() {
            Some(guard) => debug.field("value", &*guard),
            None => debug.field("value", &format_args!("<locked>")),
        };
        debug.finish()
    }
}

/// Future of [`Mutex::lock`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Lock<'a, T> {
    mutex: &'a Mutex<T>,
    wait: Wait,
}

impl<'a, T> Future for Lock<'a, T> {
    type Output = MutexGuard<'a, T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<MutexGuard<'a, T>> {
        let mutex = self.mutex;
        let primitive = &mutex.primitive;
        let at = self.wait.at();
        self.wait
            .poll(context, primitive, &Mutex::<T>::WAITERS, |state, place| {
                state.take(place.rank, || Holder::polling(context, at))
            })
            .map(|()| mutex.guard())
    }
}

impl<T> Drop for Lock<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.wait.leave(&self.mutex.primitive, &Mutex::<T>::WAITERS);
    }
}

/// A lock that is held; dropping it hands the lock to the first waiter.
#[must_use = "dropping the guard unlocks at once"]
pub struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// It may be sent and shared between threads if the value may.
    value: PhantomData<&'a mut T>,
}

impl<'a, T> MutexGuard<'a, T> {
    /// Returns what it locks.
    pub(super) fn mutex(&self) -> &'a Mutex<T> {
        self.mutex
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: This is the only guard: it was made when `is_held` turned true, which happens under
        // the lock of the state and only while it is false, and it turns false when this is dropped.
        // `get_mut` and `into_inner` need the lock for themselves, and it is borrowed here. What the
        // guard before this one wrote is seen: `is_held` came from it through the lock of the state.
        // While the reference lives this guard is borrowed, so that nobody reaches the value as unique.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: As in `deref`; and while the reference lives this guard, the only one, is borrowed
        // as unique.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.primitive.change(|state| {
            state.holders.remove(HolderKey::FIRST);
            state.is_held = false;
        });
    }
}

impl<T: fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, formatter)
    }
}

impl<T: fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, formatter)
    }
}

static LOCK: Verb = Verb::new("lock", Access::Write);
