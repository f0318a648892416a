//! The chain of a fixed world: optimisations must not change it.

use std::time::Duration;

use parcae::executor::DomainId;
use parcae::explore::Strategy;
use parcae::task::{Builder, settle, yield_now};
use parcae::time::{call_after, interval, sleep, timeout};
use parcae::{Sim, choose, rng, spawn, spawn_named};

#[test]
fn chains_of_a_fixed_world_are_as_before() {
    let expected = [
        (Strategy::Fifo, 1, 7_595_646_805_232_603_566, 1714),
        (Strategy::Random, 1, 12_089_452_096_969_995_740, 1711),
        (Strategy::Random, 2, 8_643_759_370_236_010_693, 1434),
    ];
    let chain = |strategy, seed, is_logged| {
        let sim = Sim::builder().strategy(strategy).seed(seed).log(is_logged).build().unwrap();
        let outcome = sim.run(world);
        assert!(outcome.is_ok(), "{:?}", outcome.failure());
        (strategy, seed, outcome.chain().get(), outcome.event_count())
    };
    for is_logged in [false, true] {
        let found = expected.map(|(strategy, seed, ..)| chain(strategy, seed, is_logged));
        assert_eq!(found, expected);
    }
}

/// Uses every kind of event that the executor has.
async fn world() {
    let slow = DomainId::create("slow", 0);
    slow.set_clock_rate(-1000);
    let dead = DomainId::create("dead", 0);
    let mut tasks = Vec::new();
    for number in 0..20_u64 {
        let domain = if number % 3 == 0 { slow } else { DomainId::ROOT };
        tasks.push(Builder::new().name("worker").domain(domain).spawn(work(number)));
        tasks.push(spawn(work(number * 2)));
    }
    for number in 0..5 {
        Builder::new().domain(dead).spawn(work(number)).background();
    }
    call_after(Duration::from_millis(3), move || slow.pause());
    call_after(Duration::from_millis(9), move || slow.resume());
    call_after(Duration::from_millis(11), move || slow.busy_for(Duration::from_millis(2)));
    call_after(Duration::from_millis(5), move || dead.kill());
    drop(spawn_named("dropped", sleep(Duration::from_millis(40))));
    settle().await;
    let panics = spawn(async { assert!(choose(0..=0) > 0, "it is not") });
    assert!(panics.join().await.is_err());
    let mut total = 0;
    for task in tasks {
        total += task.await;
    }
    assert!(total > 0);
}

async fn work(number: u64) -> u64 {
    let mut ticks = interval(Duration::from_millis(number + 1));
    for step in 0..choose(1..=4) {
        ticks.tick().await;
        yield_now().await;
        let pause = Duration::from_nanos(choose(0..=20_000_000));
        let child = spawn(async move {
            sleep(pause).await;
            rng().next_u64() % 100
        });
        let limit = Duration::from_millis(8 + step);
        match timeout(limit, child).await {
            Ok(drawn) => sleep(Duration::from_millis(drawn)).await,
            Err(_) => yield_now().await,
        }
    }
    number
}
