//! Which run this thread is inside of: one slot for each layer above, the only thread-locals.
//!
//! Everything that a free function such as [`crate::spawn`] or [`crate::time::sleep`] needs is found
//! here. A layer declares its slot with [`slot`] and puts its state into it when a run begins; the
//! guard that it gets back clears the slot. This module does not know what is in the slots, and
//! nothing else in the library may keep a thread-local.
//!
//! A slot has the type of its state. One array of `Rc<dyn Any>` for all layers was measured too:
//! the check of the type cost 2 to 3 ns per call, and a spawn with its join makes five.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::thread::LocalKey;

/// State of one layer for the current run; implemented by [`slot`].
pub(crate) trait Slot: Sized + 'static {
    /// Returns where the state is while a run lasts.
    fn place() -> &'static LocalKey<Place<Self>>;
}

/// Holds the state of one layer. Nothing is left in it when a run ends, so it needs no destructor; and
/// a thread-local without one is reached without asking whether that has run.
pub(crate) type Place<S> = RefCell<ManuallyDrop<Option<Rc<S>>>>;

/// Gives a type its slot, of that very type: looking into it costs no comparison of types.
macro_rules! slot {
    ($state:ty) => {
        impl $crate::context::Slot for $state {
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

/// Calls `read` with the state of a layer, if this thread is inside of a run that has it.
///
/// Answers `None` too while the thread is being torn down, so that destructors may call.
#[inline]
pub(crate) fn with<S: Slot, R>(read: impl FnOnce(&S) -> R) -> Option<R> {
    S::place().try_with(|place| place.borrow().as_deref().map(read)).ok().flatten()
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

/// Puts the state of a layer into its slot until the guard is dropped.
///
/// # Errors
/// [`Nested`] when the slot is taken: this thread is inside of a run already.
pub(crate) fn enter<S: Slot>(state: Rc<S>) -> Result<Entered<S>, Nested> {
    S::place().with(|place| {
        let mut slot = place.borrow_mut();
        if slot.is_some() {
            return Err(Nested);
        }
        *slot = ManuallyDrop::new(Some(state));
        Ok(Entered { layer: PhantomData })
    })
}

/// Clears the slot of a layer when dropped.
#[must_use = "dropping the guard ends the run"]
#[derive(Debug)]
pub(crate) struct Entered<S: Slot> {
    layer: PhantomData<Rc<S>>,
}

impl<S: Slot> Drop for Entered<S> {
    fn drop(&mut self) {
        // Taken out first: dropping the state may run destructors that look here again.
        let state = S::place().with(|place| place.replace(ManuallyDrop::new(None)));
        drop(ManuallyDrop::into_inner(state));
    }
}

/// This thread is inside of a run already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nested;

impl fmt::Display for Nested {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "a simulation was started inside of a simulation: await the inner program instead, or \
             run it before or after",
        )
    }
}

impl std::error::Error for Nested {}

#[cold]
#[track_caller]
fn outside(call: &str) -> ! {
    panic!(
        "`{call}` was called outside of a parcae runtime: call it from a task, inside of \
         `#[parcae::test]`, `Sim::run` or `parcae::check`"
    )
}
