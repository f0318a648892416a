//! A supervisor that is specified child by child.

use std::rc::Rc;
use std::time::Duration;

use super::dynamic::{DynamicRef, DynamicSupervisor};
use super::error::SupervisorError;
use super::policy::{AutoShutdown, ChildKind, Restart, Shutdown, Strategy};
use super::reference::SupervisorRef;
use super::roster::{Policy, Rules};
use super::seat::{Seat, TreeSeat};
use super::slot::ChildSlot;
use super::spec::ChildSpec;
use super::tree::Tree;
use crate::actor::Actor;

/// A supervisor and its children, before it is started.
///
/// # Examples
/// ```
/// use parcae::actor::{ChildSpec, Context, Crash, Handler, Restart, Strategy, Supervisor};
/// use std::time::Duration;
///
/// struct Counter(u32);
/// parcae::actor!(Counter);
///
/// #[derive(Debug)]
/// struct Next;
/// parcae::message!(Next -> u32);
///
/// impl Handler<Next> for Counter {
///     async fn handle(&mut self, _: Next, _: &mut Context<Self>) -> Result<u32, Crash> {
///         if self.0 == 2 {
///             return Err(Crash::new("it counts to two"));
///         }
///         self.0 += 1;
///         Ok(self.0)
///     }
/// }
///
/// # parcae::Sim::new(7).run(|| async {
/// let mut supervisor =
///     Supervisor::new(Strategy::OneForOne).intensity(3, Duration::from_secs(5));
/// let spec = ChildSpec::<Counter>::new(|| Counter(0)).restart(Restart::Transient);
/// let counter = supervisor.child("counter", spec);
/// let supervisor = supervisor.start().await.expect("a counter starts");
///
/// assert_eq!(counter.ask(Next).await, Ok(1));
/// assert_eq!(counter.ask(Next).await, Ok(2));
/// assert!(counter.ask(Next).await.is_err());
/// assert_eq!(counter.ask(Next).await, Ok(1)); // the next incarnation
/// assert_eq!(supervisor.which_children().await.expect("it runs")[0].restarts, 1);
/// # }).unwrap();
/// ```
#[derive(Debug)]
#[must_use = "a supervisor does nothing until it is started"]
pub struct Supervisor {
    name: String,
    rules: Rules,
    /// What holds for it as the child of another supervisor.
    policy: Policy,
    seats: Vec<Box<dyn Seat>>,
}

impl Supervisor {
    /// Makes a supervisor without children, that allows 1 restart in 5 seconds and does not end with its
    /// children.
    pub fn new(strategy: Strategy) -> Self {
        let rules = Rules {
            strategy,
            auto_shutdown: AutoShutdown::default(),
            intensity: INTENSITY_DEFAULT,
            period: PERIOD_DEFAULT,
            is_dynamic: false,
        };
        let policy = Policy {
            restart: Restart::default(),
            shutdown: Shutdown::Infinite,
            is_significant: false,
            kind: ChildKind::Supervisor,
            backoff: None,
        };
        Self { name: "supervisor".to_owned(), rules, policy, seats: Vec::new() }
    }

    /// Names it in reports.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Allows so many restarts in a period; one more, and it stops all children and fails.
    ///
    /// The period slides: what counts is how many there were in the time before each. Restarts of all
    /// children count together. One that takes siblings with it counts once.
    pub fn intensity(mut self, limit: usize, period: Duration) -> Self {
        self.rules.intensity = limit;
        self.rules.period = period;
        self
    }

    /// Says whether it ends when its significant children have.
    pub fn auto_shutdown(mut self, auto_shutdown: AutoShutdown) -> Self {
        self.rules.auto_shutdown = auto_shutdown;
        self
    }

    /// Says, of a supervisor that is a child, when it is started again.
    pub fn restart(mut self, restart: Restart) -> Self {
        self.policy.restart = restart;
        self
    }

    /// Says, of a supervisor that is a child, how it is stopped: without an end, unless told otherwise,
    /// because its own children have their times.
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.policy.shutdown = shutdown;
        self
    }

    /// Says, of a supervisor that is a child, whether its end may be the end of its own supervisor.
    pub fn significant(mut self, is_significant: bool) -> Self {
        self.policy.is_significant = is_significant;
        self
    }

    /// Adds a child, after those that it has. The slot is its reference, from now on: what is told before
    /// the child has started waits in its mailbox.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn child<A: Actor>(&mut self, name: impl Into<String>, spec: ChildSpec<A>) -> ChildSlot<A> {
        let seat = spec.into_seat(name.into());
        let slot = ChildSlot::new(seat.reference.clone());
        self.seats.push(Box::new(seat));
        slot
    }

    /// Adds another supervisor as a child. The reference is valid from now on, and over restarts.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn supervisor(&mut self, name: impl Into<String>, nested: Self) -> SupervisorRef {
        let policy = nested.policy;
        let tree = nested.named(name).into_tree(usize::MAX);
        self.seats.push(Box::new(TreeSeat { policy, tree: tree.clone() }));
        SupervisorRef::new(tree)
    }

    /// Adds a dynamic supervisor as a child. The reference is valid from now on, and over restarts.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn dynamic<A: Actor>(
        &mut self,
        name: impl Into<String>,
        nested: DynamicSupervisor<A>,
    ) -> DynamicRef<A> {
        let (reference, policy, tree) = nested.into_parts(Some(name.into()));
        self.seats.push(Box::new(TreeSeat { policy, tree }));
        reference
    }

    /// Starts the children, in order, each when the one before it has started.
    ///
    /// # Errors
    /// When the specification makes no sense, when the `start` of a child fails, or when the supervisor
    /// ends before all have started. Then no child is left.
    ///
    /// # Cancel safety
    /// When this is dropped the supervisor is stopped, and its children with it.
    pub async fn start(self) -> Result<SupervisorRef, SupervisorError> {
        let tree = self.into_tree(usize::MAX);
        tree.check()?;
        tree.clone().start().await?;
        Ok(SupervisorRef::new(tree))
    }

    pub(super) fn policy(&self) -> Policy {
        self.policy
    }

    /// Makes children be stopped all at once.
    pub(super) fn all_at_once(mut self) -> Self {
        self.rules.is_dynamic = true;
        self
    }

    #[track_caller]
    pub(super) fn into_tree(self, children_max: usize) -> Rc<Tree> {
        let Self { name, rules, seats, .. } = self;
        Tree::new(name, rules, children_max, seats)
    }
}

const INTENSITY_DEFAULT: usize = 1;
const PERIOD_DEFAULT: Duration = Duration::from_secs(5);
