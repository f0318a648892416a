//! Two cooks wait for an order, and one of them is called away.
//!
//! What is wrong: `notify` wakes one waiter of the condition, which then has to lock again and to
//! look. When it is cancelled in between, the notification has been used and nothing was done about
//! it: the order lies there, and the other cook sleeps.
//!
//! The repair is a condition whose waiter, dropped with a notification that it has not used, gives it
//! to the next one.

use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::sync::{Condition, Mutex, MutexGuard};
use parcae::time::sleep;
use parcae::{Task, spawn_named};

use super::line::{Line, Waiter};
use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "lost-notification",
    summary: "Two cooks wait for orders at a condition, and one of them is called away.",
    defect: "Cancelled after its wake, a cook keeps the notification; the twin's condition passes it on.",
    source: "asyncio's Condition (gh-112202), anyio#1075, tokio#8075",
    failure_kind: "deadlock",
    seeds_until_found: 500,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

/// Orders that wait on the board.
type Board = Mutex<Vec<&'static str>>;

async fn buggy() {
    let kitchen = Rc::new((board(), Line::default()));
    let cook = |name| {
        let kitchen = kitchen.clone();
        spawn_named(name, async move {
            let (board, arrived) = &*kitchen;
            let mut orders = board.lock().await;
            while orders.is_empty() {
                orders = wait(arrived, board, orders).await;
            }
            orders.pop()
        })
    };
    let (first, second) = (cook("cook-1"), cook("cook-2"));
    let waiter = spawn_named("waiter", {
        let kitchen = kitchen.clone();
        async move {
            let (board, arrived) = &*kitchen;
            sleep(ORDERED).await;
            board.lock().await.push("soup");
            notify(arrived);
        }
    });
    if call_away(first).await {
        // The first one has taken the soup: the other one needs an order too.
        kitchen.0.lock().await.push("fish");
        notify(&kitchen.1);
    }
    waiter.await;
    assert!(second.await.is_some());
}

/// Lets go of the lock until it is notified.
async fn wait<'a, T>(
    line: &Line,
    lock: &'a Mutex<T>,
    guard: MutexGuard<'a, T>,
) -> MutexGuard<'a, T> {
    let own = line.push("an order");
    drop(guard);
    let place = Place { line, own: &own };
    own.wait().await;
    drop(place);
    lock.lock().await
}

fn notify(line: &Line) {
    if let Some(waiter) = line.first_asleep() {
        waiter.set();
    }
}

async fn fixed() {
    let kitchen = Rc::new((board(), Condition::new().named("an order")));
    let cook = |name| {
        let kitchen = kitchen.clone();
        spawn_named(name, async move {
            let (board, arrived) = &*kitchen;
            let mut orders = board.lock().await;
            while orders.is_empty() {
                orders = arrived.wait(orders).await;
            }
            orders.pop()
        })
    };
    let (first, second) = (cook("cook-1"), cook("cook-2"));
    let waiter = spawn_named("waiter", {
        let kitchen = kitchen.clone();
        async move {
            let (board, arrived) = &*kitchen;
            sleep(ORDERED).await;
            board.lock().await.push("soup");
            arrived.notify_one();
        }
    });
    if call_away(first).await {
        kitchen.0.lock().await.push("fish");
        kitchen.1.notify_one();
    }
    waiter.await;
    assert!(second.await.is_some());
}

/// Takes its waiter out of the line when it is dropped, and no more.
struct Place<'a> {
    line: &'a Line,
    own: &'a Waiter,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.line.remove(self.own);
    }
}

fn board() -> Board {
    Mutex::new(Vec::new()).named("board")
}

const ORDERED: Duration = Duration::from_millis(20);

/// Cancels a cook at some time, and tells whether it was done before.
async fn call_away(cook: Task<Option<&'static str>>) -> bool {
    sleep(choose_for("time of the call", 0, 1..=3) * Duration::from_millis(10)).await;
    cook.cancel().await.is_some()
}
