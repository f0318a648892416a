//! Which children are started again, and how often.

use parcae::actor::{Restart, Strategy};
use parcae::retry::{Backoff, Jitter};
use parcae::task::settle;
use parcae::time::Instant;

use super::*;
use crate::runs::{failure, millis, secs};

/// Starts one child, ends it, and returns what was said after that.
fn expect_after(restart: Restart, how: End, expected: &'static str) {
    on_seeds(move |house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let child = supervisor.child("a", house.spec("a").restart(restart));
        let supervisor = supervisor.start().await.unwrap();
        assert_eq!(house.said(), "+a1");
        end(&child, how);
        settle().await;
        assert_eq!(house.said(), expected, "{restart:?} {how:?}");
        // A temporary child is forgotten, a transient one may be started by hand.
        let specs = supervisor.count_children().await.unwrap().specs;
        assert_eq!(specs, usize::from(restart != Restart::Temporary));
        stop(&supervisor).await;
    });
}

#[test]
fn a_permanent_child_that_ends_normally_is_restarted() {
    expect_after(Restart::Permanent, End::Normally, "-a1 +a2");
}

#[test]
fn a_permanent_child_that_is_shut_down_is_restarted() {
    expect_after(Restart::Permanent, End::ShutDown, "-a1 +a2");
}

#[test]
fn a_permanent_child_that_fails_is_restarted() {
    expect_after(Restart::Permanent, End::WithError, "-a1 +a2");
    expect_after(Restart::Permanent, End::WithPanic, "-a1 +a2");
}

#[test]
fn a_transient_child_that_ends_normally_stays_down() {
    expect_after(Restart::Transient, End::Normally, "-a1");
}

#[test]
fn a_transient_child_that_is_shut_down_stays_down() {
    expect_after(Restart::Transient, End::ShutDown, "-a1");
}

#[test]
fn a_transient_child_that_fails_is_restarted() {
    expect_after(Restart::Transient, End::WithError, "-a1 +a2");
    expect_after(Restart::Transient, End::WithPanic, "-a1 +a2");
}

#[test]
fn a_temporary_child_is_never_restarted() {
    for how in [End::Normally, End::ShutDown, End::WithError, End::WithPanic] {
        expect_after(Restart::Temporary, how, "-a1");
    }
}

#[test]
fn a_killed_child_has_failed() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let child = supervisor.child("a", house.spec("a").restart(Restart::Transient));
        let supervisor = supervisor.start().await.unwrap();
        child.any().kill();
        settle().await;
        assert_eq!(house.said(), "+a1 -a1 +a2");
        stop(&supervisor).await;
    });
}

#[test]
fn a_reference_reaches_the_present_incarnation() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(9, secs(5));
        let [child] = children(&mut supervisor, &house, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        for incarnation in 1..=5 {
            assert_eq!(child.ask(Note(0)).await.unwrap(), incarnation);
            if incarnation % 2 == 0 {
                child.any().kill();
            } else {
                end(&child, End::WithPanic);
            }
            settle().await;
        }
        assert_eq!(supervisor.which_children().await.unwrap()[0].restarts, 5);
        stop(&supervisor).await;
    });
}

#[test]
fn one_restart_more_than_the_limit_ends_all() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(2, secs(5));
        let [_, b, _] = children(&mut supervisor, &house, ["a", "b", "c"]);
        let supervisor = supervisor.start().await.unwrap();
        let exit = observe(&supervisor).await;
        for _ in 0..3 {
            end(&b, End::WithError);
            settle().await;
        }
        assert_eq!(house.said(), "+a1 +b1 +c1 -b1 +b2 -b2 +b3 -b3 -c1 -a1");
        let reason = exit.await;
        let ExitReason::Error(crash) = reason else { panic!("{reason}") };
        assert_eq!(crash.text(), "more than 2 restarts in 5s, the last of `b`: error: refused");
    });
}

#[test]
fn the_window_slides() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(2, secs(5));
        let [child] = children(&mut supervisor, &house, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        // Never more than 2 in 5 seconds, over ten minutes.
        for incarnation in 1..=150 {
            assert_eq!(child.ask(Note(0)).await.unwrap(), incarnation);
            end(&child, End::WithPanic);
            sleep(secs(4)).await;
        }
        stop(&supervisor).await;
    });
}

#[test]
fn restarts_of_different_children_count_together() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let [a, b] = children(&mut supervisor, &house, ["a", "b"]);
        let supervisor = supervisor.start().await.unwrap();
        end(&a, End::WithError);
        settle().await;
        assert_eq!(house.said(), "+a1 +b1 -a1 +a2");
        let exit = observe(&supervisor).await;
        end(&b, End::WithError);
        assert!(matches!(exit.await, ExitReason::Error(_)));
        assert_eq!(house.said(), "-b1 -a2");
    });
}

#[test]
fn a_start_that_fails_at_a_restart_is_another_restart() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(3, secs(5));
        let [child, _] = children(&mut supervisor, &house, ["a", "b"]);
        let supervisor = supervisor.start().await.unwrap();
        house.refuse("a", 2);
        end(&child, End::WithError);
        settle().await;
        assert_eq!(house.said(), "+a1 +b1 -a1 +a2 -a2 +a3 -a3 +a4");
        assert_eq!(supervisor.which_children().await.unwrap()[0].restarts, 3);
        let exit = observe(&supervisor).await;
        end(&child, End::WithError);
        assert!(matches!(exit.await, ExitReason::Error(_)));
        assert_eq!(house.said(), "-a4 -b1");
    });
}

#[test]
fn a_restart_that_never_succeeds_does_not_hang() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::RestForOne).intensity(5, secs(5));
        let [_, b, _] = children(&mut supervisor, &house, ["a", "b", "c"]);
        let supervisor = supervisor.start().await.unwrap();
        house.refuse("b", u32::MAX);
        house.said();
        let exit = observe(&supervisor).await;
        end(&b, End::WithError);
        assert!(matches!(exit.await, ExitReason::Error(_)));
        let tries = "+b2 -b2 +b3 -b3 +b4 -b4 +b5 -b5 +b6 -b6";
        assert_eq!(house.said(), format!("-b1 -c1 {tries} -a1"));
    });
}

#[test]
fn a_supervisor_hears_a_stop_while_it_restarts() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForAll);
        let [a, _] = children(&mut supervisor, &house, ["a", "b"]);
        let supervisor = supervisor.start().await.unwrap();
        house.start_takes("a", secs(3600));
        end(&a, End::WithError);
        settle().await;
        assert_eq!(house.said(), "+a1 +b1 -a1 -b1 +a2");
        let begin = Instant::now();
        assert_eq!(stop(&supervisor).await, ExitReason::Shutdown);
        assert_eq!(begin.elapsed(), Duration::ZERO);
        assert_eq!(house.said(), "-a2");
    });
}

#[test]
fn a_back_off_delays_restarts_ever_longer() {
    on_seeds(|house| async move {
        let backoff = Backoff::exponential(secs(2), 2).jitter(Jitter::None);
        let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(3, secs(5));
        let child = supervisor.child("db", house.spec("db").backoff(backoff));
        let [_] = children(&mut supervisor, &house, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        let begin = Instant::now();
        house.refuse("db", 3);
        end(&child, End::WithError);
        // What is asked meanwhile waits.
        assert_eq!(child.ask(Note(0)).no_timeout().await.unwrap(), 5);
        assert_eq!(begin.elapsed(), secs(2 + 4 + 8 + 16));
        // The sibling was left alone.
        assert_eq!(house.said(), "+db1 +a1 -db1 +db2 -db2 +db3 -db3 +db4 -db4 +db5");
        // It has run for longer than the period, so the delays begin anew.
        sleep(secs(6)).await;
        let begin = Instant::now();
        end(&child, End::WithError);
        assert_eq!(child.ask(Note(0)).await.unwrap(), 6);
        assert_eq!(begin.elapsed(), secs(2));
        stop(&supervisor).await;
    });
}

#[test]
fn a_stop_does_not_wait_for_a_back_off() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let spec = house.spec("a").backoff(Backoff::constant(secs(3600)));
        let child = supervisor.child("a", spec);
        let supervisor = supervisor.start().await.unwrap();
        end(&child, End::WithError);
        sleep(millis(1)).await;
        let begin = Instant::now();
        stop(&supervisor).await;
        assert_eq!(begin.elapsed(), Duration::ZERO);
        assert_eq!(house.said(), "+a1 -a1");
    });
}

#[test]
fn jitter_spreads_the_restarts_of_different_seeds() {
    let mut delays: Vec<_> = random(100, || async {
        let house = House::default();
        let backoff = Backoff::exponential(secs(1), 2).jitter(Jitter::Equal);
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let child = supervisor.child("a", house.spec("a").backoff(backoff));
        let supervisor = supervisor.start().await.unwrap();
        let begin = Instant::now();
        end(&child, End::WithError);
        child.ask(Note(0)).await.unwrap();
        let delay = begin.elapsed();
        stop(&supervisor).await;
        delay
    })
    .map(|outcome| outcome.unwrap())
    .collect();
    assert!(delays.iter().all(|delay| (millis(500)..=secs(1)).contains(delay)));
    delays.sort_unstable();
    delays.dedup();
    assert!(delays.len() > 90);
}

#[test]
fn a_supervisor_that_gives_up_and_is_observed_by_nobody_fails_the_run() {
    let outcome = fifo(|| async {
        let house = House::default();
        let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(0, secs(5));
        let [a] = children(&mut supervisor, &house, ["a"]);
        let _supervisor = supervisor.start().await.unwrap();
        end(&a, End::WithError);
        sleep(secs(1)).await;
    });
    let text = failure(&outcome).to_string();
    assert!(text.contains("more than 0 restarts in 5s, the last of `a`: error: refused"), "{text}");
}
