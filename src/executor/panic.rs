//! Panics of simulated tasks are kept as data instead of being printed.

use std::any::Any;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use super::Executor;
use super::failure::Place;
use crate::context;

/// What the panic hook saw.
#[derive(Clone, Debug)]
pub(super) struct PanicNote {
    pub(super) message: String,
    pub(super) place: Option<Place>,
}

/// Wraps the process's panic hook, once: a panic inside of a run is noted for its report, any other
/// goes to the hook that was there before.
pub(super) fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let is_noted = context::with(|executor: &Executor| {
                executor.note_panic(PanicNote::of(info));
            });
            if is_noted.is_none() {
                previous(info);
            }
        }));
    });
}

impl PanicNote {
    fn of(info: &PanicHookInfo<'_>) -> Self {
        Self { message: message(info.payload()), place: info.location().map(Place::from) }
    }

    /// Returns what is known of a payload that the hook did not see (`resume_unwind`).
    pub(super) fn of_payload(payload: &(dyn Any + Send)) -> Self {
        Self { message: message(payload), place: None }
    }
}

fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic whose payload is not text".to_owned()
    }
}
