//! Channels whose every receiver gets every value.

use parcae::spawn;
use parcae::sync::broadcast::{RecvError, TryRecvError, channel};
use parcae::task::{gather, settle};
use parcae::time::timeout;

use crate::clock::beats;

conformance! {
    async fn every_receiver_gets_every_value() {
        let (sender, first) = channel(8);
        let receivers = [first, sender.subscribe(), sender.subscribe()];
        let tasks = receivers.map(|mut receiver| {
            spawn(async move {
                let mut values = Vec::new();
                while let Ok(value) = receiver.recv().await {
                    values.push(value);
                }
                values
            })
        });
        for value in 0..3 {
            assert_eq!(sender.send(value).unwrap(), 3);
            settle().await;
        }
        drop(sender);
        for values in gather(tasks).await {
            assert_eq!(values, [0, 1, 2]);
        }
    }

    async fn a_receiver_that_is_too_slow_is_told_what_it_lost() {
        let (sender, mut receiver) = channel(2);
        for value in 0..5 {
            sender.send(value).unwrap();
        }
        assert_eq!(receiver.recv().await, Err(RecvError::Lagged(3)));
        assert_eq!((receiver.recv().await, receiver.recv().await), (Ok(3), Ok(4)));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    }

    async fn a_receiver_gets_what_is_sent_from_then_on() {
        let (sender, first) = channel(8);
        sender.send(1).unwrap();
        let (mut late, mut again) = (sender.subscribe(), first.resubscribe());
        sender.send(2).unwrap();
        assert_eq!((late.recv().await, again.recv().await), (Ok(2), Ok(2)));
        assert_eq!(first.len(), 2);
    }

    async fn a_wait_that_is_given_up_loses_nothing() {
        let (sender, mut receiver) = channel(8);
        assert!(timeout(beats(1), receiver.recv()).await.is_err());
        sender.send(7).unwrap();
        assert_eq!(receiver.recv().await, Ok(7));
    }

    async fn the_end_is_seen_after_the_last_value() {
        let (sender, mut receiver) = channel(8);
        sender.send(7).unwrap();
        drop(sender);
        assert_eq!(receiver.recv().await, Ok(7));
        assert_eq!(receiver.recv().await, Err(RecvError::Closed));
    }

    async fn a_value_comes_back_when_nobody_receives() {
        let (sender, receiver) = channel(8);
        drop(receiver);
        assert_eq!(sender.send(7).unwrap_err().into_inner(), 7);
        assert_eq!(sender.receiver_count(), 0);
    }
}
