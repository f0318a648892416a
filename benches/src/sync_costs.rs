//! What the primitives of `sync` cost, beside those of `tokio::sync`.
//!
//! Each workload is written once per side, as its user would write it, and each side runs in its own
//! runtime; "parcae on tokio" is parcae's primitive in tokio's runtime. Times include the set-up and
//! the end of the runtime.

use std::hint::black_box;
use std::sync::{Arc, Mutex};

use parcae::sync::Queue;

use crate::core_costs::{fifo, random, tokio};
use crate::measure::{Options, Side, Workload, time_table};

/// Measures everything and returns the table.
pub(crate) fn table(options: &Options) -> String {
    let workloads =
        queue_workloads().into_iter().chain(oneshot_workloads()).chain(event_workloads());
    time_table(workloads.collect(), options)
}

fn queue_workloads() -> Vec<Workload> {
    vec![
        Workload {
            name: "queue of 1, a producer and a consumer",
            operation: "item",
            operations: ITEMS,
            sides: vec![
                Side::new("tokio", || tokio(tokio_hand_off(1))),
                Side::new("parcae", || fifo(hand_off(1))).with_target(0.8),
                Side::new("parcae, random", || random(hand_off(1))),
                Side::new("parcae on tokio", || tokio(on_tokio_hand_off(1))),
            ],
        },
        Workload {
            name: "queue of 64, a producer and a consumer",
            operation: "item",
            operations: ITEMS,
            sides: vec![
                Side::new("tokio", || tokio(tokio_hand_off(64))),
                Side::new("parcae", || fifo(hand_off(64))).with_target(0.8),
                Side::new("parcae, random", || random(hand_off(64))),
                Side::new("parcae on tokio", || tokio(on_tokio_hand_off(64))),
            ],
        },
        Workload {
            name: "ping and pong through two queues of 1",
            operation: "round trip",
            operations: ROUND_TRIPS,
            sides: vec![
                Side::new("tokio", || tokio(tokio_ping_pong())),
                Side::new("parcae", || fifo(ping_pong())).with_target(0.8),
                Side::new("parcae, random", || random(ping_pong())),
            ],
        },
    ]
}

fn oneshot_workloads() -> Vec<Workload> {
    vec![
        Workload {
            name: "oneshot: make, send, receive",
            operation: "value",
            operations: VALUES,
            sides: vec![
                Side::new("tokio", || tokio(tokio_send_then_receive())),
                Side::new("parcae", || fifo(send_then_receive())).with_target(0.8),
                Side::new("parcae, random", || random(send_then_receive())),
                Side::new("parcae on tokio", || tokio(send_then_receive())),
            ],
        },
        Workload {
            name: "oneshot: a task asks and waits, another answers and yields",
            operation: "answer",
            operations: VALUES,
            sides: vec![
                Side::new("tokio", || tokio(tokio_ask())),
                Side::new("parcae", || fifo(ask())).with_target(0.8),
            ],
        },
    ]
}

/// Ten times as many waiters, and each should cost the same.
fn event_workloads() -> Vec<Workload> {
    vec![
        Workload {
            name: "event: set, and 2,000 waiting tasks go on",
            operation: "waiter",
            operations: 2_000,
            sides: vec![Side::new("parcae", || fifo(release(2_000)))],
        },
        Workload {
            name: "event: set, and 20,000 waiting tasks go on",
            operation: "waiter",
            operations: 20_000,
            sides: vec![Side::new("parcae", || fifo(release(20_000)))],
        },
    ]
}

// Events

async fn release(waiters: u32) {
    let event = Arc::new(parcae::sync::Event::new());
    let spawn = |_| {
        let event = event.clone();
        parcae::spawn(async move { event.wait().await })
    };
    let tasks: Vec<_> = (0..waiters).map(spawn).collect();
    parcae::task::settle().await;
    event.set();
    for task in tasks {
        task.await;
    }
}

// Queues

async fn hand_off(capacity: usize) {
    let queue = Queue::bounded(capacity);
    let producer = parcae::spawn(put_all(queue.clone()));
    get_all(queue).await;
    producer.await;
}

async fn on_tokio_hand_off(capacity: usize) {
    let queue = Queue::bounded(capacity);
    let producer = tokio::spawn(put_all(queue.clone()));
    get_all(queue).await;
    producer.await.expect("it does not panic");
}

async fn put_all(queue: Queue<u32>) {
    for number in 0..ITEMS {
        queue.put(number).await.expect("open");
    }
    queue.close();
}

async fn get_all(queue: Queue<u32>) {
    while let Ok(number) = queue.get().await {
        black_box(number);
    }
}

async fn tokio_hand_off(capacity: usize) {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(capacity);
    let producer = tokio::spawn(async move {
        for number in 0..ITEMS {
            sender.send(number).await.expect("open");
        }
    });
    while let Some(number) = receiver.recv().await {
        black_box(number);
    }
    producer.await.expect("it does not panic");
}

async fn ping_pong() {
    let (pings, pongs) = (Queue::bounded(1), Queue::bounded(1));
    let other = parcae::spawn({
        let (pings, pongs) = (pings.clone(), pongs.clone());
        async move {
            while let Ok(number) = pings.get().await {
                pongs.put(number + 1_u32).await.expect("open");
            }
        }
    });
    for number in 0..ROUND_TRIPS {
        pings.put(number).await.expect("open");
        black_box(pongs.get().await).expect("open");
    }
    pings.close();
    other.await;
}

async fn tokio_ping_pong() {
    let (ping, mut pings) = tokio::sync::mpsc::channel(1);
    let (pong, mut pongs) = tokio::sync::mpsc::channel(1);
    let other = tokio::spawn(async move {
        while let Some(number) = pings.recv().await {
            pong.send(number + 1_u32).await.expect("open");
        }
    });
    for number in 0..ROUND_TRIPS {
        ping.send(number).await.expect("open");
        black_box(pongs.recv().await).expect("open");
    }
    drop(ping);
    other.await.expect("it does not panic");
}

// Single values

async fn send_then_receive() {
    for number in 0..VALUES {
        let (sender, receiver) = parcae::sync::oneshot::channel();
        sender.send(number).expect("there is a receiver");
        black_box(receiver.await).expect("it was sent");
    }
}

async fn tokio_send_then_receive() {
    for number in 0..VALUES {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        sender.send(number).expect("there is a receiver");
        black_box(receiver.await).expect("it was sent");
    }
}

/// Where a question lies until it is answered.
type Desk<S> = Arc<Mutex<Option<S>>>;

async fn ask() {
    let desk: Desk<parcae::sync::oneshot::Sender<u32>> = Desk::default();
    let clerk = parcae::spawn({
        let desk = desk.clone();
        async move {
            for number in 0..VALUES {
                let sender = desk.lock().expect(UNPOISONED).take().expect("it is asked first");
                sender.send(number).expect("there is a receiver");
                parcae::task::yield_now().await;
            }
        }
    });
    for _ in 0..VALUES {
        let (sender, receiver) = parcae::sync::oneshot::channel();
        *desk.lock().expect(UNPOISONED) = Some(sender);
        black_box(receiver.await).expect("it is answered");
    }
    clerk.await;
}

async fn tokio_ask() {
    let desk: Desk<tokio::sync::oneshot::Sender<u32>> = Desk::default();
    let clerk = tokio::spawn({
        let desk = desk.clone();
        async move {
            for number in 0..VALUES {
                let sender = desk.lock().expect(UNPOISONED).take().expect("it is asked first");
                sender.send(number).expect("there is a receiver");
                tokio::task::yield_now().await;
            }
        }
    });
    for _ in 0..VALUES {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        *desk.lock().expect(UNPOISONED) = Some(sender);
        black_box(receiver.await).expect("it is answered");
    }
    clerk.await.expect("it does not panic");
}

const UNPOISONED: &str = "nobody panics";
const ITEMS: u32 = 300_000;
const ROUND_TRIPS: u32 = 200_000;
const VALUES: u32 = 300_000;
