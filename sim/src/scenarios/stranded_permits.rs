//! Seats in a restaurant become free, and another guest comes in at that moment.
//!
//! What is wrong: free seats go to the guests in the line, and a newcomer queues behind a line, to
//! overtake nobody. But a guest that has been given a seat stands in the line until it runs. A
//! newcomer that comes before that queues behind one that needs nothing any more, beside free seats,
//! and nothing will wake it.
//!
//! The repair looks at the places in the line whenever anything changes, also when a guest leaves it:
//! whose place is below the number of free seats may go on.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::spawn_named;
use parcae::sync::Semaphore;
use parcae::time::sleep;

use super::line::Line;
use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "stranded-permits",
    summary: "Three seats become free while one guest waits, and another one comes in.",
    defect: "It queues behind a guest that has a seat, beside free ones; the twin goes by the line.",
    source: "CPython's test_acquire_fifo_order_4, and a prototype of parcae's own semaphore",
    failure_kind: "deadlock",
    seeds_until_found: 500,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

#[derive(Default)]
struct Seats {
    free: Cell<usize>,
    line: Line,
}

impl Seats {
    async fn take(&self) {
        if self.free.get() > 0 && self.line.is_empty() {
            self.free.set(self.free.get() - 1);
            return;
        }
        let own = self.line.push("a seat");
        own.wait().await;
        self.line.remove(&own);
    }

    fn add(&self, count: usize) {
        self.free.set(self.free.get() + count);
        while let Some(guest) = self.line.first_asleep().filter(|_| self.free.get() > 0) {
            // The guest's from here on, so that nobody barges in.
            self.free.set(self.free.get() - 1);
            guest.set();
        }
    }
}

async fn buggy() {
    let seats = Rc::new(Seats::default());
    let guest = |name, comes_after| {
        let seats = seats.clone();
        spawn_named(name, async move {
            sleep(comes_after).await;
            seats.take().await;
        })
    };
    let (first, second) = (guest("first", Duration::ZERO), guest("second", somewhen()));
    sleep(CLEARED).await;
    seats.add(3);
    first.await;
    second.await;
    assert_eq!(seats.free.get(), 1);
}

async fn fixed() {
    let seats = Rc::new(Semaphore::new(0).named("seats"));
    let guest = |name, comes_after| {
        let seats = seats.clone();
        spawn_named(name, async move {
            sleep(comes_after).await;
            seats.acquire().await.expect("nobody closes it").forget();
        })
    };
    let (first, second) = (guest("first", Duration::ZERO), guest("second", somewhen()));
    sleep(CLEARED).await;
    seats.add_permits(3);
    first.await;
    second.await;
    assert_eq!(seats.available_permits(), 1);
}

const CLEARED: Duration = Duration::from_millis(20);

fn somewhen() -> Duration {
    choose_for("time of arrival", 0, 1..=3) * Duration::from_millis(10)
}
