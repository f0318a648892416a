//! Supervisors under supervisors.

use parcae::actor::{ExitReason, Restart, Shutdown, Strategy, Supervisor};
use parcae::task::settle;

use super::{End, House, Which, observe, stop};
use crate::clock::{HOUR, Stopwatch, beats};

conformance! {
    async fn a_tree_starts_from_the_root_and_stops_from_the_leaves() {
        let house = House::new();
        house.start_takes("y", beats(2));
        let mut outer = Supervisor::new(Strategy::OneForOne);
        house.fill(&mut outer, ["a"]);
        let mut inner = Supervisor::new(Strategy::OneForOne);
        house.fill(&mut inner, ["x", "y"]);
        outer.supervisor("inner", inner);
        house.fill(&mut outer, ["b"]);
        let watch = Stopwatch::start();
        let outer = outer.start().await.unwrap();
        watch.took(beats(2));
        assert_eq!(house.said(), "+a1 +x1 +y1 +b1");
        stop(&outer).await;
        assert_eq!(house.came_and_went(), "-b1 -y1 -x1 -a1");
    }

    async fn a_failure_escalates_to_the_root() {
        let house = House::new();
        let mut inner = Supervisor::new(Strategy::OneForOne).intensity(0, HOUR);
        let [x] = house.fill(&mut inner, ["x"]);
        let mut outer = Supervisor::new(Strategy::OneForOne).intensity(0, HOUR);
        house.fill(&mut outer, ["a"]);
        outer.supervisor("inner", inner);
        let outer = outer.start().await.unwrap();
        let exit = observe(outer.any()).await;
        End::WithError.tell(&x);
        let reason = exit.await;
        let ExitReason::Error(crash) = reason else { panic!("{reason}") };
        assert!(crash.text().contains("`inner`") && crash.text().contains("`x`"), "{crash}");
        assert_eq!(house.came_and_went(), "+a1 +x1 -x1 -a1");
    }

    async fn a_supervisor_that_gives_up_is_restarted_by_its_own() {
        let house = House::new();
        let inner = Supervisor::new(Strategy::OneForOne).restart(Restart::Transient);
        let mut inner = inner.intensity(0, HOUR);
        let [x, y] = house.fill(&mut inner, ["x", "y"]);
        let mut outer = Supervisor::new(Strategy::RestForOne);
        outer.supervisor("inner", inner);
        house.fill(&mut outer, ["b"]);
        let outer = outer.start().await.unwrap();
        house.said();
        End::WithError.tell(&x);
        settle().await;
        assert_eq!(house.came_and_went(), "-x1 -y1 -b1 +x2 +y2 +b2");
        assert_eq!(x.ask(Which).await, Ok(2));
        assert_eq!(y.ask(Which).await, Ok(2));
        stop(&outer).await;
    }

    async fn a_supervisor_that_takes_too_long_is_killed_with_its_children() {
        let house = House::new();
        house.stop_takes("x", HOUR);
        let mut inner = Supervisor::new(Strategy::OneForOne).shutdown(Shutdown::Timeout(beats(2)));
        inner.child("x", house.spec("x").shutdown(Shutdown::Infinite));
        let mut outer = Supervisor::new(Strategy::OneForAll);
        let [a] = house.fill(&mut outer, ["a"]);
        outer.supervisor("inner", inner);
        let outer = outer.start().await.unwrap();
        house.said();
        let watch = Stopwatch::start();
        End::WithError.tell(&a);
        assert_eq!(a.ask(Which).no_timeout().await, Ok(2));
        watch.took(beats(2));
        settle().await;
        // They are gone before the next ones begin.
        assert_eq!(house.came_and_went(), "-a1 -x1 +a2 +x2");
        outer.any().kill();
        outer.any().exited().await;
    }

    async fn a_killed_supervisor_is_restarted_when_its_children_are_gone() {
        let house = House::new();
        let mut inner = Supervisor::new(Strategy::OneForOne);
        let [x, _] = house.fill(&mut inner, ["x", "y"]);
        let mut outer = Supervisor::new(Strategy::OneForOne);
        let inner = outer.supervisor("inner", inner);
        let outer = outer.start().await.unwrap();
        house.said();
        inner.any().kill();
        settle().await;
        let said = house.said();
        assert!(matches!(&*said, "-x1 -y1 +x2 +y2" | "-y1 -x1 +x2 +y2"), "{said}");
        assert_eq!(x.ask(Which).await, Ok(2));
        stop(&outer).await;
    }
}
