//! Actors and the machines that they run on.

use std::future::pending;
use std::sync::{Arc, Mutex};

use parcae::actor::{self, ActorRef, AskError, ExitReason, TellError};
use parcae::task::settle;
use parcae::{Sim, world};

use super::{Keep, Keeper};
use crate::runs::Journal;

/// Starts a machine with an actor, and returns the reference that it hands out.
async fn machine(name: &'static str) -> (world::Node, ActorRef<Keeper>) {
    let place = Arc::new(Mutex::new(None));
    let node = world::node(name).start({
        let place = place.clone();
        move || {
            let place = place.clone();
            async move {
                let keeper = actor::spawn_named::<Keeper>("keeper", Journal::new()).unwrap();
                *place.lock().unwrap() = Some(keeper);
                pending::<()>().await;
            }
        }
    });
    settle().await;
    let keeper = place.lock().unwrap().take().unwrap();
    (node, keeper)
}

#[test]
fn the_test_may_use_the_actors_of_any_machine() {
    for seed in 0..100 {
        Sim::new(seed)
            .run(|| async {
                let (_node, keeper) = machine("db").await;
                assert_eq!(keeper.ask(Keep(1)).await, Ok(1));
                assert!(actor::whereis::<Keeper>("keeper").is_none(), "names are of one machine");
            })
            .unwrap();
    }
}

#[test]
fn when_a_machine_dies_its_actors_are_gone_without_a_farewell() {
    for seed in 0..100 {
        Sim::new(seed)
            .run(|| async {
                let (node, keeper) = machine("db").await;
                let exited = parcae::spawn(keeper.exited());
                let asked = parcae::spawn({
                    let keeper = keeper.clone();
                    // Sent when the machine is paused: it is not handled.
                    async move { keeper.ask(Keep(1)).no_timeout().await }
                });
                node.pause();
                settle().await;
                node.kill();
                assert_eq!(asked.await, Err(AskError::NodeDown));
                assert_eq!(exited.await, ExitReason::NodeDown);
                let refused = keeper.tell(Keep(2)).unwrap_err();
                assert!(matches!(
                    refused,
                    TellError::Closed { message: Keep(2), reason: Some(ExitReason::NodeDown) }
                ));
                assert_eq!(keeper.ask(Keep(3)).await, Err(AskError::NodeDown));
                // A new one is another one, with its own names.
                node.restart();
                settle().await;
                assert_eq!(keeper.ask(Keep(4)).await, Err(AskError::NodeDown));
            })
            .unwrap();
    }
}

#[test]
fn a_reference_of_another_machine_panics_with_words_that_help() {
    let outcome = Sim::new(7).run(|| async {
        let (_node, keeper) = machine("db").await;
        let _other = world::node("web").start(move || {
            let keeper = keeper.clone();
            async move { drop(keeper.tell(Keep(1))) }
        });
        settle().await;
    });
    let failure = outcome.into_result().unwrap_err().to_string();
    assert!(failure.contains("`keeper` was used on another machine than its own"), "{failure}");
    assert!(failure.contains("`actor::remote`"), "{failure}");
}
