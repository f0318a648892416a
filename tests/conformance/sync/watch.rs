//! Values that are watched.

use parcae::spawn;
use parcae::sync::watch::{RecvError, channel};
use parcae::task::settle;
use parcae::time::timeout;

use crate::clock::beats;

conformance! {
    async fn a_receiver_sees_the_latest_value_and_not_each() {
        let (sender, mut receiver) = channel(0);
        assert_eq!(receiver.has_changed(), Ok(false));
        for value in 1..=3 {
            sender.send(value).unwrap();
        }
        assert_eq!(receiver.changed().await, Ok(()));
        assert_eq!(*receiver.borrow_and_update(), 3);
        assert_eq!(receiver.has_changed(), Ok(false));
    }

    async fn no_change_is_missed() {
        let (sender, mut receiver) = channel(0);
        let watcher = spawn(async move {
            let mut last = 0;
            while receiver.changed().await.is_ok() {
                let value = *receiver.borrow_and_update();
                assert!(value > last);
                last = value;
            }
            last
        });
        for value in 1..=10 {
            sender.send(value).unwrap();
            parcae::task::yield_now().await;
        }
        drop(sender);
        assert_eq!(watcher.await, 10);
    }

    async fn whoever_waits_for_a_value_gets_it() {
        let (sender, mut receiver) = channel(0);
        let waiter = spawn(async move { *receiver.wait_for(|value| *value >= 3).await.unwrap() });
        for value in 1..=3 {
            settle().await;
            assert!(!waiter.is_finished());
            sender.send_modify(|current| *current = value);
        }
        assert_eq!(waiter.await, 3);
    }

    async fn the_end_is_seen_after_the_last_value() {
        let (sender, mut receiver) = channel(0);
        sender.send(1).unwrap();
        drop(sender);
        assert_eq!(receiver.changed().await, Ok(()));
        assert_eq!(receiver.changed().await, Err(RecvError::Closed));
        assert_eq!(*receiver.borrow(), 1);
    }

    async fn a_wait_that_is_given_up_has_seen_nothing() {
        let (sender, mut receiver) = channel(0);
        assert!(timeout(beats(1), receiver.changed()).await.is_err());
        sender.send(1).unwrap();
        assert_eq!(receiver.has_changed(), Ok(true));
        assert_eq!(receiver.changed().await, Ok(()));
    }

    async fn a_sender_waits_until_nobody_watches() {
        let (sender, receiver) = channel(0);
        let other = sender.subscribe();
        assert_eq!(sender.receiver_count(), 2);
        let waiter = spawn(async move {
            sender.closed().await;
            sender.is_closed()
        });
        drop(receiver);
        settle().await;
        assert!(!waiter.is_finished());
        drop(other);
        assert!(waiter.await);
    }

    async fn a_change_that_is_none_tells_nobody() {
        let (sender, receiver) = channel(5);
        assert!(!sender.send_if_modified(|_| false));
        assert_eq!(receiver.has_changed(), Ok(false));
        assert_eq!(sender.send_replace(6), 5);
        assert_eq!(receiver.has_changed(), Ok(true));
        drop(receiver);
        assert_eq!(sender.send(7).unwrap_err().into_inner(), 7);
    }
}
