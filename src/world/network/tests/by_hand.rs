//! Packets in flight, listed and handled one by one.

use super::super::Overflow;
use super::super::control::LostByHand;
use super::super::rules::RuleKind::{Cut, Hold};
use super::super::sites::LATENCY;
use super::*;

#[test]
fn packets_in_flight_are_listed_by_when_they_arrive_kept_ones_first() {
    let host = Seeded::scripted(&[(LATENCY, 1, 300 * US), (LATENCY, 2, 200 * US)]);
    let mut bench = Bench::new(host, 2, LinkOptions::lan());
    let hold = bench.rule(Hold, &[0], &[1]);
    bench.send(0, 1, b"kept");
    bench.run_until(100 * US);
    for bytes in [b"300", b"200", b"050"] {
        bench.send(0, 1, bytes);
    }
    bench.send(1, 0, b"other way");
    let link = bench.link(0, 1);
    let keys = bench.network.in_flight(link);
    let names: Vec<Vec<u8>> = keys
        .iter()
        .map(|key| match &bench.network.flights.get(*key).unwrap().packet.body {
            Body::Datagram(payload) => payload.bytes(&bench.network.chunks).to_vec(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, [&b"kept"[..], b"050", b"200", b"300"]);
    bench.network.end_rule(&mut bench.host, hold);
}

#[test]
fn a_packet_that_is_delivered_by_hand_arrives_at_once_and_once() {
    let mut bench = Bench::new(Seeded::new(0), 2, steady());
    bench.send(0, 1, b"a");
    bench.send(0, 1, b"b");
    let link = bench.link(0, 1);
    let [_, second] = bench.network.in_flight(link)[..] else { panic!("two") };
    assert!(bench.network.deliver_by_hand(&mut bench.host, second));
    assert_eq!(bench.run(), [arrived(1, 1, b"b"), arrived(MS, 1, b"a")]);
    assert_eq!(bench.lost, 0, "its first event is taken back");
    assert!(!bench.network.deliver_by_hand(&mut bench.host, second), "it has arrived");
    assert_eq!(bench.network.lose_by_hand(&mut bench.host, second), LostByHand::Nothing);
}

#[test]
fn rules_do_not_stop_what_is_delivered_by_hand() {
    let mut bench = Bench::new(Seeded::new(0), 2, steady());
    let hold = bench.rule(Hold, &[0], &[1]);
    bench.send(0, 1, b"kept");
    bench.send(0, 1, b"stays");
    bench.run_until(2 * MS);
    let cut = bench.rule(Cut, &[1], &[0]);
    bench.network.make_one_way(&mut bench.host, cut);
    let link = bench.link(0, 1);
    let first = bench.network.in_flight(link)[0];
    assert!(bench.network.deliver_by_hand(&mut bench.host, first));
    assert_eq!(bench.run(), [arrived(2 * MS + 1, 1, b"kept")]);
    bench.network.end_rule(&mut bench.host, hold);
    assert_eq!(bench.run(), [arrived(2 * MS + 2, 1, b"stays")]);
}

#[test]
fn a_packet_that_is_lost_by_hand_does_not_arrive() {
    let mut bench = Bench::new(Seeded::new(0), 2, steady());
    let hold = bench.rule(Hold, &[0], &[1]);
    bench.send(0, 1, b"kept");
    bench.run_until(2 * MS);
    bench.send(0, 1, b"moving");
    bench.send(0, 1, b"stays");
    let link = bench.link(0, 1);
    for key in &bench.network.in_flight(link)[..2] {
        assert_eq!(
            bench.network.lose_by_hand(&mut bench.host, *key),
            LostByHand::Packet { to: None }
        );
    }
    bench.network.end_rule(&mut bench.host, hold);
    assert_eq!(bench.run(), [arrived(3 * MS, 1, b"stays")]);
    assert_eq!(bench.network.faults().lost, 2);
    assert_eq!(bench.network.in_flight_count(), 0);
}

#[test]
fn what_waits_in_a_queue_can_be_handled_too() {
    let options = steady().with_bandwidth(100_000).with_queue(300, Overflow::DropRandom);
    let mut bench = Bench::new(Seeded::new(0), 2, options);
    for bytes in [b"a", b"b", b"c"] {
        bench.send(0, 1, bytes);
    }
    let link = bench.link(0, 1);
    let [_, second, third] = bench.network.in_flight(link)[..] else { panic!("three") };
    bench.network.lose_by_hand(&mut bench.host, second);
    bench.network.deliver_by_hand(&mut bench.host, third);
    // Both places are free again, and their time is spent.
    bench.send(0, 1, b"d");
    bench.send(0, 1, b"e");
    let expected = [
        arrived(1, 1, b"c"),
        arrived(2 * MS, 1, b"a"),
        arrived(5 * MS, 1, b"d"),
        arrived(6 * MS, 1, b"e"),
    ];
    assert_eq!(bench.run(), expected);
}
