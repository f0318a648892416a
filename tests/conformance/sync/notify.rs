//! Notifications.

use std::pin::pin;
use std::rc::Rc;

use parcae::spawn;
use parcae::sync::Notify;
use parcae::task::settle;
use parcae::time::timeout;

use crate::clock::beats;
use crate::journal::Journal;

/// Spawns a task that waits for a notification and writes down that it has it.
fn waiter(
    notify: &Rc<Notify>,
    journal: &Journal<&'static str>,
    name: &'static str,
) -> parcae::Task<()> {
    let (notify, journal) = (notify.clone(), journal.clone());
    spawn(async move {
        notify.notified().await;
        journal.add(name);
    })
}

conformance! {
    async fn one_notification_lets_the_first_go_on() {
        let (notify, journal) = (Rc::new(Notify::new()), Journal::new());
        let first = waiter(&notify, &journal, "first");
        settle().await;
        let second = waiter(&notify, &journal, "second");
        settle().await;
        notify.notify_one();
        settle().await;
        assert_eq!(journal.take(), ["first"]);
        notify.notify_one();
        first.await;
        second.await;
        assert_eq!(journal.take(), ["second"]);
    }

    async fn one_notification_is_kept_and_two_are_one() {
        let notify = Notify::new();
        notify.notify_one();
        notify.notify_one();
        notify.notified().await;
        assert!(timeout(beats(1), notify.notified()).await.is_err());
    }

    async fn all_go_on_who_called_before_polled_or_not() {
        let notify = Notify::new();
        let (before, mut polled) = (notify.notified(), pin!(notify.notified()));
        assert!(crate::polling::is_pending(polled.as_mut()).await);
        notify.notify_waiters();
        let after = notify.notified();
        before.await;
        polled.await;
        assert!(timeout(beats(1), after).await.is_err(), "nothing is kept");
    }

    async fn a_notification_of_who_is_dropped_goes_to_the_next_or_is_kept() {
        let (notify, journal) = (Rc::new(Notify::new()), Journal::new());
        let first = waiter(&notify, &journal, "first");
        settle().await;
        let second = waiter(&notify, &journal, "second");
        settle().await;
        notify.notify_one();
        first.cancel().await;
        second.await;
        assert_eq!(journal.take(), ["second"]);
        let third = waiter(&notify, &journal, "third");
        settle().await;
        notify.notify_one();
        third.cancel().await;
        notify.notified().await;
    }

    async fn a_place_is_taken_before_waiting() {
        let notify = Notify::new();
        let mut notified = pin!(notify.notified());
        assert!(!notified.as_mut().enable());
        notify.notify_one();
        notified.await;
        notify.notify_one();
        let mut ready = pin!(notify.notified());
        assert!(ready.as_mut().enable());
        ready.await;
    }
}
