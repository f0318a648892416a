//! How children start, and how they are added and taken away by hand.

use std::time::Duration;

use parcae::actor::{
    ChildError, DynamicSupervisor, Restart, Strategy, Supervisor, SupervisorError,
};
use parcae::task::settle;

use super::{End, House, Which, stop};
use crate::clock::{HOUR, Stopwatch, beats};

conformance! {
    async fn children_start_in_order_each_after_the_one_before() {
        let house = House::new();
        house.start_takes("a", beats(3));
        house.start_takes("b", beats(1));
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        house.fill(&mut supervisor, ["a", "b", "c"]);
        let watch = Stopwatch::start();
        let supervisor = supervisor.start().await.unwrap();
        watch.took(beats(4));
        assert_eq!(house.said(), "+a1 +b1 +c1");
        stop(&supervisor).await;
        assert_eq!(house.said(), ".c1 -c1 .b1 -b1 .a1 -a1");
    }

    async fn when_a_child_does_not_start_those_before_it_are_stopped_in_reverse() {
        let house = House::new();
        house.refuse("c", 1);
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        house.fill(&mut supervisor, ["a", "b", "c", "d"]);
        match supervisor.start().await {
            Err(SupervisorError::Child { name, .. }) => assert_eq!(name, "c"),
            other => panic!("{other:?}"),
        }
        assert_eq!(house.said(), "+a1 +b1 +c1 -c1 .b1 -b1 .a1 -a1");
    }

    async fn a_start_that_is_dropped_stops_what_it_has_started() {
        let house = House::new();
        house.start_takes("b", HOUR);
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        house.fill(&mut supervisor, ["a", "b"]);
        let start = parcae::spawn(supervisor.start());
        settle().await;
        assert_eq!(house.said(), "+a1 +b1");
        let watch = Stopwatch::start();
        drop(start);
        settle().await;
        watch.took(Duration::ZERO);
        assert_eq!(house.came_and_went(), "-b1 -a1");
    }

    async fn a_child_is_added_stopped_started_and_forgotten() {
        let house = House::new();
        let supervisor = Supervisor::new(Strategy::OneForOne).start().await.unwrap();
        let child = supervisor.start_child("a", house.spec("a")).await.unwrap();
        assert!(matches!(supervisor.delete_child("a").await, Err(ChildError::Running)));
        supervisor.terminate_child("a").await.unwrap();
        assert_eq!(house.said(), "+a1 .a1 -a1");
        assert!(child.tell(Which).is_err());
        supervisor.restart_child("a").await.unwrap();
        assert_eq!(child.ask(Which).await, Ok(2));
        supervisor.terminate_child("a").await.unwrap();
        supervisor.delete_child("a").await.unwrap();
        assert!(matches!(supervisor.restart_child("a").await, Err(ChildError::Unknown)));
        assert_eq!(supervisor.count_children().await.unwrap().specs, 0);
        stop(&supervisor).await;
    }

    async fn of_a_dynamic_supervisor_each_child_is_restarted_alone() {
        let house = House::new();
        let supervisor = DynamicSupervisor::new(Restart::Permanent, 2).start().await.unwrap();
        let mut children = Vec::new();
        for name in ["a", "b"] {
            let house = house.clone();
            children.push(supervisor.start_child(move || (house.clone(), name)).await.unwrap());
        }
        let refused = supervisor.start_child(|| unreachable!("there is no place")).await;
        assert!(matches!(refused, Err(ChildError::TooMany { limit: 2 })));
        End::WithPanic.tell(&children[0]);
        settle().await;
        assert_eq!(house.came_and_went(), "+a1 +b1 -a1 +a2");
        assert_eq!(children[0].ask(Which).await, Ok(2));
        assert_eq!(children[1].ask(Which).await, Ok(1));
        supervisor.any().kill();
        supervisor.any().exited().await;
    }
}
