//! An operator ends a worker that is stuck. The worker may have crashed and been started again before.
//!
//! What is wrong: whoever starts the worker again makes a new actor, and the operator has the reference of
//! the old one. The kill hits an actor that is dead, and the stuck one goes on.
//!
//! The repair has a supervisor start it again: its reference is that of the present incarnation.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use parcae::actor::{
    self, Actor, ActorRef, ChildSpec, Context, Crash, Handler, Strategy, Supervisor,
};
use parcae::rng::choose_for;
use parcae::time::sleep;
use parcae::{Task, spawn_named};

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "stale-reference",
    summary: "An operator kills a worker that is stuck; it may have been restarted before.",
    defect: "The reference is of the worker that crashed; the twin's is of the present one.",
    source: "kameo#392: `kill()` through a reference that is older than the restart",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

/// The number of the last worker that was made, and of the last that is gone.
#[derive(Clone, Default)]
struct Workers {
    made: Rc<Cell<u32>>,
    gone: Rc<Cell<u32>>,
}

struct Worker {
    number: u32,
    workers: Workers,
}

#[derive(Debug)]
struct Fail;
parcae::message!(Fail -> ());

impl Actor for Worker {
    type Args = Workers;
    type Error = Crash;

    async fn start(workers: Workers, _: &mut Context<Self>) -> Result<Self, Crash> {
        let number = workers.made.get() + 1;
        workers.made.set(number);
        Ok(Self { number, workers })
    }
}

impl Handler<Fail> for Worker {
    async fn handle(&mut self, _: Fail, _: &mut Context<Self>) -> Result<(), Crash> {
        Err(Crash::new("as it happens"))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.workers.gone.set(self.number);
    }
}

async fn buggy() {
    let workers = Workers::default();
    let worker = actor::spawn::<Worker>(workers.clone());
    let _watch: Task<()> = spawn_named("watch", {
        let (mut worker, workers) = (worker.clone(), workers.clone());
        async move {
            loop {
                worker.exited().await;
                worker = actor::spawn::<Worker>(workers.clone());
            }
        }
    });
    operate(&worker, &workers).await;
}

async fn fixed() {
    let workers = Workers::default();
    let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(3, Duration::from_secs(5));
    let args = workers.clone();
    let worker = supervisor.child("worker", ChildSpec::<Worker>::new(move || args.clone()));
    let _supervisor = supervisor.start().await.expect("a worker starts");
    operate(&worker, &workers).await;
}

async fn operate(worker: &ActorRef<Worker>, workers: &Workers) {
    sleep(Duration::from_secs(1)).await;
    if choose_for("worker crashes", 0, 0..=1) == 1 {
        worker.tell(Fail).expect("it runs");
        sleep(Duration::from_secs(1)).await;
    }
    let stuck = workers.made.get();
    worker.kill();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(workers.gone.get(), stuck, "the worker that is stuck goes on");
}
