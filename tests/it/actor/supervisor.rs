//! Supervisors: who runs, in which order, and what became of each message.
//!
//! The assertions are those of the supervisor suites of Erlang/OTP, kameo and ractor, in words of our own; the
//! table of which is which stands in `docs/ACTORS.md`.

mod by_hand;
mod dynamic;
mod mailbox;
mod nested;
mod restarts;
mod significant;
mod starting;
mod stopping;
mod strategies;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use parcae::actor::{
    Actor, ActorRef, AnyRef, ChildSpec, Context, Crash, ExitReason, Handler, Message, Supervisor,
    SupervisorRef,
};
use parcae::task::settle;
use parcae::time::sleep;
use parcae::{Task, spawn};

use crate::runs::{fifo, random};

/// Runs a program under `Fifo` and on 100 seeds.
#[track_caller]
fn on_seeds<F>(program: impl Fn(House) -> F + Clone + 'static)
where
    F: Future<Output = ()> + 'static,
{
    let first = program.clone();
    fifo(move || first(House::default())).unwrap();
    for outcome in random(100, move || program(House::default())) {
        outcome.unwrap();
    }
}

/// Where children live, what they are to do, and what they did: `+a1` when the first incarnation of `a`
/// begins to start, `-a1` when it is gone.
#[derive(Clone, Default)]
struct House(Rc<RefCell<Data>>);

#[derive(Default)]
struct Data {
    words: Vec<String>,
    alive: usize,
    handled: Vec<String>,
    habits: BTreeMap<&'static str, Habits>,
}

#[derive(Clone, Default)]
struct Habits {
    starts: u32,
    farewells: u32,
    /// So many of the next starts fail.
    refusals: u32,
    start_time: Duration,
    stop_time: Duration,
}

impl House {
    /// Returns what was said since it was last asked.
    fn said(&self) -> String {
        std::mem::take(&mut self.0.borrow_mut().words).join(" ")
    }

    /// Returns which messages were handled, by whom, since it was last asked.
    fn handled(&self) -> String {
        std::mem::take(&mut self.0.borrow_mut().handled).join(" ")
    }

    fn say(&self, word: String) {
        let mut data = self.0.borrow_mut();
        match word.as_bytes()[0] {
            b'+' => data.alive += 1,
            _ => data.alive -= 1,
        }
        data.words.push(word);
    }

    /// How many children there are.
    fn alive(&self) -> usize {
        self.0.borrow().alive
    }

    /// How often a child took its leave in `on_stop`.
    fn farewells(&self, name: &'static str) -> u32 {
        self.habits(name, |habits| habits.farewells)
    }

    fn habits<R>(&self, name: &'static str, change: impl FnOnce(&mut Habits) -> R) -> R {
        change(self.0.borrow_mut().habits.entry(name).or_default())
    }

    /// Lets the next starts of a child fail.
    fn refuse(&self, name: &'static str, count: u32) {
        self.habits(name, |habits| habits.refusals = count);
    }

    fn start_takes(&self, name: &'static str, time: Duration) {
        self.habits(name, |habits| habits.start_time = time);
    }

    fn stop_takes(&self, name: &'static str, time: Duration) {
        self.habits(name, |habits| habits.stop_time = time);
    }

    fn spec(&self, name: &'static str) -> ChildSpec<Child> {
        let house = self.clone();
        ChildSpec::new(move || (house.clone(), name))
    }
}

/// A child that does as it is told.
struct Child {
    house: House,
    name: &'static str,
    incarnation: u32,
}

#[derive(Debug, PartialEq, Eq)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("refused")
    }
}

impl std::error::Error for Refused {}

impl Actor for Child {
    type Args = (House, &'static str);
    type Error = Crash;

    async fn start((house, name): Self::Args, _: &mut Context<Self>) -> Result<Self, Crash> {
        let (incarnation, start_time) = house.habits(name, |habits| {
            habits.starts += 1;
            (habits.starts, habits.start_time)
        });
        house.say(format!("+{name}{incarnation}"));
        let child = Self { house: house.clone(), name, incarnation };
        if start_time > Duration::ZERO {
            sleep(start_time).await;
        }
        let is_refused = house.habits(name, |habits| {
            let is_refused = habits.refusals > 0;
            habits.refusals -= u32::from(is_refused);
            is_refused
        });
        if is_refused { Err(Refused.into()) } else { Ok(child) }
    }

    async fn on_stop(&mut self, _: &ExitReason, _: &mut Context<Self>) {
        let stop_time = self.house.habits(self.name, |habits| habits.stop_time);
        if stop_time > Duration::ZERO {
            sleep(stop_time).await;
        }
        self.house.habits(self.name, |habits| habits.farewells += 1);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.house.say(format!("-{}{}", self.name, self.incarnation));
    }
}

/// How a child is to end.
#[derive(Clone, Copy, Debug)]
enum End {
    Normally,
    ShutDown,
    WithError,
    WithPanic,
}

impl Message for End {
    type Reply = ();
}

impl Handler<End> for Child {
    async fn handle(&mut self, end: End, cx: &mut Context<Self>) -> Result<(), Crash> {
        match end {
            End::Normally => cx.stop(),
            End::ShutDown => cx.stop_for(ExitReason::Shutdown),
            End::WithError => return Err(Refused.into()),
            End::WithPanic => panic!("as told"),
        }
        Ok(())
    }
}

/// A message with a number, written down and answered with the incarnation.
#[derive(Debug)]
struct Note(u32);

impl Message for Note {
    type Reply = u32;
}

impl Handler<Note> for Child {
    async fn handle(&mut self, note: Note, _: &mut Context<Self>) -> Result<u32, Crash> {
        let word = format!("{}{}:{}", self.name, self.incarnation, note.0);
        self.house.0.borrow_mut().handled.push(word);
        Ok(self.incarnation)
    }
}

/// Works for so long.
#[derive(Debug)]
struct Work(Duration);

impl Message for Work {
    type Reply = ();
}

impl Handler<Work> for Child {
    async fn handle(&mut self, work: Work, _: &mut Context<Self>) -> Result<(), Crash> {
        sleep(work.0).await;
        Ok(())
    }
}

/// Tells a child to end.
fn end(child: &ActorRef<Child>, how: End) {
    child.tell(how).unwrap();
}

/// Stops a supervisor and waits until it is gone.
async fn stop(supervisor: &SupervisorRef) -> ExitReason {
    supervisor.any().stop(ExitReason::Shutdown);
    supervisor.any().exited().await
}

/// Waits from now on for the end of a supervisor: its failure is observed then.
async fn observe(supervisor: &SupervisorRef) -> Task<ExitReason> {
    observe_any(supervisor.any()).await
}

async fn observe_any(actor: AnyRef) -> Task<ExitReason> {
    let exit = spawn(async move { actor.exited().await });
    settle().await;
    exit
}

/// Adds children of these names, with the rules of their specifications left as they are.
fn children<const N: usize>(
    supervisor: &mut Supervisor,
    house: &House,
    names: [&'static str; N],
) -> [ActorRef<Child>; N] {
    names.map(|name| supervisor.child(name, house.spec(name)).reference())
}
