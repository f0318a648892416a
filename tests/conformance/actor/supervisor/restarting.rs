//! Which children are started again, with whom, and how often.

use std::time::Duration;

use parcae::actor::{ExitReason, OnRestart, Restart, Strategy, Supervisor};
use parcae::retry::{Backoff, Jitter};
use parcae::task::settle;
use parcae::time::sleep;

use super::{End, House, Which, Work, observe, stop};
use crate::clock::{HOUR, Stopwatch, beats};

/// Ends a child of this kind in each way, and checks when it is restarted.
async fn expect_restart(restart: Restart, is_restarted: fn(End) -> bool) {
    for how in End::ALL {
        let house = House::new();
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let child = supervisor.child("a", house.spec("a").restart(restart));
        let supervisor = supervisor.start().await.unwrap();
        how.tell(&child);
        settle().await;
        let expected = if is_restarted(how) { "+a1 -a1 +a2" } else { "+a1 -a1" };
        assert_eq!(house.came_and_went(), expected, "{restart:?} {how:?}");
        // A temporary child is forgotten, a transient one may be started by hand.
        let specs = supervisor.count_children().await.unwrap().specs;
        assert_eq!(specs, usize::from(restart != Restart::Temporary));
        stop(&supervisor).await;
    }
}

/// Lets `b` of three children fail so often, with two restarts in an hour.
async fn expect_after_failures(strategy: Strategy, count: usize, expected: &str) {
    let house = House::new();
    let mut supervisor = Supervisor::new(strategy).intensity(2, HOUR);
    let [_, b, _] = house.fill(&mut supervisor, ["a", "b", "c"]);
    let supervisor = supervisor.start().await.unwrap();
    assert_eq!(house.said(), "+a1 +b1 +c1");
    let exit = observe(supervisor.any()).await;
    for _ in 0..count {
        End::WithPanic.tell(&b);
        settle().await;
    }
    assert_eq!(house.came_and_went(), expected, "{strategy:?}");
    supervisor.any().stop(ExitReason::Shutdown);
    assert_eq!(exit.await.is_failure(), count > 2);
}

conformance! {
    async fn a_permanent_child_is_restarted_however_it_ends() {
        expect_restart(Restart::Permanent, |_| true).await;
    }

    async fn a_transient_child_is_restarted_when_it_fails() {
        expect_restart(Restart::Transient, End::is_failure).await;
    }

    async fn a_temporary_child_is_never_restarted() {
        expect_restart(Restart::Temporary, |_| false).await;
    }

    async fn a_reference_reaches_the_present_incarnation() {
        let house = House::new();
        let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(9, HOUR);
        let [child] = house.fill(&mut supervisor, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        for incarnation in 1..=4 {
            assert_eq!(child.ask(Which).await, Ok(incarnation));
            if incarnation % 2 == 0 {
                child.any().kill();
                settle().await;
            } else {
                End::WithPanic.tell(&child);
            }
        }
        assert_eq!(child.ask(Which).await, Ok(5));
        assert_eq!(supervisor.which_children().await.unwrap()[0].restarts, 4);
        stop(&supervisor).await;
    }

    async fn what_waits_is_for_the_next_incarnation_unless_the_mailbox_is_dropped() {
        for (on_restart, answer) in
            [(OnRestart::KeepMailbox, Some(2)), (OnRestart::DropMailbox, None)]
        {
            let house = House::new();
            let mut supervisor = Supervisor::new(Strategy::OneForOne);
            let child = supervisor.child("a", house.spec("a").on_restart(on_restart));
            let supervisor = supervisor.start().await.unwrap();
            // It fails when the question waits.
            child.tell(Work(beats(1))).unwrap();
            End::WithError.tell(&child);
            assert_eq!(child.ask(Which).await.ok(), answer);
            stop(&supervisor).await;
        }
    }

    async fn one_for_one_restarts_that_one() {
        expect_after_failures(Strategy::OneForOne, 1, "-b1 +b2").await;
    }

    async fn one_for_all_stops_all_and_starts_all() {
        expect_after_failures(Strategy::OneForAll, 1, "-b1 -c1 -a1 +a2 +b2 +c2").await;
    }

    async fn rest_for_one_leaves_those_before_alone() {
        expect_after_failures(Strategy::RestForOne, 1, "-b1 -c1 +b2 +c2").await;
    }

    async fn one_restart_more_than_the_limit_ends_all() {
        expect_after_failures(Strategy::OneForOne, 3, "-b1 +b2 -b2 +b3 -b3 -c1 -a1").await;
        let all = "-b1 -c1 -a1 +a2 +b2 +c2 -b2 -c2 -a2 +a3 +b3 +c3 -b3 -c3 -a3";
        expect_after_failures(Strategy::OneForAll, 3, all).await;
        let rest = "-b1 -c1 +b2 +c2 -b2 -c2 +b3 +c3 -b3 -c3 -a1";
        expect_after_failures(Strategy::RestForOne, 3, rest).await;
    }

    async fn restarts_that_are_far_apart_are_never_too_many() {
        let house = House::new();
        let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(1, beats(2));
        let [child] = house.fill(&mut supervisor, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        for _ in 0..4 {
            End::WithError.tell(&child);
            sleep(beats(3)).await;
        }
        assert_eq!(child.ask(Which).await, Ok(5));
        stop(&supervisor).await;
    }

    async fn siblings_are_gone_before_a_restart_begins() {
        for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
            let house = House::new();
            house.stop_takes("b", beats(2));
            house.stop_takes("c", beats(3));
            let mut supervisor = Supervisor::new(strategy);
            let [a, ..] = house.fill(&mut supervisor, ["a", "b", "c"]);
            let supervisor = supervisor.start().await.unwrap();
            house.said();
            let watch = Stopwatch::start();
            End::WithError.tell(&a);
            assert_eq!(a.ask(Which).no_timeout().await, Ok(2));
            watch.took(beats(5));
            settle().await;
            assert_eq!(house.said(), ".a1 -a1 .c1 -c1 .b1 -b1 +a2 +b2 +c2");
            stop(&supervisor).await;
        }
    }

    async fn temporary_siblings_are_stopped_and_do_not_come_back() {
        let house = House::new();
        let mut supervisor = Supervisor::new(Strategy::OneForAll);
        let [a] = house.fill(&mut supervisor, ["a"]);
        supervisor.child("t", house.spec("t").restart(Restart::Temporary));
        house.fill(&mut supervisor, ["c"]);
        let supervisor = supervisor.start().await.unwrap();
        house.said();
        End::WithError.tell(&a);
        settle().await;
        assert_eq!(house.came_and_went(), "-a1 -c1 -t1 +a2 +c2");
        stop(&supervisor).await;
    }

    async fn children_that_die_together_are_restarted_together() {
        let house = House::new();
        let mut supervisor = Supervisor::new(Strategy::OneForAll).intensity(1, HOUR);
        let children = house.fill(&mut supervisor, ["a", "b", "c"]);
        let supervisor = supervisor.start().await.unwrap();
        children.iter().for_each(|child| child.any().kill());
        settle().await;
        for child in &children {
            assert_eq!(child.ask(Which).await, Ok(2));
        }
        stop(&supervisor).await;
    }

    async fn a_sibling_that_does_not_start_again_is_another_restart() {
        for (strategy, expected) in [
            (Strategy::OneForAll, "-a1 -c1 -b1 +a2 +b2 -b2 -a2 +a3 +b3 +c2"),
            (Strategy::RestForOne, "-a1 -c1 -b1 +a2 +b2 -b2 +b3 +c2"),
        ] {
            let house = House::new();
            let mut supervisor = Supervisor::new(strategy).intensity(2, HOUR);
            let [a, ..] = house.fill(&mut supervisor, ["a", "b", "c"]);
            let supervisor = supervisor.start().await.unwrap();
            house.said();
            house.refuse("b", 1);
            End::WithError.tell(&a);
            settle().await;
            assert_eq!(house.came_and_went(), expected);
            stop(&supervisor).await;
        }
    }

    async fn a_restart_that_never_succeeds_does_not_hang() {
        let house = House::new();
        let mut supervisor = Supervisor::new(Strategy::RestForOne).intensity(3, HOUR);
        let [_, b, _] = house.fill(&mut supervisor, ["a", "b", "c"]);
        let supervisor = supervisor.start().await.unwrap();
        house.said();
        house.refuse("b", u32::MAX);
        let exit = observe(supervisor.any()).await;
        End::WithError.tell(&b);
        assert!(exit.await.is_failure());
        assert_eq!(house.came_and_went(), "-b1 -c1 +b2 -b2 +b3 -b3 +b4 -b4 -a1");
    }

    async fn a_supervisor_hears_a_stop_while_it_restarts() {
        let house = House::new();
        let mut supervisor = Supervisor::new(Strategy::OneForAll);
        let [a, _] = house.fill(&mut supervisor, ["a", "b"]);
        let supervisor = supervisor.start().await.unwrap();
        house.start_takes("a", HOUR);
        End::WithError.tell(&a);
        settle().await;
        assert_eq!(house.came_and_went(), "+a1 +b1 -a1 -b1 +a2");
        assert_eq!(stop(&supervisor).await, ExitReason::Shutdown);
        // It is killed where it starts.
        assert_eq!(house.said(), "-a2");
    }

    async fn a_back_off_delays_restarts_ever_longer() {
        let house = House::new();
        let backoff = Backoff::exponential(beats(1), 2).jitter(Jitter::None);
        let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(3, HOUR);
        let child = supervisor.child("a", house.spec("a").backoff(backoff));
        house.fill(&mut supervisor, ["b"]);
        let supervisor = supervisor.start().await.unwrap();
        house.refuse("a", 2);
        let watch = Stopwatch::start();
        End::WithError.tell(&child);
        // What is asked meanwhile waits.
        assert_eq!(child.ask(Which).no_timeout().await, Ok(4));
        watch.took(beats(1 + 2 + 4));
        // The sibling was left alone.
        assert_eq!(house.came_and_went(), "+a1 +b1 -a1 +a2 -a2 +a3 -a3 +a4");
        stop(&supervisor).await;
    }

    async fn a_stop_does_not_wait_for_a_back_off() {
        let house = House::new();
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let child = supervisor.child("a", house.spec("a").backoff(Backoff::constant(HOUR)));
        let supervisor = supervisor.start().await.unwrap();
        End::WithError.tell(&child);
        settle().await;
        let watch = Stopwatch::start();
        stop(&supervisor).await;
        watch.took(Duration::ZERO);
        assert_eq!(house.came_and_went(), "+a1 -a1");
    }
}
