//! A front takes jobs, a back does them and tells the front of each that is done. Both have small mailboxes, and
//! who finds one full waits for a place in it.
//!
//! What is wrong: back-pressure in a circle. With enough jobs under way both mailboxes are full, each actor waits
//! in its handler for a place in the other's, and none comes free, for an actor that waits handles nothing.
//!
//! The repair has back-pressure in one direction. The front asks, and pipes the answer to itself: an answer needs
//! no place that could be taken, so the back never waits for the front.

use std::time::Duration;

use parcae::actor::{
    self, Actor, ActorRef, Context, Crash, ExitReason, Handler, Mailbox, Overflow,
};
use parcae::rng::choose_for;
use parcae::time::sleep;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "mutual-back-pressure",
    summary: "A front hands jobs to a back, which reports each; both have mailboxes of two places.",
    defect: "Each waits for a place in the other's mailbox; in the twin the back answers instead.",
    source: "kameo#84: bounded mailboxes that fill each other; circles of bounded channels",
    failure_kind: "deadlock",
    seeds_until_found: 50,
    buggy: || Box::pin(work(Reports::ByMessage)),
    fixed: || Box::pin(work(Reports::ByAnswer)),
};

const SMALL: Mailbox = Mailbox::bounded(2).with_overflow(Overflow::Block);

#[derive(Clone, Copy)]
enum Reports {
    ByMessage,
    ByAnswer,
}

#[derive(Debug)]
struct Submit(u64);
parcae::message!(Submit -> ());

#[derive(Debug)]
struct Done;
parcae::message!(Done -> ());

/// A job, and who is to be told when it is done.
#[derive(Debug)]
struct Job(u64, Option<ActorRef<Front>>);
parcae::message!(Job -> ());

struct Front {
    back: ActorRef<Back>,
    reports: Reports,
    missing: u64,
}

impl Actor for Front {
    type Args = (Reports, u64);
    type Error = Crash;
    const MAILBOX: Mailbox = SMALL;

    async fn start(args: Self::Args, context: &mut Context<Self>) -> Result<Self, Crash> {
        let (reports, missing) = args;
        Ok(Self { back: context.spawn::<Back>(()), reports, missing })
    }
}

impl Handler<Submit> for Front {
    async fn handle(&mut self, job: Submit, context: &mut Context<Self>) -> Result<(), Crash> {
        match self.reports {
            Reports::ByMessage => self.back.send(Job(job.0, Some(context.me()))).await?,
            Reports::ByAnswer => {
                let done = self.back.ask(Job(job.0, None));
                context.pipe(done, |answer| answer.map(|()| Done).expect("jobs are short"));
            }
        }
        Ok(())
    }
}

impl Handler<Done> for Front {
    async fn handle(&mut self, _: Done, context: &mut Context<Self>) -> Result<(), Crash> {
        self.missing -= 1;
        if self.missing == 0 {
            context.stop();
        }
        Ok(())
    }
}

struct Back;

impl Actor for Back {
    type Args = ();
    type Error = Crash;
    const MAILBOX: Mailbox = SMALL;

    async fn start(_: (), _: &mut Context<Self>) -> Result<Self, Crash> {
        Ok(Self)
    }
}

impl Handler<Job> for Back {
    async fn handle(&mut self, Job(job, tell): Job, _: &mut Context<Self>) -> Result<(), Crash> {
        let is_slow = choose_for("job is slow", job, 0..=1) == 1;
        sleep(Duration::from_millis(if is_slow { 50 } else { 1 })).await;
        if let Some(front) = tell {
            front.send(Done).await?;
        }
        Ok(())
    }
}

async fn work(reports: Reports) {
    const JOBS: u64 = 10;
    let front = actor::spawn_named::<Front>("front", (reports, JOBS)).expect("the first");
    for job in 0..JOBS {
        front.send(Submit(job)).await.expect("it runs until all are done");
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(front.exited().await, ExitReason::Normal);
}
