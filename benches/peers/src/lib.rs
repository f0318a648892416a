//! What the two commands have in common: they are asked for figures, line by line.
//!
//! A question is `WORKLOAD SIZE`. The answer is `NANOS ALLOCATIONS BYTES`: the processor time of the
//! thread, the allocations, and the bytes not given back; the last two are 0 unless the workload counts.
//! Questions come until the input ends.

#[path = "../../src/counting.rs"]
#[expect(dead_code, reason = "what sets a task's future apart is only wanted on the other side")]
mod counting;

use std::io::{BufRead as _, Write as _, stdin, stdout};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// What something cost.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    nanos: u128,
    allocations: u64,
    bytes: i64,
}

impl Figures {
    /// Returns the figures of something that takes so many times as long.
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        Self { nanos: self.nanos * u128::from(factor), ..self }
    }
}

/// Runs since it was started.
#[derive(Debug)]
pub struct Meter {
    time: Duration,
    counts: counting::Counts,
}

impl Meter {
    #[must_use]
    pub fn start() -> Self {
        Self { counts: counting::now(), time: thread_time() }
    }

    #[must_use]
    pub fn stop(&self) -> Figures {
        let nanos = (thread_time() - self.time).as_nanos();
        let counts = counting::now().since(self.counts);
        Figures { nanos, allocations: counts.allocations, bytes: counts.live_bytes }
    }
}

/// Returns the figures of `work`.
pub fn metered(work: impl FnOnce()) -> Figures {
    let meter = Meter::start();
    work();
    meter.stop()
}

/// Lets the meters that run in `work` count what is allocated.
pub fn counting(work: impl FnOnce() -> Figures) -> Figures {
    counting::counted(work).0
}

/// Does a workload of some size, and returns what it cost.
pub type Work = fn(u32) -> Figures;

/// Answers questions until there are no more.
///
/// # Panics
/// On a question that is none.
pub fn answer(workloads: &[(&str, Work)]) {
    for question in stdin().lock().lines() {
        let question = question.expect("questions are text");
        let (name, size) = question.rsplit_once(' ').expect("a question is a name and a size");
        let size = size.parse().expect("a size is a number");
        let (_, work) =
            workloads.iter().find(|(own, _)| *own == name).expect("an unknown workload");
        let Figures { nanos, allocations, bytes } = work(size);
        writeln!(stdout(), "{nanos} {allocations} {bytes}").expect("somebody reads the answers");
    }
}

/// Read without libc: madsim replaces its clocks, and knows none of threads.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("processor time is positive")
}
