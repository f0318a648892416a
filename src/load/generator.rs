//! Generators of load.

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use super::arrivals::Arrivals;
use super::report::{Class, Report};
use crate::task::{Task, spawn};
use crate::time::{Instant, sleep, sleep_until, timeout_at};

/// A load of so many requests that come when they come, however slow the replies are: the model of
/// users who do not know of each other.
///
/// # Examples
/// A server that serves one after the other, 10 ms each, and that stands still for a second: each
/// request that comes meanwhile waits, and counts from when it came.
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::load::{Arrivals, Class, open};
/// use parcae::sync::Mutex;
/// use parcae::time::sleep;
/// use std::rc::Rc;
/// use std::time::Duration;
///
/// let server = Rc::new(Mutex::new(()));
/// let request = move |number| {
///     let server = server.clone();
///     async move {
///         let _turn = server.lock().await;
///         sleep(Duration::from_millis(if number == 100 { 1_000 } else { 10 })).await;
///     }
/// };
/// let report = open(Arrivals::per_second(50), 1_000).run(request, |()| Class::Ok).await;
/// assert_eq!(report.p50(), Duration::from_millis(10));
/// assert_eq!(report.p99(), Duration::from_millis(900)); // of one slow request in a thousand
/// # }).unwrap();
/// ```
pub fn open(arrivals: Arrivals, requests: u64) -> Open {
    Open { arrivals, requests, timeout: None }
}

/// A load of so many users, each of whom makes so many requests, the next one when the last one has
/// been answered.
///
/// A slow server slows such users down, and so sees less of them: latencies are counted from when a
/// request began, and say nothing of those that would have come. Use [`open`] to learn what happens
/// under overload.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::load::{Class, closed};
/// use std::time::Duration;
///
/// let request = |user: u64| async move {
///     parcae::time::sleep(Duration::from_millis(200)).await;
///     if user == 3 { Err("not found") } else { Ok(user) }
/// };
/// let classify = |reply: &Result<u64, &str>| if reply.is_ok() { Class::Ok } else { Class::Error };
/// let report = closed(5, 2).run(request, classify).await;
/// assert_eq!((report.counts().ok, report.counts().error), (8, 2));
/// assert_eq!(report.elapsed(), Duration::from_millis(400));
/// # }).unwrap();
/// ```
pub fn closed(users: u64, requests_each: u64) -> Closed {
    Closed { users, requests_each, think: Duration::ZERO, timeout: None }
}

/// An open load; made by [`open`].
#[derive(Clone, Copy, Debug)]
#[must_use = "a load does nothing before `run`"]
pub struct Open {
    arrivals: Arrivals,
    requests: u64,
    timeout: Option<Duration>,
}

impl Open {
    /// Cancels a request that has not ended so long after it should have begun, and counts it as
    /// [`Class::TimedOut`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Makes the requests, in a task each, and waits for all of them. `request` gets the number of
    /// the request, from 0; `classify` says what its output means.
    ///
    /// A request whose task is destroyed, with its domain for one, counts as [`Class::Cancelled`]; one
    /// that panics panics here.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    ///
    /// # Cancel safety
    /// Dropping it cancels the requests under way.
    pub async fn run<T, F, R>(self, mut request: F, classify: impl Fn(&T) -> Class) -> Report
    where
        F: FnMut(u64) -> R,
        R: Future<Output = T> + 'static,
        T: 'static,
    {
        let mut collector = Collector { start: Instant::now(), classify, report: Report::new() };
        let mut under_way: Vec<UnderWay<T>> = Vec::new();
        let mut looks_at = UNDER_WAY_MIN;
        let mut offset = Duration::ZERO;
        for number in 0..self.requests {
            offset = self.arrivals.next(number, offset);
            let due = collector.start.saturating_add(offset);
            if Instant::now() < due {
                sleep_until(due).await;
            }
            under_way.push(UnderWay::begin(request(number), due, self.timeout));
            // Not only from the front: one that hangs would keep all that end behind it. And not each
            // time, so that it takes a constant time for each on average.
            if under_way.len() >= looks_at {
                let is_finished = |request: &mut UnderWay<T>| request.task.is_finished();
                for request in under_way.extract_if(.., is_finished) {
                    collector.collect(request).await;
                }
                looks_at = UNDER_WAY_MIN.max(2 * under_way.len());
            }
        }
        for request in under_way {
            collector.collect(request).await;
        }
        collector.report
    }
}

/// A closed load; made by [`closed`].
#[derive(Clone, Copy, Debug)]
#[must_use = "a load does nothing before `run`"]
pub struct Closed {
    users: u64,
    requests_each: u64,
    think: Duration,
    timeout: Option<Duration>,
}

impl Closed {
    /// Lets each user wait so long between a reply and the next request.
    pub fn think(mut self, time: Duration) -> Self {
        self.think = time;
        self
    }

    /// Cancels a request that has not ended after so long, and counts it as [`Class::TimedOut`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Lets the users make their requests, and waits for all of them. `request` gets the number of
    /// the user, from 0; `classify` says what its output means.
    ///
    /// A request whose task is destroyed, with its domain for one, counts as [`Class::Cancelled`]; one
    /// that panics panics here.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    ///
    /// # Cancel safety
    /// Dropping it cancels the users and their requests.
    pub async fn run<T, F, R>(self, request: F, classify: impl Fn(&T) -> Class) -> Report
    where
        F: Fn(u64) -> R + 'static,
        R: Future<Output = T> + 'static,
        T: 'static,
    {
        let mut collector = Collector { start: Instant::now(), classify, report: Report::new() };
        let request = Rc::new(request);
        let users: Vec<_> = (0..self.users)
            .map(|user| {
                let request = request.clone();
                spawn(async move { self.use_it(&*request, user).await })
            })
            .collect();
        for user in users {
            for ended in user.await {
                collector.add(ended);
            }
        }
        collector.report
    }

    /// Makes the requests of one user.
    async fn use_it<T: 'static, R>(self, request: &dyn Fn(u64) -> R, user: u64) -> Vec<Ended<T>>
    where
        R: Future<Output = T> + 'static,
    {
        let mut all = Vec::new();
        for number in 0..self.requests_each {
            if number > 0 && !self.think.is_zero() {
                sleep(self.think).await;
            }
            let under_way = UnderWay::begin(request(user), Instant::now(), self.timeout);
            all.push(under_way.end().await);
        }
        all
    }
}

/// A request that has begun.
struct UnderWay<T> {
    due: Instant,
    task: Task<(Option<T>, Instant)>,
}

impl<T: 'static> UnderWay<T> {
    fn begin(
        request: impl Future<Output = T> + 'static,
        due: Instant,
        timeout: Option<Duration>,
    ) -> Self {
        let task = spawn(async move {
            let output = match timeout {
                None => Some(request.await),
                Some(timeout) => timeout_at(due.saturating_add(timeout), request).await.ok(),
            };
            (output, Instant::now())
        });
        Self { due, task }
    }

    async fn end(self) -> Ended<T> {
        let (at, result) = match self.task.end().await {
            Some((Some(output), at)) => (at, Ok(output)),
            Some((None, at)) => (at, Err(Class::TimedOut)),
            None => (Instant::now(), Err(Class::Cancelled)),
        };
        Ended { due: self.due, at, result }
    }
}

/// A request that has ended: with an output that is to be classified, or otherwise.
struct Ended<T> {
    due: Instant,
    at: Instant,
    result: Result<T, Class>,
}

/// Adds up what came of requests.
struct Collector<C> {
    start: Instant,
    classify: C,
    report: Report,
}

impl<C> Collector<C> {
    async fn collect<T: 'static>(&mut self, under_way: UnderWay<T>)
    where
        C: Fn(&T) -> Class,
    {
        let ended = under_way.end().await;
        self.add(ended);
    }

    fn add<T>(&mut self, ended: Ended<T>)
    where
        C: Fn(&T) -> Class,
    {
        let class = match &ended.result {
            Ok(output) => (self.classify)(output),
            Err(class) => *class,
        };
        self.report.add(class, ended.at - ended.due, ended.at - self.start);
    }
}

/// So many requests may have ended and not been counted.
const UNDER_WAY_MIN: usize = 64;
