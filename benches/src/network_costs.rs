//! What the network of a world costs, beside those of turmoil and madsim.
//!
//! Each workload is written once per side, as its user would write it. Times include the set-up and the
//! end of the world; those of the idle hour are of that hour alone.

use std::rc::Rc;

use parcae::explore::Strategy;

use crate::counting::Counts;
use crate::measure::{
    Options, Side, Spread, Workload, per_operation, rounds, row, time_table, verdict,
};
use crate::network_worlds as worlds;
use crate::peers::Peer;

/// Measures everything and returns the tables.
pub(crate) fn table(options: &Options) -> String {
    let peers = Peers(["turmoil", "madsim"].map(|name| Rc::new(Peer::new(name))));
    let times = time_table(ratio_workloads(&peers), options);
    let goals = goal_table(&peers, options);
    let counts = if options.is_partial() { String::new() } else { count_table(&peers) };
    format!("{times}\n{goals}\n{counts}")
}

struct Peers([Rc<Peer>; 2]);

impl Peers {
    /// Makes their sides of a workload, which they know by a name of its own.
    fn sides(&self, question: &'static str, size: u32) -> Vec<Side> {
        let side = |peer: &Rc<Peer>| {
            let own = peer.clone();
            Side::measured(peer.name, move || own.ask(question, size).time)
        };
        self.0.iter().map(side).collect()
    }
}

// Ratios

fn ratio_workloads(peers: &Peers) -> Vec<Workload> {
    let with = |mut sides: Vec<Side>, work: fn(Strategy), [turmoil, madsim]: [f64; 2]| {
        sides.extend([("parcae", Strategy::Fifo), ("parcae, random", Strategy::Random)].map(
            |(name, strategy)| {
                let side = Side::new(name, move || work(strategy));
                side.with_target(turmoil).with_target_beside("madsim", madsim)
            },
        ));
        sides
    };
    vec![
        Workload {
            name: "TCP ping-pong of 16 bytes",
            operation: "message",
            operations: 2 * ROUND_TRIPS,
            sides: with(
                peers.sides("ping-pong", ROUND_TRIPS),
                |strategy| worlds::ping_pong(strategy, ROUND_TRIPS),
                [0.12, 0.5],
            ),
        },
        Workload {
            name: "datagrams of 64 bytes, 100 nodes, all to all, every 10 ms",
            operation: "datagram",
            operations: ROUNDS * 100 * 99,
            sides: with(
                peers.sides("all-to-all", ROUNDS),
                |strategy| worlds::all_to_all(strategy, ROUNDS),
                [0.15, 0.3],
            ),
        },
        Workload {
            name: "a world of 3 nodes, 2 x 10 requests over TCP",
            operation: "run",
            operations: RUNS,
            sides: with(
                peers.sides("tiny", RUNS),
                |strategy| (0..RUNS).for_each(|seed| worlds::tiny(strategy, seed)),
                [0.05, 0.25],
            ),
        },
    ]
}

// Goals that are no ratios

fn goal_table(peers: &Peers, options: &Options) -> String {
    let mut table = String::from(
        "| workload | side | figure, median [min-max] | goal | met |\n|---|---|--:|--:|---|\n",
    );
    let mut sides = peers.sides("bulk", WRITES);
    sides.push(Side::new("parcae", || worlds::bulk(Strategy::Fifo, WRITES)));
    let name = "TCP, 256 MiB in writes of 64 KiB";
    let bulk = Workload { name, operation: "write", operations: WRITES, sides };
    goal_rows(&mut table, bulk, options, &SPEED);
    for (name, nodes) in [
        ("an idle hour, 10 nodes", 10),
        ("an idle hour, 100 nodes", 100),
        ("an idle hour, 1,000 nodes", 1000),
    ] {
        let mut sides = peers.sides("idle-hour", nodes);
        // It walks all links for all nodes at each tick.
        sides.retain(|side| nodes <= 100 || side.name != "turmoil");
        sides.push(Side::measured("parcae", move || worlds::idle_hour(Strategy::Fifo, nodes)));
        let hour = Workload { name, operation: "hour", operations: 1, sides };
        goal_rows(&mut table, hour, options, &TIME);
    }
    table
}

/// What a figure of parcae's has to be.
struct Goal {
    unit: &'static str,
    of_nanos: fn(f64) -> f64,
    is_met: fn(f64) -> bool,
    text: &'static str,
}

const SPEED: Goal = Goal {
    unit: "GB/s",
    of_nanos: |nanos| 65_536.0 / nanos,
    is_met: |speed| speed >= 10.0,
    text: ">= 10",
};

const TIME: Goal =
    Goal { unit: "ms", of_nanos: |nanos| nanos / 1e6, is_met: |millis| millis < 1.0, text: "< 1" };

fn goal_rows(table: &mut String, mut workload: Workload, options: &Options, goal: &Goal) {
    let Some(nanos) = rounds(&mut workload, options) else { return };
    for (side, nanos) in workload.sides.iter().zip(nanos) {
        let figures = Spread::of(nanos.into_iter().map(goal.of_nanos).collect());
        let (text, verdict) = match side.name {
            "parcae" => (goal.text, verdict((goal.is_met)(figures.median))),
            _ => ("", ""),
        };
        row(
            table,
            &[
                workload.name,
                side.name,
                &format!("{} {}", figures.text(), goal.unit),
                text,
                verdict,
            ],
        );
    }
}

// Memory

fn count_table(peers: &Peers) -> String {
    let mut table = String::from(
        "| what is counted | side | allocations per operation | bytes kept per operation | goal | met |\n\
         |---|---|--:|--:|--:|---|\n",
    );
    for what in COUNTED {
        let mut add = |side: &str, counts: Counts, goal: Option<(&str, bool)>| {
            let (allocations, bytes) = per_operation(counts, what.operations);
            let (goal, verdict) = goal.map_or(("", ""), |(text, met)| (text, verdict(met)));
            row(&mut table, &[what.name, side, &allocations, &bytes, goal, verdict]);
        };
        for peer in &peers.0 {
            add(peer.name, peer.ask(what.question, what.size).counts, None);
        }
        let own = (what.own)(what.size);
        add("parcae", own, Some((what.goal, (what.is_met)(own, what.operations))));
    }
    table
}

/// Something whose allocations are counted.
struct Counted {
    name: &'static str,
    /// What the peers call it.
    question: &'static str,
    size: u32,
    operations: u32,
    own: fn(u32) -> Counts,
    goal: &'static str,
    is_met: fn(Counts, u32) -> bool,
}

const COUNTED: [Counted; 5] = [
    Counted {
        name: "TCP message, after as many",
        question: "ping-pong counted",
        size: ROUND_TRIPS,
        operations: 2 * ROUND_TRIPS,
        own: |size| worlds::ping_pong_counted(Strategy::Random, size),
        goal: "no allocation",
        is_met: |counts, _| counts.allocations == 0,
    },
    Counted {
        name: "idle TCP connection, both ends and their handles, 10,000 of them",
        question: "idle-connections",
        size: CONNECTIONS,
        operations: CONNECTIONS,
        own: |size| worlds::idle_connections(Strategy::Random, size),
        goal: "< 600 bytes",
        is_met: |counts, operations| counts.live_bytes < i64::from(operations) * 600,
    },
    IDLE_NODES,
    Counted { name: "idle node, 300 of them", size: 300, operations: 300, ..IDLE_NODES },
    Counted {
        name: "a world of 3 nodes, after its end",
        question: "tiny counted",
        size: RUNS,
        operations: RUNS,
        own: |size| worlds::tiny_counted(Strategy::Random, size),
        goal: "0 bytes",
        is_met: |counts, _| counts.live_bytes == 0,
    },
];

const IDLE_NODES: Counted = Counted {
    name: "idle node, 100 of them",
    question: "idle-nodes",
    size: 100,
    operations: 100,
    own: |size| worlds::idle_nodes(Strategy::Random, size),
    goal: "< 2,048 bytes",
    is_met: |counts, operations| counts.live_bytes < i64::from(operations) * 2048,
};

const ROUND_TRIPS: u32 = 50_000;
const ROUNDS: u32 = 101;
const RUNS: u32 = 1_000;
const WRITES: u32 = 4_096;
const CONNECTIONS: u32 = 10_000;
