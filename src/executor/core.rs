//! State of a run, and the steps that need nothing but it.
//!
//! While it is borrowed no code of the user's runs: futures, outputs and foreign wakers are moved
//! out first and dropped or called after.

use std::collections::{BTreeMap, VecDeque};
use std::panic::Location;
use std::rc::Rc;
use std::task::Waker;

use super::cleanup::Spawning;
use super::domain::{DomainId, DomainState, Domains};
use super::eager::Interrupted;
use super::failure::{Failure, StalledTask, Wait};
use super::foreign::RunNumber;
use super::holding::{HoldersByNumber, Holdings};
use super::id::TaskId;
use super::kin::TaskName;
use super::layer::Layer;
use super::limits::Limits;
use super::log::{Happening, Log, LogEntry, LoggedDecision, LoggedDraw, TaskInfo};
use super::pick::{Candidate, CandidateList, Decision, Pick};
use super::probe::Probes;
use super::ready::ReadyQueue;
use super::task_table::{Ownership, TaskState, TaskTable};
use super::timers::{DueTimer, TimerTarget, Timers};
use super::wait_note::{Use, WaitNote, WaitSubject};
use super::waker::WakeTarget;
use super::watch::Watcher;
use crate::kernel::{
    Chain, Choices, Draw, Event, EventKind, Fill, Key, Place, Reseed, Site, Space, StreamId,
    VirtualTime,
};

/// The site at which schedules are decided: the ordinal is the number of the task's step, the value
/// the stream of the task that goes on.
pub(crate) const SCHEDULE: Site = Site::new("schedule");

/// Place of the first task of a run: the program itself.
pub(super) const ROOT: u32 = 0;

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Core {
    pub(super) now: VirtualTime,
    pub(super) tasks: TaskTable,
    pub(super) ready: ReadyQueue,
    pub(super) running: Option<u32>,
    /// The task that ran last and the number of its last step: the key of the next decision.
    pub(super) last: (StreamId, u64),
    /// Who goes on after a preemption, decided when it happened.
    pub(super) chosen: Option<u32>,
    /// The running task was woken while it runs: it goes to the back of the queue instead of blocking.
    pub(super) is_woken: bool,
    /// The running task was preempted: it pends, and combinators do not take that for "not ready".
    pub(super) is_preempted: bool,
    /// Tasks whose poll is interrupted by the first poll of a task that they spawned eagerly.
    pub(super) interrupted: Vec<Interrupted>,
    /// Who waits until all others are blocked.
    pub(super) settling: VecDeque<Settling>,
    pub(super) settled_count: u32,
    pub(super) timers: Timers,
    pub(super) domains: Domains,
    pub(super) choices: Choices,
    /// After so many events all is drawn from another seed.
    /// In a box, as hardly any run has it.
    reseed: Option<Box<Reseed>>,
    /// Where the tasks are that overrides of the schedule let go on, once they were spawned.
    pub(super) forced_tasks: BTreeMap<StreamId, Option<u32>>,
    /// None is first in, first out.
    pub(super) picker: Option<Box<dyn Pick>>,
    pub(super) chain: Chain,
    pub(super) event_count: u64,
    pub(super) log: Option<Box<Log>>,
    /// Nothing is decided by a strategy, an override or bytes, and nothing is logged.
    pub(super) is_plain: bool,
    /// Some domain is or was slow.
    pub(super) has_slow: bool,
    pub(super) limits: Limits,
    /// What the limits say of virtual time.
    end_of_time: VirtualTime,
    pub(super) steps: u64,
    /// Steps at which the run is looked at more closely: the nearer of two limits.
    fuse: u64,
    pub(super) failure: Option<Failure>,
    pub(super) run: u16,
    /// Tells the run from all others of the process; enters nothing.
    pub(super) serial: u64,
    /// Behind a box, as few runs have any of it and each of them has to stay small.
    pub(super) seldom: Option<Box<Seldom>>,
    /// How many were made or first used while no task ran.
    pub(super) resources_of_nobody: u64,
    /// Who holds what others wait for.
    pub(super) holdings: Holdings,
    /// None when nothing is watched for.
    pub(super) watcher: Option<Box<Watcher>>,
    /// What may still be spawned: once the program has ended, not what destructors spawn.
    pub(super) spawning: Spawning,
    /// How many cleanups have not ended.
    pub(super) cleanup_count: u32,
    /// Scratch of an expiry; after it, the events that the layer is to be told of.
    pub(super) due: Vec<DueTimer>,
    /// What hangs under the run, from its first use on.
    pub(super) layer: Option<Rc<dyn Layer>>,
}

impl Core {
    pub(super) fn new(
        run: &RunNumber,
        choices: Choices,
        picker: Option<Box<dyn Pick>>,
        limits: Limits,
        log: Option<Box<Log>>,
    ) -> Self {
        let fuse = limits.steps.min(limits.steps_per_instant);
        Self {
            now: VirtualTime::ZERO,
            tasks: TaskTable::default(),
            ready: ReadyQueue::default(),
            running: None,
            last: (StreamId::ROOT, 0),
            chosen: None,
            is_woken: false,
            is_preempted: false,
            interrupted: Vec::new(),
            settling: VecDeque::new(),
            settled_count: 0,
            timers: Timers::new(),
            domains: Domains::new(),
            forced_tasks: choices
                .overrides()
                .iter()
                .filter(|(key, _)| key.site == SCHEDULE.id())
                .map(|(_, task)| (StreamId::from_bits(*task), None))
                .collect(),
            is_plain: picker.is_none() && choices.is_untold() && log.is_none(),
            has_slow: false,
            choices,
            reseed: None,
            picker,
            chain: Chain::EMPTY,
            event_count: 0,
            log,
            end_of_time: VirtualTime::ZERO.after(limits.time),
            limits,
            steps: 0,
            fuse,
            failure: None,
            run: run.get(),
            serial: run.serial(),
            seldom: None,
            resources_of_nobody: 0,
            holdings: Holdings::default(),
            watcher: None,
            spawning: Spawning::Open,
            cleanup_count: 0,
            due: Vec::new(),
            layer: None,
        }
    }

    // Events

    /// Adds an event to the chain, and to the log if there is one.
    #[inline]
    pub(super) fn event(&mut self, event: Event, location: Option<&'static Location<'static>>) {
        self.chain = self.chain.with(event);
        self.event_count += 1;
        if self.log.is_some() {
            self.log_entry(event.task, Happening::Event(event), location);
        }
    }

    /// Adds an entry to the log only.
    #[cold]
    pub(super) fn log_entry(
        &mut self,
        task: StreamId,
        what: Happening,
        location: Option<&'static Location<'static>>,
    ) {
        let (time, chain) = (self.now, self.chain);
        let Some(log) = &mut self.log else { return };
        if log.entries.len() < self.limits.logged_events {
            log.entries.push(LogEntry { time, task, what, location, chain });
        } else {
            log.dropped_count += 1;
        }
    }

    pub(super) fn log_task(&mut self, index: u32, parent: StreamId) {
        if let Some(log) = &mut self.log {
            // The root is made by the library, on a line that says nothing to the user.
            let details = self.tasks.details(index);
            let info = TaskInfo {
                name: self.tasks.path(index),
                label: details.name().as_str().to_owned(),
                ordinal: details.ordinal,
                is_unnamed: matches!(details.name(), TaskName::Unnamed),
                parent,
                spawned_at: (index != ROOT).then_some(details.spawned_at),
            };
            log.tasks.insert(self.tasks.get(index).stream, info);
        }
    }

    pub(super) fn task_id(&self, index: u32) -> TaskId {
        TaskId::new(self.run, self.tasks.get(index).generation, index)
    }

    /// Returns the stream of the running task, or the root between tasks.
    #[inline]
    pub(super) fn current_stream(&self) -> StreamId {
        self.running.map_or(StreamId::ROOT, |index| self.tasks.get(index).stream)
    }

    /// Ends the run, unless it has failed before.
    pub(super) fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }

    // Choices

    /// Has everything after so many events drawn from another seed.
    pub(super) fn reseed_later(&mut self, reseed: Option<Reseed>) {
        self.reseed = reseed.map(Box::new);
    }

    #[inline]
    fn reseed_if_due(&mut self) {
        if let Some(reseed) = &self.reseed
            && self.event_count >= reseed.after_events
        {
            self.choices.reseed(reseed.seed);
            self.reseed = None;
        }
    }

    /// Draws a choice and records it.
    #[track_caller]
    pub(super) fn draw(
        &mut self,
        site: Site,
        ordinal: u64,
        space: Space,
        location: Option<&'static Location<'static>>,
    ) -> Draw {
        self.draw_of(self.current_stream(), (site, ordinal), space, location)
    }

    /// As [`Core::draw`], for what is no task.
    #[track_caller]
    pub(super) fn draw_of(
        &mut self,
        task: StreamId,
        (site, ordinal): (Site, u64),
        space: Space,
        location: Option<&'static Location<'static>>,
    ) -> Draw {
        self.reseed_if_due();
        let key = Key::new(task, site, ordinal);
        let draw = self.choices.draw(key, space);
        let subject = key.folded();
        self.event(Event { kind: EventKind::Draw, task, subject, value: draw.value }, location);
        if let Some(log) = &mut self.log {
            let entry = log.entries.len().saturating_sub(1);
            if log.draws.len() < self.limits.logged_events {
                log.draws.push(LoggedDraw { draw, site: site.name(), location, entry });
            } else {
                log.dropped_count += 1;
            }
        }
        draw
    }

    // Ready tasks

    /// Marks a task as woken.
    #[inline]
    pub(super) fn wake(&mut self, task: TaskId) {
        if self.tasks.find(task).is_some() {
            self.wake_index(task.index());
        }
    }

    #[inline]
    pub(super) fn wake_index(&mut self, index: u32) {
        let slot = self.tasks.get_mut(index);
        match slot.state {
            TaskState::Running => self.wake_running(index),
            TaskState::Blocked => {
                let (domain, stream) = (slot.domain, slot.stream);
                self.make_ready(index, domain);
                if self.log.is_some() {
                    let waker = self.current_stream();
                    self.log_entry(waker, Happening::Woken { task: stream }, None);
                }
            }
            TaskState::Free
            | TaskState::Ready
            | TaskState::Held
            | TaskState::Closing
            | TaskState::Done => {}
        }
    }

    /// Puts a task at the back of the queue, or with its domain if that may not run.
    #[inline]
    pub(super) fn make_ready(&mut self, index: u32, domain: DomainId) {
        if self.domains.get(domain).is_running() {
            self.tasks.get_mut(index).state = TaskState::Ready;
            self.ready.push_back(index);
        } else {
            self.hold(index, domain);
        }
    }

    #[cold]
    #[inline(never)]
    fn hold(&mut self, index: u32, domain: DomainId) {
        self.tasks.get_mut(index).state = TaskState::Held;
        self.domains.get_mut(domain).held.push_back(index);
    }

    /// Counts a step; true when the run is over its limits and must stop.
    #[inline]
    pub(super) fn count_step(&mut self) -> bool {
        self.steps += 1;
        self.steps > self.fuse && self.blow_fuse()
    }

    /// Tells whether one more step is looked at more closely.
    #[inline]
    pub(super) fn is_at_fuse(&self) -> bool {
        self.steps >= self.fuse
    }

    #[cold]
    fn blow_fuse(&mut self) -> bool {
        if self.steps > self.limits.steps {
            let tasks = self.stalled_tasks(|_| true, Order::Steps);
            self.fail(Failure::StepLimit { steps: self.limits.steps, tasks });
        } else {
            let could_run = |state| matches!(state, TaskState::Ready | TaskState::Running);
            let tasks = self.stalled_tasks(could_run, Order::Steps);
            let steps = self.limits.steps_per_instant;
            self.fail(Failure::Livelock { steps, time: self.now, tasks });
        }
        true
    }

    #[inline]
    fn move_time(&mut self, to: VirtualTime) {
        assert!(self.now <= to, "time moved back: now={} to={to}", self.now);
        if self.now == to {
            return;
        }
        self.now = to;
        let by_instant = self.steps.saturating_add(self.limits.steps_per_instant);
        self.fuse = by_instant.min(self.limits.steps);
        let subject = to.as_nanos();
        let task = StreamId::ROOT;
        self.event(Event { kind: EventKind::Time, task, subject, value: 0 }, None);
    }

    // Decisions

    /// Takes the next task to run out of the queue, if one is ready.
    #[inline]
    pub(super) fn take_next(&mut self) -> Option<u32> {
        if let Some(chosen) = self.chosen.take() {
            return Some(chosen);
        }
        if self.ready.len() < 2 || self.is_plain {
            let alone = self.ready.pop_front();
            if !self.is_plain
                && let Some(index) = alone
            {
                self.tell_picker(index);
            }
            return alone;
        }
        let index = self.decide(self.last, None);
        Some(self.ready.remove(index))
    }

    /// Decides who goes on: the running task if there is one, or one of the queue. Returns the
    /// index among those, the running task first.
    #[cold]
    #[inline(never)]
    pub(super) fn decide(&mut self, step: (StreamId, u64), running: Option<u32>) -> usize {
        self.reseed_if_due();
        let key = Key::new(step.0, SCHEDULE, step.1);
        let candidates = Candidates { tasks: &self.tasks, ready: &self.ready, running };
        let count = candidates.count();
        let forced = self.choices.forced(key).map(StreamId::from_bits);
        let found = forced.and_then(|wanted| self.place_of(wanted, running));
        let index = match (forced, &mut self.picker) {
            (Some(_), _) => found.unwrap_or(0),
            (None, Some(picker)) if self.choices.fill() == Fill::Seeded => {
                let decision =
                    Decision { candidates: &candidates, can_continue: running.is_some() };
                let index = picker.pick(&decision);
                assert!(index < count, "strategy {picker:?} picked {index} of {count} candidates");
                index
            }
            (None, _) => self.choices.next_index(count).unwrap_or(0),
        };
        if forced.is_some()
            && let Some(picker) = &mut self.picker
        {
            picker.went_on(candidates.get(index));
        }
        if let Some(log) = &mut self.log {
            let (chosen, default) = (candidates.get(index).task, candidates.get(0).task);
            let others = (1..count.min(ALTERNATIVES_MAX)).map(|index| candidates.get(index).task);
            if log.decisions.len() < self.limits.logged_events {
                log.decisions.push(LoggedDecision {
                    key,
                    chosen,
                    default,
                    alternatives: others.collect(),
                    can_continue: running.is_some(),
                    is_stale: forced.is_some() && found.is_none(),
                    entry: log.entries.len(),
                });
            } else {
                log.dropped_count += 1;
            }
        }
        index
    }

    /// Tells the strategy of a task that goes on without having been picked.
    #[cold]
    pub(super) fn tell_picker(&mut self, index: u32) {
        if let Some(picker) = &mut self.picker {
            let slot = self.tasks.get(index);
            picker.went_on(Candidate { task: slot.stream, operation: slot.operation });
        }
    }

    /// Returns the index of a task that an override names among the candidates.
    fn place_of(&self, wanted: StreamId, running: Option<u32>) -> Option<usize> {
        let task = (*self.forced_tasks.get(&wanted)?)?;
        if self.tasks.get(task).stream != wanted {
            return None;
        }
        if running == Some(task) {
            return Some(0);
        }
        self.ready.position(task).map(|place| place + usize::from(running.is_some()))
    }

    // Nothing is ready

    /// Lets a settling task go on, or moves time to the next timers. Wakers that are not ours are
    /// put into `foreign`. False when there is nothing to wait for.
    pub(super) fn advance(&mut self, foreign: &mut Vec<Waker>) -> bool {
        if let Some(settling) = self.settling.pop_front() {
            match settling.target.task_or_waker() {
                Ok(task) => self.wake(task),
                Err(waker) => foreign.push(waker),
            }
            return true;
        }
        if !self.timers.has_foreground() {
            return false;
        }
        let Some(instant) = self.timers.expire(&mut self.due) else { return false };
        let instant = VirtualTime::from_nanos(instant).max(self.now);
        if instant > self.end_of_time {
            // What is due stays where it is until the end: a foreign waker is dropped unborrowed.
            let tasks = self.stalled_tasks(|_| true, Order::Table);
            let cycles = self.wait_cycles();
            self.fail(Failure::TimeLimit { limit: self.limits.time, tasks, cycles });
            return true;
        }
        self.move_time(instant);
        // Nearly always it is one: no buffer is moved for that.
        if self.due.len() == 1 {
            if let Some(timer) = self.due.pop_if(|timer| !timer.is_event()) {
                self.act(timer, foreign);
            }
        } else {
            let mut due = std::mem::take(&mut self.due);
            due.extract_if(.., |timer| !timer.is_event())
                .for_each(|timer| self.act(timer, foreign));
            self.due = due;
        }
        // Else what a world does between two instants of its own would have no bound.
        for _ in 0..self.due.len() {
            if self.count_step() {
                break;
            }
        }
        true
    }

    /// Does what a timer of a task or of a domain is set for.
    #[inline]
    fn act(&mut self, timer: DueTimer, foreign: &mut Vec<Waker>) {
        match timer.target {
            TimerTarget::Wake(target) => match target.task_or_waker() {
                Ok(task) => self.wake(task),
                Err(waker) => foreign.push(waker),
            },
            TimerTarget::EndBusy(domain) => self.run_or_stay_busy(domain),
            TimerTarget::Event(..) => unreachable!("the layer is told of its events"),
        }
    }

    /// Takes out all that was to be woken, to be dropped unborrowed.
    pub(super) fn take_wakers(&mut self) -> (Timers, Vec<DueTimer>, VecDeque<Settling>) {
        let timers = std::mem::replace(&mut self.timers, Timers::new());
        (timers, std::mem::take(&mut self.due), std::mem::take(&mut self.settling))
    }

    /// Fails the run because nothing can happen any more.
    pub(super) fn stall(&mut self) {
        let tasks = self.stalled_tasks(|_| true, Order::Table);
        let cycles = self.wait_cycles();
        self.fail(Failure::Deadlock { tasks, cycles });
    }

    // Domains

    /// Lets a domain that is not paused run, or keeps it busy until its time is over.
    pub(super) fn run_or_stay_busy(&mut self, domain: DomainId) {
        self.forget_end_of_busy(domain);
        let until = self.domains.get(domain).busy_until;
        if until <= self.now {
            self.domains.get_mut(domain).state = DomainState::Alive;
            self.release_held(domain);
            return;
        }
        let nanos = until.as_nanos();
        let target = TimerTarget::EndBusy(domain);
        let key = self.timers.set(nanos, nanos, DomainId::ROOT, target);
        let domain = self.domains.get_mut(domain);
        domain.state = DomainState::BusyUntil(until);
        domain.end_of_busy = Some(key);
    }

    /// Takes the timer off that would end the busy time of a domain.
    pub(super) fn forget_end_of_busy(&mut self, domain: DomainId) {
        if let Some(key) = self.domains.get_mut(domain).end_of_busy.take() {
            self.timers.cancel(key);
        }
    }

    /// Puts the ready tasks of a domain that runs again at the back of the queue.
    pub(super) fn release_held(&mut self, domain: DomainId) {
        for index in std::mem::take(&mut self.domains.get_mut(domain).held) {
            self.make_ready(index, domain);
        }
    }

    /// Takes the ready tasks of a domain that may not run out of the queue.
    pub(super) fn hold_ready(&mut self, domain: DomainId) {
        let tasks = &mut self.tasks;
        let held = &mut self.domains.get_mut(domain).held;
        if let Some(chosen) = self.chosen.take_if(|index| tasks.get(*index).domain == domain) {
            tasks.get_mut(chosen).state = TaskState::Held;
            held.push_back(chosen);
        }
        self.ready.retain(|index| {
            let slot = tasks.get_mut(index);
            let is_held = slot.domain == domain;
            if is_held {
                slot.state = TaskState::Held;
                held.push_back(index);
            }
            !is_held
        });
    }

    // Reports

    /// Describes the tasks in some states that have not ended.
    pub(super) fn stalled_tasks(
        &self,
        is_wanted: impl Fn(TaskState) -> bool,
        order: Order,
    ) -> Vec<StalledTask> {
        let holders = self.holdings.by_number();
        let mut tasks: Vec<StalledTask> = self
            .tasks
            .indices()
            .filter(|index| {
                let state = self.tasks.get(*index).state;
                state != TaskState::Done && is_wanted(state)
            })
            .map(|index| self.stalled_task(index, &holders))
            .collect();
        if let Order::Steps = order {
            tasks.sort_by_key(|task| std::cmp::Reverse(task.steps));
        }
        tasks
    }

    /// Describes the detached tasks that are alive.
    pub(super) fn leaked_tasks(&self) -> Vec<StalledTask> {
        let is_leaked = |index: &u32| {
            let slot = self.tasks.get(*index);
            slot.ownership == Ownership::Detached
                && slot.domain == DomainId::ROOT
                && !matches!(slot.state, TaskState::Closing | TaskState::Done)
                && !slot.is_cancelled
        };
        let holders = self.holdings.by_number();
        let leaked = self.tasks.indices().filter(is_leaked);
        leaked.map(|index| self.stalled_task(index, &holders)).collect()
    }

    pub(super) fn stalled_task(&self, index: u32, holders: &HoldersByNumber<'_>) -> StalledTask {
        let slot = self.tasks.get(index);
        let is_blocked = matches!(slot.state, TaskState::Blocked | TaskState::Closing);
        let wait = is_blocked.then(|| match self.tasks.wait(index) {
            Some(note) => self.describe_wait(note, holders),
            None => Wait::UNKNOWN,
        });
        StalledTask {
            name: self.tasks.path(index),
            spawned_at: (index != ROOT).then(|| Place::from(self.tasks.details(index).spawned_at)),
            steps: slot.steps,
            wait,
        }
    }

    /// Describes what the running task has noted in this poll that it waits for.
    pub(super) fn running_wait(&self) -> Wait {
        let note = self.running.and_then(|index| self.tasks.wait(index));
        note.map_or(Wait::UNKNOWN, |note| self.describe_wait(note, &self.holdings.by_number()))
    }

    fn path_of(&self, task: TaskId) -> Option<String> {
        let slot = self.tasks.get(task.index());
        (slot.generation == task.generation()).then(|| self.tasks.path(task.index()))
    }

    fn describe_wait(&self, note: WaitNote, holders: &HoldersByNumber<'_>) -> Wait {
        let waits_at = note.at.map(Place::from);
        let other = |verb, kind, name| Wait {
            verb,
            kind,
            name,
            waits_at: waits_at.clone(),
            ..Wait::UNKNOWN
        };
        match note.subject {
            WaitSubject::Resource { number, used } => {
                let Use { resource, verb } = self.tasks.use_of(used);
                let grants = holders.get(&number).copied();
                Wait {
                    verb: verb.name,
                    kind: resource.kind,
                    name: match resource.name {
                        Some(name) => Some(name.to_owned()),
                        None => self.name_by_layer(number),
                    },
                    made_at: resource.made_at.map(Place::from),
                    waits_at,
                    holders: grants.map_or_else(Vec::new, |grants| self.holders_of(grants)),
                    holder_count: grants.map_or(0, |grants| grants.iter().count()),
                }
            }
            WaitSubject::Task(task) => other("join", "Task", self.path_of(task)),
            WaitSubject::Cleanup(task) => other("cleanup", "Task", self.path_of(task)),
            WaitSubject::Timer(deadline) => {
                other("sleep", "Timer", Some(VirtualTime::from_nanos(deadline).to_string()))
            }
            WaitSubject::OtherTasks => other("settle", "Tasks", None),
        }
    }
}

/// What few runs have.
#[derive(Debug, Default)]
pub(super) struct Seldom {
    /// Numbers of the resources that were made outside of the run, by where they were made.
    pub(super) outsiders: BTreeMap<(u64, u64), u64>,
    /// What is called between steps.
    pub(super) probes: Option<Box<Probes>>,
}

/// One wait until all others are blocked.
#[derive(Debug)]
pub(super) struct Settling {
    /// Unlike that of any other wait in any live run.
    pub(super) ticket: u64,
    pub(super) task: u32,
    pub(super) target: WakeTarget,
}

/// In which order a report lists tasks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// Those with most steps first.
    Steps,
    /// As they stand in the table.
    Table,
}

struct Candidates<'a> {
    tasks: &'a TaskTable,
    ready: &'a ReadyQueue,
    running: Option<u32>,
}

impl CandidateList for Candidates<'_> {
    fn count(&self) -> usize {
        self.ready.len() + usize::from(self.running.is_some())
    }

    fn get(&self, index: usize) -> Candidate {
        let task = match (self.running, index) {
            (Some(running), 0) => running,
            (Some(_), index) => self.ready.get(index - 1),
            (None, index) => self.ready.get(index),
        };
        let slot = self.tasks.get(task);
        Candidate { task: slot.stream, operation: slot.operation }
    }
}

/// Most candidates that the log keeps of one decision.
const ALTERNATIVES_MAX: usize = 32;
