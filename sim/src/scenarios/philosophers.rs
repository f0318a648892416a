//! Three philosophers at a round table, a fork between each two of them.
//!
//! What is wrong: each takes the fork on the left and then the one on the right. When all of them have
//! the left one, each waits for a neighbour, in a ring.
//!
//! The repair takes the forks in an order that all agree on, the lower number first: in a ring, one of
//! them then begins with the fork on the right.

use std::rc::Rc;

use parcae::sync::Mutex;
use parcae::{Task, spawn_named};

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "philosophers",
    summary: "Three philosophers take the fork on the left, then the one on the right, and eat.",
    defect: "Each has the left fork and waits for the right one; in the twin the lower number goes first.",
    source: "Dijkstra's dining philosophers (1965); inversions of the order of locks",
    failure_kind: "deadlock",
    seeds_until_found: 200,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const SEATS: usize = 3;
const FORKS: [&str; SEATS] = ["fork 1", "fork 2", "fork 3"];

type Fork = Mutex<u32>;

async fn buggy() {
    let forks = forks();
    let philosophers: Vec<Task<()>> = (0..SEATS)
        .map(|seat| {
            let forks = forks.clone();
            spawn_named(format!("philosopher-{}", seat + 1), async move {
                let (left, right) = (seat, (seat + 1) % SEATS);
                let mut left = forks[left].lock().await;
                let mut right = forks[right].lock().await;
                *left += 1;
                *right += 1;
            })
        })
        .collect();
    all_have_eaten(philosophers, &forks).await;
}

async fn fixed() {
    let forks = forks();
    let philosophers: Vec<Task<()>> = (0..SEATS)
        .map(|seat| {
            let forks = forks.clone();
            spawn_named(format!("philosopher-{}", seat + 1), async move {
                let (left, right) = (seat, (seat + 1) % SEATS);
                let mut first = forks[left.min(right)].lock().await;
                let mut second = forks[left.max(right)].lock().await;
                *first += 1;
                *second += 1;
            })
        })
        .collect();
    all_have_eaten(philosophers, &forks).await;
}

fn forks() -> Rc<[Fork; SEATS]> {
    Rc::new(FORKS.map(|name| Mutex::new(0).named(name)))
}

async fn all_have_eaten(philosophers: Vec<Task<()>>, forks: &[Fork; SEATS]) {
    for philosopher in philosophers {
        philosopher.await;
    }
    for fork in forks {
        assert_eq!(*fork.lock().await, 2, "two philosophers eat with each fork");
    }
}
