//! With the functions of this crate in front of those of the C library.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "leaks are planted here")]

mod matrix;

use std::time::{Duration, Instant, SystemTime};

use parcae::explore::{Check, Determinism, Isolation};

use self::matrix::program_of_strangers;

const IS_LIVE: bool = true;

fn prepare() {
    parcae_libc::assert_live();
}

#[test]
fn a_thousand_seeds_of_strangers_are_the_same_twice() {
    parcae_libc::assert_live();
    let check =
        Check::new("strangers").isolation(Isolation::Fork).determinism(Determinism::EverySeed);
    let report = check.seeds(1_000).run(program_of_strangers);
    assert!(report.is_ok(), "{}", report.finding().unwrap().failure());
    assert_eq!(report.seeds_run(), 1_000);
}

#[test]
fn different_seeds_give_strangers_different_chance() {
    parcae_libc::assert_live();
    let draw = |seed| parcae::Sim::new(seed).run(|| async { uuid::Uuid::new_v4() }).unwrap();
    let on_a_thread = |seed| std::thread::spawn(move || draw(seed)).join().unwrap();
    assert_eq!(on_a_thread(1), on_a_thread(1));
    assert_ne!(on_a_thread(1), on_a_thread(2));
}

#[test]
fn without_the_world_nothing_changes() {
    parcae_libc::assert_live();
    let (start, wall) = (Instant::now(), SystemTime::now());
    std::thread::sleep(Duration::from_millis(20));
    assert!(start.elapsed() >= Duration::from_millis(20));
    assert!(wall.elapsed().unwrap() >= Duration::from_millis(20));
    assert_eq!(std::thread::spawn(|| 7).join().unwrap(), 7);
    assert_ne!(uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
    let seen = parcae::Sim::new(0).run(|| async { parcae_libc::outside(SystemTime::now) }).unwrap();
    assert!(seen > wall, "the machine's clock is later than the year 2020");
}

#[test]
fn who_waits_by_reading_the_clock_comes_to_an_end() {
    parcae_libc::assert_live();
    let outcome = parcae::Sim::new(0).run(|| async {
        let start = Instant::now();
        while start.elapsed() < Duration::from_micros(50) {}
    });
    outcome.unwrap();
}
