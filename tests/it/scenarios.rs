//! Small programs with known bugs, for the tests of exploration.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use parcae::Task;
use parcae::sync::Mutex;
use parcae::testing::Shared;
use parcae::time::sleep;

/// What a test of robustness adds to a program without touching its bug.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Noise {
    /// An unrelated draw in another task.
    pub(crate) draws: u64,
    /// An unrelated task, spawned before, between or after the others.
    pub(crate) spawn: Option<SpawnPlace>,
    /// The tasks of the program have no names.
    pub(crate) is_unnamed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpawnPlace {
    First,
    Between,
    Last,
}

impl Noise {
    fn spawn_at(self, place: SpawnPlace, spawned: &mut Vec<Task<()>>) {
        if self.spawn == Some(place) {
            spawned.push(parcae::spawn(async {
                for _ in 0..3 {
                    parcae::task::yield_now().await;
                }
            }));
        }
    }

    /// Spawns a task of the program, with its name or without.
    fn spawn<F: Future<Output = ()> + 'static>(self, name: &'static str, task: F) -> Task<()> {
        if self.is_unnamed { parcae::spawn(task) } else { parcae::spawn_named(name, task) }
    }

    fn draw(self) {
        for _ in 0..self.draws {
            let _ = parcae::choose(0..1000);
        }
    }
}

/// Three tasks read, add one, write: an update is lost when one is preempted in between.
pub(crate) async fn lost_update(noise: Noise) {
    let counter = Arc::new(Shared::new(0_u32).named("counter"));
    let mut extra = Vec::new();
    let mut tasks = Vec::new();
    noise.spawn_at(SpawnPlace::First, &mut extra);
    for _ in 0..3 {
        let counter = counter.clone();
        tasks.push(noise.spawn("increment", async move {
            let value = counter.get().await;
            counter.set(value + 1).await;
        }));
        noise.spawn_at(SpawnPlace::Between, &mut extra);
    }
    extra.push(noise.spawn("bystander", async move { noise.draw() }));
    noise.spawn_at(SpawnPlace::Last, &mut extra);
    for task in tasks.into_iter().chain(extra) {
        task.await;
    }
    assert_eq!(counter.peek(), 3, "an update was lost");
}

/// As [`lost_update`], under a lock.
pub(crate) async fn lost_update_fixed() {
    let counter = Arc::new(Mutex::new(0_u32));
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let counter = counter.clone();
            parcae::spawn_named("increment", async move {
                let mut value = counter.lock().await;
                parcae::task::yield_now().await;
                *value += 1;
            })
        })
        .collect();
    for task in tasks {
        task.await;
    }
    assert_eq!(*counter.lock().await, 3);
}

/// Two accounts, two transfers that lock them in opposite order.
pub(crate) async fn lock_inversion() {
    let locks = Rc::new([Mutex::new(0).named("left"), Mutex::new(0).named("right")]);
    let tasks: Vec<_> = [(0, 1), (1, 0)]
        .into_iter()
        .map(|(first, second)| {
            let locks = locks.clone();
            parcae::spawn_named("transfer", async move {
                let mut from = locks[first].lock().await;
                let mut to = locks[second].lock().await;
                *from -= 1;
                *to += 1;
            })
        })
        .collect();
    for task in tasks {
        task.await;
    }
}

/// Needs two drawn numbers: 7 or more for one, a sum of 20 for both.
pub(crate) async fn needs_numbers() {
    let noise: Vec<_> = (0..5)
        .map(|_| {
            parcae::spawn_named("noise", async {
                sleep(Duration::from_millis(parcae::choose(1..100))).await;
            })
        })
        .collect();
    let width = parcae::rng::choose_for("width", 0, 0..100);
    let height = parcae::rng::choose_for("height", 0, 0..100);
    for task in noise {
        task.await;
    }
    assert!(width < 7 || width + height < 20, "does not fit: {width}x{height}");
}

/// A reader sees a value between two writes that belong together, in one of two ways.
pub(crate) async fn torn_read(noise: Noise) {
    let left = Arc::new(Shared::new(0_u32).named("left"));
    let right = Arc::new(Shared::new(0_u32).named("right"));
    let mut extra = Vec::new();
    noise.spawn_at(SpawnPlace::First, &mut extra);
    let writer = {
        let (left, right) = (left.clone(), right.clone());
        noise.spawn("writer", async move {
            for value in 1..=3 {
                left.set(value).await;
                right.set(value).await;
            }
        })
    };
    noise.spawn_at(SpawnPlace::Between, &mut extra);
    let reader = noise.spawn("reader", async move {
        let seen = (left.get().await, right.get().await);
        assert_eq!(seen.0, seen.1, "a torn read");
    });
    extra.push(noise.spawn("bystander", async move { noise.draw() }));
    noise.spawn_at(SpawnPlace::Last, &mut extra);
    for task in [writer, reader].into_iter().chain(extra) {
        task.await;
    }
}

/// Five tasks in a ring, each of which locks its left neighbour's fork and then its right one's.
pub(crate) async fn philosophers() {
    let forks: Rc<Vec<Mutex<()>>> = Rc::new((0..5).map(|_| Mutex::new(())).collect());
    let tasks: Vec<_> = (0..5)
        .map(|place| {
            let forks = forks.clone();
            parcae::spawn_named("philosopher", async move {
                for _ in 0..3 {
                    let _left = forks[place].lock().await;
                    let _right = forks[(place + 1) % 5].lock().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await;
    }
}
