//! Supervisors of many children of one kind.

use parcae::actor::{
    AutoShutdown, ChildError, DynamicRef, DynamicSupervisor, Restart, Shutdown, Strategy,
};
use parcae::task::settle;
use parcae::time::Instant;

use super::*;
use crate::runs::{millis, secs};

async fn add(
    supervisor: &DynamicRef<Child>,
    house: &House,
    name: &'static str,
) -> Result<ActorRef<Child>, ChildError> {
    let house = house.clone();
    supervisor.start_child(move || (house.clone(), name)).await
}

async fn stop(supervisor: &DynamicRef<Child>) -> ExitReason {
    supervisor.any().stop(ExitReason::Shutdown);
    supervisor.any().exited().await
}

#[test]
fn each_child_is_restarted_alone() {
    on_seeds(|house| async move {
        let supervisor = DynamicSupervisor::new(Restart::Permanent, 10).start().await.unwrap();
        let a = add(&supervisor, &house, "a").await.unwrap();
        let b = add(&supervisor, &house, "b").await.unwrap();
        end(&a, End::WithPanic);
        settle().await;
        assert_eq!(house.said(), "+a1 +b1 -a1 +a2");
        assert_eq!(a.ask(Note(0)).await.unwrap(), 2);
        assert_eq!(b.ask(Note(0)).await.unwrap(), 1);
        stop(&supervisor).await;
    });
}

#[test]
fn too_many_restarts_of_all_together_end_it() {
    on_seeds(|house| async move {
        let supervisor = DynamicSupervisor::new(Restart::Permanent, 10).intensity(1, secs(5));
        let supervisor = supervisor.start().await.unwrap();
        let a = add(&supervisor, &house, "a").await.unwrap();
        let b = add(&supervisor, &house, "b").await.unwrap();
        end(&a, End::WithError);
        settle().await;
        let exit = observe_any(supervisor.any()).await;
        end(&b, End::WithError);
        assert!(matches!(exit.await, ExitReason::Error(_)));
        assert_eq!(house.said(), "+a1 +b1 -a1 +a2 -b1 -a2");
    });
}

#[test]
fn all_are_stopped_at_once_each_with_its_time() {
    on_seeds(|house| async move {
        house.stop_takes("a", millis(10));
        house.stop_takes("b", millis(30));
        house.stop_takes("c", secs(3600));
        let supervisor = DynamicSupervisor::new(Restart::Temporary, 10);
        let supervisor = supervisor.shutdown(Shutdown::Timeout(millis(50))).start().await.unwrap();
        for name in ["a", "b", "c"] {
            add(&supervisor, &house, name).await.unwrap();
        }
        let begin = Instant::now();
        assert_eq!(stop(&supervisor).await, ExitReason::Shutdown);
        assert_eq!(begin.elapsed(), millis(50));
        assert_eq!(house.said(), "+a1 +b1 +c1 -a1 -b1 -c1");
        assert_eq!((house.farewells("b"), house.farewells("c")), (1, 0));
    });
}

#[test]
fn a_child_that_ended_with_an_error_while_all_are_stopped_changes_nothing() {
    on_seeds(|house| async move {
        house.stop_takes("b", millis(30));
        let supervisor = DynamicSupervisor::new(Restart::Permanent, 10).start().await.unwrap();
        let a = add(&supervisor, &house, "a").await.unwrap();
        add(&supervisor, &house, "b").await.unwrap();
        a.tell(Work(millis(10))).unwrap();
        a.tell(End::WithPanic).unwrap();
        sleep(millis(10)).await;
        assert_eq!(stop(&supervisor).await, ExitReason::Shutdown);
    });
}

#[test]
fn there_is_a_limit_to_children() {
    on_seeds(|house| async move {
        let supervisor = DynamicSupervisor::new(Restart::Temporary, 2).start().await.unwrap();
        let a = add(&supervisor, &house, "a").await.unwrap();
        add(&supervisor, &house, "b").await.unwrap();
        let refused = add(&supervisor, &house, "c").await;
        assert!(matches!(refused, Err(ChildError::TooMany { limit: 2 })));
        end(&a, End::Normally);
        settle().await;
        add(&supervisor, &house, "c").await.unwrap();
        assert_eq!(house.said(), "+a1 +b1 -a1 +c1");
        stop(&supervisor).await;
    });
}

#[test]
fn a_temporary_child_leaves_nothing_behind() {
    on_seeds(|house| async move {
        let supervisor = DynamicSupervisor::new(Restart::Temporary, 10).start().await.unwrap();
        let a = add(&supervisor, &house, "a").await.unwrap();
        let b = add(&supervisor, &house, "b").await.unwrap();
        end(&a, End::WithError);
        supervisor.terminate_child(&b).await.unwrap();
        settle().await;
        assert_eq!(supervisor.count_children().await.unwrap().specs, 0);
        let unknown = supervisor.terminate_child(&b).await;
        assert!(matches!(unknown, Err(ChildError::Unknown)));
        stop(&supervisor).await;
    });
}

#[test]
fn a_child_that_does_not_start_is_told_to_whoever_asked() {
    on_seeds(|house| async move {
        let supervisor = DynamicSupervisor::new(Restart::Permanent, 10).intensity(0, secs(5));
        let supervisor = supervisor.start().await.unwrap();
        house.refuse("a", 1);
        let refused = add(&supervisor, &house, "a").await;
        assert!(matches!(refused, Err(ChildError::Start(ExitReason::StartFailed(_)))));
        assert_eq!(supervisor.count_children().await.unwrap().specs, 0);
        stop(&supervisor).await;
    });
}

#[test]
fn its_children_may_all_be_significant() {
    on_seeds(|house| async move {
        let supervisor = DynamicSupervisor::new(Restart::Temporary, 10);
        let supervisor = supervisor.auto_shutdown(AutoShutdown::All).start().await.unwrap();
        let a = add(&supervisor, &house, "a").await.unwrap();
        let b = add(&supervisor, &house, "b").await.unwrap();
        end(&a, End::WithError);
        settle().await;
        assert_eq!(supervisor.count_children().await.unwrap().active, 1);
        end(&b, End::Normally);
        assert_eq!(supervisor.any().exited().await, ExitReason::Shutdown);
    });
}

#[test]
fn it_can_be_a_child() {
    on_seeds(|house| async move {
        let mut outer = Supervisor::new(Strategy::RestForOne);
        let [a] = children(&mut outer, &house, ["a"]);
        let dynamic = outer.dynamic("conns", DynamicSupervisor::new(Restart::Temporary, 10));
        let outer = outer.start().await.unwrap();
        add(&dynamic, &house, "x").await.unwrap();
        add(&dynamic, &house, "y").await.unwrap();
        end(&a, End::WithError);
        settle().await;
        let said = house.said();
        assert!(said.starts_with("+a1 +x1 +y1 -a1 -") && said.ends_with("+a2"), "{said}");
        // It is back, its children are not.
        assert_eq!(dynamic.count_children().await.unwrap().specs, 0);
        add(&dynamic, &house, "z").await.unwrap();
        super::stop(&outer).await;
        assert_eq!(house.said(), "+z1 -z1 -a2");
    });
}

#[test]
fn many_children_start_and_stop() {
    let outcome = fifo(|| async {
        const COUNT: usize = 2_000;
        let house = House::default();
        let supervisor = DynamicSupervisor::new(Restart::Temporary, COUNT).start().await.unwrap();
        let mut references = Vec::new();
        for _ in 0..COUNT {
            references.push(add(&supervisor, &house, "a").await.unwrap());
        }
        assert_eq!(supervisor.count_children().await.unwrap().active, COUNT);
        for reference in references.iter().take(COUNT / 2) {
            supervisor.terminate_child(reference).await.unwrap();
        }
        assert_eq!(supervisor.count_children().await.unwrap().active, COUNT / 2);
        stop(&supervisor).await;
        house.farewells("a")
    });
    assert_eq!(outcome.unwrap(), 2_000);
}
