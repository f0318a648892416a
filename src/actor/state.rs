//! What a mailbox is made of: two lanes, who waits for them, and what becomes of the actor.
//!
//! ```text
//!   waiting -> starting -> running -> stopping -> over
//!     ^                                   |
//!     `--------- kept by a supervisor ----'
//! ```
//!
//! **Order.** What one sender sends, messages and signals, is taken in the order in which it sent them; a
//! signal may overtake the messages of others. So a signal notes the number of the last message of its
//! sender that waits, and is due when that one has been taken. Numbers rise along the lane, whatever is
//! taken out of its middle.

use std::collections::VecDeque;
use std::panic::Location;
use std::sync::Arc;
use std::task::Waker;

use super::any_ref::AnyRef;
use super::behaviour::Actor;
use super::exit::ExitReason;
use super::future_slot::Sealed;
use super::mailbox::Overflow;
use super::reply::FailSlot;
use super::signal::{Monitor, MonitorId, Signal, SystemEvent};
use crate::backend::WakeTarget;
use crate::sync::primitive::WaitState;
use crate::sync::waiters::{Waiters, Wakes};

/// Who sent something: an actor, a task, or whoever is outside of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sender(pub(crate) u64);

/// How far an incarnation is, or the lack of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// There is no incarnation (yet).
    Waiting,
    Starting,
    Running,
    Stopping,
    /// There will be none.
    Over,
}

/// What the task of an incarnation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// It waits for something to come.
    Idle,
    /// A handler runs.
    Busy,
    /// Neither; also where there is no task.
    Between,
}

pub(crate) struct State<A: Actor> {
    pub(crate) user: VecDeque<Slot<A>>,
    /// Few actors have any, and the cell has to be small.
    pub(crate) apart: Option<Box<Apart<A>>>,
    pub(crate) core: CoreState,
}

/// Messages that are not in the lane.
pub(crate) struct Apart<A: Actor> {
    /// What was stashed and is taken first.
    pub(crate) front: VecDeque<Sealed<A>>,
    /// What a fault lost on its way: whoever asked waits.
    pub(crate) lost: Vec<Sealed<A>>,
}

/// A message that waits.
pub(crate) struct Slot<A: Actor> {
    pub(crate) envelope: Sealed<A>,
    pub(crate) sender: Sender,
    pub(crate) number: u64,
}

/// What does not depend on the type of the actor.
pub(crate) struct CoreState {
    pub(crate) capacity: u32,
    pub(crate) incarnation: u32,
    pub(crate) phase: Phase,
    pub(crate) overflow: Overflow,
    /// It takes no more messages, and ends when it has handled those that wait.
    pub(crate) is_draining: bool,
    /// The cell outlives its incarnations: messages are kept while one ends and none runs.
    pub(crate) is_kept: bool,
    pub(crate) activity: Activity,
    /// Wakes its task.
    pub(crate) task: Option<WakeTarget>,
    /// How many messages were put into the user lane.
    pub(crate) put_count: u64,
    pub(crate) handled_count: u64,
    pub(crate) cold: Option<Box<ColdState>>,
}

/// What few actors have.
#[derive(Default)]
pub(crate) struct ColdState {
    pub(crate) system: VecDeque<SystemEntry>,
    pub(crate) links: Vec<AnyRef>,
    pub(crate) monitors: Vec<Monitor>,
    pub(crate) next_monitor: u64,
    /// Those who wait for a place.
    pub(crate) senders: Waiters,
    /// Those who wait for the end.
    pub(crate) exited: Waiters,
    /// Questions that were dropped while a handler runs.
    pub(crate) orphans: Vec<Arc<dyn FailSlot>>,
    /// Whom its handler waits for an answer of, and to what.
    pub(crate) asking: Vec<Asking>,
    /// Why its last incarnation has ended or is about to.
    pub(crate) reason: Option<ExitReason>,
}

/// An ask that a handler waits for.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub(crate) number: u64,
    pub(crate) target: AnyRef,
    pub(crate) kind: &'static str,
    pub(crate) at: &'static Location<'static>,
}

/// What comes of an attempt to wait.
pub(crate) enum Idling {
    Done,
    /// It has to be known first who is woken.
    NeedsTarget,
    /// Something is due, or another task waited before.
    No,
}

pub(crate) struct SystemEntry {
    pub(crate) event: SystemEvent,
    /// The message that has to be taken before.
    pub(crate) after: Option<u64>,
}

impl CoreState {
    pub(crate) fn cold(&mut self) -> &mut ColdState {
        self.cold.get_or_insert_default()
    }

    /// Tells whether it takes messages.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        match self.phase {
            Phase::Waiting | Phase::Starting | Phase::Running => !self.is_draining,
            Phase::Stopping => self.is_kept && !self.is_draining,
            Phase::Over => false,
        }
    }

    /// Tells whether there are neither events, nor questions to be settled, nor those who wait for a place.
    #[inline]
    fn is_plain(&self) -> bool {
        self.cold.as_deref().is_none_or(|cold| {
            cold.system.is_empty() && cold.orphans.is_empty() && cold.senders.is_empty()
        })
    }

    /// Notes that something has come. Returns its task, if that waits.
    #[inline]
    pub(crate) fn take_idle(&mut self) -> Option<WakeTarget> {
        if self.activity != Activity::Idle {
            return None;
        }
        self.activity = Activity::Between;
        self.task.take()
    }

    /// Why it ends, as far as that is known.
    pub(crate) fn reason(&self) -> Option<ExitReason> {
        self.cold.as_ref()?.reason.clone()
    }
}

impl<A: Actor> State<A> {
    pub(crate) fn new(capacity: u32, overflow: Overflow) -> Self {
        let core = CoreState {
            capacity,
            incarnation: 0,
            phase: Phase::Waiting,
            overflow,
            is_draining: false,
            is_kept: false,
            activity: Activity::Between,
            task: None,
            put_count: 0,
            handled_count: 0,
            cold: None,
        };
        Self { user: VecDeque::new(), apart: None, core }
    }

    pub(crate) fn apart(&mut self) -> &mut Apart<A> {
        self.apart
            .get_or_insert_with(|| Box::new(Apart { front: VecDeque::new(), lost: Vec::new() }))
    }

    /// Tells whether a message that was stashed goes first.
    #[inline]
    fn has_front(&self) -> bool {
        self.apart.as_deref().is_some_and(|apart| !apart.front.is_empty())
    }

    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.user.len() < self.core.capacity as usize
    }

    /// Puts a message into the lane, without asking for a place.
    #[inline]
    pub(crate) fn push(&mut self, envelope: Sealed<A>, sender: Sender) {
        let number = self.core.put_count;
        self.core.put_count += 1;
        self.user.push_back(Slot { envelope, sender, number });
    }

    /// Puts an event into the system lane, behind what its sender has sent before.
    pub(crate) fn push_event(&mut self, event: SystemEvent, sender: Sender) {
        if self.core.phase == Phase::Over {
            return;
        }
        let own = self.user.iter().rev().find(|slot| slot.sender == sender);
        let after = own.map(|slot| slot.number);
        self.core.cold().system.push_back(SystemEntry { event, after });
    }

    /// Takes the first event that is due.
    pub(crate) fn take_event(&mut self) -> Option<SystemEvent> {
        let cold = self.core.cold.as_mut()?;
        if cold.system.is_empty() {
            return None;
        }
        let user = &self.user;
        let is_due = |entry: &SystemEntry| {
            entry.after.is_none_or(|after| {
                user.front().is_none_or(|front| front.number > after)
                    || user.binary_search_by_key(&after, |slot| slot.number).is_err()
            })
        };
        let place = cold.system.iter().position(is_due)?;
        cold.system.remove(place).map(|entry| entry.event)
    }

    /// Takes the first message.
    #[inline]
    pub(crate) fn take_message(&mut self) -> Option<Sealed<A>> {
        let first = self.apart.as_mut().and_then(|apart| apart.front.pop_front());
        if first.is_some() {
            return first;
        }
        self.user.pop_front().map(|slot| slot.envelope)
    }

    /// Lists the numbers of the first messages of all senders, unless stashed ones go first.
    pub(crate) fn first_of_senders(&self) -> Vec<u64> {
        if self.has_front() {
            return Vec::new();
        }
        let mut seen: Vec<Sender> = Vec::new();
        let mut first = Vec::new();
        for slot in &self.user {
            if !seen.contains(&slot.sender) {
                seen.push(slot.sender);
                first.push(slot.number);
            }
        }
        first
    }

    /// Takes a message out of the lane.
    pub(crate) fn take_numbered(&mut self, number: u64) -> Option<Sealed<A>> {
        let place = self.user.binary_search_by_key(&number, |slot| slot.number).ok()?;
        self.core.activity = Activity::Busy;
        self.core.handled_count += 1;
        self.user.remove(place).map(|slot| slot.envelope)
    }

    /// Takes all messages, in order.
    pub(crate) fn take_all(&mut self) -> Vec<Sealed<A>> {
        let apart = self.apart.as_mut();
        let front = apart.map(|apart| std::mem::take(&mut apart.front)).unwrap_or_default();
        let user = std::mem::take(&mut self.user);
        front.into_iter().chain(user.into_iter().map(|slot| slot.envelope)).collect()
    }

    pub(crate) fn queued_count(&self) -> usize {
        self.user.len() + self.apart.as_ref().map_or(0, |apart| apart.front.len())
    }

    /// Takes the stops that came too late for the last incarnation: they were not meant for the next.
    pub(crate) fn take_stops(&mut self) -> VecDeque<SystemEntry> {
        let Some(cold) = self.core.cold.as_mut() else { return VecDeque::new() };
        let events = std::mem::take(&mut cold.system);
        let (stops, others) =
            events.into_iter().partition(|entry| matches!(entry.event, SystemEvent::Stop(_)));
        cold.system = others;
        stops
    }

    /// Forgets what belongs to an incarnation that has ended: its links, and signals for it.
    pub(crate) fn forget_incarnation(&mut self) {
        let Some(cold) = self.core.cold.as_mut() else { return };
        cold.system.retain(|entry| matches!(entry.event, SystemEvent::Stop(_)));
        cold.asking.clear();
    }

    /// Takes a signal back that a monitor has sent.
    pub(crate) fn forget_down(&mut self, target: &AnyRef, gone: MonitorId) {
        let Some(cold) = self.core.cold.as_mut() else { return };
        cold.system.retain(|entry| match &entry.event {
            SystemEvent::Signal(Signal::Down { monitor, actor, .. }) => {
                *monitor != gone || actor != target
            }
            _ => true,
        });
    }

    /// Tells whether a message has a place at once: nobody waits for one before it.
    #[inline]
    pub(crate) fn has_place(&self) -> bool {
        self.core.is_open()
            && self.has_room()
            && self.core.cold.as_deref().is_none_or(|cold| cold.senders.is_empty())
    }

    /// Takes the first message, if nothing else is due and nobody waits for the place. Then a handler runs.
    #[inline]
    pub(crate) fn take_plain(&mut self) -> Option<Sealed<A>> {
        if self.has_front() || !self.core.is_plain() {
            return None;
        }
        let slot = self.user.pop_front()?;
        self.core.activity = Activity::Busy;
        self.core.handled_count += 1;
        Some(slot.envelope)
    }

    /// Lets its task wait, if nothing is due.
    #[inline]
    pub(crate) fn idle_plain(&mut self, waker: &Waker, target: &mut Option<WakeTarget>) -> Idling {
        let is_quiet = self.user.is_empty() && !self.has_front();
        let core = &mut self.core;
        if !is_quiet || core.is_draining || !core.is_plain() {
            return Idling::No;
        }
        match &core.task {
            Some(kept) if kept.will_wake(waker) => {}
            Some(_) => return Idling::No,
            None => {
                core.task = target.take().or_else(|| WakeTarget::of_task(waker));
                if core.task.is_none() {
                    return Idling::NeedsTarget;
                }
            }
        }
        core.activity = Activity::Idle;
        Idling::Done
    }

    /// Tells whether the system lane holds anything.
    pub(crate) fn has_event(&self) -> bool {
        self.core.cold.as_ref().is_some_and(|cold| !cold.system.is_empty())
    }

    fn has_news(&self) -> bool {
        !self.user.is_empty() || self.has_front() || self.core.is_draining || self.has_event()
    }
}

impl<A: Actor> WaitState for State<A> {
    #[inline]
    fn is_idle(&self) -> bool {
        let is_over = self.core.phase == Phase::Over;
        self.core.activity != Activity::Idle
            && self
                .core
                .cold
                .as_deref()
                .is_none_or(|cold| cold.senders.is_empty() && (!is_over || cold.exited.is_empty()))
    }

    #[inline]
    fn wake_due(&mut self, wakes: &mut Wakes) {
        if self.has_news()
            && let Some(task) = self.core.take_idle()
        {
            wakes.push(task);
        }
        let (is_open, has_room) = (self.core.is_open(), self.has_room());
        let is_over = self.core.phase == Phase::Over;
        let Some(cold) = &mut self.core.cold else { return };
        if !is_open {
            cold.senders.wake_all(wakes);
        } else if has_room {
            cold.senders.wake(0, wakes);
        }
        if is_over {
            cold.exited.wake_all(wakes);
        }
    }
}
