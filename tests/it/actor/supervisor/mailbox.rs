//! What becomes of messages when their actor is restarted.

use parcae::actor::{AskError, OnRestart, Restart, Strategy};
use parcae::retry::Backoff;
use parcae::spawn;
use parcae::task::settle;

use super::*;
use crate::runs::secs;

#[test]
fn messages_that_wait_are_handled_by_the_next_incarnation_in_order() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let [child] = children(&mut supervisor, &house, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        for number in 1..=3 {
            child.tell(Note(number)).unwrap();
        }
        child.tell(End::WithPanic).unwrap();
        for number in 4..=6 {
            child.tell(Note(number)).unwrap();
        }
        settle().await;
        assert_eq!(house.handled(), "a1:1 a1:2 a1:3 a2:4 a2:5 a2:6");
        stop(&supervisor).await;
    });
}

#[test]
fn whoever_asked_and_was_not_heard_yet_is_answered_by_the_next_incarnation() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let [child] = children(&mut supervisor, &house, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        child.tell(Work(secs(1))).unwrap();
        child.tell(End::WithError).unwrap();
        let asked = spawn({
            let child = child.clone();
            async move { child.ask(Note(7)).await }
        });
        assert_eq!(asked.await, Ok(2));
        stop(&supervisor).await;
    });
}

#[test]
fn whoever_asked_what_it_failed_at_learns_that_it_died() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let [child] = children(&mut supervisor, &house, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        let asked = child.ask(End::WithPanic).await;
        assert!(matches!(asked, Err(AskError::Died(ExitReason::Panicked { .. }))), "{asked:?}");
        assert_eq!(child.ask(Note(0)).await, Ok(2));
        stop(&supervisor).await;
    });
}

#[test]
fn what_is_told_while_it_is_down_waits() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let spec = house.spec("a").backoff(Backoff::constant(secs(1)));
        let child = supervisor.child("a", spec);
        let supervisor = supervisor.start().await.unwrap();
        end(&child, End::WithError);
        settle().await;
        assert_eq!(house.said(), "+a1 -a1");
        child.tell(Note(1)).unwrap();
        assert_eq!(child.ask(Note(2)).await, Ok(2));
        assert_eq!(house.handled(), "a2:1 a2:2");
        stop(&supervisor).await;
    });
}

#[test]
fn a_mailbox_can_be_dropped_at_a_restart() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let child = supervisor.child("a", house.spec("a").on_restart(OnRestart::DropMailbox));
        let supervisor = supervisor.start().await.unwrap();
        child.tell(Work(secs(1))).unwrap();
        child.tell(End::WithError).unwrap();
        child.tell(Note(1)).unwrap();
        let asked = spawn({
            let child = child.reference();
            async move { child.ask(Note(2)).await }
        });
        assert!(matches!(asked.await, Err(AskError::Died(ExitReason::Error(_)))));
        assert_eq!(child.ask(Note(3)).await, Ok(2));
        assert_eq!(house.handled(), "a2:3");
        stop(&supervisor).await;
    });
}

#[test]
fn a_child_that_does_not_come_back_takes_no_more() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let child = supervisor.child("a", house.spec("a").restart(Restart::Temporary));
        let supervisor = supervisor.start().await.unwrap();
        child.tell(Work(secs(1))).unwrap();
        child.tell(End::WithError).unwrap();
        let asked = spawn({
            let child = child.reference();
            async move { child.ask(Note(2)).await }
        });
        assert!(matches!(asked.await, Err(AskError::Died(_))));
        assert!(child.tell(Note(3)).is_err());
        assert_eq!(child.ask(Note(4)).await, Err(AskError::NoProc));
        stop(&supervisor).await;
    });
}

#[test]
fn whoever_asks_a_supervised_child_is_never_left_without_an_answer() {
    on_seeds(|house| async move {
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        let [child] = children(&mut supervisor, &house, ["a"]);
        let supervisor = supervisor.start().await.unwrap();
        child.tell(Work(secs(1))).unwrap();
        let asks: Vec<_> = (0..5)
            .map(|number| {
                let child = child.clone();
                spawn(async move { child.ask(Note(number)).no_timeout().await })
            })
            .collect();
        settle().await;
        // One restart, then the end.
        let exit = observe(&supervisor).await;
        for _ in 0..2 {
            child.any().kill();
            settle().await;
        }
        for asked in asks {
            let answer = asked.await;
            assert!(matches!(answer, Ok(2) | Err(AskError::Died(_))), "{answer:?}");
        }
        assert!(matches!(exit.await, ExitReason::Error(_)));
    });
}
