//! What each pass of the shrinker is for, and the traps that it has to avoid.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parcae::explore::{
    Check, CheckReport, Finding, Isolation, ReplayMode, ReplayVerdict, Strategy,
};
use parcae::fault::{Chaos, Nemesis};
use parcae::kernel::{Fill, Key, Ratio, Space};
use parcae::net::UdpSocket;
use parcae::report::{self, Detail, ReplayCommand};
use parcae::testing::Shared;
use parcae::time::{Instant, sleep, timeout};
use parcae::world::{self, Latency, LinkOptions};
use parcae::{Failure, Sim};

use crate::runs::{OnDrop, millis};
use crate::scenarios::{self, Noise};

fn check(name: &str) -> Check {
    Check::new(name).strategy(Strategy::Random).seeds(1000)
}

fn finding(report: &CheckReport) -> &Finding {
    report.finding().expect("a failure is found")
}

/// Returns the values of the overrides, in order.
fn values(finding: &Finding) -> Vec<u64> {
    let mut values: Vec<u64> = finding.world().overrides.values().copied().collect();
    values.sort_unstable();
    values
}

/// Two clients write to a server, the second a while after the first, and the server keeps what comes
/// last. A link that is slow for the first message is enough, and so is a machine that is far away.
async fn overtaken() {
    world::network()
        .set_links(LinkOptions::lan().with_latency(Latency::uniform(millis(1), millis(100))));
    let last = Rc::new(Cell::new(0));
    let kept = last.clone();
    let server = world::node("server").start(move || serve(kept.clone()));
    let mut clients = Vec::new();
    for number in 1..=2_u8 {
        let client = world::node(format!("client-{number}"));
        clients.push(client.start(move || async move {
            sleep(millis(u64::from(number) * 20)).await;
            let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
            socket.send_to(&[number], "server:7").await.unwrap();
        }));
    }
    let nemesis = Nemesis::clogs().every(millis(40)).lasting(millis(1)..=millis(200));
    let chaos = Chaos::on(clients.into_iter().chain([server])).nemesis(nemesis);
    let chaos = chaos.during(millis(200)).start();
    sleep(millis(1000)).await;
    chaos.end();
    assert!(last.get() != 1, "the first message is kept");
}

async fn serve(kept: Rc<Cell<u8>>) {
    let socket = UdpSocket::bind("0.0.0.0:7").await.unwrap();
    let mut bytes = [0; 1];
    loop {
        socket.recv_from(&mut bytes).await.unwrap();
        kept.set(bytes[0]);
    }
}

/// Asks again until an answer comes, and gives up after five times.
async fn retries() {
    // No latency is as good as a loss.
    let latency = Latency::uniform(millis(1), millis(2));
    let links = LinkOptions::lan().with_latency(latency).with_loss(Ratio::percent(30));
    world::network().set_links(links);
    let kept = Rc::new(Cell::new(0));
    world::node("server").start(|| async {
        let socket = UdpSocket::bind("0.0.0.0:7").await.unwrap();
        let mut bytes = [0; 1];
        loop {
            let (_, from) = socket.recv_from(&mut bytes).await.unwrap();
            socket.send_to(&bytes, from).await.unwrap();
        }
    });
    let asked = kept.clone();
    let client = world::node("client").start(move || {
        let asked = asked.clone();
        async move {
            sleep(millis(10)).await;
            let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
            for number in 0..5_u8 {
                asked.set(number + 1);
                socket.send_to(&[number], "server:7").await.unwrap();
                let mut bytes = [0; 1];
                if timeout(millis(50), socket.recv_from(&mut bytes)).await.is_ok() {
                    return;
                }
            }
        }
    });
    drop(client.exited().await);
    assert!(kept.get() < 3, "asked three times");
}

/// The program draws how many operations there are, and which each is.
async fn operations() {
    let count = parcae::rng::choose_for("operations", 0, 0..=12_u64);
    let drawn: Vec<u8> =
        (0..count).map(|place| parcae::rng::choose_for("operation", place, 0..5_u8)).collect();
    let first = drawn.iter().position(|operation| *operation == 3);
    let is_broken = first.is_some_and(|first| drawn[first..].contains(&4));
    assert!(!is_broken, "a 4 after a 3");
}

/// A program, and how it is checked.
type Program = (&'static str, fn(Check) -> CheckReport);

const PROGRAMS: [Program; 7] = [
    ("lost update", |check| check.run(|| scenarios::lost_update(Noise::default()))),
    ("lock inversion", |check| check.run(scenarios::lock_inversion)),
    ("philosophers", |check| check.run(scenarios::philosophers)),
    ("numbers", |check| check.run(scenarios::needs_numbers)),
    ("overtaken", |check| check.run(overtaken)),
    ("retries", |check| check.run(retries)),
    ("operations", |check| check.run(operations)),
];

#[test]
fn one_failure_is_shrunk_to_the_same_bytes_by_one_two_and_eight_threads() {
    for (name, program) in PROGRAMS {
        for first in [0, 10_000] {
            let text = |jobs| {
                let report = program(check(name).first_seed(first).jobs(jobs));
                let detail = Detail::default().with_times(false).with_complete_lists(true);
                let command = ReplayCommand::of_cli("parcae");
                let runs = finding(&report).shrink().unwrap().runs;
                (runs, report::text_with(&report, &command, detail, None))
            };
            let one = text(1);
            assert_eq!(one, text(2), "{name}");
            assert_eq!(one, text(8), "{name}");
        }
    }
}

#[test]
fn a_fault_that_is_not_needed_is_replaced_by_other_latencies() {
    let mut with_faults = 0;
    for first in (0..20).map(|block| block * 1000) {
        let report = check("overtaken").first_seed(first).run(overtaken);
        let finding = finding(&report);
        let shrink = finding.shrink().unwrap();
        assert!(shrink.is_minimal && shrink.size.choices <= 2, "{first}: {:?}", finding.world());
        with_faults += finding.faults().len();
    }
    assert_eq!(with_faults, 0);
}

#[test]
fn an_operation_that_does_nothing_is_left_out_of_the_middle() {
    for first in (0..20).map(|block| block * 1000) {
        let report = check("operations").first_seed(first).run(operations);
        // How many there are, and what they are.
        assert_eq!(values(finding(&report)), [2, 3, 4], "{first}");
    }
}

#[test]
fn what_is_counted_may_be_drawn_in_one_series_with_the_count() {
    async fn program() {
        let count = parcae::choose(0..=9_u8);
        let pairs: Vec<[u8; 2]> =
            (0..count).map(|_| [parcae::choose(0..9), parcae::choose(0..9)]).collect();
        let is_wanted = |pair: &[u8; 2]| *pair == [5, 7];
        assert!(!pairs.iter().any(is_wanted), "seven after five");
    }
    for first in (0..5).map(|block| block * 1000) {
        let report = check("pairs").first_seed(first).run(program);
        assert_eq!(values(finding(&report)), [1, 5, 7], "{first}");
    }
}

#[test]
fn values_that_matter_by_their_difference_are_lowered_together() {
    async fn program() {
        let [left, right] =
            ["left", "right"].map(|side| parcae::rng::choose_for(side, 0, 0..1000_u32));
        assert!(left != right + 37, "{left} and {right}");
    }
    let report = check("difference").seeds(20_000).run(program);
    assert_eq!(values(finding(&report)), [37]);
}

#[test]
fn durations_are_rounded_to_what_is_easy_to_read() {
    async fn program() {
        world::network()
            .set_links(LinkOptions::lan().with_latency(Latency::uniform(millis(1), millis(100))));
        let kept = Rc::new(Cell::new(0));
        let seen = kept.clone();
        world::node("server").start(move || serve(seen.clone()));
        let client = world::node("client").start(|| async {
            sleep(millis(1)).await;
            let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
            socket.send_to(&[1], "server:7").await.unwrap();
        });
        drop(client.exited().await);
        sleep(Duration::from_micros(37_123)).await;
        assert!(kept.get() == 1, "it comes late");
    }
    let report = check("late").run(program);
    let nanos = values(finding(&report));
    assert_eq!(nanos, [40_000_000], "not 37,123,001 ns");
}

/// A client sends to two servers at once; gives how long each message took.
async fn two_latencies() -> [Duration; 2] {
    world::network()
        .set_links(LinkOptions::lan().with_latency(Latency::uniform(millis(1), millis(100))));
    let (start, seen) = (Instant::now(), Rc::new(Cell::new([Duration::ZERO; 2])));
    for index in 0..2 {
        let seen = seen.clone();
        world::node(format!("server-{index}")).start(move || {
            let seen = seen.clone();
            async move {
                let socket = UdpSocket::bind("0.0.0.0:7").await.unwrap();
                socket.recv_from(&mut [0; 1]).await.unwrap();
                let mut both = seen.get();
                both[index] = start.elapsed() - millis(1);
                seen.set(both);
                std::future::pending::<()>().await;
            }
        });
    }
    sleep(millis(1)).await;
    let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    socket.send_to(&[0], "server-0:7").await.unwrap();
    socket.send_to(&[0], "server-1:7").await.unwrap();
    sleep(millis(200)).await;
    seen.get()
}

#[test]
fn what_a_rounded_value_does_without_is_left_out() {
    let is_wrong = |[first, second]: [Duration; 2]| {
        first >= millis(39) && (first >= Duration::from_micros(39_500) || second >= millis(50))
    };
    let is_narrow =
        |both: &[Duration; 2]| is_wrong(*both) && both[0] < Duration::from_micros(39_500);
    let narrow = |seed: &u64| is_narrow(&Sim::new(*seed).run(two_latencies).unwrap());
    for seed in (0..20_000).filter(narrow).take(3) {
        let report = check("late").first_seed(seed).seeds(1).run(move || async move {
            assert!(!is_wrong(two_latencies().await), "they come late");
        });
        let finding = finding(&report);
        assert!(finding.shrink().unwrap().is_minimal);
        assert_eq!(
            values(finding),
            [40_000_000],
            "seed {seed}: the other message need not be late"
        );
    }
}

#[test]
fn a_part_of_a_fault_goes_with_the_fault() {
    async fn program() {
        let nodes = world::nodes("kv", 3).start(|_| std::future::pending::<()>());
        let chaos = Chaos::on(nodes.clone()).start();
        sleep(Duration::from_secs(30)).await;
        drop(chaos);
        assert!(nodes[2].incarnation() == 0, "kv-3 was started again");
    }
    for first in [0, 1000, 2000] {
        let report = check("one kill").first_seed(first).run(program);
        let finding = finding(&report);
        // That a machine is killed, and which: the first is the default.
        assert!(finding.world().overrides.len() <= 2, "{:?}", finding.world());
        let killed: u64 = finding.faults().iter().map(|count| count.begun).sum();
        assert!(killed <= 3, "a kill, or a round of restarts: {:?}", finding.faults());
    }
}

// Traps

#[test]
fn a_retry_that_is_not_needed_draws_nothing_that_matters() {
    for first in (0..5).map(|block| block * 1000) {
        let report = check("retries").first_seed(first).run(retries);
        // Both the question and the answer may be lost: two losses, of those that are drawn by then.
        assert_eq!(values(finding(&report)), [1, 1], "{first}");
    }
}

#[test]
fn overrides_are_keyed_anew_when_an_edit_renumbers_what_comes_after_it() {
    async fn program() {
        // Each that is 1 draws one more in front of the others.
        let mut drawn = Vec::new();
        for _ in 0..6 {
            if parcae::choose(0..=1_u8) == 1 {
                let _ = parcae::choose(0..100_u8);
            }
            drawn.push(parcae::choose(0..10_u8));
        }
        assert!(!drawn.contains(&9), "nine");
    }
    for first in (0..10).map(|block| block * 1000) {
        let report = check("renumbered").first_seed(first).run(program);
        assert_eq!(values(finding(&report)), [9], "{first}");
    }
}

#[test]
fn an_override_outside_of_its_range_counts_as_none() {
    let key = Key::new(parcae::kernel::StreamId::ROOT, parcae::kernel::Site::new("dice"), 0);
    let dice = Space::Integer { low: 1, high: 6, default: 1 };
    let overrides = [(key, 7)].into();
    let mut choices = parcae::kernel::Choices::new(7.into(), Fill::Default, overrides);
    let draw = choices.draw(key, dice);
    assert_eq!((draw.value, draw.source), (1, parcae::kernel::Source::Stale));
}

#[test]
fn a_run_that_fails_otherwise_is_told_and_not_taken() {
    async fn program() {
        let [left, right] =
            ["left", "right"].map(|side| parcae::rng::choose_for(side, 0, 0..=3_u8));
        assert!(left == 0 || right == 0, "both");
        assert!(left == 0, "the left one");
    }
    let mut seen = BTreeSet::new();
    for first in (0..10).map(|block| block * 1000) {
        let report = check("two failures").first_seed(first).run(program);
        let finding = finding(&report);
        let others = &finding.shrink().unwrap().others;
        let is_both = finding.failure().to_string().contains("both");
        assert_eq!(values(finding), vec![1; if is_both { 2 } else { 1 }]);
        assert_eq!(others.len(), usize::from(is_both), "{others:?}");
        seen.insert(is_both);
    }
    assert_eq!(seen.len(), 2);
}

#[test]
fn a_run_without_an_answer_is_not_a_run_that_fails() {
    async fn program() {
        let is_odd = parcae::rng::choose_for("odd", 0, 0..=1_u8) == 1;
        let is_endless = parcae::rng::choose_for("finite", 0, 0..=1_u8) == 0;
        if is_odd && is_endless {
            loop {
                parcae::task::yield_now().await;
            }
        }
        assert!(!is_odd, "odd");
    }
    let mut panicked = 0;
    for first in (0..10).map(|block| block * 1000) {
        let report = check("endless").first_seed(first).max_steps(5_000).run(program);
        let finding = finding(&report);
        let is_panic = matches!(finding.failure(), Failure::Panic { .. });
        // Without `finite` it is no panic any more, so that choice is a part of the panic.
        assert_eq!(values(finding), vec![1; if is_panic { 2 } else { 1 }]);
        panicked += usize::from(is_panic);
    }
    assert!(panicked > 0);
}

#[test]
fn panics_while_a_failed_run_is_taken_down_change_nothing() {
    async fn program() {
        let counter = Rc::new(Shared::new(0_u32));
        for _ in 0..3 {
            let counter = counter.clone();
            let loud = OnDrop(|| assert!(!std::thread::panicking(), "dropped"));
            parcae::spawn_named("increment", async move {
                let _loud = loud;
                let value = counter.get().await;
                counter.set(value + 1).await;
                std::future::pending::<()>().await;
            })
            .detach();
        }
        sleep(millis(1)).await;
        assert_eq!(counter.peek(), 3, "an update was lost");
    }
    for isolation in [Isolation::Thread, Isolation::Reuse] {
        let report = check("storm").isolation(isolation).seeds(2000).run(program);
        let Failure::Panic { message, .. } = finding(&report).failure() else { panic!() };
        assert!(message.contains("an update was lost"), "{message}");
        assert_eq!(finding(&report).shrink().unwrap().size.choices, 1);
    }
}

#[test]
fn what_leaks_from_run_to_run_while_it_is_shrunk_is_reported() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let report = check("leak").jobs(1).run(|| async {
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        // The runs that confirm the failure are alike, later ones are not.
        sleep(Duration::from_nanos(if run > 5 { run } else { 1 })).await;
        assert!(parcae::choose(0..100_u8) == 100, "always");
    });
    let failure = finding(&report).failure();
    assert!(matches!(failure, Failure::Nondeterminism { .. }), "{failure}");
}

#[test]
fn the_strategy_that_found_a_failure_has_no_part_in_what_it_is_shrunk_to() {
    for strategy in Strategy::ALL.into_iter().filter(|strategy| *strategy != Strategy::Fifo) {
        let program = || scenarios::lost_update(Noise::default());
        let report = check("strategies").strategy(strategy).run(program);
        let finding = finding(&report);
        assert_eq!(finding.world().fill, Fill::Default, "{strategy}");
        assert_eq!(finding.world().overrides.len(), 1, "{strategy}");
        let token = finding.token().unwrap();
        let replay = Check::new("strategies").strategy(Strategy::Fifo);
        let replay = replay.replay(token, ReplayMode::Strict, program).unwrap();
        assert_eq!(replay.verdict, ReplayVerdict::Reproduced, "{strategy}");
    }
}

#[test]
fn what_is_forced_long_before_and_long_after_the_cause_goes_at_once() {
    // Two hundred tasks each draw a value at a time of their own; what three of them draw one after the other matters.
    async fn program() {
        let sum = Rc::new(Cell::new(0_u32));
        let tasks = (0..200_u64).map(|number| {
            let sum = sum.clone();
            parcae::spawn_named(format!("task-{}", number * 77 % 200), async move {
                sleep(millis(number)).await;
                let drawn = parcae::rng::choose_for("colour", 0, 0..=3_u32);
                if (120..=122).contains(&number) && drawn > 0 {
                    sum.set(sum.get() + 1);
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await;
        }
        assert!(sum.get() < 3, "three in a row");
    }
    let report = check("three").run(program);
    let finding = finding(&report);
    assert_eq!(values(finding), [1, 1, 1]);
    let (found, runs) = (finding.found().choices, finding.shrink().unwrap().runs);
    assert!(found > 100 && runs < 60, "{found} choices, {runs} runs");
}

#[test]
fn whole_numbers_come_to_their_least_value_also_near_what_was_drawn() {
    for least in [1, 127, 500, 990, 999] {
        let report = check("least").seeds(100_000).run(move || async move {
            assert!(parcae::choose(0..=1000_u64) < least, "too much");
        });
        assert_eq!(values(finding(&report)), [least]);
    }
}
