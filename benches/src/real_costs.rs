//! What the production backend costs beside the crates that it stands on.
//!
//! The plain side is `async_executor::LocalExecutor` in `async_io::block_on`, as their users write it.
//! Times are those of the thread that runs the tasks; the reactor has a thread of its own beside it.

use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use async_executor::LocalExecutor;

use crate::measure::{Options, Side, Workload, time_table};

/// Measures everything and returns the table.
pub(crate) fn table(options: &Options) -> String {
    time_table(poll_workloads().into_iter().chain(task_workloads()).collect(), options)
}

/// Polls of leaves, which look at the context.
fn poll_workloads() -> Vec<Workload> {
    vec![
        Workload {
            name: "yield, 1 task",
            operation: "yield",
            operations: YIELDS,
            sides: vec![
                Side::new("plain", || plain(|_| plain_yields(YIELDS))),
                Side::new("parcae", || real(yields(YIELDS))).with_target(1.10),
            ],
        },
        Workload {
            name: "yield, 1,000 tasks",
            operation: "yield",
            operations: 1000 * (YIELDS / 1000),
            sides: vec![
                Side::new("plain", || plain(plain_yield_storm)),
                Side::new("parcae", || real(yield_storm())).with_target(1.10),
            ],
        },
        Workload {
            name: "a timer ahead, polled again",
            operation: "poll",
            operations: POLLS,
            sides: vec![
                Side::new("plain", || {
                    plain(|_| poll_often(plain_sleep()));
                }),
                Side::new("parcae", || real(poll_often(parcae_sleep()))).with_target(1.10),
            ],
        },
        Workload {
            name: "a timer made, polled, dropped",
            operation: "timer",
            operations: TIMERS,
            sides: vec![
                Side::new("plain", || plain(|_| plain_timers())),
                Side::new("parcae", || real(timers())).with_target(1.10),
            ],
        },
    ]
}

fn task_workloads() -> Vec<Workload> {
    vec![
        Workload {
            name: "spawn and join, one at a time",
            operation: "task",
            operations: TASKS,
            sides: vec![
                Side::new("plain", || plain(plain_spawn_join)),
                Side::new("parcae", || real(spawn_join())),
            ],
        },
        Workload {
            name: "a queue of 64, one producer, one consumer",
            operation: "item",
            operations: ITEMS,
            sides: vec![
                Side::new("plain", || plain(plain_queue)),
                Side::new("parcae", || real(queue())),
            ],
        },
    ]
}

fn real(program: impl Future<Output = ()> + 'static) {
    parcae::real::run(program);
}

#[expect(clippy::disallowed_methods, reason = "the peer, as its users write it")]
fn plain<F: Future<Output = ()> + 'static>(program: impl FnOnce(Rc<LocalExecutor<'static>>) -> F) {
    let executor = Rc::new(LocalExecutor::new());
    let task = executor.spawn(program(executor.clone()));
    async_io::block_on(executor.run(task));
}

async fn plain_yields(count: u32) {
    for _ in 0..count {
        futures_lite::future::yield_now().await;
    }
}

async fn yields(count: u32) {
    for _ in 0..count {
        parcae::task::yield_now().await;
    }
}

async fn plain_yield_storm(executor: Rc<LocalExecutor<'static>>) {
    let tasks: Vec<_> = (0..1000).map(|_| executor.spawn(plain_yields(YIELDS / 1000))).collect();
    for task in tasks {
        task.await;
    }
}

async fn yield_storm() {
    let tasks: Vec<_> = (0..1000).map(|_| parcae::spawn(yields(YIELDS / 1000))).collect();
    for task in tasks {
        task.await;
    }
}

async fn plain_sleep() {
    async_io::Timer::after(HOUR).await;
}

async fn parcae_sleep() {
    parcae::time::sleep(HOUR).await;
}

/// Polls a future that is not ready so many times, without giving way.
async fn poll_often(future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    poll_fn(|context| {
        for _ in 0..POLLS {
            assert!(black_box(future.as_mut().poll(context)).is_pending());
        }
        Poll::Ready(())
    })
    .await;
}

async fn plain_timers() {
    for _ in 0..TIMERS {
        let mut timer = pin!(plain_sleep());
        poll_fn(|context| Poll::Ready(black_box(timer.as_mut().poll(context)).is_pending())).await;
    }
}

async fn timers() {
    for _ in 0..TIMERS {
        let mut timer = pin!(parcae_sleep());
        poll_fn(|context| Poll::Ready(black_box(timer.as_mut().poll(context)).is_pending())).await;
    }
}

async fn plain_spawn_join(executor: Rc<LocalExecutor<'static>>) {
    for number in 0..TASKS {
        assert_eq!(executor.spawn(async move { number }).await, number);
    }
}

async fn spawn_join() {
    for number in 0..TASKS {
        assert_eq!(parcae::spawn(async move { number }).await, number);
    }
}

async fn plain_queue(executor: Rc<LocalExecutor<'static>>) {
    let (sender, receiver) = async_channel::bounded(64);
    let producer = executor.spawn(async move {
        for number in 0..ITEMS {
            sender.send(number).await.expect("there is a receiver");
        }
    });
    for number in 0..ITEMS {
        assert_eq!(receiver.recv().await, Ok(number));
    }
    producer.await;
}

async fn queue() {
    let queue = parcae::sync::Queue::bounded(64);
    let items = queue.clone();
    let producer = parcae::spawn(async move {
        for number in 0..ITEMS {
            items.put(number).await.expect("the queue is open");
        }
    });
    for number in 0..ITEMS {
        assert_eq!(queue.get().await, Ok(number));
    }
    producer.await;
}

const HOUR: Duration = Duration::from_secs(3600);
const YIELDS: u32 = 1_000_000;
const POLLS: u32 = 1_000_000;
const TIMERS: u32 = 200_000;
const TASKS: u32 = 300_000;
const ITEMS: u32 = 1_000_000;
