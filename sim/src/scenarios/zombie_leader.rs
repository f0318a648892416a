//! Three replicas of a register. One leads: it takes what is written and has the others store it.
//!
//! What is wrong: the leader stands still for some seconds, its client gives it up, makes another one
//! leader and writes on. Then the first wakes up. It does not know that time has passed, finds a request
//! that has come meanwhile, and carries it out: its followers store the old value over newer ones.
//!
//! The repair numbers the reigns ("terms"). A leader says its own with all that is to be stored; a replica
//! refuses what comes from an earlier one than it knows. A leader that is refused, or hears of a later
//! term, leads no more: else it would go on under the number of its successor.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::task::as_completed;
use parcae::time::sleep;
use parcae::{spawn, spawn_named, world};
use tracing::info;

use super::wire::{ask, serve};
use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "zombie-leader",
    summary: "A client writes to the leader of three replicas, and makes another leader if it is mute.",
    defect: "The first wakes up and overwrites what the next one stored; in the twin terms are numbered.",
    source: "M. Kleppmann, How to do distributed locking (2016): the pause; terms as in Raft",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(run(false)),
    fixed: || Box::pin(run(true)),
};

const REPLICAS: [&str; 3] = ["kv-1:7000", "kv-2:7000", "kv-3:7000"];
const WRITES: u64 = 10;

async fn run(has_terms: bool) {
    let replicas = world::nodes("kv", REPLICAS.len()).start(move |index| {
        let replica = Rc::new(Replica { index, has_terms, ..Replica::default() });
        serve(7000, move |question| replica.clone().answer(question))
    });
    let pause = spawn_named("pause", async move {
        sleep(Duration::from_millis(450)).await;
        replicas[0].pause();
        sleep(Duration::from_secs(choose_for("seconds of pause", 1, 0..=5))).await;
        replicas[0].resume();
    });
    // The client writes one value after the other, and looks later whether the last one is there.
    let (mut leader, mut term) = (0, 1);
    // A leader that does not answer is seen to by what is asked of it next.
    drop(ask(REPLICAS[leader], format!("lead {term}")).await);
    for value in 1..=WRITES {
        sleep(Duration::from_millis(100)).await;
        while !ask(REPLICAS[leader], format!("set {value}")).await.is_ok_and(|done| done == "yes") {
            (leader, term) = ((leader + 1) % REPLICAS.len(), term + 1);
            drop(ask(REPLICAS[leader], format!("lead {term}")).await);
        }
    }
    pause.await;
    sleep(Duration::from_secs(5)).await;
    let value = ask(REPLICAS[leader], "get".to_owned()).await.expect("the leader is there");
    assert_eq!(value, WRITES.to_string(), "the last value that was acknowledged is overwritten");
}

#[derive(Default)]
struct Replica {
    index: usize,
    has_terms: bool,
    is_leader: Cell<bool>,
    /// The latest that it has heard of.
    term: Cell<u64>,
    value: Cell<u64>,
}

impl Replica {
    async fn answer(self: Rc<Self>, question: String) -> String {
        let mut words = question.split(' ');
        let verb = words.next().unwrap_or_default();
        let mut numbers = words.map(|word| word.parse::<u64>().expect("a number"));
        let mut next = || numbers.next().expect("as many as the verb has");
        let is_done = match verb {
            "lead" => self.lead(next()),
            "set" => self.set(next()).await,
            "store" => self.store(next(), next()),
            _ => return self.value.get().to_string(),
        };
        if is_done { "yes" } else { "no" }.to_owned()
    }

    fn lead(&self, term: u64) -> bool {
        if self.is_over(term) {
            return false;
        }
        self.term.set(term);
        self.is_leader.set(true);
        true
    }

    /// Has most replicas store a value, of which it is one.
    async fn set(&self, value: u64) -> bool {
        if !self.is_leader.get() {
            return false;
        }
        let term = self.term.get();
        self.value.set(value);
        let others = REPLICAS.into_iter().filter(|other| *other != REPLICAS[self.index]);
        let mut answers =
            as_completed(others.map(|other| spawn(ask(other, format!("store {term} {value}")))));
        while let Some((_, answer)) = answers.next().await {
            match answer.await.as_deref() {
                Ok("yes") => return true,
                Ok(_) => self.is_leader.set(false),
                Err(error) => info!(%error, "one that is not there now"),
            }
        }
        false
    }

    fn store(&self, term: u64, value: u64) -> bool {
        if self.is_over(term) {
            return false;
        }
        // Who leads does not come to itself: this is another leader, of its own term or a later one.
        if self.has_terms {
            self.is_leader.set(false);
        }
        self.term.set(term);
        self.value.set(value);
        true
    }

    fn is_over(&self, term: u64) -> bool {
        self.has_terms && term < self.term.get()
    }
}
