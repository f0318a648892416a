//! Machines: what they are made of, how they start and die.
//!
//! ```text
//!   start -> running -> exited | killed -> (restart policy or verb) -> running ...
//!              |  ^                              ^
//!              v  |                              |
//!            paused            power_off -> off -+ (power_on, restart)
//! ```
//!
//! A machine has a kernel, which runs while it has power, and at most one process. Each process is an
//! incarnation with a domain of its own; nothing of a dead one acts again. The process dies first for
//! the world: from then on calls of its tasks fail and their destructors change nothing. Then its kernel
//! closes its sockets, or loses them with the power; then its tasks are destroyed; then who waits for
//! its exit is woken, and its policy may have it started again.
//!
//! The test is a machine too, named `test`. It cannot die.
//!
//! A machine may not know TCP or links.

mod builder;
mod clock;
mod exit;
mod exited;
mod handle;
mod labels;
mod life;
mod program;
mod restart;
mod table;
mod targets;

#[cfg(test)]
mod tests;

pub use self::builder::{NodeBuilder, NodesBuilder, node, nodes};
pub use self::clock::{ClockOptions, ClockSteps, TimeStep};
pub use self::exit::{Exit, Exits};
pub use self::exited::{Exited, Stop};
pub use self::handle::{Node, NodeStatus};
pub use self::labels::{Everyone, Label, everyone, label};
pub use self::restart::RestartPolicy;
pub use self::targets::{Target, Targets};

pub(super) use self::life::happen;
pub(crate) use self::table::{NodeId, NodeState, Nodes, automatic_addresses};

use crate::executor::{Phrase, Phrases};
use crate::kernel::{Event, EventKind, Site};

/// How reports tell what machines draw and do.
pub(crate) static PHRASES: Phrases = Phrases {
    draws: &[
        Phrase {
            site: RESTART_DELAY,
            text: |ordinal, value| {
                let delay = std::time::Duration::from_nanos(value);
                format!("restart {ordinal} comes after {delay:?}")
            },
        },
        Phrase {
            site: CLOCK_STEP,
            text: |ordinal, value| {
                let step = TimeStep::of_nanos(value.cast_signed());
                format!("step {ordinal} of its clock is {step}")
            },
        },
    ],
    event: describe,
};

const RESTART_DELAY: Site = Site::new("restart delay");
const CLOCK_STEP: Site = Site::new("clock step");

/// What becomes of a machine, as the chain knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Started,
    Exited,
    Killed,
    PoweredOff,
}

fn describe(event: &Event) -> Option<String> {
    let incarnation = event.subject;
    let is = |change: Change| event.value == change as u64;
    match event.kind {
        EventKind::Node if is(Change::Started) => {
            Some(format!("starts, incarnation {incarnation}"))
        }
        EventKind::Node if is(Change::Exited) => Some("its program ends".to_owned()),
        EventKind::Node if is(Change::Killed) => Some("is killed".to_owned()),
        EventKind::Node => Some("loses its power".to_owned()),
        _ => None,
    }
}
