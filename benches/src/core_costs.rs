//! What the executor costs: tasks, yields, timers, whole runs, memory.
//!
//! Each workload is written once per side, as its user would write it. Times include the set-up and
//! the end of the runtime.

use std::future::Future;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use parcae::Sim;
use parcae::executor::Limits;
use parcae::explore::Strategy;

use crate::counting::{self, Counts, counted};
use crate::measure::{Options, Side, Workload, per_operation, row, time_table};

/// Measures everything and returns the tables.
pub(crate) fn table(options: &Options) -> String {
    let workloads = task_workloads().into_iter().chain(timer_workloads()).chain(run_workloads());
    let times = time_table(workloads.collect(), options);
    if options.is_partial() { times } else { format!("{times}\n{}", memory_table()) }
}

fn task_workloads() -> Vec<Workload> {
    vec![
        Workload {
            name: "spawn and join, one at a time",
            operation: "task",
            operations: TASKS,
            sides: vec![
                Side::new("tokio", || tokio(tokio_spawn_join())),
                Side::new("parcae", || fifo(spawn_join())).with_target(0.25),
                Side::new("parcae, random", || random(spawn_join())),
            ],
        },
        Workload {
            name: "spawn a million, then join all",
            operation: "task",
            operations: TASKS,
            sides: vec![
                Side::new("tokio", || tokio(tokio_spawn_all())),
                Side::new("parcae", || fifo(spawn_all())),
                Side::new("parcae, random", || random(spawn_all())),
            ],
        },
        Workload {
            name: "yield, 1,000 tasks",
            operation: "yield",
            operations: YIELDERS * YIELDS,
            sides: vec![
                Side::new("tokio", || tokio(tokio_yield_storm())),
                Side::new("parcae", || fifo(yield_storm(YIELDERS, YIELDS))).with_target(0.5),
                Side::new("parcae, random", || random(yield_storm(YIELDERS, YIELDS)))
                    .with_target(0.5),
            ],
        },
        Workload {
            name: "yield, 3 tasks",
            operation: "yield",
            operations: 3 * YIELDS_OF_THREE,
            sides: vec![
                Side::new("parcae", || fifo(yield_storm(3, YIELDS_OF_THREE))),
                Side::new("parcae, random", || random(yield_storm(3, YIELDS_OF_THREE))),
            ],
        },
        Workload {
            name: "yield, 3 tasks, the log on",
            operation: "yield",
            operations: 3 * YIELDS_LOGGED,
            sides: vec![
                Side::new("parcae", || fifo(yield_storm(3, YIELDS_LOGGED))),
                Side::new("parcae, log", || {
                    run(Sim::builder().strategy(Strategy::Fifo).log(true), async {
                        yield_storm(3, YIELDS_LOGGED).await;
                    });
                }),
            ],
        },
    ]
}

fn timer_workloads() -> Vec<Workload> {
    vec![
        Workload {
            name: "sleep, 10,000 live",
            operation: "sleep",
            operations: SLEEPERS * SLEEPS,
            sides: vec![
                Side::new("tokio", || tokio(tokio_sleeps())),
                Side::new("parcae", || fifo(sleeps())).with_target(0.5),
                Side::new("parcae, random", || random(sleeps())).with_target(0.5),
            ],
        },
        Workload {
            name: "time-out that does not fire, 10,000 timers pending",
            operation: "time-out",
            operations: TIMEOUTS,
            sides: vec![
                Side::new("tokio", || tokio(async { _ = tokio_timeouts().await })),
                Side::new("parcae", || fifo(async { _ = timeouts().await })).with_target(0.2),
                Side::new("parcae, random", || random(async { _ = timeouts().await })),
            ],
        },
    ]
}

fn run_workloads() -> Vec<Workload> {
    vec![
        Workload {
            name: "a world of 3 tasks, 9 yields and 6 sleeps",
            operation: "run",
            operations: RUNS,
            sides: vec![
                Side::new("tokio", || (0..RUNS).for_each(|_| tokio(tokio_tiny_world()))),
                Side::new("parcae", || (0..RUNS).for_each(|seed| tiny(seed, Strategy::Fifo))),
                Side::new("parcae, random", || {
                    (0..RUNS).for_each(|seed| tiny(seed, Strategy::Random));
                }),
            ],
        },
        Workload {
            name: "an empty run",
            operation: "run",
            operations: RUNS,
            sides: vec![
                Side::new("tokio", || (0..RUNS).for_each(|_| tokio(async {}))),
                Side::new("parcae", || (0..RUNS).for_each(|seed| empty(seed, Strategy::Fifo))),
                Side::new("parcae, random", || {
                    (0..RUNS).for_each(|seed| empty(seed, Strategy::Random));
                }),
            ],
        },
    ]
}

// Worlds

pub(crate) fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.steps = u64::MAX;
    limits.steps_per_instant = u64::MAX;
    limits
}

fn run(sim: parcae::SimBuilder, program: impl Future<Output = ()> + 'static) {
    let sim = sim.limits(limits()).build().expect("the limits are above zero");
    black_box(sim.run(move || program)).unwrap();
}

pub(crate) fn fifo(program: impl Future<Output = ()> + 'static) {
    run(Sim::builder().seed(7).strategy(Strategy::Fifo), program);
}

pub(crate) fn random(program: impl Future<Output = ()> + 'static) {
    run(Sim::builder().seed(7).strategy(Strategy::Random), program);
}

pub(crate) fn tokio<T>(program: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build();
    runtime.expect("a runtime without input and output").block_on(program)
}

// Spawning

async fn spawn_join() {
    for number in 0..TASKS {
        black_box(parcae::spawn(async move { number }).await);
    }
}

async fn tokio_spawn_join() {
    for number in 0..TASKS {
        black_box(tokio::spawn(async move { number }).await.expect("it does not panic"));
    }
}

async fn spawn_all() {
    let tasks: Vec<_> = (0..TASKS).map(|number| parcae::spawn(async move { number })).collect();
    for task in tasks {
        black_box(task.await);
    }
}

async fn tokio_spawn_all() {
    let tasks: Vec<_> = (0..TASKS).map(|number| tokio::spawn(async move { number })).collect();
    for task in tasks {
        black_box(task.await.expect("it does not panic"));
    }
}

// Yielding

async fn yield_storm(tasks: u32, yields: u32) {
    let spawn = |_| {
        parcae::spawn(async move {
            for _ in 0..yields {
                parcae::task::yield_now().await;
            }
        })
    };
    let tasks: Vec<_> = (0..tasks).map(spawn).collect();
    for task in tasks {
        task.await;
    }
}

async fn tokio_yield_storm() {
    let spawn = |_| {
        tokio::spawn(async {
            for _ in 0..YIELDS {
                tokio::task::yield_now().await;
            }
        })
    };
    let tasks: Vec<_> = (0..YIELDERS).map(spawn).collect();
    for task in tasks {
        task.await.expect("it does not panic");
    }
}

// Timers

/// Durations from 1 us to 1 s, the same on all sides: Knuth's 64-bit linear generator.
#[derive(Clone)]
struct Durations(u64);

impl Iterator for Durations {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Some(Duration::from_nanos(1_000 + (self.0 >> 33) * 999_999_000 / (1 << 31)))
    }
}

async fn sleeps() {
    let spawn = |number: u32| {
        parcae::spawn(async move {
            for duration in Durations(number.into()).take(SLEEPS as usize) {
                parcae::time::sleep(duration).await;
            }
        })
    };
    let tasks: Vec<_> = (0..SLEEPERS).map(spawn).collect();
    for task in tasks {
        task.await;
    }
}

async fn tokio_sleeps() {
    let spawn = |number: u32| {
        tokio::spawn(async move {
            for duration in Durations(number.into()).take(SLEEPS as usize) {
                tokio::time::sleep(duration).await;
            }
        })
    };
    let tasks: Vec<_> = (0..SLEEPERS).map(spawn).collect();
    for task in tasks {
        task.await.expect("it does not panic");
    }
}

/// Returns what the time-outs alone allocated and left behind.
async fn timeouts() -> Counts {
    park(SLEEPERS).await;
    // One beforehand: what is made once is not left behind by each.
    _ = parcae::time::timeout(TIMEOUT, parcae::task::yield_now()).await;
    let before = counting::now();
    for _ in 0..TIMEOUTS {
        let result = parcae::time::timeout(TIMEOUT, parcae::task::yield_now()).await;
        result.expect("a yield takes no time");
    }
    counting::now().since(before)
}

async fn tokio_timeouts() -> Counts {
    tokio_park(SLEEPERS).await;
    _ = tokio::time::timeout(TIMEOUT, tokio::task::yield_now()).await;
    let before = counting::now();
    for _ in 0..TIMEOUTS {
        let result = tokio::time::timeout(TIMEOUT, tokio::task::yield_now()).await;
        result.expect("a yield takes no time");
    }
    counting::now().since(before)
}

/// Lets so many tasks sleep for longer than anything lasts here.
async fn park(tasks: u32) {
    for duration in Durations(1).take(tasks as usize) {
        parcae::spawn(async move { parcae::time::sleep(LONG + duration).await }).background();
    }
    parcae::task::settle().await;
}

async fn tokio_park(tasks: u32) {
    for duration in Durations(1).take(tasks as usize) {
        drop(tokio::spawn(async move { tokio::time::sleep(LONG + duration).await }));
    }
    tokio_let_begin(tasks).await;
}

/// Yields until so many tasks have begun: the first task of a runtime goes on after 61 others.
async fn tokio_let_begin(tasks: u32) {
    for _ in 0..=tasks / 61 {
        tokio::task::yield_now().await;
    }
}

// Whole runs

fn tiny(seed: u32, strategy: Strategy) {
    let sim = Sim::builder().seed(u64::from(seed)).strategy(strategy).build();
    black_box(sim.expect("the defaults are possible").run(tiny_world)).unwrap();
}

fn empty(seed: u32, strategy: Strategy) {
    let sim = Sim::builder().seed(u64::from(seed)).strategy(strategy).build();
    black_box(sim.expect("the defaults are possible").run(|| async {})).unwrap();
}

async fn tiny_world() {
    let spawn = |number: u64| {
        parcae::spawn(async move {
            for step in 1..=3 {
                parcae::task::yield_now().await;
                if step > 1 {
                    parcae::time::sleep(Duration::from_millis(number * 7 + step)).await;
                }
            }
        })
    };
    for task in [spawn(1), spawn(2), spawn(3)] {
        task.await;
    }
}

async fn tokio_tiny_world() {
    let spawn = |number: u64| {
        tokio::spawn(async move {
            for step in 1..=3 {
                tokio::task::yield_now().await;
                if step > 1 {
                    tokio::time::sleep(Duration::from_millis(number * 7 + step)).await;
                }
            }
        })
    };
    for task in [spawn(1), spawn(2), spawn(3)] {
        task.await.expect("it does not panic");
    }
}

// Memory

fn memory_table() -> String {
    let mut table = String::from(
        "| what is counted | side | allocations per operation | bytes kept per operation |\n\
         |---|---|--:|--:|\n",
    );
    let mut add = |what: &str, side: &str, operations: u32, counts: Counts| {
        let (allocations, bytes) = per_operation(counts, operations);
        row(&mut table, &[what, side, &allocations, &bytes]);
    };
    let unfired = "time-out that does not fire";
    add(unfired, "tokio", TIMEOUTS, counted(|| tokio(tokio_timeouts())).0);
    add(unfired, "parcae", TIMEOUTS, counted_in_run(timeouts()));
    let parked = "sleeping task, 100,000 of them";
    let sleeping = counted(|| {
        tokio(async {
            let before = counting::now();
            tokio_park(PARKED).await;
            counting::now().since(before)
        })
    });
    add(parked, "tokio", PARKED, sleeping.0);
    let sleeping = counted_in_run(async {
        let before = counting::now();
        park(PARKED).await;
        counting::now().since(before)
    });
    add(parked, "parcae", PARKED, sleeping);
    add(PARKED_ON_EVENT, "tokio", PARKED, tokio_waiting());
    add(PARKED_ON_EVENT, "parcae", PARKED, waiting());
    add(PARKED_ON_ONESHOT, "tokio", PARKED, tokio_receiving());
    add(PARKED_ON_ONESHOT, "parcae", PARKED, receiving());
    let world = "a world of 3 tasks, after its end";
    add(world, "tokio", RUNS, counted(|| (0..RUNS).for_each(|_| tokio(tokio_tiny_world()))).1);
    let runs = || (0..RUNS).for_each(|seed| tiny(seed, Strategy::Random));
    add(world, "parcae, random", RUNS, counted(runs).1);
    table
}

/// Returns what a task that waits for an event keeps, without its future.
fn waiting() -> Counts {
    counted_in_run(async {
        let event = Rc::new(parcae::sync::Event::new());
        let future = |event: &Rc<parcae::sync::Event>| {
            let event = event.clone();
            async move { event.wait().await }
        };
        let size = size_of_val(&future(&event));
        let before = counting::now();
        for _ in 0..PARKED {
            parcae::spawn(future(&event)).background();
        }
        parcae::task::settle().await;
        counting::now().since(before).without(PARKED, size)
    })
}

/// tokio's nearest to an event is `Notify`.
fn tokio_waiting() -> Counts {
    let program = async {
        let event = Arc::new(tokio::sync::Notify::new());
        let future = |event: &Arc<tokio::sync::Notify>| {
            let event = event.clone();
            async move { event.notified().await }
        };
        let size = size_of_val(&future(&event));
        let before = counting::now();
        for _ in 0..PARKED {
            drop(tokio::spawn(future(&event)));
        }
        tokio_let_begin(PARKED).await;
        counting::now().since(before).without(PARKED, size)
    };
    counted(|| tokio(program)).0
}

/// Returns what a task that waits for a value keeps with its channel, without its future.
fn receiving() -> Counts {
    use parcae::sync::oneshot::{Receiver, channel};
    counted_in_run(async {
        let future = |receiver: Receiver<u32>| async move { receiver.await.is_ok() };
        let size = size_of_val(&future(channel().1));
        let mut senders = Vec::with_capacity(PARKED as usize);
        let before = counting::now();
        for _ in 0..PARKED {
            let (sender, receiver) = channel();
            senders.push(sender);
            parcae::spawn(future(receiver)).background();
        }
        parcae::task::settle().await;
        counting::now().since(before).without(PARKED, size)
    })
}

fn tokio_receiving() -> Counts {
    use tokio::sync::oneshot::{Receiver, channel};
    let program = async {
        let future = |receiver: Receiver<u32>| async move { receiver.await.is_ok() };
        let size = size_of_val(&future(channel().1));
        let mut senders = Vec::with_capacity(PARKED as usize);
        let before = counting::now();
        for _ in 0..PARKED {
            let (sender, receiver) = channel();
            senders.push(sender);
            drop(tokio::spawn(future(receiver)));
        }
        tokio_let_begin(PARKED).await;
        counting::now().since(before).without(PARKED, size)
    };
    counted(|| tokio(program)).0
}

pub(crate) fn counted_in_run(program: impl Future<Output = Counts> + 'static) -> Counts {
    let sim = Sim::builder().strategy(Strategy::Fifo).limits(limits()).build();
    let sim = sim.expect("the limits are above zero");
    counted(|| sim.run(move || program).unwrap()).0
}

const TASKS: u32 = 1_000_000;
const YIELDERS: u32 = 1_000;
const YIELDS: u32 = 1_000;
const YIELDS_OF_THREE: u32 = 300_000;
const YIELDS_LOGGED: u32 = 100_000;
const SLEEPERS: u32 = 10_000;
const SLEEPS: u32 = 100;
const TIMEOUTS: u32 = 1_000_000;
const TIMEOUT: Duration = Duration::from_secs(10);
const LONG: Duration = Duration::from_secs(1_000_000);
const RUNS: u32 = 20_000;
const PARKED: u32 = 100_000;
const PARKED_ON_ONESHOT: &str =
    "task that waits for a oneshot, and its channel, 100,000 of them, without its future";
const PARKED_ON_EVENT: &str = "task that waits for an event, 100,000 of them, without its future";
