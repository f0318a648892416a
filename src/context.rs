//! The one thread-local: which run this thread is inside of, and one slot for each layer above.
//!
//! Everything that a free function such as [`crate::spawn`] or [`crate::time::sleep`] needs is found
//! here. A layer puts its state into its [`Slot`] when a run begins; the guard that it gets back
//! clears the slot. This module does not know what is in the slots, and nothing else in the
//! library may keep a thread-local.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

/// State of one layer for the current run.
pub(crate) trait Slot: Any {
    /// Which slot it lives in.
    const LAYER: Layer;
}

/// The layers that keep state for a run. Others join with their parts.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
pub(crate) enum Layer {
    /// Tasks, timers, choices.
    Executor,
}

/// Calls `read` with the state of a layer, if this thread is inside of a run that has it.
///
/// Answers `None` too while the thread is being torn down, so that destructors may call.
#[inline]
pub(crate) fn with<S: Slot, R>(read: impl FnOnce(&S) -> R) -> Option<R> {
    CURRENT
        .try_with(|current| {
            let slot = current.slots[S::LAYER as usize].borrow();
            let state = slot.as_deref()?.downcast_ref::<S>()?;
            Some(read(state))
        })
        .ok()
        .flatten()
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
    CURRENT.with(|current| {
        let mut slot = current.slots[S::LAYER as usize].borrow_mut();
        if slot.is_some() {
            return Err(Nested);
        }
        *slot = Some(state);
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
        let state = CURRENT.with(|current| current.slots[S::LAYER as usize].borrow_mut().take());
        drop(state);
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

#[derive(Default)]
struct Current {
    slots: [RefCell<Option<Rc<dyn Any>>>; LAYERS],
}

const LAYERS: usize = 1;

std::thread_local! {
    static CURRENT: Current = const { Current { slots: [const { RefCell::new(None) }; LAYERS] } };
}
