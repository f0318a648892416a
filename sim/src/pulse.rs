//! What `hunt --format jsonl` prints while it goes on.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a sign of life is given in wall time"
)]

use std::time::{Duration, Instant};

use parcae::explore::Control;

use crate::lines::{FailingItem, Heartbeat, Line};
use crate::output;

/// Prints failing seeds as they are found, and now and then how far the hunt is.
#[derive(Debug)]
pub(crate) struct Pulse {
    start: Instant,
    last: Instant,
    distance: Duration,
}

impl Pulse {
    pub(crate) fn new(distance: Duration) -> Self {
        let now = Instant::now();
        Self { start: now, last: now, distance }
    }

    pub(crate) fn beat(&mut self, control: &Control) {
        let failing = control.take_failing();
        let mut lines: Vec<Line> =
            failing.iter().map(|seed| Line::Failing(FailingItem::of(seed))).collect();
        if self.last.elapsed() >= self.distance {
            self.last = Instant::now();
            let wall_seconds = self.start.elapsed().as_secs_f64();
            let seeds_done = control.seeds_done();
            lines.push(Line::Heartbeat(Heartbeat { seeds_done, wall_seconds }));
        }
        if !lines.is_empty() {
            let text: String = lines.iter().map(ToString::to_string).collect();
            // What cannot be printed now cannot be printed at the end either, and is told then.
            drop(output::print(&text));
        }
    }
}
