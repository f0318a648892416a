//! What actors learn of the end of others.

use std::fmt;

use super::any_ref::AnyRef;
use super::exit::ExitReason;

/// The end of another actor.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Signal {
    /// An actor that it is linked to has ended.
    Exit {
        /// Which.
        from: AnyRef,
        /// Why.
        reason: ExitReason,
    },
    /// An actor that it monitors has ended. There is one for each monitor, and no other follows.
    Down {
        /// Which monitor.
        monitor: MonitorId,
        /// Which actor.
        actor: AnyRef,
        /// Why; [`ExitReason::NoProc`] when it had ended before.
        reason: ExitReason,
    },
}

/// Names a monitor of one actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MonitorId(pub(crate) u64);

impl fmt::Display for MonitorId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "monitor {}", self.0)
    }
}

/// What the system lane of a mailbox holds.
#[derive(Clone, Debug)]
pub(crate) enum SystemEvent {
    Stop(ExitReason),
    Signal(Signal),
}

/// A monitor, as the actor knows it that is monitored.
#[derive(Clone, Debug)]
pub(crate) struct Monitor {
    pub(crate) id: MonitorId,
    pub(crate) watcher: AnyRef,
}
