//! Cleanups: child tasks that destructors leave behind, and the wait for them.

use std::future::Future;
use std::panic::Location;
use std::task::{Poll, Waker};

use super::on;
use crate::context::{self, Backend};
#[cfg(feature = "simulation")]
use crate::executor::{self, Executor};
#[cfg(feature = "real")]
use crate::worker::{self, Worker};

/// The cleanups that one call has left behind.
#[derive(Clone, Debug)]
pub(crate) enum CleanupSpan {
    #[cfg(feature = "simulation")]
    Simulated(executor::CleanupSpan),
    #[cfg(feature = "real")]
    Real(worker::CleanupSpan),
}

/// Calls what may leave cleanups of the running task behind, and returns which they are. No others are
/// waited for: a task that drops such futures again and again would never be done with it.
pub(crate) fn cleanups_of(call: impl FnOnce()) -> Option<CleanupSpan> {
    let Some(backend) = Backend::current() else {
        call();
        return None;
    };
    on!(backend,
        simulation: executor::cleanups_of(call).map(CleanupSpan::Simulated),
        real: worker::cleanups_of(call).map(CleanupSpan::Real),
    )
}

/// Spawns a cleanup of the running task. Where nothing can be spawned any more the future is dropped.
pub(crate) fn spawn_cleanup<F>(future: F, at: &'static Location<'static>)
where
    F: Future<Output = ()> + 'static,
{
    let Some(backend) = Backend::current() else { return };
    let _ = on!(backend,
        simulation: context::with(|executor: &Executor| executor.spawn_cleanup(future, at)),
        real: context::with(|worker: &Worker| worker.spawn_cleanup(future, at)),
    );
}

/// Waits until these cleanups have ended, whichever task asks.
#[track_caller]
pub(crate) fn poll_cleanups(
    span: &CleanupSpan,
    waker: &Waker,
    at: &'static Location<'static>,
) -> Poll<()> {
    match span {
        #[cfg(feature = "simulation")]
        CleanupSpan::Simulated(span) => {
            context::expect("waiting for a cleanup", |executor: &Executor| {
                executor.poll_cleanups(*span, waker, at)
            })
        }
        #[cfg(feature = "real")]
        CleanupSpan::Real(span) => {
            let _ = at;
            span.poll(waker)
        }
    }
}
