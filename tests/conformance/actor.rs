//! Actors.

mod asks;
#[cfg(feature = "real")]
mod cycles;
mod elsewhere;
mod ends;
mod lifecycle;
mod links;
mod mailbox;
mod supervisor;
mod time;
mod workers;

use std::convert::Infallible;

use parcae::actor::{Actor, AnyRef, Context, ExitReason, Handler};
use parcae::message;

use crate::journal::Journal;

/// Writes down what happens to it.
pub(crate) struct Scribe {
    journal: Journal<String>,
    total: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Add(pub(crate) u32);
message!(Add -> u32);

/// Waits in its handler until the time is over.
#[derive(Debug, PartialEq)]
pub(crate) struct Work(pub(crate) std::time::Duration);
message!(Work);

#[derive(Debug, PartialEq)]
pub(crate) struct Fail(pub(crate) &'static str);
message!(Fail);

#[derive(Debug, PartialEq)]
pub(crate) struct Panic(pub(crate) &'static str);
message!(Panic);

#[derive(Debug, PartialEq)]
pub(crate) struct End(pub(crate) ExitReason);
message!(End);

impl Actor for Scribe {
    type Args = Journal<String>;
    type Error = parcae::actor::Crash;

    async fn start(
        journal: Journal<String>,
        _: &mut Context<Self>,
    ) -> Result<Self, parcae::actor::Crash> {
        journal.add("start".to_owned());
        Ok(Self { journal, total: 0 })
    }

    async fn on_stop(&mut self, reason: &ExitReason, _: &mut Context<Self>) {
        self.journal.add(format!("stop: {reason}"));
    }
}

impl Handler<Add> for Scribe {
    async fn handle(
        &mut self,
        add: Add,
        _: &mut Context<Self>,
    ) -> Result<u32, parcae::actor::Crash> {
        self.total += add.0;
        self.journal.add(format!("add {}", add.0));
        Ok(self.total)
    }
}

impl Handler<Work> for Scribe {
    async fn handle(
        &mut self,
        work: Work,
        _: &mut Context<Self>,
    ) -> Result<(), parcae::actor::Crash> {
        let _dropped = self.journal.on_drop("work dropped".to_owned());
        self.journal.add("work".to_owned());
        parcae::time::sleep(work.0).await;
        self.journal.add("work done".to_owned());
        Ok(())
    }
}

impl Handler<Fail> for Scribe {
    async fn handle(
        &mut self,
        fail: Fail,
        _: &mut Context<Self>,
    ) -> Result<(), parcae::actor::Crash> {
        Err(std::io::Error::other(fail.0).into())
    }
}

impl Handler<Panic> for Scribe {
    async fn handle(
        &mut self,
        panic: Panic,
        _: &mut Context<Self>,
    ) -> Result<(), parcae::actor::Crash> {
        panic!("{}", panic.0)
    }
}

impl Handler<End> for Scribe {
    async fn handle(
        &mut self,
        end: End,
        context: &mut Context<Self>,
    ) -> Result<(), parcae::actor::Crash> {
        context.stop_for(end.0);
        Ok(())
    }
}

/// Never starts.
pub(crate) struct Stillborn;

impl Actor for Stillborn {
    type Args = bool;
    type Error = parcae::actor::Crash;

    async fn start(panics: bool, _: &mut Context<Self>) -> Result<Self, parcae::actor::Crash> {
        assert!(!panics, "no start");
        Err(parcae::actor::Crash::new("refused"))
    }
}

impl Handler<Add> for Stillborn {
    async fn handle(&mut self, _: Add, _: &mut Context<Self>) -> Result<u32, parcae::actor::Crash> {
        Ok(0)
    }
}

/// Does nothing, and cannot fail.
pub(crate) struct Idle;

impl Actor for Idle {
    type Args = ();
    type Error = Infallible;

    async fn start((): (), _: &mut Context<Self>) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

/// Ends an actor and waits until it has.
pub(crate) async fn end(actor: &AnyRef) -> ExitReason {
    actor.drain();
    actor.exited().await
}
