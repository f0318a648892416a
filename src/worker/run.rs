//! What the workers of one run share.

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_channel::{Receiver, Sender};

use super::core::{Identity, TaskCore, UNNAMED};
use super::inbox::{Message, WorkerRef};
use crate::ending::TaskPanic;
use crate::kernel::{Place, Seed, StreamId, hash_text};

/// One run of a program on real time.
pub(crate) struct Run {
    pub(crate) seed: Seed,
    #[expect(clippy::disallowed_types, reason = "this is the real clock")]
    began: std::time::Instant,
    /// Whether a panic or an error that nobody observed ends it.
    ends_on_trouble: bool,
    workers: Vec<Seat>,
    serial: AtomicU64,
    shared: Mutex<Shared>,
}

/// A worker as the others see it.
struct Seat {
    inbox: Sender<Message>,
    live: Mutex<Live>,
}

/// Tasks of one worker.
#[derive(Default)]
struct Live {
    phase: Phase,
    tasks: BTreeMap<u64, Arc<TaskCore>>,
    /// Who waits until there are none.
    waiter: Option<Waker>,
}

/// Which tasks a run takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    #[default]
    Open,
    CleanupsOnly,
    Closed,
}

#[derive(Default)]
struct Shared {
    troubles: Vec<Trouble>,
    /// Values of which the run has one of each type.
    locals: Vec<Arc<dyn Any + Send + Sync>>,
    /// How many tasks nobody's task has made, by the hash of their name.
    children: BTreeMap<u64, u32>,
}

/// A panic or an error that nobody observed.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) task: String,
    pub(crate) message: String,
    /// Where it panicked, if it did and that is known.
    pub(crate) place: Option<Place>,
    /// What it panicked with.
    pub(crate) payload: Option<Box<dyn Any + Send>>,
}

impl Trouble {
    pub(crate) fn panicked(core: &TaskCore, panic: TaskPanic) -> Self {
        let (task, message, place) = (core.path().to_string(), panic.message(), panic.place());
        Self { task, message, place, payload: Some(panic.payload) }
    }

    pub(super) fn error(core: &TaskCore, error: &dyn Debug) -> Self {
        let (task, message) = (core.path().to_string(), format!("{error:?}"));
        Self { task, message, place: None, payload: None }
    }
}

impl Run {
    /// Makes a run of so many workers. Returns what is sent to each.
    #[expect(clippy::disallowed_methods, reason = "this is the real clock")]
    #[expect(clippy::disallowed_types, reason = "this is the real clock")]
    pub(crate) fn new(
        seed: Seed,
        worker_count: usize,
        ends_on_trouble: bool,
    ) -> (Arc<Self>, Vec<Receiver<Message>>) {
        let mut inboxes = Vec::new();
        let seats = (0..worker_count).map(|_| {
            let (inbox, receiver) = async_channel::unbounded();
            inboxes.push(receiver);
            Seat { inbox, live: Mutex::default() }
        });
        let run = Self {
            seed,
            began: std::time::Instant::now(),
            ends_on_trouble,
            workers: seats.collect(),
            serial: AtomicU64::new(0),
            shared: Mutex::default(),
        };
        (Arc::new(run), inboxes)
    }

    // Time

    /// Returns the nanoseconds since it began.
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Returns when it is so many nanoseconds old; none past the end of time.
    #[expect(clippy::disallowed_types, reason = "this is the real clock")]
    pub(super) fn instant(&self, nanos: u64) -> Option<std::time::Instant> {
        self.began.checked_add(Duration::from_nanos(nanos))
    }

    // Workers

    /// Returns its workers, for any thread.
    pub(crate) fn workers(self: &Arc<Self>) -> impl Iterator<Item = WorkerRef> {
        (0..self.workers.len()).map(|index| WorkerRef { run: self.clone(), index })
    }

    /// Sends a message to a worker. One that has ended gets none: what is in it is dropped.
    pub(crate) fn send(&self, worker: usize, message: Message) {
        let refused = self.workers[worker].inbox.try_send(message);
        drop(refused);
    }

    // Tasks

    pub(super) fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }

    /// Makes a task that is nobody's child, without its future.
    pub(super) fn child_of_nobody(
        self: &Arc<Self>,
        worker: usize,
        name: Option<Cow<'static, str>>,
        spawned_at: &'static Location<'static>,
    ) -> TaskCore {
        let known = name.as_deref().unwrap_or(UNNAMED);
        let ordinal = {
            let mut shared = self.lock();
            let count = shared.children.entry(hash_text(known)).or_default();
            *count += 1;
            *count - 1
        };
        let identity = Identity::of_child((StreamId::ROOT, None), name, ordinal);
        TaskCore::new(self.clone(), worker, identity, spawned_at)
    }

    /// Adds a task to those of its worker, if the run takes it; otherwise it has ended.
    ///
    /// # Errors
    /// [`Refused`] when the run is ending.
    pub(super) fn admit(&self, core: &Arc<TaskCore>) -> Result<(), Refused> {
        let mut live = self.live(core.worker);
        let is_taken = match live.phase {
            Phase::Open => true,
            Phase::CleanupsOnly => core.is_cleanup,
            Phase::Closed => false,
        };
        if is_taken {
            live.tasks.insert(core.serial, core.clone());
            return Ok(());
        }
        drop(live);
        let _ = core.end(false);
        Err(Refused)
    }

    /// Takes a task that has ended off those of its worker.
    pub(super) fn forget(&self, core: &TaskCore) {
        let mut live = self.live(core.worker);
        let forgotten = live.tasks.remove(&core.serial);
        let waiter = if live.tasks.is_empty() { live.waiter.take() } else { None };
        drop(live);
        drop(forgotten);
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }

    /// Waits until a worker has no tasks.
    pub(crate) async fn quiet(&self, worker: usize) {
        poll_fn(|context| {
            let waiter = context.waker().clone();
            let mut live = self.live(worker);
            if live.tasks.is_empty() {
                return Poll::Ready(());
            }
            let replaced = live.waiter.replace(waiter);
            drop(live);
            drop(replaced);
            Poll::Pending
        })
        .await;
    }

    /// Takes no more tasks but cleanups, and cancels those that there are but cleanups.
    pub(crate) fn cancel_all(&self) {
        for tasks in self.refuse(Phase::CleanupsOnly) {
            tasks.iter().filter(|task| !task.is_cleanup).for_each(|task| task.cancel());
        }
    }

    /// Takes no more tasks. Returns those that have not ended, worker by worker, oldest first.
    pub(crate) fn close(&self) -> Vec<Arc<TaskCore>> {
        self.refuse(Phase::Closed).concat()
    }

    /// Ends what is left of the tasks of a worker, whose futures are gone.
    pub(super) fn end_lost(&self, worker: usize) {
        let lost: Vec<_> = self.live(worker).tasks.values().cloned().collect();
        for core in lost {
            core.forget_cleanups();
            let _ = core.end(false);
        }
    }

    fn refuse(&self, phase: Phase) -> Vec<Vec<Arc<TaskCore>>> {
        let seats = 0..self.workers.len();
        let refuse = |worker| {
            let mut live = self.live(worker);
            live.phase = live.phase.max(phase);
            live.tasks.values().cloned().collect()
        };
        seats.map(refuse).collect()
    }

    fn live(&self, worker: usize) -> MutexGuard<'_, Live> {
        self.workers[worker].live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // Values

    /// Returns the value of this type that the run has; makes it if there is none.
    pub(crate) fn local<T: Clone + Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> T {
        if let Some(found) = self.find() {
            return found;
        }
        // Made where nothing is held: it may look here itself.
        let made: Arc<dyn Any + Send + Sync> = Arc::new(make());
        let mut shared = self.lock();
        if !shared.locals.iter().any(|local| local.is::<T>()) {
            shared.locals.push(made);
        }
        drop(shared);
        self.find().expect("it was added by this thread or another")
    }

    fn find<T: Clone + 'static>(&self) -> Option<T> {
        let found = self.lock().locals.iter().find(|local| local.is::<T>()).cloned();
        found?.downcast_ref::<T>().cloned()
    }

    // What went wrong

    /// Keeps a panic or an error that nobody observed; ends the run if that is so agreed.
    pub(super) fn tell(&self, trouble: Trouble) {
        // A subscriber is code of the user's, and a panic of it nothing that could be told.
        let traced = catch_unwind(AssertUnwindSafe(|| {
            let Trouble { task, message, .. } = &trouble;
            tracing::error!(target: "parcae", %task, %message, "nobody observed how a task failed");
        }));
        drop(traced);
        let mut shared = self.lock();
        // More would say the same, and a service that goes on has no end.
        if shared.troubles.len() < TROUBLES_MAX {
            shared.troubles.push(trouble);
        }
        drop(shared);
        if self.ends_on_trouble {
            self.send(0, Message::Trouble);
        }
    }

    /// Takes what went wrong and nobody observed, the first 100 in the order in which it was noticed.
    pub(crate) fn take_troubles(&self) -> Vec<Trouble> {
        std::mem::take(&mut self.lock().troubles)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Debug for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Run").field("seed", &self.seed).finish_non_exhaustive()
    }
}

/// A run that is ending takes no more tasks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused;

const TROUBLES_MAX: usize = 100;
