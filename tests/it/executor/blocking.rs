//! Blocking calls on virtual threads and processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parcae::executor::DomainId;
use parcae::explore::Check;
use parcae::spawn;
use parcae::task::{BlockingPool, Builder, ContextVar, settle, unblock};
use parcae::time::{Instant, sleep, timeout};

use crate::runs::{SEEDS, millis, panic_of, panicked, random, secs};

/// A pool whose calls take a second.
fn steady(pool: BlockingPool) -> BlockingPool {
    pool.takes(secs(1)..=secs(1))
}

/// A call that counts itself.
fn counted(count: &Arc<AtomicUsize>) -> impl FnOnce() -> usize + Send + use<> {
    let count = count.clone();
    move || count.fetch_add(1, Ordering::Relaxed) + 1
}

// CPython's ToThreadTests.
#[test]
fn a_call_gets_what_it_captures_and_its_result_comes_back() {
    static TRACE: ContextVar<u32> = ContextVar::new(|| 0);
    for outcome in random(300, || async {
        let words = ["spin", "measure", "cut"];
        assert_eq!(unblock(move || words.join(" ")).await, "spin measure cut");
        let result = unblock(|| "7x".parse::<u32>()).await;
        assert!(result.is_err());
        TRACE.set(17);
        assert_eq!(unblock(|| TRACE.get()).await, 17);
    }) {
        assert!((Duration::from_micros(3)..=millis(3)).contains(&outcome.elapsed()));
        outcome.unwrap();
    }
}

#[test]
fn other_tasks_go_on_while_a_call_blocks() {
    for outcome in random(SEEDS, || async {
        let pool = steady(BlockingPool::threads(1));
        let beats = spawn(async {
            for _ in 0..9 {
                sleep(millis(100)).await;
            }
            Instant::now()
        });
        let start = Instant::now();
        pool.unblock(|| ()).await;
        assert_eq!(start.elapsed(), secs(1));
        assert_eq!(beats.await - start, millis(900));
    }) {
        outcome.unwrap();
    }
}

#[test]
fn four_threads_make_eight_calls_of_a_second_in_two_in_order_of_arrival() {
    for outcome in random(SEEDS, || async {
        let pool = steady(BlockingPool::threads(4));
        let order = Arc::new(AtomicUsize::new(0));
        let mut calls = Vec::new();
        for _ in 0..8 {
            calls.push(pool.unblock(counted(&order)));
            settle().await;
        }
        let start = Instant::now();
        let mut places = Vec::new();
        for call in calls {
            places.push(call.await);
        }
        assert_eq!(start.elapsed(), secs(2));
        let (first, second) = places.split_at(4);
        assert!(first.iter().all(|place| *place <= 4) && second.iter().all(|place| *place > 4));
    }) {
        outcome.unwrap();
    }
}

#[test]
fn what_becomes_of_a_call_that_nobody_waits_for_is_what_the_kinds_differ_in() {
    for outcome in random(SEEDS, || async {
        for (pool, made) in [(BlockingPool::threads(1), 1), (BlockingPool::processes(1), 0)] {
            let pool = steady(pool);
            let count = Arc::new(AtomicUsize::new(0));
            let begun = pool.unblock(counted(&count));
            settle().await;
            let waiting = pool.unblock(counted(&count));
            settle().await;
            drop(waiting);
            assert!(timeout(millis(500), begun).await.is_err());
            let start = Instant::now();
            let late = pool.unblock(counted(&count)).await;
            assert_eq!(late, made + 1);
            // A thread is busy to the end of its call; a process that was killed is free at once.
            let until_free = if made == 1 { millis(500) } else { Duration::ZERO };
            assert_eq!(start.elapsed(), until_free + secs(1));
        }
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_panic_of_a_call_goes_on_in_who_awaits_it_or_fails_the_run() {
    for outcome in random(20, || async {
        let caller = spawn(unblock(|| -> () { panic!("out of cheese") }));
        let error = caller.join().await.unwrap_err();
        assert!(error.to_string().contains("out of cheese"));
        let pool = steady(BlockingPool::threads(1));
        let call = pool.unblock(|| -> () { panic!("out of memory") });
        assert!(timeout(millis(1), call).await.is_err());
        sleep(secs(2)).await;
    }) {
        assert!(panicked(&outcome, "out of memory").starts_with("unblock"));
    }
}

#[test]
fn machines_have_threads_of_their_own_and_lose_them_with_their_life() {
    for outcome in random(SEEDS, || async {
        let count = Arc::new(AtomicUsize::new(0));
        let [a, b] = ["a", "b"].map(|name| DomainId::create(name, 0));
        let calls = [a, b].map(|machine| {
            let call = counted(&count);
            Builder::new().domain(machine).spawn(async move {
                sleep(secs(1)).await;
                unblock(call).await
            })
        });
        sleep(secs(1)).await;
        a.kill();
        let [lost, made] = calls;
        assert!(lost.join().await.is_err());
        assert_eq!(made.await, 1, "the other machine's call was made too");
    }) {
        outcome.unwrap();
    }
}

#[test]
fn how_long_a_call_takes_is_a_choice_that_shrinks() {
    let report = Check::new("deadline").seeds(100).run(|| async {
        let pool = BlockingPool::threads(1).takes(millis(1)..=millis(100));
        assert!(timeout(millis(40), pool.unblock(|| ())).await.is_ok(), "too slow");
    });
    let world = report.finding().expect("most durations are above 40 ms").world();
    let slowest: Vec<_> = world.overrides.values().copied().collect();
    // At the very instant of the deadline either may come first: the call is made by another task.
    assert_eq!(slowest, [40_000_000], "the least that fails");
}

#[test]
fn bad_pools_are_refused() {
    assert!(panic_of(|| drop(BlockingPool::threads(0))).contains("a pool of 0 makes no call"));
    let reversed = || drop(BlockingPool::threads(1).takes(secs(2)..=secs(1)));
    assert!(panic_of(reversed).contains("a call cannot take from 2s to 1s"));
    let endless = || drop(BlockingPool::threads(1).takes(secs(1)..=Duration::MAX));
    assert!(panic_of(endless).contains("a call cannot take"));
}
