//! How a supervisor and its children start.

use std::cell::Cell;

use parcae::actor::{ChildError, ChildStatus, Restart, SpecError, Strategy, SupervisorError};
use parcae::spawn;
use parcae::task::settle;
use parcae::time::{Instant, timeout};

use super::*;
use crate::runs::{millis, secs};

#[test]
fn children_start_in_order_each_after_the_one_before() {
    on_seeds(|house| async move {
        house.start_takes("a", millis(30));
        house.start_takes("b", millis(10));
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        children(&mut supervisor, &house, ["a", "b", "c"]);
        let begin = Instant::now();
        let supervisor = supervisor.start().await.unwrap();
        assert_eq!(house.said(), "+a1 +b1 +c1");
        assert_eq!(begin.elapsed(), millis(40));
        assert_eq!(stop(&supervisor).await, ExitReason::Shutdown);
        assert_eq!(house.said(), "-c1 -b1 -a1");
    });
}

#[test]
fn a_supervisor_without_children_starts_and_stops() {
    on_seeds(|_| async {
        let supervisor = Supervisor::new(Strategy::OneForAll).start().await.unwrap();
        assert_eq!(supervisor.count_children().await.unwrap().specs, 0);
        assert_eq!(stop(&supervisor).await, ExitReason::Shutdown);
    });
}

#[test]
fn when_a_child_does_not_start_those_before_it_are_stopped_in_reverse() {
    on_seeds(|house| async move {
        house.refuse("c", 1);
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        children(&mut supervisor, &house, ["a", "b", "c", "d"]);
        match supervisor.start().await {
            Err(SupervisorError::Child { name, reason }) => {
                assert_eq!(name, "c");
                assert!(
                    matches!(reason, ExitReason::StartFailed(crash) if crash.text() == "refused")
                );
            }
            other => panic!("it starts: {other:?}"),
        }
        assert_eq!(house.said(), "+a1 +b1 +c1 -c1 -b1 -a1");
    });
}

#[test]
fn what_is_told_before_the_start_waits_for_it() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let [child] = children(&mut supervisor, &house, ["a"]);
        child.tell(Note(7)).unwrap();
        let supervisor = supervisor.start().await.unwrap();
        assert_eq!(child.ask(Note(8)).await.unwrap(), 1);
        assert_eq!(house.handled(), "a1:7 a1:8");
        stop(&supervisor).await;
    });
}

#[test]
fn a_child_that_is_not_needed_is_passed_over() {
    on_seeds(|house| async move {
        let is_needed = Rc::new(Cell::new(false));
        let spec = |restart| {
            let (house, is_needed) = (house.clone(), is_needed.clone());
            ChildSpec::<Child>::maybe(move || is_needed.get().then(|| (house.clone(), "b")))
                .restart(restart)
        };
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        supervisor.child("a", house.spec("a"));
        supervisor.child("b", spec(Restart::Permanent));
        supervisor.child("t", spec(Restart::Temporary));
        supervisor.child("c", house.spec("c"));
        let supervisor = supervisor.start().await.unwrap();
        assert_eq!(house.said(), "+a1 +c1");
        // A temporary one is forgotten, another one stays and may be started by hand.
        let children = supervisor.which_children().await.unwrap();
        let names: Vec<_> = children.iter().map(|info| (&*info.name, info.status)).collect();
        let running = ChildStatus::Running;
        assert_eq!(names, [("a", running), ("b", ChildStatus::Down), ("c", running)]);
        let refused = supervisor.restart_child("b").await;
        assert!(matches!(refused, Err(ChildError::NotNeeded)));
        is_needed.set(true);
        supervisor.restart_child("b").await.unwrap();
        assert_eq!(house.said(), "+b1");
        stop(&supervisor).await;
    });
}

#[test]
fn a_specification_that_makes_no_sense_starts_nothing() {
    on_seeds(|house| async move {
        let spec_error = async |supervisor: Supervisor| match supervisor.start().await {
            Err(SupervisorError::Spec(error)) => error,
            other => panic!("{other:?}"),
        };
        let mut twice = Supervisor::new(Strategy::OneForOne);
        children(&mut twice, &house, ["a", "a"]);
        assert_eq!(spec_error(twice).await, SpecError::NameTaken { name: "a".to_owned() });

        let mut permanent = Supervisor::new(Strategy::OneForOne);
        permanent.child("a", house.spec("a").significant(true));
        let expected = SpecError::SignificantPermanent { name: "a".to_owned() };
        assert_eq!(spec_error(permanent).await, expected);

        let mut vain = Supervisor::new(Strategy::OneForOne);
        vain.child("a", house.spec("a").restart(Restart::Transient).significant(true));
        let expected = SpecError::SignificantInVain { name: "a".to_owned() };
        assert_eq!(spec_error(vain).await, expected);

        let mut nested = Supervisor::new(Strategy::OneForOne);
        children(&mut nested, &house, ["b", "b"]);
        let mut outer = Supervisor::new(Strategy::OneForOne);
        outer.supervisor("nested", nested);
        assert_eq!(spec_error(outer).await, SpecError::NameTaken { name: "b".to_owned() });
        assert_eq!(house.said(), "");
    });
}

#[test]
fn a_stop_is_heard_while_a_child_starts() {
    on_seeds(|house| async move {
        house.start_takes("b", secs(3600));
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        children(&mut supervisor, &house, ["a", "b"]);
        let mut outer = Supervisor::new(Strategy::OneForOne);
        let nested = outer.supervisor("nested", supervisor);
        let start = spawn(outer.start());
        settle().await;
        assert_eq!(house.said(), "+a1 +b1");
        let begin = Instant::now();
        nested.any().stop(ExitReason::Shutdown);
        // One that ends while it is started has not started.
        assert!(
            matches!(start.await, Err(SupervisorError::Child { name, .. }) if name == "nested")
        );
        assert_eq!(begin.elapsed(), Duration::ZERO);
        assert_eq!(house.said(), "-b1 -a1");
    });
}

#[test]
fn a_start_that_is_dropped_stops_what_it_has_started() {
    on_seeds(|house| async move {
        house.start_takes("b", secs(3600));
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        children(&mut supervisor, &house, ["a", "b"]);
        assert!(timeout(secs(1), supervisor.start()).await.is_err());
        settle().await;
        assert_eq!(house.said(), "+a1 +b1 -b1 -a1");
    });
}

#[test]
fn arguments_that_cannot_be_made_are_a_start_that_failed() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        children(&mut supervisor, &house, ["a"]);
        supervisor.child("b", ChildSpec::<Child>::new(|| panic!("no arguments")));
        match supervisor.start().await {
            Err(SupervisorError::Child { name, reason: ExitReason::Panicked { message, .. } }) => {
                assert_eq!((&*name, &*message), ("b", "no arguments"));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(house.said(), "+a1 -a1");
    });
}
