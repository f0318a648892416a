//! The timer wheel against a heap ordered by deadline and sequence.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use parcae::kernel::{Key, Site, StreamId, prf};
use parcae::time::{Instant, sleep, timeout};
use parcae::{Seed, Sim, spawn};

use crate::runs::{Journal, nanos, poll_once};

/// What a task does between two entries of the journal.
#[derive(Clone, Copy, Debug)]
enum Step {
    Sleep {
        duration: u64,
    },
    /// A time-out over a sleep: the earlier of the two timers, the other one is cancelled.
    Timeout {
        limit: u64,
        duration: u64,
    },
    /// A sleep that is set and dropped before the one that counts.
    Dropped {
        dropped: u64,
        duration: u64,
    },
}

const TASKS: u64 = 50;
const STEPS: u64 = 40;

/// Returns the steps of one task: durations of all sizes, with many equal deadlines among them.
fn steps(seed: u64, task: u64) -> Vec<Step> {
    let draw = |site, ordinal| {
        let bits =
            prf(Seed::new(seed), Key::new(StreamId::from_bits(task), Site::new(site), ordinal));
        // Not 0: a sleep of zero is a yield.
        let duration = (bits >> 16) % (1 << (bits % 36 + 1)) + 1;
        // Multiples of a coarse unit meet in one instant.
        if bits & 1 << 40 == 0 { duration.next_multiple_of(1 << 16) } else { duration }
    };
    let step = |ordinal| {
        let duration = draw("duration", ordinal);
        match draw("kind", ordinal) % 4 {
            0 | 1 => Step::Sleep { duration },
            2 => Step::Timeout { limit: draw("limit", ordinal), duration },
            _ => Step::Dropped { dropped: draw("dropped", ordinal), duration },
        }
    };
    (0..STEPS).map(step).collect()
}

/// What the library does: the time and the task of each step that ended, in order.
fn simulated(seed: u64) -> Vec<(u64, u64, bool)> {
    let strategy = parcae::explore::Strategy::Fifo;
    let sim = Sim::builder().strategy(strategy).max_time(std::time::Duration::MAX).build().unwrap();
    let outcome = sim.run(move || async move {
        let (journal, start) = (Journal::new(), Instant::now());
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let journal = journal.clone();
                spawn(async move {
                    for step in steps(seed, task) {
                        let is_ok = take(step).await;
                        let now = u64::try_from(start.elapsed().as_nanos()).unwrap();
                        journal.add((now, task, is_ok));
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        journal.take()
    });
    outcome.unwrap()
}

async fn take(step: Step) -> bool {
    match step {
        Step::Sleep { duration } => sleep(nanos(duration)).await,
        Step::Timeout { limit, duration } => {
            return timeout(nanos(limit), sleep(nanos(duration))).await.is_ok();
        }
        Step::Dropped { dropped, duration } => {
            let mut sleeping = sleep(nanos(dropped));
            assert!(poll_once(&mut sleeping).is_pending());
            drop(sleeping);
            sleep(nanos(duration)).await;
        }
    }
    true
}

/// What it should do.
fn modelled(seed: u64) -> Vec<(u64, u64, bool)> {
    let mut model = Model::default();
    let mut scripts: Vec<_> = (0..TASKS).map(|task| steps(seed, task).into_iter()).collect();
    let mut entries = Vec::new();
    for (task, script) in scripts.iter_mut().enumerate() {
        model.set(task, 0, script.next().unwrap());
    }
    while let Some((now, woken)) = model.expire() {
        for (task, is_ok) in woken {
            entries.push((now, u64::try_from(task).unwrap(), is_ok));
            match scripts[task].next() {
                Some(step) => model.set(task, now, step),
                None => model.end(task),
            }
        }
    }
    entries
}

/// Deadline, sequence, task, number of the step that set it.
type Entry = (u64, u64, usize, u64);

/// A task, and whether its step ends with a value.
type Woken = (usize, bool);

#[derive(Default)]
struct Model {
    heap: BinaryHeap<Reverse<Entry>>,
    sequence: u64,
    /// Number of the step that each task is in, and when that ends with a value.
    current: Vec<(u64, u64)>,
}

impl Model {
    fn set(&mut self, task: usize, now: u64, step: Step) {
        self.current.resize(self.current.len().max(task + 1), (0, 0));
        self.current[task].0 += 1;
        match step {
            Step::Sleep { duration } => {
                self.current[task].1 = now + duration;
                self.push(task, now + duration);
            }
            Step::Timeout { limit, duration } => {
                self.current[task].1 = now + duration;
                self.push(task, now + duration);
                self.push(task, now + limit);
            }
            Step::Dropped { duration, .. } => {
                self.sequence += 1;
                self.current[task].1 = now + duration;
                self.push(task, now + duration);
            }
        }
    }

    fn end(&mut self, task: usize) {
        self.current[task].0 += 1;
    }

    fn push(&mut self, task: usize, deadline: u64) {
        self.sequence += 1;
        self.heap.push(Reverse((deadline, self.sequence, task, self.current[task].0)));
    }

    /// Takes all timers of the next instant out; returns the tasks they wake, in order, and
    /// whether with a value.
    fn expire(&mut self) -> Option<(u64, Vec<Woken>)> {
        let mut woken: Vec<Woken> = Vec::new();
        let mut now = None;
        while let Some(Reverse((deadline, _, task, step))) = self.heap.peek().copied() {
            let is_stale = self.current[task].0 != step;
            if !is_stale && now.is_some_and(|now| now != deadline) {
                break;
            }
            self.heap.pop();
            if is_stale {
                continue;
            }
            now = Some(deadline);
            if woken.iter().all(|(other, _)| *other != task) {
                woken.push((task, self.current[task].1 == deadline));
            }
        }
        now.map(|now| (now, woken))
    }
}

#[test]
fn two_thousand_random_timers_fire_as_a_heap_says() {
    let mut meetings = 0;
    for seed in 0..20 {
        let (found, expected) = (simulated(seed), modelled(seed));
        assert_eq!(expected.len(), usize::try_from(TASKS * STEPS).unwrap());
        let difference =
            found.iter().zip(&expected).position(|(found, expected)| found != expected);
        assert_eq!(difference, None, "seed {seed}");
        assert_eq!(found.len(), expected.len());
        meetings += expected.windows(2).filter(|pair| pair[0].0 == pair[1].0).count();
    }
    assert!(meetings > 300, "only {meetings} pairs of equal deadlines: the test tests little");
}
