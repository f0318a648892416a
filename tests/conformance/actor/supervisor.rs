//! Supervisors: who runs, in which order, and how long it takes. What depends on schedules is tested in the
//! simulation alone, in `tests/it/actor/supervisor`.

mod restarting;
mod starting;
mod stopping;
mod trees;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use parcae::actor::{
    Actor, ActorRef, AnyRef, ChildSpec, Context, Crash, ExitReason, Handler, Supervisor,
    SupervisorRef,
};
use parcae::task::settle;
use parcae::time::sleep;
use parcae::{Task, message, spawn};

use crate::journal::Journal;

/// Where children live, what they are to do, and what they did: `+a1` when the first incarnation of `a`
/// begins to start, `.a1` when it has taken its leave in `on_stop`, `-a1` when it is gone.
#[derive(Clone)]
struct House {
    words: Journal<String>,
    habits: Rc<RefCell<BTreeMap<&'static str, Habits>>>,
}

#[derive(Clone, Default)]
struct Habits {
    starts: u32,
    /// So many of the next starts fail.
    refusals: u32,
    start_time: Duration,
    stop_time: Duration,
}

impl House {
    fn new() -> Self {
        Self { words: Journal::new(), habits: Rc::default() }
    }

    /// Returns what was said since it was last asked.
    fn said(&self) -> String {
        self.words.take().join(" ")
    }

    /// As [`House::said`], without who took its leave.
    fn came_and_went(&self) -> String {
        let mut words = self.words.take();
        words.retain(|word| !word.starts_with('.'));
        words.join(" ")
    }

    fn habits<R>(&self, name: &'static str, change: impl FnOnce(&mut Habits) -> R) -> R {
        change(self.habits.borrow_mut().entry(name).or_default())
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

    /// Adds children of these names, with the rules of their specifications left as they are.
    fn fill<const N: usize>(
        &self,
        supervisor: &mut Supervisor,
        names: [&'static str; N],
    ) -> [ActorRef<Child>; N] {
        names.map(|name| supervisor.child(name, self.spec(name)).reference())
    }
}

/// A child that does as it is told.
struct Child {
    house: House,
    label: String,
    name: &'static str,
    incarnation: u32,
}

impl Actor for Child {
    type Args = (House, &'static str);
    type Error = Crash;

    async fn start((house, name): Self::Args, _: &mut Context<Self>) -> Result<Self, Crash> {
        let (incarnation, start_time) = house.habits(name, |habits| {
            habits.starts += 1;
            (habits.starts, habits.start_time)
        });
        let label = format!("{name}{incarnation}");
        house.words.add(format!("+{label}"));
        let child = Self { house, label, name, incarnation };
        if start_time > Duration::ZERO {
            sleep(start_time).await;
        }
        let is_refused = child.house.habits(name, |habits| {
            let is_refused = habits.refusals > 0;
            habits.refusals -= u32::from(is_refused);
            is_refused
        });
        if is_refused { Err(Crash::new("refused")) } else { Ok(child) }
    }

    async fn on_stop(&mut self, _: &ExitReason, _: &mut Context<Self>) {
        let stop_time = self.house.habits(self.name, |habits| habits.stop_time);
        if stop_time > Duration::ZERO {
            sleep(stop_time).await;
        }
        self.house.words.add(format!(".{}", self.label));
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.house.words.add(format!("-{}", self.label));
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
message!(End);

impl End {
    const ALL: [Self; 4] = [Self::Normally, Self::ShutDown, Self::WithError, Self::WithPanic];

    fn is_failure(self) -> bool {
        matches!(self, Self::WithError | Self::WithPanic)
    }

    /// Tells a child to end so.
    fn tell(self, child: &ActorRef<Child>) {
        child.tell(self).unwrap();
    }
}

impl Handler<End> for Child {
    async fn handle(&mut self, end: End, cx: &mut Context<Self>) -> Result<(), Crash> {
        match end {
            End::Normally => cx.stop(),
            End::ShutDown => cx.stop_for(ExitReason::Shutdown),
            End::WithError => return Err(Crash::new("as told")),
            End::WithPanic => panic!("as told"),
        }
        Ok(())
    }
}

/// Asks which incarnation it is.
#[derive(Debug)]
struct Which;
message!(Which -> u32);

impl Handler<Which> for Child {
    async fn handle(&mut self, _: Which, _: &mut Context<Self>) -> Result<u32, Crash> {
        Ok(self.incarnation)
    }
}

/// Works for so long.
#[derive(Debug)]
struct Work(Duration);
message!(Work);

impl Handler<Work> for Child {
    async fn handle(&mut self, work: Work, _: &mut Context<Self>) -> Result<(), Crash> {
        sleep(work.0).await;
        Ok(())
    }
}

/// Stops a supervisor and waits until it is gone.
async fn stop(supervisor: &SupervisorRef) -> ExitReason {
    supervisor.any().stop(ExitReason::Shutdown);
    supervisor.any().exited().await
}

/// Waits from now on for the end of an actor: its failure is observed then.
async fn observe(actor: AnyRef) -> Task<ExitReason> {
    let exit = spawn(async move { actor.exited().await });
    settle().await;
    exit
}
