//! Links with a bandwidth, and what their queues do when they are full.

use std::time::Duration;

use super::super::counters::FaultCounters;
use super::super::sites::{LATENCY, VICTIM};
use super::super::{Latency, Overflow};
use super::*;

/// A link on which a packet of 100 bytes takes 1 ms to be sent, then 1 ms.
fn narrow(packets: usize, overflow: Overflow) -> LinkOptions {
    steady().with_bandwidth(100_000).with_queue(packets * 100, overflow)
}

#[test]
fn packets_are_sent_one_after_another() {
    let mut bench = Bench::new(Seeded::new(0), 3, narrow(10, Overflow::DropTail));
    for bytes in [b"a", b"b", b"c"] {
        bench.send(0, 1, bytes);
    }
    bench.send(0, 2, b"other link");
    let expected = [
        arrived(2 * MS, 1, b"a"),
        arrived(2 * MS, 2, b"other link"),
        arrived(3 * MS, 1, b"b"),
        arrived(4 * MS, 1, b"c"),
    ];
    assert_eq!(bench.run(), expected);
    bench.send(0, 1, b"after a pause");
    assert_eq!(bench.run(), [arrived(6 * MS, 1, b"after a pause")]);
    assert!(bench.host.drawn.is_empty());
}

#[test]
fn a_full_queue_loses_the_packet_that_comes() {
    let mut bench = Bench::new(Seeded::new(0), 2, narrow(2, Overflow::DropTail));
    let sent: Vec<Sent> =
        [b"a", b"b", b"c", b"d"].iter().map(|bytes| bench.send(0, 1, *bytes)).collect();
    assert_eq!(sent[2..], [Sent::Lost, Sent::Lost]);
    assert_eq!(bench.run_until(2 * MS), [arrived(2 * MS, 1, b"a")]);
    // The first two have left, so there is room for two more.
    let sent: Vec<Sent> = [b"e", b"f", b"g"].iter().map(|bytes| bench.send(0, 1, *bytes)).collect();
    assert_eq!(sent[2], Sent::Lost);
    let expected = [arrived(3 * MS, 1, b"b"), arrived(4 * MS, 1, b"e"), arrived(5 * MS, 1, b"f")];
    assert_eq!(bench.run(), expected);
    assert_eq!(bench.network.faults(), FaultCounters { overflowed: 3, ..FaultCounters::default() });
}

#[test]
fn a_packet_greater_than_the_queue_is_taken_when_nothing_waits() {
    let mut bench = Bench::new(Seeded::new(0), 2, narrow(0, Overflow::DropTail));
    assert_eq!(bench.send(0, 1, b"a"), Sent::Accepted { at: 2 * MS });
    assert_eq!(bench.send(0, 1, b"b"), Sent::Lost);
    assert_eq!(bench.run(), [arrived(2 * MS, 1, b"a")]);
    assert_eq!(bench.send(0, 1, b"c"), Sent::Accepted { at: 4 * MS });
}

#[test]
fn a_full_queue_loses_a_drawn_one_and_those_behind_it_move_up() {
    // Of a (being sent), b, c, d that wait and e that comes, the second that waits.
    let host = Seeded::scripted(&[(VICTIM, 4, 2)]);
    let mut bench = Bench::new(host, 2, narrow(4, Overflow::DropRandom));
    for bytes in [b"a", b"b", b"c", b"d", b"e"] {
        bench.send(0, 1, bytes);
    }
    let expected = [
        arrived(2 * MS, 1, b"a"),
        arrived(3 * MS, 1, b"b"),
        arrived(4 * MS, 1, b"d"),
        arrived(5 * MS, 1, b"e"),
    ];
    assert_eq!(bench.run(), expected);
    assert_eq!(bench.network.faults(), FaultCounters { overflowed: 1, ..FaultCounters::default() });
    assert_eq!(bench.network.in_flight_count(), 0);
}

#[test]
fn by_default_the_victim_is_the_packet_that_comes() {
    let mut bench = Bench::new(Seeded::scripted(&[]), 2, narrow(2, Overflow::DropRandom));
    let sent: Vec<Sent> = [b"a", b"b", b"c"].iter().map(|bytes| bench.send(0, 1, *bytes)).collect();
    assert_eq!(sent[2], Sent::Lost);
    assert_eq!(bench.run(), [arrived(2 * MS, 1, b"a"), arrived(3 * MS, 1, b"b")]);
}

#[test]
fn a_greater_packet_displaces_several() {
    let host = Seeded::scripted(&[(VICTIM, 4, 1), (VICTIM, 1 << 32 | 4, 2)]);
    let mut bench = Bench::new(host, 2, narrow(4, Overflow::DropRandom));
    for bytes in [b"a", b"b", b"c", b"d"] {
        bench.send(0, 1, bytes);
    }
    let mut great = bench.datagram(0, 1, b"great");
    great.size = 200;
    bench.network.send(&mut bench.host, great, 0);
    let expected =
        [arrived(2 * MS, 1, b"a"), arrived(3 * MS, 1, b"c"), arrived(5 * MS, 1, b"great")];
    assert_eq!(bench.run(), expected);
}

#[test]
fn a_victim_is_named_and_its_flow_keeps_its_order() {
    let host = Seeded::scripted(&[(VICTIM, 3, 1)]);
    let mut bench = Bench::new(host, 2, narrow(3, Overflow::DropRandom));
    let [peer] = socket_keys(1)[..] else { panic!("one") };
    let mut last = 0;
    for ordinal in 0..4 {
        let mut packet = bench.packet(0, 1, Body::Segment(segment(ordinal)));
        packet.flow = Flow { stream: FLOW, ordinal };
        if let Body::Segment(segment) = &mut packet.body {
            segment.to = Some(peer);
        }
        let Sent::Accepted { at } = bench.network.send(&mut bench.host, packet, last) else {
            panic!("it displaces another")
        };
        last = at;
    }
    assert_eq!(bench.network.take_casualties(), [peer]);
    assert_eq!(bench.network.take_casualties(), []);
    // The last one keeps its distance to what was promised for the one before it.
    let expected = [arrived(2 * MS, 1, &[0]), arrived(3 * MS, 1, &[2]), arrived(4 * MS, 1, &[3])];
    assert_eq!(bench.run(), expected);
}

#[test]
fn moving_up_does_not_overtake_the_flow() {
    let host = Seeded::scripted(&[(LATENCY, 0, 10 * MS), (VICTIM, 3, 1)]);
    let latency = Latency::uniform(Duration::from_millis(1), Duration::from_millis(10));
    let mut bench = Bench::new(host, 2, narrow(3, Overflow::DropRandom).with_latency(latency));
    let mut last = 0;
    for ordinal in 0..4 {
        let Sent::Accepted { at } = bench.send_segment(ordinal, last) else { panic!("it is sent") };
        last = at;
    }
    let at = 11 * MS;
    assert_eq!(bench.run(), [arrived(at, 1, &[0]), arrived(at, 1, &[2]), arrived(at, 1, &[3])]);
}

#[test]
fn every_place_of_a_full_queue_is_drawn_sooner_or_later() {
    let mut victims = BTreeSet::new();
    for seed in 0..200 {
        let mut bench = Bench::new(Seeded::new(seed), 2, narrow(4, Overflow::DropRandom));
        for bytes in [b"a", b"b", b"c", b"d", b"e"] {
            bench.send(0, 1, bytes);
        }
        let there: Vec<u8> = bench.run().into_iter().map(|arrived| arrived.bytes[0]).collect();
        assert_eq!(there.len(), 4);
        victims.extend(b"abcde".iter().filter(|byte| !there.contains(byte)));
    }
    assert_eq!(victims, BTreeSet::from(*b"bcde"), "all but the one that is being sent");
}

#[test]
fn a_full_queue_with_back_pressure_takes_nothing_and_tells_when_there_is_room() {
    let mut bench = Bench::new(Seeded::new(0), 2, narrow(2, Overflow::BackPressure));
    let keys = socket_keys(2);
    let send = |bench: &mut Bench, key: usize, bytes: &[u8]| {
        let mut packet = bench.datagram(0, 1, bytes);
        packet.from = Some(keys[key]);
        bench.network.send(&mut bench.host, packet, 0)
    };
    assert_eq!(send(&mut bench, 0, b"a"), Sent::Accepted { at: 2 * MS });
    assert_eq!(send(&mut bench, 0, b"b"), Sent::Accepted { at: 3 * MS });
    for key in [1, 0, 1] {
        assert_eq!(send(&mut bench, key, b"c"), Sent::Full);
    }
    assert_eq!(bench.run_until(MS), []);
    assert_eq!(bench.roomy, [(MS, keys[1]), (MS, keys[0])], "in the order in which they came");
    assert_eq!(send(&mut bench, 1, b"c"), Sent::Accepted { at: 4 * MS });
    assert_eq!(send(&mut bench, 0, b"d"), Sent::Full);
    let expected = [arrived(2 * MS, 1, b"a"), arrived(3 * MS, 1, b"b"), arrived(4 * MS, 1, b"c")];
    assert_eq!(bench.run(), expected);
    assert_eq!(bench.roomy[2..], [(2 * MS, keys[0])]);
    assert_eq!(bench.network.faults(), FaultCounters::default(), "nothing is lost");
    assert_eq!(bench.network.link_counters(node(0), node(1)).sent, 3, "nor counted twice");
}

#[test]
fn what_no_socket_waits_for_is_lost_under_back_pressure() {
    let mut bench = Bench::new(Seeded::new(0), 2, narrow(1, Overflow::BackPressure));
    bench.send(0, 1, b"a");
    assert_eq!(bench.send(0, 1, b"b"), Sent::Lost);
}

#[test]
fn regression_a_segment_of_no_connection_is_lost_where_there_is_no_room_under_back_pressure() {
    let mut bench = Bench::new(Seeded::new(0), 2, narrow(1, Overflow::BackPressure));
    bench.send(0, 1, b"a");
    let mut reset = bench.packet(0, 1, Body::Segment(segment(0)));
    // It names a socket, which will not send it again.
    reset.from = Some(socket_keys(1)[0]);
    assert_eq!(bench.network.send(&mut bench.host, reset, 0), Sent::Lost);
    bench.run();
    assert_eq!(bench.network.faults(), FaultCounters { overflowed: 1, ..FaultCounters::default() });
    assert_eq!(bench.roomy, [], "nobody waits for room");
}

#[test]
fn a_packet_that_is_lost_on_the_way_takes_no_bandwidth() {
    let host = Seeded::scripted(&[(super::super::sites::LOSS, 0, 1)]);
    let options = narrow(4, Overflow::DropTail).with_loss(Ratio::percent(5));
    let mut bench = Bench::new(host, 2, options);
    bench.send(0, 1, b"a");
    bench.send(0, 1, b"b");
    assert_eq!(bench.run(), [arrived(2 * MS, 1, b"b")]);
}

#[test]
fn a_thousand_packets_take_what_their_bytes_take() {
    let options = steady().with_bandwidth(1_234_567).with_queue(1 << 20, Overflow::DropTail);
    let mut bench = Bench::new(Seeded::new(0), 2, options);
    for _ in 0..1_000 {
        bench.send(0, 1, b"");
    }
    let last = bench.run().pop().unwrap().at;
    let exact = 100 * 1_000 * S / 1_234_567 + MS;
    assert!(last.abs_diff(exact) <= 1_000, "{last} and {exact}: a nanosecond a packet at the most");
}
