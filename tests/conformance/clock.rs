//! Time that is exact in the simulation, and never too short on real time.

use std::time::Duration;

use parcae::time::Instant;

use crate::backends::is_simulated;

/// So many beats: a millisecond each in the simulation, and long enough on real time that what has to
/// happen meanwhile most often does. No test rests on that: it only makes it worth something.
pub(crate) fn beats(count: u32) -> Duration {
    Duration::from_millis(if is_simulated() { 1 } else { 30 }) * count
}

/// A time that is never over: a bound on what is to be in time.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// Measures how long something takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch {
    start: Instant,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Checks that so much time has passed: exactly, or at least on real time.
    #[track_caller]
    pub(crate) fn took(&self, exact: Duration) {
        assert_time(self.start.elapsed(), exact);
    }
}

/// Checks a time that was measured: it is exact, or not too short on real time.
#[track_caller]
pub(crate) fn assert_time(measured: Duration, exact: Duration) {
    if is_simulated() {
        assert_eq!(measured, exact);
    } else {
        assert!(measured >= exact, "it took {measured:?} instead of {exact:?} or more");
    }
}

/// Keeps the thread of the running task busy: no task runs and no timer fires meanwhile.
pub(crate) async fn hold_up(duration: Duration) {
    parcae::task::burn(duration).await;
    block_thread(duration);
}

/// Blocks the thread; in the simulation, where a call takes no time, it does nothing.
#[cfg_attr(
    feature = "real",
    expect(clippy::disallowed_methods, reason = "this is what takes time on real time")
)]
pub(crate) fn block_thread(duration: Duration) {
    #[cfg(feature = "real")]
    if !is_simulated() {
        std::thread::sleep(duration);
    }
}
