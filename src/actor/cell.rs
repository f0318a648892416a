//! What references point to: an actor's identity and mailbox, which outlive its incarnations.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as TaskContext, Poll};

use super::any_ref::{ActorId, ActorInfo, ActorStatus, AnyRef};
use super::behaviour::Actor;
use super::current;
use super::dead_letters::{DeadLetter, Undelivered};
use super::envelope::Envelope;
use super::error::AskError;
use super::exit::ExitReason;
use super::future_slot::Sealed;
use super::intercept::Verdict;
use super::mailbox::{Mailbox, Overflow};
use super::message::short_name;
use super::reply::{FailSlot, died};
use super::signal::{MonitorId, SystemEvent};
use super::state::{Activity, CoreState, Phase, Sender, State};
use super::system::System;
use crate::backend::{Home, Standing};
use crate::kernel::{Access, Verb};
use crate::sync::primitive::{Line, Primitive, Wait};

/// An actor as references know it.
pub(crate) struct Cell<A: Actor> {
    pub(crate) id: ActorId,
    /// In a box, because most have none.
    pub(crate) name: Option<Box<Cow<'static, str>>>,
    pub(crate) home: Home,
    pub(crate) system: System,
    is_killed: AtomicBool,
    pub(crate) mailbox: Primitive<State<A>>,
}

/// Why a message was not taken.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    Full,
    Closed(Option<ExitReason>),
}

/// What comes of putting a message: it is given back if it was not taken.
pub(crate) type Put<E> = Result<(), (E, Refusal)>;

/// What is left of a cell that has ended: messages, and questions that were dropped.
pub(crate) type Leftovers<A> = (Vec<Sealed<A>>, Vec<Arc<dyn FailSlot>>);

impl<A: Actor> Cell<A> {
    pub(crate) const SENDERS: Line<State<A>> =
        Line { verb: &SEND, waiters: |state| &mut state.core.cold().senders };
    pub(crate) const ASKERS: Line<State<A>> =
        Line { verb: &ASK, waiters: |state| &mut state.core.cold().senders };
    pub(crate) const EXITED: Line<State<A>> =
        Line { verb: &EXITED, waiters: |state| &mut state.core.cold().exited };

    #[track_caller]
    pub(crate) fn new(
        system: System,
        name: Option<Cow<'static, str>>,
        mailbox: Mailbox,
    ) -> Arc<Self> {
        assert!(mailbox.capacity > 0, "a mailbox of capacity 0 takes no message");
        let id = system.next_id();
        let capacity = system.capacity_of(name.as_deref(), mailbox.capacity);
        let primitive = Primitive::new(KIND, State::new(capacity, mailbox.overflow));
        let mailbox = match &name {
            Some(Cow::Borrowed(name)) => primitive.named(name),
            _ => primitive.named(short_name::<A>()),
        };
        let (home, name) = (system.home(), name.map(Box::new));
        Arc::new(Self { id, name, home, system, is_killed: AtomicBool::new(false), mailbox })
    }

    #[cold]
    #[track_caller]
    fn is_foreign(&self) -> ! {
        panic!(
            "`{}` was used on another machine than its own: let it have a name and a protocol, and \
             use `actor::remote`",
            self.label()
        )
    }

    /// Returns who sends to it, if its machine is alive. Panics where it must not be used.
    #[inline]
    #[track_caller]
    pub(crate) fn approach(&self) -> Option<Sender> {
        let (standing, task) = self.home.standing_of_task();
        match standing {
            Standing::Own | Standing::Visitor => Some(current::sender_or(task)),
            Standing::Dead => None,
            Standing::Foreign => self.is_foreign(),
        }
    }

    /// Puts a message into the mailbox, or gives it back. `is_sure` goes past the bound.
    #[inline]
    pub(crate) fn put<E>(self: &Arc<Self>, letter: E, sender: Sender, is_sure: bool) -> Put<E>
    where
        E: Envelope<A> + 'static,
    {
        // What an actor sends to itself is not on the way.
        if self.system.is_watched() && !is_sure {
            return self.put_watched(letter, sender);
        }
        let mut state = self.mailbox.hold();
        if state.has_place() {
            // Whoever waits for its end, or a place, is not concerned.
            state.push(Sealed::new(letter), sender);
            let task = state.core.take_idle();
            drop(state);
            if let Some(task) = task {
                task.wake();
            }
            return Ok(());
        }
        drop(state);
        self.put_from(letter, sender, is_sure)
    }

    #[inline(never)]
    fn put_from<E>(&self, letter: E, sender: Sender, is_sure: bool) -> Put<E>
    where
        E: Envelope<A> + 'static,
    {
        let mut letter = Some(letter);
        let overflow = self.mailbox.change(|state| {
            if !state.core.is_open() {
                return Some(Excess::Closed);
            }
            let waits = state.core.cold.as_ref().map_or(0, |cold| cold.senders.count());
            if !is_sure && (!state.has_room() || waits > 0) {
                return Some(Self::overflow(state));
            }
            if let Some(letter) = letter.take() {
                state.push(Sealed::new(letter), sender);
            }
            None
        });
        match (overflow, letter) {
            (Some(excess), Some(letter)) => self.refuse(letter, excess, sender),
            _ => Ok(()),
        }
    }

    fn overflow(state: &mut State<A>) -> Excess<A> {
        match state.core.overflow {
            Overflow::Reject | Overflow::Block => Excess::Full,
            Overflow::DropNewest => Excess::DropNewest,
            Overflow::DropOldest => {
                let oldest = state.user.pop_front();
                oldest.map_or(Excess::Full, |oldest| Excess::DropOldest(oldest.envelope))
            }
            Overflow::Stop => {
                let capacity = state.core.capacity;
                state.core.is_draining = false;
                let event = SystemEvent::Stop(ExitReason::Overflow { capacity });
                state
                    .core
                    .cold()
                    .system
                    .push_front(super::state::SystemEntry { event, after: None });
                Excess::Full
            }
        }
    }

    #[cold]
    fn refuse<E>(&self, letter: E, excess: Excess<A>, sender: Sender) -> Put<E>
    where
        E: Envelope<A> + 'static,
    {
        match excess {
            Excess::Full => Err((letter, Refusal::Full)),
            Excess::Closed => {
                let reason = self.mailbox.read(|state| {
                    (state.core.phase == Phase::Over).then(|| state.core.reason()).flatten()
                });
                Err((letter, Refusal::Closed(reason)))
            }
            Excess::DropNewest => {
                let letter = Sealed::new(letter);
                self.bury(letter, Undelivered::Overflow, Some(sender), AskError::Full);
                Ok(())
            }
            Excess::DropOldest(oldest) => {
                self.bury(oldest, Undelivered::Overflow, None, AskError::Full);
                self.put_from(letter, sender, false)
            }
        }
    }

    /// Puts a message into the mailbox while a fault may have its say.
    #[cold]
    fn put_watched<E>(self: &Arc<Self>, letter: E, sender: Sender) -> Put<E>
    where
        E: Envelope<A> + 'static,
    {
        let is_copyable = || letter.duplicate().is_some();
        match self.system.interception().judge(&self.label(), letter.kind(), &is_copyable) {
            Verdict::Deliver => self.put_from(letter, sender, false),
            Verdict::Drop => {
                // As lost on the way: whoever asked learns nothing.
                self.system.bury(self.dead_letter(letter.kind(), Undelivered::Fault, Some(sender)));
                self.keep_unanswered(letter);
                Ok(())
            }
            Verdict::Delay(duration) => {
                let cell = self.clone();
                let late = async move {
                    crate::time::sleep(duration).await;
                    if let Err((letter, _)) = cell.put_from(letter, sender, true) {
                        let (letter, error) = (Sealed::new(letter), AskError::NoProc);
                        cell.bury(letter, Undelivered::Ended, Some(sender), error);
                    }
                };
                crate::task::Builder::new().name("delayed message").spawn(late).background();
                Ok(())
            }
            Verdict::Duplicate => {
                let copy = letter.duplicate();
                self.put_from(letter, sender, false)?;
                self.mailbox.change(|state| {
                    if let Some(copy) = copy.filter(|_| state.core.is_open()) {
                        state.push(copy, sender);
                    }
                });
                Ok(())
            }
        }
    }

    /// A question that was lost on the way is not answered before the actor ends.
    fn keep_unanswered<E: Envelope<A> + 'static>(&self, letter: E) {
        let letter = Sealed::new(letter);
        self.mailbox.change(|state| state.apart().lost.push(letter));
    }

    /// Takes the message that a fault picks among the first ones of all senders.
    #[cold]
    pub(crate) fn take_picked(&self) -> Option<Sealed<A>> {
        let first = self.mailbox.read(State::first_of_senders);
        if first.len() < 2 {
            return None;
        }
        let picked = self.system.interception().pick(&self.label(), first.len());
        let number = *first.get(picked)?;
        self.mailbox.change(|state| state.take_numbered(number))
    }

    /// Puts what nobody will handle among the dead letters.
    pub(crate) fn bury(
        &self,
        letter: Sealed<A>,
        why: Undelivered,
        sender: Option<Sender>,
        error: AskError,
    ) {
        self.system.bury(self.dead_letter(letter.kind(), why, sender));
        super::exit::drop_caught(move_refused(letter, error));
    }

    fn dead_letter(
        &self,
        kind: &'static str,
        why: Undelivered,
        sender: Option<Sender>,
    ) -> DeadLetter {
        DeadLetter { to: self.label(), kind, why, from: sender.and_then(Sender::actor) }
    }

    #[inline]
    pub(crate) fn is_killed(&self) -> bool {
        self.is_killed.load(Ordering::Relaxed)
    }

    /// Lets the next incarnation live.
    pub(crate) fn forget_kill(&self) {
        self.is_killed.store(false, Ordering::Relaxed);
    }

    pub(crate) fn any_ref(self: &Arc<Self>) -> AnyRef {
        AnyRef::local(self.clone())
    }

    /// Ends it for good, without a word to anybody: its machine is gone, or its run.
    pub(crate) fn end_silently(&self, reason: &ExitReason) {
        let (letters, orphans) = self.close(reason);
        orphans.into_iter().for_each(|slot| slot.fail(died(reason)));
        for letter in letters {
            super::exit::drop_caught(move_refused(letter, died(reason)));
        }
    }

    /// Takes no more messages from here on; whoever waits for the end goes on.
    pub(crate) fn close(&self, reason: &ExitReason) -> Leftovers<A> {
        let (letters, orphans, rest) = self.mailbox.change(|state| {
            if state.core.phase == Phase::Over {
                return (Vec::new(), Vec::new(), None);
            }
            state.core.phase = Phase::Over;
            let cold = state.core.cold();
            cold.reason = Some(reason.clone());
            let orphans = std::mem::take(&mut cold.orphans);
            // Dropped where the state is not held: they hold references.
            let rest = (
                std::mem::take(&mut cold.system),
                std::mem::take(&mut cold.links),
                std::mem::take(&mut cold.monitors),
                std::mem::take(&mut cold.asking),
            );
            (state.take_all(), orphans, Some((rest, state.core.task.take())))
        });
        drop(rest);
        (letters, orphans)
    }
}

/// Refuses a letter, as a value whose drop does it where a panic is caught.
fn move_refused<A: Actor>(letter: Sealed<A>, error: AskError) -> impl Sized {
    Refused { letter: Some((letter, error)) }
}

struct Refused<A: Actor> {
    letter: Option<(Sealed<A>, AskError)>,
}

impl<A: Actor> Drop for Refused<A> {
    fn drop(&mut self) {
        if let Some((letter, error)) = self.letter.take() {
            letter.refuse(error);
        }
    }
}

enum Excess<A: Actor> {
    Full,
    Closed,
    DropNewest,
    DropOldest(Sealed<A>),
}

/// A [`Cell`] whose type is not known.
pub(crate) trait AnyCell: Send + Sync {
    fn id(&self) -> ActorId;
    /// Returns what reports call it.
    fn label(&self) -> Cow<'static, str>;
    fn name(&self) -> Option<&str>;
    fn system(&self) -> &System;
    /// Panics where it must not be used; tells whether its machine is alive.
    #[track_caller]
    fn check_home(&self) -> bool;
    fn is_home_dead(&self) -> bool;
    fn push_event(&self, event: SystemEvent, sender: Sender);
    fn kill(&self);
    fn drain(&self);
    fn info(&self) -> ActorInfo;
    /// Changes what does not depend on the type; no code of the user's may run.
    fn with_core(&self, change: &mut dyn FnMut(&mut CoreState));
    fn forget_down(&self, target: &AnyRef, monitor: MonitorId);
    fn poll_exited(&self, wait: &mut Wait, context: &TaskContext<'_>) -> Poll<ExitReason>;
    fn leave_exited(&self, wait: &mut Wait);
}

impl<A: Actor> AnyCell for Cell<A> {
    fn id(&self) -> ActorId {
        self.id
    }

    fn label(&self) -> Cow<'static, str> {
        match &self.name {
            Some(name) => Cow::clone(name),
            None => format!("{}{}", short_name::<A>(), self.id).into(),
        }
    }

    fn name(&self) -> Option<&str> {
        self.name.as_ref().map(|name| &***name)
    }

    fn system(&self) -> &System {
        &self.system
    }

    #[inline]
    #[track_caller]
    fn check_home(&self) -> bool {
        match self.home.standing() {
            Standing::Own | Standing::Visitor => true,
            Standing::Dead => false,
            Standing::Foreign => self.is_foreign(),
        }
    }

    fn is_home_dead(&self) -> bool {
        self.home.standing() == Standing::Dead
    }

    fn push_event(&self, event: SystemEvent, sender: Sender) {
        self.mailbox.change(|state| state.push_event(event, sender));
    }

    fn kill(&self) {
        let task = self.mailbox.change(|state| {
            if state.core.phase == Phase::Over {
                return None;
            }
            self.is_killed.store(true, Ordering::Relaxed);
            if state.core.activity == Activity::Idle {
                state.core.activity = Activity::Between;
            }
            state.core.task.take()
        });
        if let Some(task) = task {
            task.wake();
        }
    }

    fn drain(&self) {
        self.mailbox.change(|state| state.core.is_draining = true);
    }

    fn info(&self) -> ActorInfo {
        let (status, queued, handled, incarnation) = self.mailbox.read(|state| {
            let status = match state.core.phase {
                Phase::Waiting => ActorStatus::Waiting,
                Phase::Starting => ActorStatus::Starting,
                Phase::Running if state.core.is_draining => ActorStatus::Draining,
                Phase::Running => ActorStatus::Running,
                Phase::Stopping => ActorStatus::Stopping,
                Phase::Over => ActorStatus::Ended,
            };
            (status, state.queued_count(), state.core.handled_count, state.core.incarnation)
        });
        let name = self.name.as_deref().cloned();
        let kind = short_name::<A>();
        ActorInfo { id: self.id, name, kind, incarnation, status, queued, handled }
    }

    fn with_core(&self, change: &mut dyn FnMut(&mut CoreState)) {
        self.mailbox.change(|state| change(&mut state.core));
    }

    fn forget_down(&self, target: &AnyRef, monitor: MonitorId) {
        self.mailbox.change(|state| state.forget_down(target, monitor));
    }

    fn poll_exited(&self, wait: &mut Wait, context: &TaskContext<'_>) -> Poll<ExitReason> {
        wait.poll(context, &self.mailbox, &Self::EXITED, |state, _| {
            let is_over = state.core.phase == Phase::Over;
            is_over.then(|| state.core.reason().unwrap_or(ExitReason::NoProc))
        })
    }

    fn leave_exited(&self, wait: &mut Wait) {
        wait.leave(&self.mailbox, &Self::EXITED);
    }
}

impl<A: Actor> fmt::Debug for Cell<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Cell").field(&self.label()).finish()
    }
}

pub(crate) static RECEIVE: Verb = Verb::new("receive", Access::Write);
pub(crate) static SEND: Verb = Verb::new("send", Access::Write);
pub(crate) static ASK: Verb = Verb::new("ask", Access::Write);
static EXITED: Verb = Verb::new("exited", Access::Read);

const KIND: &str = "Actor";
