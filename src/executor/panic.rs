//! Panics of simulated tasks are kept as data instead of being printed.

use std::panic;
use std::sync::Once;

use super::Executor;
use crate::context;
use crate::ending::PanicNote;

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
