//! When the program of a machine is started again.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::exit::Exit;

/// When a machine starts its program again by itself, as a supervisor would.
///
/// It looks at how the program has ended. What a test ends on purpose with [`stop`](super::Node::stop)
/// or [`power_off`](super::Node::power_off) stays down.
///
/// # Determinism
/// The delay is drawn, site `restart delay`, unless it is fixed.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use parcae::world::{self, RestartPolicy};
///
/// parcae::check(10, || async {
///     let policy = RestartPolicy::on_failure().delay(Duration::ZERO..=Duration::from_secs(1)).most(3);
///     let node = world::node("db").restart(policy).start(|| async {
///         // The disk is there at the third try.
///         if world::Node::current().incarnation() < 2 { Err("no disk") } else { Ok(()) }
///     });
///     parcae::time::sleep(Duration::from_secs(10)).await;
///     assert_eq!(node.incarnation(), 2);
/// });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestartPolicy {
    after: After,
    pub(super) delay: RangeInclusive<Duration>,
    most: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Nothing,
    Failures,
    Everything,
}

impl Default for RestartPolicy {
    /// Never.
    fn default() -> Self {
        Self::never()
    }
}

impl RestartPolicy {
    /// Never starts it again.
    #[must_use]
    pub fn never() -> Self {
        Self::new(After::Nothing)
    }

    /// Starts it again when it has returned an error, has panicked or was killed.
    #[must_use]
    pub fn on_failure() -> Self {
        Self::new(After::Failures)
    }

    /// Starts it again however it has ended.
    #[must_use]
    pub fn always() -> Self {
        Self::new(After::Everything)
    }

    fn new(after: After) -> Self {
        Self { after, delay: DELAY..=DELAY, most: MOST }
    }

    /// Sets how long it stays down, on the time of the run. Default 100 ms.
    ///
    /// # Panics
    /// When the range is empty.
    #[must_use]
    #[track_caller]
    pub fn delay(mut self, delay: RangeInclusive<Duration>) -> Self {
        assert!(!delay.is_empty(), "an empty range of delays: {delay:?}");
        self.delay = delay;
        self
    }

    /// Sets how often it is started again, after which it stays down. Default 1,000.
    #[must_use]
    pub fn most(mut self, count: u32) -> Self {
        self.most = count;
        self
    }

    /// Tells whether a program that has ended so is started again, for the `restarts`-th time from 0.
    pub(super) fn restarts(&self, exit: &Exit, restarts: u32) -> bool {
        let is_wanted = match (self.after, exit) {
            (After::Nothing, _) | (_, Exit::PoweredOff) => false,
            (After::Failures, exit) => !matches!(exit, Exit::Returned),
            (After::Everything, _) => true,
        };
        is_wanted && restarts < self.most
    }
}

/// What systemd waits by default.
const DELAY: Duration = Duration::from_millis(100);
const MOST: u32 = 1_000;
