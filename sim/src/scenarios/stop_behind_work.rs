//! A worker has jobs in its mailbox when the program is to end, and has five seconds to stop.
//!
//! What is wrong: the stop is a message like any other and waits behind the jobs.
//!
//! The repair stops the actor: a stop goes before the messages of others, after the job in work.

use std::time::Duration;

use parcae::actor::{self, ActorRef, Context, Crash, ExitReason, Handler};
use parcae::rng::choose_for;
use parcae::spawn_named;
use parcae::time::{sleep, timeout};

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "stop-behind-work",
    summary: "A worker with jobs in its mailbox is told to stop within five seconds.",
    defect: "The stop waits behind the jobs; in the twin it goes before them.",
    source: "ractor, kameo: a stop in the mailbox of the user; priority inversion (Mars Pathfinder, 1997)",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(work(|worker| worker.tell(Quit).expect("it has a place"))),
    fixed: || Box::pin(work(|worker| worker.any().stop(ExitReason::Shutdown))),
};

struct Worker;
parcae::actor!(Worker);

#[derive(Debug)]
struct Job;
parcae::message!(Job -> ());

impl Handler<Job> for Worker {
    async fn handle(&mut self, _: Job, _: &mut Context<Self>) -> Result<(), Crash> {
        sleep(Duration::from_millis(100)).await;
        Ok(())
    }
}

#[derive(Debug)]
struct Quit;
parcae::message!(Quit -> ());

impl Handler<Quit> for Worker {
    async fn handle(&mut self, _: Quit, cx: &mut Context<Self>) -> Result<(), Crash> {
        cx.stop();
        Ok(())
    }
}

async fn work(stop: fn(&ActorRef<Worker>)) {
    let worker = actor::spawn::<Worker>(Worker);
    let jobs = choose_for("jobs that wait", 0, 0..=200);
    let client = worker.clone();
    let send = spawn_named("client", async move {
        for _ in 0..jobs {
            client.tell(Job).expect("it has a place for 256");
        }
    });
    send.await;
    stop(&worker);
    let stopped = timeout(Duration::from_secs(5), worker.exited()).await;
    assert!(stopped.is_ok(), "it has not stopped in time, with {jobs} jobs before");
}
