//! A display shows what a sensor measures. If measurements come faster than it draws, the oldest ones are
//! dropped: nobody needs them any more.
//!
//! What is wrong: that it is to end is a message among them. Enough measurements after it, and it is the oldest
//! one and is dropped too. The display goes on, and whoever waits for its end waits for ever.
//!
//! The repair stops the actor: a stop is no message of the mailbox, has a lane of its own and is never dropped,
//! like the signals of links and monitors.

use std::time::Duration;

use parcae::actor::{
    self, Actor, ActorRef, Context, Crash, ExitReason, Handler, Mailbox, Overflow,
};
use parcae::rng::choose_for;
use parcae::spawn_named;
use parcae::task::gather;
use parcae::time::sleep;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "evicted-stop",
    summary: "A display whose mailbox drops the oldest measurements is told to end.",
    defect: "That it is to end is dropped with the oldest; in the twin a stop has a lane of its own.",
    source: "actor-ts#1148: a bounded mailbox dropped the signal of a watched actor's end",
    failure_kind: "deadlock",
    seeds_until_found: 50,
    buggy: || Box::pin(show(|display| drop(display.tell(Quit)))),
    fixed: || Box::pin(show(|display| display.any().stop(ExitReason::Shutdown))),
};

struct Display;

impl Actor for Display {
    type Args = ();
    type Error = Crash;
    const MAILBOX: Mailbox = Mailbox::bounded(8).with_overflow(Overflow::DropOldest);

    async fn start(_: (), _: &mut Context<Self>) -> Result<Self, Crash> {
        Ok(Self)
    }
}

#[derive(Debug)]
struct Measured;
parcae::message!(Measured -> ());

impl Handler<Measured> for Display {
    async fn handle(&mut self, _: Measured, _: &mut Context<Self>) -> Result<(), Crash> {
        sleep(Duration::from_millis(8)).await;
        Ok(())
    }
}

#[derive(Debug)]
struct Quit;
parcae::message!(Quit -> ());

impl Handler<Quit> for Display {
    async fn handle(&mut self, _: Quit, context: &mut Context<Self>) -> Result<(), Crash> {
        context.stop();
        Ok(())
    }
}

async fn show(stop: fn(&ActorRef<Display>)) {
    let display = actor::spawn_named::<Display>("display", ()).expect("the first of this name");
    let steady = spawn_named("steady", measure(display.clone(), |_| 1));
    // Most of the time one, now and then a burst.
    let shown = display.clone();
    let bursts = spawn_named("bursts", async move {
        sleep(Duration::from_millis(5)).await;
        measure(shown, |period| 1 + 12 * choose_for("a burst", period, 0..=1)).await;
    });
    sleep(Duration::from_millis(64)).await;
    stop(&display);
    let reason = display.exited().await;
    assert!(matches!(reason, ExitReason::Normal | ExitReason::Shutdown), "{reason}");
    gather([steady, bursts]).await;
}

async fn measure(display: ActorRef<Display>, count: impl Fn(u64) -> u64) {
    for period in 0..6 {
        for _ in 0..count(period) {
            // Refused when the display has ended: then there is nothing to show.
            drop(display.tell(Measured));
        }
        sleep(Duration::from_millis(20)).await;
    }
}
