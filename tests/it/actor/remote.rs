//! Actors of other machines: messages, answers and ends over a network with troubles.

mod ends;
mod messages;

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::rc::Rc;

use parcae::actor::remote::{self, Delivery, Listener, Options, Protocol, RemoteActor};
use parcae::actor::{self, ActorRef, Context, Handler, Mailbox, ReplyTo, Respond};
use parcae::time::sleep;
use parcae::world::{self, Node};
use parcae::{choose, rng};
use serde::{Deserialize, Serialize};

use crate::runs::{Journal, millis, secs};

const KEY: &[u8] = b"32 random bytes from a safe place";

/// Notes a number.
#[derive(Debug, Serialize, Deserialize)]
struct Note(u64);
parcae::message!(Note);

/// As [`Note`], and it is to come for sure.
#[derive(Debug, Serialize, Deserialize)]
struct Sure(u64);
parcae::message!(Sure);

#[derive(Debug, Serialize, Deserialize)]
struct Double(u64);
parcae::message!(Double -> u64);

/// Is never answered.
#[derive(Debug, Serialize, Deserialize)]
struct Ignored;
parcae::message!(Ignored -> ());

#[derive(Debug, Serialize, Deserialize)]
struct Fail;
parcae::message!(Fail -> ());

#[derive(Debug)]
struct Local;
parcae::message!(Local);

#[derive(Debug, Serialize, Deserialize)]
struct Big(Vec<u8>);
parcae::message!(Big);

/// Writes down what it gets.
struct Notes {
    journal: Journal<u64>,
    kept: Vec<ReplyTo<()>>,
}

impl actor::Actor for Notes {
    type Args = Journal<u64>;
    type Error = actor::Crash;

    const MAILBOX: Mailbox = Mailbox::bounded(4);

    async fn start(journal: Journal<u64>, _: &mut Context<Self>) -> Result<Self, actor::Crash> {
        Ok(Self { journal, kept: Vec::new() })
    }
}

impl Handler<Note> for Notes {
    async fn handle(
        &mut self,
        Note(number): Note,
        _: &mut Context<Self>,
    ) -> Result<(), actor::Crash> {
        self.journal.add(number);
        Ok(())
    }
}

impl Handler<Sure> for Notes {
    async fn handle(
        &mut self,
        Sure(number): Sure,
        _: &mut Context<Self>,
    ) -> Result<(), actor::Crash> {
        self.journal.add(number);
        Ok(())
    }
}

impl Handler<Double> for Notes {
    async fn handle(
        &mut self,
        Double(number): Double,
        _: &mut Context<Self>,
    ) -> Result<u64, actor::Crash> {
        self.journal.add(number);
        Ok(number * 2)
    }
}

impl Handler<Fail> for Notes {
    async fn handle(&mut self, _: Fail, _: &mut Context<Self>) -> Result<(), actor::Crash> {
        Err(actor::Crash::new("it was asked to"))
    }
}

impl Handler<Local> for Notes {
    async fn handle(&mut self, _: Local, _: &mut Context<Self>) -> Result<(), actor::Crash> {
        Ok(())
    }
}

impl Handler<Big> for Notes {
    async fn handle(&mut self, Big(bytes): Big, _: &mut Context<Self>) -> Result<(), actor::Crash> {
        self.journal.add(u64::try_from(bytes.len()).unwrap());
        Ok(())
    }
}

impl Respond<Ignored> for Notes {
    async fn respond(
        &mut self,
        _: Ignored,
        reply: ReplyTo<()>,
        _: &mut Context<Self>,
    ) -> Result<(), actor::Crash> {
        self.kept.push(reply);
        Ok(())
    }
}

impl RemoteActor for Notes {
    fn protocol() -> Protocol<Self> {
        Protocol::new()
            .message::<Note>("note")
            .message_with::<Sure>("sure", Delivery::AtLeastOnce)
            .message::<Double>("double")
            .message::<Ignored>("ignored")
            .message::<Fail>("fail")
            .message::<Big>("big")
    }
}

fn options(name: &str) -> Options {
    Options::new(name, KEY)
}

/// A machine `server` with an actor `notes`, for as long as that lives.
fn start_server(journal: &Journal<u64>) -> Node {
    start_machine("server", journal)
}

fn start_machine(name: &'static str, journal: &Journal<u64>) -> Node {
    let journal = journal.clone();
    world::node(name).start(move || {
        let journal = journal.clone();
        async move {
            let _listener = remote::serve(options(name).expose::<Notes>()).await.unwrap();
            let notes = actor::spawn_named::<Notes>("notes", journal).unwrap();
            notes.exited().await;
            std::future::pending::<Result<(), Infallible>>().await
        }
    })
}

async fn dialing() -> Listener {
    remote::serve(options("test").dial_only()).await.unwrap()
}

fn notes() -> ActorRef<Notes> {
    actor::remote::<Notes>("server", "notes")
}

/// Breaks the connection between the two, again and again.
async fn trouble(times: u64) {
    for time in 0..times {
        sleep(millis(rng::choose_for("pause", time, 0..400))).await;
        match rng::choose_for("trouble", time, 0..3) {
            0 => crate::runs::discard(world::reset("test", "server")),
            1 => {
                let cut = world::partition("test", "server");
                sleep(millis(rng::choose_for("cut", time, 0..20_000))).await;
                cut.end();
            }
            _ => {
                let hold = world::hold("test", "server");
                sleep(millis(rng::choose_for("hold", time, 0..3_000))).await;
                hold.end();
            }
        }
    }
}

/// Runs a program under `Fifo` and on some seeds: fewer than elsewhere, for each run has a whole network in it.
#[track_caller]
fn on_seeds<F>(program: impl Fn() -> F + Clone + 'static)
where
    F: Future<Output = ()> + 'static,
{
    crate::runs::fifo(program.clone()).unwrap();
    crate::runs::random(50, program).for_each(parcae::Outcome::unwrap);
}
