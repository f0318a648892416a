//! Properties of programs: what becomes of one that is violated, and what is looked at between steps.

use std::panic::Location;

use super::on;
use crate::context::Backend;
#[cfg(feature = "simulation")]
use crate::executor::{Executor, Probe, Probed};
use crate::kernel::Violation;

/// Fails a simulated run; on real time, says so to whoever listens to `tracing`. Nothing outside of both.
#[cold]
pub(crate) fn violate(violation: Violation) {
    let Some(backend) = Backend::current() else { return };
    on!(backend,
        simulation: {
            let _ = crate::context::with(|executor: &Executor| executor.violate(violation));
        },
        real: tracing::error!(target: "parcae", "violated: {violation}"),
    );
}

/// A condition that is looked at between the steps of tasks.
pub(crate) struct Looked<F> {
    pub(crate) rule: &'static str,
    pub(crate) message: &'static str,
    pub(crate) at: &'static Location<'static>,
    /// Looked at after so many events.
    pub(crate) every: u64,
    pub(crate) look: F,
}

/// What has been seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// All is well.
    Holds,
    /// All is well, and nobody need look again.
    Done,
    /// The run has failed; the text says more.
    Violated(Option<String>),
}

/// Has a condition looked at in a simulation, where nothing is borrowed and no task runs. On real time
/// there is no such moment, so nothing is done, and this is false.
#[track_caller]
pub(crate) fn look<F: FnMut() -> Seen + 'static>(call: &str, looked: Looked<F>) -> bool {
    let Looked { rule, message, at, every, look } = looked;
    on!(crate::context::backend(call),
        simulation: {
            let mut look = look;
            let look = move || match look() {
                Seen::Holds => Probed::Holds,
                Seen::Done => Probed::Done,
                Seen::Violated(text) => Probed::Violated(text),
            };
            let probe = Probe { rule, message, at, every, look: Box::new(look) };
            crate::context::expect(call, |executor: &Executor| executor.add_probe(probe));
            true
        },
        real: {
            drop((rule, message, at, every, look));
            false
        },
    )
}
