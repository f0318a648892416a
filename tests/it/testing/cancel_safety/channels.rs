//! Of the channels of `parcae::sync`, and of notifications.

use std::cell::RefCell;

use parcae::sync::{Notify, broadcast, oneshot, watch};
use parcae::task::yield_now;
use parcae::testing::{CancelAtEveryAwait, CancelReport};
use parcae::time::sleep;

use super::{Case, World, add_one};
use crate::runs::secs;

pub(super) const CASES: &[Case] = &[
    Case { name: "Notify::notified", check: notify_notified },
    Case { name: "Notify::notified", check: notify_notified_twice },
    Case { name: "oneshot::Receiver", check: oneshot_receiver },
    Case { name: "oneshot::Sender::closed", check: oneshot_closed },
    Case { name: "watch::Receiver::changed", check: watch_changed },
    Case { name: "watch::Receiver::wait_for", check: watch_wait_for },
    Case { name: "watch::Sender::closed", check: watch_closed },
    Case { name: "broadcast::Receiver::recv", check: broadcast_recv },
];

fn notify_notified(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            World::of(Notify::new().named("notified"))
                .beside("before", async |(notify, done)| {
                    notify.notified().await;
                    add_one(&done);
                })
                .settled()
                .await
                .beside("notifier", async |(notify, _)| {
                    for _ in 0..2 {
                        sleep(secs(1)).await;
                        notify.notify_one();
                    }
                })
        },
        async |notify| notify.notified().await,
        async |notify, output| {
            notify.others_end().await;
            assert_eq!(notify.done.get(), 1);
            if output.is_none() {
                // It was given to nobody, so it is still there.
                notify.notified().await;
            }
        },
    )
}

/// Notified as one and then with all others: dropped, it gives back what it had as one.
fn notify_notified_twice(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            World::of(Notify::new()).beside("notifier", async |(notify, _)| {
                sleep(secs(1)).await;
                notify.notify_one();
                notify.notify_waiters();
            })
        },
        async |notify| notify.notified().await,
        async |notify, output| {
            notify.others_end().await;
            if output.is_none() {
                notify.notified().await;
            }
        },
    )
}

fn oneshot_receiver(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            let (sender, receiver) = oneshot::channel_named("answer");
            World::of(RefCell::new(Some(receiver))).beside("sender", async move |(_, done)| {
                sleep(secs(1)).await;
                if sender.send(7) == Ok(()) {
                    add_one(&done);
                }
            })
        },
        async |receiver| {
            let receiver = receiver.take().unwrap();
            receiver.await.unwrap()
        },
        async |receiver, output| {
            receiver.others_end().await;
            assert!(output.is_none_or(|output| output == 7));
            // Who was dropped has closed it; what was sent before that was sent.
            assert!(output.is_none() || receiver.done.get() == 1);
        },
    )
}

fn oneshot_closed(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            let (sender, receiver) = oneshot::channel_named::<u32>("answer");
            World::of(RefCell::new(Some(sender))).beside("receiver", async move |_| {
                sleep(secs(1)).await;
                drop(receiver);
            })
        },
        async |sender| {
            let mut own = sender.take().unwrap();
            own.closed().await;
            *sender.borrow_mut() = Some(own);
        },
        async |sender, output| {
            sender.others_end().await;
            assert_eq!(sender.take().is_some_and(|sender| sender.is_closed()), output.is_some());
        },
    )
}

/// A value that goes from 0 to 3, and one who watches it.
struct Watched {
    watcher: RefCell<watch::Receiver<u32>>,
    other: watch::Receiver<u32>,
}

async fn watched() -> World<Watched> {
    let (sender, watcher) = watch::channel_named("value", 0);
    let other = watcher.clone();
    World::of(Watched { watcher: RefCell::new(watcher), other })
        .beside("also", async |(watched, done)| {
            let mut watcher = watched.other.clone();
            assert_eq!(*watcher.wait_for(|value| *value == 3).await.unwrap(), 3);
            add_one(&done);
        })
        .beside("sender", async move |_| {
            for value in 1..=3 {
                sleep(secs(1)).await;
                sender.send(value).unwrap();
            }
        })
}

async fn the_last_value_is_seen<T>(watched: &World<Watched>, _: Option<T>) {
    watched.others_end().await;
    assert_eq!(watched.done.get(), 1);
    let mut watcher = watched.watcher.borrow().clone();
    assert_eq!(*watcher.borrow_and_update(), 3);
}

fn watch_changed(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        watched,
        async |watched| {
            let mut watcher = watched.watcher.borrow().clone();
            watcher.changed().await.unwrap();
            yield_now().await;
            *watcher.borrow()
        },
        async |watched, output| {
            assert!(output.is_none_or(|value| value > 0), "changed, and not to the value before");
            let is_seen = !watched.watcher.borrow().has_changed().unwrap_or(true);
            assert!(!is_seen || *watched.other.borrow() == 0, "seen by nobody, and marked as seen");
            the_last_value_is_seen(watched, output).await;
        },
    )
}

fn watch_wait_for(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        watched,
        async |watched| {
            let mut watcher = watched.watcher.borrow().clone();
            *watcher.wait_for(|value| *value >= 2).await.unwrap()
        },
        async |watched, output| {
            assert!(output.is_none_or(|value| value >= 2));
            the_last_value_is_seen(watched, output).await;
        },
    )
}

fn watch_closed(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            let (sender, watcher) = watch::channel_named("value", 0);
            World::of(sender)
                .beside("watcher", async move |_| {
                    sleep(secs(1)).await;
                    drop(watcher);
                })
                .beside("also", async |(sender, done)| {
                    sender.closed().await;
                    add_one(&done);
                })
        },
        async |sender| sender.closed().await,
        async |sender, _| {
            sender.others_end().await;
            assert_eq!((sender.done.get(), sender.is_closed()), (1, true));
        },
    )
}

fn broadcast_recv(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            let (sender, receiver) = broadcast::channel_named("news", 8);
            let mut other = receiver.resubscribe();
            World::of((RefCell::new(Some(receiver)), RefCell::new(Vec::new())))
                .beside("also", async move |(_, done)| {
                    while other.recv().await.is_ok() {
                        add_one(&done);
                    }
                })
                .beside("sender", async move |_| {
                    for value in 1..=3 {
                        sleep(secs(1)).await;
                        sender.send(value).unwrap();
                    }
                })
        },
        async |world| {
            let (receiver, received) = &*world.it;
            // Put back when it is dropped, too: what has been received is not received again.
            let mut own = Lent { receiver: receiver.take(), home: receiver };
            for _ in 0..2 {
                let value = own.receiver.as_mut().unwrap().recv().await.unwrap();
                received.borrow_mut().push(value);
            }
        },
        async |world, _| {
            world.others_end().await;
            let (receiver, received) = &*world.it;
            let mut receiver = receiver.take().unwrap();
            while let Ok(value) = receiver.recv().await {
                received.borrow_mut().push(value);
            }
            assert_eq!((received.take(), world.done.get()), (vec![1, 2, 3], 3));
        },
    )
}

/// A receiver that goes home when it is dropped.
struct Lent<'a> {
    receiver: Option<broadcast::Receiver<u32>>,
    home: &'a RefCell<Option<broadcast::Receiver<u32>>>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        *self.home.borrow_mut() = self.receiver.take();
    }
}
