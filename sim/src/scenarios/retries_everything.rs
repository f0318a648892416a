//! A client fetches a page and tries again when something goes wrong.
//!
//! What is wrong: it retries what the HTTP library calls an error. A page that does not exist is one,
//! and is asked for three times; that the whole attempt took too long is none of the library's, and is
//! not retried at all.
//!
//! The repair says of each error whether another attempt can help, and retries those, whoever they
//! come from.

use std::cell::Cell;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::time::{sleep, timeout};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "retries-everything",
    summary: "A client fetches a page in at most three attempts of one second each.",
    defect: "It retries a page that is not there, and no time-out; the twin retries what may pass.",
    source: "aiohttp tutorials: `except ClientError` with raise_for_status; TimeoutError is none",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const ATTEMPTS: u64 = 3;
const TIME_LIMIT: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FetchError {
    NotFound,
    Overloaded,
    TimedOut,
}

/// A server that is slow or overloaded at times, and may not have the page.
struct Server {
    has_page: bool,
    requests: Cell<u64>,
}

impl Server {
    fn new() -> Self {
        Self { has_page: choose_for("page is missing", 0, 0..4) < 3, requests: Cell::new(0) }
    }

    async fn get(&self) -> Result<(), FetchError> {
        self.requests.set(self.requests.get() + 1);
        // What goes wrong goes wrong at the first attempt only.
        let trouble = choose_for("trouble", self.requests.get(), 0..6);
        match trouble {
            _ if !self.has_page => Err(FetchError::NotFound),
            4 if self.requests.get() == 1 => Err(FetchError::Overloaded),
            5 if self.requests.get() == 1 => {
                sleep(TIME_LIMIT * 2).await;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

async fn buggy() {
    let server = Server::new();
    let result = fetch(&server, |error| error != FetchError::TimedOut).await;
    check(&server, result);
}

async fn fixed() {
    let server = Server::new();
    let result = fetch(&server, |error| error != FetchError::NotFound).await;
    check(&server, result);
}

/// Fetches the page, again if the error is one that is retried.
async fn fetch(server: &Server, retries: fn(FetchError) -> bool) -> Result<(), FetchError> {
    let mut attempt = 1;
    loop {
        let error = match timeout(TIME_LIMIT, server.get()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => FetchError::TimedOut,
        };
        if attempt == ATTEMPTS || !retries(error) {
            return Err(error);
        }
        info!(?error, attempt, "tries again");
        sleep(PAUSE).await;
        attempt += 1;
    }
}

fn check(server: &Server, result: Result<(), FetchError>) {
    if server.has_page {
        assert_eq!(result, Ok(()), "it was there for a second attempt");
    } else {
        assert_eq!(result, Err(FetchError::NotFound));
        assert_eq!(server.requests.get(), 1, "it is not there, however often it is asked for");
    }
}
