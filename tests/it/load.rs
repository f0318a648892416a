//! Tests of `parcae::load`.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use parcae::executor::DomainId;
use parcae::kernel::Ratio;
use parcae::load::{Arrivals, Class, Report, closed, open};
use parcae::sync::Mutex;
use parcae::task::{Builder, settle};
use parcae::time::{Instant, sleep, timeout};
use parcae::{Sim, spawn};

use crate::runs::{
    Journal, OnDrop, SEEDS, fifo, limited, millis, nanos, on_every_seed, panicked, secs,
};

fn always_ok<T>(_: &T) -> Class {
    Class::Ok
}

/// Makes a request that journals when it began.
fn journaling(journal: &Journal<Duration>) -> impl Fn(u64) -> std::future::Ready<()> + use<> {
    let (journal, start) = (journal.clone(), Instant::now());
    move |_| {
        journal.add(start.elapsed());
        std::future::ready(())
    }
}

// Open loads

#[test]
fn requests_come_at_equal_distances_and_do_not_drift() {
    on_every_seed(|| async {
        let journal = Journal::new();
        let report = open(Arrivals::per_second(3), 100).run(journaling(&journal), always_ok).await;
        let due: Vec<_> = (0..100).map(|number| nanos(number * 1_000_000_000 / 3)).collect();
        assert_eq!(journal.take(), due);
        assert_eq!((report.counts().ok, report.elapsed()), (100, secs(33)));
        assert_eq!(report.max(), nanos(0));
    });
}

#[test]
fn random_arrivals_have_the_rate_and_spread_of_a_poisson_process() {
    let gaps_of = |seed| {
        let run = Sim::new(seed).run(|| async {
            let journal = Journal::new();
            let arrivals = Arrivals::per_second(100).poisson();
            open(arrivals, 5_000).run(journaling(&journal), always_ok).await;
            journal.take()
        });
        let mut before = nanos(0);
        let gap = |at: Duration| (at - std::mem::replace(&mut before, at)).as_secs_f64();
        run.unwrap().into_iter().map(gap).collect::<Vec<f64>>()
    };
    let gaps = gaps_of(0);
    // Exponential with a mean of 10 ms: the deviation is the mean, and a part of 1/e is longer. With
    // 5000 gaps the mean is off by 0.14 ms with one standard deviation.
    let mean = gaps.iter().sum::<f64>() / 5_000.0;
    let square = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / 5_000.0;
    let longer = gaps.iter().filter(|gap| **gap > 0.01).count();
    assert!((0.0094..0.0106).contains(&mean), "mean {mean}");
    assert!((0.0092..0.0108).contains(&square.sqrt()), "deviation {}", square.sqrt());
    assert!((1_700..1_980).contains(&longer), "{longer} longer than the mean");
    assert_eq!(gaps, gaps_of(0), "a seed gives the same arrivals");
    assert_ne!(gaps, gaps_of(1));
}

#[test]
fn a_generator_that_is_held_up_counts_from_when_requests_should_have_begun() {
    on_every_seed(|| async {
        let domain = DomainId::create("generator", 0);
        let load = Builder::new().domain(domain).spawn(async {
            open(Arrivals::per_second(10), 20).run(|_| sleep(millis(1)), always_ok).await
        });
        sleep(millis(450)).await;
        domain.pause();
        sleep(secs(1)).await;
        domain.resume();
        let report = load.await;
        // Those of 0.5 to 1.4 s began at 1.45 s.
        assert_eq!((report.p50(), report.max()), (millis(1), millis(951)));
        assert_eq!(report.quantile(Ratio::percent(75)), millis(451));
    });
}

#[test]
fn regression_a_request_that_hangs_does_not_keep_those_that_end_after_it() {
    let load = || {
        let request = |number| sleep(if number == 0 { secs(20) } else { millis(5) });
        open(Arrivals::per_second(100), 1_000).run(request, always_ok)
    };
    // The load itself, one that hangs, and those that are not counted yet.
    let report = limited(|limits| limits.tasks = 70, load).unwrap();
    assert_eq!((report.counts().ok, report.max(), report.p99()), (1_000, secs(20), millis(5)));
}

#[test]
fn a_slow_server_does_not_slow_the_arrivals_down() {
    on_every_seed(|| async {
        let server = Rc::new(Mutex::new(()));
        let request = move |number| {
            let server = server.clone();
            async move {
                let _turn = server.lock().await;
                sleep(if number == 0 { secs(1) } else { millis(10) }).await;
            }
        };
        let report = open(Arrivals::per_second(20), 20).run(request, always_ok).await;
        // Number n comes at n * 50 ms and is done at 1 s + n * 10 ms.
        assert_eq!(report.max(), secs(1));
        assert_eq!(report.p50(), millis(1_000 - 40 * 10));
        assert_eq!(report.quantile(Ratio::ZERO), millis(1_000 - 40 * 19), "the last one");
    });
}

#[test]
fn waiting_times_are_those_of_the_formula() {
    // M/D/1 at half load: the mean wait is rho / (2 (1 - rho)) = 1/2 of the service time.
    let mut means = Vec::new();
    for seed in 0..5 {
        let run = Sim::new(seed).run(|| async {
            let server = Rc::new(Mutex::new(()));
            let request = move |_| {
                let server = server.clone();
                async move {
                    let _turn = server.lock().await;
                    sleep(millis(10)).await;
                }
            };
            open(Arrivals::per_second(50).poisson(), 5_000).run(request, always_ok).await
        });
        means.push(run.unwrap().mean().as_secs_f64());
    }
    let mean = means.iter().sum::<f64>() / 5.0;
    assert!((0.0145..0.0155).contains(&mean), "15 ms, found {means:?}");
}

// Closed loads

#[test]
fn five_users_of_200_ms_take_200_ms() {
    on_every_seed(|| async {
        let report = closed(5, 1).run(|_| sleep(millis(200)), always_ok).await;
        assert_eq!((report.elapsed(), report.counts().ok), (millis(200), 5));
        assert_eq!((report.p50(), report.max()), (millis(200), millis(200)));
        assert!((report.rate() - 25.0).abs() < 1e-9);
    });
}

#[test]
fn a_user_makes_the_next_request_after_the_reply_and_a_while() {
    on_every_seed(|| async {
        let journal = Journal::new();
        let (begun, start) = (journal.clone(), Instant::now());
        let request = move |user| {
            begun.add((start.elapsed(), user));
            sleep(millis(100 * (user + 1)))
        };
        let report = closed(2, 3).think(millis(50)).run(request, always_ok).await;
        let mut begun = journal.take();
        begun.sort_unstable();
        let expected = [(0, 0), (0, 1), (150, 0), (250, 1), (300, 0), (500, 1)];
        assert_eq!(begun, expected.map(|(at, user)| (millis(at), user)));
        assert_eq!(report.elapsed(), millis(700));
    });
}

// Outcomes

#[derive(Debug)]
enum Reply {
    Status(u16),
    Cancelled,
}

#[test]
fn a_cancelled_request_is_no_success() {
    // The count that a filter by type of exception gets wrong: 100 of 100.
    on_every_seed(|| async {
        let request = |number: u64| async move {
            let call = spawn(sleep(millis(10)));
            if number.is_multiple_of(10) && call.cancel().await.is_none() {
                return Reply::Cancelled;
            }
            Reply::Status(200)
        };
        let classify = |reply: &Reply| match reply {
            Reply::Status(200..300) => Class::Ok,
            Reply::Status(_) => Class::Error,
            Reply::Cancelled => Class::Cancelled,
        };
        let report = open(Arrivals::per_second(1_000), 100).run(request, classify).await;
        let counts = report.counts();
        assert_eq!((counts.ok, counts.cancelled, counts.total()), (90, 10, 100));
    });
}

#[test]
fn a_reply_of_404_is_no_success() {
    on_every_seed(|| async {
        let request = |number| async move { if number == 0 { 200 } else { 404 } };
        let classify = |status: &u16| if *status == 200 { Class::Ok } else { Class::Error };
        let counts = closed(10, 1).run(request, classify).await.counts();
        assert_eq!((counts.ok, counts.error, counts.total()), (1, 9, 10));
    });
}

#[test]
fn a_request_that_takes_too_long_is_cancelled_and_counted_as_timed_out() {
    on_every_seed(|| async {
        let dropped = Rc::new(Cell::new(0));
        let counter = dropped.clone();
        let request = move |number| {
            let counter = counter.clone();
            async move {
                let _counts = OnDrop(move || counter.set(counter.get() + 1));
                match number % 4 {
                    0 => pending().await,
                    1 => sleep(secs(1)).await, // just in time
                    _ => sleep(millis(5)).await,
                }
            }
        };
        let opened = open(Arrivals::per_second(100), 20).timeout(secs(1));
        let report = opened.run(request.clone(), always_ok).await;
        assert_eq!((report.counts().ok, report.counts().timed_out), (15, 5));
        assert_eq!((report.p50(), report.max(), dropped.take()), (millis(5), secs(1), 20));
        assert_eq!(report.of(Class::TimedOut).p50(), secs(1));
        assert_eq!(report.of(Class::TimedOut).counts().total(), 5);
        assert_eq!(report.of(Class::Ok).counts().total(), 15);

        let report = closed(4, 2).timeout(secs(1)).run(request, always_ok).await;
        assert_eq!((report.counts().ok, report.counts().timed_out), (6, 2));
        assert_eq!(report.elapsed(), secs(2));
    });
}

#[test]
fn five_percent_loss_is_found_in_the_counts_and_the_same_in_each_replay() {
    let load = || async {
        let request = |_| async {
            sleep(millis(10 + parcae::rng().next_u64() % 90)).await;
            if parcae::rng().next_u64().is_multiple_of(20) { Err("lost") } else { Ok(()) }
        };
        let classify =
            |reply: &Result<(), &str>| if reply.is_ok() { Class::Ok } else { Class::Error };
        closed(100, 10).think(millis(100)).run(request, classify).await
    };
    let reports: Vec<Report> = (0..20)
        .map(|seed| {
            let [report, again] = [(); 2].map(|()| Sim::new(seed).run(load).unwrap());
            assert_eq!(report, again);
            assert_eq!(report.to_string(), again.to_string());
            let counts = report.counts();
            assert_eq!(counts.ok + counts.error, 1_000);
            // 950 expected, 6.9 is the standard deviation.
            assert!((920..=980).contains(&counts.ok), "{counts:?}");
            report
        })
        .collect();
    assert!(reports.windows(2).any(|pair| pair[0] != pair[1]), "seeds differ");
}

#[test]
fn a_request_that_panics_panics_in_the_load() {
    let outcome = fifo(|| async {
        let request = |number| async move { assert_ne!(number, 3, "out of cheese") };
        open(Arrivals::per_second(10), 5).run(request, always_ok).await
    });
    assert_eq!(panicked(&outcome, "out of cheese"), "main");
    let outcome = fifo(|| async {
        let request = |user| async move { assert_ne!(user, 3, "out of cheese") };
        closed(5, 1).run(request, always_ok).await
    });
    panicked(&outcome, "out of cheese");
}

#[test]
fn regression_a_panic_of_a_request_keeps_its_place() {
    let request = |number| async move { assert_ne!(number, 0, "out of cheese") };
    let opened = fifo(move || open(Arrivals::per_second(10), 2).run(request, always_ok));
    let closed = fifo(move || closed(1, 1).run(request, always_ok));
    for outcome in [opened, closed] {
        let failure = outcome.failure().expect("a request panics").to_string();
        assert!(failure.contains("panic in `main` at tests/it/load.rs:"), "{failure}");
    }
}

#[test]
fn of_no_one_or_two_requests_there_are_percentiles_too() {
    on_every_seed(|| async {
        let report_of = async |count| {
            let request = |number| sleep(secs(number + 1));
            open(Arrivals::per_second(1), count).run(request, always_ok).await
        };
        let percentiles = |report: &Report| [report.p50(), report.p90(), report.max()];
        assert_eq!(percentiles(&report_of(0).await), [secs(0); 3]);
        assert_eq!(percentiles(&report_of(1).await), [secs(1); 3]);
        let two = report_of(2).await;
        assert_eq!(percentiles(&two), [secs(1), secs(2), secs(2)]);
        assert_eq!((two.quantile(Ratio::ZERO), two.mean()), (secs(1), millis(1_500)));
        assert_eq!(percentiles(&two.of(Class::Error)), [secs(0); 3]);
    });
}

#[test]
fn a_load_that_is_dropped_cancels_its_requests() {
    on_every_seed(|| async {
        let alive = Rc::new(Cell::new(0));
        let request = {
            let alive = alive.clone();
            move |_| {
                let alive = alive.clone();
                async move {
                    alive.set(alive.get() + 1);
                    let counter = alive.clone();
                    let _leaves = OnDrop(move || counter.set(counter.get() - 1));
                    sleep(secs(60)).await;
                }
            }
        };
        let opened = open(Arrivals::per_second(10), 100).run(request.clone(), always_ok);
        timeout(millis(950), opened).await.unwrap_err();
        settle().await;
        assert_eq!(alive.get(), 0);
        timeout(secs(1), closed(10, 3).run(request, always_ok)).await.unwrap_err();
        settle().await;
        assert_eq!(alive.get(), 0);
    });
}

// Reports

#[test]
fn percentiles_are_those_of_the_sorted_latencies() {
    for seed in 0..SEEDS {
        let run = Sim::new(seed).run(|| async {
            let count = parcae::choose(1..300_u64);
            let latencies: Vec<u64> =
                (0..count).map(|_| parcae::choose(0..1_000_000_000_000)).collect();
            let own = latencies.clone();
            let request = move |number: u64| sleep(nanos(own[usize::try_from(number).unwrap()]));
            let report = open(Arrivals::per_second(100), count).run(request, always_ok).await;
            (latencies, report)
        });
        let (mut latencies, report) = run.unwrap();
        latencies.sort_unstable();
        let count = latencies.len();
        for permille in [0_u32, 1, 10, 250, 500, 900, 990, 999, 1000] {
            let rank = (count * usize::try_from(permille).unwrap()).div_ceil(1000).max(1);
            let found = report.quantile(Ratio::new(permille, 1000));
            assert_eq!(found, nanos(latencies[rank - 1]), "{permille} of {count}");
        }
        assert_eq!(report.max(), nanos(*latencies.last().unwrap()));
        let mean = latencies.iter().sum::<u64>() / u64::try_from(count).unwrap();
        assert_eq!(report.mean(), nanos(mean));
    }
}

#[test]
fn a_report_can_be_read() {
    let report = fifo(|| async {
        let request = |number| async move {
            sleep(millis(number + 1)).await;
            number
        };
        let classify = |number: &u64| match number % 10 {
            0 => Class::Error,
            1 => Class::Cancelled,
            _ => Class::Ok,
        };
        open(Arrivals::per_second(1_000), 1_000).run(request, classify).await
    });
    let expected = "1000 requests in 1.999s, 500.3 per second\n  \
                    ok 800  error 100  timed out 0  cancelled 100\n  \
                    p50 500ms  p90 900ms  p99 990ms  p99.9 1s  max 1s";
    assert_eq!(report.unwrap().to_string(), expected);
    let nothing = fifo(|| closed(0, 5).run(|_| async {}, always_ok)).unwrap();
    assert_eq!((nothing.p50(), nothing.mean(), nothing.max()), (nanos(0), nanos(0), nanos(0)));
    assert!(nothing.to_string().starts_with("0 requests in 0ns, 0.0 per second"));
}
