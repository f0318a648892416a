//! Channels for one value.

use parcae::spawn;
use parcae::sync::oneshot::{RecvError, TryRecvError, channel};
use parcae::task::settle;
use parcae::time::timeout;

use crate::clock::beats;
use crate::journal::Journal;

conformance! {
    async fn a_value_is_received_by_who_waits_for_it() {
        let (sender, receiver) = channel();
        let task = spawn(receiver);
        settle().await;
        assert_eq!(sender.send(42), Ok(()));
        assert_eq!(task.await, Ok(42));
    }

    async fn a_value_is_kept_for_who_comes_later() {
        let (sender, mut receiver) = channel();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        sender.send(42).unwrap();
        assert_eq!(receiver.try_recv(), Ok(42));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Abandoned));
    }

    async fn a_receiver_is_abandoned_when_the_sender_is_dropped() {
        let (sender, receiver) = channel::<u32>();
        let task = spawn(receiver);
        settle().await;
        drop(sender);
        assert_eq!(task.await, Err(RecvError::Abandoned));
    }

    async fn a_sender_whose_task_panics_abandons() {
        let (sender, receiver) = channel::<u32>();
        let task = spawn(async move {
            let _sender = sender;
            panic!("out of cheese");
        });
        assert_eq!(receiver.await, Err(RecvError::Abandoned));
        let end: Result<(), _> = task.join().await;
        assert!(end.is_err());
    }

    async fn a_value_comes_back_when_nobody_waits() {
        let (sender, receiver) = channel();
        drop(receiver);
        assert!(sender.is_closed());
        assert_eq!(sender.send(42), Err(42));
    }

    async fn a_sender_sees_that_nobody_waits_any_more() {
        let journal = Journal::new();
        let entries = journal.clone();
        let (mut sender, receiver) = channel::<u32>();
        let worker = spawn(async move {
            sender.closed().await;
            entries.add("gives up");
        });
        settle().await;
        let waiter = spawn(receiver);
        settle().await;
        assert_eq!(journal.take(), [""; 0]);
        drop(waiter);
        worker.await;
        assert_eq!(journal.take(), ["gives up"]);
    }

    async fn a_time_out_around_a_reference_loses_no_value() {
        let (sender, mut receiver) = channel();
        assert!(timeout(beats(1), &mut receiver).await.is_err());
        sender.send(42).unwrap();
        assert_eq!(receiver.await, Ok(42));
    }

    async fn what_was_sent_and_is_not_received_is_dropped_with_the_receiver() {
        let journal = Journal::new();
        let (sender, mut receiver) = channel();
        drop(sender.send(journal.on_drop("dropped")));
        receiver.close();
        assert_eq!(journal.take(), [""; 0]);
        drop(receiver);
        assert_eq!(journal.take(), ["dropped"]);
    }
}
