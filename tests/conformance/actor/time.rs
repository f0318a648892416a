//! Timers, tasks of actors, the stash.

use std::convert::Infallible;
use std::time::Duration;

use parcae::actor::{
    self, Actor, ActorRef, Context, Flow, Handler, ReplyTo, Respond, Undelivered, dead_letters,
};
use parcae::message;
use parcae::task::settle;
use parcae::time::{Instant, sleep};

use super::end;
use crate::clock::{Stopwatch, beats};
use crate::journal::Journal;

/// Does what it is told to and writes down what comes of it.
struct Clock {
    journal: Journal<&'static str>,
    is_open: bool,
}

#[derive(Clone, Debug)]
struct Note(&'static str);
message!(Note);
#[derive(Debug)]
struct After(&'static str, Duration, &'static str);
message!(After);
#[derive(Debug)]
struct Every(&'static str, Duration, &'static str);
message!(Every);
#[derive(Debug)]
struct Cancel(&'static str);
message!(Cancel -> bool);
#[derive(Debug)]
struct Sleep(Duration);
message!(Sleep);
#[derive(Debug)]
struct IdleAfter(Duration);
message!(IdleAfter);
#[derive(Debug)]
struct Pipe(Duration, &'static str);
message!(Pipe);
#[derive(Debug)]
struct Aside(Duration);
message!(Aside);
/// Waits until it is open.
#[derive(Debug)]
struct Visit(&'static str);
message!(Visit -> &'static str);
#[derive(Debug)]
struct Open;
message!(Open);

impl Actor for Clock {
    type Args = Journal<&'static str>;
    type Error = Infallible;

    async fn start(
        journal: Journal<&'static str>,
        _: &mut Context<Self>,
    ) -> Result<Self, Infallible> {
        Ok(Self { journal, is_open: false })
    }

    async fn on_idle(&mut self, _: &mut Context<Self>) -> Result<Flow, Infallible> {
        self.journal.add("idle");
        Ok(Flow::Stop)
    }
}

impl Handler<Note> for Clock {
    async fn handle(&mut self, note: Note, _: &mut Context<Self>) -> Result<(), Infallible> {
        self.journal.add(note.0);
        Ok(())
    }
}

impl Handler<After> for Clock {
    async fn handle(
        &mut self,
        after: After,
        context: &mut Context<Self>,
    ) -> Result<(), Infallible> {
        context.notify_after(after.0, after.1, Note(after.2));
        Ok(())
    }
}

impl Handler<Every> for Clock {
    async fn handle(
        &mut self,
        every: Every,
        context: &mut Context<Self>,
    ) -> Result<(), Infallible> {
        context.notify_every(every.0, every.1, Note(every.2));
        Ok(())
    }
}

impl Handler<Cancel> for Clock {
    async fn handle(
        &mut self,
        cancel: Cancel,
        context: &mut Context<Self>,
    ) -> Result<bool, Infallible> {
        Ok(context.cancel(cancel.0))
    }
}

impl Handler<Sleep> for Clock {
    async fn handle(&mut self, time: Sleep, _: &mut Context<Self>) -> Result<(), Infallible> {
        sleep(time.0).await;
        Ok(())
    }
}

impl Handler<IdleAfter> for Clock {
    async fn handle(
        &mut self,
        time: IdleAfter,
        context: &mut Context<Self>,
    ) -> Result<(), Infallible> {
        context.set_idle_timeout(Some(time.0));
        Ok(())
    }
}

impl Handler<Pipe> for Clock {
    async fn handle(&mut self, pipe: Pipe, context: &mut Context<Self>) -> Result<(), Infallible> {
        context.pipe(sleep(pipe.0), move |()| Note(pipe.1));
        Ok(())
    }
}

impl Handler<Aside> for Clock {
    async fn handle(
        &mut self,
        aside: Aside,
        context: &mut Context<Self>,
    ) -> Result<(), Infallible> {
        let dropped = self.journal.on_drop("aside dropped");
        context.task(async move {
            let _dropped = dropped;
            sleep(aside.0).await;
        });
        Ok(())
    }
}

impl Respond<Visit> for Clock {
    async fn respond(
        &mut self,
        visit: Visit,
        reply: ReplyTo<&'static str>,
        context: &mut Context<Self>,
    ) -> Result<(), Infallible> {
        if !self.is_open {
            context.stash_ask(visit, reply).expect("there is a place");
            return Ok(());
        }
        self.journal.add(visit.0);
        reply.send(visit.0);
        Ok(())
    }
}

impl Handler<Open> for Clock {
    async fn handle(&mut self, _: Open, context: &mut Context<Self>) -> Result<(), Infallible> {
        self.is_open = true;
        context.unstash_all();
        Ok(())
    }
}

fn clock() -> (ActorRef<Clock>, Journal<&'static str>) {
    let journal = Journal::new();
    (actor::spawn::<Clock>(journal.clone()), journal)
}

conformance! {
    async fn a_timer_comes_as_a_message() {
        let (clock, journal) = clock();
        let watch = Stopwatch::start();
        clock.ask(After("tea", beats(3), "tea")).await.unwrap();
        sleep(beats(2)).await;
        assert_eq!(journal.take(), Vec::<&str>::new());
        sleep(beats(2)).await;
        assert_eq!(journal.take(), ["tea"]);
        watch.took(beats(4));
        end(&clock.any()).await;
    }

    async fn a_timer_takes_the_place_of_one_of_its_key() {
        let (clock, journal) = clock();
        clock.ask(After("tea", beats(1), "green")).await.unwrap();
        clock.ask(After("tea", beats(2), "black")).await.unwrap();
        clock.ask(After("cake", beats(1), "cake")).await.unwrap();
        sleep(beats(4)).await;
        assert_eq!(journal.take(), ["cake", "black"]);
        end(&clock.any()).await;
    }

    async fn a_timer_that_is_due_and_cancelled_does_not_come() {
        let (clock, journal) = clock();
        clock.ask(After("tea", beats(1), "tea")).await.unwrap();
        clock.ask(After("cake", beats(9999), "cake")).await.unwrap();
        assert_eq!(clock.ask(Cancel("cake")).await, Ok(true));
        assert_eq!(clock.ask(Cancel("cake")).await, Ok(false));
        // It comes due while a handler runs: it goes before what waits, so this is too late.
        clock.tell(Sleep(beats(3))).unwrap();
        assert_eq!(clock.ask(Cancel("tea")).await, Ok(false));
        assert_eq!(journal.take(), ["tea"]);
        end(&clock.any()).await;
    }

    async fn a_timer_comes_again_and_again() {
        let (clock, journal) = clock();
        clock.ask(Every("tick", beats(2), "tick")).await.unwrap();
        let start = Instant::now();
        while journal.take().is_empty() || start.elapsed() < beats(6) {
            sleep(beats(1)).await;
        }
        assert_eq!(clock.ask(Cancel("tick")).await, Ok(true));
        journal.take();
        sleep(beats(5)).await;
        assert_eq!(journal.take(), Vec::<&str>::new());
        end(&clock.any()).await;
    }

    async fn what_a_timer_missed_comes_once() {
        let (clock, journal) = clock();
        clock.ask(Every("tick", beats(2), "tick")).await.unwrap();
        clock.ask(Sleep(beats(9))).await.unwrap();
        assert_eq!(clock.ask(Cancel("tick")).await, Ok(true));
        assert_eq!(journal.take(), ["tick"]);
        end(&clock.any()).await;
    }

    async fn timers_end_with_the_actor() {
        let (clock, journal) = clock();
        clock.ask(After("tea", beats(1), "tea")).await.unwrap();
        end(&clock.any()).await;
        sleep(beats(3)).await;
        assert_eq!(journal.take(), Vec::<&str>::new());
        assert_eq!(dead_letters().count(), 0);
    }

    async fn an_actor_learns_that_it_is_idle() {
        let (clock, journal) = clock();
        clock.ask(IdleAfter(beats(3))).await.unwrap();
        let watch = Stopwatch::start();
        sleep(beats(2)).await;
        clock.tell(Note("news")).unwrap();
        clock.exited().await;
        watch.took(beats(5));
        assert_eq!(journal.take(), ["news", "idle"]);
    }

    async fn a_future_is_piped_back_as_a_message() {
        let (clock, journal) = clock();
        clock.ask(Pipe(beats(2), "done")).await.unwrap();
        clock.ask(Note("meanwhile")).await.unwrap();
        sleep(beats(4)).await;
        assert_eq!(journal.take(), ["meanwhile", "done"]);
        end(&clock.any()).await;
    }

    async fn tasks_of_an_actor_end_with_it() {
        let (clock, journal) = clock();
        clock.ask(Pipe(beats(9999), "never")).await.unwrap();
        clock.ask(Aside(beats(9999))).await.unwrap();
        settle().await;
        end(&clock.any()).await;
        settle().await;
        assert_eq!(journal.take(), ["aside dropped"]);
    }

    async fn what_was_stashed_is_handled_first_and_in_order() {
        let (clock, journal) = clock();
        let mut visits = Vec::new();
        for name in ["ann", "bob"] {
            visits.push(parcae::spawn(clock.ask(Visit(name))));
            settle().await;
        }
        assert_eq!(journal.take(), Vec::<&str>::new());
        clock.tell(Open).unwrap();
        clock.tell(Note("later")).unwrap();
        let mut answers = Vec::new();
        for visit in visits {
            answers.push(visit.await.unwrap());
        }
        assert_eq!(answers, ["ann", "bob"]);
        clock.ask(Note("end")).await.unwrap();
        assert_eq!(journal.take(), ["ann", "bob", "later", "end"]);
        end(&clock.any()).await;
    }

    async fn what_is_stashed_at_the_end_is_dead() {
        let (clock, _) = clock();
        let visit = parcae::spawn(clock.ask(Visit("ann")));
        settle().await;
        clock.stop();
        clock.exited().await;
        assert_eq!(visit.await, Err(actor::AskError::Died(actor::ExitReason::Normal)));
        let letters = dead_letters().take();
        assert_eq!(letters.len(), 1);
        assert_eq!((letters[0].kind, letters[0].why), ("Visit", Undelivered::Ended));
    }
}
