//! Which siblings are restarted with a child that is, and that they are gone before.

use parcae::actor::{Restart, Strategy};
use parcae::task::settle;
use parcae::time::Instant;

use super::*;
use crate::runs::{millis, secs};

/// Starts `a`, `b` and `c`, and lets `b` fail so often.
fn after_failures(strategy: Strategy, count: usize, expected: &'static str) {
    on_seeds(move |house| async move {
        let mut supervisor = Supervisor::new(strategy).intensity(2, secs(5));
        let [_, b, _] = children(&mut supervisor, &house, ["a", "b", "c"]);
        let supervisor = supervisor.start().await.unwrap();
        house.said();
        let _exit = observe(&supervisor).await;
        for _ in 0..count {
            end(&b, End::WithPanic);
            settle().await;
        }
        assert_eq!(house.said(), expected);
        stop(&supervisor).await;
    });
}

#[test]
fn one_for_one_restarts_that_one() {
    after_failures(Strategy::OneForOne, 1, "-b1 +b2");
}

#[test]
fn one_for_all_stops_all_and_starts_all() {
    after_failures(Strategy::OneForAll, 1, "-b1 -c1 -a1 +a2 +b2 +c2");
}

#[test]
fn rest_for_one_leaves_those_before_alone() {
    after_failures(Strategy::RestForOne, 1, "-b1 -c1 +b2 +c2");
}

#[test]
fn too_many_restarts_end_each_kind_of_supervisor() {
    after_failures(Strategy::OneForOne, 3, "-b1 +b2 -b2 +b3 -b3 -c1 -a1");
    let all = "-b1 -c1 -a1 +a2 +b2 +c2 -b2 -c2 -a2 +a3 +b3 +c3 -b3 -c3 -a3";
    after_failures(Strategy::OneForAll, 3, all);
    let rest = "-b1 -c1 +b2 +c2 -b2 -c2 +b3 +c3 -b3 -c3 -a1";
    after_failures(Strategy::RestForOne, 3, rest);
}

#[test]
fn siblings_are_gone_before_a_restart_begins() {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        on_seeds(move |house| async move {
            house.stop_takes("b", millis(20));
            house.stop_takes("c", millis(30));
            let mut supervisor = Supervisor::new(strategy);
            let [a, ..] = children(&mut supervisor, &house, ["a", "b", "c"]);
            let supervisor = supervisor.start().await.unwrap();
            let begin = Instant::now();
            end(&a, End::WithError);
            assert_eq!(a.ask(Note(0)).await.unwrap(), 2);
            assert_eq!(begin.elapsed(), millis(50));
            settle().await;
            assert_eq!(house.said(), "+a1 +b1 +c1 -a1 -c1 -b1 +a2 +b2 +c2");
            stop(&supervisor).await;
        });
    }
}

#[test]
fn a_sibling_that_ends_meanwhile_is_no_restart_of_its_own() {
    on_seeds(|house| async move {
        house.stop_takes("c", millis(20));
        let mut supervisor = Supervisor::new(Strategy::OneForAll);
        let [a, b, _] = children(&mut supervisor, &house, ["a", "b", "c"]);
        let supervisor = supervisor.start().await.unwrap();
        end(&a, End::WithError);
        sleep(millis(10)).await;
        end(&b, End::WithError);
        sleep(millis(30)).await;
        // One restart is allowed.
        assert_eq!(house.said(), "+a1 +b1 +c1 -a1 -b1 -c1 +a2 +b2 +c2");
        stop(&supervisor).await;
    });
}

#[test]
fn children_that_die_together_are_restarted_together() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForAll).intensity(1, secs(5));
        let children = children(&mut supervisor, &house, ["a", "b", "c"]);
        let supervisor = supervisor.start().await.unwrap();
        for child in &children {
            child.any().kill();
        }
        settle().await;
        // Those that end while they wait to be stopped are part of the restart.
        for child in &children {
            assert_eq!(child.ask(Note(0)).await.unwrap(), 2);
        }
        stop(&supervisor).await;
    });
}

#[test]
fn one_for_all_begins_anew_when_a_sibling_does_not_start_again() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForAll).intensity(2, secs(5));
        let [a, _, _] = children(&mut supervisor, &house, ["a", "b", "c"]);
        let supervisor = supervisor.start().await.unwrap();
        house.said();
        house.refuse("b", 1);
        end(&a, End::WithError);
        settle().await;
        assert_eq!(house.said(), "-a1 -c1 -b1 +a2 +b2 -b2 -a2 +a3 +b3 +c2");
        stop(&supervisor).await;
    });
}

#[test]
fn rest_for_one_goes_on_with_the_sibling_that_does_not_start_again() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::RestForOne).intensity(2, secs(5));
        let [a, _, _] = children(&mut supervisor, &house, ["a", "b", "c"]);
        let supervisor = supervisor.start().await.unwrap();
        house.said();
        house.refuse("b", 1);
        end(&a, End::WithError);
        settle().await;
        assert_eq!(house.said(), "-a1 -c1 -b1 +a2 +b2 -b2 +b3 +c2");
        stop(&supervisor).await;
    });
}

#[test]
fn temporary_siblings_are_stopped_and_do_not_come_back() {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        on_seeds(move |house| async move {
            let mut supervisor = Supervisor::new(strategy);
            let [a] = children(&mut supervisor, &house, ["a"]);
            supervisor.child("t", house.spec("t").restart(Restart::Temporary));
            children(&mut supervisor, &house, ["c"]);
            let supervisor = supervisor.start().await.unwrap();
            house.said();
            end(&a, End::WithError);
            settle().await;
            assert_eq!(house.said(), "-a1 -c1 -t1 +a2 +c2");
            assert_eq!(supervisor.count_children().await.unwrap().specs, 2);
            stop(&supervisor).await;
        });
    }
}

#[test]
fn a_temporary_child_that_ends_takes_no_sibling_with_it() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        on_seeds(move |house| async move {
            let mut supervisor = Supervisor::new(strategy);
            let spec = house.spec("t").restart(Restart::Temporary);
            let temporary = supervisor.child("t", spec);
            children(&mut supervisor, &house, ["b"]);
            let supervisor = supervisor.start().await.unwrap();
            end(&temporary, End::WithError);
            settle().await;
            assert_eq!(house.said(), "+t1 +b1 -t1");
            stop(&supervisor).await;
        });
    }
}

#[test]
fn a_child_that_is_down_comes_back_with_its_siblings() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForAll);
        let done = supervisor.child("done", house.spec("done").restart(Restart::Transient));
        let [a] = children(&mut supervisor, &house, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        end(&done, End::Normally);
        settle().await;
        assert_eq!(house.said(), "+done1 +a1 -done1");
        end(&a, End::WithError);
        settle().await;
        assert_eq!(house.said(), "-a1 +done2 +a2");
        stop(&supervisor).await;
    });
}

#[test]
fn one_for_one_restarts_a_child_while_another_takes_long_to_start() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(2, secs(5));
        let [a, b] = children(&mut supervisor, &house, ["a", "b"]);
        let supervisor = supervisor.start().await.unwrap();
        house.start_takes("a", secs(60));
        end(&a, End::WithError);
        settle().await;
        end(&b, End::WithError);
        let begin = Instant::now();
        assert_eq!(b.ask(Note(0)).await.unwrap(), 2);
        assert_eq!(begin.elapsed(), Duration::ZERO);
        stop(&supervisor).await;
    });
}
