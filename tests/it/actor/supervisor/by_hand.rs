//! Children that are added, stopped, started and forgotten by hand, and what a supervisor says of them.

use parcae::actor::{ChildError, ChildKind, ChildStatus, Restart, SpecError, Strategy};
use parcae::spawn;
use parcae::task::settle;

use super::*;
use crate::runs::{millis, secs};

#[test]
fn a_child_is_added_stopped_started_and_forgotten() {
    on_seeds(|house| async move {
        let supervisor = Supervisor::new(Strategy::OneForOne).start().await.unwrap();
        let child = supervisor.start_child("a", house.spec("a")).await.unwrap();
        assert!(matches!(supervisor.restart_child("a").await, Err(ChildError::Running)));
        assert!(matches!(supervisor.delete_child("a").await, Err(ChildError::Running)));
        supervisor.terminate_child("a").await.unwrap();
        supervisor.terminate_child("a").await.unwrap();
        assert_eq!(house.said(), "+a1 -a1");
        supervisor.restart_child("a").await.unwrap();
        assert_eq!(child.ask(Note(0)).await.unwrap(), 2);
        supervisor.terminate_child("a").await.unwrap();
        supervisor.delete_child("a").await.unwrap();
        assert!(matches!(supervisor.restart_child("a").await, Err(ChildError::Unknown)));
        assert!(matches!(supervisor.delete_child("a").await, Err(ChildError::Unknown)));
        assert!(matches!(supervisor.terminate_child("a").await, Err(ChildError::Unknown)));
        assert!(child.tell(Note(0)).is_err());
        stop(&supervisor).await;
    });
}

#[test]
fn what_was_added_last_is_stopped_first() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        children(&mut supervisor, &house, ["a", "b"]);
        let supervisor = supervisor.start().await.unwrap();
        supervisor.start_child("c", house.spec("c")).await.unwrap();
        stop(&supervisor).await;
        assert_eq!(house.said(), "+a1 +b1 +c1 -c1 -b1 -a1");
    });
}

#[test]
fn a_name_is_taken_while_the_child_is_known() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        children(&mut supervisor, &house, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        supervisor.terminate_child("a").await.unwrap();
        let taken = supervisor.start_child("a", house.spec("a")).await;
        let Err(ChildError::Spec(SpecError::NameTaken { name })) = taken else { panic!() };
        assert_eq!(name, "a");
        supervisor.delete_child("a").await.unwrap();
        supervisor.start_child("a", house.spec("a")).await.unwrap();
        stop(&supervisor).await;
    });
}

#[test]
fn an_added_child_that_does_not_start_is_forgotten_and_no_restart() {
    on_seeds(|house| async move {
        let supervisor = Supervisor::new(Strategy::OneForOne).intensity(0, secs(5));
        let supervisor = supervisor.start().await.unwrap();
        house.refuse("a", 1);
        match supervisor.start_child("a", house.spec("a")).await {
            Err(ChildError::Start(ExitReason::StartFailed(crash))) => {
                assert_eq!(crash.text(), "refused");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(supervisor.count_children().await.unwrap().specs, 0);
        supervisor.start_child("a", house.spec("a")).await.unwrap();
        stop(&supervisor).await;
    });
}

#[test]
fn a_child_that_does_not_start_by_hand_stays_down() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(0, secs(5));
        children(&mut supervisor, &house, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        supervisor.terminate_child("a").await.unwrap();
        house.refuse("a", 1);
        let failed = supervisor.restart_child("a").await;
        assert!(matches!(failed, Err(ChildError::Start(_))));
        settle().await;
        assert_eq!(supervisor.which_children().await.unwrap()[0].status, ChildStatus::Down);
        supervisor.restart_child("a").await.unwrap();
        assert_eq!(house.said(), "+a1 -a1 +a2 -a2 +a3");
        stop(&supervisor).await;
    });
}

#[test]
fn the_specification_of_a_temporary_child_is_not_kept() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        supervisor.child("a", house.spec("a").restart(Restart::Temporary));
        let supervisor = supervisor.start().await.unwrap();
        supervisor.terminate_child("a").await.unwrap();
        assert!(matches!(supervisor.restart_child("a").await, Err(ChildError::Unknown)));
        assert_eq!(supervisor.count_children().await.unwrap().specs, 0);
        let spec = house.spec("b").restart(Restart::Temporary);
        let child = supervisor.start_child("b", spec).await.unwrap();
        end(&child, End::Normally);
        settle().await;
        assert_eq!(supervisor.count_children().await.unwrap().specs, 0);
        stop(&supervisor).await;
    });
}

#[test]
fn a_child_stopped_by_hand_is_no_restart_and_takes_nobody_with_it() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForAll).intensity(0, secs(5));
        children(&mut supervisor, &house, ["a", "b"]);
        let supervisor = supervisor.start().await.unwrap();
        supervisor.terminate_child("a").await.unwrap();
        settle().await;
        assert_eq!(house.said(), "+a1 +b1 -a1");
        stop(&supervisor).await;
    });
}

#[test]
fn a_child_that_waits_for_its_restart_can_be_stopped_by_hand() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let spec = house.spec("a").backoff(parcae::retry::Backoff::constant(secs(60)));
        let child = supervisor.child("a", spec);
        let supervisor = supervisor.start().await.unwrap();
        end(&child, End::WithError);
        settle().await;
        let counts = supervisor.count_children().await.unwrap();
        assert_eq!((counts.specs, counts.active, counts.restarting), (1, 0, 1));
        assert!(matches!(supervisor.restart_child("a").await, Err(ChildError::Restarting)));
        assert!(matches!(supervisor.delete_child("a").await, Err(ChildError::Restarting)));
        supervisor.terminate_child("a").await.unwrap();
        supervisor.delete_child("a").await.unwrap();
        sleep(secs(100)).await;
        assert_eq!(house.said(), "+a1 -a1");
        stop(&supervisor).await;
    });
}

#[test]
fn counts_follow_the_children() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        children(&mut supervisor, &house, ["a", "b"]);
        supervisor.supervisor("nested", Supervisor::new(Strategy::OneForOne));
        let supervisor = supervisor.start().await.unwrap();
        let counts = async || {
            let counts = supervisor.count_children().await.unwrap();
            (counts.specs, counts.active, counts.supervisors, counts.workers)
        };
        assert_eq!(counts().await, (3, 3, 1, 2));
        supervisor.terminate_child("a").await.unwrap();
        assert_eq!(counts().await, (3, 2, 1, 2));
        supervisor.restart_child("a").await.unwrap();
        assert_eq!(counts().await, (3, 3, 1, 2));
        supervisor.terminate_child("a").await.unwrap();
        supervisor.delete_child("a").await.unwrap();
        assert_eq!(counts().await, (2, 2, 1, 1));
        supervisor.terminate_child("nested").await.unwrap();
        assert_eq!(counts().await, (2, 1, 1, 1));
        stop(&supervisor).await;
    });
}

#[test]
fn the_children_are_told_in_the_order_of_their_starts() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let [a, _] = children(&mut supervisor, &house, ["a", "b"]);
        let supervisor = supervisor.start().await.unwrap();
        supervisor.start_child("c", house.spec("c")).await.unwrap();
        let infos = supervisor.which_children().await.unwrap();
        let names: Vec<_> = infos.iter().map(|info| &*info.name).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(infos[0].kind, ChildKind::Worker);
        assert_eq!(infos[0].reference.id(), a.any().id());
        stop(&supervisor).await;
    });
}

#[test]
fn questions_are_answered_while_a_child_starts_and_while_one_stops() {
    on_seeds(|house| async move {
        house.stop_takes("a", millis(50));
        house.start_takes("b", millis(50));
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        children(&mut supervisor, &house, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        let starting = spawn({
            let (supervisor, spec) = (supervisor.clone(), house.spec("b"));
            async move { supervisor.start_child("b", spec).await.map(drop) }
        });
        let stopping = spawn({
            let supervisor = supervisor.clone();
            async move { supervisor.terminate_child("a").await }
        });
        sleep(millis(10)).await;
        let infos = supervisor.which_children().await.unwrap();
        let statuses: Vec<_> = infos.iter().map(|info| info.status).collect();
        assert_eq!(statuses, [ChildStatus::Stopping, ChildStatus::Starting]);
        starting.await.unwrap();
        stopping.await.unwrap();
        stop(&supervisor).await;
    });
}

#[test]
fn whoever_waits_for_a_start_learns_that_the_supervisor_ends() {
    on_seeds(|house| async move {
        house.start_takes("a", secs(3600));
        let supervisor = Supervisor::new(Strategy::OneForOne).start().await.unwrap();
        let starting = spawn({
            let (supervisor, spec) = (supervisor.clone(), house.spec("a"));
            async move { supervisor.start_child("a", spec).await.map(drop) }
        });
        settle().await;
        stop(&supervisor).await;
        assert!(matches!(starting.await, Err(ChildError::Stopped)));
        assert_eq!(house.said(), "+a1 -a1");
    });
}
