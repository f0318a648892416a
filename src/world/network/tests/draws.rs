//! What is drawn, and with which key.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::rules::RuleKind::Cut;
use super::super::sites::{LATENCY, LINKS, LOSS};
use super::*;

/// All faults that chance has, at a third each.
fn all_on() -> LinkOptions {
    let third = Ratio::new(1, 3);
    LinkOptions::lan()
        .with_loss(third)
        .with_duplication(third, Duration::from_millis(5))
        .with_reordering(third, Duration::from_millis(5))
        .with_corruption(third)
}

/// The default link, but for families of latencies.
fn exact() -> LinkOptions {
    let latency =
        super::super::Latency::uniform(Duration::from_micros(50), Duration::from_millis(1));
    LinkOptions::lan().with_latency(latency)
}

/// Sends 60 packets over each of these links in turn, and returns what was drawn.
fn draws(links: &[(u16, u16)], options: LinkOptions) -> BTreeMap<Key, u64> {
    let mut bench = Bench::new(Seeded::new(9), 4, options);
    for _ in 0..60 {
        for (from, to) in links {
            bench.send(*from, *to, b"some bytes");
        }
        bench.step();
    }
    bench.run();
    bench.host.drawn.iter().map(|(key, _, value)| (*key, *value)).collect()
}

/// Those of `all` that `some` has as well are equal, and `some` has no others.
#[track_caller]
fn check_within(some: &BTreeMap<Key, u64>, all: &BTreeMap<Key, u64>) {
    assert!(!some.is_empty());
    for (key, value) in some {
        assert_eq!(all.get(key), Some(value), "{key:?}");
    }
}

#[test]
fn a_fault_that_is_off_draws_nothing_and_changes_no_draw_of_another() {
    let all = draws(&[(0, 1)], all_on());
    let never = Ratio::ZERO;
    for (site, without) in [
        ("loss", all_on().with_loss(never)),
        ("duplicate", all_on().with_duplication(never, Duration::from_millis(5))),
        ("reorder", all_on().with_reordering(never, Duration::from_millis(5))),
        ("corrupt", all_on().with_corruption(never)),
    ] {
        let some = draws(&[(0, 1)], without);
        let is_of_site = |key: &Key| key.site == Site::new(site).id();
        assert!(all.keys().any(is_of_site) && !some.keys().any(is_of_site), "{site}");
        // Without loss more packets get as far as the draws behind it.
        let common = some.iter().filter(|(key, _)| all.contains_key(key));
        check_within(&common.map(|(key, value)| (*key, *value)).collect(), &all);
    }
    assert!(draws(&[(0, 1)], steady()).is_empty());
    let plain = draws(&[(0, 1)], exact());
    assert!(plain.keys().all(|key| key.site == LATENCY.id()));
    assert_eq!(plain.len(), 60);
}

#[test]
fn a_link_more_changes_no_draw_of_another() {
    let one = draws(&[(0, 1)], all_on());
    let many = draws(&[(2, 3), (1, 0), (0, 1), (0, 3), (1, 1)], all_on());
    check_within(&one, &many);
}

#[test]
fn draws_belong_to_names_and_not_to_numbers() {
    let run = |names: [&str; 2], to: u16| {
        let mut bench = Bench::new(Seeded::new(2), 1, LinkOptions::lan());
        for (number, name) in (1..).zip(names) {
            bench.network.add_node(node(number), name.into(), &[]);
        }
        bench.send(0, to, b"");
        bench.host.drawn
    };
    assert_eq!(run(["a", "b"], 2), run(["b", "a"], 1));
    assert_ne!(run(["a", "b"], 1), run(["a", "b"], 2));
}

#[test]
fn switching_loss_on_later_loses_the_packets_that_it_would_have_lost_before() {
    let lost = |from: u64| {
        let mut bench = Bench::new(Seeded::new(4), 2, steady());
        let sent: Vec<bool> = (0..200)
            .map(|packet| {
                if packet == from {
                    bench.network.set_links(steady().with_loss(Ratio::percent(30)));
                }
                bench.send(0, 1, b"") == Sent::Lost
            })
            .collect();
        sent
    };
    let (always, later) = (lost(0), lost(100));
    assert_eq!(later[..100], [false; 100]);
    assert_eq!(later[100..], always[100..]);
    assert!(always[100..].contains(&true));
}

#[test]
fn a_flow_of_its_own_draws_for_itself() {
    let mut bench = Bench::new(Seeded::new(0), 2, exact().with_loss(Ratio::percent(1)));
    bench.send_segment(5, 0);
    bench.send(0, 1, b"");
    let link = LINKS.child("test", 0).child("n1", 0);
    let keys: Vec<Key> = bench.host.drawn.iter().map(|(key, _, _)| *key).collect();
    assert_eq!(
        keys,
        [
            Key::new(FLOW, LOSS, 5),
            Key::new(FLOW, LATENCY, 5),
            Key::new(link, LOSS, 0),
            Key::new(link, LATENCY, 0),
        ]
    );
}

#[test]
fn rules_draw_nothing_and_change_no_draw() {
    let run = |is_cut: bool| {
        let mut bench = Bench::new(Seeded::new(8), 2, all_on());
        if is_cut {
            bench.rule(Cut, &[0], &[1]);
        }
        for _ in 0..50 {
            bench.send(0, 1, b"bytes");
            bench.step();
        }
        bench.host.drawn
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn what_happens_stands_in_the_chain() {
    let host = Seeded::scripted(&[(LOSS, 1, 1)]);
    let mut bench = Bench::new(host, 2, steady().with_loss(Ratio::percent(5)));
    bench.send(0, 1, b"a");
    bench.send(0, 1, b"b");
    bench.run();
    let cut = bench.rule(Cut, &[0], &[1]);
    bench.send(0, 1, b"c");
    bench.run();
    bench.network.end_rule(&mut bench.host, cut);
    let link = LINKS.child("test", 0).child("n1", 0);
    let size = 100_u64 << 48;
    let at = [MS ^ size, (2 * MS) ^ size];
    assert_eq!(
        bench.host.inner.records,
        [
            (EventKind::Send, link, 1, at[0]),
            (EventKind::Fault, link, 0x110, 100),
            (EventKind::Deliver, link, 1, at[0]),
            (EventKind::Fault, LINKS, 0x20, 0),
            (EventKind::Send, link, 0x201, at[1]),
            (EventKind::Fault, link, 0x213, 100),
            (EventKind::Fault, LINKS, 0x31, 0),
        ]
    );
    assert_eq!(bench.host.inner.names.get(&link).map(String::as_str), Some("test->n1"));
}

#[test]
fn equal_seeds_give_equal_runs_and_others_do_not() {
    let run = |seed| {
        let mut bench = Bench::new(Seeded::new(seed), 3, all_on());
        for number in 0..100_u8 {
            bench.send(0, 1, &[number]);
            bench.send(1, 2, &[number]);
            bench.step();
        }
        (bench.run(), bench.host.inner.records)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
