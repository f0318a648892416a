//! How children are stopped: in which order, and how long they may take.

use parcae::actor::{Flow, Shutdown, Signal, Strategy};
use parcae::task::{settle, yield_now};
use parcae::time::Instant;

use super::*;
use crate::runs::{millis, secs};

/// Stops a supervisor of one child whose `on_stop` takes 10 seconds, and checks how long that took and
/// whether the child came to the end of it.
fn expect_stop(shutdown: Shutdown, seconds: u64, farewells: u32) {
    on_seeds(move |house| async move {
        house.stop_takes("b", secs(10));
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        children(&mut supervisor, &house, ["a"]);
        supervisor.child("b", house.spec("b").shutdown(shutdown));
        let supervisor = supervisor.start().await.unwrap();
        let begin = Instant::now();
        assert_eq!(stop(&supervisor).await, ExitReason::Shutdown);
        assert_eq!(begin.elapsed(), secs(seconds));
        assert_eq!(house.farewells("b"), farewells);
        assert_eq!(house.farewells("a"), 1);
        assert_eq!(house.said(), "+a1 +b1 -b1 -a1");
    });
}

#[test]
fn an_infinite_shutdown_waits_until_the_child_is_gone() {
    expect_stop(Shutdown::Infinite, 10, 1);
}

#[test]
fn a_child_that_takes_too_long_is_killed() {
    expect_stop(Shutdown::Timeout(secs(3)), 3, 0);
    expect_stop(Shutdown::Timeout(secs(11)), 10, 1);
    expect_stop(Shutdown::default(), 5, 0);
}

#[test]
fn a_child_can_be_killed_at_once() {
    expect_stop(Shutdown::Kill, 0, 0);
}

#[test]
fn children_are_stopped_one_after_the_other_the_last_first() {
    on_seeds(|house| async move {
        let names = ["a", "b", "c", "d"];
        for name in names {
            house.stop_takes(name, millis(10));
        }
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        children(&mut supervisor, &house, names);
        let supervisor = supervisor.start().await.unwrap();
        house.said();
        let begin = Instant::now();
        supervisor.any().stop(ExitReason::Shutdown);
        sleep(millis(25)).await;
        assert_eq!(house.said(), "-d1 -c1");
        supervisor.any().exited().await;
        assert_eq!(begin.elapsed(), millis(40));
        assert_eq!(house.said(), "-b1 -a1");
    });
}

#[test]
fn a_child_that_ends_by_itself_while_all_are_stopped_is_not_restarted() {
    on_seeds(|house| async move {
        house.stop_takes("c", millis(20));
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let [a, ..] = children(&mut supervisor, &house, ["a", "b", "c"]);
        let supervisor = supervisor.start().await.unwrap();
        supervisor.any().stop(ExitReason::Shutdown);
        sleep(millis(10)).await;
        end(&a, End::WithPanic);
        assert_eq!(supervisor.any().exited().await, ExitReason::Shutdown);
        assert_eq!(house.said(), "+a1 +b1 +c1 -a1 -c1 -b1");
    });
}

#[test]
fn a_child_that_ends_at_the_instant_of_the_stop_is_stopped_or_was_restarted_before() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let [a] = children(&mut supervisor, &house, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        end(&a, End::WithError);
        stop(&supervisor).await;
        let said = house.said();
        assert!(said == "+a1 -a1" || said == "+a1 -a1 +a2 -a2", "{said}");
    });
}

#[test]
fn a_stop_overtakes_the_messages_that_others_have_queued() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let [a] = children(&mut supervisor, &house, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        for _ in 0..200 {
            a.tell(Work(secs(1))).unwrap();
        }
        sleep(millis(500)).await;
        let begin = Instant::now();
        stop(&supervisor).await;
        // It stops after the message in work.
        assert_eq!(begin.elapsed(), millis(500));
        assert_eq!(house.farewells("a"), 1);
    });
}

#[test]
fn a_killed_supervisor_kills_its_children() {
    on_seeds(|house| async move {
        house.stop_takes("a", secs(3600));
        house.stop_takes("b", secs(3600));
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let [a, b] = children(&mut supervisor, &house, ["a", "b"]);
        let supervisor = supervisor.start().await.unwrap();
        let begin = Instant::now();
        supervisor.any().kill();
        assert_eq!(supervisor.any().exited().await, ExitReason::Killed);
        // They are gone when anybody hears of its end.
        let said = house.said();
        assert!(said.contains("-a1") && said.contains("-b1"), "{said}");
        settle().await;
        assert_eq!(begin.elapsed(), Duration::ZERO);
        assert_eq!((house.farewells("a"), house.farewells("b")), (0, 0));
        assert!(a.tell(Note(0)).is_err() && b.tell(Note(0)).is_err());
    });
}

#[test]
fn a_supervisor_that_is_killed_while_it_stops_kills_what_is_left() {
    on_seeds(|house| async move {
        house.stop_takes("b", secs(3600));
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let spec = |name| house.spec(name).shutdown(Shutdown::Infinite);
        supervisor.child("a", spec("a"));
        supervisor.child("b", spec("b"));
        let supervisor = supervisor.start().await.unwrap();
        supervisor.any().stop(ExitReason::Shutdown);
        sleep(secs(1)).await;
        assert_eq!(house.said(), "+a1 +b1");
        supervisor.any().kill();
        assert_eq!(supervisor.any().exited().await, ExitReason::Killed);
        let said = house.said();
        assert!(said == "-b1 -a1" || said == "-a1 -b1", "{said}");
        assert_eq!((house.farewells("a"), house.farewells("b")), (0, 0));
    });
}

/// Notes how many children there are when the actor ends that it monitors.
struct Watcher {
    house: House,
    news: Rc<RefCell<Vec<(ExitReason, usize)>>>,
}

impl Actor for Watcher {
    type Args = (Self, AnyRef);
    type Error = Crash;

    async fn start((own, other): Self::Args, cx: &mut Context<Self>) -> Result<Self, Crash> {
        cx.monitor(&other);
        Ok(own)
    }

    async fn on_signal(&mut self, signal: Signal, _: &mut Context<Self>) -> Result<Flow, Crash> {
        let Signal::Down { reason, .. } = signal else { return Ok(Flow::Continue) };
        self.news.borrow_mut().push((reason, self.house.alive()));
        Ok(Flow::Continue)
    }
}

/// Kills a supervisor under another one at a moment that the seed picks, its first start included.
#[test]
fn whoever_hears_that_a_supervisor_was_killed_finds_none_of_its_children() {
    on_seeds(|house| async move {
        house.start_takes("y", millis(1));
        house.stop_takes("z", secs(3600));
        let mut inner = Supervisor::new(Strategy::OneForOne);
        children(&mut inner, &house, ["x", "y", "z"]);
        let mut outer = Supervisor::new(Strategy::OneForOne);
        let inner = outer.supervisor("inner", inner);
        let news = Rc::new(RefCell::new(Vec::new()));
        let watcher = Watcher { house: house.clone(), news: news.clone() };
        parcae::actor::spawn::<Watcher>((watcher, inner.any()));
        settle().await;
        let started = spawn(outer.start());
        sleep(millis(parcae::choose(0..3))).await;
        for _ in 0..parcae::choose(0..12) {
            yield_now().await;
        }
        inner.any().kill();
        let outer = started.await;
        settle().await;
        for (reason, alive) in news.take() {
            assert_eq!((reason, alive), (ExitReason::Killed, 0));
        }
        if let Ok(outer) = outer {
            // It was killed after its start, and is back.
            sleep(millis(2)).await;
            assert_eq!(house.alive(), 3);
            outer.any().kill();
            outer.any().exited().await;
        }
        assert_eq!(house.alive(), 0);
    });
}

#[test]
fn of_a_supervisor_that_has_ended_nothing_can_be_asked() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let [a] = children(&mut supervisor, &house, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        stop(&supervisor).await;
        settle().await;
        assert!(supervisor.restart_child("a").await.is_err());
        assert!(supervisor.count_children().await.is_err());
        assert!(a.tell(Note(0)).is_err());
    });
}
