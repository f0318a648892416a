//! What is to become of children: the words of a specification.

use std::time::Duration;

/// Which children are started again when one of them has to be.
///
/// # Source
/// Erlang/OTP, `supervisor`: `one_for_one`, `one_for_all`, `rest_for_one`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// That one. For children that know nothing of each other.
    #[default]
    OneForOne,
    /// All: the others are stopped, last first, and when all are gone all are started, first first.
    /// For children that cannot work without each other.
    OneForAll,
    /// That one and those after it. For children of which each needs those before it.
    RestForOne,
}

/// When a child that has ended is started again.
///
/// A child *fails* when it ends with anything but [`Normal`](crate::actor::ExitReason::Normal) and
/// [`Shutdown`](crate::actor::ExitReason::Shutdown).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// Always.
    #[default]
    Permanent,
    /// When it has failed. Otherwise it stays down, and may be started by hand.
    Transient,
    /// Never. Its specification is forgotten when it has ended.
    Temporary,
}

/// How a child is stopped.
///
/// A child that is still in its `start` is killed in any case: there is no actor yet that could take
/// leave. A supervisor is never killed in its start, it stops what it has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// It is killed: whatever it does is dropped at its await, `on_stop` is not run.
    Kill,
    /// It is asked to stop, and killed when it is still there after this time.
    Timeout(Duration),
    /// It is asked to stop, and waited for. For supervisors; a child that never stops is never left.
    Infinite,
}

impl Default for Shutdown {
    /// 5 seconds.
    fn default() -> Self {
        Self::Timeout(SHUTDOWN_DEFAULT)
    }
}

/// Whether a supervisor ends when its significant children have ended by themselves.
///
/// A child that was stopped, by hand or because a sibling was restarted, does not count as ended by
/// itself, and neither does one that is started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutoShutdown {
    /// No. No child may be significant.
    #[default]
    Never,
    /// When one of them has ended.
    Any,
    /// When the last of them has ended.
    All,
}

/// What becomes of the messages that a child has not taken when it is started again.
///
/// The message that it was working at is lost in any case: it may be what the child failed of. If that
/// was an ask, whoever asked learns that the child died.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnRestart {
    /// They wait for the next incarnation, and so do those who asked.
    #[default]
    KeepMailbox,
    /// They become dead letters; those who asked learn that the child died.
    DropMailbox,
}

/// Whether a child has children of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildKind {
    /// It has none that it looks after.
    Worker,
    /// It is a supervisor.
    Supervisor,
}

const SHUTDOWN_DEFAULT: Duration = Duration::from_secs(5);
