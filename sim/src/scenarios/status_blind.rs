//! A test calls a service five times and is content with four successes.
//!
//! What is wrong: it counts responses. That the page is not there, or that the server has broken down,
//! is a response too, with a status that nobody looks at.
//!
//! The repair counts the responses whose status says that it went well.

use std::time::Duration;

use parcae::rng::choose_for;
use parcae::time::sleep;
use parcae::{Task, spawn_named};

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "status-blind",
    summary: "A smoke test sends five requests and passes when four of them have succeeded.",
    defect: "A 404 is a response and counts as a success; the twin looks at the status.",
    source: "asyncio tutorials: HTTP errors are responses, not exceptions",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const REQUESTS: u64 = 5;
const REQUIRED: usize = 4;

struct Response {
    status: u16,
}

/// No response at all.
#[derive(Debug)]
struct ConnectionLost;

async fn buggy() {
    let mut responses = Vec::new();
    for request in send_requests() {
        responses.push(request.await);
    }
    let success_count = responses.iter().filter(|response| response.is_ok()).count();
    let passes = success_count >= REQUIRED;
    assert!(!passes || served_count(&responses) >= REQUIRED, "it passes, and the service is down");
}

async fn fixed() {
    let mut responses = Vec::new();
    for request in send_requests() {
        responses.push(request.await);
    }
    let is_success = |response: &&Result<Response, ConnectionLost>| {
        response.as_ref().is_ok_and(|response| (200..300).contains(&response.status))
    };
    let success_count = responses.iter().filter(is_success).count();
    let passes = success_count >= REQUIRED;
    assert!(!passes || served_count(&responses) >= REQUIRED, "it passes, and the service is down");
}

fn send_requests() -> Vec<Task<Result<Response, ConnectionLost>>> {
    (1..=REQUESTS)
        .map(|request| spawn_named(format!("request-{request}"), answer(request)))
        .collect()
}

/// What the service makes of a request.
async fn answer(request: u64) -> Result<Response, ConnectionLost> {
    sleep(Duration::from_millis(choose_for("answer takes", request, 1..=100))).await;
    match choose_for("goes wrong", request, 0..5) {
        2 => Err(ConnectionLost),
        3 => Ok(Response { status: 404 }),
        4 => Ok(Response { status: 500 }),
        _ => Ok(Response { status: 200 }),
    }
}

/// How many pages the service has delivered.
fn served_count(responses: &[Result<Response, ConnectionLost>]) -> usize {
    responses.iter().flatten().filter(|response| response.status == 200).count()
}
