//! What an actor can do besides handling messages.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::any_ref::AnyRef;
use super::behaviour::{Actor, Respond};
use super::cell::{AnyCell as _, Cell};
use super::dead_letters::{DeadLetter, Undelivered};
use super::envelope::{Letter, Told};
use super::exit::ExitReason;
use super::future_slot::Sealed;
use super::message::Message;
use super::recipient::tell_cell;
use super::reference::ActorRef;
use super::reply::ReplyTo;
use super::signal::MonitorId;
use super::spawn::{ActorBuilder, build};
use super::timers::{TimerKey, Timers, nanos};
use crate::backend::{Timer, local_now};
use crate::task::{Builder, Task};

/// What an actor has of itself: its references, children, links, timers and tasks. All of them end with
/// this incarnation of it.
pub struct Context<A: Actor> {
    pub(crate) cell: Arc<Cell<A>>,
    pub(crate) cold: Option<Box<Cold<A>>>,
}

/// What few actors have.
pub(crate) struct Cold<A: Actor> {
    /// It ends for this reason when its handler has returned.
    pub(crate) stop: Option<ExitReason>,
    pub(crate) children: Vec<AnyRef>,
    pub(crate) tasks: Vec<Task<()>>,
    pub(crate) monitored: Vec<(MonitorId, AnyRef)>,
    pub(crate) timers: Timers<A>,
    /// Wakes it for the next of them, while it waits for what comes.
    pub(crate) timer: Option<Timer>,
    pub(crate) stash: Vec<Sealed<A>>,
    /// Waited for at the farewell when its children are gone, also after a kill.
    pub(crate) last_wait: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

impl<A: Actor> Context<A> {
    pub(crate) fn new(cell: Arc<Cell<A>>) -> Self {
        Self { cell, cold: None }
    }

    pub(crate) fn cold(&mut self) -> &mut Cold<A> {
        self.cold.get_or_insert_with(|| {
            Box::new(Cold {
                stop: None,
                children: Vec::new(),
                tasks: Vec::new(),
                monitored: Vec::new(),
                timers: Timers::new(),
                timer: None,
                stash: Vec::new(),
                last_wait: None,
            })
        })
    }

    /// Takes why it is to end, if it has said so.
    #[inline]
    pub(crate) fn take_stop(&mut self) -> Option<ExitReason> {
        self.cold.as_mut().and_then(|cold| cold.stop.take())
    }

    /// Returns a reference to itself.
    #[must_use]
    pub fn me(&self) -> ActorRef<A> {
        ActorRef::local(self.cell.clone())
    }

    /// Returns a reference to itself, without its type.
    #[must_use]
    pub fn any(&self) -> AnyRef {
        self.cell.any_ref()
    }

    /// Tells how often it was started, this time included.
    #[must_use]
    pub fn incarnation(&self) -> u32 {
        self.cell.mailbox.read(|state| state.core.incarnation)
    }

    /// Ends it normally, when this handler has returned. Messages that wait are not handled.
    pub fn stop(&mut self) {
        self.stop_for(ExitReason::Normal);
    }

    /// Ends it for this reason, when this handler has returned.
    pub fn stop_for(&mut self, reason: ExitReason) {
        self.cold().stop.get_or_insert(reason);
    }

    /// Has its end wait for a future, whatever it ends by: nobody hears of the end before. The future must
    /// not wait for anything that a kill could keep from coming.
    pub(crate) fn wait_at_the_end(&mut self, future: impl Future<Output = ()> + 'static) {
        self.cold().last_wait = Some(Box::pin(future));
    }

    // Others

    /// Starts a child: an actor that is linked to this one, and that is stopped when this one ends, before
    /// anybody learns of that. Children are stopped in the reverse order, each within 5 seconds or killed.
    #[track_caller]
    pub fn spawn<C: Actor>(&mut self, args: C::Args) -> ActorRef<C> {
        match self.build::<C>(args).start() {
            Ok(child) => child,
            Err(_) => unreachable!("it has no name that could be taken"),
        }
    }

    /// Describes a child, with a name or a mailbox of its own.
    pub fn build<C: Actor>(&mut self, args: C::Args) -> ActorBuilder<'_, C> {
        let own = self.any();
        let children = &mut self.cold().children;
        if children.len() >= CHILDREN_SWEPT && children.len().is_power_of_two() {
            children.retain(|child| !child.is_ended());
        }
        build::<C>(args).child_of(own, children)
    }

    /// Links it to another actor: each gets a signal when the other one ends. One that has ended already
    /// gives its signal at once, with [`ExitReason::NoProc`]. Two actors have one link at most.
    pub fn link(&self, other: &AnyRef) {
        other.link(&self.any());
    }

    /// Takes the link to another actor away, on both sides. No signal of it comes later.
    pub fn unlink(&self, other: &AnyRef) {
        other.unlink(&self.any());
    }

    /// Has this actor get one [`Signal::Down`](super::Signal::Down) when the other one ends, or at once
    /// when it has. Each monitor is one of its own.
    pub fn monitor(&mut self, other: &AnyRef) -> MonitorId {
        let own = self.any();
        let mut id = 0;
        self.cell.mailbox.change(|state| {
            let cold = state.core.cold();
            cold.next_monitor += 1;
            id = cold.next_monitor;
        });
        let id = MonitorId(id);
        let monitored = &mut self.cold().monitored;
        if monitored.len() >= CHILDREN_SWEPT && monitored.len().is_power_of_two() {
            monitored.retain(|(_, other)| !other.is_ended());
        }
        monitored.push((id, other.clone()));
        other.monitor(&own, id);
        id
    }

    /// Takes a monitor back: no signal of it comes later, also if one waits.
    pub fn demonitor(&mut self, monitor: MonitorId) {
        let own = self.any();
        let monitored = &mut self.cold().monitored;
        let Some(place) = monitored.iter().position(|(id, _)| *id == monitor) else { return };
        let (_, other) = monitored.remove(place);
        other.demonitor(&own, monitor);
    }

    // Work beside the messages

    /// Runs a future beside the messages, until it ends or this incarnation does. It cannot touch the
    /// actor; [`Context::pipe`] lets its result come back.
    #[track_caller]
    pub fn task(&mut self, future: impl Future<Output = ()> + 'static) {
        let task = Builder::new().spawn(future);
        let tasks = &mut self.cold().tasks;
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }

    /// Runs a future beside the messages, and has its result handled as a message. It has a place in the
    /// mailbox whatever the bound.
    #[track_caller]
    pub fn pipe<F, M>(&mut self, future: F, map: impl FnOnce(F::Output) -> M + 'static)
    where
        F: Future + 'static,
        M: Message,
        A: Respond<M>,
    {
        let cell = Arc::downgrade(&self.cell);
        self.task(async move {
            let message = map(future.await);
            if let Some(cell) = cell.upgrade()
                && tell_cell(&cell, message, true).is_err()
            {
                let (to, kind) = (cell.label(), M::kind());
                cell.system.bury(DeadLetter { to, kind, why: Undelivered::Closed, from: None });
            }
        });
    }

    // Timers

    /// Has a message come to this actor after so long, in the place of a timer of the same key. It goes
    /// before the messages that wait then.
    #[track_caller]
    pub fn notify_after<M: Message>(
        &mut self,
        key: impl Into<TimerKey>,
        after: Duration,
        message: M,
    ) where
        A: Respond<M>,
    {
        let deadline = local_now("Context::notify_after").saturating_add(nanos(after));
        let letter = Sealed::new(Told(message));
        self.cold().timers.set_once(key.into(), deadline, letter);
    }

    /// Has a message come again and again, in the place of a timer of the same key. What was missed while
    /// a handler took longer comes once.
    #[track_caller]
    pub fn notify_every<M: Message + Clone>(
        &mut self,
        key: impl Into<TimerKey>,
        period: Duration,
        message: M,
    ) where
        A: Respond<M>,
    {
        let now = local_now("Context::notify_every");
        let make = move || Sealed::new(Told(message.clone()));
        self.cold().timers.set_every(key.into(), now, period, Box::new(make));
    }

    /// Takes a timer back: its message does not come. Tells whether there was one.
    pub fn cancel(&mut self, key: impl Into<TimerKey>) -> bool {
        let Some(cold) = &mut self.cold else { return false };
        cold.timers.cancel(&key.into())
    }

    /// Has [`Actor::on_idle`] called when no message has come for so long, again and again; none ends that.
    #[track_caller]
    pub fn set_idle_timeout(&mut self, after: Option<Duration>) {
        let now = local_now("Context::set_idle_timeout");
        self.cold().timers.set_idle(now, after);
    }

    // Stash

    /// Puts a message aside until [`Context::unstash_all`], as one that was told. Up to 10,000 have a
    /// place; with more it comes back.
    ///
    /// # Errors
    /// The message, when there is no place.
    pub fn stash<M: Message>(&mut self, message: M) -> Result<(), M>
    where
        A: Respond<M>,
    {
        self.stash_ask(message, ReplyTo::nobody()).map_err(|(message, _)| message)
    }

    /// Puts a message aside with the right to answer it, as [`Context::stash`] does.
    ///
    /// # Errors
    /// Both, when there is no place.
    pub fn stash_ask<M: Message>(
        &mut self,
        message: M,
        reply: ReplyTo<M::Reply>,
    ) -> Result<(), (M, ReplyTo<M::Reply>)>
    where
        A: Respond<M>,
    {
        let stash = &mut self.cold().stash;
        if stash.len() >= STASH_MAX {
            return Err((message, reply));
        }
        stash.push(Sealed::new(Letter { message, reply }));
        Ok(())
    }

    /// Has the messages that were put aside handled next, in the order in which they were put there.
    pub fn unstash_all(&mut self) {
        let Some(cold) = &mut self.cold else { return };
        let stash = std::mem::take(&mut cold.stash);
        self.put_in_front(stash);
    }

    /// Puts messages in front of those that wait.
    pub(crate) fn put_in_front(&self, letters: Vec<Sealed<A>>) {
        if letters.is_empty() {
            return;
        }
        self.cell.mailbox.change(|state| {
            let front = &mut state.apart().front;
            for letter in letters.into_iter().rev() {
                front.push_front(letter);
            }
        });
    }
}

impl<A: Actor> fmt::Debug for Context<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Context").field(&self.cell.label()).finish()
    }
}

const STASH_MAX: usize = 10_000;
const CHILDREN_SWEPT: usize = 64;
