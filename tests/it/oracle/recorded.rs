//! Histories that clients write in a simulation.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use parcae::Sim;
use parcae::oracle::models::{Register, RegisterInput};
use parcae::oracle::{Effect, History, HistoryVerdict, linearizable};
use parcae::task::{gather, spawn};
use parcae::time::sleep;

use crate::runs::SEEDS;

/// A value with a copy that follows 10 ms later; one client writes, one reads of either by turns.
async fn replicated(reads_copies: bool) -> HistoryVerdict {
    let (leader, follower) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let history = History::new();
    let writer = async {
        for value in 1..4 {
            let call = history.invoke(1, RegisterInput::Write(value));
            leader.set(value);
            let follower = follower.clone();
            spawn(async move {
                sleep(Duration::from_millis(10)).await;
                follower.set(value);
            })
            .detach();
            call.returned(None);
            sleep(Duration::from_millis(parcae::choose(1..=30))).await;
        }
    };
    let reader = async {
        for turn in 0..6 {
            let call = history.invoke(2, RegisterInput::Read);
            sleep(Duration::from_millis(parcae::choose(1..=10))).await;
            let copy = if reads_copies && turn % 2 == 0 { &follower } else { &leader };
            call.returned(Some(copy.get()));
        }
    };
    futures::join!(writer, reader);
    sleep(Duration::from_millis(20)).await;
    linearizable(&Register::new(0), &history.operations())
}

#[test]
fn stale_reads_of_a_copy_are_found_and_reads_of_the_leader_are_right() {
    let count = |reads_copies| {
        (0..SEEDS)
            .filter(|&seed| {
                let run = Sim::new(seed).run(move || replicated(reads_copies));
                run.unwrap().is_violated()
            })
            .count()
    };
    assert_eq!(count(false), 0);
    assert!(count(true) > 50, "{}", count(true));
}

#[test]
fn a_client_that_is_cancelled_leaves_what_nobody_knows() {
    let operations = Sim::new(7)
        .run(|| async {
            let history = History::<_, Option<u64>>::new();
            let asked = history.clone();
            let client = spawn(async move {
                let call = asked.invoke(1, RegisterInput::Write(1));
                sleep(Duration::from_secs(5)).await;
                call.returned(None);
            });
            sleep(Duration::from_secs(1)).await;
            assert!(client.cancel().await.is_none());
            gather((2..4).map(|client| {
                let history = history.clone();
                spawn(async move { history.invoke(client, RegisterInput::Read).failed() })
            }))
            .await;
            history.operations()
        })
        .unwrap();
    assert_eq!((operations[0].ended, &operations[0].effect), (None, &Effect::Unknown));
    assert_eq!(operations[0].invoked.at, Duration::ZERO);
    let later: Vec<_> = operations[1..].iter().map(|it| it.effect).collect();
    assert_eq!(later, [Effect::Failed, Effect::Failed]);
    assert_eq!(operations[1].invoked.at, Duration::from_secs(1));
    let mut orders: Vec<u64> = operations.iter().map(|it| it.invoked.order).collect();
    orders.extend(operations.iter().filter_map(|it| it.ended).map(|end| end.order));
    orders.sort_unstable();
    assert_eq!(orders, [0, 1, 2, 3, 4]);
}
