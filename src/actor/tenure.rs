//! The right to a cell: who has it starts incarnations of the actor and ends it for good.
//!
//! An actor that was spawned has its own, in its task. A supervisor has those of its children: they
//! outlive each incarnation, so that references stay valid and messages wait. However one is dropped, by a
//! machine that dies or with the run, the cell has ended then, and nobody waits for it in vain.

use std::borrow::Cow;
use std::mem;
use std::panic::Location;
use std::sync::Arc;

use super::any_ref::AnyRef;
use super::behaviour::Actor;
use super::cell::{AnyCell as _, Cell};
use super::current::Inside;
use super::dead_letters::Undelivered;
use super::error::NameTaken;
use super::exit::ExitReason;
use super::farewell::{self, News};
use super::mailbox::Mailbox;
use super::message::short_name;
use super::names;
use super::reference::ActorRef;
use super::reply::died;
use super::run::live;
use super::state::{Activity, Phase, State};
use super::system::System;
use crate::backend::{self, SpawnOptions};
use crate::sync::oneshot;

/// The right to a cell. See the page of the module.
pub(crate) struct Tenure<A: Actor> {
    cell: Arc<Cell<A>>,
}

/// Whom an incarnation tells how it goes.
pub(crate) enum Owner<A: Actor> {
    /// Nobody but who waits for its start: it ends its cell itself.
    Alone { tenure: Tenure<A>, started: Started },
    /// A supervisor, by functions that are called in the task of the incarnation, one after the other. Neither
    /// is called when the machine dies.
    Kept(Box<Keeper>),
}

/// Who keeps the cell of an incarnation.
pub(crate) struct Keeper {
    started: Option<OnStart>,
    ended: OnEnd,
}

/// Who waits for the start of an actor that nobody owns.
pub(crate) enum Started {
    Awaited(oneshot::Sender<Result<(), ExitReason>>),
    Overlooked,
    /// Whoever waited knows that it failed.
    FailureTold,
}

/// Called with how the start went. If it failed, `ended` is called later too.
pub(crate) type OnStart = Box<dyn FnOnce(Result<(), ExitReason>)>;
/// Called when the incarnation is gone: its children too, and whoever monitors it has been told.
pub(crate) type OnEnd = Box<dyn FnOnce(ExitReason)>;

impl<A: Actor> Tenure<A> {
    /// Makes a cell, on the machine of the running task, of which there is no incarnation yet. Messages to it
    /// wait.
    ///
    /// # Errors
    /// [`NameTaken`].
    #[track_caller]
    pub(crate) fn new(
        name: Option<Cow<'static, str>>,
        mailbox: Option<Mailbox>,
    ) -> Result<Self, NameTaken> {
        let system = System::here("parcae::actor::spawn");
        let cell = Cell::<A>::new(system, name, mailbox.unwrap_or(A::MAILBOX));
        if names::register(&cell) {
            return Ok(Self { cell });
        }
        // It never was: nobody has a reference.
        cell.mailbox.change(|state| state.core.phase = Phase::Over);
        Err(NameTaken { name: cell.name.as_deref().cloned().unwrap_or_default() })
    }

    pub(crate) fn actor_ref(&self) -> ActorRef<A> {
        ActorRef::local(self.cell.clone())
    }

    pub(crate) fn any_ref(&self) -> AnyRef {
        self.cell.any_ref()
    }

    pub(super) fn cell(&self) -> &Arc<Cell<A>> {
        &self.cell
    }

    /// Starts the next incarnation, whose cell stays when it ends. The one before has to have ended.
    ///
    /// To link it, call [`AnyRef::link`] with [`Tenure::any_ref`] before this: links made between
    /// incarnations are of the next one.
    #[track_caller]
    pub(crate) fn launch(&self, args: A::Args, started: OnStart, ended: OnEnd) {
        self.cell.mailbox.change(|state| state.core.is_kept = true);
        let owner = Owner::Kept(Box::new(Keeper { started: Some(started), ended }));
        launch(&self.cell, args, owner, Location::caller());
    }

    /// Drops the messages that wait between two incarnations: they are dead letters, and asks fail.
    pub(crate) fn drop_messages(&self, reason: &ExitReason) {
        let letters = self.cell.mailbox.change(State::take_all);
        for letter in letters {
            self.cell.bury(letter, Undelivered::Restarted, None, died(reason));
        }
    }

    /// Ends the cell for good, between two incarnations or before the first: its name is free, what waits
    /// is dead letters, and `exited` gives this reason.
    pub(crate) fn end(self, reason: &ExitReason) {
        farewell::end_and_tell(&self.cell, reason);
    }

    /// As [`Tenure::end`], for a cell whose last incarnation ends itself.
    pub(super) fn finish(&self, reason: &ExitReason) -> News {
        farewell::end_cell(&self.cell, reason)
    }
}

impl<A: Actor> Drop for Tenure<A> {
    fn drop(&mut self) {
        if self.cell.mailbox.read(|state| state.core.phase == Phase::Over) {
            return;
        }
        let is_dead = self.cell.is_home_dead();
        if !is_dead && let Some(name) = &self.cell.name {
            self.cell.system.release(name, &self.cell.any_ref());
        }
        let reason = if is_dead { ExitReason::NodeDown } else { ExitReason::Killed };
        self.cell.end_silently(&reason);
    }
}

impl<A: Actor> Owner<A> {
    pub(super) fn tell_started(&mut self, result: Result<(), ExitReason>) {
        match self {
            Self::Alone { started, .. } => {
                let is_failure = result.is_err();
                if let Started::Awaited(sender) = mem::replace(started, Started::Overlooked)
                    && sender.send(result).is_ok()
                    && is_failure
                {
                    *started = Started::FailureTold;
                }
            }
            Self::Kept(keeper) => {
                if let Some(call) = keeper.started.take() {
                    call(result);
                }
            }
        }
    }

    pub(super) fn tell_ended(self, reason: ExitReason) {
        if let Self::Kept(keeper) = self {
            (keeper.ended)(reason);
        }
    }

    pub(super) fn is_observed(&self) -> bool {
        matches!(self, Self::Kept(_) | Self::Alone { started: Started::FailureTold, .. })
    }
}

/// Starts the next incarnation of a cell.
pub(crate) fn launch<A: Actor>(
    cell: &Arc<Cell<A>>,
    args: A::Args,
    owner: Owner<A>,
    at: &'static Location<'static>,
) {
    begin(cell);
    let task = Inside::new(cell.clone(), live(cell.clone(), args, owner, at));
    let options = SpawnOptions::new(Some(task_name(cell)), at);
    backend::spawn_try("parcae::actor::spawn", task, options).detach(true);
}

/// Notes that the next incarnation begins. Kills and stops that came too late for the last one are
/// forgotten: they were not meant for this one.
pub(crate) fn begin<A: Actor>(cell: &Cell<A>) {
    cell.forget_kill();
    let stops = cell.mailbox.change(|state| {
        assert!(
            state.core.phase == Phase::Waiting,
            "an actor is started when the last one has ended"
        );
        state.core.phase = Phase::Starting;
        state.core.incarnation += 1;
        state.core.activity = Activity::Between;
        state.core.is_draining = false;
        state.take_stops()
    });
    // Dropped where the state is not held: reasons are the user's.
    drop(stops);
}

pub(crate) fn task_name<A: Actor>(cell: &Cell<A>) -> Cow<'static, str> {
    cell.name.as_deref().cloned().unwrap_or(Cow::Borrowed(short_name::<A>()))
}

#[cfg(all(test, feature = "simulation"))]
mod tests;
