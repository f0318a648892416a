//! Orders that a search of schedules finds, and those that it must not.

use parcae::Sim;
use parcae::actor;
use parcae::task::yield_now;

use super::{Keep, Keeper};
use crate::runs::Journal;

/// Three senders of four messages each, handled by one actor.
async fn kept() -> Vec<u32> {
    let journal = Journal::new();
    let keeper = actor::spawn::<Keeper>(journal.clone());
    let senders: Vec<_> = (0..3)
        .map(|sender| {
            let keeper = keeper.clone();
            parcae::spawn(async move {
                for number in 0..4 {
                    keeper.send(Keep(10 * sender + number)).await.unwrap();
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await;
    }
    keeper.drain();
    keeper.exited().await;
    journal.take()
}

#[test]
fn orders_of_senders_differ_and_that_of_one_sender_does_not() {
    let mut orders: Vec<_> = (0..200).map(|seed| Sim::new(seed).run(kept).unwrap()).collect();
    for order in &orders {
        assert_eq!(order.len(), 12);
        for sender in 0..3 {
            let own: Vec<_> = order.iter().filter(|kept| **kept / 10 == sender).collect();
            assert!(own.is_sorted(), "{order:?}");
        }
    }
    orders.sort();
    orders.dedup();
    assert!(orders.len() > 100, "{} orders", orders.len());
}

#[test]
fn one_seed_is_one_run() {
    for seed in 0..50 {
        let (first, second) = (Sim::new(seed).run(kept), Sim::new(seed).run(kept));
        assert_eq!(first.chain(), second.chain());
        assert_eq!(first.unwrap(), second.unwrap());
    }
}

#[test]
fn a_stop_and_a_tell_of_two_tasks_come_in_either_order() {
    let mut found: Vec<_> = (0..200)
        .map(|seed| {
            let outcome = Sim::new(seed).run(|| async {
                let journal = Journal::new();
                let keeper = actor::spawn::<Keeper>(journal.clone());
                let other = keeper.clone();
                let stopper = parcae::spawn(async move {
                    yield_now().await;
                    other.stop();
                });
                yield_now().await;
                drop(keeper.tell(Keep(1)));
                stopper.await;
                keeper.exited().await;
                journal.take()
            });
            outcome.unwrap()
        })
        .collect();
    found.sort();
    found.dedup();
    assert_eq!(found, [vec![], vec![1]]);
}
