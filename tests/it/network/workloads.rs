//! Random streams between random machines under random faults, and what holds for all of them.
//!
//! More seeds, as for a release:
//! ```text
//! PARCAE_SEEDS=10000 cargo test --release -p parcae --test it network::workloads
//! ```

mod board;
mod plan;
mod program;

use futures_lite::AsyncWriteExt as _;
use parcae::kernel::{Fill, Key, Overrides, Site};
use parcae::net::TcpStream;
use parcae::time::sleep;
use parcae::world::{self, FaultCounters};
use parcae::{Failure, Outcome, Sim, SimBuilder, spawn_named};

use self::board::Fates;
use self::plan::Plan;
use super::{connect, serving};
use crate::runs::{failure, random, secs};

/// What is read is a prefix of what was written, the end comes after all of it, and streams that are
/// open when the faults stop deliver everything: the program of a plan asserts all of that.
#[parcae::test(seeds = 200)]
async fn streams_are_right_under_all_faults_at_once() {
    Plan::draw().run().await;
}

fn plan_of(seed: u64) -> Plan {
    Sim::new(seed).run(|| async { Plan::draw() }).unwrap()
}

fn run(plan: &Plan, sim: SimBuilder) -> Outcome<(FaultCounters, Fates)> {
    let plan = plan.clone();
    sim.build().unwrap().run(|| plan.run())
}

#[test]
fn each_fault_fires_and_streams_end_in_each_way() {
    let (mut faults, mut fates) = (FaultCounters::default(), Fates::default());
    for outcome in random(120, || Plan::draw().run()) {
        let (fired, ended) = outcome.unwrap();
        faults += fired;
        fates += ended;
    }
    for (count, name) in [
        (faults.lost, "lost"),
        (faults.duplicated, "duplicated"),
        (faults.reordered, "reordered"),
        (faults.corrupted, "corrupted"),
        (faults.overflowed, "overflowed"),
        (faults.cut, "cut"),
        (faults.held, "held"),
        (faults.clogged, "clogged"),
        (faults.flapped, "flapped"),
        (faults.reset, "reset"),
        (faults.dead, "dead"),
        (fates.complete, "complete"),
        (fates.owed, "owed when the faults stopped"),
        (fates.left, "left by one end"),
        (fates.reset, "reset"),
        (fates.refused, "refused"),
    ] {
        assert!(count >= 3, "{name}: {count}; {faults}; {fates:?}");
    }
    assert!(fates.complete > fates.reset, "{fates:?}");
}

#[test]
fn two_runs_of_a_seed_are_equal_with_and_without_log_and_capture() {
    for seed in 0..20 {
        let plan = plan_of(seed);
        let facts = |sim: SimBuilder| {
            let outcome = run(&plan, sim.seed(seed));
            (outcome.chain(), outcome.steps(), outcome.elapsed(), outcome.unwrap())
        };
        let first = facts(Sim::builder());
        assert_eq!(first, facts(Sim::builder()), "seed {seed}");
        assert_eq!(first, facts(Sim::builder().log(true)), "seed {seed} with a log");
        assert_eq!(first, facts(Sim::builder().capture(true)), "seed {seed} with a capture");
    }
}

#[test]
fn a_capture_is_little_larger_than_what_went_over_the_network() {
    let outcome = Sim::builder().capture(true).build().unwrap().run(|| async {
        let server = serving("server", keep_reading);
        connect(&server).await.write_all(&[7; 1 << 20]).await.unwrap();
        sleep(secs(10)).await;
        world::network().link("test", "server").counters().sent_bytes
    });
    let size = outcome.attachment("capture.pcapng").unwrap().len() as u64;
    let sent = outcome.unwrap();
    assert!(sent > 1 << 20, "{sent}");
    assert!((sent..sent + sent / 4).contains(&size), "{size} bytes of {sent}");
}

async fn keep_reading(stream: TcpStream) {
    drop(futures_lite::io::copy(&stream, futures_lite::io::sink()).await);
}

#[test]
fn without_faults_only_latencies_are_drawn() {
    for seed in 0..20 {
        let outcome = run(&plan_of(seed).without_faults(), Sim::builder().seed(seed).log(true));
        let sites = outcome.log().unwrap().draws.iter().map(|logged| logged.site);
        let of_latency = ["latency", "latency family", "pace", "pace changes"];
        let others: Vec<_> = sites.filter(|site| !of_latency.contains(site)).collect();
        assert!(others.is_empty(), "seed {seed}: {others:?}");
        let (faults, fates) = outcome.unwrap();
        assert_eq!(faults, FaultCounters::default(), "seed {seed}");
        assert_eq!(fates.reset + fates.refused, 0, "seed {seed}: {fates:?}");
    }
}

#[test]
fn the_default_world_of_a_plan_with_lossy_links_loses_nothing() {
    for seed in 0..60 {
        let outcome = run(
            &plan_of(seed).without_verbs(),
            Sim::builder().seed(seed).overrides(Fill::Default, Overrides::new()),
        );
        let (faults, fates) = outcome.unwrap();
        let chance = [faults.lost, faults.duplicated, faults.reordered, faults.corrupted];
        assert_eq!(chance, [0; 4], "seed {seed}");
        assert_eq!(fates.reset + fates.refused, 0, "seed {seed}: {fates:?}");
    }
}

#[test]
fn a_packet_that_is_named_lost_is_lost_and_no_other() {
    let (mut hits, loss) = (0, Site::new("loss").id());
    for seed in 0..60 {
        let plan = plan_of(seed).without_verbs();
        let outcome = run(&plan, Sim::builder().seed(seed).log(true));
        let draws = &outcome.log().unwrap().draws;
        let lost = draws.iter().map(|logged| logged.draw);
        let lost = lost.filter(|draw| draw.key.site == loss && draw.value == 1);
        // A packet that is sent in any world: the first ones of a connection.
        let Some(key) = lost.map(|draw| draw.key).find(|key: &Key| key.ordinal < 2) else {
            continue;
        };
        let world = Sim::builder().seed(seed).overrides(Fill::Default, Overrides::from([(key, 1)]));
        let (faults, _) = run(&plan, world).unwrap();
        // It may be one of a connection that there is not in that world.
        assert!(faults.lost <= 1, "seed {seed}, {key:?}: {faults}");
        assert_eq!(faults.duplicated + faults.reordered + faults.corrupted, 0, "seed {seed}");
        hits += faults.lost;
    }
    assert!(hits > 10, "{hits}");
}

#[test]
fn two_writers_whom_nobody_reads_are_a_deadlock_that_names_them() {
    for outcome in random(20, || async {
        let server = serving("server", write_for_ever);
        let stream = connect(&server).await;
        spawn_named("client", write_for_ever(stream)).await;
    }) {
        let Failure::Deadlock { .. } = failure(&outcome) else { panic!("{:?}", failure(&outcome)) };
        let text = failure(&outcome).to_string();
        for wanted in ["`client`", "`server/main", "write", ":80"] {
            assert!(text.contains(wanted), "no {wanted} in {text}");
        }
        // Not after hours of asking whether there is room by now.
        assert!(outcome.elapsed() < secs(2), "{:?}", outcome.elapsed());
    }
}

async fn write_for_ever(stream: TcpStream) {
    let mut target = &stream;
    loop {
        target.write_all(&[7; 1000]).await.unwrap();
    }
}
