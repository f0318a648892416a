//! What the primitives of `sync` cost, beside those of `tokio::sync`.
//!
//! Each workload is written once per side, as its user would write it. "parcae on tokio" is parcae's
//! primitive in tokio's runtime: what it costs outside of a simulation.

use std::hint::black_box;
use std::rc::Rc;

use crate::core_costs::{fifo, random, tokio};
use crate::measure::{Options, Side, Workload, time_table};

/// Measures everything and returns the tables.
pub(crate) fn table(options: &Options) -> String {
    time_table(workloads(), options)
}

fn workloads() -> Vec<Workload> {
    vec![
        Workload {
            name: "lock and unlock, nobody else",
            operation: "lock",
            operations: LOCKS,
            sides: vec![
                Side::new("tokio", || tokio(tokio_locks())),
                Side::new("parcae", || fifo(locks())).with_target(0.6),
                Side::new("parcae, random", || random(locks())),
                Side::new("parcae on tokio", || tokio(locks())),
            ],
        },
        Workload {
            name: "acquire and release, nobody else",
            operation: "permit",
            operations: LOCKS,
            sides: vec![
                Side::new("tokio", || tokio(tokio_permits())),
                Side::new("parcae", || fifo(permits())).with_target(0.6),
                Side::new("parcae, random", || random(permits())),
                Side::new("parcae on tokio", || tokio(permits())),
            ],
        },
        Workload {
            name: "lock held over a yield, 3 tasks",
            operation: "lock",
            operations: 3 * LOCKS_OF_THREE,
            sides: vec![
                Side::new("tokio", || tokio(tokio_contended_locks())),
                Side::new("parcae", || fifo(contended_locks())),
                Side::new("parcae, random", || random(contended_locks())),
            ],
        },
    ]
}

// Locks and permits

async fn locks() {
    let mutex = parcae::sync::Mutex::new(0_u64);
    for number in 0..LOCKS {
        *mutex.lock().await += u64::from(number);
    }
    black_box(mutex.into_inner());
}

async fn tokio_locks() {
    let mutex = tokio::sync::Mutex::new(0_u64);
    for number in 0..LOCKS {
        *mutex.lock().await += u64::from(number);
    }
    black_box(mutex.into_inner());
}

async fn permits() {
    let semaphore = parcae::sync::Semaphore::new(3);
    for _ in 0..LOCKS {
        drop(black_box(semaphore.acquire().await.expect("it is open")));
    }
}

async fn tokio_permits() {
    let semaphore = tokio::sync::Semaphore::new(3);
    for _ in 0..LOCKS {
        drop(black_box(semaphore.acquire().await.expect("it is open")));
    }
}

async fn contended_locks() {
    let mutex = Rc::new(parcae::sync::Mutex::new(0_u64));
    let spawn = |_| {
        let mutex = mutex.clone();
        parcae::spawn(async move {
            for number in 0..LOCKS_OF_THREE {
                let mut guard = mutex.lock().await;
                parcae::task::yield_now().await;
                *guard += u64::from(number);
            }
        })
    };
    for task in [spawn(1), spawn(2), spawn(3)] {
        task.await;
    }
}

async fn tokio_contended_locks() {
    let mutex = std::sync::Arc::new(tokio::sync::Mutex::new(0_u64));
    let spawn = |_| {
        let mutex = mutex.clone();
        tokio::spawn(async move {
            for number in 0..LOCKS_OF_THREE {
                let mut guard = mutex.lock().await;
                tokio::task::yield_now().await;
                *guard += u64::from(number);
            }
        })
    };
    for task in [spawn(1), spawn(2), spawn(3)] {
        task.await.expect("it does not panic");
    }
}

const LOCKS: u32 = 2_000_000;
const LOCKS_OF_THREE: u32 = 200_000;
