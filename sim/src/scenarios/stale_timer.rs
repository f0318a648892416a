//! A session ends when its client has said nothing for a while. Each sign of life begins the time anew.
//!
//! What is wrong: the time is a task that sends the session a message when it is over. A sign of life ends the
//! task, but the message may be in the mailbox already, behind the sign of life that should have prevented it:
//! the session ends though its client is there.
//!
//! The repair uses a timer of the actor with a key: setting it anew takes the old one back, whatever has happened.

use std::time::Duration;

use parcae::actor::{self, Actor, Context, Crash, ExitReason, Handler};
use parcae::rng::choose_for;
use parcae::time::{Instant, sleep};
use parcae::{Task, spawn_named};

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "stale-timer",
    summary: "A session ends after a second without a sign of life of its client.",
    defect: "The time that was taken back is over already, in the mailbox; the twin's timer has a key.",
    source: "Erlang/OTP: cancel_timer does not take back what was sent; Akka's TimerScheduler",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(stay(Timer::Task)),
    fixed: || Box::pin(stay(Timer::Keyed)),
};

const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy)]
enum Timer {
    /// A task that sends a message.
    Task,
    /// One of the actor.
    Keyed,
}

struct Session {
    timer: Timer,
    pending: Option<Task<()>>,
    last_sign: Instant,
}

impl Session {
    fn begin_anew(&mut self, context: &mut Context<Self>) {
        match self.timer {
            Timer::Task => {
                let me = context.me();
                // The one before ends by being dropped.
                self.pending = Some(spawn_named("timer", async move {
                    sleep(PATIENCE).await;
                    me.tell(Silent).expect("it runs, or this task would have ended");
                }));
            }
            Timer::Keyed => context.notify_after("silence", PATIENCE, Silent),
        }
        self.last_sign = Instant::now();
    }
}

impl Actor for Session {
    type Args = Timer;
    type Error = Crash;

    async fn start(timer: Timer, context: &mut Context<Self>) -> Result<Self, Crash> {
        let mut session = Self { timer, pending: None, last_sign: Instant::now() };
        session.begin_anew(context);
        Ok(session)
    }
}

#[derive(Debug)]
struct Sign(u64);
parcae::message!(Sign -> ());

impl Handler<Sign> for Session {
    async fn handle(&mut self, sign: Sign, context: &mut Context<Self>) -> Result<(), Crash> {
        // It is written down first.
        sleep(Duration::from_millis(choose_for("writing takes", sign.0, 1..=100))).await;
        self.begin_anew(context);
        Ok(())
    }
}

#[derive(Debug)]
struct Silent;
parcae::message!(Silent -> ());

impl Handler<Silent> for Session {
    async fn handle(&mut self, _: Silent, context: &mut Context<Self>) -> Result<(), Crash> {
        let silence = self.last_sign.elapsed();
        assert!(silence >= PATIENCE, "the session ends {silence:?} after a sign of life");
        context.stop();
        Ok(())
    }
}

async fn stay(timer: Timer) {
    let session = actor::spawn_named::<Session>("session", timer).expect("the first of its name");
    for sign in 0..5 {
        // A client that is well is never late.
        sleep(Duration::from_millis(950)).await;
        session.tell(Sign(sign)).expect("the client is there");
    }
    assert_eq!(session.exited().await, ExitReason::Normal);
}
