//! How a child is started, restarted and stopped.

use std::fmt;
use std::rc::Rc;

use super::policy::{ChildKind, OnRestart, Restart, Shutdown};
use super::roster::Policy;
use super::seat::{ActorSeat, MakeArgs};
use crate::actor::Actor;
use crate::actor::tenure::Tenure;
use crate::retry::Backoff;

/// How a child is started, restarted and stopped.
///
/// Permanent, with 5 seconds to stop, its mailbox kept over restarts, without a back-off and not
/// significant, unless told otherwise.
pub struct ChildSpec<A: Actor> {
    args: MakeArgs<A>,
    policy: Policy,
    on_restart: OnRestart,
}

impl<A: Actor> ChildSpec<A> {
    /// Makes a specification. `args` is called at each start of the child, in the task of
    /// the supervisor; a panic in it is a start that failed.
    pub fn new(mut args: impl FnMut() -> A::Args + 'static) -> Self {
        Self::maybe(move || Some(args()))
    }

    /// Makes a specification of a child that may not be needed: when `args` returns none nothing is
    /// started, and its siblings are not kept from it. It stays down, and is asked for again when it is
    /// started by hand or with its siblings.
    pub fn maybe(args: impl FnMut() -> Option<A::Args> + 'static) -> Self {
        let policy = Policy {
            restart: Restart::default(),
            shutdown: Shutdown::default(),
            is_significant: false,
            kind: ChildKind::Worker,
            backoff: None,
        };
        Self { args: Box::new(args), policy, on_restart: OnRestart::default() }
    }

    /// Says when it is started again.
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        self.policy.restart = restart;
        self
    }

    /// Says how it is stopped.
    #[must_use]
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.policy.shutdown = shutdown;
        self
    }

    /// Says whether its end may be the end of its supervisor, see
    /// [`AutoShutdown`](super::AutoShutdown).
    #[must_use]
    pub fn significant(mut self, is_significant: bool) -> Self {
        self.policy.is_significant = is_significant;
        self
    }

    /// Says what becomes of its mailbox.
    #[must_use]
    pub fn on_restart(mut self, on_restart: OnRestart) -> Self {
        self.on_restart = on_restart;
        self
    }

    /// Waits before it is restarted when it has failed, ever longer while it fails, from the start again
    /// when it had run for longer than the period of the supervisor's intensity.
    ///
    /// Each attempt counts as a restart. So that attempts alone are not too many, let there be no more
    /// of them in a period than the intensity allows: with 3 in 5 seconds, 2 seconds and more.
    ///
    /// # Determinism
    /// One draw from [`rng()`](crate::rng::rng) for each delay with jitter.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.policy.backoff = Some(backoff);
        self
    }

    #[track_caller]
    pub(super) fn into_seat(self, name: String) -> ActorSeat<A> {
        let Self { args, policy, on_restart } = self;
        let tenure = Tenure::new(None, None).expect("it has no name that could be taken");
        let reference = tenure.actor_ref();
        ActorSeat { name, policy, on_restart, args, reference, tenure: Some(Rc::new(tenure)) }
    }
}

impl<A: Actor> fmt::Debug for ChildSpec<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("ChildSpec");
        debug.field("policy", &self.policy).field("on_restart", &self.on_restart);
        debug.finish_non_exhaustive()
    }
}
