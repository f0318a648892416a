//! The second phase: what is left must get on.

use std::fmt;
use std::time::Duration;

use super::report::ChaosReport;
use crate::executor::note;
use crate::time::{Instant, sleep};
use crate::world::{self, Node};

/// The machines that a program must get on with, after [`Chaos::liveness`](super::Chaos::liveness):
/// they run, and reach each other, and nothing new happens to them. What is outside stays broken.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use parcae::fault::{Budget, Chaos, Convergence};
/// use parcae::world;
///
/// parcae::check(20, || async {
///     let nodes = world::nodes("kv", 3).idle();
///     let chaos = Chaos::on(nodes).budget(Budget::max_dead(1)).start();
///     parcae::time::sleep(Duration::from_secs(5)).await;
///     let core = chaos.liveness();
///     assert!(core.machines().len() >= 2);
///     // What it still waits for; nothing, here.
///     let reached = core.converge(Duration::from_secs(60), || None, || Ok(())).await;
///     assert!(matches!(reached, Ok(Convergence::Reached { .. })));
/// });
/// ```
#[derive(Clone, Debug)]
pub struct Core {
    inside: Vec<Node>,
    outside: Vec<Node>,
    report: ChaosReport,
}

/// How a program has got on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Convergence {
    /// It waits for nothing any more.
    Reached {
        /// How long that took.
        after: Duration,
    },
    /// It waits, and could not have been expected to get on.
    Excused {
        /// Why.
        why: String,
    },
}

/// A program that has not got on, although it could have.
///
/// Printed, it says what the program waits for and with whom it could have got on. What was done to it
/// stands in its report.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotConverged {
    /// What it still waits for.
    pub pending: String,
    /// How long it had.
    pub within: Duration,
    /// The machines of the core.
    pub core: Vec<String>,
    /// The machines that stayed as they were.
    pub outside: Vec<String>,
    /// What was done before.
    pub report: ChaosReport,
}

impl Core {
    #[track_caller]
    pub(super) fn new(inside: Vec<Node>, outside: Vec<Node>, report: ChaosReport) -> Self {
        let core = Self { inside, outside, report };
        for node in &core.inside {
            node.resume();
            node.slow(1);
            node.power_on();
        }
        world::heal(&core.inside, &core.inside);
        world::heal(&core.inside, "test");
        note(|| format!("core: {} | {}", core.names().join(" "), names(&core.outside).join(" ")));
        core
    }

    /// Returns its machines.
    #[must_use]
    pub fn machines(&self) -> &[Node] {
        &self.inside
    }

    /// Returns the machines that stay as they are.
    #[must_use]
    pub fn outside(&self) -> &[Node] {
        &self.outside
    }

    /// Returns what was done before.
    #[must_use]
    pub const fn report(&self) -> &ChaosReport {
        &self.report
    }

    fn names(&self) -> Vec<String> {
        names(&self.inside)
    }

    /// Waits until the program waits for nothing any more, for so long at the most.
    ///
    /// `pending` says what it still waits for; it is asked again and again, with growing pauses of 1 ms
    /// to a 256th of the time. `recoverable` is asked at the end only: whether what is left suffices,
    /// as the program's own rules say, or why it does not.
    ///
    /// # Errors
    /// [`NotConverged`] when it still waits, and what is left suffices: it stands still for ever.
    ///
    /// # Cancel safety
    /// Cancel safe: it only looks.
    pub async fn converge(
        &self,
        within: Duration,
        mut pending: impl FnMut() -> Option<String>,
        recoverable: impl FnOnce() -> Result<(), String>,
    ) -> Result<Convergence, NotConverged> {
        let start = Instant::now();
        let mut pause = Duration::from_millis(1);
        let most = (within / 256).max(pause);
        loop {
            let Some(waits_for) = pending() else {
                return Ok(Convergence::Reached { after: start.elapsed() });
            };
            let left = within.saturating_sub(start.elapsed());
            if left.is_zero() {
                return match recoverable() {
                    Err(why) => Ok(Convergence::Excused { why }),
                    Ok(()) => Err(self.stuck(waits_for, within)),
                };
            }
            sleep(pause.min(left)).await;
            pause = (pause * 2).min(most);
        }
    }

    fn stuck(&self, pending: String, within: Duration) -> NotConverged {
        let (core, outside) = (self.names(), names(&self.outside));
        NotConverged { pending, within, core, outside, report: self.report.clone() }
    }
}

fn names(nodes: &[Node]) -> Vec<String> {
    nodes.iter().map(|node| node.name().to_owned()).collect()
}

impl fmt::Display for NotConverged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pending, within, core, outside, .. } = self;
        writeln!(formatter, "no progress within {within:?} after the faults: {pending}")?;
        write!(formatter, "it could have got on with {}", core.join(", "))?;
        if !outside.is_empty() {
            write!(formatter, "; outside of that, and left as it was: {}", outside.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for NotConverged {}
