//! Many that retry at a time.

use std::collections::BTreeMap;
use std::rc::Rc;

use parcae::kernel::Ratio;
use parcae::load::{Arrivals, Class, open};
use parcae::retry::{Backoff, Jitter, Retry, RetryBudget};
use parcae::spawn;
use parcae::sync::{Event, Queue};
use parcae::time::{Instant, sleep};

use crate::runs::{Journal, fifo, millis, nanos, on_every_seed, secs};

const CLIENTS: usize = 100;

/// The most attempts that come in one bucket of 10 ms, when so many clients are cut off at once and
/// the server is back after 5 s. The first attempts of all are not counted.
async fn peak_of(jitter: Jitter) -> usize {
    let (arrivals, start) = (Journal::new(), Instant::now());
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let arrivals = arrivals.clone();
            spawn(async move {
                let retry = Retry::builder()
                    .attempts(20)
                    .exponential(secs(1), 2)
                    .cap(secs(8))
                    .jitter(jitter)
                    .always();
                let reconnect = async |_| {
                    arrivals.add(start.elapsed().as_millis() / 10);
                    if start.elapsed() < secs(5) { Err("down") } else { Ok(()) }
                };
                retry.run(reconnect).await.expect("it is back before the attempts are used up");
            })
        })
        .collect();
    for client in clients {
        client.await;
    }
    let mut buckets = BTreeMap::new();
    for bucket in arrivals.take().into_iter().filter(|bucket| *bucket > 0) {
        *buckets.entry(bucket).or_insert(0) += 1;
    }
    buckets.into_values().max().unwrap_or(0)
}

#[test]
fn without_jitter_all_come_back_at_the_same_instants() {
    for peak in on_every_seed(|| peak_of(Jitter::None)) {
        assert_eq!(peak, CLIENTS, "each wave is everybody");
    }
}

#[test]
fn with_jitter_no_instant_sees_more_than_a_few() {
    // 100 clients in the first second are 1 in 10 ms on average; a bucket has more than 12 of them
    // about once in 10^8 buckets.
    for jitter in [Jitter::Full, Jitter::Equal, Jitter::Decorrelated] {
        for peak in on_every_seed(move || peak_of(jitter)) {
            assert!(peak <= 12, "{peak} in 10 ms with {jitter:?}");
        }
    }
}

/// How long 100 healthy calls take that share 4 permits with 4 calls that back off.
async fn healthy_calls_beside_failing_ones(is_held_during_backoff: bool) -> u128 {
    let permits = Rc::new(Queue::bounded(4));
    for permit in 0..4 {
        permits.try_put(permit).unwrap();
    }
    let retry = Retry::builder()
        .attempts(3)
        .backoff(Backoff::constant(secs(10)))
        .when(|is_healthy: &bool| !is_healthy);
    let start = Instant::now();
    let failing: Vec<_> = (0..4)
        .map(|_| {
            let (permits, retry) = (permits.clone(), retry.clone());
            spawn(async move {
                let outside = match is_held_during_backoff {
                    true => Some(permits.get().await.unwrap()),
                    false => None,
                };
                let attempt = async |_| {
                    let inside = match is_held_during_backoff {
                        true => None,
                        false => Some(permits.get().await.unwrap()),
                    };
                    sleep(millis(10)).await;
                    if let Some(permit) = inside {
                        permits.put(permit).await.unwrap();
                    }
                    Err::<(), _>(false)
                };
                retry.run(attempt).await.unwrap_err();
                if let Some(permit) = outside {
                    permits.put(permit).await.unwrap();
                }
            })
        })
        .collect();
    sleep(nanos(1)).await;
    let healthy: Vec<_> = (0..100)
        .map(|_| {
            let permits = permits.clone();
            spawn(async move {
                let permit = permits.get().await.unwrap();
                sleep(millis(10)).await;
                permits.put(permit).await.unwrap();
            })
        })
        .collect();
    for task in healthy {
        task.await;
    }
    let elapsed = start.elapsed().as_millis();
    for task in failing {
        task.await;
    }
    elapsed
}

#[test]
fn a_permit_that_is_held_during_a_backoff_holds_up_healthy_calls() {
    for elapsed in on_every_seed(|| healthy_calls_beside_failing_ones(true)) {
        assert!(elapsed > 20_000, "two back-offs of 10 s each pass first: {elapsed} ms");
    }
    for elapsed in on_every_seed(|| healthy_calls_beside_failing_ones(false)) {
        assert!(elapsed < 300, "100 calls of 10 ms, 4 at a time: {elapsed} ms");
    }
}

// The simulation of the source that the jitters come from

/// A row whose version each of so many clients reads and then writes, if nobody else has written in
/// between; else it backs off and begins again. Returns how many writes reached the server, and how
/// many milliseconds passed.
async fn contended_writes(clients: u32, jitter: Jitter) -> (u32, u128) {
    // 10 ms on average with a deviation of 2 ms: 12 even draws add up to a normal one.
    async fn message() {
        let draws = (0..12).map(|_| parcae::rng().next_u64() % 2_000_000);
        sleep(nanos(draws.sum::<u64>() - 2_000_000)).await;
    }
    let row = Rc::new((std::cell::Cell::new(0_u32), std::cell::Cell::new(0_u32)));
    // Both begin at a base of 5 ms; the first exponential step doubles it already.
    let first = if jitter == Jitter::Decorrelated { millis(5) } else { millis(10) };
    let start = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let row = row.clone();
            spawn(async move {
                let retry = Retry::builder()
                    .attempts(u32::MAX)
                    .exponential(first, 2)
                    .cap(secs(2))
                    .jitter(jitter)
                    .always();
                let attempt = async |_| {
                    let (version, writes) = &*row;
                    message().await;
                    let seen = version.get();
                    message().await;
                    message().await;
                    writes.set(writes.get() + 1);
                    let is_written = version.get() == seen;
                    if is_written {
                        version.set(seen + 1);
                    }
                    message().await;
                    if is_written { Ok(()) } else { Err("stale") }
                };
                retry.run(attempt).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await;
    }
    (row.1.get(), start.elapsed().as_millis())
}

#[test]
fn under_contention_each_jitter_does_as_its_source_says() {
    // Writes and milliseconds at 50 clients, from 1000 runs of the simulator that the article of 2015
    // comes with.
    let expected = [
        (Jitter::None, 625.2, 36_536.0),
        (Jitter::Equal, 347.4, 4_250.0),
        (Jitter::Full, 332.4, 2_877.0),
        (Jitter::Decorrelated, 374.7, 2_220.0),
    ];
    for (jitter, writes, time) in expected {
        let mut sums = (0, 0);
        for seed in 0..20 {
            let run = parcae::Sim::new(seed).run(move || contended_writes(50, jitter));
            let (writes, elapsed) = run.unwrap();
            sums = (sums.0 + writes, sums.1 + elapsed);
        }
        let measured = (f64::from(sums.0) / 20.0, sums.1 as f64 / 20.0);
        let off = (measured.0 / writes - 1.0, measured.1 / time - 1.0);
        assert!(off.0.abs() < 0.04 && off.1.abs() < 0.1, "{jitter:?}: {measured:?}");
    }
}

#[test]
fn a_client_alone_needs_one_write() {
    let (writes, _) = fifo(|| contended_writes(1, Jitter::Full)).unwrap();
    assert_eq!(writes, 1);
}

// A storm that feeds itself

/// 30 workers of 100 ms each, which stand still for 10 s; clients that give up after 1 s and retry
/// once, at once. Returns how many of a thousand requests succeed that come half a minute later or
/// more.
async fn goodput_after_an_outage(per_second: u32, budget: Option<RetryBudget>) -> usize {
    let (jobs, start) = (Queue::unbounded(), Instant::now());
    for _ in 0..30 {
        let jobs: Queue<Rc<Event>> = jobs.clone();
        let worker = spawn(async move {
            while let Ok(job) = jobs.get().await {
                if (secs(10)..secs(20)).contains(&start.elapsed()) {
                    sleep(secs(20) - start.elapsed()).await;
                }
                let uniform = (f64::from(parcae::rng().next_u32()) + 1.0) / f64::from(u32::MAX);
                sleep(secs(1).mul_f64((-0.1 * uniform.ln()).max(0.0))).await;
                job.set();
            }
        });
        worker.background();
    }
    let builder = Retry::builder().attempts(2).backoff(Backoff::constant(secs(0)));
    let builder = match &budget {
        Some(budget) => builder.budget(budget),
        None => builder,
    };
    let retry = builder.timeout_each(secs(1)).always::<()>();
    let late = Journal::new();
    let journal = late.clone();
    let request = move |_| {
        let (jobs, retry, journal) = (jobs.clone(), retry.clone(), journal.clone());
        async move {
            let begun = start.elapsed();
            let attempt = async |_| {
                let done = Rc::new(Event::new());
                jobs.put(done.clone()).await.unwrap();
                done.wait().await;
                Ok(())
            };
            let is_ok = retry.run(attempt).await.is_ok();
            if begun > secs(60) {
                journal.add(is_ok);
            }
            is_ok
        }
    };
    let classify = |is_ok: &bool| if *is_ok { Class::Ok } else { Class::Error };
    let arrivals = Arrivals::per_second(per_second).poisson();
    open(arrivals, u64::from(per_second) * 70).run(request, classify).await;
    let late = late.take();
    late.iter().filter(|is_ok| **is_ok).count() * 1_000 / late.len()
}

#[test]
fn retries_keep_a_system_down_that_a_budget_lets_recover() {
    // Bronson et al., "Metastable failures in distributed systems", HotOS 2021: 300 requests in a
    // second can be served, and with one retry of each no load above 150 survives the outage.
    let budget = || Some(RetryBudget::new(10, Ratio::percent(10)));
    let run = |rate, budget: fn() -> Option<RetryBudget>| {
        parcae::Sim::new(1).run(move || goodput_after_an_outage(rate, budget())).unwrap()
    };
    let healthy = run(100, || None);
    assert!(healthy > 990, "below the threshold it recovers: {healthy} of 1000");
    let stuck = run(200, || None);
    assert!(stuck < 300, "above it, it does not: {stuck} of 1000");
    let capped = run(200, budget);
    assert!(capped > 990, "with a budget it does: {capped} of 1000");
}
