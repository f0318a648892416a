//! Two workers take turns at a job. A record in a store says who has it, and until when.
//!
//! What is wrong: "when" is a date on the clock of the worker that wrote it, and is read by another one's.
//! A clock that is ahead sees the end too early: its worker begins while the other is at work.
//!
//! The repair leaves the time to the store: it gives the job for so long, and takes it back by its own
//! clock. A worker counts that time from before it asked, so it stops before the store gives the job
//! away. Nobody compares two clocks; that they run at about one rate is all that is left to trust.

use std::cell::Cell;
use std::future::ready;
use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::time::{Instant, SystemTime, sleep, sleep_until};
use parcae::world::{self, ClockOptions, TimeStep};

use super::wire::{ask, serve};
use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "clock-skew-lease",
    summary: "Two workers take turns at a job: a store remembers who has it, for five seconds each.",
    defect: "The end is a date, and one clock is ahead: both work; in the twin only the store looks.",
    source: "M. Kleppmann, How to do distributed locking (2016): clocks that jump and differ",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(run(Rule::Dates)),
    fixed: || Box::pin(run(Rule::TimeOfTheStore)),
};

const LEASE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Clone, Copy)]
enum Rule {
    Dates,
    TimeOfTheStore,
}

async fn run(rule: Rule) {
    let store = Rc::new(Store::default());
    world::node("store").start(move || {
        let store = store.clone();
        serve(7000, move |question| ready(store.answer(&question)))
    });
    let job = Rc::new(Job::default());
    for (number, name) in [(1, "worker-1"), (2, "worker-2")] {
        let ahead: i32 = choose_for("clock skew (in 0.5 s) of worker", number, -4..=4);
        let step = Duration::from_millis(500) * ahead.unsigned_abs();
        let offset = if ahead < 0 { TimeStep::Back(step) } else { TimeStep::Forward(step) };
        let job = job.clone();
        world::node(name).clock(ClockOptions::default().with_offset(offset)).start(move || {
            let job = job.clone();
            async move {
                loop {
                    match rule {
                        Rule::Dates => job.work_until_date(name).await,
                        Rule::TimeOfTheStore => job.work_for_a_time(name).await,
                    }
                    sleep(PAUSE).await;
                }
            }
        });
    }
    sleep(Duration::from_secs(15)).await;
    assert!(job.turns.get() >= 2, "the job is done again and again");
}

/// What one of them may do at a time.
#[derive(Default)]
struct Job {
    worker: Cell<Option<&'static str>>,
    turns: Cell<u32>,
}

impl Job {
    /// Takes the job if the date that stands in the store is over, and writes another one there.
    async fn work_until_date(&self, name: &'static str) {
        let Ok(old) = ask("store:7000", "read".to_owned()).await else { return };
        let now = SystemTime::now().since_epoch();
        let end = Duration::from_nanos(old.parse().expect("a date"));
        if end > now {
            return;
        }
        let new = (now + LEASE).as_nanos();
        let answer = ask("store:7000", format!("replace {old} {new}")).await;
        if answer.is_ok_and(|done| done == "yes") {
            self.begin(name);
            sleep((now + LEASE).saturating_sub(SystemTime::now().since_epoch())).await;
            self.worker.set(None);
        }
    }

    /// Takes the job if the store gives it.
    async fn work_for_a_time(&self, name: &'static str) {
        let start = Instant::now();
        let answer = ask("store:7000", "take".to_owned()).await;
        if answer.is_ok_and(|done| done == "yes") {
            self.begin(name);
            sleep_until(start + LEASE).await;
            self.worker.set(None);
        }
    }

    fn begin(&self, name: &'static str) {
        if let Some(other) = self.worker.replace(Some(name)) {
            panic!("{name} begins while {other} is at work");
        }
        self.turns.set(self.turns.get() + 1);
    }
}

/// Remembers when the job is free again.
#[derive(Default)]
struct Store {
    /// As a worker wrote it, in nanoseconds.
    date: Cell<u64>,
    /// By its own clock.
    end: Cell<Option<Instant>>,
}

impl Store {
    fn answer(&self, question: &str) -> String {
        let words: Vec<&str> = question.split(' ').collect();
        let date = |word: &str| word.parse().expect("a date");
        let is_done = match words[..] {
            ["replace", old, new] if date(old) == self.date.get() => {
                self.date.set(date(new));
                true
            }
            ["take"] if self.end.get().is_none_or(|end| end <= Instant::now()) => {
                self.end.set(Some(Instant::now() + LEASE));
                true
            }
            ["read"] => return self.date.get().to_string(),
            _ => false,
        };
        if is_done { "yes" } else { "no" }.to_owned()
    }
}
