//! Mailboxes: bounds, back-pressure, order.

use parcae::actor::{
    self, ActorRef, AskError, ExitReason, Mailbox, Overflow, TellError, Undelivered, dead_letters,
};
use parcae::task::{settle, yield_now};
use parcae::time::sleep;

use super::{Add, Scribe, Work, end};
use crate::clock::beats;
use crate::journal::Journal;

/// Starts one that works for a beat, with a mailbox for two.
async fn busy(overflow: Overflow) -> (ActorRef<Scribe>, Journal<String>) {
    let journal = Journal::new();
    let mailbox = Mailbox::bounded(2).with_overflow(overflow);
    let scribe = actor::build::<Scribe>(journal.clone()).mailbox(mailbox).start().unwrap();
    scribe.tell(Work(beats(2))).unwrap();
    settle().await;
    assert_eq!(journal.take(), ["start", "work"]);
    (scribe, journal)
}

fn added(journal: &Journal<String>) -> Vec<String> {
    journal.take().into_iter().filter(|entry| entry.starts_with("add")).collect()
}

conformance! {
    async fn a_full_mailbox_gives_messages_back() {
        let (scribe, journal) = busy(Overflow::Reject).await;
        scribe.tell(Add(1)).unwrap();
        scribe.tell(Add(2)).unwrap();
        let refused = scribe.tell(Add(3)).unwrap_err();
        assert!(matches!(&refused, TellError::Full(Add(3))));
        assert!(matches!(scribe.send(Add(4)).await, Err(TellError::Full(Add(4)))));
        assert_eq!(scribe.ask(Add(5)).await, Err(AskError::Full));
        end(&scribe.any()).await;
        assert_eq!(added(&journal), ["add 1", "add 2"]);
        assert_eq!(dead_letters().count(), 0);
    }

    async fn who_sends_waits_for_a_place_in_order() {
        let (scribe, journal) = busy(Overflow::Block).await;
        let mut senders = Vec::new();
        for number in 1..=6 {
            let scribe = scribe.clone();
            senders.push(parcae::spawn(async move { scribe.send(Add(number)).await.unwrap() }));
            settle().await;
        }
        // A tell does not wait, and does not overtake.
        assert!(matches!(scribe.tell(Add(9)), Err(TellError::Full(_))));
        assert_eq!(scribe.ask(Add(7)).await, Ok(28));
        for sender in senders {
            sender.await;
        }
        end(&scribe.any()).await;
        assert_eq!(added(&journal), (1..=7).map(|number| format!("add {number}")).collect::<Vec<_>>());
    }

    async fn a_tell_does_not_take_the_place_that_a_sender_waits_for() {
        let (scribe, journal) = busy(Overflow::Block).await;
        scribe.tell(Add(1)).unwrap();
        scribe.tell(Add(2)).unwrap();
        let sender = parcae::spawn({
            let scribe = scribe.clone();
            async move { scribe.send(Add(3)).await.unwrap() }
        });
        settle().await;
        sleep(beats(2)).await;
        // It has taken one by now, or is about to.
        while scribe.tell(Add(4)).is_err() {
            yield_now().await;
        }
        sender.await;
        end(&scribe.any()).await;
        assert_eq!(added(&journal), ["add 1", "add 2", "add 3", "add 4"]);
    }

    async fn a_sender_that_gives_up_gives_its_turn_up() {
        let (scribe, journal) = busy(Overflow::Block).await;
        let mut senders = Vec::new();
        for number in 1..=4 {
            let scribe = scribe.clone();
            senders.push(parcae::spawn(async move { scribe.send(Add(number)).await.unwrap() }));
            settle().await;
        }
        let last = senders.pop().unwrap();
        assert_eq!(senders.pop().unwrap().cancel().await, None);
        last.await;
        end(&scribe.any()).await;
        assert_eq!(added(&journal), ["add 1", "add 2", "add 4"]);
    }

    async fn senders_that_wait_learn_of_the_end() {
        let (scribe, _) = busy(Overflow::Block).await;
        scribe.tell(Add(1)).unwrap();
        scribe.tell(Add(2)).unwrap();
        let sending = parcae::spawn({
            let scribe = scribe.clone();
            async move { scribe.send(Add(3)).await }
        });
        let asking = parcae::spawn(scribe.ask(Add(4)));
        settle().await;
        scribe.kill();
        assert!(matches!(sending.await, Err(TellError::Closed { message: Add(3), .. })));
        assert_eq!(asking.await, Err(AskError::NoProc));
        scribe.exited().await;
    }

    async fn the_newest_is_dropped() {
        let (scribe, journal) = busy(Overflow::DropNewest).await;
        for number in 1..=3 {
            scribe.tell(Add(number)).unwrap();
        }
        assert_eq!(scribe.ask(Add(4)).await, Err(AskError::Full));
        end(&scribe.any()).await;
        assert_eq!(added(&journal), ["add 1", "add 2"]);
        let letters = dead_letters().take();
        assert_eq!(letters.len(), 2);
        assert!(letters.iter().all(|letter| letter.why == Undelivered::Overflow));
    }

    async fn the_oldest_is_dropped() {
        let (scribe, journal) = busy(Overflow::DropOldest).await;
        let asking = parcae::spawn(scribe.ask(Add(1)));
        settle().await;
        for number in 2..=4 {
            scribe.tell(Add(number)).unwrap();
        }
        assert_eq!(asking.await, Err(AskError::Full));
        end(&scribe.any()).await;
        assert_eq!(added(&journal), ["add 3", "add 4"]);
        assert_eq!(dead_letters().count(), 2);
    }

    async fn an_actor_may_end_when_there_is_no_place() {
        let (scribe, journal) = busy(Overflow::Stop).await;
        let exited = parcae::spawn(scribe.exited());
        for number in 1..=2 {
            scribe.tell(Add(number)).unwrap();
        }
        assert!(matches!(scribe.tell(Add(3)), Err(TellError::Full(_))));
        assert_eq!(exited.await, ExitReason::Overflow { capacity: 2 });
        assert_eq!(added(&journal), Vec::<String>::new());
        assert_eq!(dead_letters().count(), 2);
    }

    async fn signals_need_no_place() {
        let (scribe, journal) = busy(Overflow::DropOldest).await;
        scribe.any().stop(ExitReason::Shutdown);
        for number in 1..=9 {
            scribe.tell(Add(number)).unwrap();
        }
        assert_eq!(scribe.exited().await, ExitReason::Shutdown);
        assert_eq!(added(&journal), Vec::<String>::new());
    }

    async fn dead_letters_are_counted_and_the_last_are_kept() {
        let news = dead_letters().subscribe();
        let journal = Journal::new();
        let mailbox = Mailbox::unbounded();
        let scribe = actor::build::<Scribe>(journal).mailbox(mailbox).start().unwrap();
        settle().await;
        for number in 0..1_500 {
            scribe.tell(Add(number)).unwrap();
        }
        scribe.kill();
        scribe.exited().await;
        assert_eq!(dead_letters().count(), 1_500);
        assert_eq!(dead_letters().take().len(), 1_000);
        assert_eq!(news.get().await.unwrap().kind, "Add");
    }
}
