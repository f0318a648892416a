//! Machines whose actors are queues: what comes through, how often, in which order, and what does not.

mod attacks;
mod delivering;
mod watching;

use std::future::ready;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::association::{Association, Delivery, Failure, Wait};
use super::entrance::{Answer, Boxed, Door, Entrance};
use super::listener::{Listener, serve};
use super::options::Options;
use super::path::{Path, Untold};
use super::wire::{Body, Parcel, Reason, Unanswered};
use crate::sync::{Event, Queue};
use crate::time::sleep;
use crate::{Sim, world};

/// Under `Fifo` and so many seeds.
fn on_seeds<F>(seeds: u64, program: impl Fn() -> F + Clone + 'static)
where
    F: Future<Output = ()> + 'static,
{
    for seed in 0..seeds {
        if let Err(failure) = Sim::new(seed).run(program.clone()).into_result() {
            panic!("seed {seed}: {failure}");
        }
    }
}

const SEEDS: u64 = 40;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const KEY: &[u8] = b"a key that all have";

fn options(name: &str) -> Options {
    Options::new(name, KEY)
}

/// An actor: a mailbox with room for some, and the end.
#[derive(Clone)]
struct Fake(Arc<FakeState>);

struct FakeState {
    name: String,
    mailbox: Queue<(String, Vec<u8>)>,
    /// What signals it got.
    signals: Mutex<Vec<String>>,
    end: Event,
}

impl Fake {
    fn new(name: &str, capacity: usize) -> Self {
        Self(Arc::new(FakeState {
            name: name.to_owned(),
            mailbox: Queue::bounded(capacity),
            signals: Mutex::default(),
            end: Event::new(),
        }))
    }

    async fn next(&self) -> u64 {
        number(&self.0.mailbox.get().await.unwrap().1)
    }

    fn end(&self) {
        self.0.end.set();
    }

    fn signal(&self, signal: &str) {
        self.0.signals.lock().unwrap().push(signal.to_owned());
    }

    fn signals(&self) -> Vec<String> {
        self.0.signals.lock().unwrap().clone()
    }

    /// Takes all that comes, for ever.
    async fn collect(self, into: Arc<Mutex<Vec<u64>>>) {
        loop {
            let number = self.next().await;
            into.lock().unwrap().push(number);
        }
    }
}

fn body(number: u64) -> Body {
    Body(number.to_le_bytes().to_vec())
}

fn number(body: &[u8]) -> u64 {
    u64::from_le_bytes(body.try_into().unwrap())
}

impl Door for Fake {
    fn find(&self, actor: &str) -> Option<Box<dyn Entrance>> {
        if actor != self.0.name || self.0.end.is_set() {
            return None;
        }
        Some(Box::new(self.clone()))
    }
}

impl Entrance for Fake {
    fn tell(&self, kind: &str, body: &[u8]) -> Boxed<()> {
        let (own, message) = (self.clone(), (kind.to_owned(), body.to_vec()));
        Box::pin(async move { own.0.mailbox.put(message).await.unwrap() })
    }

    /// Answers twice the number after so many milliseconds; a thousand are for ever.
    fn ask(&self, kind: &str, body: &[u8], answer: Answer) -> Boxed<()> {
        if kind != "double" {
            answer.give(Err(Unanswered::UnknownMessage));
            return Box::pin(ready(()));
        }
        let (own, number) = (self.clone(), number(body));
        own.signal(&format!("asked {number}"));
        crate::spawn(async move {
            if number >= 1_000 {
                own.0.end.wait().await;
                own.signal(&format!("canceled: {}", answer.is_canceled.load(Ordering::Relaxed)));
                return answer.give(Err(Unanswered::Died(Reason::Killed)));
            }
            sleep(millis(number)).await;
            answer.give(Ok(super::tests::body(number * 2)));
        })
        .background();
        Box::pin(ready(()))
    }

    fn stop(&self, _: &Reason) {
        self.signal("stop");
    }

    fn drain(&self) {
        self.signal("drain");
    }

    fn kill(&self) {
        self.signal("kill");
        self.end();
    }

    fn exit(&self, peer: &str, from: &str, reason: &Reason) {
        self.signal(&format!("exit {peer} {from} {reason:?}"));
    }

    fn exited(self: Box<Self>) -> Boxed<Reason> {
        Box::pin(async move {
            self.0.end.wait().await;
            Reason::Normal
        })
    }
}

/// Serves these actors.
async fn serve_fakes(mut options: Options, fakes: &[Fake]) -> Listener {
    for fake in fakes {
        options.doors.add(Arc::new(fake.clone()));
    }
    serve(options).await.unwrap()
}

fn path(listener: &Listener, target: &str, actor: &str) -> Path {
    let association = listener.shared.association(target);
    Path::new(association, actor, listener.shared.options.frame)
}

/// A machine `server` with an actor `sink` that writes down what it gets, and with which incarnation.
fn start_sink(capacity: usize) -> (world::Node, Arc<Mutex<Vec<u64>>>) {
    let heard: Arc<Mutex<Vec<u64>>> = Arc::default();
    let node = world::node("server").start({
        let heard = heard.clone();
        move || {
            let heard = heard.clone();
            async move {
                let sink = Fake::new("sink", capacity);
                let _listener = serve_fakes(options("server"), std::slice::from_ref(&sink)).await;
                sink.collect(heard).await;
            }
        }
    });
    (node, heard)
}

fn heard(journal: &Arc<Mutex<Vec<u64>>>) -> Vec<u64> {
    journal.lock().unwrap().clone()
}

async fn dialing() -> Listener {
    serve(options("test").dial_only()).await.unwrap()
}

/// Somebody that waits for an answer for ever.
fn waits(then: impl FnOnce(Result<Body, Failure>) + Send + 'static) -> Wait {
    Wait { then: Box::new(then), is_over: Box::new(|| false) }
}
