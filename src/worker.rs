//! Runs tasks on real time: one thread of the production backend, with its tasks pinned to it.
//!
//! A worker is what the executor is to a simulation, found through the context by everything that tasks
//! call. Its tasks are those of an [`async_executor::LocalExecutor`]; timers and readiness come from
//! [`async_io`]. Here stands what those do not have: cancellation that destroys a future in its own
//! context, cleanups that are waited for, names, panics and errors that nobody may overlook, draws that
//! are those of a simulation under the same seed.
//!
//! ```text
//!   spawn -> queue -> polled -> pends -> woken (from any thread) -> queue
//!                        `-> ends, panics or is cancelled -> its cleanups end -> done
//! ```
//!
//! **Absent on purpose**: work stealing. A task stays on the thread that it was made on, so that what it
//! holds need not be `Send`; work is spread by saying where, with `task::spawn_on`.

mod cleanup;
mod core;
mod drive;
mod handle;
mod inbox;
mod panic;
mod polled;
mod run;
mod time_limits;
mod timer;

use std::any::Any;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt::{self, Debug};
use std::future::Future;
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use async_executor::LocalExecutor;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;

pub(crate) use self::cleanup::{CleanupSpan, cleanups_of};
use self::core::Identity;
pub(crate) use self::core::{PROGRAM, TaskCore};
pub(crate) use self::handle::Handle;
pub(crate) use self::inbox::{Asked, Message, WorkerRef};
pub(crate) use self::panic::install_hook;
use self::polled::{Polled, Running};
pub(crate) use self::run::{Run, Trouble};
use self::time_limits::TimeLimits;
pub(crate) use self::timer::RealTimer;
use crate::context;
use crate::ending::{LastPanic, PanicNote};
use crate::kernel::{Key, Site, Space, StreamId, hash_text, prf, rng_seed};

/// How a task is made.
#[derive(Debug)]
pub(crate) struct SpawnOptions {
    pub(crate) name: Option<Cow<'static, str>>,
    /// Whether it is polled at once, inside of the poll of the running task.
    pub(crate) is_eager: bool,
    pub(crate) spawned_at: &'static Location<'static>,
}

/// One thread in progress.
pub(crate) struct Worker {
    pub(crate) run: Arc<Run>,
    pub(crate) index: usize,
    /// Another one once the worker has ended.
    local: RefCell<Rc<LocalExecutor<'static>>>,
    /// The task that is polled.
    running: RefCell<Option<Running>>,
    /// Eager tasks that are polled within each other.
    eager_depth: Cell<u32>,
    settling: RefCell<VecDeque<Settling>>,
    settled_count: Cell<u64>,
    time_limits: TimeLimits,
    last_panic: LastPanic,
}

context::slot!(Worker, Real);

impl Debug for Worker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Worker").field("index", &self.index).finish_non_exhaustive()
    }
}

impl Worker {
    /// Makes the worker of this thread.
    pub(crate) fn new(run: Arc<Run>, index: usize) -> Self {
        Self {
            run,
            index,
            local: RefCell::default(),
            running: RefCell::new(None),
            eager_depth: Cell::new(0),
            settling: RefCell::default(),
            settled_count: Cell::new(0),
            time_limits: TimeLimits::new(),
            last_panic: LastPanic::default(),
        }
    }

    // Clocks

    /// Returns the nanoseconds since the run began.
    pub(crate) fn now(&self) -> u64 {
        self.run.now()
    }

    /// Returns the nanoseconds since 1970.
    #[expect(clippy::disallowed_methods, reason = "this is the real clock")]
    #[expect(clippy::disallowed_types, reason = "this is the real clock")]
    #[expect(clippy::unused_self, reason = "as of the executor")]
    pub(crate) fn wall_now(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        // A clock before 1970 reads as 1970.
        since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Makes a timer for when the run is so many nanoseconds old.
    pub(crate) fn timer(&self, deadline: u64) -> RealTimer {
        RealTimer::at(self.run.instant(deadline))
    }

    /// Begins a wait that most often ends long before its time is over. That is noticed when the worker looks
    /// at the reactor, later than what other timers do then.
    #[inline]
    pub(crate) fn time_limit(&self, duration: Duration, waker: &Waker) -> RealTimer {
        RealTimer::Shared(self.time_limits.begin(duration, waker), duration)
    }

    // Tasks

    /// Makes a task that is ready to run.
    pub(crate) fn spawn<F>(&self, future: F, options: SpawnOptions) -> Handle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.begin(future, options, |_| None)
    }

    /// Makes a task whose error is one that nobody may overlook.
    pub(crate) fn spawn_try<F, V, E>(
        &self,
        future: F,
        options: SpawnOptions,
    ) -> Handle<Result<V, E>>
    where
        F: Future<Output = Result<V, E>> + 'static,
        V: 'static,
        E: Debug + 'static,
    {
        self.begin(future, options, |result| match result {
            Ok(_) => None,
            Err(error) => Some(error),
        })
    }

    /// Makes a task that another thread asked for.
    pub(crate) fn adopt<F>(&self, future: F, handle: Handle<F::Output>)
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.schedule(Polled::new(future, handle, None, None));
    }

    fn begin<F>(
        &self,
        future: F,
        options: SpawnOptions,
        error_of: fn(&F::Output) -> Option<&dyn Debug>,
    ) -> Handle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let SpawnOptions { name, is_eager, spawned_at } = options;
        let core = self.child(self.index, name, spawned_at);
        let handle = Handle::new(core, error_of);
        if self.run.admit(&handle.core).is_err() {
            drop(future);
            return handle;
        }
        let polled = Polled::new(future, handle.clone(), self.variables(), None);
        let depth = self.eager_depth.get();
        // Outside of a poll, and where eager tasks have spawned many within each other, it begins as others do.
        if !is_eager || depth == EAGER_DEPTH_MAX || !self.has_variables() {
            self.schedule(polled);
            return handle;
        }
        let mut polled = Box::pin(polled);
        self.eager_depth.set(depth + 1);
        let poll = polled.as_mut().poll_unscheduled(self);
        self.eager_depth.set(depth);
        if poll.is_pending() {
            self.schedule(polled);
        }
        handle
    }

    fn schedule(&self, future: impl Future<Output = ()> + 'static) {
        self.local.borrow().spawn(future).detach();
    }

    /// Makes a task of a worker, without its future: a child of the running one.
    pub(crate) fn child(
        &self,
        worker: usize,
        name: Option<Cow<'static, str>>,
        spawned_at: &'static Location<'static>,
    ) -> TaskCore {
        let mut running = self.running.borrow_mut();
        let Some(parent) = running.as_mut() else {
            return self.run.child_of_nobody(worker, name, spawned_at);
        };
        let ordinal = parent.next_child(name.as_deref().map(hash_text));
        let above = (parent.core.identity.stream, parent.core.path_as_parent());
        let identity = Identity::of_child(above, name, ordinal);
        let core = TaskCore::new(self.run.clone(), worker, identity, spawned_at);
        if parent.core.is_cleanup { core.of_cleanup() } else { core }
    }

    /// Waits until no other task of this worker is ready.
    pub(crate) fn poll_settle(&self, ticket: &mut Option<u64>, waker: &Waker) -> Poll<()> {
        let mut settling = self.settling.borrow_mut();
        match *ticket {
            None => {
                let number = self.settled_count.get();
                self.settled_count.set(number + 1);
                *ticket = Some(number);
                settling.push_back(Settling { ticket: number, waker: waker.clone() });
                Poll::Pending
            }
            Some(number) => match settling.iter_mut().find(|own| own.ticket == number) {
                None => Poll::Ready(()),
                Some(own) => {
                    own.waker.clone_from(waker);
                    Poll::Pending
                }
            },
        }
    }

    // Chance

    /// Draws a choice of the running task, as the simulation does under the same seed.
    pub(crate) fn choose(&self, site: Site, ordinal: Option<u64>, space: Space) -> u64 {
        let mut running = self.running.borrow_mut();
        let (stream, ordinal) = match (running.as_mut(), ordinal) {
            (Some(running), Some(ordinal)) => (running.core.identity.stream, ordinal),
            (Some(running), None) => {
                (running.core.identity.stream, running.locals().count_up(site.id()))
            }
            (None, ordinal) => (StreamId::ROOT, ordinal.unwrap_or(0)),
        };
        space.check();
        space.sample(prf(self.run.seed, Key::new(stream, site, ordinal)))
    }

    /// Calls `read` with the random generator of the running task.
    pub(crate) fn with_rng<R>(&self, read: impl FnOnce(&mut ChaCha8Rng) -> R) -> R {
        let mut running = self.running.borrow_mut();
        let stream =
            running.as_ref().map_or(StreamId::ROOT, |running| running.core.identity.stream);
        let new = || ChaCha8Rng::from_seed(rng_seed(self.run.seed, stream));
        match running.as_mut() {
            Some(running) => read(running.locals().rng.get_or_insert_with(new)),
            None => read(&mut new()),
        }
    }

    // Values of tasks

    /// Returns the number of the running task's stream; 0 outside of tasks.
    pub(crate) fn running_stream(&self) -> u64 {
        let running = self.running.borrow();
        running.as_ref().map_or(0, |running| running.core.identity.stream.get())
    }

    /// Returns the variables of the running task, if it has any.
    pub(crate) fn variables(&self) -> Option<Rc<dyn Any>> {
        self.running.borrow().as_ref()?.locals.as_ref()?.variables.clone()
    }

    /// Tells whether a task runs, whose variables can be set.
    pub(crate) fn has_variables(&self) -> bool {
        self.running.borrow().is_some()
    }

    /// Replaces the variables of the running task. Returns false when no task runs.
    pub(crate) fn set_variables(&self, variables: Option<Rc<dyn Any>>) -> bool {
        let mut running = self.running.borrow_mut();
        let Some(own) = running.as_mut() else { return false };
        let replaced = std::mem::replace(&mut own.locals().variables, variables);
        drop(running);
        // Unborrowed: values are the user's.
        drop(replaced);
        true
    }

    // Panics

    /// Keeps what the panic hook saw.
    pub(crate) fn note_panic(&self, note: PanicNote) {
        self.last_panic.keep(note);
    }

    /// Returns what is known of a panic that was caught.
    pub(crate) fn note_of(&self, payload: &(dyn Any + Send)) -> PanicNote {
        self.last_panic.note_of(payload)
    }
}

/// One wait until all others are blocked.
#[derive(Debug)]
struct Settling {
    ticket: u64,
    waker: Waker,
}

/// Makes a call that blocks on a thread that is kept for such calls.
pub(crate) async fn call_on_thread<T, F>(call: F) -> T
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    blocking::unblock(call).await
}

/// As in the simulation; deeper ones would use up the stack of the thread.
const EAGER_DEPTH_MAX: u32 = 64;
