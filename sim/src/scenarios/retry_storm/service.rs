//! A service of 30 servers with one line before them, its clients, and how long it takes to serve them
//! again after an outage.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use parcae::kernel::Ratio;
use parcae::load::{Arrivals, Class, Report, open};
use parcae::retry::{Backoff, Retry, RetryBudget, RetryBuilder, RetryError};
use parcae::task::Task;
use parcae::time::{Instant, sleep, sleep_until};
use parcae::{rng, spawn, spawn_named};

/// A request gives up after a second and is made once more, at once.
pub(crate) fn one_retry() -> RetryBuilder {
    Retry::builder().attempts(2).backoff(Backoff::constant(Duration::ZERO)).timeout_each(TIME_LIMIT)
}

/// Pays for retries with a tenth of what requests are.
pub(crate) fn within_budget(retry: RetryBuilder) -> RetryBuilder {
    retry.budget(&RetryBudget::new(BUDGET_RESERVE, Ratio::percent(10)))
}

/// Has clients make so many requests a second, and the service stand still for a while.
///
/// Returns how long after that it serves them again: nine in ten of the requests of a second. If it does
/// not before `patience` is over, what came of those of the last second is the error.
pub(crate) async fn recovery(
    requests_per_second: u32,
    retry: RetryBuilder,
    outage: Duration,
    patience: Duration,
) -> Result<Duration, Report> {
    let service = Rc::new(Service::new());
    let clients = Clients { requests_per_second, retry: retry.always(), service: service.clone() };
    let outage_end = Instant::now() + WARM_UP + outage;
    let clients = spawn_named("clients", clients.until_served(outage_end, patience));
    sleep(WARM_UP).await;
    service.stand_still(outage).await;
    clients.await
}

/// Serves in the order of asking, also those who have given up meanwhile: it cannot know.
struct Service {
    /// When each server has done what is in line for it.
    free: RefCell<BinaryHeap<Reverse<Instant>>>,
}

impl Service {
    fn new() -> Self {
        Self { free: RefCell::new([Reverse(Instant::now()); SERVERS].into()) }
    }

    /// Waits in line for the server that is free first, and to be served by it.
    async fn ask(&self) -> Result<(), Down> {
        let end = {
            let mut free = self.free.borrow_mut();
            let Reverse(first) = free.pop().expect("there are servers");
            let end = first.max(Instant::now()) + service_time();
            free.push(Reverse(end));
            end
        };
        sleep_until(end).await;
        Ok(())
    }

    /// Takes up nothing new for a while. What is in line stays there.
    async fn stand_still(&self, duration: Duration) {
        let free = self.free.take().into_iter();
        *self.free.borrow_mut() =
            free.map(|Reverse(at)| Reverse(at.max(Instant::now()) + duration)).collect();
        sleep(duration).await;
    }
}

/// An answer that says so. This service gives none, but is late.
struct Down;

/// Exponential: many requests are short, and few long.
fn service_time() -> Duration {
    // In steps of 2^-53, above 0 and up to 1.
    let uniform = ((rng().next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    SERVICE_MEAN.mul_f64(-libm::log(uniform))
}

#[derive(Clone)]
struct Clients {
    requests_per_second: u32,
    retry: Retry<Down>,
    service: Rc<Service>,
}

impl Clients {
    /// Makes requests without end, and looks at those of each second from a time on.
    async fn until_served(self, from: Instant, patience: Duration) -> Result<Duration, Report> {
        let mut seconds: VecDeque<(Instant, Task<Report>)> = VecDeque::new();
        loop {
            let begin = Instant::now();
            seconds.push_back((begin, spawn(self.clone().requests_of_a_second())));
            sleep_until(begin + SECOND).await;
            // All have ended after two attempts at the latest.
            while seconds.front().is_some_and(|(_, report)| report.is_finished()) {
                let (begin, report) = seconds.pop_front().expect("it was there");
                let report = report.await;
                let (ok, total) = (report.counts().ok, report.counts().total());
                if begin >= from && ok * 10 >= total * 9 {
                    return Ok(begin - from);
                }
                if begin >= from + patience {
                    return Err(report);
                }
            }
        }
    }

    async fn requests_of_a_second(self) -> Report {
        let count = u64::from(self.requests_per_second);
        let request = |_| {
            let Self { retry, service, .. } = self.clone();
            async move { retry.run(async |_| service.ask().await).await }
        };
        let classify = |result: &Result<(), RetryError<_>>| match result {
            Ok(()) => Class::Ok,
            Err(_) => Class::TimedOut,
        };
        open(Arrivals::per_second(self.requests_per_second), count).run(request, classify).await
    }
}

const SERVERS: usize = 30;
const SERVICE_MEAN: Duration = Duration::from_millis(100);
const TIME_LIMIT: Duration = Duration::from_secs(1);
const BUDGET_RESERVE: u32 = 10;
const WARM_UP: Duration = Duration::from_secs(2);
const SECOND: Duration = Duration::from_secs(1);
