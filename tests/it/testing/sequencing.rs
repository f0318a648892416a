//! `Sequencer`.

use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;

use futures::executor::block_on;
use parcae::Sim;
use parcae::task::{settle, yield_now};
use parcae::testing::Sequencer;

use crate::runs::{Journal, SEEDS, panic_of, panicked, poll_once, random};

async fn blocks_in_order() -> Vec<u64> {
    let (order, journal) = (Rc::new(Sequencer::new()), Journal::new());
    let tasks: Vec<_> = [[0, 5], [3, 4], [1, 2]]
        .into_iter()
        .map(|numbers| {
            let (order, journal) = (order.clone(), journal.clone());
            parcae::spawn(async move {
                for number in numbers {
                    let turn = order.at(number).await;
                    yield_now().await;
                    journal.add(turn.number());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await;
    }
    journal.take()
}

#[test]
fn blocks_of_several_tasks_run_in_order_on_every_seed() {
    for outcome in random(SEEDS, blocks_in_order) {
        assert_eq!(outcome.unwrap(), [0, 1, 2, 3, 4, 5]);
    }
}

#[test]
fn it_works_on_other_executors() {
    let order = Sequencer::new();
    let block = async |number| order.at(number).await.number();
    let numbers = block_on(async { futures::join!(block(2), block(0), block(1)) });
    assert_eq!(numbers, (2, 0, 1));
}

#[test]
fn a_block_lasts_until_its_turn_is_dropped() {
    let order = Sequencer::new();
    let mut second = order.at(1);
    assert!(poll_once(&mut second).is_pending());
    let turn = block_on(order.at(0));
    assert!(poll_once(&mut second).is_pending());
    drop(turn);
    assert!(poll_once(&mut second).is_ready());
}

#[test]
fn a_number_that_is_used_twice_panics_where_it_is_used() {
    let outcome = Sim::new(7).run(|| async {
        let order = Sequencer::new();
        let _turn = order.at(0).await;
        let _turn = order.at(0).await;
    });
    panicked(&outcome, "block 0 of a sequence was used twice");
    assert!(outcome.failure().unwrap().to_string().contains(file!()));
}

/// Drops a block that waits, and one that comes after it waits too.
async fn broken() {
    let order = Rc::new(Sequencer::new());
    let later = parcae::spawn_named("later", {
        let order = order.clone();
        async move {
            let _turn = order.at(3).await;
        }
    });
    let earlier = parcae::spawn_named("earlier", {
        let order = order.clone();
        async move {
            let _turn = order.at(0).await;
        }
    });
    let cancelled = parcae::spawn({
        let order = order.clone();
        async move {
            let _turn = order.at(2).await;
        }
    });
    settle().await;
    let dropped = cancelled.cancel().await;
    assert_eq!(dropped, None);
    earlier.await;
    drop(order.at(1).await);
    later.await;
}

#[test]
fn a_block_that_is_dropped_before_its_turn_breaks_the_sequence_for_all_after_it() {
    for outcome in random(SEEDS, broken) {
        let text =
            "the sequence is broken: block 2 was dropped before it had begun, so block 3 at ";
        let task = panicked(&outcome, text);
        assert_eq!(task, "main", "it awaits the one that panics");
    }
}

#[test]
fn blocks_before_a_dropped_one_still_run_and_later_ones_never() {
    let order = Arc::new(Sequencer::new());
    let mut last = order.at(4);
    assert!(poll_once(&mut last).is_pending());
    let mut second = order.at(1);
    assert!(poll_once(&mut second).is_pending());
    drop(order.at(3));
    drop(order.at(2));
    drop(order.at(5));
    assert!(poll_once(&mut second).is_pending(), "it comes before those that were dropped");
    assert_eq!(block_on(order.at(0)).number(), 0);
    assert_eq!(block_on(second).number(), 1);
    let message = panic_of(AssertUnwindSafe(|| drop(poll_once(&mut last))).0);
    assert!(message.contains("block 2 was dropped"), "{message}");
    assert_eq!(format!("{order:?}"), "Sequencer { next: 2, dropped: Some(2), .. }");
}

#[test]
fn a_block_that_panics_has_ended() {
    let outcome = Sim::new(7).run(|| async {
        let order = Rc::new(Sequencer::new());
        let own = order.clone();
        let fails = parcae::spawn(async move {
            let _turn = own.at(0).await;
            panic!("in its turn");
        });
        assert!(fails.join().await.is_err());
        order.at(1).await.number()
    });
    assert_eq!(outcome.unwrap(), 1);
}
