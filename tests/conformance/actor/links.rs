//! Links, monitors, children.

use std::convert::Infallible;

use parcae::actor::{
    self, Actor, ActorRef, AnyRef, AskError, Context, Crash, ExitReason, Flow, Handler, MonitorId,
    Recipient, Signal,
};
use parcae::message;
use parcae::task::settle;

use super::{Add, Fail, Idle, Panic, Scribe, Stillborn, Work, end};
use crate::clock::Stopwatch;
use crate::journal::Journal;

/// Watches others, and writes down what it learns of them.
struct Watcher {
    journal: Journal<String>,
    /// It ends with those it is linked to.
    dies: bool,
    monitors: Vec<MonitorId>,
}

#[derive(Debug)]
struct Link(AnyRef);
message!(Link);
#[derive(Debug)]
struct Unlink(AnyRef);
message!(Unlink);
#[derive(Debug)]
struct Monitor(AnyRef);
message!(Monitor);
#[derive(Debug)]
struct DemonitorAll;
message!(DemonitorAll);
/// Kills it and takes the monitors back in one step: the news waits by then.
#[derive(Debug)]
struct KillAndForget(AnyRef);
message!(KillAndForget);
#[derive(Debug)]
struct Spawn(&'static str);
message!(Spawn -> ActorRef<Child>);

impl Actor for Watcher {
    type Args = (Journal<String>, bool);
    type Error = Infallible;

    async fn start(
        (journal, dies): (Journal<String>, bool),
        _: &mut Context<Self>,
    ) -> Result<Self, Infallible> {
        Ok(Self { journal, dies, monitors: Vec::new() })
    }

    async fn on_signal(
        &mut self,
        signal: Signal,
        _: &mut Context<Self>,
    ) -> Result<Flow, Infallible> {
        match signal {
            Signal::Exit { reason, .. } => {
                self.journal.add(format!("exit: {reason}"));
                if self.dies && reason != ExitReason::Normal {
                    return Ok(Flow::StopWith(reason));
                }
            }
            Signal::Down { reason, .. } => self.journal.add(format!("down: {reason}")),
            _ => {}
        }
        Ok(Flow::Continue)
    }

    async fn on_stop(&mut self, reason: &ExitReason, _: &mut Context<Self>) {
        self.journal.add(format!("watcher: {reason}"));
    }
}

impl Handler<Link> for Watcher {
    async fn handle(&mut self, link: Link, context: &mut Context<Self>) -> Result<(), Infallible> {
        context.link(&link.0);
        Ok(())
    }
}

impl Handler<Unlink> for Watcher {
    async fn handle(
        &mut self,
        link: Unlink,
        context: &mut Context<Self>,
    ) -> Result<(), Infallible> {
        context.unlink(&link.0);
        Ok(())
    }
}

impl Handler<Monitor> for Watcher {
    async fn handle(
        &mut self,
        other: Monitor,
        context: &mut Context<Self>,
    ) -> Result<(), Infallible> {
        self.monitors.push(context.monitor(&other.0));
        Ok(())
    }
}

impl Handler<DemonitorAll> for Watcher {
    async fn handle(
        &mut self,
        _: DemonitorAll,
        context: &mut Context<Self>,
    ) -> Result<(), Infallible> {
        self.monitors.drain(..).for_each(|monitor| context.demonitor(monitor));
        Ok(())
    }
}

impl Handler<KillAndForget> for Watcher {
    async fn handle(
        &mut self,
        other: KillAndForget,
        context: &mut Context<Self>,
    ) -> Result<(), Infallible> {
        other.0.kill();
        drop(other.0.exited().await);
        self.monitors.drain(..).for_each(|monitor| context.demonitor(monitor));
        context.unlink(&other.0);
        Ok(())
    }
}

impl Handler<AskStillborn> for Watcher {
    async fn handle(
        &mut self,
        _: AskStillborn,
        context: &mut Context<Self>,
    ) -> Result<Result<u32, AskError>, Infallible> {
        let child = context.spawn::<Stillborn>(false);
        Ok(child.ask(Add(1)).no_timeout().await)
    }
}

impl Handler<Spawn> for Watcher {
    async fn handle(
        &mut self,
        child: Spawn,
        context: &mut Context<Self>,
    ) -> Result<ActorRef<Child>, Infallible> {
        Ok(context.spawn::<Child>((child.0, self.journal.clone())))
    }
}

#[derive(Debug)]
struct AskStillborn;
message!(AskStillborn -> Result<u32, AskError>);

struct Child {
    name: &'static str,
    journal: Journal<String>,
}

impl Actor for Child {
    type Args = (&'static str, Journal<String>);
    type Error = Crash;

    async fn start(
        (name, journal): (&'static str, Journal<String>),
        _: &mut Context<Self>,
    ) -> Result<Self, Crash> {
        Ok(Self { name, journal })
    }

    async fn on_stop(&mut self, reason: &ExitReason, _: &mut Context<Self>) {
        self.journal.add(format!("{}: {reason}", self.name));
    }
}

impl Handler<Panic> for Child {
    async fn handle(&mut self, panic: Panic, _: &mut Context<Self>) -> Result<(), Crash> {
        panic!("{}", panic.0)
    }
}

impl Handler<Work> for Child {
    async fn handle(&mut self, work: Work, _: &mut Context<Self>) -> Result<(), Crash> {
        parcae::time::sleep(work.0).await;
        Ok(())
    }
}

fn watcher(dies: bool) -> (ActorRef<Watcher>, Journal<String>) {
    let journal = Journal::new();
    (actor::spawn::<Watcher>((journal.clone(), dies)), journal)
}

conformance! {
    async fn a_monitor_tells_once() {
        let (watcher, journal) = watcher(false);
        let scribe = actor::spawn::<Scribe>(Journal::new());
        watcher.ask(Monitor(scribe.any())).await.unwrap();
        scribe.tell(Fail("torn")).unwrap();
        scribe.exited().await;
        settle().await;
        assert_eq!(journal.take(), ["down: error: torn"]);
        end(&watcher.any()).await;
    }

    async fn each_monitor_tells_by_itself() {
        let (watcher, journal) = watcher(false);
        let idle = actor::spawn::<Idle>(());
        watcher.ask(Monitor(idle.any())).await.unwrap();
        watcher.ask(Monitor(idle.any())).await.unwrap();
        idle.stop();
        idle.exited().await;
        settle().await;
        assert_eq!(journal.take(), ["down: normal", "down: normal"]);
        end(&watcher.any()).await;
    }

    async fn monitoring_one_that_has_ended_tells_at_once() {
        let (watcher, journal) = watcher(false);
        let idle = actor::spawn::<Idle>(());
        end(&idle.any()).await;
        watcher.ask(Monitor(idle.any())).await.unwrap();
        settle().await;
        assert_eq!(journal.take(), ["down: no such actor"]);
        end(&watcher.any()).await;
    }

    async fn a_monitor_that_is_taken_back_tells_nothing() {
        let (watcher, journal) = watcher(false);
        let idle = actor::spawn::<Idle>(());
        watcher.ask(Monitor(idle.any())).await.unwrap();
        watcher.ask(DemonitorAll).await.unwrap();
        end(&idle.any()).await;
        // Nor does one whose news waits already.
        let idle = actor::spawn::<Idle>(());
        watcher.ask(Monitor(idle.any())).await.unwrap();
        watcher.ask(Link(idle.any())).await.unwrap();
        watcher.ask(KillAndForget(idle.any())).await.unwrap();
        settle().await;
        assert_eq!(journal.take(), Vec::<String>::new());
        end(&watcher.any()).await;
    }

    async fn a_link_takes_the_other_one_along() {
        let (first, journal) = watcher(true);
        let second = actor::spawn::<Watcher>((journal.clone(), true));
        first.ask(Link(second.any())).await.unwrap();
        first.ask(Link(second.any())).await.unwrap();
        second.any().stop(ExitReason::Shutdown);
        assert_eq!(first.exited().await, ExitReason::Shutdown);
        assert_eq!(
            journal.take(),
            ["watcher: shutdown", "exit: shutdown", "watcher: shutdown"]
        );
    }

    async fn a_link_is_symmetric_and_a_normal_end_takes_nobody_along() {
        let (first, journal) = watcher(true);
        let second = actor::spawn::<Watcher>((journal.clone(), true));
        first.ask(Link(second.any())).await.unwrap();
        first.stop();
        first.exited().await;
        settle().await;
        assert_eq!(journal.take(), ["watcher: normal", "exit: normal"]);
        end(&second.any()).await;
    }

    async fn a_link_that_is_taken_away_tells_nobody() {
        let (first, journal) = watcher(true);
        let second = actor::spawn::<Watcher>((journal.clone(), true));
        // Two actors have one link at most.
        first.ask(Link(second.any())).await.unwrap();
        first.ask(Link(second.any())).await.unwrap();
        second.ask(Unlink(first.any())).await.unwrap();
        first.any().stop(ExitReason::Shutdown);
        first.exited().await;
        settle().await;
        assert_eq!(journal.take(), ["watcher: shutdown"]);
        end(&second.any()).await;
    }

    async fn who_links_to_one_that_has_ended_is_told() {
        let (watcher, journal) = watcher(false);
        let idle = actor::spawn::<Idle>(());
        end(&idle.any()).await;
        watcher.ask(Link(idle.any())).await.unwrap();
        settle().await;
        assert_eq!(journal.take(), ["exit: no such actor"]);
        end(&watcher.any()).await;
    }

    async fn by_default_an_actor_ends_with_those_it_is_linked_to() {
        let (watcher, journal) = watcher(false);
        let scribe = actor::spawn::<Scribe>(journal.clone());
        watcher.ask(Link(scribe.any())).await.unwrap();
        settle().await;
        journal.take();
        watcher.any().stop(ExitReason::Shutdown);
        assert_eq!(scribe.exited().await, ExitReason::Shutdown);
        assert_eq!(journal.take(), ["watcher: shutdown", "stop: shutdown"]);
    }

    async fn news_of_an_end_come_after_what_the_dying_has_sent() {
        /// Says goodbye.
        struct Polite(ActorRef<Watcher>, AnyRef);
        impl Actor for Polite {
            type Args = (ActorRef<Watcher>, AnyRef);
            type Error = Infallible;
            async fn start(
                args: (ActorRef<Watcher>, AnyRef),
                _: &mut Context<Self>,
            ) -> Result<Self, Infallible> {
                Ok(Self(args.0, args.1))
            }
            async fn on_stop(&mut self, _: &ExitReason, _: &mut Context<Self>) {
                // Handled before the news: the other end is told first.
                self.0.tell(Monitor(self.1.clone())).unwrap();
            }
        }
        let (watcher, journal) = watcher(false);
        let gone = actor::spawn::<Idle>(());
        end(&gone.any()).await;
        let polite = actor::spawn::<Polite>((watcher.clone(), gone.any()));
        watcher.ask(Monitor(polite.any())).await.unwrap();
        polite.any().stop(ExitReason::Shutdown);
        polite.exited().await;
        settle().await;
        let mut told = journal.take();
        // The news of the monitor that was set on the way comes from another sender.
        told.sort();
        assert_eq!(told, ["down: no such actor", "down: shutdown"]);
        end(&watcher.any()).await;
    }

    async fn children_end_in_reverse_order_before_anybody_learns_of_it() {
        let (watcher, journal) = watcher(false);
        for name in ["first", "second", "third"] {
            watcher.ask(Spawn(name)).await.unwrap();
        }
        watcher.any().stop(ExitReason::Shutdown);
        watcher.exited().await;
        let expected =
            ["watcher: shutdown", "third: shutdown", "second: shutdown", "first: shutdown"];
        assert_eq!(journal.take(), expected);
    }

    async fn children_of_one_that_is_killed_are_killed() {
        let (watcher, journal) = watcher(false);
        let child = watcher.ask(Spawn("child")).await.unwrap();
        watcher.kill();
        watcher.exited().await;
        assert_eq!(child.exited().await, ExitReason::Killed);
        assert_eq!(journal.take(), Vec::<String>::new());
    }

    async fn a_child_that_does_not_end_is_killed_after_five_seconds() {
        if !crate::backends::is_simulated() {
            return;
        }
        let (watcher, journal) = watcher(false);
        let child = watcher.ask(Spawn("child")).await.unwrap();
        child.tell(Work(crate::clock::HOUR)).unwrap();
        settle().await;
        let watch = Stopwatch::start();
        watcher.stop();
        watcher.exited().await;
        watch.took(std::time::Duration::from_secs(5));
        assert_eq!(child.exited().await, ExitReason::Killed);
        assert_eq!(journal.take(), ["watcher: normal"]);
    }

    async fn a_parent_learns_of_a_child_that_failed() {
        let (watcher, journal) = watcher(false);
        let child = watcher.ask(Spawn("child")).await.unwrap();
        child.tell(Panic("fell")).unwrap();
        child.exited().await;
        settle().await;
        let told = journal.take();
        assert_eq!(told.len(), 2);
        assert!(told[1].starts_with("exit: panicked") && told[1].ends_with("fell"), "{told:?}");
        end(&watcher.any()).await;
    }

    async fn an_ask_of_one_that_does_not_start_fails_and_its_parent_learns_of_it() {
        let (watcher, journal) = watcher(false);
        let asked = watcher.ask(AskStillborn).await.unwrap();
        // Or it had ended before the message came.
        let died = matches!(asked, Err(AskError::Died(ExitReason::StartFailed(_))));
        assert!(died || asked == Err(AskError::NoProc), "{asked:?}");
        settle().await;
        assert_eq!(journal.take(), ["exit: could not be started: refused"]);
        end(&watcher.any()).await;
    }

    async fn a_group_tells_its_members_in_order() {
        let journal = Journal::new();
        let group = actor::group::<Add>("adders");
        let scribes: Vec<_> =
            (0..3).map(|_| actor::spawn::<Scribe>(journal.clone())).collect();
        for scribe in &scribes {
            group.join(&scribe.recipient());
            group.join(&scribe.recipient());
        }
        assert_eq!(group.broadcast(&Add(1)), 3);
        group.leave(&scribes[0].any());
        scribes[2].stop();
        scribes[2].exited().await;
        let members: Vec<_> = actor::group::<Add>("adders").members();
        assert_eq!(members.iter().map(Recipient::any).collect::<Vec<_>>(), [scribes[1].any()]);
        assert_eq!(group.broadcast(&Add(2)), 1);
        for scribe in &scribes[..2] {
            end(&scribe.any()).await;
        }
        let adds = journal.take().into_iter().filter(|entry| entry == "add 1").count();
        assert_eq!(adds, 3);
    }
}
