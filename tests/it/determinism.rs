//! Equal worlds give equal runs, and what leaks into a run is caught.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the leaks are planted here to be caught"
)]

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::time::Duration;

use parcae::explore::{Check, Determinism, Isolation, Verdict};
use parcae::{Failure, Sim};

use crate::scenarios::{self, Noise};

fn nondeterminism<P, F>(program: P) -> Option<(usize, String, String)>
where
    P: Fn() -> F + Send + Sync + 'static,
    F: Future<Output: Verdict> + 'static,
{
    let report = Check::new("leak").seeds(1).run(program);
    match report.finding()?.failure().clone() {
        Failure::Nondeterminism { event, first, second } => Some((event, first, second)),
        other => panic!("{other}"),
    }
}

/// What a program reads off the wall clock, below a second.
fn nanos_of_the_clock() -> Duration {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Duration::from_nanos(u64::from(now.subsec_nanos()) + 1)
}

#[test]
fn a_hash_order_leak_is_named_at_its_event() {
    let (event, first, second) = nondeterminism(|| async {
        let users: HashMap<u64, &str> = (0..16).map(|id| (id, "user")).collect();
        let tasks: Vec<_> =
            users.keys().map(|id| parcae::spawn_named(format!("user {id}"), async {})).collect();
        for task in tasks {
            task.await;
        }
    })
    .expect("16 keys in the same order twice: once in 20 trillion");
    assert_ne!(first, second);
    assert!(event >= 2, "main is spawned and runs before: {event}");
    assert!(first.contains("spawns `user ") && second.contains("spawns `user "), "{first}");
    assert!(first.contains("determinism.rs:"), "with the line that leaks: {first}");
}

#[test]
fn a_clock_leak_is_named_at_its_event() {
    let (_, first, second) = nondeterminism(|| async {
        parcae::time::sleep(Duration::from_millis(5)).await;
        parcae::time::sleep(nanos_of_the_clock()).await;
    })
    .expect("two readings of a clock differ in their nanoseconds");
    assert!(first.contains("`main` sets a timer at ") && first != second, "{first}");
    assert!(first.contains("determinism.rs:"), "with the line that leaks: {first}");
}

#[test]
fn a_static_that_outlives_a_run_is_caught() {
    use std::sync::atomic::{AtomicU64, Ordering};
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let found = nondeterminism(|| async {
        let earlier = RUNS.fetch_add(1, Ordering::Relaxed);
        parcae::time::sleep(Duration::from_millis(earlier + 1)).await;
    });
    assert!(found.is_some());
}

#[test]
fn a_leak_behind_a_failure_is_caught_when_the_failure_is_confirmed() {
    async fn leak() {
        parcae::time::sleep(nanos_of_the_clock()).await;
        panic!("always");
    }
    let report = Check::new("late leak").seeds(50).determinism(Determinism::Off).run(leak);
    let failure = report.finding().unwrap().failure().clone();
    assert!(matches!(failure, Failure::Nondeterminism { .. }), "{failure}");
    assert!(report.finding().unwrap().token().is_none(), "there is nothing to replay");
}

#[test]
fn the_check_of_a_clean_program_finds_nothing() {
    for isolation in [Isolation::Thread, Isolation::Reuse] {
        let check = Check::new("clean").seeds(20).isolation(isolation);
        assert!(check.run(scenarios::lost_update_fixed).finding().is_none());
    }
}

/// The chains of 1,000 seeds of three programs.
fn chains() -> Vec<u64> {
    let mut chains = Vec::new();
    for seed in 0..1_000 {
        let update = Sim::new(seed).run(|| scenarios::lost_update(Noise::default()));
        let locks = Sim::new(seed).run(scenarios::lock_inversion);
        let numbers = Sim::new(seed).run(scenarios::needs_numbers);
        chains.extend(
            [update.chain(), locks.chain(), numbers.chain()].map(parcae::kernel::Chain::get),
        );
    }
    chains
}

#[test]
fn a_thousand_seeds_of_three_programs_repeat_in_one_process() {
    assert_eq!(chains(), chains());
}

#[test]
#[expect(clippy::print_stderr, reason = "the child tells its parent so")]
fn a_thousand_seeds_of_three_programs_repeat_in_another_process() {
    // The test binary runs itself: the child prints a digest of its chains.
    const CHILD: &str = "PARCAE_TEST_CHAINS_CHILD";
    let digest = format!(
        "digest {:?}",
        chains().iter().fold(0_u64, |sum, chain| { sum.rotate_left(7).wrapping_mul(31) ^ chain })
    );
    if std::env::var_os(CHILD).is_some() {
        eprintln!("{digest}");
        return;
    }
    let name = "determinism::a_thousand_seeds_of_three_programs_repeat_in_another_process";
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(CHILD, "1")
        .env("LANG", "C")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.lines().any(|line| line == digest), "{digest} in {text}");
}

#[test]
fn different_seeds_give_different_chains() {
    // What a seed decides here: three drawn delays and the order of the tasks.
    let chains: Vec<u64> =
        (0..1_000).map(|seed| Sim::new(seed).run(scenarios::needs_numbers).chain().get()).collect();
    let distinct: BTreeSet<u64> = chains.iter().copied().collect();
    assert_eq!(distinct.len(), chains.len());
}

#[test]
fn a_log_changes_nothing() {
    for seed in 0..200 {
        let plain = Sim::new(seed).run(scenarios::lock_inversion);
        let logged = Sim::builder().seed(seed).log(true).build().unwrap();
        let logged = logged.run(scenarios::lock_inversion);
        assert_eq!(plain.chain(), logged.chain());
        assert_eq!(plain.failure(), logged.failure());
        assert!(logged.log().is_some() && plain.log().is_none());
    }
}
