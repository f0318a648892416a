//! Runs tasks on one thread: wakers, points, timers, domains, and the detection of stalls.
//!
//! One run is one `Executor`, found through the context by everything that tasks call. The
//! decision who goes on is not taken here but by a [`Pick`]; without one the policy is `Fifo`: a
//! task runs until it blocks, then the task that became ready first goes on.
//!
//! ```text
//!   spawn -> ready -> polled -> comes to a point -> goes on, or is preempted (ready again)
//!                       |-> pends -> blocked -> woken -> ready
//!                       `-> ends, panics or is cancelled -> done -> its handle takes the output
//! ```
//!
//! When nothing is ready, first a settling task goes on, then time moves to the next timer. If there
//! is none either, the run has failed.
//!
//! **Absent on purpose**: networks and disks (layer `world`), strategies (layer `explore`), and
//! any way for one run to see another.

mod attach;
mod cell;
mod cleanup;
mod core;
mod domain;
mod domains;
mod eager;
mod events;
mod failure;
mod foreign;
mod holding;
mod id;
mod kin;
mod layer;
mod limits;
mod log;
mod panic;
mod pick;
mod point;
mod probe;
mod process_end;
mod ready;
mod resource;
mod run;
mod spawn;
mod task_table;
mod timers;
mod variables;
mod wait_graph;
mod wait_note;
mod waker;
mod watch;

use std::cell::{Cell, RefCell};
use std::collections::btree_map::Entry;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::task::{Poll, Waker};

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;

pub use self::domain::{DomainId, DomainState};
pub use self::failure::{Failure, HeldBy, StalledTask, Tenure, Wait};
pub use self::layer::Attachment;
pub use self::limits::Limits;
pub use self::log::{Happening, Log, LogEntry, LoggedDecision, LoggedDraw, TaskInfo};
pub use self::pick::{Candidate, Decision, Pick};
pub use self::process_end::ProcessEnd;
pub use self::resource::{Operation, ResourceInfo};
pub use self::wait_graph::{TaskStatus, WaitCycle, WaitLink};
pub use self::watch::{Warning, WarningAction, Watch};
pub use crate::kernel::{Access, Place, Verb};

pub(crate) use self::attach::Attach;
pub(crate) use self::cleanup::{CleanupSpan, cleanups_of};
pub(crate) use self::core::SCHEDULE;
pub(crate) use self::holding::{Grant, Held, Holder, HoldingKey, publish};
pub(crate) use self::id::TaskId;
pub(crate) use self::kin::TaskName;
pub(crate) use self::layer::{EventId, Layer, Phrase, Phrases, Weight};
pub(crate) use self::point::{Point, current_wait, is_preempted, note, note_wait};
pub(crate) use self::probe::{Probe, Probed};
pub(crate) use self::resource::Resource;
pub(crate) use self::run::Plan;
pub(crate) use self::spawn::SpawnOptions;
pub(crate) use self::timers::TimerKey;
pub(crate) use self::wait_graph::Waiting;
pub(crate) use self::waker::WakeTarget;
pub(crate) use self::watch::{note_unpolled, watches_holders};

use self::core::{Core, Settling};
use self::foreign::RunNumber;
use self::task_table::count_up;
use self::timers::TimerTarget;
use self::wait_note::WaitSubject;
use crate::context;
use crate::ending::{LastPanic, PanicNote};
use crate::kernel::{Event, EventKind, Key, Site, Space, StreamId, VirtualTime, rng_seed};

/// One run in progress.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Executor {
    run: u16,
    core: RefCell<Core>,
    number: RefCell<RunNumber>,
    /// Apart from the core, which may be borrowed when a task panics. A run of more than 1,032 bytes is
    /// none of malloc's quick ones.
    last_panic: LastPanic,
    /// A failure that came in the middle of a step, until the step is over. The first counts.
    refused: Cell<Option<Box<Failure>>>,
    /// Whether tracing spans are entered around polls.
    is_traced: bool,
    /// Whether what goes over the network is kept.
    is_capturing: bool,
    /// Whether all holders are published, and not only those that somebody waits for.
    pub(crate) watches_holders: bool,
    /// Nanoseconds of the virtual wall clock at the start of the run.
    epoch_nanos: u64,
}

context::slot!(Executor, Simulation);

impl fmt::Debug for Executor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Executor").field("run", &self.run).finish_non_exhaustive()
    }
}

impl Executor {
    /// Returns the number that tells the wakers of live runs apart. It never reaches a run.
    #[inline]
    pub(crate) fn run(&self) -> u16 {
        self.run
    }

    /// Wakes a task of this run.
    #[inline]
    pub(crate) fn wake(&self, task: TaskId) {
        self.core.borrow_mut().wake(task);
    }

    /// Returns the time on the global clock.
    pub(crate) fn now(&self) -> VirtualTime {
        self.core.borrow().now
    }

    /// Returns how many entries the log has; 0 without a log.
    pub(crate) fn logged_count(&self) -> usize {
        self.core.borrow().log.as_ref().map_or(0, |log| log.entries.len())
    }

    /// Returns the reading of the running task's monotonic clock, in nanoseconds.
    #[inline]
    pub(crate) fn local_now(&self) -> u64 {
        let core = self.core.borrow();
        core.domains.get(core.current_domain()).clock.local(core.now)
    }

    /// Returns the reading of the running task's wall clock, in nanoseconds since 1970.
    pub(crate) fn wall_now(&self) -> u64 {
        let core = self.core.borrow();
        let clock = &core.domains.get(core.current_domain()).clock;
        self.epoch_nanos
            .saturating_add(clock.local(core.now))
            .saturating_add_signed(clock.wall_offset_nanos)
    }

    /// Returns what the tasks of a domain may do.
    #[inline]
    pub(crate) fn domain_state(&self, domain: DomainId) -> DomainState {
        self.core.borrow().domains.get(domain).state
    }

    /// Returns the number of the running task's stream; 0 outside of tasks.
    #[inline]
    pub(crate) fn running_stream(&self) -> u64 {
        let core = self.core.borrow();
        core.running.map_or(0, |index| core.tasks.get(index).stream.get())
    }

    /// Returns the domain of the running task, and the number of its stream; the root and 0 outside of tasks.
    #[inline]
    pub(crate) fn running_place(&self) -> (DomainId, u64) {
        let core = self.core.borrow();
        let place = |index| {
            let slot = core.tasks.get(index);
            (slot.domain, slot.stream.get())
        };
        core.running.map_or((DomainId::ROOT, 0), place)
    }

    /// Returns the domain of the running task.
    pub(crate) fn running_domain(&self) -> DomainId {
        self.core.borrow().current_domain()
    }

    /// Returns the value of this type that the domain of the running task has; makes it if there is none.
    #[track_caller]
    pub(crate) fn domain_local<T: 'static>(&self, make: impl FnOnce() -> T) -> Rc<T> {
        self.domain_local_of(self.running_domain(), make)
    }

    /// Returns the value of this type that a domain has; makes it if there is none.
    #[track_caller]
    pub(crate) fn domain_local_of<T: 'static>(
        &self,
        domain: DomainId,
        make: impl FnOnce() -> T,
    ) -> Rc<T> {
        let found = self.core.borrow().domains.get(domain).locals.find();
        found.unwrap_or_else(|| {
            let made = Rc::new(make());
            self.core.borrow_mut().domains.get_mut(domain).locals.add(made.clone());
            made
        })
    }

    // Timers

    /// Polls a timer on the clock of the running task's domain: sets it, or points it to the waker,
    /// until the deadline has passed. In a dead domain it is never set; one that was polled in
    /// another domain before is set anew.
    pub(crate) fn poll_timer(
        &self,
        key: &mut Option<TimerKey>,
        deadline_local: u64,
        waker: &Waker,
        at: &'static Location<'static>,
    ) -> Poll<()> {
        // Outside of the borrow, as what it replaces: a foreign waker is code of the user's.
        let target = WakeTarget::of(waker);
        let _replaced;
        let mut core = self.core.borrow_mut();
        let core = &mut *core;
        let domain_id = core.current_domain();
        let domain = core.domains.get(domain_id);
        if deadline_local <= domain.clock.local(core.now) {
            return Poll::Ready(());
        }
        match *key {
            _ if domain.state == DomainState::Dead => {}
            Some(set) if core.timers.is_set_in(set, domain_id) => {
                _replaced = core.timers.retarget(set, target);
            }
            stale => {
                _replaced = stale.and_then(|stale| core.timers.cancel(stale));
                let is_paused = domain.state == DomainState::Paused;
                let deadline = domain.clock.global(deadline_local);
                let (kind, task) = (EventKind::TimerSet, core.current_stream());
                core.event(Event { kind, task, subject: deadline, value: 0 }, Some(at));
                let target = TimerTarget::Wake(target);
                *key = Some(core.timers.set(deadline, deadline_local, domain_id, target));
                if is_paused {
                    core.timers.park(domain_id);
                }
            }
        }
        core.note_timer(deadline_local, at);
        Poll::Pending
    }

    /// Sets a timer for so long from now, as [`Executor::poll_timer`] does at its first poll. Returns the
    /// deadline too; none when it is due, or where no timer is set.
    pub(crate) fn begin_timer(
        &self,
        nanos: u64,
        waker: &Waker,
        at: &'static Location<'static>,
    ) -> Option<(u64, TimerKey)> {
        let target = WakeTarget::of(waker);
        let mut core = self.core.borrow_mut();
        let core = &mut *core;
        let domain_id = core.current_domain();
        let domain = core.domains.get(domain_id);
        if nanos == 0 || domain.state != DomainState::Alive {
            return None;
        }
        let deadline_local = domain.clock.local(core.now).saturating_add(nanos);
        let deadline = domain.clock.global(deadline_local);
        let (kind, task) = (EventKind::TimerSet, core.current_stream());
        core.event(Event { kind, task, subject: deadline, value: 0 }, Some(at));
        let target = TimerTarget::Wake(target);
        let key = core.timers.set(deadline, deadline_local, domain_id, target);
        core.note_timer(deadline_local, at);
        Some((deadline_local, key))
    }

    /// Cancels a timer, if it has not fired.
    pub(crate) fn cancel_timer(&self, key: TimerKey) {
        let target = self.core.borrow_mut().timers.cancel(key);
        // A foreign waker may run code of the user's when it is dropped.
        drop(target);
    }

    // Settling

    /// Waits until every task but those that settle is blocked, before time moves. The ticket is
    /// that of the first poll.
    pub(crate) fn poll_settle(
        &self,
        ticket: &mut Option<u64>,
        waker: &Waker,
        at: &'static Location<'static>,
    ) -> Poll<()> {
        // Outside of the borrow: a foreign waker is code of the user's.
        let target = WakeTarget::of(waker);
        let mut core = self.core.borrow_mut();
        let Some(index) = core.running else { return Poll::Pending };
        let replaced = match ticket {
            None => {
                core.settled_count += 1;
                let number = (u64::from(core.run) << 48) | u64::from(core.settled_count);
                *ticket = Some(number);
                core.settling.push_back(Settling { ticket: number, task: index, target });
                None
            }
            Some(number) => {
                let Some(own) = core.settling.iter_mut().find(|own| own.ticket == *number) else {
                    return Poll::Ready(());
                };
                own.task = index;
                Some(std::mem::replace(&mut own.target, target))
            }
        };
        core.tasks.set_wait(index, WaitSubject::OtherTasks, at);
        drop(core);
        drop(replaced);
        Poll::Pending
    }

    // Choices

    /// Draws a choice of the running task; the ordinal counts the draws at the site if not given.
    pub(crate) fn choose(
        &self,
        site: Site,
        ordinal: Option<u64>,
        space: Space,
        at: &'static Location<'static>,
    ) -> u64 {
        let mut core = self.core.borrow_mut();
        let core = &mut *core;
        let ordinal = match (ordinal, core.running) {
            (Some(ordinal), _) => ordinal,
            (None, Some(index)) => {
                count_up(&mut core.tasks.details_mut(index).cold().site_ordinals, site.id())
            }
            (None, None) => 0,
        };
        core.draw(site, ordinal, space, Some(at)).value
    }

    /// Draws a choice that is off by itself unless `is_on`; an override at its key is obeyed all the
    /// same, so that a shrunk world needs nothing but that. None when nothing was drawn.
    ///
    /// Without an object the running task draws, and the ordinal counts what it asks for at the site.
    pub(crate) fn draw_if(
        &self,
        is_on: bool,
        (object, site): (Option<StreamId>, Site),
        space: Space,
        at: Option<&'static Location<'static>>,
    ) -> Option<u64> {
        let mut core = self.core.borrow_mut();
        let core = &mut *core;
        // Ordinals have to be the same with and without overrides, but only where somebody looks.
        if !is_on && core.choices.overrides().is_empty() {
            return None;
        }
        let ordinal = match (object, core.running) {
            (None, Some(index)) => {
                count_up(&mut core.tasks.details_mut(index).cold().site_ordinals, site.id())
            }
            _ => 0,
        };
        let stream = object.unwrap_or_else(|| core.current_stream());
        let key = Key::new(stream, site, ordinal);
        if !is_on && core.choices.forced(key).is_none() {
            return None;
        }
        Some(core.draw_of(stream, (site, ordinal), space, at).value)
    }

    /// Adds a line about an object to the log, if there is one.
    pub(crate) fn note_of_object(&self, stream: StreamId, text: impl FnOnce() -> String) {
        let mut core = self.core.borrow_mut();
        if core.log.is_some() {
            let text = text();
            core.log_entry(stream, Happening::Note(text.into()), None);
        }
    }

    /// Calls `read` with the random generator of the running task.
    ///
    /// It is seeded from the seed and the task's stream in every fill mode.
    pub(crate) fn with_rng<R>(&self, read: impl FnOnce(&mut ChaCha8Rng) -> R) -> R {
        let mut core = self.core.borrow_mut();
        let core = &mut *core;
        let stream = core.current_stream();
        let seed = core.choices.seed();
        let new = || ChaCha8Rng::from_seed(rng_seed(seed, stream));
        match core.running {
            Some(index) => read(core.tasks.details_mut(index).cold().rng.get_or_insert_with(new)),
            None => read(&mut new()),
        }
    }

    /// Returns the serial number of the run, and the number in it of a resource that is made now.
    pub(crate) fn next_resource(&self) -> (u64, u64) {
        let mut core = self.core.borrow_mut();
        (core.serial, core.next_resource())
    }

    // Failures

    /// Ends the run with a failure, unless it has failed before.
    pub(crate) fn fail(&self, failure: Failure) {
        self.core.borrow_mut().fail(failure);
    }

    /// Returns the time on the global clock, unless the run is in the middle of a step of its own.
    pub(crate) fn now_if_free(&self) -> Option<VirtualTime> {
        self.core.try_borrow().ok().map(|core| core.now)
    }

    /// Ends the run with a failure as [`Executor::fail`]; in the middle of a step of its own, when that is over.
    pub(crate) fn fail_when_free(&self, failure: Failure) {
        match self.core.try_borrow_mut() {
            Ok(mut core) => core.fail(failure),
            Err(_) => {
                let first = self.refused.take().unwrap_or_else(|| Box::new(failure));
                self.refused.set(Some(first));
            }
        }
    }

    /// Keeps what the panic hook saw.
    pub(crate) fn note_panic(&self, note: PanicNote) {
        self.last_panic.keep(note);
    }
}

impl Core {
    pub(super) fn current_domain(&self) -> DomainId {
        self.running.map_or(DomainId::ROOT, |index| self.tasks.get(index).domain)
    }

    /// Notes that the running task waits for a timer, unless it waits for something else too.
    fn note_timer(&mut self, deadline: u64, at: &'static Location<'static>) {
        let Some(index) = self.running else { return };
        let slot = self.tasks.get_mut(index);
        if !slot.is_waiting {
            slot.operation = Operation { resource: 0, verb: &SLEEP };
            self.tasks.set_wait(index, WaitSubject::Timer(deadline), at);
        }
    }

    pub(super) fn log_resource(&mut self, number: u64, resource: &Resource) {
        let Some(log) = &mut self.log else { return };
        let Entry::Vacant(place) = log.resources.entry(number) else { return };
        let about = place.insert(resource.about());
        if about.name.is_none()
            && let Some(layer) = &self.layer
            && let Some(name) = layer.name_of(number)
        {
            log.names.insert(number, name.into());
        }
    }
}

/// What a task does that sleeps.
pub(crate) static SLEEP: Verb = Verb::new("sleep", Access::Read);
