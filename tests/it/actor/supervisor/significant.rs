//! Supervisors that end with their children.

use parcae::actor::{AutoShutdown, Restart, Strategy};
use parcae::task::settle;

use super::*;
use crate::runs::secs;

fn significant(house: &House, name: &'static str, restart: Restart) -> ChildSpec<Child> {
    house.spec(name).restart(restart).significant(true)
}

#[test]
fn an_insignificant_child_ends_nobody() {
    on_seeds(|house| async move {
        let supervisor = Supervisor::new(Strategy::OneForOne);
        let mut supervisor = supervisor.auto_shutdown(AutoShutdown::Any);
        let temporary = supervisor.child("t", house.spec("t").restart(Restart::Temporary));
        children(&mut supervisor, &house, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        end(&temporary, End::WithError);
        settle().await;
        assert_eq!(house.said(), "+t1 +a1 -t1");
        stop(&supervisor).await;
    });
}

#[test]
fn a_significant_temporary_child_that_ends_in_any_way_ends_the_supervisor() {
    for how in [End::Normally, End::ShutDown, End::WithError, End::WithPanic] {
        on_seeds(move |house| async move {
            let supervisor = Supervisor::new(Strategy::OneForOne);
            let mut supervisor = supervisor.auto_shutdown(AutoShutdown::Any);
            children(&mut supervisor, &house, ["a"]);
            let child = supervisor.child("t", significant(&house, "t", Restart::Temporary));
            children(&mut supervisor, &house, ["b"]);
            let supervisor = supervisor.start().await.unwrap();
            end(&child, how);
            assert_eq!(supervisor.any().exited().await, ExitReason::Shutdown);
            assert_eq!(house.said(), "+a1 +t1 +b1 -t1 -b1 -a1");
        });
    }
}

#[test]
fn a_significant_transient_child_ends_the_supervisor_when_it_is_done() {
    for (how, is_over) in [(End::Normally, true), (End::ShutDown, true), (End::WithError, false)] {
        on_seeds(move |house| async move {
            let supervisor = Supervisor::new(Strategy::OneForOne);
            let mut supervisor = supervisor.auto_shutdown(AutoShutdown::Any);
            let child = supervisor.child("t", significant(&house, "t", Restart::Transient));
            children(&mut supervisor, &house, ["b"]);
            let supervisor = supervisor.start().await.unwrap();
            end(&child, how);
            settle().await;
            let expected = if is_over { "+t1 +b1 -t1 -b1" } else { "+t1 +b1 -t1 +t2" };
            assert_eq!(house.said(), expected, "{how:?}");
            if !is_over {
                stop(&supervisor).await;
            }
        });
    }
}

#[test]
fn the_last_significant_child_that_ends_ends_the_supervisor() {
    on_seeds(|house| async move {
        let supervisor = Supervisor::new(Strategy::OneForOne);
        let mut supervisor = supervisor.auto_shutdown(AutoShutdown::All);
        let x = supervisor.child("x", significant(&house, "x", Restart::Transient));
        let y = supervisor.child("y", significant(&house, "y", Restart::Temporary));
        children(&mut supervisor, &house, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        end(&x, End::Normally);
        settle().await;
        assert_eq!(house.said(), "+x1 +y1 +a1 -x1");
        end(&y, End::WithError);
        assert_eq!(supervisor.any().exited().await, ExitReason::Shutdown);
        assert_eq!(house.said(), "-y1 -a1");
    });
}

#[test]
fn a_significant_child_that_was_stopped_by_hand_or_with_a_sibling_ends_nobody() {
    on_seeds(|house| async move {
        let supervisor = Supervisor::new(Strategy::OneForAll);
        let mut supervisor = supervisor.auto_shutdown(AutoShutdown::Any);
        let [a] = children(&mut supervisor, &house, ["a"]);
        supervisor.child("x", significant(&house, "x", Restart::Transient));
        supervisor.child("y", significant(&house, "y", Restart::Temporary));
        let supervisor = supervisor.start().await.unwrap();
        supervisor.terminate_child("x").await.unwrap();
        assert_eq!(house.said(), "+a1 +x1 +y1 -x1");
        end(&a, End::WithError);
        settle().await;
        assert_eq!(house.said(), "-a1 -y1 +a2 +x2");
        stop(&supervisor).await;
    });
}

#[test]
fn the_end_of_a_significant_supervisor_goes_up_the_tree() {
    on_seeds(|house| async move {
        let inner = Supervisor::new(Strategy::OneForOne).restart(Restart::Temporary);
        let mut inner = inner.auto_shutdown(AutoShutdown::Any).significant(true);
        let child = inner.child("x", significant(&house, "x", Restart::Transient));
        let outer = Supervisor::new(Strategy::OneForOne);
        let mut outer = outer.auto_shutdown(AutoShutdown::Any);
        children(&mut outer, &house, ["a"]);
        outer.supervisor("inner", inner);
        let outer = outer.start().await.unwrap();
        end(&child, End::Normally);
        assert_eq!(outer.any().exited().await, ExitReason::Shutdown);
        assert_eq!(house.said(), "+a1 +x1 -x1 -a1");
    });
}

#[test]
fn a_significant_child_that_fails_too_often_is_an_escalation() {
    on_seeds(|house| async move {
        let supervisor = Supervisor::new(Strategy::OneForOne).intensity(1, secs(5));
        let mut supervisor = supervisor.auto_shutdown(AutoShutdown::Any);
        let x = supervisor.child("x", significant(&house, "x", Restart::Transient));
        let supervisor = supervisor.start().await.unwrap();
        end(&x, End::WithError);
        settle().await;
        let exit = observe(&supervisor).await;
        end(&x, End::WithError);
        assert!(matches!(exit.await, ExitReason::Error(_)));
        assert_eq!(house.said(), "+x1 -x1 +x2 -x2");
    });
}
