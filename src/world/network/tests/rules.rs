//! What a program does to links: partitions, holds, clogs, flapping, and their ends.

use super::super::counters::FaultCounters;
use super::super::rules::RuleKind::{Clog, Cut, Flap, Hold};
use super::*;

fn bench(nodes: u16) -> Bench {
    Bench::new(Seeded::new(0), nodes, steady())
}

/// Sends its name over each link there is, and returns who got something from whom.
fn reachable(bench: &mut Bench, nodes: u16) -> Vec<(u16, u16)> {
    for from in 0..nodes {
        for to in (0..nodes).filter(|to| *to != from) {
            bench.send(from, to, &[u8::try_from(from).unwrap()]);
        }
    }
    bench.run().into_iter().map(|arrived| (arrived.bytes[0].into(), arrived.node)).collect()
}

#[test]
fn a_cut_loses_what_is_sent_and_what_is_in_flight_until_it_ends() {
    let mut bench = bench(3);
    bench.send(0, 1, b"in flight");
    let cut = bench.rule(Cut, &[0], &[1]);
    bench.send(0, 1, b"sent");
    bench.send(1, 0, b"back");
    bench.send(0, 2, b"elsewhere");
    assert_eq!(bench.run(), [arrived(MS, 2, b"elsewhere")]);
    assert_eq!((bench.network.fired(cut), bench.lost), (3, 3));
    assert_eq!(bench.network.faults(), FaultCounters { cut: 3, ..FaultCounters::default() });
    bench.network.end_rule(&mut bench.host, cut);
    bench.send(0, 1, b"again");
    assert_eq!(bench.run(), [arrived(2 * MS, 1, b"again")]);
    assert!(bench.host.drawn.is_empty(), "a partition draws nothing");
}

#[test]
fn a_cut_one_way_lets_the_other_way_through() {
    let mut bench = bench(2);
    let cut = bench.rule(Cut, &[0], &[1]);
    bench.network.make_one_way(&mut bench.host, cut);
    bench.send(0, 1, b"there");
    bench.send(1, 0, b"back");
    assert_eq!(bench.run(), [arrived(MS, 0, b"back")]);
}

#[test]
fn sets_are_cut_from_each_other_and_not_within() {
    let mut bench = bench(4);
    bench.rule(Cut, &[0, 1], &[2, 3]);
    assert_eq!(reachable(&mut bench, 4), [(0, 1), (1, 0), (2, 3), (3, 2)]);
}

#[test]
fn an_isolated_machine_reaches_nobody_also_none_that_is_made_later() {
    let mut bench = bench(3);
    bench.network.add_rule(&mut bench.host, Cut, set(&[1]), set(&[1]).others());
    bench.network.add_node(node(3), "n3".into(), &[]);
    assert_eq!(reachable(&mut bench, 4), [(0, 2), (0, 3), (2, 0), (2, 3), (3, 0), (3, 2)]);
    bench.send(1, 1, b"self");
    assert_eq!(bench.run().len(), 1, "no partition touches a loopback");
}

#[test]
fn everyone_is_cut_from_everyone_but_itself() {
    let mut bench = bench(3);
    bench.network.add_rule(&mut bench.host, Cut, Set::everyone(), Set::everyone());
    assert_eq!(reachable(&mut bench, 3), []);
    bench.send(1, 1, b"self");
    assert_eq!(bench.run().len(), 1);
}

#[test]
fn a_hold_keeps_packets_and_gives_them_back_in_their_order() {
    let mut bench = bench(3);
    let hold = bench.rule(Hold, &[0], &[1, 2]);
    bench.send(0, 1, b"a");
    bench.run_until(MS / 2);
    bench.send(0, 2, b"b");
    bench.send(0, 1, b"c");
    assert_eq!(bench.run_until(5 * MS), []);
    assert_eq!((bench.kept, bench.network.fired(hold)), (3, 3));
    assert_eq!(bench.network.in_flight_count(), 3);
    bench.network.end_rule(&mut bench.host, hold);
    let at = 5 * MS + 1;
    assert_eq!(bench.run(), [arrived(at, 1, b"a"), arrived(at, 2, b"b"), arrived(at, 1, b"c")]);
    assert_eq!(bench.network.faults(), FaultCounters { held: 3, ..FaultCounters::default() });
    assert_eq!(bench.network.in_flight_count(), 0);
}

#[test]
fn two_holds_keep_until_both_have_ended() {
    let mut bench = bench(2);
    let first = bench.rule(Hold, &[0], &[1]);
    let second = bench.rule(Hold, &[1], &[0]);
    bench.send(0, 1, b"x");
    bench.run_until(2 * MS);
    bench.network.end_rule(&mut bench.host, first);
    assert_eq!(bench.run_until(3 * MS), []);
    bench.network.end_rule(&mut bench.host, second);
    assert_eq!(bench.run(), [arrived(3 * MS + 1, 1, b"x")]);
}

#[test]
fn a_cut_over_a_hold_loses_what_was_kept() {
    let mut bench = bench(2);
    let hold = bench.rule(Hold, &[0], &[1]);
    bench.send(0, 1, b"x");
    bench.run_until(2 * MS);
    let cut = bench.rule(Cut, &[0], &[1]);
    assert_eq!((bench.run(), bench.lost), (vec![], 1));
    assert_eq!((bench.network.fired(hold), bench.network.fired(cut)), (1, 1));
}

#[test]
fn a_clog_keeps_packets_until_it_is_over() {
    let mut bench = bench(2);
    let clog = bench.rule(Clog { until: 10 * MS }, &[0], &[1]);
    bench.send(0, 1, b"a");
    bench.run_until(3 * MS);
    bench.send(0, 1, b"b");
    bench.send(1, 0, b"back");
    let at = 10 * MS + 1;
    assert_eq!(bench.run(), [arrived(at, 1, b"a"), arrived(at, 1, b"b"), arrived(at, 0, b"back")]);
    assert_eq!(bench.network.fired(clog), 3);
    bench.send(0, 1, b"later");
    assert_eq!(bench.run(), [arrived(11 * MS + 1, 1, b"later")]);
    assert_eq!(bench.network.faults(), FaultCounters { clogged: 3, ..FaultCounters::default() });
}

#[test]
fn of_two_clogs_the_longer_one_counts() {
    let mut bench = bench(2);
    bench.rule(Clog { until: 4 * MS }, &[0], &[1]);
    bench.rule(Clog { until: 9 * MS }, &[0], &[1]);
    bench.rule(Clog { until: 6 * MS }, &[0], &[1]);
    bench.send(0, 1, b"x");
    assert_eq!(bench.run(), [arrived(9 * MS + 1, 1, b"x")]);
}

#[test]
fn a_clog_that_is_ended_early_lets_go_and_sets_no_event() {
    let mut bench = bench(2);
    let long = bench.rule(Clog { until: 9 * MS }, &[0], &[1]);
    let short = bench.rule(Clog { until: 5 * MS }, &[0], &[1]);
    bench.send(0, 1, b"x");
    bench.run_until(2 * MS);
    bench.network.end_rule(&mut bench.host, long);
    assert_eq!(bench.host.inner.events.len(), 1, "the end of the one that keeps it now");
    assert_eq!(bench.run(), [arrived(5 * MS + 1, 1, b"x")]);
    bench.network.end_rule(&mut bench.host, short);
    let idle = bench.rule(Clog { until: 99 * MS }, &[0], &[1]);
    assert!(!bench.step(), "a clog that keeps nothing sets no event");
    bench.network.end_rule(&mut bench.host, idle);
}

#[test]
fn a_link_that_flaps_is_open_and_cut_in_turn() {
    let mut bench = bench(2);
    bench.rule(Flap { since: 0, up: 3 * MS, down: 2 * MS }, &[0], &[1]);
    let mut there = Vec::new();
    for number in 0..12_u8 {
        bench.send(0, 1, &[number]);
        there.extend(bench.run_until(u64::from(number + 1) * MS));
    }
    // Each arrives a millisecond after it was sent: open at 0, 1, 2, cut at 3, 4, and so on.
    let expected: Vec<u64> = (1..=12).filter(|at| at % 5 < 3).map(|at| at * MS).collect();
    assert_eq!(there.iter().map(|arrived| arrived.at).collect::<Vec<_>>(), expected);
    assert_eq!(bench.network.faults().flapped, 12 - expected.len() as u64);
    assert_eq!(bench.host.inner.events.len(), 0, "flapping sets no events");
}

#[test]
fn the_strongest_rule_acts_and_only_it_counts() {
    let mut bench = bench(2);
    let clog = bench.rule(Clog { until: 50 * MS }, &[0], &[1]);
    let hold = bench.rule(Hold, &[0], &[1]);
    let flap = bench.rule(Flap { since: 0, up: 3 * MS, down: 2 * MS }, &[0], &[1]);
    bench.send(0, 1, b"held");
    bench.run_until(2 * MS);
    bench.send(0, 1, b"flapped");
    bench.run_until(4 * MS);
    let cut = bench.rule(Cut, &[0], &[1]);
    bench.send(0, 1, b"cut");
    bench.run_until(5 * MS);
    let fired = [clog, hold, flap, cut].map(|rule| bench.network.fired(rule));
    assert_eq!(fired, [0, 1, 1, 2], "the cut takes what was held, too");
}

#[test]
fn healing_two_machines_leaves_others_cut() {
    let mut bench = bench(3);
    let cut = bench.rule(Cut, &[0, 1, 2], &[0, 1, 2]);
    bench.network.heal(&mut bench.host, &set(&[0]), &set(&[1]));
    assert_eq!(reachable(&mut bench, 3), [(0, 1), (1, 0)]);
    assert_eq!(bench.network.fired(cut), 4);
    bench.rule(Cut, &[0], &[1]);
    assert_eq!(reachable(&mut bench, 3), [], "a rule that is made after it holds");
}

#[test]
fn healing_lets_go_what_was_kept_there_only() {
    let mut bench = bench(3);
    bench.rule(Hold, &[0], &[1, 2]);
    bench.send(0, 1, b"a");
    bench.send(0, 2, b"b");
    bench.run_until(2 * MS);
    bench.network.heal(&mut bench.host, &set(&[1]), &set(&[0]));
    assert_eq!(bench.run(), [arrived(2 * MS + 1, 1, b"a")]);
    assert_eq!(bench.network.in_flight_count(), 1);
}

#[test]
fn releasing_ends_what_keeps_and_not_what_cuts() {
    let mut bench = bench(3);
    let cut = bench.rule(Cut, &[0], &[2]);
    bench.rule(Hold, &[0], &[1]);
    bench.rule(Clog { until: 50 * MS }, &[0], &[1]);
    bench.send(0, 1, b"a");
    bench.run_until(2 * MS);
    bench.network.release_between(&mut bench.host, &set(&[0]), &set(&[1, 2]));
    bench.send(0, 2, b"b");
    assert_eq!(bench.run_until(4 * MS), [arrived(2 * MS + 1, 1, b"a")]);
    assert_eq!(bench.network.fired(cut), 1);
}

#[test]
fn healing_all_ends_every_rule_and_guards_still_know_what_theirs_did() {
    let mut bench = bench(3);
    let cut = bench.rule(Cut, &[0], &[1]);
    let hold = bench.rule(Hold, &[0], &[2]);
    let clog = bench.rule(Clog { until: 50 * MS }, &[1], &[2]);
    for (from, to) in [(0, 1), (0, 2), (1, 2)] {
        bench.send(from, to, b"x");
    }
    bench.run_until(2 * MS);
    bench.network.heal_all(&mut bench.host);
    let at = 2 * MS + 1;
    assert_eq!(bench.run(), [arrived(at, 2, b"x"), arrived(at, 2, b"x")]);
    assert_eq!(bench.now(), at, "the end of the clog is taken back");
    assert_eq!(reachable(&mut bench, 3).len(), 6);
    assert_eq!([cut, hold, clog].map(|rule| bench.network.fired(rule)), [1, 1, 1]);
    for rule in [cut, hold, clog] {
        bench.network.end_rule(&mut bench.host, rule);
    }
    assert_eq!(bench.network.fired(cut), 0, "a rule without a guard is forgotten");
}

#[test]
fn a_rule_that_is_kept_lasts_until_it_is_healed() {
    let mut bench = bench(2);
    let cut = bench.rule(Cut, &[0], &[1]);
    bench.network.keep_rule(cut);
    assert_eq!(reachable(&mut bench, 2), []);
    bench.network.heal(&mut bench.host, &set(&[0, 1]), &set(&[0, 1]));
    assert_eq!(reachable(&mut bench, 2).len(), 2);
    assert_eq!(bench.network.fired(cut), 0, "it was healed as a whole, and is forgotten");
}

#[test]
fn every_change_of_links_or_machines_is_a_new_generation() {
    let mut bench = bench(2);
    let mut last = bench.network.generation();
    let mut check = |bench: &Bench, what: &str| {
        assert!(bench.network.generation() > last, "{what}");
        last = bench.network.generation();
    };
    let cut = bench.rule(Cut, &[0], &[1]);
    check(&bench, "a rule is made");
    bench.network.make_one_way(&mut bench.host, cut);
    check(&bench, "one way");
    bench.network.end_rule(&mut bench.host, cut);
    check(&bench, "a rule ends");
    bench.network.heal(&mut bench.host, &set(&[0]), &set(&[1]));
    check(&bench, "heal");
    bench.network.release_between(&mut bench.host, &set(&[0]), &set(&[1]));
    check(&bench, "release");
    bench.network.heal_all(&mut bench.host);
    check(&bench, "heal all");
    bench.network.set_links(steady());
    check(&bench, "options");
    bench.network.set_between(set(&[0]), set(&[1]), steady());
    check(&bench, "options between");
    bench.network.set_power(node(1), false);
    check(&bench, "power");
    let before = bench.network.generation();
    bench.send(0, 1, b"x");
    bench.run();
    assert_eq!(bench.network.generation(), before, "packets change nothing");
}

#[test]
fn options_between_sets_go_one_way_and_the_last_ones_count() {
    let slow =
        steady().with_latency(super::super::Latency::constant(std::time::Duration::from_secs(1)));
    let mut bench = bench(3);
    bench.send(0, 1, b"a");
    assert_eq!(bench.run(), [arrived(MS, 1, b"a")], "the link is there already");
    bench.network.set_between(set(&[0]), Set::everyone(), slow.clone());
    bench.network.set_between(set(&[0]), set(&[2]), steady());
    bench.send(0, 1, b"slow");
    bench.send(1, 0, b"back");
    bench.send(0, 2, b"other");
    let expected =
        [arrived(2 * MS, 0, b"back"), arrived(2 * MS, 2, b"other"), arrived(S + MS, 1, b"slow")];
    assert_eq!(bench.run(), expected);
    assert_eq!(bench.network.options(node(0), node(1)), slow);
    assert_eq!(bench.network.options(node(1), node(0)), steady());
}

#[test]
fn a_thousand_machines_are_cut_by_one_entry() {
    let mut bench = bench(1_000);
    let left: Vec<u16> = (0..500).collect();
    let right: Vec<u16> = (500..1_000).collect();
    let cut = bench.rule(Cut, &left, &right);
    for from in [0, 250, 499] {
        for to in [1, 300, 498, 500, 750, 999] {
            bench.send(from, to, &[]);
        }
    }
    assert_eq!(bench.run().len(), 9);
    assert_eq!(bench.network.fired(cut), 9);
}
