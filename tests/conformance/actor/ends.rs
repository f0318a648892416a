//! How actors start and end.

use parcae::actor::{
    self, ActorStatus, AskError, Context, Crash, ExitReason, Handler, StartError, Undelivered,
    dead_letters,
};
use parcae::message;
use parcae::sync::oneshot;
use parcae::task::settle;

use super::{Add, End, Fail, Panic, Scribe, Stillborn, Work, end};
use crate::clock::{HOUR, Stopwatch, beats};
use crate::journal::Journal;

/// Waits in its handler until somebody lets it go on.
#[derive(Debug)]
struct WaitFor(oneshot::Receiver<()>);
message!(WaitFor);

impl Handler<WaitFor> for Scribe {
    async fn handle(&mut self, wait: WaitFor, _: &mut Context<Self>) -> Result<(), Crash> {
        self.journal.add("wait".to_owned());
        wait.0.await.ok();
        self.journal.add("went on".to_owned());
        Ok(())
    }
}

#[derive(Debug)]
struct KillSelf;
message!(KillSelf);

impl Handler<KillSelf> for Scribe {
    async fn handle(&mut self, _: KillSelf, cx: &mut Context<Self>) -> Result<(), Crash> {
        cx.any().kill();
        self.journal.add("killed".to_owned());
        parcae::time::sleep(HOUR).await;
        self.journal.add("went on".to_owned());
        Ok(())
    }
}

conformance! {
    async fn a_stop_lets_the_handler_end_and_no_other_begin() {
        let journal = Journal::new();
        let scribe = actor::spawn::<Scribe>(journal.clone());
        let watch = Stopwatch::start();
        assert_eq!(scribe.tell(Work(beats(2))), Ok(()));
        let others = parcae::spawn({
            let scribe = scribe.clone();
            async move { (0..10).for_each(|number| scribe.tell(Add(number)).unwrap()) }
        });
        settle().await;
        others.await;
        scribe.stop();
        assert_eq!(scribe.exited().await, ExitReason::Normal);
        watch.took(beats(2));
        let expected = ["start", "work", "work done", "work dropped", "stop: normal"];
        assert_eq!(journal.take(), expected);
        let letters = dead_letters().take();
        assert_eq!(letters.len(), 10);
        assert!(letters.iter().all(|letter| letter.kind == "Add" && letter.why == Undelivered::Ended));
    }

    async fn a_stop_comes_after_what_its_sender_has_sent() {
        let journal = Journal::new();
        let scribe = actor::spawn::<Scribe>(journal.clone());
        for number in 0..3 {
            scribe.tell(Add(number)).unwrap();
        }
        scribe.stop();
        scribe.tell(Add(3)).unwrap();
        scribe.exited().await;
        assert_eq!(journal.take(), ["start", "add 0", "add 1", "add 2", "stop: normal"]);
        assert_eq!(dead_letters().count(), 1);
    }

    async fn a_stop_overtakes_what_others_have_sent() {
        let journal = Journal::new();
        let scribe = actor::spawn::<Scribe>(journal.clone());
        scribe.tell(Work(beats(1))).unwrap();
        settle().await;
        let crowd = parcae::spawn({
            let scribe = scribe.clone();
            async move { (0..200).for_each(|number| scribe.tell(Add(number)).unwrap()) }
        });
        crowd.await;
        scribe.any().stop(ExitReason::Shutdown);
        assert_eq!(scribe.exited().await, ExitReason::Shutdown);
        let expected = ["start", "work", "work done", "work dropped", "stop: shutdown"];
        assert_eq!(journal.take(), expected);
    }

    async fn a_kill_drops_the_handler_and_there_is_no_farewell() {
        let journal = Journal::new();
        let scribe = actor::spawn::<Scribe>(journal.clone());
        scribe.tell(Work(beats(1000))).unwrap();
        settle().await;
        let watch = Stopwatch::start();
        scribe.kill();
        assert_eq!(scribe.exited().await, ExitReason::Killed);
        watch.took(beats(0));
        assert_eq!(journal.take(), ["start", "work", "work dropped"]);
    }

    async fn a_handler_that_is_killed_when_it_may_go_on_does_not() {
        let journal = Journal::new();
        let scribe = actor::spawn::<Scribe>(journal.clone());
        let (go, wait) = oneshot::channel();
        scribe.tell(WaitFor(wait)).unwrap();
        settle().await;
        go.send(()).unwrap();
        scribe.kill();
        assert_eq!(scribe.exited().await, ExitReason::Killed);
        assert_eq!(journal.take(), ["start", "wait"]);
    }

    async fn an_actor_that_kills_itself_is_dropped_at_its_next_await() {
        let journal = Journal::new();
        let scribe = actor::spawn::<Scribe>(journal.clone());
        scribe.tell(KillSelf).unwrap();
        let watch = Stopwatch::start();
        assert_eq!(scribe.exited().await, ExitReason::Killed);
        watch.took(beats(0));
        assert_eq!(journal.take(), ["start", "killed"]);
    }

    async fn a_kill_ends_one_that_waits_for_messages() {
        let journal = Journal::new();
        let scribe = actor::spawn::<Scribe>(journal.clone());
        settle().await;
        scribe.kill();
        scribe.kill();
        assert_eq!(scribe.exited().await, ExitReason::Killed);
        assert_eq!(journal.take(), ["start"]);
    }

    async fn a_drain_handles_what_waits_and_takes_no_more() {
        let journal = Journal::new();
        let scribe = actor::spawn::<Scribe>(journal.clone());
        scribe.tell(Work(beats(1))).unwrap();
        scribe.tell(Add(1)).unwrap();
        scribe.drain();
        assert!(scribe.tell(Add(2)).is_err());
        assert_eq!(scribe.ask(Add(3)).await, Err(AskError::NoProc));
        assert_eq!(scribe.exited().await, ExitReason::Normal);
        let expected = ["start", "work", "work done", "work dropped", "add 1", "stop: normal"];
        assert_eq!(journal.take(), expected);
    }

    async fn a_handler_may_end_its_actor_with_a_reason() {
        let journal = Journal::new();
        let scribe = actor::spawn::<Scribe>(journal.clone());
        let reason = ExitReason::ShutdownFor("maintenance".into());
        assert_eq!(scribe.ask(End(reason.clone())).await, Ok(()));
        scribe.exited().await;
        assert_eq!(scribe.exited().await, reason);
        assert_eq!(journal.take(), ["start", "stop: shutdown: maintenance"]);
    }

    async fn everybody_who_waits_for_the_end_learns_why() {
        let scribe = actor::spawn::<Scribe>(Journal::new());
        let waiting: Vec<_> = (0..3).map(|_| parcae::spawn(scribe.exited())).collect();
        let given_up = parcae::spawn(scribe.exited());
        settle().await;
        given_up.cancel().await;
        scribe.tell(Fail("torn")).unwrap();
        for exited in waiting {
            assert!(matches!(exited.await, ExitReason::Error(crash) if crash.text() == "torn"));
        }
    }

    async fn a_start_that_fails_is_told_to_whoever_waits_for_it() {
        let error = actor::spawn_ready::<Stillborn>(false).await.unwrap_err();
        let StartError::Ended(ExitReason::StartFailed(crash)) = error else { panic!("{error}") };
        assert_eq!(crash.text(), "refused");
        let error = actor::spawn_ready::<Stillborn>(true).await.unwrap_err();
        let StartError::Ended(ExitReason::Panicked { message, .. }) = error else {
            panic!("{error}")
        };
        assert_eq!(&*message, "no start");
        let scribe = actor::spawn_ready::<Scribe>(Journal::new()).await.unwrap();
        assert_eq!(scribe.info().status, ActorStatus::Running);
        end(&scribe.any()).await;
    }

    async fn a_name_is_one_actors_until_it_has_ended() {
        let scribe = actor::spawn_named::<Scribe>("scribe", Journal::new()).unwrap();
        let taken = actor::spawn_named::<Scribe>("scribe", Journal::new()).unwrap_err();
        assert_eq!(taken.name, "scribe");
        assert_eq!(actor::whereis::<Scribe>("scribe").unwrap(), scribe);
        assert_eq!(actor::whereis_any("scribe").unwrap(), scribe.any());
        assert!(actor::whereis::<Stillborn>("scribe").is_none(), "it is of another type");
        assert_eq!(actor::names(), ["scribe"]);
        end(&scribe.any()).await;
        assert!(actor::whereis::<Scribe>("scribe").is_none());
        let next = actor::spawn_named::<Scribe>("scribe", Journal::new()).unwrap();
        assert_ne!(next, scribe);
        end(&next.any()).await;
    }

    async fn a_name_is_free_when_its_actor_did_not_start() {
        for panics in [false, true] {
            let started = actor::build::<Stillborn>(panics).name("heir").ready().await;
            assert!(started.is_err());
            assert_eq!(actor::names(), Vec::<String>::new());
        }
    }

    async fn what_is_known_of_an_actor_is_told() {
        let scribe = actor::spawn_named::<Scribe>("monk", Journal::new()).unwrap();
        scribe.tell(Work(beats(2))).unwrap();
        scribe.tell(Add(1)).unwrap();
        scribe.tell(Add(2)).unwrap();
        settle().await;
        let info = scribe.info();
        assert_eq!((info.name.as_deref(), info.kind), (Some("monk"), "Scribe"));
        assert_eq!((info.queued, info.handled, info.incarnation), (2, 1, 1));
        end(&scribe.any()).await;
        assert_eq!((scribe.info().status, scribe.info().handled), (ActorStatus::Ended, 3));
    }

    async fn a_panic_ends_only_its_actor() {
        let (broken, other) = (actor::spawn::<Scribe>(Journal::new()), actor::spawn::<Scribe>(Journal::new()));
        let exited = parcae::spawn(broken.exited());
        settle().await;
        broken.tell(Panic("spilt")).unwrap();
        let ExitReason::Panicked { message, place } = exited.await else { panic!("it panicked") };
        assert_eq!(&*message, "spilt");
        assert!(place.is_some());
        assert_eq!(other.ask(Add(1)).await, Ok(1));
        end(&other.any()).await;
    }
}
