//! A load test sends requests for one second and counts how many succeeded.
//!
//! What is wrong: a success is what is not an error. Requests that are still under way when the time
//! is over are cancelled, and that is no error either; so they count as successes, the more of them
//! the slower the server.
//!
//! The repair asks each request how it ended, and has a name for every way.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::time::sleep;
use parcae::{Task, spawn_named};

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "cancelled-as-success",
    summary: "A load test runs five requests for one second, cancels the rest and counts successes.",
    defect: "A cancelled request is no error, so it counts as a success; the twin names all outcomes.",
    source: "asyncio tutorials: `not isinstance(result, Exception)`; CancelledError is none",
    failure_kind: "panic",
    seeds_until_found: 100,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const REQUESTS: u64 = 5;
const DURATION: Duration = Duration::from_secs(1);

/// A server that knows how many requests it has answered.
#[derive(Default)]
struct Server {
    answered: Cell<usize>,
}

impl Server {
    async fn answer(&self, request: u64) -> Result<(), Refused> {
        sleep(Duration::from_millis(choose_for("answer takes", request, 1..=1200))).await;
        if choose_for("is refused", request, 0..4) == 3 {
            return Err(Refused);
        }
        self.answered.set(self.answered.get() + 1);
        Ok(())
    }
}

struct Refused;

async fn buggy() {
    let server = Rc::new(Server::default());
    let requests = send_requests(&server);
    sleep(DURATION).await;
    let mut error_count = 0;
    for request in requests {
        if let Some(Err(Refused)) = request.cancel().await {
            error_count += 1;
        }
    }
    let success_count = usize::try_from(REQUESTS).expect("few") - error_count;
    assert_eq!(success_count, server.answered.get(), "the report says more than the server did");
}

/// How a request ended.
#[derive(PartialEq, Eq)]
enum Ending {
    Answered,
    Refused,
    Cancelled,
}

async fn fixed() {
    let server = Rc::new(Server::default());
    let requests = send_requests(&server);
    sleep(DURATION).await;
    let mut endings = Vec::new();
    for request in requests {
        endings.push(match request.cancel().await {
            Some(Ok(())) => Ending::Answered,
            Some(Err(Refused)) => Ending::Refused,
            None => Ending::Cancelled,
        });
    }
    let success_count = endings.iter().filter(|ending| **ending == Ending::Answered).count();
    assert_eq!(success_count, server.answered.get(), "the report says more than the server did");
}

fn send_requests(server: &Rc<Server>) -> Vec<Task<Result<(), Refused>>> {
    (1..=REQUESTS)
        .map(|request| {
            let server = server.clone();
            spawn_named(format!("request-{request}"), async move { server.answer(request).await })
        })
        .collect()
}
