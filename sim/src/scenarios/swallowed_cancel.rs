//! A worker does one job after the other until it is told to stop.
//!
//! What is wrong: the request to stop is a message. The worker looks for it while it waits for its
//! job, and when both are there at once it takes the result, as it should; but the message has been
//! taken too, and is forgotten. The worker goes on with the next job.
//!
//! The repair makes the request a state: it stays set, and the worker looks at it before every job.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::spawn_named;
use parcae::sync::{Event, Queue};
use parcae::time::sleep;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "swallowed-cancel",
    summary: "A worker does ten jobs and is told to stop on the way.",
    defect: "Told when a job ends, it takes the result and forgets the rest; in the twin it stays told.",
    source: "asyncio: wait_for and TaskGroup swallowed a cancellation (gh-86296, gh-116720)",
    failure_kind: "panic",
    seeds_until_found: 300,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const JOBS: u32 = 10;

async fn buggy() {
    let stops = Queue::unbounded().named("stop requests");
    let begun = Rc::new(Cell::new(0));
    let worker = spawn_named("worker", {
        let (stops, begun) = (stops.clone(), begun.clone());
        async move {
            for _ in 0..JOBS {
                begun.set(begun.get() + 1);
                if unless(stops.get(), job()).await.is_none() {
                    return;
                }
            }
        }
    });
    sleep(somewhen()).await;
    stops.put(()).await.expect("it is open");
    let begun_before = begun.get();
    worker.await;
    assert!(begun.get() <= begun_before + 1, "told to stop, it has gone on");
}

async fn fixed() {
    let stop = Rc::new(Event::new().named("stop"));
    let begun = Rc::new(Cell::new(0));
    let worker = spawn_named("worker", {
        let (stop, begun) = (stop.clone(), begun.clone());
        async move {
            for _ in 0..JOBS {
                if stop.is_set() {
                    return;
                }
                begun.set(begun.get() + 1);
                if unless(stop.wait(), job()).await.is_none() {
                    return;
                }
            }
        }
    });
    sleep(somewhen()).await;
    stop.set();
    let begun_before = begun.get();
    worker.await;
    assert!(begun.get() <= begun_before + 1, "told to stop, it has gone on");
}

/// Returns the output of the job; nothing when the request to stop comes first.
async fn unless<S, T>(stop: impl Future<Output = S>, job: impl Future<Output = T>) -> Option<T> {
    let (mut job, mut stop) = (pin!(job), pin!(stop));
    poll_fn(|context| {
        let is_stopped = stop.as_mut().poll(context).is_ready();
        match job.as_mut().poll(context) {
            // What is done is done.
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if is_stopped => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

async fn job() {
    sleep(Duration::from_millis(10)).await;
}

fn somewhen() -> Duration {
    Duration::from_millis(5) * choose_for("time of the request", 0, 1..=8)
}
