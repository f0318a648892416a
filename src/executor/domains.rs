//! What can be done to a domain of the current run.

use std::collections::VecDeque;
use std::panic::Location;
use std::time::Duration;

use super::Executor;
use super::core::{Core, Settling};
use super::domain::{DomainId, DomainState};
use super::id::TaskId;
use super::task_table::{Ownership, TaskState};
use crate::context;
use crate::kernel::{Event, EventKind};

/// The verbs of simulated machines, at their lowest level. All panic outside of a simulation.
impl DomainId {
    /// Makes a domain; tasks are put into it with [`crate::task::Builder::domain`].
    ///
    /// The same name may be used again, for the next incarnation.
    ///
    /// # Panics
    /// Outside of a simulation, when the name and incarnation are taken, and when the run has
    /// 65,536 domains.
    #[must_use]
    #[track_caller]
    pub fn create(name: &str, incarnation: u32) -> Self {
        let is_new = with("DomainId::create", |core| !core.domains.exists(name, incarnation));
        assert!(is_new, "the domain `{name}` has an incarnation {incarnation} already");
        with("DomainId::create", |core| {
            let domain = core.domains.add(name, incarnation);
            core.domain_event(domain, Change::Created, 0);
            domain
        })
    }

    /// Makes the domain of the next incarnation of a machine: of the same name, with a clock that goes
    /// on where that of the last one stands, at its rate and offset.
    ///
    /// # Panics
    /// As [`DomainId::create`].
    #[must_use]
    #[track_caller]
    pub fn succeed(last: Self, incarnation: u32) -> Self {
        let call = "DomainId::succeed";
        let (name, clock) = with(call, |core| {
            let last = core.domains.get(last);
            (last.name.clone(), last.clock)
        });
        let next = Self::create(&name, incarnation);
        with(call, |core| core.domains.get_mut(next).clock = clock);
        next
    }

    /// Tells whether one more domain can be made in this run.
    pub(crate) fn has_room() -> bool {
        with("DomainId::create", |core| core.domains.has_room())
    }

    /// Makes its processor so many times slower; 1 is normal. What it burns takes that much longer,
    /// and each step of a task keeps it busy for `factor - 1` microseconds.
    ///
    /// # Panics
    /// For a factor of 0, and for [`DomainId::ROOT`], which is the test itself.
    #[track_caller]
    pub fn set_slowness(self, factor: u32) {
        assert!(factor > 0, "a processor that is 0 times slower would be infinitely fast");
        assert!(self != Self::ROOT, "the root domain is the test itself and cannot be slow");
        with("DomainId::set_slowness", |core| {
            core.domain_event(self, Change::Slowness, factor.into());
            core.domains.get_mut(self).slowness = factor;
            core.has_slow |= factor > 1;
        });
    }

    /// Returns what its tasks may do.
    #[must_use]
    #[track_caller]
    pub fn state(self) -> DomainState {
        with("DomainId::state", |core| core.domains.get(self).state)
    }

    /// Freezes it: its tasks are not polled, its timers fire when it is resumed.
    ///
    /// Nothing happens to a domain that is not alive or busy. A task that pauses its own domain
    /// runs on to its next wait.
    ///
    /// # Panics
    /// For [`DomainId::ROOT`], which nobody could resume.
    #[track_caller]
    pub fn pause(self) {
        assert!(self != Self::ROOT, "the root domain is the test itself and cannot be paused");
        with("DomainId::pause", |core| {
            let state = core.domains.get(self).state;
            if matches!(state, DomainState::Alive | DomainState::BusyUntil(_)) {
                core.domain_event(self, Change::Paused, 0);
                core.domains.get_mut(self).state = DomainState::Paused;
                core.hold_ready(self);
                core.timers.park(self);
                core.forget_end_of_busy(self);
            }
        });
    }

    /// Lets a paused domain go on; timers that were due meanwhile fire now.
    #[track_caller]
    pub fn resume(self) {
        with("DomainId::resume", |core| {
            if core.domains.get(self).state == DomainState::Paused {
                core.domain_event(self, Change::Resumed, 0);
                let clock = core.domains.get(self).clock;
                core.timers.unpark(self, |local| clock.global(local));
                core.run_or_stay_busy(self);
            }
        });
    }

    /// Keeps all its tasks from running for so long: the processor is busy. Times add up, and pass
    /// while the domain is paused too.
    #[track_caller]
    pub fn busy_for(self, duration: Duration) {
        self.busy_for_at(duration, Location::caller());
    }

    /// Does it for a line other than that of the call.
    #[track_caller]
    pub(crate) fn busy_for_at(self, duration: Duration, at: &'static Location<'static>) {
        with("DomainId::busy_for", |core| {
            let domain = core.domains.get_mut(self);
            if domain.state == DomainState::Dead {
                return;
            }
            let from = domain.busy_until.max(core.now);
            let until = from.after(duration);
            domain.busy_until = until;
            let is_paused = domain.state == DomainState::Paused;
            core.domain_event(self, Change::Busy, until.as_nanos());
            core.watch_busy(self, (from, until), at);
            if !is_paused {
                core.hold_ready(self);
                core.run_or_stay_busy(self);
            }
        });
    }

    /// Destroys its tasks, in the order of their places. What their destructors do to the world has
    /// no effect; releases of `sync` primitives have.
    ///
    /// A task that kills its own domain runs on to its next wait and is destroyed there.
    ///
    /// # Panics
    /// For [`DomainId::ROOT`].
    #[track_caller]
    pub fn kill(self) {
        assert!(self != Self::ROOT, "the root domain is the test itself and cannot be killed");
        context::expect("DomainId::kill", |executor: &Executor| executor.kill(self));
    }

    /// Makes its monotonic clock run fast (above 0) or slow, in parts per million of global time.
    ///
    /// # Panics
    /// At -1,000,000 or below, where time would stand still.
    #[track_caller]
    pub fn set_clock_rate(self, parts_per_million: i32) {
        with("DomainId::set_clock_rate", |core| {
            core.domain_event(self, Change::Rate, u64::from(parts_per_million.cast_unsigned()));
            let now = core.now;
            core.domains.set_rate(self, &mut core.timers, now, parts_per_million);
        });
    }

    /// Steps its wall clock ([`crate::time::SystemTime`]); the monotonic one has no steps.
    #[track_caller]
    pub fn step_wall_clock(self, nanos: i64) {
        with("DomainId::step_wall_clock", |core| {
            core.domain_event(self, Change::Step, nanos.cast_unsigned());
            let clock = &mut core.domains.get_mut(self).clock;
            clock.wall_offset_nanos = clock.wall_offset_nanos.saturating_add(nanos);
        });
    }
}

impl Executor {
    /// Returns how long the processor of the running task takes for what normally takes so long.
    pub(crate) fn slowed(&self, duration: Duration) -> Duration {
        let core = self.core.borrow();
        duration.saturating_mul(core.domains.get(core.current_domain()).slowness)
    }

    fn kill(&self, domain: DomainId) {
        let (doomed, settling, timers) = {
            let mut core = self.core.borrow_mut();
            if core.domains.get(domain).state == DomainState::Dead {
                return;
            }
            core.domain_event(domain, Change::Killed, 0);
            core.domains.get_mut(domain).state = DomainState::Dead;
            core.domains.get_mut(domain).held.clear();
            core.forget_end_of_busy(domain);
            let timers = core.timers.cancel_domain(domain);
            (core.doom(domain), core.unsettle(domain), timers)
        };
        drop((settling, timers));
        for task in doomed {
            self.destroy(task);
        }
    }

    /// Destroys a task that has not ended, in its own context. It stands in no queue, or is not taken out
    /// of one any more.
    pub(super) fn destroy(&self, task: TaskId) {
        let index = task.index();
        let mut core = self.core.borrow_mut();
        // A destructor before this one may have let go of the handle, which destroys the task too;
        // its place may be another's by now.
        let Some(slot) = core.tasks.find(task) else { return };
        slot.state = TaskState::Done;
        let cell = slot.cell.take();
        let killer = core.running.replace(index);
        drop(core);
        if let Some(cell) = cell {
            self.clear_cell(cell);
        }
        let mut core = self.core.borrow_mut();
        core.running = killer;
        // Its destructor may have killed a domain whose tasks let go of it.
        let Some(slot) = core.tasks.find(task) else { return };
        let is_attached = slot.ownership == Ownership::Attached;
        let joiner = core.tasks.details_mut(index).joiner.take();
        let variables = core.take_variables(index);
        let cleanup_of = core.tasks.cleanup_of(index);
        let rest = if is_attached { None } else { core.tasks.remove(index) };
        drop(core);
        self.catch(|| drop((variables, rest)));
        if let Some(joiner) = joiner {
            self.catch(|| joiner.wake());
        }
        if let Some(owner) = cleanup_of {
            self.end_cleanup(task, owner);
        }
    }
}

impl Core {
    /// Keeps the processor of a slow domain busy with the step that a task has taken.
    #[cold]
    #[inline(never)]
    pub(super) fn drag(&mut self, domain_id: DomainId) {
        let now = self.now;
        let domain = self.domains.get_mut(domain_id);
        if domain.slowness == 1 || domain.state == DomainState::Dead {
            return;
        }
        let delay = Duration::from_micros(u64::from(domain.slowness) - 1);
        domain.busy_until = domain.busy_until.max(now).after(delay);
        // A paused one is not held again; its processor is busy when it is resumed.
        if domain.state != DomainState::Paused {
            self.hold_ready(domain_id);
            self.run_or_stay_busy(domain_id);
        }
    }

    /// Takes the tasks of a domain out of all queues; the running one is destroyed after its poll.
    fn doom(&mut self, domain: DomainId) -> Vec<TaskId> {
        let tasks = &self.tasks;
        self.ready.retain(|index| tasks.get(index).domain != domain);
        self.chosen = self.chosen.filter(|index| tasks.get(*index).domain != domain);
        let of_domain: Vec<u32> =
            self.tasks.indices().filter(|index| self.tasks.get(*index).domain == domain).collect();
        let (mut doomed, run) = (Vec::new(), self.run);
        for index in of_domain {
            let slot = self.tasks.get_mut(index);
            match slot.state {
                TaskState::Running => slot.is_cancelled = true,
                // One that waits for its cleanups has ended: they are destroyed, and it keeps its output.
                TaskState::Closing | TaskState::Done | TaskState::Free => {}
                TaskState::Ready | TaskState::Held | TaskState::Blocked => {
                    slot.state = TaskState::Done;
                    doomed.push(TaskId::new(run, slot.generation, index));
                }
            }
        }
        doomed
    }

    /// Takes out what waits in a domain until others are blocked; to be dropped unborrowed.
    fn unsettle(&mut self, domain: DomainId) -> Vec<Settling> {
        let tasks = &self.tasks;
        let all = std::mem::take(&mut self.settling);
        let is_of_it = |settling: &Settling| tasks.get(settling.task).domain == domain;
        let (gone, kept): (VecDeque<_>, VecDeque<_>) = all.into_iter().partition(is_of_it);
        self.settling = kept;
        gone.into()
    }

    fn domain_event(&mut self, domain: DomainId, change: Change, amount: u64) {
        let task = self.current_stream();
        let value = (change as u64) ^ amount.rotate_left(8);
        let kind = EventKind::Domain;
        if let Some(log) = &mut self.log {
            let name = &self.domains.get(domain).name;
            log.domains.entry(domain.number()).or_insert_with(|| (**name).into());
        }
        self.event(Event { kind, task, subject: domain.number(), value }, None);
    }
}

/// What has become of a domain, as it stands in the chain.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Created,
    Paused,
    Resumed,
    Busy,
    Killed,
    Rate,
    Step,
    Slowness,
}

impl Change {
    /// Returns what reports say of an event with this value, before the name of the domain.
    pub(super) fn phrase_of(value: u64) -> &'static str {
        let changes = [
            (Self::Created, "makes"),
            (Self::Paused, "pauses"),
            (Self::Resumed, "resumes"),
            (Self::Busy, "keeps busy"),
            (Self::Killed, "kills"),
            (Self::Rate, "sets the rate of the clock of"),
            (Self::Step, "steps the clock of"),
            (Self::Slowness, "sets the speed of"),
        ];
        // The amount stands above it, turned by 8 bits: what it has in its highest ones is a sign.
        let is_it = |change: Self| value & 0xff == change as u64 || !value & 0xff == change as u64;
        let found = changes.into_iter().find(|(change, _)| is_it(*change));
        found.map_or("changes", |(_, phrase)| phrase)
    }
}

#[track_caller]
fn with<R>(call: &str, change: impl FnOnce(&mut Core) -> R) -> R {
    context::expect(call, |executor: &Executor| change(&mut executor.core.borrow_mut()))
}
