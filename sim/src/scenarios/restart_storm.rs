//! A connection to a database is lost, and the database is down for some seconds.
//!
//! What is wrong: the supervisor restarts the connection at once, again and again. After a few attempts
//! within one instant it has had enough, stops all its children and gives up, long before the database is
//! back.
//!
//! The repair waits between the attempts, so that there are never too many in the period, however long the
//! outage.

use std::time::Duration;

use parcae::actor::{Actor, AnyRef, ChildSpec, Context, Crash, Handler, Strategy, Supervisor};
use parcae::retry::{Backoff, Jitter};
use parcae::rng::choose_for;
use parcae::spawn_named;
use parcae::time::{Instant, sleep};

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "restart-storm",
    summary: "A database is down for some seconds; its connection is restarted until it is back.",
    defect: "Three restarts in an instant, and the supervisor gives up; the twin waits between them.",
    source: "Erlang/OTP: restart intensity; Akka's BackoffSupervisor",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(outage(None)),
    fixed: || Box::pin(outage(Some(backoff()))),
};

/// 2 seconds at least: with three attempts allowed in five seconds, never too many.
fn backoff() -> Backoff {
    Backoff::exponential(Duration::from_secs(4), 2)
        .cap(Duration::from_secs(8))
        .jitter(Jitter::Equal)
}

struct Connection;

impl Actor for Connection {
    type Args = Instant;
    type Error = Crash;

    async fn start(back_at: Instant, _: &mut Context<Self>) -> Result<Self, Crash> {
        if Instant::now() < back_at { Err(Crash::new("connection refused")) } else { Ok(Self) }
    }
}

/// The connection is lost.
#[derive(Debug)]
struct Lost;
parcae::message!(Lost -> ());

impl Handler<Lost> for Connection {
    async fn handle(&mut self, _: Lost, _: &mut Context<Self>) -> Result<(), Crash> {
        Err(Crash::new("connection reset"))
    }
}

async fn outage(backoff: Option<Backoff>) {
    let length = Duration::from_secs(choose_for("length of the outage", 0, 0..=30));
    let back_at = std::rc::Rc::new(std::cell::Cell::new(Instant::now()));
    let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(3, Duration::from_secs(5));
    let args = back_at.clone();
    let mut spec = ChildSpec::<Connection>::new(move || args.get());
    if let Some(backoff) = backoff {
        spec = spec.backoff(backoff);
    }
    let connection = supervisor.child("connection", spec);
    let supervisor = supervisor.start().await.expect("the database is there at first");
    let _watch = spawn_named("watch", give_up(supervisor.any()));
    sleep(Duration::from_secs(1)).await;
    back_at.set(Instant::now() + length);
    connection.tell(Lost).expect("it runs");
    sleep(length + Duration::from_secs(10)).await;
    let counts = supervisor.count_children().await.expect("the supervisor runs");
    assert_eq!(counts.active, 1, "the database is back, and there is no connection");
}

async fn give_up(supervisor: AnyRef) {
    let reason = supervisor.exited().await;
    panic!("the supervisor has given up: {reason}");
}
