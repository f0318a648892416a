//! Which run this thread is inside of: one slot for each layer above, the only thread-locals.
//!
//! Everything that a free function such as [`crate::spawn`] or [`crate::time::sleep`] needs is found
//! here. A layer declares its slot with [`slot`] and puts its state into it when a run begins; the
//! guard that it gets back clears the slot. This module does not know what is in the slots, and
//! nothing else in the library may keep a thread-local.
//!
//! A slot has the type of its state. One array of `Rc<dyn Any>` for all layers was measured too:
//! the check of the type cost 2 to 3 ns per call, and a spawn with its join makes five.

#[cfg(feature = "simulation")]
mod number;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::thread::LocalKey;

#[cfg(feature = "simulation")]
pub(crate) use self::number::{Numbered, Numbers};

/// What runs a program: the simulation, or threads on real time.
///
/// # Examples
/// ```
/// use parcae::Backend;
///
/// assert_eq!(Backend::current(), None);
/// # #[cfg(feature = "simulation")]
/// parcae::Sim::new(7).run(|| async { assert_eq!(Backend::current(), Some(Backend::Simulation)) }).unwrap();
/// # #[cfg(feature = "real")]
/// parcae::real::run(async { assert_eq!(Backend::current(), Some(Backend::Real)) });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// One thread, virtual time and a seed that decides everything.
    Simulation,
    /// Threads, the clock and the chance of the machine.
    Real,
}

impl Backend {
    /// Returns the one that this thread is inside of; none outside of both.
    ///
    /// For measurements and tests, such as one that allows real time to be late. A program that does
    /// something else in production than in simulation is not tested by it.
    #[must_use]
    pub fn current() -> Option<Self> {
        // None while the thread is being torn down, so that destructors may ask.
        BACKEND.try_with(Cell::get).ok().flatten()
    }
}

thread_local! {
    static BACKEND: Cell<Option<Backend>> = const { Cell::new(None) };
}

/// State of one layer for the current run; implemented by [`slot`].
pub(crate) trait Slot: Sized + 'static {
    /// The backend that whoever has this state is inside of.
    const BACKEND: Backend;

    /// Returns where the state is while a run lasts.
    fn place() -> &'static LocalKey<Place<Self>>;
}

/// Holds the state of one layer. Nothing is left in it when a run ends, so it needs no destructor; and
/// a thread-local without one is reached without asking whether that has run.
pub(crate) type Place<S> = RefCell<ManuallyDrop<Option<Rc<S>>>>;

/// Gives a type its slot, of that very type: looking into it costs no comparison of types.
macro_rules! slot {
    ($state:ty, $backend:ident) => {
        impl $crate::context::Slot for $state {
            const BACKEND: $crate::context::Backend = $crate::context::Backend::$backend;

            #[inline]
            fn place() -> &'static ::std::thread::LocalKey<$crate::context::Place<Self>> {
                ::std::thread_local! {
                    static PLACE: $crate::context::Place<$state> = const {
                        ::std::cell::RefCell::new(::std::mem::ManuallyDrop::new(None))
                    };
                }
                &PLACE
            }
        }
    };
}

pub(crate) use slot;

/// Gives a layer a place for what this thread is polling for it, which it has to empty after each poll.
macro_rules! polled {
    ($(#[$about:meta])* $place:ident: $value:ty) => {
        ::std::thread_local! {
            $(#[$about])*
            static $place: ::std::cell::RefCell<::std::mem::ManuallyDrop<Option<$value>>> =
                const { ::std::cell::RefCell::new(::std::mem::ManuallyDrop::new(None)) };
        }
    };
}

pub(crate) use polled;

/// Calls `read` with the state of a layer, if this thread is inside of a run that has it.
///
/// Answers `None` too while the thread is being torn down, so that destructors may call.
#[inline]
pub(crate) fn with<S: Slot, R>(read: impl FnOnce(&S) -> R) -> Option<R> {
    S::place().try_with(|place| place.borrow().as_deref().map(read)).ok().flatten()
}

/// Tells whether this thread is inside of a run that has a layer.
#[cfg(feature = "simulation")]
#[inline]
pub(crate) fn has<S: Slot>() -> bool {
    S::place().try_with(|place| place.borrow().is_some()).unwrap_or(false)
}

/// Calls `read` with the state of a layer, or panics with a message that names the call.
#[inline]
#[track_caller]
pub(crate) fn expect<S: Slot, R>(call: &str, read: impl FnOnce(&S) -> R) -> R {
    match with(read) {
        Some(result) => result,
        None => outside(call),
    }
}

/// Returns the backend that this thread is inside of, or panics with a message that names the call.
#[inline]
#[track_caller]
pub(crate) fn backend(call: &str) -> Backend {
    match BACKEND.try_with(Cell::get) {
        Ok(Some(backend)) => backend,
        _ => outside(call),
    }
}

/// Tells whether a run may begin on this thread.
///
/// # Errors
/// [`Nested`] when this thread is inside of a run already. A simulation may be run inside of the real
/// backend: the thread does nothing else meanwhile.
pub(crate) fn may_enter(inner: Backend) -> Result<(), Nested> {
    match (BACKEND.get(), inner) {
        (None, _) | (Some(Backend::Real), Backend::Simulation) => Ok(()),
        (Some(outer), inner) => Err(Nested { outer, inner }),
    }
}

/// Puts the state of a layer into its slot until the guard is dropped.
///
/// # Errors
/// [`Nested`] as [`may_enter`].
pub(crate) fn enter<S: Slot>(state: Rc<S>) -> Result<Entered<S>, Nested> {
    may_enter(S::BACKEND)?;
    let outer = BACKEND.get();
    S::place().with(|place| {
        let replaced = place.replace(ManuallyDrop::new(Some(state)));
        assert!(replaced.is_none(), "a slot is cleared when its run ends");
    });
    BACKEND.set(Some(S::BACKEND));
    Ok(Entered { outer, layer: PhantomData })
}

/// Puts the state of a layer that is made in the middle of a run into its slot, until the guard is
/// dropped, which has to be before the run ends.
#[cfg(feature = "simulation")]
pub(crate) fn attach<S: Slot>(state: Rc<S>) -> Entered<S> {
    let outer = BACKEND.get();
    assert!(outer == Some(S::BACKEND), "a layer is attached to a run of its own backend");
    S::place().with(|place| {
        let replaced = place.replace(ManuallyDrop::new(Some(state)));
        assert!(replaced.is_none(), "a slot is cleared when its run ends");
    });
    Entered { outer, layer: PhantomData }
}

/// Clears the slot of a layer when dropped.
#[must_use = "dropping the guard ends the run"]
#[derive(Debug)]
pub(crate) struct Entered<S: Slot> {
    outer: Option<Backend>,
    layer: PhantomData<Rc<S>>,
}

impl<S: Slot> Drop for Entered<S> {
    fn drop(&mut self) {
        // Taken out first: dropping the state may run destructors that look here again.
        let state = S::place().with(|place| place.replace(ManuallyDrop::new(None)));
        // Inside of nothing: what is destroyed here must not act on the run around this one.
        BACKEND.set(None);
        drop(ManuallyDrop::into_inner(state));
        BACKEND.set(self.outer);
    }
}

/// This thread is inside of a run already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nested {
    outer: Backend,
    inner: Backend,
}

impl fmt::Display for Nested {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |backend| match backend {
            Backend::Simulation => "a simulation",
            Backend::Real => "a runtime on real time",
        };
        write!(
            formatter,
            "{} was started inside of {}: await the inner program instead, or run it before or after",
            name(self.inner),
            name(self.outer)
        )
    }
}

impl std::error::Error for Nested {}

#[cold]
#[track_caller]
fn outside(call: &str) -> ! {
    panic!(
        "`{call}` was called outside of a parcae runtime: call it from a task, inside of \
         `#[parcae::test]`, `Sim::run`, `parcae::check` or `parcae::real::run`"
    )
}

/// The backend that a thread is inside of is always one that was compiled.
#[cfg(not(all(feature = "simulation", feature = "real")))]
#[cold]
pub(crate) fn absent() -> ! {
    unreachable!("a thread is inside of a backend whose feature is switched off")
}
