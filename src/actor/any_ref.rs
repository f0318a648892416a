//! References to actors of any type: their life, not their messages.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::cell::AnyCell;
use super::current;
use super::error::AskError;
use super::exit::ExitReason;
use super::remote_target::RemoteTarget;
use super::reply::{FailSlot, died};
use super::signal::{Monitor, MonitorId, Signal, SystemEvent};
use super::state::{Activity, Phase};
use crate::sync::primitive::Wait;

/// A number that only one actor of its machine has, in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActorId(pub(crate) u64);

impl fmt::Display for ActorId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "#{}", self.0)
    }
}

/// How far an actor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActorStatus {
    /// It is about to be started, for the first time or again.
    Waiting,
    /// Its `start` runs.
    Starting,
    /// It handles messages.
    Running,
    /// It handles the messages that it has, and takes no more.
    Draining,
    /// It says its farewell.
    Stopping,
    /// It has ended for good.
    Ended,
}

/// What is known of an actor.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ActorInfo {
    /// Its number.
    pub id: ActorId,
    /// Its name, if it has one.
    pub name: Option<Cow<'static, str>>,
    /// The name of its type.
    pub kind: &'static str,
    /// How often it was started; 1 for the first time.
    pub incarnation: u32,
    /// How far it is.
    pub status: ActorStatus,
    /// How many messages wait.
    pub queued: usize,
    /// How many messages it has begun to handle, in all incarnations.
    pub handled: u64,
}

/// A reference to an actor of any type.
///
/// Two are equal if they are of the same actor.
#[derive(Clone)]
pub struct AnyRef(Place);

#[derive(Clone)]
enum Place {
    Local(Arc<dyn AnyCell>),
    Remote(Arc<dyn RemoteTarget>),
}

impl AnyRef {
    pub(crate) fn local(cell: Arc<dyn AnyCell>) -> Self {
        Self(Place::Local(cell))
    }

    /// Makes one of an actor on another machine.
    pub(crate) fn remote(target: Arc<dyn RemoteTarget>) -> Self {
        Self(Place::Remote(target))
    }

    /// Returns the cell of an actor on this machine.
    pub(crate) fn cell(&self) -> Option<&Arc<dyn AnyCell>> {
        match &self.0 {
            Place::Local(cell) => Some(cell),
            Place::Remote(_) => None,
        }
    }

    /// Returns its number on its machine.
    #[must_use]
    pub fn id(&self) -> ActorId {
        match &self.0 {
            Place::Local(cell) => cell.id(),
            Place::Remote(target) => target.id(),
        }
    }

    /// Returns its name, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Place::Local(cell) => cell.name(),
            Place::Remote(target) => Some(target.name()),
        }
    }

    /// Returns what reports call it: its name, or type and number.
    #[must_use]
    pub fn label(&self) -> Cow<'static, str> {
        match &self.0 {
            Place::Local(cell) => cell.label(),
            Place::Remote(target) => target.name().to_owned().into(),
        }
    }

    /// Tells it to end for this reason, when it has handled what the caller has sent it before. Messages
    /// of others that wait are not handled.
    #[track_caller]
    pub fn stop(&self, reason: ExitReason) {
        match &self.0 {
            Place::Local(cell) => {
                if cell.check_home() {
                    cell.push_event(SystemEvent::Stop(reason), current::sender());
                }
            }
            Place::Remote(target) => target.stop(reason),
        }
    }

    /// Tells it to take no more messages, and to end when it has handled those that wait.
    #[track_caller]
    pub fn drain(&self) {
        match &self.0 {
            Place::Local(cell) => {
                if cell.check_home() {
                    cell.drain();
                }
            }
            Place::Remote(target) => target.drain(),
        }
    }

    /// Ends it at once: its handler is dropped at its await, and it says no farewell.
    #[track_caller]
    pub fn kill(&self) {
        match &self.0 {
            Place::Local(cell) => {
                if cell.check_home() {
                    cell.kill();
                }
            }
            Place::Remote(target) => target.kill(),
        }
    }

    /// Waits until it has ended for good, and returns why.
    ///
    /// Whoever waits observes it: its failure does not fail the run.
    ///
    /// # Cancel safety
    /// Cancel safe.
    #[track_caller]
    pub fn exited(&self) -> Exited {
        Exited { target: self.clone(), wait: Wait::new() }
    }

    /// Tells how it is. Of an actor on another machine only the name is known.
    #[must_use]
    pub fn info(&self) -> ActorInfo {
        match &self.0 {
            Place::Local(cell) => cell.info(),
            Place::Remote(target) => target.info(),
        }
    }

    /// Tells whether it has ended for good.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        match &self.0 {
            Place::Local(cell) => cell.is_home_dead() || cell.info().status == ActorStatus::Ended,
            Place::Remote(target) => target.info().status == ActorStatus::Ended,
        }
    }

    // Links and monitors

    /// Links it to another actor: each gets a signal when the other one ends.
    pub(crate) fn link(&self, own: &Self) {
        if self == own {
            return;
        }
        match &self.0 {
            Place::Local(_) => {
                let gone = self.add_link(own);
                if gone {
                    let exit = Signal::Exit { from: self.clone(), reason: ExitReason::NoProc };
                    own.push_signal(exit, self);
                } else {
                    let _ = own.add_link(self);
                }
            }
            Place::Remote(target) => {
                let _ = own.add_link(self);
                target.link(own);
            }
        }
    }

    /// Notes a link; tells whether it has ended, so that there can be none.
    fn add_link(&self, other: &Self) -> bool {
        let Some(cell) = self.cell() else { return false };
        if cell.is_home_dead() {
            return true;
        }
        let mut other = Some(other.clone());
        let mut is_gone = false;
        cell.with_core(&mut |core| {
            is_gone = core.phase == Phase::Over;
            let links = &mut core.cold().links;
            if let Some(other) = other.take_if(|other| !is_gone && !links.contains(other)) {
                links.push(other);
            }
        });
        is_gone
    }

    /// Forgets a link, on both sides. No signal comes later.
    pub(crate) fn unlink(&self, own: &Self) {
        self.remove_link(own);
        own.remove_link(self);
        if let Place::Remote(target) = &self.0 {
            target.unlink(own);
        }
    }

    pub(crate) fn remove_link(&self, other: &Self) {
        let Some(cell) = self.cell() else { return };
        let mut removed = None;
        let mut stale = Vec::new();
        cell.with_core(&mut |core| {
            let cold = core.cold();
            let place = cold.links.iter().position(|link| link == other);
            removed = place.map(|place| cold.links.remove(place));
            while let Some(place) = cold.system.iter().position(|entry| {
                matches!(&entry.event,
                    SystemEvent::Signal(Signal::Exit { from, .. }) if from == other)
            }) {
                stale.push(cold.system.remove(place));
            }
        });
        drop((removed, stale));
    }

    /// Has it tell `watcher` when it ends.
    pub(crate) fn monitor(&self, watcher: &Self, id: MonitorId) {
        let mut monitor = Some(Monitor { id, watcher: watcher.clone() });
        let is_gone = match &self.0 {
            Place::Local(cell) if cell.is_home_dead() => true,
            Place::Local(cell) => {
                let mut is_gone = false;
                cell.with_core(&mut |core| {
                    is_gone = core.phase == Phase::Over;
                    if let Some(monitor) = monitor.take_if(|_| !is_gone) {
                        core.cold().monitors.push(monitor);
                    }
                });
                is_gone
            }
            Place::Remote(target) => {
                target.monitor(watcher, id);
                false
            }
        };
        if is_gone {
            let reason = ExitReason::NoProc;
            let down = Signal::Down { monitor: id, actor: self.clone(), reason };
            watcher.push_signal(down, self);
        }
    }

    /// Takes a monitor back: no signal of it comes later.
    pub(crate) fn demonitor(&self, watcher: &Self, id: MonitorId) {
        match &self.0 {
            Place::Local(cell) => {
                let mut removed = None;
                cell.with_core(&mut |core| {
                    let monitors = &mut core.cold().monitors;
                    let place =
                        monitors.iter().position(|one| one.id == id && one.watcher == *watcher);
                    removed = place.map(|place| monitors.remove(place));
                });
                drop(removed);
            }
            Place::Remote(target) => target.demonitor(watcher, id),
        }
        if let Some(cell) = watcher.cell() {
            cell.forget_down(self, id);
        }
    }

    /// Sends a signal as one of `from`: behind what that one has sent before.
    pub(crate) fn push_signal(&self, signal: Signal, from: &Self) {
        match &self.0 {
            Place::Local(cell) => {
                cell.push_event(SystemEvent::Signal(signal), current::sender_of(from.id()));
            }
            Place::Remote(target) => target.signal(signal),
        }
    }

    // Answers

    pub(crate) fn note_late_reply(&self) {
        if let Place::Local(cell) = &self.0 {
            cell.system().note_late_reply(cell.label());
        }
    }

    /// Takes over a question that was dropped: it is answered when it is known why.
    pub(crate) fn orphan(&self, slot: Arc<dyn FailSlot>) {
        let Place::Local(cell) = &self.0 else { return slot.fail(AskError::Dropped) };
        if cell.is_home_dead() {
            return slot.fail(AskError::NodeDown);
        }
        let mut slot = Some(slot);
        let mut error = AskError::Dropped;
        cell.with_core(&mut |core| {
            if core.activity == Activity::Busy {
                core.cold().orphans.extend(slot.take());
            } else if !matches!(core.phase, Phase::Starting | Phase::Running) {
                error = died(&core.reason().unwrap_or(ExitReason::Normal));
            }
        });
        if let Some(slot) = slot {
            slot.fail(error);
        }
    }
}

impl PartialEq for AnyRef {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Place::Local(own), Place::Local(other)) => Arc::ptr_eq(own, other),
            (Place::Remote(own), Place::Remote(other)) => own.is_same(&**other),
            _ => false,
        }
    }
}

impl Eq for AnyRef {}

impl fmt::Debug for AnyRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AnyRef({})", self.label())
    }
}

impl fmt::Display for AnyRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.label())
    }
}

/// Future of [`AnyRef::exited`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Exited {
    target: AnyRef,
    wait: Wait,
}

impl Future for Exited {
    type Output = ExitReason;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<ExitReason> {
        let this = &mut *self;
        match &this.target.0 {
            Place::Local(cell) => cell.poll_exited(&mut this.wait, context),
            Place::Remote(target) => target.poll_exited(context),
        }
    }
}

impl Drop for Exited {
    fn drop(&mut self) {
        if let Place::Local(cell) = &self.target.0 {
            cell.leave_exited(&mut self.wait);
        }
    }
}

impl fmt::Debug for Exited {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Exited").field(&self.target).finish()
    }
}
