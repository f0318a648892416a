//! How children are stopped: in which order, and how long they may take.

use std::time::Duration;

use parcae::actor::{
    AutoShutdown, DynamicSupervisor, ExitReason, Restart, Shutdown, Strategy, Supervisor,
};
use parcae::task::settle;
use parcae::time::sleep;

use super::{Child, End, House, Which, observe, stop};
use crate::clock::{HOUR, Stopwatch, beats};

/// Stops a supervisor of a child whose `on_stop` takes so long, and checks how long that took and
/// whether the child came to the end of it.
async fn expect_stop(shutdown: Shutdown, stop_time: Duration, takes: Duration, says: &str) {
    let house = House::new();
    house.stop_takes("b", stop_time);
    let mut supervisor = Supervisor::new(Strategy::OneForOne);
    house.fill(&mut supervisor, ["a"]);
    supervisor.child("b", house.spec("b").shutdown(shutdown));
    let supervisor = supervisor.start().await.unwrap();
    let watch = Stopwatch::start();
    assert_eq!(stop(&supervisor).await, ExitReason::Shutdown);
    watch.took(takes);
    assert_eq!(house.said(), format!("+a1 +b1 {says} .a1 -a1"));
}

fn significant(house: &House, name: &'static str) -> parcae::actor::ChildSpec<Child> {
    house.spec(name).restart(Restart::Transient).significant(true)
}

conformance! {
    async fn an_infinite_shutdown_waits_until_the_child_is_gone() {
        expect_stop(Shutdown::Infinite, beats(3), beats(3), ".b1 -b1").await;
    }

    async fn a_child_that_takes_too_long_is_killed() {
        expect_stop(Shutdown::Timeout(beats(2)), HOUR, beats(2), "-b1").await;
        expect_stop(Shutdown::Timeout(HOUR), beats(2), beats(2), ".b1 -b1").await;
    }

    async fn a_child_can_be_killed_at_once() {
        expect_stop(Shutdown::Kill, HOUR, Duration::ZERO, "-b1").await;
    }

    async fn children_are_stopped_one_after_the_other_the_last_first() {
        let house = House::new();
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        for name in ["a", "b", "c"] {
            house.stop_takes(name, beats(2));
            supervisor.child(name, house.spec(name).shutdown(Shutdown::Infinite));
        }
        let supervisor = supervisor.start().await.unwrap();
        house.said();
        let watch = Stopwatch::start();
        stop(&supervisor).await;
        watch.took(beats(6));
        assert_eq!(house.said(), ".c1 -c1 .b1 -b1 .a1 -a1");
    }

    async fn those_of_a_dynamic_supervisor_are_stopped_at_once() {
        let house = House::new();
        let supervisor = DynamicSupervisor::<Child>::new(Restart::Temporary, 10);
        let supervisor = supervisor.shutdown(Shutdown::Infinite).start().await.unwrap();
        for (name, time) in [("a", 3), ("b", 2), ("c", 1)] {
            house.stop_takes(name, beats(time));
            let house = house.clone();
            supervisor.start_child(move || (house.clone(), name)).await.unwrap();
        }
        house.said();
        let watch = Stopwatch::start();
        supervisor.any().stop(ExitReason::Shutdown);
        supervisor.any().exited().await;
        watch.took(beats(3));
        assert_eq!(house.said(), ".c1 -c1 .b1 -b1 .a1 -a1");
    }

    async fn a_child_that_ends_by_itself_while_all_are_stopped_is_not_restarted() {
        let house = House::new();
        house.stop_takes("b", HOUR);
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let [a] = house.fill(&mut supervisor, ["a"]);
        let b = supervisor.child("b", house.spec("b").shutdown(Shutdown::Infinite));
        let supervisor = supervisor.start().await.unwrap();
        supervisor.any().stop(ExitReason::Shutdown);
        settle().await;
        End::WithPanic.tell(&a);
        settle().await;
        assert_eq!(house.came_and_went(), "+a1 +b1 -a1");
        b.any().kill();
        assert_eq!(supervisor.any().exited().await, ExitReason::Shutdown);
        assert_eq!(house.said(), "-b1");
    }

    async fn a_killed_supervisor_has_ended_when_its_children_are_gone() {
        let house = House::new();
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        house.stop_takes("a", HOUR);
        let [a, _] = house.fill(&mut supervisor, ["a", "b"]);
        let supervisor = supervisor.start().await.unwrap();
        assert_eq!(house.said(), "+a1 +b1");
        supervisor.any().kill();
        assert_eq!(supervisor.any().exited().await, ExitReason::Killed);
        let mut gone: Vec<_> = house.said().split(' ').map(str::to_owned).collect();
        gone.sort_unstable();
        assert_eq!(gone, ["-a1", "-b1"]);
        settle().await;
        assert!(a.tell(Which).is_err());
    }

    async fn a_significant_child_that_is_done_ends_the_supervisor() {
        for how in End::ALL {
            let house = House::new();
            let supervisor = Supervisor::new(Strategy::OneForOne);
            let mut supervisor = supervisor.auto_shutdown(AutoShutdown::Any);
            house.fill(&mut supervisor, ["a"]);
            let child = supervisor.child("t", significant(&house, "t"));
            house.fill(&mut supervisor, ["b"]);
            let supervisor = supervisor.start().await.unwrap();
            house.said();
            how.tell(&child);
            if how.is_failure() {
                // It is restarted: that is no end.
                assert_eq!(child.ask(Which).await, Ok(2));
                stop(&supervisor).await;
            } else {
                assert_eq!(supervisor.any().exited().await, ExitReason::Shutdown);
                assert_eq!(house.came_and_went(), "-t1 -b1 -a1");
            }
        }
    }

    async fn the_last_significant_child_that_is_done_ends_the_supervisor() {
        let house = House::new();
        let supervisor = Supervisor::new(Strategy::OneForOne);
        let mut supervisor = supervisor.auto_shutdown(AutoShutdown::All);
        let x = supervisor.child("x", significant(&house, "x"));
        let y = supervisor.child("y", significant(&house, "y"));
        house.fill(&mut supervisor, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        house.said();
        End::Normally.tell(&x);
        sleep(beats(1)).await;
        assert_eq!(house.came_and_went(), "-x1");
        End::Normally.tell(&y);
        assert_eq!(supervisor.any().exited().await, ExitReason::Shutdown);
        assert_eq!(house.came_and_went(), "-y1 -a1");
    }

    async fn a_significant_child_that_is_stopped_by_hand_ends_nobody() {
        let house = House::new();
        let supervisor = Supervisor::new(Strategy::OneForOne);
        let mut supervisor = supervisor.auto_shutdown(AutoShutdown::Any);
        supervisor.child("x", significant(&house, "x"));
        house.fill(&mut supervisor, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        let exit = observe(supervisor.any()).await;
        supervisor.terminate_child("x").await.unwrap();
        settle().await;
        assert_eq!(house.came_and_went(), "+x1 +a1 -x1");
        assert!(!exit.is_finished());
        stop(&supervisor).await;
    }
}
