//! Shows how far a hunt is, on stderr and only if that is a terminal.

use std::fmt;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use parcae::explore::Control;

use crate::interrupt::Interrupt;
use crate::output;

/// Calls `work`; beside it another thread shows what `control` counts, and passes Ctrl-C on to it. The same thread
/// calls `tick` now and then, and once at the end.
/// Without that thread the work is not begun, because Ctrl-C would not reach it.
pub(crate) fn watched<R>(
    control: &Control,
    interrupt: &Interrupt,
    seed_count: u64,
    mut tick: impl FnMut(&Control) + Send,
    work: impl FnOnce() -> R,
) -> io::Result<R> {
    let (is_working, end) = mpsc::channel::<()>();
    thread::scope(|scope| {
        thread::Builder::new().spawn_scoped(scope, move || {
            let mut progress = Progress::of_seeds(seed_count);
            let mut is_stopping = false;
            while end.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                if interrupt.is_raised() && !is_stopping {
                    is_stopping = true;
                    control.stop();
                    progress.bar.suspend(|| output::tell("stopping: once more ends it at once"));
                }
                progress.show(control);
                tick(control);
            }
            tick(control);
            progress.bar.finish_and_clear();
        })?;
        // Moved here, so that it is dropped also when `work` panics.
        let is_working = is_working;
        let result = work();
        drop(is_working);
        Ok(result)
    })
}

struct Progress {
    /// Hidden by indicatif when stderr is no terminal.
    bar: ProgressBar,
    is_shrinking: bool,
}

impl Progress {
    fn of_seeds(count: u64) -> Self {
        let bar = ProgressBar::new(count).with_style(style(SEEDS));
        Self { bar, is_shrinking: false }
    }

    fn show(&mut self, control: &Control) {
        let shrink_runs = control.shrink_runs();
        if shrink_runs == 0 {
            return self.bar.set_position(control.seeds_done());
        }
        if !self.is_shrinking {
            self.is_shrinking = true;
            self.bar.set_style(style(SHRINKING));
            self.bar.reset_elapsed();
        }
        self.bar.set_position(shrink_runs);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is a constant").with_key(
        "rate",
        |state: &ProgressState, text: &mut dyn fmt::Write| {
            // It is only looked at.
            let _ = write!(text, "{:.0}", state.per_sec());
        },
    )
}

const TICK: Duration = Duration::from_millis(100);
const SEEDS: &str = "{bar:30} {human_pos}/{human_len} seeds, {rate} per second, {eta} left";
const SHRINKING: &str = "{spinner} a seed fails: shrinking it, {human_pos} runs, {elapsed}";
