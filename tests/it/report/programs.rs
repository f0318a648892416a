//! Programs that fail in known ways. In a file of their own, so that their lines stay.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parcae::sync::Mutex;
use parcae::task::{settle, yield_now};
use parcae::testing::Shared;
use parcae::{choose, spawn_named};

/// Two tasks add one each; `slow` lets others go first between its read and its write.
pub(super) async fn lost_update() {
    let counter = Rc::new(Cell::new(0));
    let (quick, slow) = (counter.clone(), counter.clone());
    let quick = spawn_named("quick", async move { quick.set(quick.get() + 1) });
    let slow = spawn_named("slow", async move {
        let value = slow.get();
        yield_now().await;
        slow.set(value + 1);
    });
    quick.await;
    slow.await;
    assert_eq!(counter.get(), 2, "an update is lost");
}

/// Loses an update in the default world.
pub(super) async fn always_lost_update() {
    let counter = Rc::new(Cell::new(0));
    let adders: Vec<_> = ["a", "b"]
        .into_iter()
        .map(|name| {
            let counter = counter.clone();
            spawn_named(name, async move {
                let value = counter.get();
                yield_now().await;
                counter.set(value + 1);
            })
        })
        .collect();
    for adder in adders {
        adder.await;
    }
    assert_eq!(counter.get(), 2);
}

/// Two tasks wait for something that nobody ever does.
pub(super) async fn deadlock() {
    let left = spawn_named("left", pending::<()>());
    let right = spawn_named("right", async move {
        left.await;
    });
    right.await;
}

/// Leaves a task behind that sleeps.
pub(super) async fn leak() {
    spawn_named("heartbeat", async { parcae::time::sleep(Duration::from_secs(5)).await }).detach();
    parcae::time::sleep(Duration::from_millis(10)).await;
}

/// Two tasks let each other go first for ever.
pub(super) async fn livelock() {
    let polite = || async {
        loop {
            yield_now().await;
        }
    };
    let first = spawn_named("polite", polite());
    let second = spawn_named("polite", polite());
    first.await;
    second.await;
}

/// Sleeps a hundred times, then fails.
pub(super) async fn sleeps_again_and_again() -> Result<(), &'static str> {
    for _ in 0..100 {
        parcae::time::sleep(Duration::from_millis(1)).await;
    }
    Err("no more")
}

/// A task panics in the middle of the run, and is joined at its end.
pub(super) async fn panics_long_before_the_end() {
    let worker = spawn_named("worker", async {
        parcae::time::sleep(Duration::from_millis(50)).await;
        panic!("out of cheese");
    });
    sleeps_again_and_again().await.expect_err("it fails");
    worker.await;
}

/// A detached task panics, after a while.
pub(super) async fn panics_in_a_task() {
    let worker = spawn_named("worker", async {
        parcae::time::sleep(Duration::from_millis(250)).await;
        panic!("out of cheese\nredo from start");
    });
    worker.detach();
    parcae::time::sleep(Duration::from_secs(1)).await;
}

/// Fails for a size of 7 or more, whatever the schedule; the delay has no part in it.
pub(super) async fn fails_for_large_sizes() -> Result<(), String> {
    let size = choose(0..=100);
    let delay = parcae::rng::choose_for("delay", 3, 0..=9);
    parcae::time::sleep(Duration::from_millis(delay)).await;
    if size < 7 { Ok(()) } else { Err(format!("no room for {size}")) }
}

/// Fails in one way when two sizes are large enough, and in another when only the first one is.
pub(super) async fn fails_in_two_ways() {
    let (first, second) = (choose(0..=9), choose(0..=9));
    assert!(first < 5 || second < 1, "both are large: {first}, {second}");
    assert!(first < 5, "the first one is large: {first}");
}

/// Fails when many small things come together.
pub(super) async fn fails_for_large_sums() {
    let sum: u64 = (0..80).map(|item| parcae::rng::choose_for("size", item, 0..=9)).sum();
    assert!(sum < 300, "the sum is {sum}");
}

/// Keeps a count from run to run, outside of the simulation.
pub(super) async fn depends_on_a_static() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    choose(0..=9);
    parcae::time::sleep(Duration::from_millis(run)).await;
}

/// Three timers are due at one instant.
pub(super) async fn turns() {
    let order = Rc::new(Cell::new(0));
    let names = ["one", "two", "three"];
    let tasks: Vec<_> = names
        .into_iter()
        .zip(0..)
        .map(|(name, number)| {
            let order = order.clone();
            spawn_named(name, async move {
                parcae::time::sleep(Duration::from_millis(20)).await;
                order.set(order.get() * 10 + number);
            })
        })
        .collect();
    for task in tasks {
        task.await;
    }
    // 0, 1, 2 in this order is 12.
    assert_ne!(order.get(), 210, "in reverse");
}

/// Two tasks add one each to a cell whose accesses are points.
pub(super) async fn shared_lost_update() {
    let counter = Rc::new(Shared::new(0).named("counter"));
    let add_one = |counter: Rc<Shared<u32>>| async move {
        let value = counter.get().await;
        counter.set(value + 1).await;
    };
    let writer = spawn_named("writer", add_one(counter.clone()));
    add_one(counter.clone()).await;
    writer.await;
    assert!(counter.peek() == 2, "an update is lost");
}

/// Two tasks lock two accounts in opposite orders.
pub(super) async fn opposite_locks() {
    let accounts = Rc::new((Mutex::new(10).named("left"), Mutex::new(10).named("right")));
    let both = accounts.clone();
    let back = spawn_named("back", async move {
        let mut source = both.1.lock().await;
        let mut target = both.0.lock().await;
        *source -= 1;
        *target += 1;
    });
    let both = accounts.clone();
    let forth = spawn_named("forth", async move {
        let mut source = both.0.lock().await;
        let mut target = both.1.lock().await;
        *source -= 1;
        *target += 1;
    });
    back.await;
    forth.await;
}

/// Swaps and updates a cell, and fails in the end.
pub(super) async fn swaps_and_updates() {
    let cell = Shared::new(1).named("cell");
    let unnamed = Shared::new(2);
    cell.swap(7).await;
    cell.update(|value| *value += 1).await;
    unnamed.set(cell.get().await).await;
    panic!("the cell holds {}", unnamed.peek());
}

/// More tasks meet in one lock than there is room for.
pub(super) async fn crowd() {
    let lock = Rc::new(Mutex::new(0).named("lock"));
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let lock = lock.clone();
            spawn_named("client", async move { *lock.lock().await += 1 })
        })
        .collect();
    for task in tasks {
        task.await;
    }
    assert_eq!(*lock.lock().await, 13);
}

/// The program goes on before a task that was there first.
pub(super) async fn overtakes() {
    let has_run = Rc::new(Cell::new(false));
    let other = has_run.clone();
    let other = spawn_named("other", async move { other.set(true) });
    yield_now().await;
    assert!(has_run.get(), "`other` has not run");
    other.await;
}

/// Two timers are due at one instant, after everything else.
pub(super) async fn due_together() {
    let first = Rc::new(Cell::new(""));
    let tasks = ["early", "late"].map(|name| {
        let first = first.clone();
        spawn_named(name, async move {
            parcae::time::sleep(Duration::from_millis(10)).await;
            if first.get().is_empty() {
                first.set(name);
            }
        })
    });
    for task in tasks {
        task.await;
    }
    assert_ne!(first.get(), "late", "it was first");
}

/// One of two tasks is cancelled, then another that was ready before it goes on.
pub(super) async fn cancelled() {
    let order = Rc::new(Cell::new(0));
    let gone = spawn_named("gone", pending::<()>());
    settle().await;
    let tasks = [("one", 1), ("two", 2)].map(|(name, digit)| {
        let order = order.clone();
        drop(spawn_named("dropped", pending::<()>()));
        spawn_named(name, async move { order.set(order.get() * 10 + digit) })
    });
    gone.cancel().await;
    for task in tasks {
        task.await;
    }
    assert_ne!(order.get(), 21, "two was first");
}

/// Who waits for the lock first does not get it second.
pub(super) async fn waits_for_a_lock() {
    let lock = Rc::new(Mutex::new(Vec::new()).named("list"));
    let held = lock.lock().await;
    let tasks = ["one", "two", "three"].map(|name| {
        let lock = lock.clone();
        spawn_named(name, async move { lock.lock().await.push(name) })
    });
    settle().await;
    drop(held);
    for task in tasks {
        task.await;
    }
    assert_ne!(*lock.lock().await, ["one", "three", "two"]);
}

/// A task panics, is observed, and others go on in another order.
pub(super) async fn panics_and_goes_on() {
    let order = Rc::new(Cell::new(0));
    let broken = spawn_named("broken", async { panic!("as it should") });
    let tasks = [("one", 1), ("two", 2)].map(|(name, digit)| {
        let order = order.clone();
        spawn_named(name, async move { order.set(order.get() * 10 + digit) })
    });
    assert!(broken.join().await.is_err());
    for task in tasks {
        task.await;
    }
    assert_ne!(order.get(), 21, "two was first");
}

/// Three tasks yield and then write their digits.
pub(super) async fn yields_and_writes() {
    let order = Rc::new(Cell::new(0));
    let tasks = [("one", 1), ("two", 2), ("three", 3)].map(|(name, digit)| {
        let order = order.clone();
        spawn_named(name, async move {
            yield_now().await;
            order.set(order.get() * 10 + digit);
        })
    });
    for task in tasks {
        task.await;
    }
    assert_eq!(order.get(), 123);
}

/// How the program was edited since the failure was found.
#[derive(Clone, Copy)]
pub(super) enum Edit {
    None,
    Repaired,
    OtherMessage,
    OtherFailure,
    NoDraw,
    OneMoreTask,
}

/// Fails for a size of 3 or more, but for what was edited.
pub(super) async fn edited(edit: Edit) {
    if let Edit::OneMoreTask = edit {
        spawn_named("idle", async {}).await;
    }
    if let Edit::OtherFailure = edit {
        let idle = spawn_named("idle", async { panic!("idle is broken") });
        idle.await;
    }
    let size = if let Edit::NoDraw = edit { 9 } else { choose(0..=9) };
    tracing::debug!(size, "size is chosen");
    match edit {
        Edit::Repaired => {}
        Edit::OtherMessage => assert!(size < 3, "broken by another reason"),
        _ => assert!(size < 3, "size is {size}"),
    }
}
