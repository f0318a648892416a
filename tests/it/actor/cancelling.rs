//! Asks and sends that are dropped at each of their awaits.

use parcae::actor::{self, ActorRef, Mailbox, Overflow};
use parcae::testing::cancel_at_every_await;

use super::{Keep, Keeper};
use crate::runs::Journal;

struct World {
    keeper: ActorRef<Keeper>,
    journal: Journal<u32>,
}

fn world() -> World {
    let journal = Journal::new();
    let mailbox = Mailbox::bounded(1).with_overflow(Overflow::Block);
    let keeper = actor::build::<Keeper>(journal.clone()).mailbox(mailbox).start().unwrap();
    World { keeper, journal }
}

/// Ends it and returns what it has kept.
async fn kept(world: &World) -> Vec<u32> {
    assert!(world.keeper.ask(Keep(9)).await.is_ok(), "it serves others");
    world.keeper.drain();
    world.keeper.exited().await;
    world.journal.take()
}

#[test]
fn a_send_that_is_dropped_has_sent_or_has_not_and_gives_its_turn_up() {
    cancel_at_every_await(
        async || {
            let world = world();
            world.keeper.tell(Keep(1)).unwrap();
            world
        },
        async |world| world.keeper.send(Keep(2)).await.unwrap(),
        async |world, sent| {
            let kept = kept(world).await;
            match sent {
                Some(()) => assert_eq!(kept, [1, 2, 9]),
                None => assert_eq!(kept, [1, 9]),
            }
        },
    )
    .unwrap();
}

#[test]
fn an_ask_that_is_dropped_is_handled_once_or_never_was_sent() {
    cancel_at_every_await(
        async || {
            let world = world();
            world.keeper.tell(Keep(1)).unwrap();
            world
        },
        async |world| world.keeper.ask(Keep(2)).await.unwrap(),
        async |world, answered| {
            let kept = kept(world).await;
            if let Some(count) = answered {
                assert_eq!((count, &*kept), (2, &[1, 2, 9][..]));
            } else {
                assert!(kept == [1, 2, 9] || kept == [1, 9], "{kept:?}");
            }
        },
    )
    .unwrap();
}

#[test]
fn waiting_for_an_end_takes_nothing() {
    cancel_at_every_await(
        async || {
            let world = world();
            let keeper = world.keeper.clone();
            parcae::spawn(async move { keeper.drain() }).detach();
            world
        },
        async |world| world.keeper.exited().await,
        async |world, _| {
            assert_eq!(world.keeper.exited().await, actor::ExitReason::Normal);
        },
    )
    .unwrap();
}
