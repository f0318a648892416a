//! A worker crashes every few seconds, and is restarted unless it has crashed more than five times in five
//! seconds.
//!
//! What is wrong: the crashes are counted from the first one on, and the count begins anew only when five
//! seconds have passed since the last one. A worker that crashes every four seconds is given up after six
//! crashes, although there were never more than two in five seconds.
//!
//! The repair looks back five seconds from each crash.

use std::time::Duration;

use parcae::actor::{
    self, ActorRef, AnyRef, ChildSpec, Context, Crash, Handler, Strategy, Supervisor,
};
use parcae::rng::choose_for;
use parcae::spawn_named;
use parcae::time::{Instant, sleep};

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "unsliding-window",
    summary: "A worker crashes every few seconds; five crashes in five seconds are allowed.",
    defect: "The count begins anew only after a pause, and never does; the twin's window slides.",
    source: "kameo's RestartTracker; Erlang/OTP's restart intensity",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const LIMIT: usize = 5;
const PERIOD: Duration = Duration::from_secs(5);

struct Worker;
parcae::actor!(Worker);

#[derive(Debug)]
struct Fail;
parcae::message!(Fail -> ());

impl Handler<Fail> for Worker {
    async fn handle(&mut self, _: Fail, _: &mut Context<Self>) -> Result<(), Crash> {
        Err(Crash::new("as it happens"))
    }
}

/// The pause between two crashes: 9 seconds if nothing else is chosen, and 2 at least.
fn pause() -> Duration {
    Duration::from_secs(9 - choose_for("seconds that are saved", 0, 0..=7))
}

async fn buggy() {
    let pause = pause();
    let (mut count, mut last) = (0, Instant::now());
    for _ in 0..20 {
        let worker = actor::spawn::<Worker>(Worker);
        let crash = spawn_named("crash", crash(worker.clone(), pause));
        worker.exited().await;
        crash.await;
        if last.elapsed() > PERIOD {
            count = 0;
        }
        (count, last) = (count + 1, Instant::now());
        assert!(
            count <= LIMIT,
            "the worker is given up after {count} crashes, one every {pause:?}"
        );
    }
}

async fn fixed() {
    let pause = pause();
    let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(LIMIT, PERIOD);
    let worker = supervisor.child("worker", ChildSpec::<Worker>::new(|| Worker));
    let supervisor = supervisor.start().await.expect("a worker starts");
    let _watch = spawn_named("watch", give_up(supervisor.any(), pause));
    for _ in 0..20 {
        crash(worker.reference(), pause).await;
    }
}

async fn crash(worker: ActorRef<Worker>, pause: Duration) {
    sleep(pause).await;
    worker.tell(Fail).expect("it runs, or is about to");
}

async fn give_up(supervisor: AnyRef, pause: Duration) {
    let reason = supervisor.exited().await;
    panic!("the worker is given up, with a crash every {pause:?}: {reason}");
}
