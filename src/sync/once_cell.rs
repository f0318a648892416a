//! A value that is made once.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::error::SetError;
use super::holders::{HolderKey, Holders};
use super::primitive::{Line, Primitive, Wait, WaitState};
use super::waiters::{Waiters, Wakes};
use crate::backend::{Grant, Holder};
use crate::kernel::{Access, Verb};

/// A value that is made when it is first asked for, and read from then on.
///
/// Of several tasks that ask for it, the first initialises it and the others wait. There are never two
/// initialisers at once. If one is cancelled, fails or panics, its future is dropped first, and then the
/// next who waits, in the order of arrival, runs its own.
///
/// An initialiser that asks for the value it makes waits for itself.
///
/// **When not to use it**: when the value can be made without an await ([`std::sync::OnceLock`],
/// [`std::cell::OnceCell`]), or is made anew from time to time ([`super::Mutex`] around an `Option`).
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::sync::OnceCell;
/// use std::{rc::Rc, time::Duration};
///
/// let config = Rc::new(OnceCell::new().named("config"));
/// let tasks = [1, 2, 3].map(|number| {
///     let config = config.clone();
///     parcae::spawn(async move {
///         let load = async move || {
///             parcae::time::sleep(Duration::from_secs(1)).await;
///             number
///         };
///         *config.get_or_init(load).await
///     })
/// });
/// let [first, second, third] = tasks;
/// let value = first.await;
/// assert_eq!((second.await, third.await), (value, value));
/// # }).unwrap();
/// ```
///
/// A value that nobody makes is a deadlock, and the report names the cell:
/// ```
/// use parcae::{Sim, sync::OnceCell};
///
/// let outcome = Sim::new(7).run(|| async {
///     let config = OnceCell::<u32>::new().named("config");
///     *config.wait().await
/// });
/// let failure = outcome.into_result().unwrap_err().to_string();
/// assert!(failure.contains("`main` waits for OnceCell wait of `config`"));
/// ```
pub struct OnceCell<T> {
    primitive: Primitive<State>,
    value: OnceLock<T>,
}

struct State {
    is_set: bool,
    /// Somebody has the turn to initialise it.
    is_taken: bool,
    /// Who that is.
    holders: Holders,
    initialisers: Waiters,
    readers: Waiters,
}

impl WaitState for State {
    const CAN_BE_HELD: bool = true;

    fn wake_due(&mut self, wakes: &mut Wakes) {
        if self.is_set {
            self.initialisers.wake_all(wakes);
            self.readers.wake_all(wakes);
        } else if !self.is_taken {
            self.initialisers.wake(0, wakes);
        }
    }

    #[inline]
    fn holders(&mut self) -> Option<&mut Holders> {
        Some(&mut self.holders)
    }

    fn tell_waiters(&self, grants: &mut Vec<Grant>) -> bool {
        if !self.is_set && !self.is_taken {
            self.initialisers.tell_unclaimed(1, grants);
        }
        self.initialisers.count() + self.readers.count() > 0
    }
}

impl State {
    /// Gives the turn, if nobody stands before who asks for it.
    fn take(&mut self, rank: usize, holder: Holder) -> bool {
        let is_turn = rank == 0 && !self.is_set && !self.is_taken;
        if is_turn {
            self.is_taken = true;
            self.holders.add(holder);
        }
        is_turn
    }
}

impl<T> OnceCell<T> {
    const INITIALISERS: Line<State> =
        Line { verb: &INIT, waiters: |state| &mut state.initialisers };
    const READERS: Line<State> = Line { verb: &WAIT, waiters: |state| &mut state.readers };

    /// Makes a cell without a value.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        Self::of_kind("OnceCell")
    }

    /// Makes a cell that reports call so.
    #[track_caller]
    pub(super) fn of_kind(kind: &'static str) -> Self {
        let state = State {
            is_set: false,
            is_taken: false,
            holders: Holders::default(),
            initialisers: Waiters::default(),
            readers: Waiters::default(),
        };
        Self { primitive: Primitive::new(kind, state), value: OnceLock::new() }
    }

    /// Gives it a name for reports.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { primitive: self.primitive.named(name), value: self.value }
    }

    /// Returns the value, if there is one.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// Returns the value, if there is one.
    #[must_use]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// Returns the value, if there is one.
    #[must_use]
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Sets the value, unless there is one or somebody initialises it.
    ///
    /// # Errors
    /// [`SetError`] with the value.
    ///
    /// # Examples
    /// ```
    /// use parcae::sync::{OnceCell, SetError};
    ///
    /// let cell = OnceCell::new();
    /// assert_eq!(cell.set(1), Ok(()));
    /// assert_eq!(cell.set(2), Err(SetError::AlreadySet(2)));
    /// assert_eq!(cell.get(), Some(&1));
    /// ```
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        let holder = Holder::running(Location::caller());
        let is_set = self.primitive.change(|state| {
            let is_turn = state.take(state.initialisers.count(), holder);
            (!is_turn).then_some(state.is_set)
        });
        match is_set {
            None => {
                Turn { cell: self }.end(value);
                Ok(())
            }
            Some(true) => Err(SetError::AlreadySet(value)),
            Some(false) => Err(SetError::Initialising(value)),
        }
    }

    /// Waits until there is a value, and does not make it.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is taken.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use std::rc::Rc;
    ///
    /// let address = Rc::new(parcae::sync::OnceCell::new());
    /// let reader = parcae::spawn({
    ///     let address = address.clone();
    ///     async move { *address.wait().await }
    /// });
    /// address.set(80).expect("nobody else sets it");
    /// assert_eq!(reader.await, 80);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn wait(&self) -> OnceCellWait<'_, T> {
        OnceCellWait { cell: self, wait: Wait::new() }
    }

    /// Returns the value; makes it with the function and its future if there is none. Waits while
    /// another task makes it.
    ///
    /// # Cancel safety
    /// Cancel safe as far as the future of the function is: it is dropped, and the turn goes to the next
    /// who waits. A value is set when the future is ready, or never.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let cell = parcae::sync::OnceCell::new();
    /// assert_eq!(*cell.get_or_init(async || 1).await, 1);
    /// assert_eq!(*cell.get_or_init(async || 2).await, 1);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn get_or_init<F, Fut>(&self, make: F) -> GetOrInit<'_, T, F, Fut>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        GetOrInit { attempt: Attempt::new(self, make, Wait::new()) }
    }

    /// Does as [`OnceCell::get_or_init`]; if the future fails there is no value, and the turn goes to
    /// the next who waits.
    ///
    /// # Errors
    /// The error of the future.
    ///
    /// # Cancel safety
    /// As [`OnceCell::get_or_init`].
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let cell = parcae::sync::OnceCell::new();
    /// assert_eq!(cell.get_or_try_init(async || Err("down")).await, Err("down"));
    /// assert_eq!(cell.get_or_try_init(async || Ok::<_, &str>(1)).await, Ok(&1));
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn get_or_try_init<F, Fut, E>(&self, make: F) -> GetOrTryInit<'_, T, F, Fut>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        GetOrTryInit { attempt: Attempt::new(self, make, Wait::new()) }
    }

    fn value(&self) -> &T {
        self.value.get().expect("a value was set before anybody was told so")
    }
}

impl<T> Default for OnceCell<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_tuple("OnceCell");
        match self.get() {
            Some(value) => debug.field(value),
            None => debug.field(&format_args!("<not set>")),
        };
        debug.finish()
    }
}

/// Future of [`OnceCell::wait`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct OnceCellWait<'a, T> {
    cell: &'a OnceCell<T>,
    wait: Wait,
}

impl<'a, T> Future for OnceCellWait<'a, T> {
    type Output = &'a T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<&'a T> {
        let cell = self.cell;
        let read = self.wait.poll(context, &cell.primitive, &OnceCell::<T>::READERS, |state, _| {
            state.is_set.then_some(())
        });
        read.map(|()| cell.value())
    }
}

impl<T> Drop for OnceCellWait<'_, T> {
    fn drop(&mut self) {
        self.wait.leave(&self.cell.primitive, &OnceCell::<T>::READERS);
    }
}

impl<T> fmt::Debug for OnceCellWait<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OnceCellWait").finish_non_exhaustive()
    }
}

pin_project! {
    /// Future of [`OnceCell::get_or_init`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct GetOrInit<'a, T, F, Fut> {
        #[pin]
        attempt: Attempt<'a, T, F, Fut>,
    }
}

impl<'a, T, F, Fut> Future for GetOrInit<'a, T, F, Fut>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = T>,
{
    type Output = &'a T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<&'a T> {
        Poll::Ready(match ready!(self.project().attempt.poll_value(context)) {
            Found::Value(value) => value,
            Found::Made(value, turn) => turn.end(value),
        })
    }
}

impl<T, F, Fut> fmt::Debug for GetOrInit<'_, T, F, Fut> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GetOrInit").finish_non_exhaustive()
    }
}

pin_project! {
    /// Future of [`OnceCell::get_or_try_init`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct GetOrTryInit<'a, T, F, Fut> {
        #[pin]
        attempt: Attempt<'a, T, F, Fut>,
    }
}

impl<'a, T, F, Fut, E> Future for GetOrTryInit<'a, T, F, Fut>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    type Output = Result<&'a T, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(self.project().attempt.poll_value(context)) {
            Found::Value(value) => Ok(value),
            Found::Made(made, turn) => made.map(|value| turn.end(value)),
        })
    }
}

impl<T, F, Fut> fmt::Debug for GetOrTryInit<'_, T, F, Fut> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GetOrTryInit").finish_non_exhaustive()
    }
}

pin_project! {
    /// Waits for a value or for the turn to make it, and makes it.
    ///
    /// The fields are dropped in this order: the initialiser is gone before its turn is the next one's.
    struct Attempt<'a, T, F, Fut> {
        // None when it has been called.
        make: Option<F>,
        #[pin]
        future: Option<Fut>,
        turn: Option<Turn<'a, T>>,
        queue: TurnWait<'a, T>,
    }
}

impl<'a, T, F, Fut> Attempt<'a, T, F, Fut>
where
    F: FnOnce() -> Fut,
    Fut: Future,
{
    fn new(cell: &'a OnceCell<T>, make: F, wait: Wait) -> Self {
        Self { make: Some(make), future: None, turn: None, queue: TurnWait { cell, wait } }
    }

    fn poll_value(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Found<'a, T, Fut::Output>> {
        let mut this = self.project();
        if this.turn.is_none() {
            match ready!(this.queue.poll_turn(context)) {
                Some(turn) => *this.turn = Some(turn),
                None => return Poll::Ready(Found::Value(this.queue.cell.value())),
            }
            let make = this.make.take().expect("an initialiser is called once");
            this.future.set(Some(make()));
        }
        let future = this.future.as_mut().as_pin_mut();
        let output = ready!(future.expect("it is there while it has the turn").poll(context));
        this.future.set(None);
        let turn = this.turn.take().expect("it has the turn until the future is ready");
        Poll::Ready(Found::Made(output, turn))
    }
}

enum Found<'a, T, O> {
    /// The cell had a value.
    Value(&'a T),
    /// The future gave this.
    Made(O, Turn<'a, T>),
}

/// Waits until there is a value, or until it is its turn to make one.
struct TurnWait<'a, T> {
    cell: &'a OnceCell<T>,
    wait: Wait,
}

impl<'a, T> TurnWait<'a, T> {
    /// Gives the turn, or nothing when there is a value.
    fn poll_turn(&mut self, context: &Context<'_>) -> Poll<Option<Turn<'a, T>>> {
        let cell = self.cell;
        let line = &OnceCell::<T>::INITIALISERS;
        let holder = Holder::polling(context, self.wait.at());
        let is_turn = self.wait.poll(context, &cell.primitive, line, |state, place| {
            if state.is_set {
                return Some(false);
            }
            state.take(place.rank, holder).then_some(true)
        });
        is_turn.map(|is_turn| is_turn.then(|| Turn { cell }))
    }
}

impl<T> Drop for TurnWait<'_, T> {
    fn drop(&mut self) {
        self.wait.leave(&self.cell.primitive, &OnceCell::<T>::INITIALISERS);
    }
}

/// The turn to initialise a cell; dropping it hands it to the next.
struct Turn<'a, T> {
    cell: &'a OnceCell<T>,
}

impl<'a, T> Turn<'a, T> {
    /// Sets the value, and lets all who wait for it go on.
    fn end(self, value: T) -> &'a T {
        let cell = self.cell;
        assert!(cell.value.set(value).is_ok(), "a cell is set by the only one who has the turn");
        cell.primitive.change(|state| state.is_set = true);
        cell.value()
    }
}

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        self.cell.primitive.change(|state| {
            state.is_taken = false;
            state.holders.remove(HolderKey::FIRST);
        });
    }
}

static INIT: Verb = Verb::new("init", Access::Write);
static WAIT: Verb = Verb::new("wait", Access::Read);
