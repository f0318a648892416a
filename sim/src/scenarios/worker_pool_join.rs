//! A pool of workers takes jobs from a queue; the caller waits until all of them are done.
//!
//! What is wrong: a job that takes too long ends its worker by `?`, before the `task_done`. The error
//! lies in the worker's handle, which is looked at only after `join`, and `join` waits for ever for
//! the job that nobody will report.
//!
//! The repair counts a late job as one that was done with, and its worker goes on to the next; only
//! after `join` the queue is closed, which ends all workers and not only one.

use std::time::Duration;

use parcae::rng::choose_for;
use parcae::sync::Queue;
use parcae::time::{Elapsed, sleep, timeout};
use parcae::{Task, spawn_named};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "worker-pool-join",
    summary: "Three workers do jobs with a time limit; `join` waits for all the jobs.",
    defect: "A late job ends its worker before `task_done`; in the twin the worker reports it and goes on.",
    source: "asyncio tutorials: `process(job)` raises before `task_done`",
    failure_kind: "deadlock",
    seeds_until_found: 100,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const WORKERS: u64 = 3;
const JOBS: u64 = 6;
const TIME_LIMIT: Duration = Duration::from_millis(95);

async fn buggy() {
    let jobs = Queue::unbounded().named("jobs");
    let workers: Vec<Task<Result<(), Elapsed>>> = (1..=WORKERS)
        .map(|worker| {
            let jobs = jobs.clone();
            spawn_named(format!("worker-{worker}"), async move {
                while let Ok(job) = jobs.get().await {
                    timeout(TIME_LIMIT, sleep(job)).await?;
                    jobs.task_done();
                }
                Ok(())
            })
        })
        .collect();
    for number in 1..=JOBS {
        jobs.put(job(number)).await.expect("the queue is open");
    }
    jobs.join().await;
    jobs.close();
    for worker in workers {
        worker.await.expect("all jobs are done");
    }
}

async fn fixed() {
    let jobs = Queue::unbounded().named("jobs");
    let workers: Vec<Task<(u64, u64)>> = (1..=WORKERS)
        .map(|worker| {
            let jobs = jobs.clone();
            spawn_named(format!("worker-{worker}"), async move {
                let (mut in_time, mut late) = (0, 0);
                while let Ok(job) = jobs.get_job().await {
                    match timeout(TIME_LIMIT, sleep(*job)).await {
                        Ok(()) => in_time += 1,
                        Err(Elapsed { .. }) => {
                            info!(?job, "given up");
                            late += 1;
                        }
                    }
                    job.done();
                }
                (in_time, late)
            })
        })
        .collect();
    for number in 1..=JOBS {
        jobs.put(job(number)).await.expect("the queue is open");
    }
    jobs.join().await;
    jobs.close();
    let mut count = 0;
    for worker in workers {
        let (in_time, late) = worker.await;
        count += in_time + late;
    }
    assert_eq!(count, JOBS, "each job is worked on once");
}

/// A job is how long it takes.
fn job(number: u64) -> Duration {
    Duration::from_millis(choose_for("duration of job", number, 1..=100))
}
