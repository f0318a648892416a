//! A client asks a server for two squares, with a time limit for each.
//!
//! What is wrong: all replies come to one place. When the first question has timed out its reply still
//! comes, and the client takes it for the reply to the second.
//!
//! The repair gives each question a place of its own for its reply, which is gone when nobody waits
//! there any more. (As the aliases of Erlang/OTP 24 do; a number in question and reply does it too.)

use std::time::Duration;

use parcae::rng::choose_for;
use parcae::spawn_named;
use parcae::sync::Queue;
use parcae::time::{sleep, timeout};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "late-reply",
    summary: "A client asks for squares and waits at most 20 ms for each reply.",
    defect: "The reply to a question that timed out answers the next one; in the twin each has its own.",
    source: "Erlang's gen_server:call before OTP 24 (late replies), pekko#668",
    failure_kind: "panic",
    seeds_until_found: 100,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const PATIENCE: Duration = Duration::from_millis(20);

/// A number, and where its square is to go.
struct Question {
    number: u64,
    replies: Queue<u64>,
}

async fn buggy() {
    let questions = Queue::unbounded().named("questions");
    let server = spawn_named("server", serve(questions.clone()));
    let replies = Queue::unbounded().named("replies");
    for number in [3, 4] {
        ask(&questions, number, &replies).await;
    }
    questions.close();
    server.await;
}

async fn fixed() {
    let questions = Queue::unbounded().named("questions");
    let server = spawn_named("server", serve(questions.clone()));
    for number in [3, 4] {
        ask(&questions, number, &Queue::unbounded().named("replies")).await;
    }
    questions.close();
    server.await;
}

async fn ask(questions: &Queue<Question>, number: u64, replies: &Queue<u64>) {
    let question = Question { number, replies: replies.clone() };
    questions.put(question).await.expect("the server runs");
    match timeout(PATIENCE, replies.get()).await {
        Ok(square) => {
            let square = square.expect("it is open");
            assert_eq!(square, number * number, "that is not the square of {number}");
        }
        Err(_) => info!(number, "no reply"),
    }
}

async fn serve(questions: Queue<Question>) {
    while let Ok(Question { number, replies }) = questions.get().await {
        sleep(Duration::from_millis(choose_for("reply takes", number, 1..=30))).await;
        replies.put(number * number).await.expect("nobody closes it");
    }
}
