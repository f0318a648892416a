//! What outlives the incarnations of a supervisor, and one incarnation of it.
//!
//! A supervisor is two things: an actor, [`Control`], for whoever stops it, watches it or asks how it is,
//! and a task beside it in which the [`Keeper`] works. The actor has no messages but one, so it is never
//! behind; when it is stopped it has the keeper stop the children, and takes its leave when they are gone.
//! When it is killed it takes no leave, and the keeper kills the children. Either way nobody hears of its
//! end before they are gone.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use super::error::{SpecError, SupervisorError};
use super::keeper::{Event, Farewell, Inbox, Keeper, check_significance};
use super::roster::Rules;
use super::seat::Seat;
use crate::actor::intercept::OF_SUPERVISORS;
use crate::actor::tenure::{Owner, Started, Tenure, launch};
use crate::actor::{Actor, AnyRef, Context, ExitReason, Handler, Mailbox, Message};
use crate::sync;
use crate::sync::{TryPutError, oneshot};
use crate::task::{Task, spawn_named};

/// What outlives the incarnations of a supervisor.
pub(super) struct Tree {
    pub(super) name: String,
    rules: Rules,
    children_max: usize,
    any: AnyRef,
    /// Of the actor; taken by its only incarnation where it has no supervisor.
    tenure: RefCell<Option<Tenure<Control>>>,
    /// The children of the specification, while no incarnation has them.
    seats: RefCell<Vec<Box<dyn Seat>>>,
    /// That of the present incarnation.
    inbox: RefCell<Option<Inbox>>,
    /// So many children were added that have no names of their own.
    added_count: Cell<u64>,
    run_count: Cell<u64>,
}

impl Tree {
    #[track_caller]
    pub(super) fn new(
        name: String,
        rules: Rules,
        children_max: usize,
        seats: Vec<Box<dyn Seat>>,
    ) -> Rc<Self> {
        let tenure = Tenure::new(None, None).expect("it has no name that could be taken");
        Rc::new(Self {
            name,
            rules,
            children_max,
            any: tenure.any_ref(),
            tenure: RefCell::new(Some(tenure)),
            seats: RefCell::new(seats),
            inbox: RefCell::new(None),
            added_count: Cell::new(0),
            run_count: Cell::new(0),
        })
    }

    /// Returns the actor that it is.
    pub(super) fn any(&self) -> AnyRef {
        self.any.clone()
    }

    /// Puts an event to the present incarnation, and returns it if there is none.
    pub(super) fn put(&self, event: Event) -> Result<(), Event> {
        match &*self.inbox.borrow() {
            Some(inbox) => inbox.try_put(event).map_err(TryPutError::into_inner),
            None => Err(event),
        }
    }

    /// Returns the name of the next child that has none of its own.
    pub(super) fn name_of_next(&self) -> String {
        let number = self.added_count.get() + 1;
        self.added_count.set(number);
        format!("{}-{number}", self.name)
    }

    /// Looks whether the specification makes sense.
    pub(super) fn check(&self) -> Result<(), SpecError> {
        let seats = self.seats.borrow();
        for (index, seat) in seats.iter().enumerate() {
            let name = seat.name();
            if seats[..index].iter().any(|earlier| earlier.name() == name) {
                return Err(SpecError::NameTaken { name: name.to_owned() });
            }
            check_significance(&**seat, self.rules.auto_shutdown)?;
            seat.check()?;
        }
        Ok(())
    }

    /// Ends it and its children for good, between two incarnations.
    pub(super) fn retire(&self, reason: &ExitReason) {
        let seats = self.seats.take();
        seats.into_iter().rev().for_each(|mut seat| seat.retire(reason));
        if let Some(tenure) = self.tenure.take() {
            tenure.end(reason);
        }
    }

    // One incarnation

    /// Runs the only incarnation of a supervisor without a supervisor, in a task of its own, and waits until
    /// all children have started.
    pub(super) async fn start(self: Rc<Self>) -> Result<(), SupervisorError> {
        let (ready, is_ready) = oneshot::channel();
        let (tell_end, end) = oneshot::channel();
        let (tree, rules) = (self.clone(), self.rules);
        let guard = StopUnlessReady(Some(self));
        let task = spawn_named(format!("{} (root)", tree.name), async move {
            let ready = Box::new(move || {
                ready.send(()).ok();
            });
            let outcome = tree.run_alone(ready).await;
            tree.retire(&outcome.0);
            // Whoever waited for the start has seen it.
            drop(tell_end.send(outcome));
        });
        task.background();
        if is_ready.await.is_ok() {
            guard.keep();
            return Ok(());
        }
        guard.keep();
        let (reason, farewell) =
            end.await.map_err(|_| SupervisorError::Ended(ExitReason::Killed))?;
        Err(farewell.error(rules).unwrap_or(SupervisorError::Ended(reason)))
    }

    /// Runs an incarnation until no child is left. Its actor ends as any that was spawned.
    async fn run_alone(&self, ready: Box<dyn FnOnce()>) -> (ExitReason, Farewell) {
        let (gone, is_gone) = oneshot::channel();
        let work = self.work(ready, gone, false);
        let reason = is_gone.await.unwrap_or(ExitReason::Killed);
        (reason, self.end_work(work).await)
    }

    /// Runs an incarnation until no child is left. `ready` is called when all have started.
    pub(super) async fn run_kept(&self, ready: Box<dyn FnOnce()>) -> (ExitReason, Farewell) {
        let (gone, is_gone) = oneshot::channel();
        let work = self.work(ready, gone, true);
        let reason = is_gone.await.unwrap_or(ExitReason::Killed);
        (reason, self.end_work(work).await)
    }

    /// Starts the actor and the keeper.
    fn work(
        &self,
        ready: Box<dyn FnOnce()>,
        gone: oneshot::Sender<ExitReason>,
        is_kept: bool,
    ) -> Task<(Keeper, Farewell)> {
        let inbox = Inbox::unbounded();
        *self.inbox.borrow_mut() = Some(inbox.clone());
        let (rules, seats) = (self.rules, self.seats.take());
        let over = Rc::new(sync::Event::new());
        let run = self.run_count.get() + 1;
        self.run_count.set(run);
        let (begin, is_begun) = oneshot::channel();
        let leave = Leave { run, inbox: inbox.clone(), over: over.clone(), begin: Some(begin) };
        let control = self.launch(leave, gone, is_kept);
        let mut keeper = Keeper::new(self.name.clone(), rules, self.children_max, inbox);
        spawn_named(format!("{} (children)", self.name), async move {
            keeper.seat_all(seats);
            // One that is killed before it starts has no children that could outlive it.
            if is_begun.await.is_ok() {
                keeper.begin(ready);
            } else {
                keeper.give_up();
            }
            let farewell = keeper.work().await;
            over.set();
            // A failure to start is for whoever starts it, if nobody restarts it.
            let is_told = !is_kept && !farewell.is_started;
            let error = farewell.error(rules).filter(|_| !is_told);
            if farewell.is_own() {
                // It may have been stopped at the same time, and be gone by now.
                drop(control.tell(Over { run, error }));
            }
            (keeper, farewell)
        })
    }

    fn launch(
        &self,
        leave: Leave,
        gone: oneshot::Sender<ExitReason>,
        is_kept: bool,
    ) -> crate::actor::ActorRef<Control> {
        let mut slot = self.tenure.borrow_mut();
        if is_kept {
            let tenure = slot.get_or_insert_with(|| {
                Tenure::new(None, None).expect("it has no name that could be taken")
            });
            let ended = Box::new(move |reason| drop(gone.send(reason)));
            tenure.launch((leave, None), Box::new(drop), ended);
            return tenure.actor_ref();
        }
        let tenure = slot.take().expect("it is started once");
        let (control, cell) = (tenure.actor_ref(), tenure.cell().clone());
        let owner = Owner::Alone { tenure, started: Started::Overlooked };
        launch(&cell, (leave, Some(gone)), owner, Location::caller());
        control
    }

    /// Waits until no child is left, when the actor has gone or goes.
    async fn end_work(&self, work: Task<(Keeper, Farewell)>) -> Farewell {
        let (keeper, farewell) = work.await;
        *self.inbox.borrow_mut() = None;
        *self.seats.borrow_mut() = keeper.into_seats();
        farewell
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Tree");
        debug.field("name", &self.name).field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// Stops a supervisor that nobody waits for any more.
struct StopUnlessReady(Option<Rc<Tree>>);

impl StopUnlessReady {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for StopUnlessReady {
    fn drop(&mut self) {
        if let Some(tree) = &self.0 {
            tree.any.stop(ExitReason::Shutdown);
        }
    }
}

/// How the actor of a supervisor takes its leave.
pub(super) struct Leave {
    run: u64,
    inbox: Inbox,
    /// Set when no child is left.
    over: Rc<sync::Event>,
    /// Has the keeper begin.
    begin: Option<oneshot::Sender<()>>,
}

/// The actor of a supervisor: what others see of it.
pub(super) struct Control {
    leave: Leave,
    /// Told why it has ended, if it was not killed.
    gone: Option<oneshot::Sender<ExitReason>>,
}

/// The keeper has no children any more.
#[derive(Debug)]
pub(super) struct Over {
    run: u64,
    error: Option<SupervisorError>,
}

impl Message for Over {
    type Reply = ();

    fn kind() -> &'static str {
        OF_SUPERVISORS
    }
}

impl Actor for Control {
    type Args = (Leave, Option<oneshot::Sender<ExitReason>>);
    type Error = SupervisorError;

    const MAILBOX: Mailbox = Mailbox::unbounded();

    async fn start(
        (mut leave, gone): Self::Args,
        cx: &mut Context<Self>,
    ) -> Result<Self, Self::Error> {
        let (inbox, over) = (leave.inbox.clone(), leave.over.clone());
        cx.wait_at_the_end(async move {
            // After a stop nothing is left to be killed, and nobody hears it.
            drop(inbox.try_put(Event::Killed));
            over.wait().await;
        });
        if let Some(begin) = leave.begin.take() {
            begin.send(()).ok();
        }
        Ok(Self { leave, gone })
    }

    async fn on_stop(&mut self, reason: &ExitReason, _: &mut Context<Self>) {
        drop(self.leave.inbox.try_put(Event::Stop));
        self.leave.over.wait().await;
        if let Some(gone) = self.gone.take() {
            drop(gone.send(reason.clone()));
        }
    }
}

impl Handler<Over> for Control {
    async fn handle(&mut self, over: Over, cx: &mut Context<Self>) -> Result<(), Self::Error> {
        match over.error {
            // That one came too late for its own.
            _ if over.run != self.leave.run => Ok(()),
            Some(error) => Err(error),
            None => {
                cx.stop_for(ExitReason::Shutdown);
                Ok(())
            }
        }
    }
}
