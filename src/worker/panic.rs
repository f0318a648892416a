//! Where tasks panic.

use std::panic;
use std::sync::Once;

use super::Worker;
use crate::context;
use crate::ending::PanicNote;

/// Wraps the process's panic hook, once: a panic inside of a worker is noted, for whoever joins its task,
/// and then goes to the hook that was there before.
pub(crate) fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let _ = context::with(|worker: &Worker| worker.note_panic(PanicNote::of(info)));
            previous(info);
        }));
    });
}
