//! An import: a producer reads records and hands the amounts in them to a consumer, which runs on its
//! own and says when all is saved.
//!
//! What is wrong: a record that cannot be read ends the producer by `?`, before it puts the `None` that
//! says there are no more. The program reports the error and ends; nobody tells the consumer, which is
//! detached and waits for ever for the next amount.
//!
//! The repair closes the queue on every path out of the producer, by a guard whose destructor does it:
//! at the end, at a `?`, and when the producer panics or is cancelled. The program then waits until the
//! consumer has saved what came before.

use std::cell::Cell;
use std::num::ParseIntError;
use std::rc::Rc;

use parcae::choose;
use parcae::spawn_named;
use parcae::sync::{Event, Queue};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "pipeline-orphan",
    summary: "A producer reads records until one is malformed; a detached consumer saves them.",
    defect: "It fails before its `None`, so the consumer is never told; in the twin a guard closes the queue.",
    source: "asyncio tutorials: `gather` raises, and the consumer is an orphan",
    failure_kind: "leak",
    seeds_until_found: 10,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const RECORDS: u64 = 5;

async fn buggy() {
    let amounts = Queue::bounded(2).named("amounts");
    let is_saved = Rc::new(Event::new().named("is_saved"));
    spawn_named("consumer", {
        let (amounts, is_saved) = (amounts.clone(), is_saved.clone());
        async move {
            let mut sum = 0;
            while let Some(amount) = amounts.get().await.expect("nobody closes the queue") {
                sum += amount;
            }
            info!(sum, "saved");
            is_saved.set();
        }
    })
    .detach();
    let malformed = malformed_record();
    let producer = spawn_named("producer", async move {
        for record in records(malformed) {
            amounts.put(Some(record.parse()?)).await.expect("nobody closes the queue");
        }
        amounts.put(None::<u64>).await.expect("nobody closes the queue");
        Ok::<(), ParseIntError>(())
    });
    if let Err(error) = producer.await {
        return info!(%error, "the import fails");
    }
    is_saved.wait().await;
}

async fn fixed() {
    let amounts = Queue::bounded(2).named("amounts");
    let is_saved = Rc::new(Event::new().named("is_saved"));
    let sum = Rc::new(Cell::new(0));
    spawn_named("consumer", {
        let (amounts, is_saved, sum) = (amounts.clone(), is_saved.clone(), sum.clone());
        async move {
            while let Ok(amount) = amounts.get().await {
                sum.set(sum.get() + amount);
            }
            is_saved.set();
        }
    })
    .detach();
    let malformed = malformed_record();
    let producer = spawn_named("producer", async move {
        let amounts = ClosedOnDrop(amounts);
        for record in records(malformed) {
            amounts.0.put(record.parse()?).await.expect("it is closed only when all are put");
        }
        Ok::<(), ParseIntError>(())
    });
    let produced = producer.await;
    is_saved.wait().await;
    let count = if malformed == NONE { RECORDS } else { malformed - 1 };
    assert_eq!(produced.is_err(), malformed != NONE);
    assert_eq!(sum.get(), (1..=count).sum::<u64>(), "what was read before is saved");
}

/// A queue that ends when its owner does.
struct ClosedOnDrop(Queue<u64>);

impl Drop for ClosedOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Returns the number of the record that cannot be read, if there is one.
fn malformed_record() -> u64 {
    choose(NONE..=RECORDS)
}

/// Reads the amounts 1, 2, 3, …
fn records(malformed: u64) -> impl Iterator<Item = String> {
    (1..=RECORDS).map(move |number| match number {
        _ if number == malformed => "n/a".to_owned(),
        _ => number.to_string(),
    })
}

const NONE: u64 = 0;
