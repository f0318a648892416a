//! A client starts a session and waits until it is over.
//!
//! What is wrong: the session says that it is over in its `on_stop`. A session that fails to start has
//! nothing to stop, so it says nothing, and the client waits for ever.
//!
//! The repair waits for the end of the actor itself, of which whoever waits learns in any case.

use std::rc::Rc;
use std::time::Duration;

use parcae::actor::{self, Actor, Context, Crash, ExitReason};
use parcae::rng::choose_for;
use parcae::spawn_named;
use parcae::sync::Event;
use parcae::time::sleep;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "untold-failure",
    summary: "A client starts a session, which may fail to start, and waits until it is over.",
    defect: "A session that did not start says no farewell; the twin waits for the end itself.",
    source: "kameo#229: links are not told when `on_start` fails",
    failure_kind: "deadlock",
    seeds_until_found: 50,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

struct Session {
    over: Rc<Event>,
}

impl Actor for Session {
    type Args = Rc<Event>;
    type Error = Crash;

    async fn start(over: Self::Args, cx: &mut Context<Self>) -> Result<Self, Crash> {
        sleep(Duration::from_millis(5)).await;
        if choose_for("login fails", 0, 0..=1) == 1 {
            return Err(Crash::new("login failed"));
        }
        cx.stop();
        Ok(Self { over })
    }

    async fn on_stop(&mut self, _: &ExitReason, _: &mut Context<Self>) {
        self.over.set();
    }
}

async fn buggy() {
    let over = Rc::new(Event::new().named("session is over"));
    let session = actor::spawn::<Session>(over.clone());
    // Its failure is in the log, and so it is not the run's.
    spawn_named("log", async move { session.exited().await }).background();
    over.wait().await;
}

async fn fixed() {
    let over = Rc::new(Event::new().named("session is over"));
    let session = actor::spawn::<Session>(over.clone());
    let reason = session.exited().await;
    assert!(over.is_set() || matches!(reason, ExitReason::StartFailed(_)), "{reason}");
}
