//! Who goes on.

use std::collections::BTreeSet;
use std::task::Poll;
use std::time::Duration;

use parcae::explore::Strategy;
use parcae::task::yield_now;
use parcae::time::sleep;
use parcae::{Sim, spawn, spawn_named};

use crate::runs::{Journal, SEEDS, current_waker, fifo, millis, random};

/// Three tasks that write their names and end.
async fn three_tasks() -> String {
    let journal = Journal::new();
    let tasks = ['a', 'b', 'c'].map(|name| {
        let journal = journal.clone();
        spawn(async move { journal.add(name) })
    });
    for task in tasks {
        task.await;
    }
    journal.take().into_iter().collect()
}

#[test]
fn fifo_starts_tasks_in_the_order_in_which_they_were_spawned() {
    assert_eq!(fifo(three_tasks).unwrap(), "abc");
}

#[test]
fn random_reaches_every_order_of_three_tasks() {
    let orders: BTreeSet<String> =
        random(SEEDS, three_tasks).map(|outcome| outcome.unwrap()).collect();
    let all = ["abc", "acb", "bac", "bca", "cab", "cba"];
    assert!(orders.iter().eq(all), "{orders:?}");
}

#[test]
fn random_reaches_every_order_about_equally_often() {
    let mut counts = std::collections::BTreeMap::<String, u32>::new();
    for outcome in random(3_000, three_tasks) {
        *counts.entry(outcome.unwrap()).or_default() += 1;
    }
    // 500 each are expected; the bounds are five standard deviations away.
    assert!(counts.values().all(|count| (400..=600).contains(count)), "{counts:?}");
}

#[test]
fn under_fifo_a_task_runs_until_it_blocks() {
    let outcome = fifo(|| async {
        let journal = Journal::new();
        let tasks = ["a", "b"].map(|name| {
            let journal = journal.clone();
            spawn(async move {
                for step in 0..3 {
                    journal.add(format!("{name}{step}"));
                    // Ready at once: no reason to stop.
                    std::future::ready(()).await;
                }
                sleep(millis(1)).await;
                journal.add(format!("{name}3"));
            })
        });
        for task in tasks {
            task.await;
        }
        journal.take().join(" ")
    });
    assert_eq!(outcome.unwrap(), "a0 a1 a2 b0 b1 b2 a3 b3");
}

#[test]
fn under_fifo_tasks_go_on_in_the_order_of_their_wakes() {
    let outcome = fifo(|| async {
        let (journal, wakers) = (Journal::new(), Journal::new());
        let tasks = ['a', 'b', 'c', 'd'].map(|name| {
            let (journal, wakers) = (journal.clone(), wakers.clone());
            spawn(async move {
                wakers.add(current_waker().await);
                let mut is_first = true;
                let second_poll =
                    |_: &mut std::task::Context<'_>| match std::mem::take(&mut is_first) {
                        true => Poll::Pending,
                        false => Poll::Ready(()),
                    };
                std::future::poll_fn(second_poll).await;
                journal.add(name);
            })
        });
        parcae::task::settle().await;
        let wakers = wakers.take();
        for index in [2, 0, 3, 0, 2, 1] {
            wakers[index].wake_by_ref();
        }
        for task in tasks {
            task.await;
        }
        journal.take().into_iter().collect::<String>()
    });
    assert_eq!(outcome.unwrap(), "cadb");
}

#[test]
fn under_fifo_a_task_that_yields_goes_to_the_back_of_the_queue() {
    let outcome = fifo(|| async {
        let journal = Journal::new();
        let tasks = ['a', 'b', 'c'].map(|name| {
            let journal = journal.clone();
            spawn(async move {
                journal.add(name);
                yield_now().await;
                journal.add(name.to_ascii_uppercase());
            })
        });
        for task in tasks {
            task.await;
        }
        journal.take().into_iter().collect::<String>()
    });
    assert_eq!(outcome.unwrap(), "abcABC");
}

#[test]
fn a_task_that_is_spawned_does_not_begin_before_its_maker_waits() {
    for outcome in random(SEEDS, || async {
        let journal = Journal::new();
        let inner = journal.clone();
        let task = spawn(async move { inner.add(()) });
        assert_eq!(journal.count(), 0);
        task.await;
        journal.count()
    }) {
        assert_eq!(outcome.unwrap(), 1);
    }
}

#[test]
fn tasks_that_do_not_wait_for_time_all_run_before_it_moves() {
    for outcome in random(SEEDS, || async {
        let journal = Journal::new();
        let timer = spawn({
            let journal = journal.clone();
            async move {
                sleep(Duration::from_nanos(1)).await;
                journal.add("timer");
            }
        });
        let inner = journal.clone();
        let busy = spawn(async move {
            for _ in 0..20 {
                yield_now().await;
            }
            inner.add("busy");
        });
        timer.await;
        busy.await;
        journal.take()
    }) {
        assert_eq!(outcome.unwrap(), ["busy", "timer"]);
    }
}

#[test]
fn a_strategy_is_read_from_its_name() {
    for strategy in Strategy::ALL {
        assert_eq!(strategy.name().parse(), Ok(strategy));
        assert_eq!(strategy.to_string(), strategy.name());
    }
    let error = "lifo".parse::<Strategy>().unwrap_err();
    assert!(error.to_string().starts_with("\"lifo\" is not a strategy: expected one of `random`"));
}

#[test]
fn the_options_of_a_run_are_checked() {
    use parcae::executor::Limits;
    let with = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        Sim::builder().limits(limits).build().err().map(|error| error.to_string())
    };
    assert_eq!(with(|_| ()), None);
    assert_eq!(with(|limits| limits.time = Duration::ZERO), None, "a run without time is a run");
    assert_eq!(with(|limits| limits.tasks = 1 << 24), None);
    let message = |limit| Some(format!("the limit `{limit}` is 0, so no run could take a step"));
    assert_eq!(with(|limits| limits.steps = 0), message("steps"));
    assert_eq!(with(|limits| limits.steps_per_instant = 0), message("steps_per_instant"));
    assert_eq!(with(|limits| limits.tasks = 0), message("tasks"));
    let too_many = "the limit `tasks` is 16777217, the most there can be is 16777216";
    assert_eq!(with(|limits| limits.tasks = (1 << 24) + 1).as_deref(), Some(too_many));
    let late = Sim::builder().epoch(Duration::from_secs(u64::MAX)).build().unwrap_err();
    assert!(late.to_string().ends_with("is too late, the latest is in the year 2554"));
}

#[test]
fn a_named_task_keeps_its_stream_when_others_are_spawned_before_it() {
    let draw = |is_crowded: bool| {
        fifo(move || async move {
            if is_crowded {
                spawn(async {}).await;
                spawn_named("other", async {}).await;
            }
            spawn_named("worker", async { parcae::rng().next_u64() }).await
        })
        .unwrap()
    };
    assert_eq!(draw(false), draw(true));
}
