//! A value that some change and others watch.
//!
//! | you want | use |
//! |---|---|
//! | to read the value as it is now | [`Receiver::borrow`], [`Sender::borrow`] |
//! | to wait until it has changed | [`Receiver::changed`] |
//! | to wait until it is as wanted | [`Receiver::wait_for`] |
//! | to stop working when nobody watches | [`Sender::closed`] |
//!
//! A receiver sees the latest value, not each: values that were replaced before it looked are gone. It
//! never misses that there is a new one: whether something has changed since it looked, and waiting if
//! nothing has, are one step.
//!
//! **When not to use it**: if every value matters ([`broadcast`](super::broadcast),
//! [`Queue`](super::Queue)); for a flag that is set once ([`Event`](super::Event)).
//!
//! # Examples
//! ```
//! # parcae::Sim::new(7).run(|| async {
//! use parcae::sync::watch;
//!
//! let (sender, mut receiver) = watch::channel("red");
//! let driver = parcae::spawn(async move {
//!     receiver.wait_for(|colour| *colour == "green").await.map(|colour| *colour)
//! });
//! sender.send("green").expect("somebody watches");
//! assert_eq!(driver.await, Ok("green"));
//! # }).unwrap();
//! ```
//!
//! A change that never comes is a deadlock, and the report names it:
//! ```
//! use parcae::{Sim, sync::watch};
//!
//! let outcome = Sim::new(7).run(|| async {
//!     let (_sender, mut light) = watch::channel_named("light", "red");
//!     let _changed = light.changed().await;
//! });
//! let failure = outcome.into_result().unwrap_err().to_string();
//! assert!(failure.contains("`main` waits for watch changed of `light`"));
//! ```

use std::fmt;
use std::future::Future;
use std::mem;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{
    Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, TryLockResult,
};
use std::task::{Context, Poll, ready};

pub use super::error::SendError;
pub use super::error::watch::RecvError;
use super::primitive::{Line, Primitive, Wait, WaitState};
use super::waiters::{Waiters, Wakes};
use crate::context::Backend;
use crate::kernel::{Access, Verb};

/// Makes a value that can be watched. The receiver has seen the first value.
#[must_use]
#[track_caller]
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    with_primitive(Primitive::new(KIND, State::new()), value)
}

/// Makes a value that can be watched, with a name for reports.
#[must_use]
#[track_caller]
pub fn channel_named<T>(name: &'static str, value: T) -> (Sender<T>, Receiver<T>) {
    with_primitive(Primitive::new(KIND, State::new()).named(name), value)
}

fn with_primitive<T>(primitive: Primitive<State>, value: T) -> (Sender<T>, Receiver<T>) {
    let value = RwLock::new(Versioned { value, version: 0 });
    let shared = Arc::new(Shared { primitive, value });
    (Sender { shared: shared.clone() }, Receiver { shared, seen: 0 })
}

struct Shared<T> {
    primitive: Primitive<State>,
    /// Locked before the state of the primitive, never the other way.
    value: RwLock<Versioned<T>>,
}

struct Versioned<T> {
    value: T,
    /// How often it was changed.
    version: u64,
}

struct State {
    /// That of the latest value whose receivers are told.
    version: u64,
    senders: usize,
    receivers: usize,
    /// There is something that all who wait for a change have to see.
    is_news: bool,
    changed: Waiters,
    closed: Waiters,
}

impl State {
    fn new() -> Self {
        Self {
            version: 0,
            senders: 1,
            receivers: 1,
            is_news: false,
            changed: Waiters::default(),
            closed: Waiters::default(),
        }
    }

    /// Tells whether there is a version that was not seen; fails if there is none and none will come.
    fn has_changed(&self, seen: u64) -> Result<bool, RecvError> {
        match self.version > seen {
            false if self.senders == 0 => Err(RecvError::Closed),
            has_changed => Ok(has_changed),
        }
    }
}

impl WaitState for State {
    fn wake_due(&mut self, wakes: &mut Wakes) {
        if mem::take(&mut self.is_news) {
            self.changed.wake_all(wakes);
        }
        if self.receivers == 0 {
            self.closed.wake_all(wakes);
        }
    }
}

impl<T> Shared<T> {
    const CHANGED: Line<State> = Line { verb: &CHANGED, waiters: |state| &mut state.changed };
    const CLOSED: Line<State> = Line { verb: &CLOSED, waiters: |state| &mut state.closed };

    #[track_caller]
    fn read(&self) -> RwLockReadGuard<'_, Versioned<T>> {
        match free(self.value.try_read()) {
            Some(guard) => guard,
            None if is_simulated() => try_often(|| free(self.value.try_read())),
            None => self.value.read().unwrap_or_else(PoisonError::into_inner),
        }
    }

    #[track_caller]
    fn write(&self) -> RwLockWriteGuard<'_, Versioned<T>> {
        match free(self.value.try_write()) {
            Some(guard) => guard,
            None if is_simulated() => try_often(|| free(self.value.try_write())),
            None => self.value.write().unwrap_or_else(PoisonError::into_inner),
        }
    }

    #[track_caller]
    fn borrow(&self) -> Ref<'_, T> {
        Ref { guard: self.read() }
    }

    fn subscribe(self: &Arc<Self>, seen: u64) -> Receiver<T> {
        self.primitive.change(|state| state.receivers += 1);
        Receiver { shared: self.clone(), seen }
    }
}

/// Returns the guard, unless the value is in use.
fn free<G>(guard: TryLockResult<G>) -> Option<G> {
    match guard {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

fn is_simulated() -> bool {
    Backend::current() == Some(Backend::Simulation)
}

/// Takes what another thread has for a moment: a run on it may share the value. What this thread itself
/// has it would wait for without end, so it does not block.
#[cold]
#[track_caller]
fn try_often<G>(mut take: impl FnMut() -> Option<G>) -> G {
    for _ in 0..TRIES {
        if let Some(guard) = take() {
            return guard;
        }
        std::thread::yield_now();
    }
    panic!(
        "a watched value was used while it was in use: a `Ref` is held across an await, or the \
         closure that changes or judges the value uses it, or another thread keeps it"
    );
}

/// Changes the value. A clone is another handle.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    /// Replaces the value and tells all receivers.
    ///
    /// # Errors
    /// [`SendError`] with the value when there is no receiver; the old value stays.
    ///
    /// # Panics
    /// Inside of a simulation, when a [`Ref`] to the value is held.
    ///
    /// # Examples
    /// ```
    /// use parcae::sync::watch;
    ///
    /// let (sender, receiver) = watch::channel(1);
    /// assert_eq!(sender.send(2), Ok(()));
    /// assert_eq!(*receiver.borrow(), 2);
    /// drop(receiver);
    /// assert_eq!(sender.send(3), Err(watch::SendError(3)));
    /// ```
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.is_closed() {
            return Err(SendError(value));
        }
        drop(self.send_replace(value));
        Ok(())
    }

    /// Replaces the value, also if there is no receiver, and returns the old one.
    ///
    /// # Panics
    /// Inside of a simulation, when a [`Ref`] to the value is held.
    ///
    /// # Examples
    /// ```
    /// let (sender, _receiver) = parcae::sync::watch::channel(1);
    /// assert_eq!(sender.send_replace(2), 1);
    /// ```
    #[track_caller]
    pub fn send_replace(&self, mut value: T) -> T {
        self.send_modify(|current| mem::swap(current, &mut value));
        value
    }

    /// Changes the value in place, also if there is no receiver. If the closure panics, what it did
    /// stays and nobody is told.
    ///
    /// # Panics
    /// Inside of a simulation, when a [`Ref`] to the value is held.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = parcae::sync::watch::channel(1);
    /// sender.send_modify(|value| *value += 1);
    /// assert_eq!((*receiver.borrow(), receiver.has_changed()), (2, Ok(true)));
    /// ```
    #[track_caller]
    pub fn send_modify(&self, modify: impl FnOnce(&mut T)) {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// Changes the value in place, and tells the receivers if the closure says that it has changed.
    /// Returns what the closure returned.
    ///
    /// # Panics
    /// Inside of a simulation, when a [`Ref`] to the value is held.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = parcae::sync::watch::channel(1);
    /// assert!(!sender.send_if_modified(|_| false));
    /// assert_eq!(receiver.has_changed(), Ok(false));
    /// ```
    #[track_caller]
    pub fn send_if_modified(&self, modify: impl FnOnce(&mut T) -> bool) -> bool {
        let version = {
            let mut current = self.shared.write();
            if !modify(&mut current.value) {
                return false;
            }
            current.version += 1;
            current.version
        };
        // Told when the value is let go: a waker may run code that looks at it.
        self.shared.primitive.change(|state| {
            state.version = state.version.max(version);
            state.is_news = true;
        });
        true
    }

    /// Returns the value as it is now; see [`Ref`].
    ///
    /// # Panics
    /// Inside of a simulation, when it is called by a closure that changes the value. Elsewhere that
    /// waits for ever.
    #[must_use]
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        self.shared.borrow()
    }

    /// Makes a receiver that has seen the present value.
    ///
    /// # Panics
    /// Inside of a simulation, when it is called by a closure that changes the value. Elsewhere that
    /// waits for ever.
    ///
    /// # Examples
    /// ```
    /// let (sender, _first) = parcae::sync::watch::channel(1);
    /// let second = sender.subscribe();
    /// assert_eq!((*second.borrow(), second.has_changed()), (1, Ok(false)));
    /// ```
    #[track_caller]
    pub fn subscribe(&self) -> Receiver<T> {
        let seen = self.shared.read().version;
        self.shared.subscribe(seen)
    }

    /// Counts the receivers.
    #[must_use]
    pub fn receiver_count(&self) -> usize {
        self.shared.primitive.read(|state| state.receivers)
    }

    /// Tells whether there is no receiver.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
    }

    /// Waits until there is no receiver. Looks again when it runs: one that subscribed meanwhile is
    /// waited for too.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is taken.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let (sender, receiver) = parcae::sync::watch::channel(1);
    /// let watcher = parcae::spawn(async move { drop(receiver) });
    /// sender.closed().await;
    /// watcher.await;
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn closed(&self) -> Closed<'_, T> {
        Closed { shared: &self.shared, wait: Wait::new() }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.primitive.change(|state| state.senders += 1);
        Self { shared: self.shared.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.primitive.change(|state| {
            state.senders -= 1;
            state.is_news = state.senders == 0;
        });
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sender").field("receivers", &self.receiver_count()).finish()
    }
}

/// Watches the value. A clone has seen what this one has.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// Version that was seen last.
    seen: u64,
}

impl<T> Receiver<T> {
    /// Returns the value as it is now, without marking it as seen; see [`Ref`].
    ///
    /// # Panics
    /// Inside of a simulation, when it is called by a closure that changes the value. Elsewhere that
    /// waits for ever.
    #[must_use]
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        self.shared.borrow()
    }

    /// Returns the value as it is now, and marks it as seen; see [`Ref`].
    ///
    /// # Panics
    /// Inside of a simulation, when it is called by a closure that changes the value. Elsewhere that
    /// waits for ever.
    ///
    /// # Examples
    /// ```
    /// let (sender, mut receiver) = parcae::sync::watch::channel(1);
    /// sender.send(2).expect("there is a receiver");
    /// assert_eq!(*receiver.borrow_and_update(), 2);
    /// assert_eq!(receiver.has_changed(), Ok(false));
    /// ```
    #[track_caller]
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let current = self.shared.borrow();
        self.seen = current.guard.version;
        current
    }

    /// Tells whether there is a value that this receiver has not seen.
    ///
    /// # Errors
    /// [`RecvError::Closed`] when there is none and all senders were dropped.
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        self.shared.primitive.read(|state| state.has_changed(self.seen))
    }

    /// Waits for a value that this receiver has not seen, and marks it as seen. Returns at once if
    /// there is one.
    ///
    /// # Errors
    /// [`RecvError::Closed`] when all senders were dropped and the last value has been seen.
    ///
    /// # Cancel safety
    /// Cancel safe: a value is marked as seen when the future is ready, and not before.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::sync::watch;
    ///
    /// let (sender, mut receiver) = watch::channel(0);
    /// let counter = parcae::spawn(async move {
    ///     for number in 1..=3 {
    ///         sender.send(number).expect("watched to the end");
    ///         parcae::task::yield_now().await;
    ///     }
    /// });
    /// let mut last = 0;
    /// while receiver.changed().await.is_ok() {
    ///     last = *receiver.borrow(); // some may be skipped, but not the last
    /// }
    /// assert_eq!(last, 3);
    /// counter.await;
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn changed(&mut self) -> Changed<'_, T> {
        Changed { shared: &self.shared, seen: &mut self.seen, wait: Wait::new() }
    }

    /// Waits until the value is as wanted, and returns it; see [`Ref`]. The present value is looked at
    /// first, and every value that is looked at is marked as seen.
    ///
    /// # Errors
    /// [`RecvError::Closed`] when all senders were dropped and the last value is not as wanted.
    ///
    /// # Panics
    /// Inside of a simulation, when the predicate changes the value.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is taken.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let (sender, mut receiver) = parcae::sync::watch::channel(1);
    /// assert!(receiver.wait_for(|value| *value > 0).await.is_ok());
    /// drop(sender);
    /// assert!(receiver.wait_for(|value| *value > 1).await.is_err());
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn wait_for<F: FnMut(&T) -> bool>(&mut self, predicate: F) -> WaitFor<'_, T, F> {
        let (shared, seen, wait) = (&*self.shared, &mut self.seen, Wait::new());
        WaitFor { shared, seen, has_looked: false, predicate, wait }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.subscribe(self.seen)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.primitive.change(|state| state.receivers -= 1);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Receiver").field("has_changed", &self.has_changed()).finish()
    }
}

/// The value while somebody looks at it. It cannot be changed until this is dropped.
///
/// **It must not be held across an await**: whoever changes the value then waits for it with its
/// thread. Inside of a simulation, where that would be for ever, changing the value panics. Nor may a
/// thread that has one ask for a second one while another thread may change the value: each could wait
/// for the other. Clone what is needed for longer.
///
/// # Examples
/// ```
/// let (_sender, receiver) = parcae::sync::watch::channel(String::from("red"));
/// let colour = receiver.borrow().clone();
/// assert_eq!(colour, "red");
/// ```
pub struct Ref<'a, T> {
    guard: RwLockReadGuard<'a, Versioned<T>>,
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Ref<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, formatter)
    }
}

/// Future of [`Receiver::changed`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Changed<'a, T> {
    shared: &'a Shared<T>,
    seen: &'a mut u64,
    wait: Wait,
}

impl<T> Future for Changed<'_, T> {
    type Output = Result<(), RecvError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { shared, seen, wait } = self.get_mut();
        wait.poll(context, &shared.primitive, &Shared::<T>::CHANGED, |state, _| {
            match state.has_changed(**seen) {
                Ok(false) => None,
                Ok(true) => {
                    **seen = state.version;
                    Some(Ok(()))
                }
                Err(error) => Some(Err(error)),
            }
        })
    }
}

impl<T> Drop for Changed<'_, T> {
    fn drop(&mut self) {
        self.wait.leave(&self.shared.primitive, &Shared::<T>::CHANGED);
    }
}

impl<T> fmt::Debug for Changed<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Changed").field("wait", &self.wait).finish()
    }
}

/// Future of [`Receiver::wait_for`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct WaitFor<'a, T, F> {
    shared: &'a Shared<T>,
    seen: &'a mut u64,
    has_looked: bool,
    predicate: F,
    wait: Wait,
}

// The predicate is never pinned: it is called.
impl<T, F> Unpin for WaitFor<'_, T, F> {}

impl<'a, T, F: FnMut(&T) -> bool> Future for WaitFor<'a, T, F> {
    type Output = Result<Ref<'a, T>, RecvError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { shared, seen, has_looked, predicate, wait } = self.get_mut();
        let shared: &'a Shared<T> = shared;
        loop {
            // The first look needs no change, but a point before it.
            let line = &Shared::<T>::CHANGED;
            let changed = ready!(wait.poll(context, &shared.primitive, line, |state, _| {
                match state.has_changed(**seen) {
                    _ if !*has_looked => Some(Ok(())),
                    Ok(has_changed) => has_changed.then_some(Ok(())),
                    Err(error) => Some(Err(error)),
                }
            }));
            if let Err(error) = changed {
                return Poll::Ready(Err(error));
            }
            let current = shared.borrow();
            **seen = current.guard.version;
            *has_looked = true;
            if predicate(&current) {
                return Poll::Ready(Ok(current));
            }
        }
    }
}

impl<T, F> Drop for WaitFor<'_, T, F> {
    fn drop(&mut self) {
        self.wait.leave(&self.shared.primitive, &Shared::<T>::CHANGED);
    }
}

impl<T, F> fmt::Debug for WaitFor<'_, T, F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WaitFor").field("wait", &self.wait).finish()
    }
}

/// Future of [`Sender::closed`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Closed<'a, T> {
    shared: &'a Shared<T>,
    wait: Wait,
}

impl<T> Future for Closed<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let shared = self.shared;
        self.wait.poll(context, &shared.primitive, &Shared::<T>::CLOSED, |state, _| {
            (state.receivers == 0).then_some(())
        })
    }
}

impl<T> Drop for Closed<'_, T> {
    fn drop(&mut self) {
        self.wait.leave(&self.shared.primitive, &Shared::<T>::CLOSED);
    }
}

impl<T> fmt::Debug for Closed<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Closed").field("wait", &self.wait).finish()
    }
}

static CHANGED: Verb = Verb::new("changed", Access::Read);
static CLOSED: Verb = Verb::new("closed", Access::Read);

const KIND: &str = "watch";

/// Some milliseconds, where a value is used for less than one.
const TRIES: u32 = 10_000;
