//! What ends an actor in each of its methods: a kill, a stop, a panic.

use std::time::Duration;

use parcae::actor::{
    self, Actor, ActorRef, Context, Crash, ExitReason, Flow, Handler, Signal, StartError, TellError,
};
use parcae::message;
use parcae::task::{settle, yield_now};
use parcae::time::sleep;

use super::Idle;
use crate::clock::{HOUR, Stopwatch, beats};
use crate::journal::Journal;

/// Does something in one of its methods.
struct Hooked {
    journal: Journal<&'static str>,
    hook: Hook,
    what: What,
}

/// The methods of an actor.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Hook {
    Start,
    Handle,
    Signal,
    Idle,
    Stop,
}

impl Hook {
    const ALL: [Self; 5] = [Self::Start, Self::Handle, Self::Signal, Self::Idle, Self::Stop];
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Wait(Duration),
    Panic,
}

/// Comes to the method that it is about.
#[derive(Debug, PartialEq)]
struct Enter;
message!(Enter);
/// Is told to itself, and then it ends.
#[derive(Debug)]
struct Last;
message!(Last -> Result<(), TellError<Enter>>);

impl Hooked {
    async fn come_to(&self, hook: Hook) {
        if hook != self.hook {
            return;
        }
        self.journal.add("in");
        let _out = self.journal.on_drop("out");
        match self.what {
            What::Wait(time) => sleep(time).await,
            What::Panic => panic!("as told"),
        }
        self.journal.add("over");
    }
}

impl Actor for Hooked {
    type Args = (Journal<&'static str>, Hook, What);
    type Error = Crash;

    async fn start(
        (journal, hook, what): Self::Args,
        _: &mut Context<Self>,
    ) -> Result<Self, Crash> {
        let hooked = Self { journal, hook, what };
        hooked.come_to(Hook::Start).await;
        Ok(hooked)
    }

    async fn on_signal(&mut self, _: Signal, _: &mut Context<Self>) -> Result<Flow, Crash> {
        self.come_to(Hook::Signal).await;
        Ok(Flow::Continue)
    }

    async fn on_idle(&mut self, cx: &mut Context<Self>) -> Result<Flow, Crash> {
        cx.set_idle_timeout(None);
        self.come_to(Hook::Idle).await;
        Ok(Flow::Continue)
    }

    async fn on_stop(&mut self, _: &ExitReason, _: &mut Context<Self>) {
        self.come_to(Hook::Stop).await;
        self.journal.add("farewell");
    }
}

impl Handler<Enter> for Hooked {
    async fn handle(&mut self, _: Enter, cx: &mut Context<Self>) -> Result<(), Crash> {
        match self.hook {
            Hook::Start | Hook::Handle => self.come_to(Hook::Handle).await,
            Hook::Signal => cx.spawn::<Idle>(()).stop(),
            Hook::Idle => cx.set_idle_timeout(Some(beats(1))),
            Hook::Stop => cx.stop(),
        }
        Ok(())
    }
}

impl Handler<Last> for Hooked {
    async fn handle(
        &mut self,
        _: Last,
        cx: &mut Context<Self>,
    ) -> Result<Result<(), TellError<Enter>>, Crash> {
        cx.any().drain();
        Ok(cx.me().tell(Enter))
    }
}

/// Starts one with a name, and waits until it is in this method.
async fn enter(hook: Hook, what: What) -> (ActorRef<Hooked>, Journal<&'static str>) {
    let journal = Journal::new();
    let hooked = actor::spawn_named::<Hooked>("hooked", (journal.clone(), hook, what)).unwrap();
    let exited = parcae::spawn(hooked.exited());
    exited.background();
    settle().await;
    hooked.tell(Enter).unwrap();
    settle().await;
    while hook == Hook::Idle && !hooked.any().is_ended() {
        sleep(beats(1)).await;
        settle().await;
        if let words @ [_, ..] = &*journal.take() {
            words.iter().for_each(|word| journal.add(word));
            break;
        }
    }
    (hooked, journal)
}

conformance! {
    async fn a_kill_cuts_whichever_method_waits() {
        for hook in Hook::ALL {
            let (hooked, journal) = enter(hook, What::Wait(HOUR)).await;
            assert_eq!(journal.take(), ["in"], "{hook:?}");
            let watch = Stopwatch::start();
            hooked.kill();
            assert_eq!(hooked.exited().await, ExitReason::Killed, "{hook:?}");
            watch.took(Duration::ZERO);
            // And none comes after it.
            assert_eq!(journal.take(), ["out"], "{hook:?}");
            assert!(actor::whereis::<Hooked>("hooked").is_none());
        }
    }

    async fn a_kill_before_it_has_begun_is_its_end() {
        let journal = Journal::new();
        let args = (journal.clone(), Hook::Start, What::Wait(beats(1)));
        let hooked = actor::spawn::<Hooked>(args);
        hooked.kill();
        assert_eq!(hooked.exited().await, ExitReason::Killed);
        let told = journal.take();
        assert!(told.is_empty() || told == ["in", "out"], "{told:?}");
    }

    async fn a_stop_waits_for_the_method_that_it_finds() {
        for hook in Hook::ALL {
            let watch = Stopwatch::start();
            let (hooked, journal) = enter(hook, What::Wait(beats(4))).await;
            hooked.stop();
            assert_eq!(hooked.exited().await, ExitReason::Normal, "{hook:?}");
            watch.took(beats(if hook == Hook::Idle { 5 } else { 4 }));
            assert_eq!(journal.take(), ["in", "over", "out", "farewell"], "{hook:?}");
        }
    }

    async fn a_panic_in_any_method_is_its_end() {
        for hook in [Hook::Handle, Hook::Signal, Hook::Idle] {
            let (hooked, journal) = enter(hook, What::Panic).await;
            let reason = hooked.exited().await;
            assert!(matches!(reason, ExitReason::Panicked { .. }), "{hook:?}: {reason}");
            assert_eq!(journal.take(), ["in", "out", "farewell"], "{hook:?}");
            assert!(actor::whereis::<Hooked>("hooked").is_none());
        }
    }

    async fn one_that_panics_in_its_start_says_no_farewell() {
        let journal = Journal::new();
        let args = (journal.clone(), Hook::Start, What::Panic);
        match actor::build::<Hooked>(args).name("hooked").ready().await {
            Err(StartError::Ended(ExitReason::Panicked { message, .. })) => {
                assert_eq!(&*message, "as told");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(journal.take(), ["in", "out"]);
        assert!(actor::whereis::<Hooked>("hooked").is_none());
    }

    async fn one_that_panics_at_its_farewell_has_ended_as_it_was_to() {
        let (hooked, journal) = enter(Hook::Stop, What::Panic).await;
        assert_eq!(hooked.exited().await, ExitReason::Normal);
        assert_eq!(journal.take(), ["in", "out"]);
        assert!(actor::whereis::<Hooked>("hooked").is_none());
    }

    async fn the_farewell_is_over_before_anybody_hears_of_the_end() {
        let journal = Journal::new();
        let args = (journal.clone(), Hook::Stop, What::Wait(beats(2)));
        let hooked = actor::spawn::<Hooked>(args);
        let heard = parcae::spawn({
            let (hooked, journal) = (hooked.clone(), journal.clone());
            async move {
                hooked.exited().await;
                journal.add("heard");
            }
        });
        let watch = Stopwatch::start();
        hooked.stop();
        heard.await;
        watch.took(beats(2));
        assert_eq!(journal.take(), ["in", "over", "out", "farewell", "heard"]);
    }

    async fn ends_of_all_kinds_at_once_are_one_end() {
        let journal = Journal::new();
        let args = (journal.clone(), Hook::Stop, What::Wait(beats(1)));
        let hooked = actor::spawn::<Hooked>(args);
        settle().await;
        let waiting: Vec<_> = (0..3).map(|_| parcae::spawn(hooked.exited())).collect();
        settle().await;
        let ends: [fn(&ActorRef<Hooked>); 3] =
            [|hooked| hooked.stop(), |hooked| hooked.any().drain(), |hooked| hooked.stop()];
        let ends = ends.map(|end| {
            let hooked = hooked.clone();
            parcae::spawn(async move {
                yield_now().await;
                end(&hooked);
            })
        });
        for end in ends {
            end.await;
        }
        for heard in waiting {
            assert_eq!(heard.await, ExitReason::Normal);
        }
        hooked.kill();
        assert_eq!(hooked.exited().await, ExitReason::Normal);
        assert_eq!(journal.take(), ["in", "over", "out", "farewell"]);
    }

    async fn whoever_no_longer_waits_for_a_start_leaves_it_alone() {
        let journal = Journal::new();
        let build = || {
            let args = (journal.clone(), Hook::Start, What::Wait(beats(1)));
            actor::build::<Hooked>(args).name("hooked")
        };
        // One that was never polled has started nothing.
        drop(build().ready());
        assert!(actor::whereis::<Hooked>("hooked").is_none());
        let ready = parcae::spawn(build().ready());
        settle().await;
        drop(ready);
        let hooked = actor::whereis::<Hooked>("hooked").unwrap();
        let taken = build().ready().await;
        assert!(matches!(taken, Err(StartError::NameTaken(_))));
        hooked.stop();
        assert_eq!(hooked.exited().await, ExitReason::Normal);
        assert_eq!(journal.take(), ["in", "over", "out", "farewell"]);
    }

    async fn what_it_sends_itself_when_it_takes_no_more_comes_back() {
        let args = (Journal::new(), Hook::Handle, What::Panic);
        let hooked = actor::spawn::<Hooked>(args);
        let refused = hooked.ask(Last).await.unwrap();
        assert_eq!(refused, Err(TellError::Closed { message: Enter, reason: None }));
        assert_eq!(hooked.exited().await, ExitReason::Normal);
    }
}
