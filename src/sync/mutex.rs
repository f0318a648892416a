//! A lock.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::holders::{HolderKey, Holders};
use super::primitive::{Line, Primitive, Wait, WaitState};
use super::waiters::{Waiters, Wakes};
use crate::executor::{Access, Grant, Holder, Verb};

/// A value that one task at a time may use, also across awaits.
///
/// Tasks get it in the order in which they asked: a guard that is dropped hands the lock to the
/// first waiter, and until that has run nobody else gets it, [`Mutex::try_lock`] included. It is not
/// re-entrant: a task that locks it twice waits for itself. A panic under the lock releases it; the
/// value is as the panic left it.
///
/// **When not to use it**: for state that is not held across an await (a `Cell`, a `RefCell` or a
/// [`std::sync::Mutex`] will do), and around slow calls of many tasks, which then queue one behind
/// the other. The value is moved into the guard and back; box it if it is large.
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
    primitive: Primitive<State<T>>,
}

struct State<T> {
    /// None while it is in a guard.
    value: Option<T>,
    /// Whose guard that is.
    holders: Holders,
    waiters: Waiters,
}

impl<T> State<T> {
    fn take(&mut self, holder: Holder) -> Option<T> {
        let value = self.value.take()?;
        self.holders.add(holder);
        Some(value)
    }
}

impl<T> WaitState for State<T> {
    const CAN_BE_HELD: bool = true;

    fn wake_due(&mut self, wakes: &mut Wakes) {
        if self.value.is_some() {
            self.waiters.wake(0, wakes);
        }
    }

    #[inline]
    fn holders(&mut self) -> Option<&mut Holders> {
        Some(&mut self.holders)
    }

    fn tell_waiters(&self, grants: &mut Vec<Grant>) -> bool {
        if self.value.is_some() {
            grants.extend(self.waiters.unclaimed(1));
        }
        self.waiters.count() > 0
    }
}

impl<T> Mutex<T> {
    const WAITERS: Line<State<T>> = Line { verb: &LOCK, waiters: |state| &mut state.waiters };

    /// Makes a lock around a value.
    #[must_use]
    #[track_caller]
    pub fn new(value: T) -> Self {
        let state =
            State { value: Some(value), holders: Holders::default(), waiters: Waiters::default() };
        Self { primitive: Primitive::new("Mutex", state) }
    }

    /// Gives it a name for reports.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { primitive: self.primitive.named(name) }
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
        let value = self.primitive.change(|state| match state.waiters.count() {
            0 => state.take(holder),
            _ => None,
        })?;
        Some(MutexGuard { mutex: self, value: Some(value) })
    }

    /// Returns the value; that there is no other reference is lock enough.
    ///
    /// # Panics
    /// When a guard was leaked, with [`std::mem::forget`] for one.
    ///
    /// # Examples
    /// ```
    /// let mut mutex = parcae::sync::Mutex::new(1);
    /// *mutex.get_mut() += 1;
    /// assert_eq!(mutex.into_inner(), 2);
    /// ```
    #[track_caller]
    pub fn get_mut(&mut self) -> &mut T {
        self.primitive.get_mut().value.as_mut().expect(LEAKED)
    }

    /// Returns the value.
    ///
    /// # Panics
    /// When a guard was leaked, with [`std::mem::forget`] for one.
    #[track_caller]
    pub fn into_inner(self) -> T {
        self.primitive.into_inner().value.expect(LEAKED)
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
        let holder = Holder::polling(context, self.wait.at());
        self.wait
            .poll(context, primitive, &Mutex::WAITERS, |state, place| match place.rank {
                0 => state.take(holder),
                _ => None,
            })
            .map(|value| MutexGuard { mutex, value: Some(value) })
    }
}

impl<T> Drop for Lock<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.wait.leave(&self.mutex.primitive, &Mutex::WAITERS);
    }
}

/// A lock that is held; dropping it hands the lock to the first waiter.
#[must_use = "dropping the guard unlocks at once"]
pub struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// Here and not behind the lock, so that the guard may move between threads if the value may.
    value: Option<T>,
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
        self.value.as_ref().expect(HELD)
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect(HELD)
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let value = self.value.take();
        self.mutex.primitive.change(|state| {
            state.holders.remove(HolderKey::FIRST);
            state.value = value;
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

const LEAKED: &str = "the value is in a guard that was leaked";
const HELD: &str = "a guard holds the value until it is dropped";
