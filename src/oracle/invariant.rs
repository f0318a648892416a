//! Conditions that hold between all steps of tasks.

use std::fmt::Display;
use std::panic::Location;

use crate::backend::{self, Looked, Seen};

/// States that a condition holds after every event, until the run has ended.
///
/// The condition is looked at when a task has been polled, timers have fired or packets have arrived:
/// wherever another task could see what it looks at. No task runs then and nothing is borrowed, unless
/// the program holds a borrow over an await. False, an `Err` or a panic fails the run at that event, with
/// the message and what was said. It is looked at after each poll, also in one that ends a task; what
/// destructors do at the end of the run is not looked at.
///
/// It may keep state, and so compare with what was before. It cannot await, and it must only look: what
/// it spawns, draws or wakes would change the run. On real time nobody looks at it.
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Determinism
/// Draws nothing and enters nothing into the chain.
///
/// # Examples
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use parcae::oracle::invariant;
///
/// let outcome = parcae::Sim::new(7).run(|| async {
///     let stock = Rc::new(Cell::new(1));
///     let seen = stock.clone();
///     invariant("the stock is never negative", move || seen.get() >= 0);
///     stock.set(stock.get() - 2); // mended again, but somebody could see it
///     parcae::task::yield_now().await;
///     stock.set(stock.get() + 2);
/// });
/// let failure = outcome.into_result().unwrap_err().to_string();
/// assert!(failure.starts_with("invariant(\"the stock is never negative\") at "));
/// ```
#[track_caller]
pub fn invariant<R: Holds>(message: &'static str, condition: impl FnMut() -> R + 'static) {
    look("parcae::oracle::invariant", message, 1, condition);
}

/// States that a condition holds, as [`invariant`]; it is looked at only when so many events have passed
/// since the last time. For conditions that are long to compute.
///
/// # Panics
/// When `events` is 0, and outside of a parcae runtime.
#[track_caller]
pub fn invariant_every<R: Holds>(
    events: u64,
    message: &'static str,
    condition: impl FnMut() -> R + 'static,
) {
    assert!(events > 0, "an invariant is looked at after 1 event or more");
    look("parcae::oracle::invariant_every", message, events, condition);
}

#[track_caller]
fn look<R: Holds>(
    call: &str,
    message: &'static str,
    every: u64,
    mut condition: impl FnMut() -> R + 'static,
) {
    let look = move || condition().violation().map_or(Seen::Holds, Seen::Violated);
    let _ = backend::look(
        call,
        Looked { rule: "invariant", message, at: Location::caller(), every, look },
    );
}

/// What the condition of an invariant returns: whether it holds, a `Result` whose error says what is
/// wrong, or nothing, if it panics otherwise.
///
/// Implemented for those types only.
pub trait Holds {
    /// Returns what is wrong, if something is, with a text if there is one.
    #[doc(hidden)]
    fn violation(self) -> Option<Option<String>>;
}

impl Holds for bool {
    fn violation(self) -> Option<Option<String>> {
        (!self).then_some(None)
    }
}

impl Holds for () {
    fn violation(self) -> Option<Option<String>> {
        None
    }
}

impl<E: Display> Holds for Result<(), E> {
    fn violation(self) -> Option<Option<String>> {
        self.err().map(|error| Some(error.to_string()))
    }
}
