//! How many restarts there were of late.

use std::collections::VecDeque;
use std::time::Duration;

/// The restarts of the last `period`: a window that slides with every restart.
///
/// A restart that is exactly `period` old still counts.
#[derive(Debug)]
pub(super) struct Window {
    limit: usize,
    period: Duration,
    /// When they were, on the supervisor's own clock. At most `limit` and one.
    restarts: VecDeque<Duration>,
}

impl Window {
    pub(super) fn new(limit: usize, period: Duration) -> Self {
        Self { limit, period, restarts: VecDeque::new() }
    }

    pub(super) fn period(&self) -> Duration {
        self.period
    }

    /// Counts a restart, and returns whether it is still within the limit.
    pub(super) fn admit(&mut self, now: Duration) -> bool {
        while self.restarts.front().is_some_and(|&then| now - then > self.period) {
            self.restarts.pop_front();
        }
        self.restarts.push_back(now);
        self.restarts.len() <= self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(limit: usize, seconds: &[u64]) -> Vec<bool> {
        let mut window = Window::new(limit, Duration::from_secs(5));
        seconds.iter().map(|&second| window.admit(Duration::from_secs(second))).collect()
    }

    #[test]
    fn one_restart_more_than_the_limit_is_too_many() {
        assert_eq!(admitted(0, &[0]), [false]);
        assert_eq!(admitted(1, &[0, 0]), [true, false]);
        assert_eq!(admitted(3, &[0, 1, 2, 3]), [true, true, true, false]);
    }

    #[test]
    fn the_window_slides_with_each_restart() {
        assert_eq!(admitted(2, &[0, 4, 8, 12, 16, 20]), [true; 6]);
        assert_eq!(admitted(2, &[0, 4, 6, 9]), [true, true, true, false]);
    }

    #[test]
    fn a_restart_as_old_as_the_period_still_counts() {
        assert_eq!(admitted(1, &[0, 5]), [true, false]);
        assert_eq!(admitted(1, &[0, 6]), [true, true]);
    }
}
