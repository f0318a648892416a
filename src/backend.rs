//! What runs a program, as the layers above see it: the simulation or the threads of the real backend.
//!
//! Everything that `task`, `time`, `rng` and `sync` ask of whatever runs them goes through here; they
//! name neither backend. What was made inside of one holds its kind ([`Handle`], [`Timer`]), so that
//! only what is made or asked anew looks at the context. What serves the search alone (points, the
//! names of what tasks wait for, who holds what) does nothing on real time: one look at a thread-local,
//! or nothing at all where the feature `simulation` is off (`inert.rs`).
//!
//! **Absent on purpose**: decisions of its own. It chooses between two calls and translates arguments.

mod cleanup;
mod home;
#[cfg(not(feature = "simulation"))]
mod inert;
mod property;
mod task;
mod timer;

use std::any::Any;
use std::panic::{self, AssertUnwindSafe, Location};
use std::rc::Rc;
use std::task::{Poll, Waker};

use rand_chacha::ChaCha8Rng;

pub(crate) use self::cleanup::{CleanupSpan, cleanups_of, poll_cleanups, spawn_cleanup};
pub(crate) use self::home::{Home, Standing};
#[cfg(not(feature = "simulation"))]
pub(crate) use self::inert::{
    Grant, Held, Holder, HoldingKey, Point, Resource, SLEEP, WakeTarget, is_preempted, note,
    note_unpolled, note_wait, publish, watches_holders,
};
pub(crate) use self::property::{Looked, Seen, look, violate};
pub(crate) use self::task::{
    Handle, SpawnOptions, TaskRef, WorkerRef, spawn, spawn_on, spawn_try, workers,
};
pub(crate) use self::timer::Timer;
use crate::context::{self, Backend};
use crate::ending::{PanicNote, TaskPanic};
#[cfg(feature = "simulation")]
use crate::executor::Executor;
#[cfg(feature = "simulation")]
pub(crate) use crate::executor::{
    Grant, Held, Holder, HoldingKey, Point, Resource, SLEEP, WakeTarget, is_preempted, note,
    note_unpolled, note_wait, publish, watches_holders,
};
use crate::kernel::{Site, Space, VirtualTime};
#[cfg(feature = "real")]
use crate::worker::{self, Worker};

/// Chooses by backend; a backend that is not compiled is none that a thread can be inside of.
#[cfg(all(feature = "simulation", feature = "real"))]
macro_rules! on {
    ($backend:expr, simulation: $simulated:expr, real: $real:expr $(,)?) => {
        match $backend {
            $crate::context::Backend::Simulation => $simulated,
            $crate::context::Backend::Real => $real,
        }
    };
}

#[cfg(all(feature = "simulation", not(feature = "real")))]
macro_rules! on {
    ($backend:expr, simulation: $simulated:expr, real: $real:expr $(,)?) => {
        match $backend {
            $crate::context::Backend::Simulation => $simulated,
            $crate::context::Backend::Real => $crate::context::absent(),
        }
    };
}

#[cfg(all(not(feature = "simulation"), feature = "real"))]
macro_rules! on {
    ($backend:expr, simulation: $simulated:expr, real: $real:expr $(,)?) => {
        match $backend {
            $crate::context::Backend::Simulation => $crate::context::absent(),
            $crate::context::Backend::Real => $real,
        }
    };
}

pub(crate) use on;

/// Panics outside of both backends, with a message that names the call.
#[inline]
#[track_caller]
pub(crate) fn expect(call: &str) {
    let _ = context::backend(call);
}

// Clocks

/// Returns the reading of the running task's monotonic clock, in nanoseconds since the run began.
#[inline]
#[track_caller]
pub(crate) fn local_now(call: &str) -> u64 {
    on!(context::backend(call),
        simulation: context::expect(call, Executor::local_now),
        real: context::expect(call, Worker::now),
    )
}

/// As [`local_now`]; none outside of both backends.
pub(crate) fn local_now_if_inside() -> Option<u64> {
    on!(Backend::current()?,
        simulation: context::with(Executor::local_now),
        real: context::with(Worker::now),
    )
}

/// Returns the time of the run, which no domain's clock can bend.
#[track_caller]
pub(crate) fn global_now(call: &str) -> VirtualTime {
    on!(context::backend(call),
        simulation: context::expect(call, Executor::now),
        real: VirtualTime::from_nanos(context::expect(call, Worker::now)),
    )
}

/// Returns the reading of the running task's wall clock, in nanoseconds since 1970.
#[track_caller]
pub(crate) fn wall_now(call: &str) -> u64 {
    on!(context::backend(call),
        simulation: context::expect(call, Executor::wall_now),
        real: context::expect(call, Worker::wall_now),
    )
}

/// Keeps the domain of the running task busy for so long, from its next wait on; false where the
/// work itself does that.
#[track_caller]
pub(crate) fn burn(nanos: std::time::Duration, at: &'static Location<'static>) -> bool {
    on!(context::backend("Burn::poll"),
        simulation: {
            context::expect("Burn::poll", |executor: &Executor| {
                executor.running_domain().busy_for_at(executor.slowed(nanos), at);
            });
            true
        },
        real: {
            let _ = (nanos, at);
            false
        },
    )
}

/// Returns how long the machine of the running task takes for what normally takes so long.
#[track_caller]
pub(crate) fn slowed(duration: std::time::Duration) -> std::time::Duration {
    on!(context::backend("Unblock::poll"),
        simulation: context::expect("Unblock::poll", |executor: &Executor| executor.slowed(duration)),
        real: duration,
    )
}

/// Makes a call that blocks, on a thread of the real backend.
///
/// # Panics
/// In the simulation, which makes such a call itself; and with the panic of the call.
pub(crate) async fn call_on_thread<T, F>(call: F) -> T
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    #[cfg(feature = "real")]
    return worker::call_on_thread(call).await;
    #[cfg(not(feature = "real"))]
    {
        drop(call);
        context::absent()
    }
}

/// Waits until every other task is blocked. The ticket is that of the first poll.
#[track_caller]
pub(crate) fn poll_settle(
    ticket: &mut Option<u64>,
    waker: &Waker,
    at: &'static Location<'static>,
) -> Poll<()> {
    let call = "parcae::task::settle";
    on!(context::backend(call),
        simulation: context::expect(call, |executor: &Executor| {
            executor.poll_settle(ticket, waker, at)
        }),
        real: {
            let _ = at;
            context::expect(call, |worker: &Worker| worker.poll_settle(ticket, waker))
        },
    )
}

// Chance

/// Draws a choice of the running task; the ordinal counts the draws at the site if not given.
#[track_caller]
pub(crate) fn choose(
    call: &str,
    site: Site,
    ordinal: Option<u64>,
    space: Space,
    at: &'static Location<'static>,
) -> u64 {
    let _ = context::backend(call);
    choose_if_inside(site, ordinal, space, at).expect("this thread is inside of a backend")
}

/// As [`choose`]; none outside of both backends.
pub(crate) fn choose_if_inside(
    site: Site,
    ordinal: Option<u64>,
    space: Space,
    at: &'static Location<'static>,
) -> Option<u64> {
    on!(Backend::current()?,
        simulation: context::with(|executor: &Executor| executor.choose(site, ordinal, space, at)),
        real: {
            let _ = at;
            context::with(|worker: &Worker| worker.choose(site, ordinal, space))
        },
    )
}

/// Calls `read` with the random generator of the running task.
#[track_caller]
pub(crate) fn with_rng<R>(call: &str, read: impl FnOnce(&mut ChaCha8Rng) -> R) -> R {
    on!(context::backend(call),
        simulation: context::expect(call, |executor: &Executor| executor.with_rng(read)),
        real: context::expect(call, |worker: &Worker| worker.with_rng(read)),
    )
}

// Values of tasks and of runs

/// Returns the variables of the running task, if it has any.
pub(crate) fn variables() -> Option<Rc<dyn Any>> {
    on!(Backend::current()?,
        simulation: context::with(Executor::variables),
        real: context::with(Worker::variables),
    )
    .flatten()
}

/// Tells whether a task runs, whose variables can be set.
pub(crate) fn has_variables() -> bool {
    let Some(backend) = Backend::current() else { return false };
    on!(backend,
        simulation: context::with(Executor::has_variables),
        real: context::with(Worker::has_variables),
    ) == Some(true)
}

/// Replaces the variables of the running task. Returns false when no task runs.
#[track_caller]
pub(crate) fn set_variables(call: &str, variables: Option<Rc<dyn Any>>) -> bool {
    on!(context::backend(call),
        simulation: context::expect(call, |executor: &Executor| executor.set_variables(variables)),
        real: context::expect(call, |worker: &Worker| worker.set_variables(variables)),
    )
}

/// Returns the value of this type that the simulated machine of the running task has, or the real
/// process as far as it is this run; makes it if there is none.
#[track_caller]
pub(crate) fn shared_local<T: Clone + Send + Sync + 'static>(
    call: &str,
    make: impl FnOnce() -> T,
) -> T {
    on!(context::backend(call),
        simulation: context::expect(call, |executor: &Executor| {
            T::clone(&executor.domain_local(make))
        }),
        real: context::expect(call, |worker: &Worker| worker.run.local(make)),
    )
}

/// As [`shared_local`], of the whole run: in a simulation, all machines have it in common.
#[track_caller]
pub(crate) fn shared_by_run<T: Clone + Send + Sync + 'static>(
    call: &str,
    make: impl FnOnce() -> T,
) -> T {
    on!(context::backend(call),
        simulation: context::expect(call, |executor: &Executor| {
            T::clone(&executor.domain_local_of(crate::executor::DomainId::ROOT, make))
        }),
        real: context::expect(call, |worker: &Worker| worker.run.local(make)),
    )
}

/// Returns a number that only the running task has; 0 outside of tasks.
#[inline]
pub(crate) fn running_task() -> u64 {
    let Some(backend) = Backend::current() else { return 0 };
    on!(backend,
        simulation: context::with(Executor::running_stream),
        real: context::with(Worker::running_stream),
    )
    .unwrap_or(0)
}

/// Fails the run, in a simulation: actors wait for the answers of each other, each link being who, whom and
/// to what. On real time it is told to whoever traces.
pub(crate) fn report_ask_cycle(
    links: Vec<(String, String, &'static str, &'static Location<'static>)>,
) {
    let Some(backend) = Backend::current() else { return };
    on!(backend,
        simulation: {
            let _ = context::with(|executor: &Executor| executor.fail_for_cycle(links));
        },
        real: {
            let cycle: Vec<_> = links.iter().map(|(from, ..)| from.as_str()).collect();
            tracing::warn!(
                target: "parcae", cycle = %cycle.join(" -> "), at = %links[0].3,
                "actors wait for the answers of each other"
            );
        },
    );
}

// Panics

/// Calls a function of the user's; its panic becomes a value that can be resumed later.
pub(crate) fn catch_panic<R>(call: impl FnOnce() -> R) -> Result<R, Box<TaskPanic>> {
    panic::catch_unwind(AssertUnwindSafe(call)).map_err(|payload| {
        let note = Backend::current().and_then(|backend| {
            on!(backend,
                simulation: context::with(|executor: &Executor| executor.note_of(&*payload)),
                real: context::with(|worker: &Worker| worker.note_of(&*payload)),
            )
        });
        Box::new(TaskPanic { payload, note })
    })
}

impl TaskPanic {
    /// Panics on in the calling task; the report still names the place of the first panic.
    pub(crate) fn resume(self) -> ! {
        keep_note(self.noted());
        panic::resume_unwind(self.payload)
    }
}

fn keep_note(note: PanicNote) {
    let Some(backend) = Backend::current() else { return };
    let _ = on!(backend,
        simulation: context::with(|executor: &Executor| executor.note_panic(note)),
        real: context::with(|worker: &Worker| worker.note_panic(note)),
    );
}
