//! Why a failure happens: parts, values, endings, the past.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parcae::executor::Happening;
use parcae::explore::{
    Change, Check, CheckReport, Explain, Explanation, Finding, Isolation, Part, ReplayMode, Shrink,
    Strategy, Without,
};
use parcae::net::UdpSocket;
use parcae::report::{self, Detail, ReplayCommand};
use parcae::testing::Shared;
use parcae::time::sleep;
use parcae::world::{self, Latency, LinkOptions};

use crate::runs::millis;
use crate::scenarios::{self, Noise};

fn check(name: &str) -> Check {
    Check::new(name).strategy(Strategy::Random).seeds(1000).explain(Explain::default())
}

fn explained(report: &CheckReport) -> (&Finding, &Explanation) {
    let finding = report.finding().expect("a failure is found");
    (finding, finding.explanation().expect("it was asked for"))
}

fn only(parts: &[Part]) -> &Part {
    let [part] = parts else { panic!("{parts:?}") };
    part
}

/// A message that comes too late, and much that has nothing to do with it.
async fn late() {
    let links = LinkOptions::lan().with_latency(Latency::uniform(millis(1), millis(100)));
    world::network().set_links(links);
    let kept = Rc::new(Cell::new(0));
    let seen = kept.clone();
    world::node("server").start(move || {
        let seen = seen.clone();
        async move {
            let socket = UdpSocket::bind("0.0.0.0:7").await.unwrap();
            let mut bytes = [0; 1];
            socket.recv_from(&mut bytes).await.unwrap();
            seen.set(bytes[0]);
        }
    });
    world::node("client").start(|| async {
        sleep(millis(1)).await;
        let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        socket.send_to(&[1], "server:7").await.unwrap();
    });
    let bystander = parcae::spawn_named("bystander", async {
        for _ in 0..5 {
            sleep(millis(9)).await;
        }
    });
    sleep(millis(38)).await;
    assert!(kept.get() == 1, "it comes late");
    bystander.await;
}

#[test]
fn nothing_is_explained_unless_it_was_asked_for() {
    let report = Check::new("late").seeds(1000).run(late);
    assert!(report.finding().unwrap().explanation().is_none());
}

#[test]
fn each_part_is_shown_necessary_with_the_first_difference() {
    let report = check("lost").run(|| scenarios::lost_update(Noise::default()));
    let (finding, explanation) = explained(&report);
    let part = only(&explanation.parts);
    let Without::Passes(Some(difference)) = &part.without else { panic!("{part:?}") };
    let entry = &finding.log().entries[difference.entry];
    // That the task is preempted, or what another one does that has its turn.
    assert!(difference.failing[0].contains("preempted") || entry.time == difference.time);
    assert_ne!(difference.failing[0], difference.other[0]);
    assert!(part.range.is_none(), "who goes on is no number");
    assert!(!explanation.is_cut);
}

#[test]
fn a_part_without_which_it_fails_otherwise_says_how() {
    async fn program() {
        let [left, right] =
            ["left", "right"].map(|side| parcae::rng::choose_for(side, 0, 0..=3_u8));
        assert!(left == 0 || right == 0, "both");
        assert!(left == 0, "the left one");
    }
    let both = (0..20).map(|block| check("two").first_seed(block * 100).run(program));
    let is_both = |report: &CheckReport| explained(report).0.failure().to_string().contains("both");
    let report = both.into_iter().find(is_both).expect("in half of all");
    let (_, explanation) = explained(&report);
    let mut told: Vec<String> = explanation
        .parts
        .iter()
        .map(|part| match &part.without {
            Without::Passes(_) => "passes".to_owned(),
            Without::FailsOtherwise(other, _) => other.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    told.sort();
    assert!(told[0].ends_with("the left one") && told[1] == "passes", "{told:?}");
}

#[test]
fn a_choice_that_is_not_needed_is_said_to_be_none() {
    async fn program() {
        let _ = parcae::rng::choose_for("colour", 0, 1..9_u8);
        assert!(parcae::rng::choose_for("size", 0, 0..9_u8) < 4, "too large");
    }
    let mut shrink = Shrink::default();
    shrink.runs = 0;
    let report = check("unshrunk").shrink(shrink).seeds(200).run(program);
    let (_, explanation) = explained(&report);
    let is_needless = |part: &&Part| matches!(part.without, Without::FailsAlike);
    let needless = explanation.parts.iter().filter(is_needless).count();
    assert_eq!(explanation.parts.len(), needless + 1, "{:?}", explanation.parts);
}

#[test]
fn values_that_would_do_are_found_both_ways() {
    let ranges = |least: u64, greatest: u64, low: i64, high: u64| {
        let program = move || async move {
            if low < 0 {
                let value = parcae::choose(low..=1000);
                let (least, greatest) = (-(greatest.cast_signed()), -(least.cast_signed()));
                assert!(value < least || value > greatest, "{value}");
            } else {
                let value = parcae::choose(low.unsigned_abs()..=high);
                assert!(value < least || value > greatest, "{value}");
            }
        };
        let report = check("range").seeds(100_000).run(program);
        let (_, explanation) = explained(&report);
        let range = only(&explanation.parts).range.expect("it is a number");
        (range.to_string(), range.low, range.high)
    };
    assert_eq!(ranges(37, 2000, 0, 1000), ("any value ≥ 37".to_owned(), 37, 1000));
    assert_eq!(ranges(37, 612, 0, 1000), ("any value from 37 to 612".to_owned(), 37, 612));
    assert_eq!(ranges(500, 500, 0, 1000), ("no value but 500".to_owned(), 500, 500));
    assert_eq!(ranges(1, 7, 0, 1000), ("any value from 1 to 7".to_owned(), 1, 7));
    let (text, low, high) = ranges(37, 612, -1000, 0);
    assert_eq!(
        (text.as_str(), low.cast_signed(), high.cast_signed()),
        ("any value from -612 to -37", -612, -37)
    );
}

#[test]
fn a_delay_is_told_as_one_and_the_nearest_passing_run_is_a_little_faster() {
    let report = check("late").run(late);
    let (finding, explanation) = explained(&report);
    let part = only(&explanation.parts);
    // Sent after 1 ms, and looked at after 38: at that instant it comes before or after.
    assert_eq!(part.value, 40_000_000, "rounded, as all from 37 ms on do");
    assert_eq!(part.range.unwrap().to_string(), "any delay ≥ 37ms");
    let nearest = explanation.nearest.as_ref().expect("some run passes");
    assert_eq!(nearest.part, 0);
    let Change::Value(value) = nearest.change else { panic!("{nearest:?}") };
    assert_eq!(value, 36_999_999);
    let later = finding.log().entries[nearest.difference.entry..].len();
    assert!(later < finding.log().entries.len() / 2, "they part near the end");
}

/// Returns what has to come before what for the only part, without times.
fn orders(explanation: &Explanation) -> Vec<(String, String)> {
    let bare = |text: &str| text.split_once(": ").expect("a time").1.to_owned();
    let orders = only(&explanation.parts).orders.iter();
    orders.map(|order| (bare(&order.first), bare(&order.then))).collect()
}

#[test]
fn a_delay_is_told_as_what_has_to_come_before_what() {
    let report = check("late").run(late);
    let orders = orders(explained(&report).1);
    let [(first, then)] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!(first, "wakes `main`");
    assert!(then.contains("client") && then.ends_with("datagram 0 arrives"), "{then}");
}

#[test]
fn a_delay_with_a_least_and_a_greatest_value_is_told_as_two_orders() {
    async fn program() {
        let links = LinkOptions::lan().with_latency(Latency::uniform(millis(1), millis(100)));
        world::network().set_links(links);
        let begun = Rc::new(Cell::new(false));
        let (seen, server) = (begun.clone(), UdpSocket::bind("0.0.0.0:7").await.unwrap());
        let _reader = parcae::spawn_named("reader", async move {
            let mut bytes = [0; 1];
            server.recv_from(&mut bytes).await.unwrap();
            assert!(!seen.get(), "in the middle");
        });
        world::node("client").start(|| async {
            let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
            socket.send_to(&[1], "test:7").await.unwrap();
        });
        sleep(millis(20)).await;
        begun.set(true);
        sleep(millis(20)).await;
        begun.set(false);
        sleep(millis(100)).await;
    }
    let report = check("middle").run(program);
    let (_, explanation) = explained(&report);
    let (orders, range) = (orders(explanation), only(&explanation.parts).range.unwrap());
    assert!(range.low >= 20_000_000 && range.high <= 40_000_000, "{range}");
    let [(before, packet), (same, after)] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!((before.as_str(), after.as_str()), ("wakes `main`", "wakes `main`"));
    assert!(packet.ends_with("datagram 0 arrives") && packet == same, "{orders:?}");
}

#[test]
fn a_switch_is_told_as_what_has_to_come_before_what() {
    let report = check("lost").run(|| scenarios::lost_update(Noise::default()));
    let orders = orders(explained(&report).1);
    let [(first, then)] = &orders[..] else { panic!("{orders:?}") };
    assert!(first.contains(" read ") && then.contains(" write "), "{orders:?}");
    assert_ne!(first.split(' ').next(), then.split(' ').next(), "they are of two tasks");
}

#[test]
fn what_changes_what_happens_and_not_when_is_no_order() {
    async fn program() {
        assert!(parcae::rng::choose_for("size", 0, 0..9_u8) < 4, "too large");
    }
    let report = check("size").run(program);
    assert_eq!(orders(explained(&report).1), []);

    // Without the choice `main` reads first, and then does what it does with it.
    async fn branch() {
        let (read, written) = (Shared::new(0).named("read"), Shared::new(0).named("written"));
        let is_hasty = parcae::rng::choose_for("hasty", 0, 0..=1_u8) == 1;
        if !is_hasty {
            read.get().await;
        }
        written.set(1).await;
        assert!(!is_hasty, "it was not read");
    }
    let report = check("branch").run(branch);
    assert_eq!(orders(explained(&report).1), []);
}

#[test]
fn likelihood_rises_to_certainty_where_the_message_is_sent() {
    let report = check("late").run(late);
    let (finding, explanation) = explained(&report);
    let likelihood = explanation.likelihood.as_ref().expect("there are runs enough");
    assert_eq!((likelihood.points.len(), likelihood.endings), (20, 50));
    let first = likelihood.points[0];
    let last = likelihood.points[19];
    // 63 of 99 ms are too late; and once the delay is drawn nothing helps.
    assert!((15..45).contains(&first.failing), "{first:?}");
    assert_eq!((last.failing, last.failing_otherwise), (50, 0));
    let decided = &finding.log().entries[likelihood.decided_at.expect("all fail")];
    let text = finding.log().describe(decided);
    assert!(text.contains("packet 0 takes"), "{text}");
    assert_eq!(decided.time.elapsed(), millis(1));
    let is_step = |pair: &[parcae::explore::LikelihoodPoint]| pair[0].failing <= pair[1].failing;
    assert!(likelihood.points.windows(2).all(is_step), "{likelihood:?}");
}

#[test]
fn endings_repeat_the_run_up_to_their_event() {
    // Counts, in each run, which way it goes before and after its middle.
    static BEFORE: AtomicU64 = AtomicU64::new(0);
    static AFTER: AtomicU64 = AtomicU64::new(0);
    async fn program() {
        let early = parcae::rng::choose_for("early", 0, 0..=1_u8);
        sleep(millis(1)).await;
        let late = parcae::rng::choose_for("late", 0, 0..=1_u8);
        BEFORE.fetch_add(u64::from(early), Ordering::Relaxed);
        AFTER.fetch_add(u64::from(late), Ordering::Relaxed);
        assert!(early == 0 || late == 0, "both");
    }
    let options = Explain::default().with_cut_points(2).with_endings(50);
    let report = Check::new("ending").seeds(1000).run(program);
    let token = report.finding().unwrap().token().unwrap().clone();
    BEFORE.store(0, Ordering::Relaxed);
    AFTER.store(0, Ordering::Relaxed);
    let check = Check::new("ending").explain(options);
    let replay = check.replay(&token, ReplayMode::Strict, program).unwrap();
    let explanation = replay.finding.as_deref().unwrap().explanation().unwrap();
    let likelihood = explanation.likelihood.as_ref().unwrap();
    let [first, last] = likelihood.points[..] else { panic!("{likelihood:?}") };
    assert!((4..25).contains(&first.failing), "a quarter of all: {first:?}");
    assert_eq!(last.failing, 50);
    let decided = likelihood.decided_at.expect("it is decided by the second choice");
    let text = replay.finding.as_deref().unwrap().log().entries[decided].time.elapsed();
    assert_eq!(text, millis(1));
}

#[test]
fn the_past_holds_what_led_to_the_failure_and_not_what_happened_beside_it() {
    let report = check("late").run(late);
    let (finding, explanation) = explained(&report);
    let log = finding.log();
    let names: Vec<String> =
        explanation.past.iter().map(|index| log.task_name(log.entries[*index].task)).collect();
    assert!(names.iter().any(|name| name == "main"), "{names:?}");
    assert!(!names.iter().any(|name| name == "bystander"), "{names:?}");
    assert!(explanation.past.is_sorted());
}

#[test]
fn the_past_of_a_reader_holds_who_wrote_and_not_who_wrote_elsewhere() {
    async fn program() {
        let read = Arc::new(Shared::new(0_u32).named("read"));
        let other = Arc::new(Shared::new(0_u32).named("other"));
        let (to_read, to_other) = (read.clone(), other.clone());
        let writer = parcae::spawn_named("writer", async move { to_read.set(1).await });
        let beside = parcae::spawn_named("beside", async move { to_other.set(1).await });
        let seen = read.get().await;
        assert_eq!(seen, 0, "read too late");
        writer.await;
        beside.await;
    }
    let report = check("reader").run(program);
    let (finding, explanation) = explained(&report);
    let log = finding.log();
    let in_past = |name: &str| {
        let of_task = |index: &&usize| log.task_name(log.entries[**index].task) == name;
        explanation.past.iter().filter(of_task).count()
    };
    assert!(in_past("main") > 0 && in_past("writer") > 0);
    assert_eq!(in_past("beside"), 0);
}

#[test]
fn the_past_of_a_machine_holds_who_sent_to_it() {
    async fn program() {
        world::network().set_links(LinkOptions::lan());
        let server = world::node("server").start(|| async {
            let socket = UdpSocket::bind("0.0.0.0:7").await.unwrap();
            let mut bytes = [0; 1];
            socket.recv_from(&mut bytes).await.unwrap();
            assert_ne!(bytes[0], 1, "a one");
        });
        for name in ["client", "stranger"] {
            world::node(name).start(move || async move {
                sleep(millis(1)).await;
                let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
                let target = if name == "client" { "server:7" } else { "test:9" };
                socket.send_to(&[1], target).await.unwrap();
            });
        }
        sleep(millis(100)).await;
        drop(server);
    }
    let report = check("sent").run(program);
    let (finding, explanation) = explained(&report);
    let log = finding.log();
    let told: Vec<String> =
        explanation.past.iter().map(|index| log.describe(&log.entries[*index])).collect();
    let has = |part: &str| told.iter().any(|line| line.contains(part));
    assert!(has("`client`") || has("client/"), "{told:#?}");
    assert!(has("arrives") && has("is sent"), "{told:#?}");
    assert!(!explanation.past.iter().any(|index| {
        let entry = &log.entries[*index];
        log.task_name(entry.task).starts_with("stranger")
            && matches!(entry.what, Happening::Operation { .. })
    }));
}

#[test]
fn an_explanation_is_the_same_for_any_number_of_threads() {
    let text = |jobs: usize, isolation: Isolation| {
        let report = check("late").jobs(jobs).isolation(isolation).run(late);
        let detail = Detail::default().with_times(false).with_complete_lists(true);
        report::text_with(&report, &ReplayCommand::of_cli("parcae"), detail, None)
    };
    let one = text(1, Isolation::Thread);
    assert_eq!(one, text(2, Isolation::Thread));
    assert_eq!(one, text(8, Isolation::Reuse));
    for part in
        ["why", "nearest", "likely", "past", "any delay ≥ 37ms", "endings fail once it has come to"]
    {
        assert!(one.contains(part), "{part} is not in:\n{one}");
    }
}

#[test]
fn a_budget_is_kept_and_what_it_does_not_pay_for_is_said() {
    for (runs, has_likelihood, is_cut) in [
        (0, false, true),
        (1, false, true),
        (5, false, true),
        (500, false, true),
        (1100, true, true),
        (3000, true, false),
    ] {
        let explain = Explain::default().with_runs(runs);
        let report =
            Check::new("late").strategy(Strategy::Random).seeds(1000).explain(explain).run(late);
        let (_, explanation) = explained(&report);
        assert!(explanation.runs <= runs, "{} of {runs}", explanation.runs);
        assert_eq!(explanation.is_cut, is_cut, "{runs}");
        assert_eq!(explanation.likelihood.is_some(), has_likelihood, "{runs}");
    }
}
