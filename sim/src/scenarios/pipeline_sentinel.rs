//! A pipeline: a producer hands lines to a consumer, and `None` says that there are no more.
//!
//! What is wrong: the consumer leaves its loop at the `None` without calling `task_done` for it. The
//! `None` was put into the queue as any item is, so one item is never done, and `join` waits for ever.
//! No schedule is to blame: it always happens, and the failure shrinks to no choice at all.
//!
//! The repair has no sentinel, so that all that is in the queue is work: the queue is closed, also when
//! the producer fails half-way, and the consumer ends when it is closed and empty.

use parcae::choose;
use parcae::spawn_named;
use parcae::sync::Queue;
use parcae::task::yield_now;
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "pipeline-sentinel",
    summary: "A producer ends its stream of lines with `None`; the consumer breaks at it.",
    defect: "The `None` is never reported done, so `join` waits for ever; the twin closes the queue.",
    source: "asyncio tutorials: a consumer that breaks before `task_done`",
    failure_kind: "deadlock",
    seeds_until_found: 1,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const LINES: u64 = 5;

async fn buggy() {
    let lines = Queue::bounded(2).named("lines");
    let producer = spawn_named("producer", {
        let lines = lines.clone();
        async move {
            for number in 1..=LINES {
                lines.put(Some(number)).await.expect("nobody closes the queue");
            }
            lines.put(None).await.expect("nobody closes the queue");
        }
    });
    let consumer = spawn_named("consumer", {
        let lines = lines.clone();
        async move {
            let mut sum = 0;
            while let Some(number) = lines.get().await.expect("nobody closes the queue") {
                yield_now().await;
                sum += number;
                lines.task_done();
            }
            info!(sum, "no more lines");
            sum
        }
    });
    producer.await;
    lines.join().await;
    assert_eq!(consumer.await, (1..=LINES).sum::<u64>());
}

async fn fixed() {
    let lines = Queue::bounded(2).named("lines");
    // 0: the source can be read to its end.
    let unreadable_line = choose(0..=LINES);
    let producer = spawn_named("producer", {
        let lines = lines.clone();
        async move {
            let result = produce(&lines, unreadable_line).await;
            lines.close();
            result
        }
    });
    let consumer = spawn_named("consumer", {
        let lines = lines.clone();
        async move {
            let mut sum = 0;
            while let Ok(line) = lines.get_job().await {
                yield_now().await;
                sum += line.done();
            }
            info!(sum, "no more lines");
            sum
        }
    });
    let produced = producer.await;
    lines.join().await;
    let last_line = match produced {
        Ok(()) => LINES,
        Err(Unreadable { line }) => line - 1,
    };
    assert_eq!(consumer.await, (1..=last_line).sum::<u64>());
}

#[derive(Debug)]
struct Unreadable {
    line: u64,
}

async fn produce(lines: &Queue<u64>, unreadable_line: u64) -> Result<(), Unreadable> {
    for line in 1..=LINES {
        if line == unreadable_line {
            return Err(Unreadable { line });
        }
        lines.put(line).await.expect("nobody else closes the queue");
    }
    Ok(())
}
