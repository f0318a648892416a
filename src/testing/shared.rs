//! A plain cell whose reads and writes are points.

use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, ready};

use crate::context;
use crate::executor::{Access, Executor, Point, Resource, Verb, note};

/// A cell shared by tasks, with a point before every read and write.
///
/// It is for tests that show races on plain shared state: a read and a write after it are two steps,
/// and another task may come between, as with a value in a database or on a disk. It never waits and
/// protects nothing. The log of a recorded run tells which values were read and written.
///
/// **When not to use it**: in a program. State of one thread needs a `Cell`; state that must not be
/// changed in between needs a [`crate::sync::Mutex`].
///
/// # Examples
/// Two tasks add one to a counter. On some schedule both read before either writes:
/// ```
/// use parcae::{Sim, testing::Shared};
/// use std::rc::Rc;
///
/// async fn count_to_two() -> u32 {
///     let counter = Rc::new(Shared::new(0).named("counter"));
///     let add_one = |counter: Rc<Shared<u32>>| async move {
///         let value = counter.get().await;
///         counter.set(value + 1).await;
///     };
///     let first = parcae::spawn(add_one(counter.clone()));
///     let second = parcae::spawn(add_one(counter.clone()));
///     first.await;
///     second.await;
///     counter.peek()
/// }
///
/// let counts = || (0..50).map(|seed| Sim::new(seed).run(count_to_two).unwrap());
/// assert!(counts().any(|count| count == 2));
/// assert!(counts().any(|count| count == 1), "an update was lost");
/// ```
pub struct Shared<T> {
    resource: Resource,
    value: Mutex<T>,
}

impl<T> Shared<T> {
    /// Makes a cell with this value.
    #[must_use]
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self { resource: Resource::new("Shared"), value: Mutex::new(value) }
    }

    /// Gives it a name for reports.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { resource: self.resource.named(name), value: self.value }
    }

    /// Returns the value. No point: for assertions when the tasks are done.
    ///
    /// # Panics
    /// When it is called by the closure of an [`Shared::update`] of the same cell.
    #[must_use]
    #[track_caller]
    pub fn peek(&self) -> T
    where
        T: Clone,
    {
        self.lock().clone()
    }

    /// Returns the value. No point: nobody else has the cell.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    fn lock(&self) -> MutexGuard<'_, T> {
        match self.value.try_lock() {
            Ok(value) => value,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                // Inside of a run nobody else can hold it, so waiting would be for ever.
                let is_simulated = context::with(|_: &Executor| ()).is_some();
                assert!(
                    !is_simulated,
                    "a `Shared` was used while it was in use: by its own `update`, or by another \
                     thread"
                );
                self.value.lock().unwrap_or_else(PoisonError::into_inner)
            }
        }
    }
}

impl<T: fmt::Debug> Shared<T> {
    /// Reads the value.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is kept.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let cell = parcae::testing::Shared::new(1);
    /// assert_eq!(cell.get().await, 1);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn get(&self) -> SharedGet<'_, T>
    where
        T: Clone,
    {
        SharedGet { cell: self, access: Accessing::new() }
    }

    /// Writes a value.
    ///
    /// # Cancel safety
    /// Cancel safe: the value is written when the future is ready, and never if it is dropped before.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let cell = parcae::testing::Shared::new(1);
    /// cell.set(2).await;
    /// assert_eq!(cell.into_inner(), 2);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn set(&self, value: T) -> SharedSet<'_, T> {
        SharedSet { swap: self.swap(value) }
    }

    /// Writes a value and returns the one before, in one step.
    ///
    /// # Cancel safety
    /// Cancel safe: the value is written when the future is ready, and never if it is dropped before.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let cell = parcae::testing::Shared::new(1);
    /// assert_eq!(cell.swap(2).await, 1);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn swap(&self, value: T) -> SharedSwap<'_, T> {
        SharedSwap { cell: self, value: Some(value), access: Accessing::new() }
    }

    /// Reads, modifies and writes the value in one step, and returns what the closure returns.
    ///
    /// # Panics
    /// When the closure uses the cell.
    ///
    /// # Cancel safety
    /// Cancel safe: the closure is called when the future is ready, and never if it is dropped before.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let cell = parcae::testing::Shared::new(vec![1]);
    /// let count = cell.update(|list| { list.push(2); list.len() }).await;
    /// assert_eq!(count, 2);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn update<R, F: FnOnce(&mut T) -> R>(&self, update: F) -> SharedUpdate<'_, T, F> {
        SharedUpdate { cell: self, update: Some(update), access: Accessing::new() }
    }
}

impl<T: Default> Default for Shared<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_tuple("Shared");
        match self.value.try_lock() {
            Ok(value) => debug.field(&*value),
            Err(TryLockError::Poisoned(poisoned)) => debug.field(&*poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => debug.field(&format_args!("<in use>")),
        };
        debug.finish()
    }
}

/// The point of one access.
#[derive(Debug)]
struct Accessing {
    point: Point,
    at: &'static Location<'static>,
}

impl Accessing {
    #[track_caller]
    fn new() -> Self {
        Self { point: Point::new(), at: Location::caller() }
    }

    fn poll(&mut self, context: &Context<'_>, on: &Resource, verb: &'static Verb) -> Poll<()> {
        self.point.poll(context, on, verb, self.at)
    }
}

/// Future of [`Shared::get`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct SharedGet<'a, T> {
    cell: &'a Shared<T>,
    access: Accessing,
}

impl<T: Clone + fmt::Debug> Future for SharedGet<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let cell = self.cell;
        ready!(self.access.poll(context, &cell.resource, &GET));
        let value = cell.lock().clone();
        note(|| format!("reads {value:?}"));
        Poll::Ready(value)
    }
}

/// Future of [`Shared::set`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct SharedSet<'a, T> {
    swap: SharedSwap<'a, T>,
}

impl<T: fmt::Debug> Future for SharedSet<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.swap.poll_write(context, &SET).map(drop)
    }
}

/// Future of [`Shared::swap`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct SharedSwap<'a, T> {
    cell: &'a Shared<T>,
    /// None when it has been written.
    value: Option<T>,
    access: Accessing,
}

// The value is never pinned: it is moved into the cell.
impl<T> Unpin for SharedSwap<'_, T> {}

impl<T: fmt::Debug> SharedSwap<'_, T> {
    fn poll_write(&mut self, context: &Context<'_>, verb: &'static Verb) -> Poll<T> {
        ready!(self.access.poll(context, &self.cell.resource, verb));
        let value = self.value.take().expect(POLLED_AGAIN);
        let mut kept = self.cell.lock();
        if verb == &SWAP {
            note(|| format!("reads {:?}", *kept));
        }
        note(|| format!("writes {value:?}"));
        Poll::Ready(mem::replace(&mut *kept, value))
    }
}

impl<T: fmt::Debug> Future for SharedSwap<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.poll_write(context, &SWAP)
    }
}

/// Future of [`Shared::update`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct SharedUpdate<'a, T, F> {
    cell: &'a Shared<T>,
    /// None when it has been called.
    update: Option<F>,
    access: Accessing,
}

// The closure is never pinned: it is moved out to be called.
impl<T, F> Unpin for SharedUpdate<'_, T, F> {}

impl<T: fmt::Debug, F> fmt::Debug for SharedUpdate<'_, T, F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SharedUpdate").field("cell", self.cell).finish_non_exhaustive()
    }
}

impl<T: fmt::Debug, F: FnOnce(&mut T) -> R, R> Future for SharedUpdate<'_, T, F> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        let cell = self.cell;
        ready!(self.access.poll(context, &cell.resource, &UPDATE));
        let update = self.update.take().expect(POLLED_AGAIN);
        let mut value = cell.lock();
        note(|| format!("reads {:?}", *value));
        let result = update(&mut value);
        note(|| format!("writes {:?}", *value));
        Poll::Ready(result)
    }
}

static GET: Verb = Verb::new("read", Access::Read);
static SET: Verb = Verb::new("write", Access::Write);
static SWAP: Verb = Verb::new("swap", Access::Write);
static UPDATE: Verb = Verb::new("update", Access::Write);

const POLLED_AGAIN: &str = "a future is not polled again when it has ended";
