//! A request is answered by a worker, and whoever asked does not wait for ever.
//!
//! What is wrong: the worker reports its progress and then the result through a channel that holds one
//! message. When the request has timed out nobody reads any more; the worker waits to be rid of its
//! message, for ever.
//!
//! The repair closes the channel when the request ends, however it ends, so that sending fails.

use std::time::Duration;

use parcae::rng::choose_for;
use parcae::spawn_named;
use parcae::sync::{PutError, Queue};
use parcae::time::{sleep, timeout};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "orphan-worker",
    summary: "A handler spawns a worker that sends progress and result, and waits with a time-out.",
    defect: "After the time-out nobody reads, and the worker is stuck; in the twin the channel is closed.",
    source: "Kubernetes' finishReq (Tu et al., ASPLOS 2019); orphans of asyncio (gh-91887)",
    failure_kind: "leak",
    seeds_until_found: 100,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const PATIENCE: Duration = Duration::from_millis(100);

#[derive(Debug)]
enum Message {
    Begun,
    Result(u32),
}

async fn buggy() {
    if timeout(PATIENCE, handle()).await.is_err() {
        info!("no answer in time");
    }
    // The server goes on; nothing of the request should be left by then.
    sleep(Duration::from_secs(60)).await;

    async fn handle() -> u32 {
        let messages = Queue::bounded(1).named("messages");
        spawn_named("worker", work(messages.clone())).detach();
        result(&messages).await
    }
}

async fn fixed() {
    if timeout(PATIENCE, handle()).await.is_err() {
        info!("no answer in time");
    }
    sleep(Duration::from_secs(60)).await;

    async fn handle() -> u32 {
        let messages = Closes(Queue::bounded(1).named("messages"));
        spawn_named("worker", work(messages.0.clone())).detach();
        result(&messages.0).await
    }
}

/// Closes the channel when the request ends.
struct Closes(Queue<Message>);

impl Drop for Closes {
    fn drop(&mut self) {
        self.0.close();
    }
}

async fn work(messages: Queue<Message>) {
    let sent = async {
        sleep(Duration::from_millis(choose_for("time of the work", 0, 1..=200))).await;
        messages.put(Message::Begun).await?;
        messages.put(Message::Result(42)).await
    };
    if let Err(PutError(message)) = sent.await {
        info!(?message, "nobody wants it any more");
    }
}

async fn result(messages: &Queue<Message>) -> u32 {
    loop {
        match messages.get().await.expect("it is open") {
            Message::Begun => info!("has begun"),
            Message::Result(result) => return result,
        }
    }
}
