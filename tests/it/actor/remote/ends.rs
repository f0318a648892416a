//! Monitors, links and the end of actors and machines.

use parcae::actor::{AskError, ExitReason, Flow, Signal};
use parcae::time::{Instant, timeout};

use super::*;

/// Watches an actor of another machine, and writes down each signal.
struct Watcher {
    signals: Journal<(&'static str, ExitReason)>,
}

struct Watching {
    target: ActorRef<Notes>,
    signals: Journal<(&'static str, ExitReason)>,
    is_linked: bool,
    is_taken_back: bool,
}

impl actor::Actor for Watcher {
    type Args = Watching;
    type Error = Infallible;

    async fn start(args: Watching, context: &mut Context<Self>) -> Result<Self, Infallible> {
        let target = args.target.any();
        if args.is_linked {
            context.link(&target);
        } else {
            let monitor = context.monitor(&target);
            if args.is_taken_back {
                context.demonitor(monitor);
            }
        }
        Ok(Self { signals: args.signals })
    }

    async fn on_signal(
        &mut self,
        signal: Signal,
        _: &mut Context<Self>,
    ) -> Result<Flow, Infallible> {
        match signal {
            Signal::Down { reason, .. } => self.signals.add(("down", reason)),
            Signal::Exit { reason, .. } => self.signals.add(("exit", reason)),
            _ => {}
        }
        Ok(Flow::Continue)
    }
}

type Signals = Journal<(&'static str, ExitReason)>;

fn watch(is_linked: bool) -> (Signals, ActorRef<Watcher>) {
    let signals = Journal::new();
    let args =
        Watching { target: notes(), signals: signals.clone(), is_linked, is_taken_back: false };
    (signals, actor::spawn::<Watcher>(args))
}

#[test]
fn the_end_of_an_actor_is_told_to_who_monitors_it() {
    on_seeds(|| async {
        let journal = Journal::new();
        start_server(&journal);
        let _listener = dialing().await;
        let (signals, _watcher) = watch(choose(0..2) == 1);
        sleep(secs(1)).await;
        notes().any().stop(ExitReason::Shutdown);
        sleep(secs(1)).await;
        let told = signals.take();
        assert!(matches!(&told[..], [(_, ExitReason::Shutdown)]), "{told:?}");
    });
}

#[test]
fn a_monitor_of_nobody_says_so() {
    on_seeds(|| async {
        let journal = Journal::new();
        start_server(&journal);
        let _listener = dialing().await;
        notes().kill();
        sleep(secs(1)).await;
        let (signals, _watcher) = watch(false);
        sleep(secs(1)).await;
        assert_eq!(signals.take(), [("down", ExitReason::NoProc)]);
    });
}

#[test]
fn a_monitor_that_was_taken_back_says_nothing() {
    on_seeds(|| async {
        let journal = Journal::new();
        let server = start_server(&journal);
        let _listener = dialing().await;
        let signals = Journal::new();
        let args = Watching {
            target: notes(),
            signals: signals.clone(),
            is_linked: false,
            is_taken_back: true,
        };
        let _watcher = actor::spawn::<Watcher>(args);
        sleep(millis(choose(0..1_000))).await;
        server.power_off();
        sleep(secs(60)).await;
        assert_eq!(signals.take(), []);
    });
}

#[test]
fn the_end_of_a_machine_is_told_once_to_each() {
    on_seeds(|| async {
        let journal = Journal::new();
        let server = start_server(&journal);
        let _listener = dialing().await;
        assert_eq!(notes().ask(Double(1)).await, Ok(2));
        let watchers: Vec<_> = (0..4).map(|number| watch(number % 2 == 0)).collect();
        let exited = parcae::spawn(async { notes().exited().await });
        sleep(millis(choose(0..3_000))).await;
        match choose(0..4) {
            0 => server.kill(),
            1 => server.power_off(),
            2 => server.restart(),
            _ => world::partition("test", "server").keep(),
        }
        assert_eq!(timeout(secs(11), exited).await.unwrap(), ExitReason::NodeDown);
        world::heal_all();
        sleep(secs(30)).await;
        for (number, (signals, _)) in watchers.iter().enumerate() {
            let what = if number % 2 == 0 { "exit" } else { "down" };
            assert_eq!(signals.take(), [(what, ExitReason::NodeDown)]);
        }
    });
}

#[test]
fn who_asks_a_dead_machine_learns_of_it() {
    on_seeds(|| async {
        let journal = Journal::new();
        let server = start_server(&journal);
        let _listener = dialing().await;
        assert_eq!(notes().ask(Double(1)).await, Ok(2));
        server.power_off();
        assert_eq!(notes().ask(Double(1)).no_timeout().await, Err(AskError::NodeDown));
        let start = Instant::now();
        assert_eq!(notes().ask(Double(1)).await, Err(AskError::NodeDown));
        assert_eq!(start.elapsed(), millis(0));
        server.power_on();
        sleep(secs(20)).await;
        assert_eq!(notes().ask(Double(1)).await, Ok(2));
    });
}

/// An actor of the server that ends with those that it is linked to.
#[test]
fn a_link_ends_the_actor_on_the_other_machine() {
    on_seeds(|| async {
        let journal = Journal::new();
        start_server(&journal);
        let _listener = dialing().await;
        let (signals, watcher) = watch(true);
        sleep(secs(1)).await;
        watcher.any().stop(ExitReason::Shutdown);
        sleep(secs(1)).await;
        assert_eq!(notes().ask(Double(1)).await, Err(AskError::NoProc));
        assert_eq!(signals.take(), []);
    });
}

#[test]
fn stop_comes_after_what_was_told_before_it() {
    on_seeds(|| async {
        let journal = Journal::new();
        start_server(&journal);
        let _listener = dialing().await;
        let notes = notes();
        for number in 0..20 {
            notes.tell(Note(number)).unwrap();
        }
        notes.stop();
        assert_eq!(notes.exited().await, ExitReason::Normal);
        assert_eq!(journal.take(), (0..20).collect::<Vec<_>>());
    });
}
