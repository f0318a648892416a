//! A lock that many may read at once.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::holders::{HolderKey, Holders};
use super::primitive::{Line, Primitive, Wait, WaitState};
use super::shares::Shares;
use super::waiters::Wakes;
use crate::backend::{Grant, Holder};
use crate::kernel::{Access, Verb};

/// A value that many tasks may read at once, or one may change, also across awaits.
///
/// **The policy is the order of arrival.** Readers and writers stand in one line. The readers in front
/// go in together, a writer goes in when it is the first and nobody is inside, and nobody overtakes: a
/// reader that comes after a waiting writer waits, though others read at that time. So neither readers
/// nor writers starve.
///
/// That has a price: **a task that reads and asks to read again deadlocks** if a writer came between,
/// because the second read waits for the writer and the writer for the first read. Hold one guard and
/// pass it on.
///
/// A panic under a guard releases it; the value is as the panic left it.
///
/// **When not to use it**: where guards are held for a short time ([`super::Mutex`] is simpler and
/// costs less), or not across an await (a `RefCell` or a [`std::sync::RwLock`] will do). A reader does
/// not become a writer: two that wait for it would wait for each other.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::sync::RwLock;
///
/// let routes = RwLock::new(vec!["a"]).named("routes");
/// {
///     let first = routes.read().await;
///     let second = routes.read().await; // both at once
///     assert_eq!(first.len() + second.len(), 2);
/// }
/// routes.write().await.push("b");
/// assert_eq!(*routes.read().await, ["a", "b"]);
/// # }).unwrap();
/// ```
///
/// A read inside of a read, with a writer between them:
/// ```
/// use parcae::{Sim, sync::RwLock, task::settle};
/// use std::rc::Rc;
///
/// let outcome = Sim::new(7).run(|| async {
///     let routes = Rc::new(RwLock::new(0).named("routes"));
///     let _outer = routes.read().await;
///     let writer = parcae::spawn({
///         let routes = routes.clone();
///         async move { *routes.write().await += 1 }
///     });
///     settle().await;
///     let _inner = routes.read().await;
///     writer.await;
/// });
/// let failure = outcome.into_result().unwrap_err().to_string();
/// assert!(failure.contains("`main` waits for RwLock read of `routes`"));
/// assert!(failure.contains("held by `main` since "));
/// ```
pub struct RwLock<T> {
    primitive: Primitive<State<T>>,
}

/// A reader has one share, a writer all of them.
struct State<T> {
    shares: Shares,
    holders: Holders,
    /// None while a writer has it. Readers have clones; they drop them before they give back their
    /// share, so the writer's is the only one.
    value: Option<Arc<T>>,
}

impl<T> WaitState for State<T> {
    const CAN_BE_HELD: bool = true;

    #[inline]
    fn is_idle(&self) -> bool {
        self.shares.waiters.is_empty() && !self.holders.are_published()
    }

    #[inline]
    fn wake_due(&mut self, wakes: &mut Wakes) {
        self.shares.assign(wakes);
    }

    #[inline]
    fn holders(&mut self) -> Option<&mut Holders> {
        Some(&mut self.holders)
    }

    fn tell_waiters(&self, grants: &mut Vec<Grant>) -> bool {
        self.shares.tell_waiters(grants)
    }
}

impl<T> State<T> {
    /// Takes the value to read, if the shares have been taken.
    fn read(&mut self, is_taken: bool, holder: Holder) -> Option<(Arc<T>, HolderKey)> {
        is_taken.then(|| (self.value.clone().expect(SHARED), self.holders.add(holder)))
    }

    /// Takes the value to write, if the shares have been taken.
    fn write(&mut self, is_taken: bool, holder: Holder) -> Option<(Arc<T>, HolderKey)> {
        is_taken.then(|| (self.value.take().expect(SHARED), self.holders.add(holder)))
    }
}

impl<T> RwLock<T> {
    const READERS: Line<State<T>> =
        Line { verb: &READ, waiters: |state| &mut state.shares.waiters };
    const WRITERS: Line<State<T>> =
        Line { verb: &WRITE, waiters: |state| &mut state.shares.waiters };

    /// Makes a lock around a value.
    #[must_use]
    #[track_caller]
    pub fn new(value: T) -> Self {
        let state = State {
            shares: Shares::new(ALL),
            holders: Holders::default(),
            value: Some(Arc::new(value)),
        };
        Self { primitive: Primitive::new("RwLock", state) }
    }

    /// Gives it a name for reports.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { primitive: self.primitive.named(name) }
    }

    /// Waits until no writer has the lock and none waits before this, and takes it to read.
    ///
    /// The place in the line is taken at the first poll.
    ///
    /// # Cancel safety
    /// Cancel safe: what was assigned to the future goes to the next waiters. Only the place in the
    /// line is lost.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let limit = parcae::sync::RwLock::new(5);
    /// assert_eq!(*limit.read().await, 5);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn read(&self) -> Read<'_, T> {
        Read { lock: self, wait: Wait::new() }
    }

    /// Waits until nobody has the lock and nobody waits before this, and takes it to write.
    ///
    /// The place in the line is taken at the first poll.
    ///
    /// # Cancel safety
    /// Cancel safe: what was assigned to the future goes to the next waiters, and readers behind it
    /// go in. Only the place in the line is lost.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let limit = parcae::sync::RwLock::new(5);
    /// *limit.write().await = 6;
    /// assert_eq!(*limit.read().await, 6);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn write(&self) -> Write<'_, T> {
        Write { lock: self, wait: Wait::weighing(ALL) }
    }

    /// Takes the lock to read, if no writer has it and nobody waits in vain.
    ///
    /// # Examples
    /// ```
    /// let limit = parcae::sync::RwLock::new(5);
    /// let reader = limit.try_read().expect("nobody writes");
    /// assert!(limit.try_read().is_some());
    /// assert!(limit.try_write().is_none());
    /// # drop(reader);
    /// ```
    #[must_use = "dropping the guard unlocks at once"]
    #[track_caller]
    pub fn try_read(&self) -> Option<ReadGuard<'_, T>> {
        let asker = Holder::running(Location::caller());
        let (value, holder) = self.primitive.change(|state| {
            let is_taken = state.shares.try_take(1);
            state.read(is_taken, asker)
        })?;
        Some(ReadGuard { lock: self, value: Some(value), holder })
    }

    /// Takes the lock to write, if nobody has it and nobody waits for it.
    ///
    /// # Examples
    /// ```
    /// let limit = parcae::sync::RwLock::new(5);
    /// *limit.try_write().expect("nobody has it") = 6;
    /// let reader = limit.try_read().expect("nobody writes");
    /// assert!(limit.try_write().is_none());
    /// assert_eq!(*reader, 6);
    /// ```
    #[must_use = "dropping the guard unlocks at once"]
    #[track_caller]
    pub fn try_write(&self) -> Option<WriteGuard<'_, T>> {
        let asker = Holder::running(Location::caller());
        let (value, holder) = self.primitive.change(|state| {
            let is_taken = state.shares.try_take(ALL);
            state.write(is_taken, asker)
        })?;
        Some(WriteGuard { lock: self, value: Some(value), holder })
    }

    /// Returns the value; that there is no other reference is lock enough.
    ///
    /// # Panics
    /// When a guard was leaked, with [`std::mem::forget`] for one.
    ///
    /// # Examples
    /// ```
    /// let mut limit = parcae::sync::RwLock::new(1);
    /// *limit.get_mut() += 1;
    /// assert_eq!(limit.into_inner(), 2);
    /// ```
    #[track_caller]
    pub fn get_mut(&mut self) -> &mut T {
        let value = self.primitive.get_mut().value.as_mut().expect(LEAKED);
        Arc::get_mut(value).expect(LEAKED)
    }

    /// Returns the value.
    ///
    /// # Panics
    /// When a guard was leaked, with [`std::mem::forget`] for one.
    #[track_caller]
    pub fn into_inner(self) -> T {
        let value = self.primitive.into_inner().value.expect(LEAKED);
        Arc::into_inner(value).expect(LEAKED)
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("RwLock");
        match self.try_read() {
            Some(guard) => debug.field("value", &*guard),
            None => debug.field("value", &format_args!("<locked>")),
        };
        debug.finish()
    }
}

/// Future of [`RwLock::read`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Read<'a, T> {
    lock: &'a RwLock<T>,
    wait: Wait,
}

impl<'a, T> Future for Read<'a, T> {
    type Output = ReadGuard<'a, T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<ReadGuard<'a, T>> {
        let lock = self.lock;
        let asker = Holder::polling(context, self.wait.at());
        let taken = self.wait.poll(context, &lock.primitive, &RwLock::READERS, |state, place| {
            let is_taken = state.shares.take(place, 1);
            state.read(is_taken, asker)
        });
        taken.map(|(value, holder)| ReadGuard { lock, value: Some(value), holder })
    }
}

impl<T> Drop for Read<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.wait.leave(&self.lock.primitive, &RwLock::READERS);
    }
}

/// Future of [`RwLock::write`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Write<'a, T> {
    lock: &'a RwLock<T>,
    wait: Wait,
}

impl<'a, T> Future for Write<'a, T> {
    type Output = WriteGuard<'a, T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<WriteGuard<'a, T>> {
        let lock = self.lock;
        let asker = Holder::polling(context, self.wait.at());
        let taken = self.wait.poll(context, &lock.primitive, &RwLock::WRITERS, |state, place| {
            let is_taken = state.shares.take(place, ALL);
            state.write(is_taken, asker)
        });
        taken.map(|(value, holder)| WriteGuard { lock, value: Some(value), holder })
    }
}

impl<T> Drop for Write<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.wait.leave(&self.lock.primitive, &RwLock::WRITERS);
    }
}

/// A lock that is held to read, perhaps by others too.
#[must_use = "dropping the guard unlocks at once"]
pub struct ReadGuard<'a, T> {
    lock: &'a RwLock<T>,
    /// None when it is being dropped.
    value: Option<Arc<T>>,
    holder: HolderKey,
}

impl<T> Deref for ReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.value.as_ref().expect(HELD)
    }
}

impl<T> Drop for ReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // First: a writer that gets the share finds its reference the only one. Another one is in the
        // lock, so the value is not dropped here.
        self.value = None;
        self.lock.primitive.change(|state| {
            state.holders.remove(self.holder);
            state.shares.give(1);
        });
    }
}

impl<T: fmt::Debug> fmt::Debug for ReadGuard<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, formatter)
    }
}

impl<T: fmt::Display> fmt::Display for ReadGuard<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, formatter)
    }
}

/// A lock that is held to write; dropping it hands the lock to those who wait.
#[must_use = "dropping the guard unlocks at once"]
pub struct WriteGuard<'a, T> {
    lock: &'a RwLock<T>,
    /// The only reference to it. None when it has been given back.
    value: Option<Arc<T>>,
    holder: HolderKey,
}

impl<'a, T> WriteGuard<'a, T> {
    /// Goes on as a reader; no writer comes between. Readers that are the first in the line go in.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let limit = parcae::sync::RwLock::new(5);
    /// let mut writer = limit.write().await;
    /// *writer = 6;
    /// let reader = writer.downgrade();
    /// assert_eq!(*limit.read().await, *reader);
    /// # }).unwrap();
    /// ```
    pub fn downgrade(mut self) -> ReadGuard<'a, T> {
        let value = self.value.take().expect(HELD);
        self.lock.primitive.change(|state| {
            state.value = Some(value.clone());
            state.shares.give(ALL - 1);
        });
        ReadGuard { lock: self.lock, value: Some(value), holder: self.holder }
    }
}

impl<T> Deref for WriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.value.as_ref().expect(HELD)
    }
}

impl<T> DerefMut for WriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        Arc::get_mut(self.value.as_mut().expect(HELD)).expect(ALONE)
    }
}

impl<T> Drop for WriteGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // None after `downgrade`.
        if let Some(value) = self.value.take() {
            self.lock.primitive.change(|state| {
                state.value = Some(value);
                state.holders.remove(self.holder);
                state.shares.give(ALL);
            });
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for WriteGuard<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, formatter)
    }
}

impl<T: fmt::Display> fmt::Display for WriteGuard<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, formatter)
    }
}

static READ: Verb = Verb::new("read", Access::Read);
static WRITE: Verb = Verb::new("write", Access::Write);

/// More readers than there can be.
const ALL: usize = usize::MAX;

const LEAKED: &str = "the value is in a guard that was leaked";
const SHARED: &str = "the value is in the lock while no writer has it";
const HELD: &str = "a guard holds the value until it is dropped";
const ALONE: &str = "readers have dropped their references before a writer goes in";
