//! A process for each seed: what ends one costs no other.
#![expect(clippy::exit, clippy::disallowed_methods, reason = "what ends a process is planted here")]

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parcae::executor::ProcessEnd;
use parcae::explore::{
    Check, CheckReport, Determinism, Isolation, ReplayMode, ReplayVerdict, Strategy, StuckRun,
};
use parcae::report::{self, ReplayCommand};
use parcae::{Failure, buggify, sometimes};

fn check(name: &str) -> Check {
    Check::new(name).isolation(Isolation::Fork).jobs(2)
}

/// Returns which seeds lost their process, and how.
fn lost(report: &CheckReport) -> Vec<(u64, ProcessEnd)> {
    let end = |failure: &Failure| match failure {
        Failure::Process { end, .. } => *end,
        failure => panic!("{failure}"),
    };
    report.lost().iter().map(|lost| (lost.seed.get(), end(&lost.failure))).collect()
}

#[expect(unconditional_recursion, reason = "that is what is tested")]
/// Calls itself until the stack is used up.
fn overflow(depth: &Cell<u64>) -> u64 {
    let page = [depth.get(); 512];
    depth.set(depth.get() + 1);
    overflow(depth) + std::hint::black_box(page)[17]
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("in a destructor");
    }
}

/// Draws a number that tells the seed, as no program can ask for it.
fn draw() -> u64 {
    parcae::choose(0..=u64::MAX)
}

fn drawn_by(seed: u64) -> u64 {
    parcae::Sim::new(seed).run(|| async { draw() }).unwrap()
}

async fn four_of_a_thousand_end_their_process(drawn: [u64; 4]) {
    let own = draw();
    match drawn.iter().position(|drawn| *drawn == own) {
        Some(0) => {
            let _guard = PanicsWhenDropped;
            panic!("and its destructor panics, too");
        }
        Some(1) => assert!(overflow(&Cell::new(0)) > 0, "it does not return"),
        Some(2) => {
            let mut kept = Vec::new();
            loop {
                kept.push(vec![1_u8; 1 << 20]);
            }
        }
        Some(_) => loop {
            std::hint::spin_loop();
        },
        None => {}
    }
}

#[test]
fn a_seed_that_ends_its_process_is_named_and_the_others_run() {
    let limit = Duration::from_secs(4);
    let check = check("four").seeds(1_000).memory_limit(256 << 20).stuck_after(limit);
    let drawn = [17, 230, 400, 991].map(drawn_by);
    let report = check.run(move || four_of_a_thousand_end_their_process(drawn));
    let expected = vec![
        (17, ProcessEnd::Signal { number: 6 }),
        (230, ProcessEnd::StackOverflow),
        (400, ProcessEnd::OutOfMemory { limit_bytes: 256 << 20 }),
        (991, ProcessEnd::Stuck { limit }),
    ];
    assert_eq!(lost(&report), expected);
    assert_eq!(report.seeds_run(), 1_000);
    let kinds: Vec<_> = report.lost().iter().map(|lost| lost.failure.kind()).collect();
    assert_eq!(kinds, ["abort", "stack overflow", "out of memory", "stuck"]);
    let finding = report.finding().unwrap();
    assert_eq!(finding.seed().get(), 17);
    let failing: Vec<_> = report.failing().iter().map(|failing| failing.seed().get()).collect();
    assert_eq!(failing, [17], "those that keep going list all");
    let text = report::text(&report, &ReplayCommand::from_prefix("cargo test"));
    assert!(text.contains("in a destructor"), "its last words: {text}");
    assert!(text.contains("PARCAE_SEED=17 cargo test"), "{text}");
    for line in ["seed 230: stack overflow", "seed 400: out of memory", "seed 991: stuck"] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn sixteen_lost_seeds_are_enough() {
    let expected: Vec<_> = (0..16).map(|seed| (seed, ProcessEnd::Exit { code: 3 })).collect();
    for jobs in [1, 2] {
        let check = check("exits").seeds(100_000).jobs(jobs);
        let report = check.run(|| async { std::process::exit(3) });
        assert_eq!(lost(&report), expected, "{jobs} jobs");
        assert_eq!((report.seeds_run(), report.stop()), (16, None), "{jobs} jobs");
    }
}

static VISITS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn a_static_is_as_new_in_each_run() {
    let check = check("static").seeds(200).determinism(Determinism::EverySeed);
    let report = check.run(|| async {
        assert_eq!(VISITS.fetch_add(1, Ordering::Relaxed), 0, "what another run has left");
    });
    assert!(report.is_ok(), "{report:?}");
    assert_eq!(report.seeds_run(), 200);
}

/// Two that read before either writes; which orders there are is for strategies to find.
async fn lose_an_update() {
    let shared = Arc::new(parcae::testing::Shared::new(0));
    let other = shared.clone();
    let task = parcae::spawn(async move {
        let value = other.get().await;
        other.set(value + 1).await;
    });
    let value = shared.get().await;
    shared.set(value + 1).await;
    task.await;
    assert_eq!(shared.get().await, 2);
}

#[test]
fn a_failure_is_found_and_shrunk_as_without_a_process() {
    let forked = check("lost update").run(lose_an_update);
    let threaded = Check::new("lost update").run(lose_an_update);
    let facts = |report: &CheckReport| {
        let finding = report.finding().unwrap();
        (
            finding.seed(),
            finding.token().map(ToString::to_string),
            finding.shrink().map(|shrink| (shrink.runs, shrink.is_minimal)),
            report.seeds_run(),
            report.steps(),
        )
    };
    assert_eq!(facts(&forked), facts(&threaded));
}

/// Three that write in turns, and look whose turn it was: the counts are those of the schedules.
async fn write_in_turns() {
    let shared = Arc::new(parcae::testing::Shared::new(0));
    let tasks: Vec<_> = (1..=3)
        .map(|number| {
            let shared = shared.clone();
            parcae::spawn(async move {
                for _ in 0..4 {
                    let last = shared.get().await;
                    sometimes!(last == number, "it was its own turn", last, number);
                    shared.set(number).await;
                    if buggify!("looks again") {
                        shared.get().await;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await;
    }
}

#[test]
fn a_seed_is_the_same_run_under_each_strategy_and_isolation() {
    for strategy in Strategy::ALL {
        let run = |isolation| {
            let check = Check::new("turns").strategy(strategy).isolation(isolation).seeds(30);
            let report = check.jobs(1).property_details(true).run(write_in_turns);
            assert!(report.is_ok(), "{report:?}");
            let firings: Vec<_> = report
                .buggified()
                .iter()
                .map(|it| (it.name(), it.seeds(), it.seeds_active(), it.seeds_fired(), it.fired()))
                .collect();
            let held: Vec<_> =
                report.properties().iter().map(|it| (it.held(), it.failed())).collect();
            let lines = report::properties_json(&report);
            (report.pilots_run(), report.steps(), held, firings, lines)
        };
        let threaded = run(Isolation::Thread);
        assert!(threaded.3[0].4 > 0 && threaded.4.contains("\"number\""), "{threaded:?}");
        assert_eq!(run(Isolation::Fork), threaded, "{strategy}");
        assert_eq!(run(Isolation::Reuse), threaded, "{strategy}");
    }
}

#[test]
fn the_profile_is_the_same_with_a_process_for_each_pilot() {
    let check = |isolation| Check::new("turns").strategy(Strategy::Surw).isolation(isolation);
    let forked = check(Isolation::Fork).profile(write_in_turns).unwrap();
    let threaded = check(Isolation::Thread).profile(write_in_turns).unwrap();
    assert_eq!(forked, threaded);
    assert_ne!(threaded, parcae::explore::Profile::default());
}

#[test]
fn pilots_that_end_their_processes_end_no_search() {
    let check = check("exits").strategy(Strategy::Portfolio).seeds(3).jobs(1);
    let report = check.run(|| async { std::process::exit(3) });
    let lost: Vec<_> = report.lost().iter().map(|lost| lost.seed.get()).collect();
    assert_eq!(lost, [0, 1, 2]);
    assert_eq!((report.pilots_run(), report.seeds_run()), (2, 3));
}

/// Fails for a great number, and ends its process for one below `deadly`, which the least one always is.
fn with_a_deadly_default(deadly: u64) -> impl Fn() -> std::future::Ready<()> {
    move || {
        let number = parcae::choose(0..=100_u64);
        if number < deadly {
            std::process::abort();
        }
        assert!(number <= 50, "too great");
        std::future::ready(())
    }
}

#[test]
fn a_world_that_is_drawn_anew_is_not_run_here_if_its_process_ends() {
    // It fails if a branch is taken that is rare, and ends its process if not.
    let check = check("aborts").seeds(300).buggify(true).strategy(Strategy::Random);
    let report = check.run(|| async {
        let latency = parcae::choose(0..1_000_u64);
        if !buggify!("rare") {
            if latency < 10 {
                std::process::abort();
            }
            return;
        }
        panic!("the rare one");
    });
    let finding = report.finding().unwrap();
    assert!(finding.failure().to_string().contains("the rare one"), "{}", finding.failure());
    assert_eq!(finding.world().overrides.len(), 1, "{:?}", finding.world());
}

#[test]
fn a_smaller_world_that_ends_its_process_is_not_taken() {
    let check = check("deadly").seeds(1_000).first_seed(first_great_seed()).jobs(1);
    let report = check.run(with_a_deadly_default(10));
    let finding = report.finding().unwrap();
    assert!(finding.failure().to_string().contains("too great"), "{}", finding.failure());
    assert_eq!(finding.world().overrides.values().copied().collect::<Vec<_>>(), [51]);
    let others = &finding.shrink().unwrap().others;
    assert!(others.iter().any(|other| other.kind() == "abort"), "{others:?}");
}

/// Returns a seed that draws a great number.
fn first_great_seed() -> u64 {
    let number = |seed| parcae::Sim::new(seed).run(|| async { parcae::choose(0..=100_u64) });
    (0..).find(|seed| number(*seed).unwrap() > 60).unwrap()
}

#[test]
fn a_replay_that_ends_its_process_says_so() {
    // The token is made without processes, so that the server comes to the replay at once.
    let first = first_great_seed();
    let found = Check::new("deadly").first_seed(first).seeds(1).run(with_a_deadly_default(0));
    let token = found.finding().unwrap().token().unwrap();
    let replay = check("deadly").replay(token, ReplayMode::Lenient, with_a_deadly_default(60));
    let replay = replay.unwrap();
    assert_eq!(replay.verdict, ReplayVerdict::Diverged);
    assert_eq!(replay.failure().unwrap().kind(), "abort");
    let text = report::replay_text(&replay, &ReplayCommand::from_prefix("cargo test"));
    assert!(text.contains("abort"), "{text}");
    let again = check("deadly").replay(token, ReplayMode::Strict, with_a_deadly_default(0));
    assert_eq!(again.unwrap().verdict, ReplayVerdict::Reproduced);
}

#[test]
fn properties_of_runs_in_processes_are_counted() {
    let report = check("properties").seeds(120).run(|| async {
        sometimes!(parcae::choose(0..2) == 1, "the coin shows one");
        sometimes!(false, "never");
    });
    let text = report::text(&report, &ReplayCommand::from_prefix("cargo test"));
    assert!(report.fails_for_unmet(), "{text}");
    assert!(text.contains("never") && !text.contains("the coin shows one"), "{text}");
}

#[test]
fn an_address_that_reaches_the_program_is_named() {
    let report = check("address").seeds(10).run(|| async {
        let address = std::ptr::from_ref(&VISITS).addr();
        parcae::time::sleep(Duration::from_nanos((address >> 12) as u64 % 1_000_003)).await;
    });
    let finding = report.finding().unwrap();
    let Failure::Nondeterminism { first, second, .. } = finding.failure() else {
        panic!("{}", finding.failure());
    };
    assert!(first.contains("timer") && second.contains("timer"), "{first} / {second}");
}

#[parcae::test(seeds = 50, isolation = "fork")]
async fn the_attribute_starts_its_own_test_again() {
    assert_eq!(VISITS.fetch_add(1, Ordering::Relaxed), 0, "what another run has left");
}

#[test]
fn a_run_that_is_stuck_on_a_thread_is_told_of_while_it_lasts() {
    static TOLD: AtomicUsize = AtomicUsize::new(usize::MAX);
    let check = Check::new("waits").first_seed(7).seeds(1).stuck_after(Duration::from_millis(50));
    let check = check.determinism(Determinism::Off).strategy(Strategy::Random);
    let report = check.on_stuck(|stuck| store(&TOLD, stuck)).run(|| wait_until(&TOLD, 7));
    assert!(report.is_ok(), "{report:?}");
}

#[test]
fn a_pilot_that_is_stuck_is_told_of_while_it_lasts() {
    static TOLD: AtomicUsize = AtomicUsize::new(usize::MAX);
    let check = Check::new("waits").first_seed(7).seeds(1).stuck_after(Duration::from_millis(50));
    let check = check.determinism(Determinism::Off).strategy(Strategy::Portfolio);
    let report = check.on_stuck(|stuck| store(&TOLD, stuck)).run(|| wait_until(&TOLD, 0));
    assert!(report.is_ok(), "{report:?}");
    assert_eq!(TOLD.load(Ordering::Relaxed), 0, "which is the first pilot");
}

fn store(told: &AtomicUsize, stuck: &StuckRun) {
    told.store(usize::try_from(stuck.seed.get()).unwrap(), Ordering::Relaxed);
}

/// Spins inside of one poll.
async fn wait_until(told: &AtomicUsize, seed: usize) {
    while told.load(Ordering::Relaxed) != seed {
        std::thread::yield_now();
    }
}

#[test]
fn an_executable_that_does_not_come_to_the_check_again_is_an_error() {
    if std::env::var_os("PARCAE_FORK_SERVER").is_some() {
        return;
    }
    let error = check("absent").try_run(|| async {}).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("did not come to the check absent at tests/it/isolation.rs"), "{text}");
}

#[test]
fn a_process_with_threads_is_not_forked() {
    let builder = std::thread::Builder::new().stack_size(1 << 20);
    let waiting = builder.spawn(std::thread::park).unwrap();
    let error = check("threads").try_run(|| async {}).unwrap_err();
    assert!(error.to_string().contains("at this check it has 2"), "{error}");
    waiting.thread().unpark();
    waiting.join().unwrap();
}
