//! What a check says of the faults of all its seeds.

use expect_test::expect;
use parcae::explore::{Check, Shrink};
use parcae::fault::{Between, Chaos, Fault, FaultKind, FaultPlan, Nemesis};
use parcae::kernel::Ratio;
use parcae::net::UdpSocket;
use parcae::report::{Detail, ReplayCommand, text_with};
use parcae::time::sleep;
use parcae::world;

use crate::runs::millis;

/// One machine sends the other 20 datagrams in 2 s; from 1 s to 1.5 s all are lost, and packets are corrupted when there are
/// none any more.
async fn talk() {
    let b = world::node("b").start(|| async {
        let socket = UdpSocket::bind("0.0.0.0:7").await.unwrap();
        loop {
            let _ = socket.recv_from(&mut [0; 64]).await.unwrap();
        }
    });
    let a = world::node("a").start(|| async {
        let socket = UdpSocket::bind("0.0.0.0:7").await.unwrap();
        for _ in 0..20 {
            socket.send_to(b"x", "b:7").await.unwrap();
            sleep(millis(100)).await;
        }
    });
    let link = || Between::new(["a"], ["b"]);
    let plan = FaultPlan::new().step(millis(1050), millis(500), Fault::Cut(link())).step(
        millis(2500),
        millis(500),
        Fault::Corruption(link(), Ratio::new(1, 1)),
    );
    let chaos = Chaos::on([a, b]).plan(plan).start();
    sleep(millis(4000)).await;
    drop(chaos);
}

#[test]
fn the_faults_of_all_seeds_are_counted_by_kind() {
    let report = Check::new("talk").seeds(7).run(talk);
    let counts: Vec<_> = report
        .faults()
        .iter()
        .map(|it| (it.kind, it.seeds, it.begun, it.seeds_fired, it.fired))
        .collect();
    let expected = [(FaultKind::Cut, 7, 7, 7, 35), (FaultKind::Corruption, 7, 7, 0, 0)];
    assert_eq!(counts, expected);
}

#[test]
fn a_kind_that_was_on_and_met_nothing_is_reported() {
    let report = Check::new("talk").seeds(7).run(talk);
    let command = ReplayCommand::from_prefix("cargo test -p kv talk");
    let text = text_with(&report, &command, Detail::default().with_times(false), None);
    let idle = text.lines().skip(1).collect::<Vec<_>>().join("\n");
    expect!["  idle     `corruption` was on in 7 seeds and met nothing"].assert_eq(&idle);
}

#[test]
fn a_failure_says_which_faults_it_has_met() {
    let report = Check::new("talk").seeds(1).run(|| async {
        talk().await;
        Err::<(), _>("it is not well")
    });
    let command = ReplayCommand::from_prefix("cargo test -p kv talk");
    let text = text_with(&report, &command, Detail::default().with_times(false), None);
    let faults: Vec<&str> = text.lines().filter(|line| line.starts_with("  faults")).collect();
    assert_eq!(faults, ["  faults   1 cut (5 effects), 1 corruption"], "{text}");
}

#[test]
fn a_failure_shows_how_strong_the_nemeses_were_drawn() {
    let program = || async {
        let nodes = world::nodes("kv", 3).idle();
        let chaos = Chaos::on(nodes).nemesis(Nemesis::crashes()).nemesis(Nemesis::pauses()).start();
        let nemeses = chaos.report().nemeses;
        let is_wanted = nemeses[0].1 == 0 && nemeses[1].1 == 8;
        assert!(!is_wanted, "no crashes, and more pauses");
    };
    let mut shrink = Shrink::default();
    shrink.runs = 0;
    let report = Check::new("kv").seeds(1_000).shrink(shrink).run(program);
    assert_eq!(report.finding().unwrap().nemeses(), [("crash", 0), ("frozen machine", 8)]);
    let command = ReplayCommand::from_prefix("cargo test -p kv");
    let text = text_with(&report, &command, Detail::default(), None);
    let line = "  swarm    without crash; frozen machine 8/16 (usually 4/16)";
    assert!(text.lines().any(|it| it == line), "{text}");
    // It fails for the draws of the swarm alone, and so shrinks to them.
    let shrunk = Check::new("kv").seeds(1_000).run(program);
    assert_eq!(shrunk.finding().unwrap().nemeses(), [("crash", 0), ("frozen machine", 8)]);
}
