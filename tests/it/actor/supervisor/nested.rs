//! Supervisors under supervisors.

use parcae::actor::{Restart, Shutdown, Strategy};
use parcae::task::settle;
use parcae::time::Instant;

use super::*;
use crate::runs::{millis, secs};

#[test]
fn a_tree_starts_from_the_root_and_stops_from_the_leaves() {
    on_seeds(|house| async move {
        house.start_takes("y", millis(10));
        let mut outer = Supervisor::new(Strategy::OneForOne);
        children(&mut outer, &house, ["a"]);
        let mut inner = Supervisor::new(Strategy::OneForOne);
        children(&mut inner, &house, ["x", "y"]);
        let mut innermost = Supervisor::new(Strategy::OneForOne);
        children(&mut innermost, &house, ["p"]);
        inner.supervisor("innermost", innermost);
        outer.supervisor("inner", inner);
        children(&mut outer, &house, ["b"]);
        let outer = outer.start().await.unwrap();
        assert_eq!(house.said(), "+a1 +x1 +y1 +p1 +b1");
        stop(&outer).await;
        assert_eq!(house.said(), "-b1 -p1 -y1 -x1 -a1");
    });
}

#[test]
fn a_supervisor_that_gives_up_is_restarted_by_its_own() {
    on_seeds(|house| async move {
        let mut inner = Supervisor::new(Strategy::OneForOne).restart(Restart::Transient);
        let [x, y] = children(&mut inner, &house, ["x", "y"]);
        let mut outer = Supervisor::new(Strategy::RestForOne);
        children(&mut outer, &house, ["a"]);
        let inner = outer.supervisor("inner", inner);
        children(&mut outer, &house, ["b"]);
        let outer = outer.start().await.unwrap();
        house.said();
        end(&x, End::WithError);
        settle().await;
        assert_eq!(house.said(), "-x1 +x2");
        end(&x, End::WithError);
        settle().await;
        // To give up is to fail: a transient supervisor is restarted.
        assert_eq!(house.said(), "-x2 -y1 -b1 +x3 +y2 +b2");
        // All references are as good as before.
        assert_eq!(x.ask(Note(0)).await.unwrap(), 3);
        assert_eq!(y.ask(Note(0)).await.unwrap(), 2);
        assert_eq!(inner.count_children().await.unwrap().active, 2);
        stop(&outer).await;
    });
}

#[test]
fn a_failure_escalates_to_the_root() {
    on_seeds(|house| async move {
        let mut inner = Supervisor::new(Strategy::OneForOne).intensity(0, secs(5));
        let [x] = children(&mut inner, &house, ["x"]);
        let mut outer = Supervisor::new(Strategy::OneForOne).intensity(0, secs(5));
        children(&mut outer, &house, ["a"]);
        outer.supervisor("inner", inner);
        let outer = outer.start().await.unwrap();
        let exit = observe(&outer).await;
        end(&x, End::WithError);
        let reason = exit.await;
        let ExitReason::Error(crash) = reason else { panic!("{reason}") };
        assert!(crash.text().contains("`inner`") && crash.text().contains("`x`"), "{crash}");
        assert_eq!(house.said(), "+a1 +x1 -x1 -a1");
    });
}

#[test]
fn a_supervisor_that_does_not_start_again_is_another_restart() {
    on_seeds(|house| async move {
        let mut inner = Supervisor::new(Strategy::OneForOne).intensity(0, secs(5));
        let [x, _] = children(&mut inner, &house, ["x", "y"]);
        let mut outer = Supervisor::new(Strategy::OneForOne).intensity(2, secs(5));
        outer.supervisor("inner", inner);
        let outer = outer.start().await.unwrap();
        house.said();
        house.refuse("y", 1);
        end(&x, End::WithError);
        settle().await;
        assert_eq!(house.said(), "-x1 -y1 +x2 +y2 -y2 -x2 +x3 +y3");
        stop(&outer).await;
    });
}

#[test]
fn a_supervisor_has_the_time_that_its_children_take() {
    on_seeds(|house| async move {
        house.stop_takes("x", secs(3));
        house.stop_takes("y", secs(4));
        let mut inner = Supervisor::new(Strategy::OneForOne);
        children(&mut inner, &house, ["x", "y"]);
        let mut outer = Supervisor::new(Strategy::OneForOne);
        outer.supervisor("inner", inner);
        let outer = outer.start().await.unwrap();
        let begin = Instant::now();
        stop(&outer).await;
        assert_eq!(begin.elapsed(), secs(7));
        assert_eq!((house.farewells("x"), house.farewells("y")), (1, 1));
    });
}

#[test]
fn a_supervisor_that_takes_too_long_is_killed_with_its_children_and_they_are_gone_before_the_next()
{
    on_seeds(|house| async move {
        house.stop_takes("x", secs(3600));
        let mut inner = Supervisor::new(Strategy::OneForOne).shutdown(Shutdown::Timeout(secs(2)));
        inner.child("x", house.spec("x").shutdown(Shutdown::Infinite));
        let mut outer = Supervisor::new(Strategy::OneForAll);
        let [a] = children(&mut outer, &house, ["a"]);
        outer.supervisor("inner", inner);
        let outer = outer.start().await.unwrap();
        let begin = Instant::now();
        end(&a, End::WithError);
        assert_eq!(a.ask(Note(0)).await.unwrap(), 2);
        assert_eq!(begin.elapsed(), secs(2));
        settle().await;
        assert_eq!(house.said(), "+a1 +x1 -a1 -x1 +a2 +x2");
        outer.any().kill();
        settle().await;
    });
}

#[test]
fn a_killed_supervisor_is_restarted_when_its_children_are_gone() {
    on_seeds(|house| async move {
        let mut inner = Supervisor::new(Strategy::OneForOne);
        let [x, y] = children(&mut inner, &house, ["x", "y"]);
        let mut outer = Supervisor::new(Strategy::OneForOne);
        let inner = outer.supervisor("inner", inner);
        let outer = outer.start().await.unwrap();
        assert_eq!(house.said(), "+x1 +y1");
        inner.any().kill();
        settle().await;
        let said = house.said();
        assert!(said.ends_with("+x2 +y2") && said.starts_with('-'), "{said}");
        assert_eq!(x.ask(Note(0)).await.unwrap(), 2);
        assert_eq!(y.ask(Note(0)).await.unwrap(), 2);
        stop(&outer).await;
    });
}

#[test]
fn a_temporary_child_is_back_when_its_supervisor_is_and_an_added_one_is_not() {
    on_seeds(|house| async move {
        let mut inner = Supervisor::new(Strategy::OneForOne).intensity(0, secs(5));
        let [x] = children(&mut inner, &house, ["x"]);
        let temporary = inner.child("t", house.spec("t").restart(Restart::Temporary));
        let mut outer = Supervisor::new(Strategy::OneForOne);
        let inner = outer.supervisor("inner", inner);
        let outer = outer.start().await.unwrap();
        inner.start_child("added", house.spec("added")).await.unwrap();
        end(&temporary, End::Normally);
        settle().await;
        assert_eq!(house.said(), "+x1 +t1 +added1 -t1");
        end(&x, End::WithError);
        settle().await;
        assert_eq!(house.said(), "-x1 -added1 +x2 +t2");
        // The one that came back is a new actor.
        assert!(temporary.tell(Note(0)).is_err());
        stop(&outer).await;
    });
}

#[test]
fn a_deep_tree_ends_from_the_leaves() {
    on_seeds(|house| async move {
        const DEPTH: usize = 30;
        let mut tree = Supervisor::new(Strategy::OneForOne);
        let [leaf] = children(&mut tree, &house, ["leaf"]);
        for _ in 0..DEPTH {
            let mut outer = Supervisor::new(Strategy::OneForOne).intensity(0, secs(5));
            outer.supervisor("inner", tree.intensity(0, secs(5)));
            tree = outer;
        }
        let root = tree.start().await.unwrap();
        let exit = observe(&root).await;
        end(&leaf, End::WithError);
        assert!(matches!(exit.await, ExitReason::Error(_)));
        assert_eq!(house.said(), "+leaf1 -leaf1");
    });
}
