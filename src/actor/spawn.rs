//! Making actors.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;

use super::any_ref::AnyRef;
use super::behaviour::Actor;
use super::current::{Inside, current};
use super::error::{NameTaken, StartError};
use super::exit::ExitReason;
use super::mailbox::Mailbox;
use super::reference::ActorRef;
use super::run::live;
use super::tenure::{Owner, Started, Tenure, begin, launch, task_name};
use crate::backend::{self, SpawnOptions};
use crate::sync::oneshot;
use crate::task::Worker;

/// Starts an actor, on the machine and the worker of the caller.
///
/// Its `start` runs in a task of its own; messages may be sent at once. It goes on until it ends or is told
/// to; what it is doing when the program ends is dropped. If it fails and nobody observes that (no link, no
/// monitor, nobody who waits in [`AnyRef::exited`], no supervisor), the run fails.
///
/// # Panics
/// Outside of a parcae runtime.
#[track_caller]
pub fn spawn<A: Actor>(args: A::Args) -> ActorRef<A> {
    match build::<A>(args).start() {
        Ok(actor) => actor,
        Err(_) => unreachable!("it has no name that could be taken"),
    }
}

/// Starts an actor with a name, by which [`whereis`](super::whereis) finds it and reports call it.
///
/// # Errors
/// [`NameTaken`] when an actor of its machine has this name.
///
/// # Panics
/// Outside of a parcae runtime.
#[track_caller]
pub fn spawn_named<A: Actor>(
    name: impl Into<Cow<'static, str>>,
    args: A::Args,
) -> Result<ActorRef<A>, NameTaken> {
    build::<A>(args).name(name).start()
}

/// Starts an actor, and waits until its `start` has returned.
///
/// # Errors
/// [`StartError`] with the reason when it ended before. That is observed then.
///
/// # Cancel safety
/// The actor is started when the future is polled first, and goes on when the future is dropped.
///
/// # Panics
/// Outside of a parcae runtime.
pub async fn spawn_ready<A: Actor>(args: A::Args) -> Result<ActorRef<A>, StartError> {
    build::<A>(args).ready().await
}

/// Describes an actor that is about to be started.
pub fn build<A: Actor>(args: A::Args) -> ActorBuilder<'static, A> {
    ActorBuilder { args, name: None, mailbox: None, links: Vec::new(), siblings: None }
}

/// An actor that is about to be started.
#[must_use = "a builder does nothing before `start`"]
pub struct ActorBuilder<'a, A: Actor> {
    args: A::Args,
    name: Option<Cow<'static, str>>,
    mailbox: Option<Mailbox>,
    links: Vec<AnyRef>,
    siblings: Option<&'a mut Vec<AnyRef>>,
}

impl<A: Actor> ActorBuilder<'_, A> {
    /// Gives it a name.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Gives it another mailbox than its type has.
    pub fn mailbox(mut self, mailbox: Mailbox) -> Self {
        self.mailbox = Some(mailbox);
        self
    }

    /// Links it to the actor that starts it, before it starts. Outside of actors nothing happens.
    pub fn link(mut self) -> Self {
        self.links.extend(current());
        self
    }

    pub(crate) fn child_of(
        self,
        parent: AnyRef,
        siblings: &mut Vec<AnyRef>,
    ) -> ActorBuilder<'_, A> {
        let Self { args, name, mailbox, mut links, .. } = self;
        links.push(parent);
        ActorBuilder { args, name, mailbox, links, siblings: Some(siblings) }
    }

    /// Starts it, on the machine and the worker of the caller.
    ///
    /// # Errors
    /// [`NameTaken`] when an actor of its machine has this name.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn start(self) -> Result<ActorRef<A>, NameTaken> {
        self.start_with(Started::Overlooked, Location::caller())
    }

    /// Starts it on another worker; in the simulation that is the only one there is.
    ///
    /// # Errors
    /// [`NameTaken`] when an actor of its machine has this name.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn start_on(self, worker: &Worker) -> Result<ActorRef<A>, NameTaken>
    where
        A::Args: Send,
    {
        let at = Location::caller();
        let (args, tenure) = self.settle()?;
        let (actor, cell) = (tenure.actor_ref(), tenure.cell().clone());
        begin(&cell);
        let options = SpawnOptions::new(Some(task_name(&cell)), at);
        let task = move || {
            let owner = Owner::Alone { tenure, started: Started::Overlooked };
            // What it ends with is told where it runs.
            let life = Inside::new(cell.clone(), live(cell, args, owner, at));
            async move {
                let ended = life.await;
                assert!(ended.is_ok(), "an actor failed and nobody observed it: {ended:?}");
            }
        };
        backend::spawn_on("parcae::actor::start_on", worker.inner(), task, options).detach(true);
        Ok(actor)
    }

    /// Starts it, and waits until its `start` has returned.
    ///
    /// # Errors
    /// [`StartError`]. That it failed to start is observed then.
    ///
    /// # Cancel safety
    /// The actor is started when the future is polled first, and goes on when the future is dropped.
    pub async fn ready(self) -> Result<ActorRef<A>, StartError> {
        let (sender, receiver) = oneshot::channel();
        let actor = self.start_with(Started::Awaited(sender), Location::caller())?;
        match receiver.await {
            Ok(Ok(())) => Ok(actor),
            Ok(Err(reason)) => {
                // Its name is free when this is told.
                drop(actor.exited().await);
                Err(StartError::Ended(reason))
            }
            Err(_) => Err(StartError::Ended(ExitReason::Killed)),
        }
    }

    #[track_caller]
    fn start_with(
        self,
        started: Started,
        at: &'static Location<'static>,
    ) -> Result<ActorRef<A>, NameTaken> {
        let (args, tenure) = self.settle()?;
        let (actor, cell) = (tenure.actor_ref(), tenure.cell().clone());
        launch(&cell, args, Owner::Alone { tenure, started }, at);
        Ok(actor)
    }

    /// Makes the cell, with its links.
    #[track_caller]
    fn settle(self) -> Result<(A::Args, Tenure<A>), NameTaken> {
        let Self { args, name, mailbox, links, siblings } = self;
        let tenure = Tenure::new(name, mailbox)?;
        let own = tenure.any_ref();
        for link in &links {
            link.link(&own);
        }
        if let Some(siblings) = siblings {
            siblings.push(own);
        }
        Ok((args, tenure))
    }
}

impl<A: Actor> fmt::Debug for ActorBuilder<'_, A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ActorBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}
