//! Actors that wait for each other's answers. In the simulation that fails the run, which is tested there.

use std::convert::Infallible;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};

use parcae::actor::{self, Actor, ActorRef, AskError, Context, Handler};
use parcae::message;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::end;
use crate::clock::{assert_time, beats};

/// Asks the next one, once.
struct Link {
    next: Option<ActorRef<Self>>,
    may_cycle: bool,
}

#[derive(Debug)]
struct SetNext(ActorRef<Link>);
message!(SetNext);
#[derive(Debug)]
struct Count;
message!(Count -> Result<u32, AskError>);

impl Actor for Link {
    type Args = bool;
    type Error = Infallible;

    async fn start(may_cycle: bool, _: &mut Context<Self>) -> Result<Self, Infallible> {
        Ok(Self { next: None, may_cycle })
    }
}

impl Handler<SetNext> for Link {
    async fn handle(&mut self, next: SetNext, _: &mut Context<Self>) -> Result<(), Infallible> {
        self.next = Some(next.0);
        Ok(())
    }
}

impl Handler<Count> for Link {
    async fn handle(
        &mut self,
        _: Count,
        _: &mut Context<Self>,
    ) -> Result<Result<u32, AskError>, Infallible> {
        let Some(next) = self.next.take() else { return Ok(Ok(1)) };
        let ask = next.ask(Count).timeout(beats(2));
        let ask = if self.may_cycle { ask.may_cycle() } else { ask };
        Ok(ask.await.and_then(|count| count).map(|count| count + 1))
    }
}

/// Keeps what warnings of target `parcae` say.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Vec<String>>>);

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && metadata.target() == "parcae"
            && *metadata.level() == tracing::Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = String::new();
        event.record(&mut Words(&mut text));
        self.0.lock().unwrap().push(text);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The fields of an event, but where it is.
struct Words<'a>(&'a mut String);

impl Visit for Words<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() != "at" {
            write!(self.0, "{}={value:?};", field.name()).unwrap();
        }
    }
}

/// Has two ask each other on real time; returns what came of it and the warnings.
fn ask_each_other(may_cycle: bool) -> (Result<u32, AskError>, Vec<String>) {
    let listener = Listener::default();
    let answer = tracing::subscriber::with_default(listener.clone(), || {
        parcae::real::run(async move {
            let ann = actor::spawn_named::<Link>("ann", may_cycle).unwrap();
            let bob = actor::spawn_named::<Link>("bob", may_cycle).unwrap();
            ann.ask(SetNext(bob.clone())).await.unwrap();
            bob.ask(SetNext(ann.clone())).await.unwrap();
            let start = parcae::time::Instant::now();
            let answer = ann.ask(Count).no_timeout().await.unwrap();
            // Nobody answers before the time of an ask is over.
            assert_time(start.elapsed(), beats(2));
            end(&ann.any()).await;
            end(&bob.any()).await;
            answer
        })
    });
    let words = listener.0.lock().unwrap().clone();
    (answer, words)
}

#[test]
fn a_cycle_of_asks_is_a_warning_on_real_time_and_ends_with_its_time() {
    let (answer, warnings) = ask_each_other(false);
    assert!(matches!(answer, Err(AskError::Timeout { .. })), "{answer:?}");
    let expected = "message=actors wait for the answers of each other;cycle=bob -> ann;";
    assert_eq!(warnings, [expected]);
}

#[test]
fn a_cycle_that_is_said_to_be_resolved_is_no_warning() {
    let (answer, warnings) = ask_each_other(true);
    assert!(answer.is_err());
    assert_eq!(warnings, [""; 0]);
}
