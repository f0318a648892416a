//! A supervisor of many children of one kind.

use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use super::builder::Supervisor;
use super::child_info::{ChildCounts, ChildInfo};
use super::error::{ChildError, SupervisorError};
use super::keeper::{ChildName, Command};
use super::policy::{AutoShutdown, OnRestart, Restart, Shutdown, Strategy};
use super::reference::ask;
use super::roster::Policy;
use super::spec::ChildSpec;
use super::tree::Tree;
use crate::actor::{Actor, ActorRef, AnyRef};
use crate::retry::Backoff;

/// A supervisor of many children of one kind, that come and go: a child for each connection, say.
///
/// It has no children at first. They know nothing of each other: each is restarted alone, and at the end
/// all are stopped at once.
#[must_use = "a supervisor does nothing until it is started"]
pub struct DynamicSupervisor<A: Actor> {
    supervisor: Supervisor,
    child: ChildRules,
    children_max: usize,
    actor: PhantomData<fn() -> A>,
}

/// What holds for all children.
#[derive(Clone, Copy, Debug)]
struct ChildRules {
    restart: Restart,
    shutdown: Shutdown,
    on_restart: OnRestart,
    is_significant: bool,
    backoff: Option<Backoff>,
}

impl<A: Actor> DynamicSupervisor<A> {
    /// Makes a supervisor of at most so many children, of which each is started again as `restart` says.
    pub fn new(restart: Restart, children_max: usize) -> Self {
        let child = ChildRules {
            restart,
            shutdown: Shutdown::default(),
            on_restart: OnRestart::default(),
            is_significant: false,
            backoff: None,
        };
        let supervisor = Supervisor::new(Strategy::OneForOne).all_at_once();
        Self { supervisor, child, children_max, actor: PhantomData }
    }

    /// Names it in reports.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.supervisor = self.supervisor.named(name);
        self
    }

    /// Allows so many restarts in a period, see [`Supervisor::intensity`].
    pub fn intensity(mut self, limit: usize, period: Duration) -> Self {
        self.supervisor = self.supervisor.intensity(limit, period);
        self
    }

    /// Says whether it ends when children have ended by themselves: all are significant then.
    pub fn auto_shutdown(mut self, auto_shutdown: AutoShutdown) -> Self {
        self.child.is_significant = auto_shutdown != AutoShutdown::Never;
        self.supervisor = self.supervisor.auto_shutdown(auto_shutdown);
        self
    }

    /// Says how children are stopped.
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.child.shutdown = shutdown;
        self
    }

    /// Says what becomes of a child's mailbox when it is started again.
    pub fn on_restart(mut self, on_restart: OnRestart) -> Self {
        self.child.on_restart = on_restart;
        self
    }

    /// Waits before a child that has failed is restarted, see [`ChildSpec::backoff`].
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.child.backoff = Some(backoff);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// When children are significant and permanent, which means nothing.
    ///
    /// # Cancel safety
    /// When this is dropped the supervisor is stopped.
    pub async fn start(self) -> Result<DynamicRef<A>, SupervisorError> {
        let (reference, _, tree) = self.into_parts(None);
        tree.start().await?;
        Ok(reference)
    }

    #[track_caller]
    pub(super) fn into_parts(self, name: Option<String>) -> (DynamicRef<A>, Policy, Rc<Tree>) {
        let supervisor = match name {
            Some(name) => self.supervisor.named(name),
            None => self.supervisor,
        };
        let policy = supervisor.policy();
        let tree = supervisor.into_tree(self.children_max);
        let reference = DynamicRef { tree: tree.clone(), child: self.child, actor: PhantomData };
        (reference, policy, tree)
    }
}

impl<A: Actor> fmt::Debug for DynamicSupervisor<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("DynamicSupervisor");
        debug.field("supervisor", &self.supervisor).field("child", &self.child);
        debug.field("children_max", &self.children_max).finish()
    }
}

/// A dynamic supervisor, to be asked and told on the thread that it runs on.
pub struct DynamicRef<A: Actor> {
    tree: Rc<Tree>,
    child: ChildRules,
    actor: PhantomData<fn() -> A>,
}

impl<A: Actor> DynamicRef<A> {
    /// Returns the actor that it is: to be stopped, killed, watched or linked to.
    pub fn any(&self) -> AnyRef {
        self.tree.any()
    }

    /// Starts a child, and returns when it has started. `args` is called at each of its starts.
    ///
    /// # Errors
    /// When there are as many as there may be, when its `start` fails (it is forgotten then), or when the
    /// supervisor ends.
    ///
    /// # Cancel safety
    /// The child is started all the same.
    pub async fn start_child(
        &self,
        args: impl FnMut() -> A::Args + 'static,
    ) -> Result<ActorRef<A>, ChildError> {
        let ChildRules { restart, shutdown, on_restart, is_significant, backoff } = self.child;
        let mut spec = ChildSpec::<A>::new(args).restart(restart).shutdown(shutdown);
        spec = spec.on_restart(on_restart).significant(is_significant);
        if let Some(backoff) = backoff {
            spec = spec.backoff(backoff);
        }
        let seat = Box::new(spec.into_seat(self.tree.name_of_next()));
        let reference = seat.reference.clone();
        ask(&self.tree, |answer| Command::Add(seat, answer)).await??;
        Ok(reference)
    }

    /// Stops a child, and returns when it is gone. A temporary one is forgotten, another one stays down.
    ///
    /// # Errors
    /// When it is not a child, or the supervisor has ended.
    ///
    /// # Cancel safety
    /// The child is stopped all the same.
    pub async fn terminate_child(&self, child: &ActorRef<A>) -> Result<(), ChildError> {
        let id = child.any().id();
        ask(&self.tree, |answer| Command::Terminate(ChildName::Id(id), answer)).await?
    }

    /// Returns the children, the oldest first.
    ///
    /// # Errors
    /// When the supervisor has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn which_children(&self) -> Result<Vec<ChildInfo>, ChildError> {
        ask(&self.tree, Command::Which).await
    }

    /// Returns how many children there are.
    ///
    /// # Errors
    /// When the supervisor has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn count_children(&self) -> Result<ChildCounts, ChildError> {
        ask(&self.tree, Command::Count).await
    }
}

impl<A: Actor> Clone for DynamicRef<A> {
    fn clone(&self) -> Self {
        Self { tree: self.tree.clone(), child: self.child, actor: PhantomData }
    }
}

impl<A: Actor> fmt::Debug for DynamicRef<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("DynamicRef");
        debug.field("tree", &self.tree).field("child", &self.child).finish()
    }
}
