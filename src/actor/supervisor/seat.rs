//! A child as its supervisor holds it, whatever its actor is.

use std::fmt;
use std::rc::Rc;

use super::error::SpecError;
use super::keeper::{Event, Inbox};
use super::policy::OnRestart;
use super::roster::{ChildKey, Policy};
use super::tree::Tree;
use crate::actor::tenure::Tenure;
use crate::actor::{Actor, ActorRef, AnyRef, ExitReason};
use crate::backend;
use crate::task::spawn_named;

/// What a child that is started is told: who it is to its supervisor, and where to say what happens.
pub(super) struct Launch {
    pub(super) key: ChildKey,
    pub(super) inbox: Inbox,
}

impl Launch {
    /// Says that something has happened. When the supervisor has ended nobody hears it.
    fn say(&self, event: impl FnOnce(ChildKey) -> Event) {
        drop(self.inbox.try_put(event(self.key)));
    }
}

/// A place for a child: made once, and kept over all its incarnations.
pub(super) trait Seat: fmt::Debug {
    fn name(&self) -> &str;

    fn policy(&self) -> Policy;

    fn any(&self) -> AnyRef;

    /// Looks whether the specification makes sense.
    fn check(&self) -> Result<(), SpecError>;

    /// Begins to start an incarnation. What comes of it comes to the inbox: `Started` and
    /// then `Ended`, only `Ended` if it fails to start, or `Ignored`.
    fn start(&mut self, launch: Launch);

    /// Has messages refused until it is started again.
    fn close(&mut self, reason: &ExitReason);

    /// Ends it for good: whoever waits for that goes on, and messages that wait are dead letters.
    fn retire(&mut self, reason: &ExitReason);
}

/// Makes the arguments of an incarnation; none if the child is not needed.
pub(super) type MakeArgs<A> = Box<dyn FnMut() -> Option<<A as Actor>::Args>>;

/// A place for an actor.
pub(super) struct ActorSeat<A: Actor> {
    pub(super) name: String,
    pub(super) policy: Policy,
    pub(super) on_restart: OnRestart,
    pub(super) args: MakeArgs<A>,
    pub(super) reference: ActorRef<A>,
    /// None when it was ended for good, until it is started again nevertheless.
    pub(super) tenure: Option<Rc<Tenure<A>>>,
}

impl<A: Actor> Seat for ActorSeat<A> {
    fn name(&self) -> &str {
        &self.name
    }

    fn policy(&self) -> Policy {
        self.policy
    }

    fn any(&self) -> AnyRef {
        self.reference.any()
    }

    fn check(&self) -> Result<(), SpecError> {
        Ok(())
    }

    fn start(&mut self, launch: Launch) {
        // What the user's closure does is the child's affair, not the supervisor's.
        let args = match backend::catch_panic(|| (self.args)()) {
            Ok(Some(args)) => args,
            Ok(None) => return launch.say(Event::Ignored),
            Err(panic) => {
                let reason = ExitReason::of_panic(&panic);
                return launch.say(|key| Event::Ended(key, reason));
            }
        };
        let tenure = self.tenure.get_or_insert_with(|| {
            let tenure = Tenure::new(None, None).expect("it has no name that could be taken");
            self.reference = tenure.actor_ref();
            Rc::new(tenure)
        });
        let (launch, on_restart) = (Rc::new(launch), self.on_restart);
        let started = {
            let launch = launch.clone();
            move |result: Result<(), ExitReason>| {
                if result.is_ok() {
                    launch.say(Event::Started);
                }
            }
        };
        let ended = {
            let tenure = Rc::downgrade(tenure);
            move |reason: ExitReason| {
                if let (OnRestart::DropMailbox, Some(tenure)) = (on_restart, tenure.upgrade()) {
                    tenure.drop_messages(&reason);
                }
                launch.say(|key| Event::Ended(key, reason));
            }
        };
        tenure.launch(args, Box::new(started), Box::new(ended));
    }

    fn close(&mut self, reason: &ExitReason) {
        if let Some(tenure) = &self.tenure {
            tenure.any_ref().drain();
            tenure.drop_messages(reason);
        }
    }

    fn retire(&mut self, reason: &ExitReason) {
        if let Some(tenure) = self.tenure.take().and_then(Rc::into_inner) {
            tenure.end(reason);
        }
    }
}

impl<A: Actor> fmt::Debug for ActorSeat<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("ActorSeat");
        debug.field("name", &self.name).field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// A place for another supervisor.
#[derive(Debug)]
pub(super) struct TreeSeat {
    pub(super) policy: Policy,
    pub(super) tree: Rc<Tree>,
}

impl Seat for TreeSeat {
    fn name(&self) -> &str {
        &self.tree.name
    }

    fn policy(&self) -> Policy {
        self.policy
    }

    fn any(&self) -> AnyRef {
        self.tree.any()
    }

    fn check(&self) -> Result<(), SpecError> {
        self.tree.check()
    }

    fn start(&mut self, launch: Launch) {
        let (tree, launch) = (self.tree.clone(), Rc::new(launch));
        let task = spawn_named(format!("{} (supervised)", tree.name), async move {
            // A supervisor has started when its children have.
            let ready = {
                let launch = launch.clone();
                Box::new(move || launch.say(Event::Started))
            };
            let (reason, _) = tree.run_kept(ready).await;
            launch.say(|key| Event::Ended(key, reason));
        });
        task.background();
    }

    fn close(&mut self, _: &ExitReason) {
        // Its children are down and closed, or are as it left them.
    }

    fn retire(&mut self, reason: &ExitReason) {
        self.tree.retire(reason);
    }
}
