//! What chance does to packets: bytes, order and times of what arrives.

use std::time::Duration;

use super::super::counters::FaultCounters;
use super::super::sites::{
    CORRUPT, CORRUPT_BIT, DUPLICATE, DUPLICATE_DELAY, LATENCY, LOSS, REORDER, REORDER_DELAY,
};
use super::super::{Body, Flow, Refusal};
use super::*;

#[test]
fn what_is_sent_arrives_after_its_latency() {
    let mut bench = Bench::new(Seeded::new(0), 3, steady());
    assert_eq!(bench.send(0, 1, b"one"), Sent::Accepted { at: MS });
    bench.send(0, 2, b"two");
    assert_eq!(bench.run(), [arrived(MS, 1, b"one"), arrived(MS, 2, b"two")]);
    bench.send(2, 0, b"back");
    assert_eq!(bench.run(), [arrived(2 * MS, 0, b"back")]);
    assert_eq!(bench.network.faults(), FaultCounters::default());
    assert!(bench.host.drawn.is_empty());
}

#[test]
fn nothing_arrives_at_the_instant_of_its_sending() {
    let at_once = LinkOptions::lan().with_latency(super::super::Latency::constant(Duration::ZERO));
    let mut bench = Bench::new(Seeded::new(0), 2, at_once);
    bench.send(0, 1, b"x");
    assert_eq!(bench.run(), [arrived(1, 1, b"x")]);
    let mut bench = Bench::new(Seeded::new(0), 2, LinkOptions::perfect());
    bench.send(0, 1, b"x");
    assert_eq!(bench.run(), [arrived(1, 1, b"x")]);
}

#[test]
fn datagrams_overtake_each_other_by_latency() {
    let host = Seeded::scripted(&[(LATENCY, 0, 900 * US)]);
    let mut bench = Bench::new(host, 2, LinkOptions::lan());
    bench.send(0, 1, b"slow");
    bench.send(0, 1, b"fast");
    assert_eq!(bench.run(), [arrived(50 * US, 1, b"fast"), arrived(900 * US, 1, b"slow")]);
}

#[test]
fn a_flow_keeps_its_order_whatever_latency_says() {
    let host = Seeded::scripted(&[(LATENCY, 0, 900 * US)]);
    let mut bench = Bench::new(host, 2, LinkOptions::lan());
    let Sent::Accepted { at } = bench.send_segment(0, 0) else { panic!("it is sent") };
    assert_eq!(at, 900 * US);
    assert_eq!(bench.send_segment(1, at), Sent::Accepted { at: 900 * US });
    assert_eq!(bench.run(), [arrived(900 * US, 1, &[0]), arrived(900 * US, 1, &[1])]);
}

#[test]
fn a_lost_packet_is_gone_and_no_other() {
    let host = Seeded::scripted(&[(LOSS, 1, 1)]);
    let mut bench = Bench::new(host, 2, steady().with_loss(Ratio::percent(5)));
    let sent: Vec<Sent> = [b"a", b"b", b"c"].iter().map(|bytes| bench.send(0, 1, *bytes)).collect();
    assert_eq!(sent[1], Sent::Lost);
    assert_eq!(bench.run(), [arrived(MS, 1, b"a"), arrived(MS, 1, b"c")]);
    assert_eq!(bench.network.faults(), FaultCounters { lost: 1, ..FaultCounters::default() });
    let counters = bench.network.link_counters(node(0), node(1));
    assert_eq!((counters.sent, counters.delivered, counters.sent_bytes), (3, 2, 300));
}

#[test]
fn a_datagram_is_lost_with_any_of_its_fragments() {
    for (fragment, expected) in [(0, 0), (2, 0), (3, 1)] {
        let host = Seeded::scripted(&[(LOSS, fragment << 32, 1)]);
        let mut bench = Bench::new(host, 2, steady().with_loss(Ratio::percent(5)));
        let mut packet = bench.datagram(0, 1, b"three");
        packet.count = 3;
        bench.network.send(&mut bench.host, packet, 0);
        assert_eq!(bench.run().len(), expected, "fragment {fragment}");
    }
    // Each fragment draws for itself: a third of three packets of three in 27 gets through.
    let mut bench = Bench::new(Seeded::new(3), 2, steady().with_loss(Ratio::new(1, 2)));
    for _ in 0..800 {
        let mut packet = bench.datagram(0, 1, b"");
        packet.count = 3;
        bench.network.send(&mut bench.host, packet, 0);
    }
    let arrived = bench.run().len();
    assert!((70..=130).contains(&arrived), "an eighth of 800 is 100: {arrived}");
}

#[test]
fn a_segment_draws_once_however_many_packets_it_is() {
    let mut bench = Bench::new(Seeded::new(0), 2, steady().with_loss(Ratio::percent(5)));
    let mut packet = bench.packet(0, 1, Body::Segment(segment(0)));
    (packet.count, packet.flow) = (40, Flow { stream: FLOW, ordinal: 0 });
    bench.network.send(&mut bench.host, packet, 0);
    assert_eq!(bench.host.drawn.len(), 1);
    assert_eq!(bench.network.link_counters(node(0), node(1)).sent, 40);
}

#[test]
fn a_duplicate_arrives_after_the_first_with_the_same_bytes() {
    let host = Seeded::scripted(&[(DUPLICATE, 0, 1), (DUPLICATE_DELAY, 0, 7 * US)]);
    let options = steady().with_duplication(Ratio::percent(5), Duration::from_millis(1));
    let mut bench = Bench::new(host, 2, options);
    bench.send(0, 1, b"twice");
    bench.send(0, 1, b"once");
    let expected =
        [arrived(MS, 1, b"twice"), arrived(MS, 1, b"once"), arrived(MS + 7 * US, 1, b"twice")];
    assert_eq!(bench.run(), expected);
    assert_eq!(bench.network.faults(), FaultCounters { duplicated: 1, ..FaultCounters::default() });
}

#[test]
fn a_duplicate_that_is_late_arrives_after_its_receiver_was_off_and_on() {
    let host = Seeded::scripted(&[(DUPLICATE, 0, 1), (DUPLICATE_DELAY, 0, 60 * S)]);
    let options = steady().with_duplication(Ratio::percent(5), Duration::from_secs(60));
    let mut bench = Bench::new(host, 2, options);
    bench.send(0, 1, b"ghost");
    assert_eq!(bench.run_until(S), [arrived(MS, 1, b"ghost")]);
    bench.network.set_power(node(1), false);
    bench.network.set_power(node(0), false);
    bench.run_until(2 * S);
    bench.network.set_power(node(1), true);
    assert_eq!(bench.run(), [arrived(60 * S + MS, 1, b"ghost")]);
}

#[test]
fn the_second_one_survives_the_loss_of_the_first() {
    let host = Seeded::scripted(&[(DUPLICATE, 0, 1), (LOSS, 0, 1)]);
    let options =
        steady().with_loss(Ratio::percent(5)).with_duplication(always(), Duration::from_millis(1));
    let mut bench = Bench::new(host, 2, options);
    assert_eq!(bench.send(0, 1, b"x"), Sent::Lost);
    assert_eq!(bench.run(), [arrived(MS + 1, 1, b"x")]);
}

#[test]
fn a_packet_that_is_held_up_is_overtaken() {
    let host = Seeded::scripted(&[(REORDER, 0, 1), (REORDER_DELAY, 0, 30 * US)]);
    let options = steady().with_reordering(Ratio::percent(5), Duration::from_micros(50));
    let mut bench = Bench::new(host, 2, options);
    bench.send(0, 1, b"first");
    bench.send(0, 1, b"second");
    let expected = [arrived(MS, 1, b"second"), arrived(MS + 30 * US, 1, b"first")];
    assert_eq!(bench.run(), expected);
    assert_eq!(bench.network.faults(), FaultCounters { reordered: 1, ..FaultCounters::default() });
}

#[test]
fn a_segment_that_is_held_up_lets_its_flow_overtake_it() {
    let host = Seeded::scripted(&[(REORDER, 1, 1), (REORDER_DELAY, 1, 30 * US)]);
    let options = steady().with_reordering(Ratio::percent(5), Duration::from_micros(50));
    let mut bench = Bench::new(host, 2, options);
    let mut last = 0;
    for ordinal in 0..3 {
        let Sent::Accepted { at } = bench.send_segment(ordinal, last) else { panic!("it is sent") };
        last = at;
    }
    let expected = [arrived(MS, 1, &[0]), arrived(MS, 1, &[2]), arrived(MS + 30 * US, 1, &[1])];
    assert_eq!(bench.run(), expected);
}

#[test]
fn corruption_turns_one_bit_of_a_datagram_over() {
    let host = Seeded::scripted(&[(CORRUPT, 1, 1), (CORRUPT_BIT, 1, 13)]);
    let mut bench = Bench::new(host, 2, steady().with_corruption(Ratio::percent(5)));
    bench.send(0, 1, &[0; 3]);
    bench.send(0, 1, &[0; 3]);
    assert_eq!(bench.run(), [arrived(MS, 1, &[0, 0, 0]), arrived(MS, 1, &[0, 1 << 5, 0])]);
    assert_eq!(bench.network.faults(), FaultCounters { corrupted: 1, ..FaultCounters::default() });
}

#[test]
fn a_second_one_is_not_corrupted_with_the_first() {
    let host = Seeded::scripted(&[(CORRUPT, 0, 1), (DUPLICATE, 0, 1)]);
    let options = steady().with_corruption(always()).with_duplication(always(), Duration::ZERO);
    let mut bench = Bench::new(host, 2, options);
    bench.send(0, 1, &[0]);
    assert_eq!(bench.run(), [arrived(MS, 1, &[1]), arrived(MS + 1, 1, &[0])]);
}

#[test]
fn what_has_no_bytes_to_corrupt_or_a_checksum_is_lost() {
    let mut bench = Bench::new(Seeded::new(0), 2, steady().with_corruption(always()));
    assert_eq!(bench.send_segment(0, 0), Sent::Lost);
    assert_eq!(bench.send(0, 1, b""), Sent::Lost);
    assert_eq!(bench.run(), []);
    assert_eq!(bench.network.faults(), FaultCounters { corrupted: 2, ..FaultCounters::default() });
    assert_eq!(bench.sites(), BTreeSet::from(["corrupt"]), "no bit is drawn");
}

#[test]
fn an_address_of_nobody_is_refused_after_three_seconds() {
    let mut bench = Bench::new(Seeded::new(0), 2, steady());
    let nowhere = bench.network.addresses.intern("192.0.2.1".parse().unwrap());
    let path = bench.network.path(node(0), nowhere);
    let [key] = socket_keys(1)[..] else { panic!("one") };
    let mut packet = bench.datagram(0, 0, b"anyone?");
    packet.link = path.link;
    packet.from = Some(key);
    packet.target.address = nowhere;
    let target = packet.target;
    assert_eq!(bench.network.send(&mut bench.host, packet, 0), Sent::Lost);
    let events = bench.host.inner.advance();
    assert_eq!(bench.now(), 3 * S);
    let [WorldEvent::Arrive(flight)] = events[..] else { panic!("{events:?}") };
    let Arrival::Packet { node: at, packet } = bench.network.arrive(&mut bench.host, flight) else {
        panic!("it arrives")
    };
    assert_eq!((at, packet.from), (node(0), Some(key)));
    assert!(
        matches!(packet.body, Body::Refused { kind: Refusal::Host, quoted } if quoted == target),
        "{packet:?}"
    );
}

#[test]
fn what_comes_to_a_machine_without_power_is_lost() {
    let mut bench = Bench::new(Seeded::new(0), 2, steady());
    bench.send(0, 1, b"x");
    bench.network.set_power(node(1), false);
    assert_eq!(bench.run(), []);
    assert_eq!((bench.lost, bench.network.faults().dead), (1, 1));
    bench.send(1, 0, b"last words");
    assert_eq!(bench.run(), [arrived(2 * MS, 0, b"last words")], "what it sent is on its way");
    bench.network.set_power(node(1), true);
    bench.send(0, 1, b"y");
    assert_eq!(bench.run(), [arrived(3 * MS, 1, b"y")]);
}

#[test]
fn loopback_is_a_link_of_its_own() {
    let mut bench = Bench::new(Seeded::scripted(&[]), 2, steady().with_loss(always()));
    bench.send(1, 1, b"self");
    assert_eq!(bench.run(), [arrived(US, 1, b"self")], "no loss, and a microsecond");
}

#[test]
fn a_path_says_how_much_one_segment_may_carry() {
    let mut bench = Bench::new(Seeded::new(0), 3, LinkOptions::lan());
    let (v4, v6) = (AddressId::automatic_v4(node(1)), AddressId::automatic_v6(node(1)));
    let path = bench.network.path(node(0), v4);
    assert_eq!((path.mss, path.burst), (1460, 65_536));
    assert_eq!(bench.network.path(node(0), v6).mss, 1440);
    assert_eq!(bench.network.path(node(0), AddressId::LOOPBACK_V4).mss, 65_495);
    for options in [
        steady().with_loss(Ratio::percent(1)),
        steady().with_duplication(Ratio::percent(1), Duration::ZERO),
        steady().with_reordering(Ratio::percent(1), Duration::ZERO),
        steady().with_corruption(Ratio::percent(1)),
        steady().with_bandwidth(1),
    ] {
        bench.network.set_links(options.with_mtu(576));
        let path = bench.network.path(node(0), v4);
        assert_eq!((path.mss, path.burst), (536, 536));
    }
}

#[test]
#[should_panic(expected = "an MTU of 575 is below 576")]
fn an_mtu_has_a_least_value() {
    Bench::new(Seeded::new(0), 1, LinkOptions::lan().with_mtu(575));
}

#[test]
#[should_panic(expected = "a link of no bytes per second lets nothing through")]
fn a_bandwidth_of_nothing_is_refused() {
    Bench::new(Seeded::new(0), 1, LinkOptions::lan().with_bandwidth(0));
}
