//! A job queue as a program: workers, retries, time-outs and a graceful shutdown.
//!
//! `cargo run --example job_service` runs it in real time, until all orders are answered or Ctrl-C or SIGTERM
//! comes. `cargo test --example job_service` runs the same code in the simulation, where the signal comes at
//! any time and the tasks run in any order.
//!
//! What it promises: **an order that is accepted is answered, once; one that comes too late is refused.** A
//! shutdown is where such promises are broken. [`Shutdown::Racy`] breaks this one in a way that reads well, and
//! the last test shows that it is found, and why it happens.

#![expect(clippy::print_stdout, reason = "a program prints")]

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use parcae::choose;
use parcae::retry::{Retry, RetryError};
use parcae::sync::{Queue, oneshot};
use parcae::task::{self, CancelToken, GroupTask, group};
use parcae::time::{sleep, timeout};

// The service

/// Accepts orders and has its workers deliver them. A clone is another handle of the same service.
#[derive(Clone)]
struct JobService {
    /// Bounded, so that clients are slowed down to what the workers can do.
    jobs: Queue<Job>,
    retry: Retry<DeliveryError>,
    shutdown: Shutdown,
}

/// An order that was accepted, and where its answer goes.
struct Job {
    order: u32,
    answer: oneshot::Sender<Answer>,
}

/// How an order ended.
type Answer = Result<(), JobError>;

/// A future of the answer to an order that was accepted.
type Ticket = oneshot::Receiver<Answer>;

/// Why an order was not delivered.
#[derive(Debug, PartialEq)]
enum JobError {
    /// It failed in a way that is not worth another attempt, or too often.
    GivenUp(RetryError<DeliveryError>),
    /// All its attempts together took too long.
    TooLate,
}

/// The service is shutting down, and has not accepted the order.
#[derive(Debug, PartialEq)]
struct Refused;

/// How the service ends.
#[derive(Clone, Copy, PartialEq)]
enum Shutdown {
    /// It closes the queue, and its workers do what is left in it.
    Correct,
    /// It waits until all is done, ends its workers and puts the queue away.
    #[cfg_attr(not(test), expect(dead_code, reason = "what the tests find"))]
    Racy,
}

impl JobService {
    fn new(shutdown: Shutdown) -> Self {
        let retry = Retry::builder()
            .attempts(ATTEMPTS)
            .timeout_each(TIME_FOR_ATTEMPT)
            .exponential(BACKOFF, 2)
            .when(|error| *error == DeliveryError::Busy);
        Self { jobs: Queue::bounded(QUEUE_LENGTH).named("jobs"), retry, shutdown }
    }

    /// Waits for a place in the queue, and accepts the order.
    async fn submit(&self, order: u32) -> Result<Ticket, Refused> {
        let (answer, ticket) = oneshot::channel_named("answer");
        self.jobs.put(Job { order, answer }).await.map_err(|_| Refused)?;
        Ok(ticket)
    }

    /// Delivers orders until it is told to stop, and then those that it has accepted. The end needs no
    /// time limit of its own: each order has one, and the queue is short.
    async fn serve<D>(self, stop: CancelToken, deliver: D)
    where
        D: AsyncFn(u32) -> Result<(), DeliveryError> + Clone + 'static,
    {
        let served = group(async |group| {
            let worker = |number| {
                let work = self.clone().work(deliver.clone());
                group.spawn_named(format!("worker-{number}"), work)
            };
            let workers = (1..=WORKERS).map(worker).collect();
            stop.cancelled().await;
            self.shut_down(workers).await;
            Ok::<_, Infallible>(())
        });
        served.await.expect("a worker does not fail");
    }

    /// Begins the end. The group in `serve` waits until the workers have ended.
    async fn shut_down(&self, workers: Vec<GroupTask<()>>) {
        match self.shutdown {
            // From here on nothing is accepted; what was, is in the queue.
            Shutdown::Correct => self.jobs.close(),
            // As examples of queues often have it, which is right as long as nobody submits any more. A
            // client that does, after `join` has looked, finds the queue open and nobody behind it.
            Shutdown::Racy => {
                self.jobs.join().await;
                for worker in workers {
                    worker.cancel();
                    worker.join().await.ok();
                }
                drop(self.jobs.shutdown_now()); // all is done, so it is empty
            }
        }
    }

    /// Delivers one order after the other, until the queue is closed and empty.
    async fn work(self, deliver: impl AsyncFn(u32) -> Result<(), DeliveryError>) {
        while let Ok(job) = self.jobs.get_job().await {
            let attempts = self.retry.run(async |_| deliver(job.order).await);
            let answer = match timeout(TIME_FOR_JOB, attempts).await {
                Ok(result) => result.map_err(JobError::GivenUp),
                Err(_) => Err(JobError::TooLate),
            };
            // It fails when the client has gone, which needs no answer then.
            job.done().answer.send(answer).ok();
        }
    }
}

const WORKERS: u32 = 3;
const QUEUE_LENGTH: usize = 4;
const ATTEMPTS: u32 = 3;
const TIME_FOR_ATTEMPT: Duration = Duration::from_millis(250);
const BACKOFF: Duration = Duration::from_millis(40);
const TIME_FOR_JOB: Duration = Duration::from_millis(700);

// What it is used for

/// How a delivery fails.
#[derive(Clone, Copy, Debug, PartialEq)]
enum DeliveryError {
    /// Worth another attempt.
    Busy,
    /// The same at every attempt.
    UnknownAddress,
}

/// Stands for a call over a network, which takes long or fails now and then.
async fn deliver(_order: u32) -> Result<(), DeliveryError> {
    sleep(Duration::from_millis(choose(20..=270))).await;
    match choose(0..20) {
        0..=16 => Ok(()),
        17..=18 => Err(DeliveryError::Busy),
        _ => Err(DeliveryError::UnknownAddress),
    }
}

/// What became of orders.
#[derive(Debug, Default)]
struct Tally {
    answers: Vec<(u32, Answer)>,
    refused: Vec<u32>,
}

/// The whole program: a service, and clients that submit so many orders each.
async fn program(shutdown: Shutdown, clients: u32, orders: u32) -> Tally {
    // Below that of the program: a signal cancels both, and the end of the clients only this one.
    let stop = task::shutdown_token().child();
    let run = group(async |group| {
        let service = JobService::new(shutdown);
        group.spawn_named("service", service.clone().serve(stop.clone(), deliver));
        let client = |number| {
            let orders = number * orders..(number + 1) * orders;
            group.spawn_named(format!("client-{number}"), submit_all(service.clone(), orders))
        };
        let clients: Vec<_> = (0..clients).map(client).collect();
        let mut tally = Tally::default();
        for client in clients {
            let of_client = client.await;
            tally.answers.extend(of_client.answers);
            tally.refused.extend(of_client.refused);
        }
        stop.cancel("all clients have their answers");
        Ok::<_, Infallible>(tally)
    });
    run.await.expect("neither service nor client fails")
}

/// Submits one order after the other, and waits for each answer.
async fn submit_all(service: JobService, orders: std::ops::Range<u32>) -> Tally {
    let mut tally = Tally::default();
    for order in orders {
        match service.submit(order).await {
            Ok(ticket) => {
                let answer = ticket.await.expect("an order that was accepted is answered");
                tally.answers.push((order, answer));
            }
            Err(Refused) => tally.refused.push(order),
        }
    }
    tally
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut delivered = 0;
        for (order, answer) in &self.answers {
            match answer {
                Ok(()) => delivered += 1,
                Err(error) => writeln!(formatter, "order {order}: {error:?}")?,
            }
        }
        let (answered, refused) = (self.answers.len(), self.refused.len());
        write!(formatter, "{answered} answered, {delivered} of them delivered; {refused} refused")
    }
}

#[parcae::main]
async fn main() {
    println!("{}", program(Shutdown::Correct, 9, 4).await);
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::pending;
    use std::rc::Rc;

    use parcae::explore::Check;
    use parcae::retry::Cause;
    use parcae::spawn_named;
    use parcae::time::{Instant, sleep_until};

    use super::*;

    /// At its end each worker has at most one order at hand and two to come: 3 * 700 ms.
    const SHUTDOWN_MAX: Duration = Duration::from_millis(2100);

    /// Runs the program, and stops it at any time; that may be after its own end.
    async fn program_with_signal(shutdown: Shutdown, clients: u32, orders: u32) {
        let stops_at = Instant::now() + Duration::from_millis(choose(1..=3000));
        let _signal = spawn_named("signal", async move {
            sleep_until(stops_at).await;
            task::shutdown_token().cancel("SIGTERM");
        });
        let tally = program(shutdown, clients, orders).await;
        assert!(Instant::now() <= stops_at + SHUTDOWN_MAX, "it ends in time");
        let mut seen: Vec<u32> = tally.answers.iter().map(|(order, _)| *order).collect();
        seen.extend(tally.refused);
        seen.sort_unstable();
        let all: Vec<u32> = (0..clients * orders).collect();
        assert_eq!(seen, all, "each order has one answer, or is refused");
    }

    #[parcae::test(seeds = 500)]
    async fn an_accepted_order_is_answered_once_whenever_the_shutdown_comes() {
        program_with_signal(Shutdown::Correct, 9, 4).await;
    }

    #[parcae::test]
    async fn without_a_shutdown_all_orders_are_answered() {
        let tally = program(Shutdown::Correct, 9, 4).await;
        assert_eq!((tally.answers.len(), tally.refused.len()), (36, 0));
    }

    #[parcae::main(signals = "ignore")]
    #[test]
    async fn on_real_time_all_orders_are_answered_too() {
        let tally = program(Shutdown::Correct, 3, 1).await;
        assert_eq!((tally.answers.len(), tally.refused.len()), (3, 0));
    }

    #[test]
    fn a_shutdown_that_closes_the_queue_last_is_found() {
        let check = Check::new("racy shutdown").seeds(200);
        let report = check.run(|| program_with_signal(Shutdown::Racy, 2, 3));
        let finding = report.finding().expect("some seed loses an order");
        let failure = finding.failure().to_string();
        assert!(failure.contains("an order that was accepted is answered: Abandoned"), "{failure}");
        // That one order takes longer than another is enough.
        let choices = finding.shrink().expect("checks shrink").size.choices;
        assert!(choices <= 2, "{choices} choices");
    }

    /// Has one order delivered, and returns its answer and the number of attempts, which end as
    /// stated; or never, where nothing is stated.
    async fn answer_to(ends: &'static [Option<Result<(), DeliveryError>>]) -> (Answer, usize) {
        let (service, stop) = (JobService::new(Shutdown::Correct), CancelToken::new());
        let attempts = Rc::new(Cell::new(0));
        let deliver = {
            let attempts = attempts.clone();
            async move |_| {
                let end = ends[attempts.replace(attempts.get() + 1)];
                match end {
                    Some(result) => result,
                    None => pending().await,
                }
            }
        };
        let serve = spawn_named("service", service.clone().serve(stop.clone(), deliver));
        let ticket = service.submit(1).await.expect("it is not shutting down");
        let answer = ticket.await.expect("an order that was accepted is answered");
        stop.cancel("the answer is there");
        serve.await;
        assert_eq!(service.submit(2).await.err(), Some(Refused));
        (answer, attempts.get())
    }

    const DONE: Option<Result<(), DeliveryError>> = Some(Ok(()));
    const BUSY: Option<Result<(), DeliveryError>> = Some(Err(DeliveryError::Busy));
    const UNKNOWN: Option<Result<(), DeliveryError>> = Some(Err(DeliveryError::UnknownAddress));
    const HANGS: Option<Result<(), DeliveryError>> = None;

    #[parcae::test]
    async fn what_may_succeed_later_is_tried_again() {
        assert_eq!(answer_to(&[DONE]).await, (Ok(()), 1));
        assert_eq!(answer_to(&[BUSY, BUSY, DONE]).await, (Ok(()), 3));
        assert_eq!(answer_to(&[HANGS, DONE]).await, (Ok(()), 2));
    }

    #[parcae::test]
    async fn what_is_of_no_use_or_takes_too_long_is_given_up() {
        let unknown = RetryError::NotRetryable(DeliveryError::UnknownAddress);
        assert_eq!(answer_to(&[UNKNOWN]).await, (Err(JobError::GivenUp(unknown)), 1));
        let last = Cause::Error(DeliveryError::Busy);
        let busy = RetryError::Exhausted { attempts: 3, last };
        assert_eq!(answer_to(&[BUSY, BUSY, BUSY]).await, (Err(JobError::GivenUp(busy)), 3));
        let start = Instant::now();
        assert_eq!(answer_to(&[HANGS, HANGS, HANGS]).await, (Err(JobError::TooLate), 3));
        assert_eq!(start.elapsed(), TIME_FOR_JOB);
    }
}
