//! One child as its supervisor sees it.

use std::time::Duration;

use super::super::policy::{ChildKind, Restart, Shutdown};
use crate::retry::{Backoff, Delays};

/// What is fixed of a child when it is added.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Policy {
    pub(in super::super) restart: Restart,
    pub(in super::super) shutdown: Shutdown,
    pub(in super::super) is_significant: bool,
    pub(in super::super) kind: ChildKind,
    pub(in super::super) backoff: Option<Backoff>,
}

/// What a child does.
///
/// ```text
///            ┌────────────── ended, failed ──────────────┐
///            v                                           │
///  Absent ─> Due ───> Starting ───> Running ───> Stopping┘
///    └─> Paused ┘ time   └──────────────────────────^
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is not there, and nothing brings it back but a command or a sibling's restart.
    Absent,
    /// It is to be started when its turn comes.
    Due,
    /// It is to be started when its back-off is over.
    Paused,
    /// It is in its `start`.
    Starting,
    /// It runs, since then.
    Running(Duration),
    /// It was asked to stop, or killed.
    Stopping,
}

/// What is to become of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// It is to run.
    Up,
    /// It is to be absent, and may be started by hand.
    Down,
    /// It is to be absent and forgotten.
    Forgotten,
}

/// Why a child is started: what follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The supervisor is started: its own start fails.
    First,
    /// By hand: whoever asked is told, and that is all.
    Command {
        /// Whether the child was added by that command, and is forgotten when it fails.
        is_new: bool,
    },
    /// A restart: it is another reason to restart.
    Restart,
}

#[derive(Debug)]
pub(super) struct Child {
    pub(super) policy: Policy,
    pub(super) state: State,
    pub(super) goal: Goal,
    /// Whether its present incarnation has to end before it can run again.
    pub(super) leaves: bool,
    pub(super) cause: Cause,
    /// Whether the shell has a timer for it: of the back-off, or until it is killed.
    pub(super) has_timer: bool,
    pub(super) restart_count: u64,
    /// How the back-off goes on, when it has failed of late.
    delays: Option<Delays>,
}

impl Child {
    pub(super) fn new(policy: Policy, cause: Cause) -> Self {
        Self {
            policy,
            state: State::Due,
            goal: Goal::Up,
            leaves: false,
            cause,
            has_timer: false,
            restart_count: 0,
            delays: None,
        }
    }

    pub(super) fn is_alive(&self) -> bool {
        matches!(self.state, State::Starting | State::Running(_) | State::Stopping)
    }

    /// Whether it is there and must not be.
    pub(super) fn must_go(&self) -> bool {
        self.is_alive() && (self.leaves || self.goal != Goal::Up)
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, State::Running(_))
    }

    /// Returns how long to wait before it is restarted. Begins anew when it had run for `calm`.
    pub(super) fn next_delay(&mut self, ran: Option<Duration>, calm: Duration) -> Duration {
        let Some(backoff) = self.policy.backoff else { return Duration::ZERO };
        if ran.is_some_and(|ran| ran > calm) {
            self.delays = None;
        }
        let delays = self.delays.get_or_insert_with(|| backoff.delays());
        delays.next().expect("delays are without end")
    }
}
