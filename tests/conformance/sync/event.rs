//! Events.

use std::rc::Rc;

use parcae::spawn;
use parcae::sync::Event;
use parcae::task::settle;
use parcae::time::timeout;

use crate::clock::beats;

conformance! {
    async fn all_who_wait_go_on_when_it_is_set_and_all_who_come_later() {
        let event = Rc::new(Event::new());
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let event = event.clone();
                spawn(async move { event.wait().await })
            })
            .collect();
        settle().await;
        assert!(waiters.iter().all(|waiter| !waiter.is_finished()));
        event.set();
        for waiter in waiters {
            waiter.await;
        }
        event.wait().await;
        assert!(event.is_set());
    }

    async fn a_pulse_lets_go_of_those_who_wait_and_of_nobody_else() {
        let event = Rc::new(Event::new());
        let waiter = spawn({
            let event = event.clone();
            async move { event.wait().await }
        });
        settle().await;
        event.set();
        event.clear();
        assert!(timeout(beats(1), event.wait()).await.is_err());
        waiter.await;
        assert!(!event.is_set());
    }

    async fn an_event_that_is_set_twice_is_set() {
        let event = Event::new();
        event.set();
        event.set();
        event.wait().await;
        event.clear();
        assert!(!event.is_set());
    }

    async fn whoever_waits_may_give_up() {
        let event = Event::new();
        assert!(timeout(beats(1), event.wait()).await.is_err());
        event.set();
        event.wait().await;
    }
}
