//! The families of latencies, over many packets, and the offset of a pair.

use std::time::Duration;

use super::super::Latency;
use super::super::sites::OFFSET;
use super::*;

/// Latencies of many packets of one link, in order of size.
fn sorted(latency: Latency) -> Vec<u64> {
    let mut bench = Bench::new(Seeded::new(5), 2, LinkOptions::lan().with_latency(latency));
    let start = bench.now();
    for _ in 0..PACKETS {
        bench.send(0, 1, &[]);
    }
    bench.run().into_iter().map(|arrived| arrived.at - start).collect()
}

fn mean(sorted: &[u64]) -> u64 {
    sorted.iter().sum::<u64>() / PACKETS as u64
}

#[track_caller]
fn check_near(what: &str, value: u64, expected: u64, percent: u64) {
    assert!(
        value.abs_diff(expected) * 100 <= expected * percent,
        "{what} is {value}, not {expected} within {percent} %"
    );
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[test]
fn a_constant_draws_nothing_and_is_one_value() {
    let taken = sorted(Latency::constant(millis(7)));
    assert!(taken.iter().all(|nanos| *nanos == 7 * MS));
}

#[test]
fn uniform_latencies_fill_their_range_evenly() {
    let taken = sorted(Latency::uniform(millis(1), millis(3)));
    assert!(taken[0] >= MS && taken[PACKETS - 1] <= 3 * MS);
    check_near("the mean", mean(&taken), 2 * MS, 2);
    check_near("the first quarter", taken[PACKETS / 4], 1_500 * US, 3);
    check_near("the third quarter", taken[PACKETS * 3 / 4], 2_500 * US, 3);
}

#[test]
fn exponential_latencies_have_their_floor_mean_and_tail() {
    let taken = sorted(Latency::exponential(millis(5), millis(10)));
    assert!(taken[0] >= 5 * MS && taken[0] < 5_100 * US, "the floor is reached: {}", taken[0]);
    check_near("the mean", mean(&taken), 15 * MS, 4);
    check_near("the median", taken[PACKETS / 2] - 5 * MS, 6_931 * US, 5);
    check_near("the 95th percentile", taken[PACKETS * 95 / 100] - 5 * MS, 29_957 * US, 8);
}

#[test]
fn bimodal_latencies_are_fast_or_slow_and_never_between() {
    let fast = millis(1)..=millis(2);
    let slow = millis(50)..=millis(100);
    let taken = sorted(Latency::bimodal(fast, slow, Ratio::percent(10)));
    let slow_count = taken.iter().filter(|nanos| **nanos >= 50 * MS).count();
    assert!(
        taken
            .iter()
            .all(|nanos| (MS..=2 * MS).contains(nanos) || (50 * MS..=100 * MS).contains(nanos))
    );
    check_near("the slow share", slow_count as u64, PACKETS as u64 / 10, 15);
}

#[test]
fn pareto_latencies_have_a_tail_that_outgrows_an_exponential() {
    let taken = sorted(Latency::pareto(millis(5), millis(10), 20));
    assert!(taken[0] >= 5 * MS);
    // Of Lomax's with alpha 2 and scale 10: the median is 10 (sqrt 2 - 1), the 99th percentile 90.
    check_near("the median", taken[PACKETS / 2] - 5 * MS, 4_142 * US, 6);
    check_near("the 99th percentile", taken[PACKETS * 99 / 100] - 5 * MS, 90 * MS, 20);
    let exponential = sorted(Latency::exponential(millis(5), millis(10)));
    assert!(taken[PACKETS - 1] > 2 * exponential[PACKETS - 1]);
}

#[test]
fn the_default_of_every_family_is_its_least() {
    let fast = millis(3)..=millis(4);
    for latency in [
        Latency::constant(millis(3)),
        Latency::uniform(millis(3), millis(9)),
        Latency::exponential(millis(3), millis(9)),
        Latency::bimodal(fast, millis(8)..=millis(9), Ratio::percent(50)),
        Latency::pareto(millis(3), millis(9), 15),
    ] {
        let host = Seeded::scripted(&[]);
        let mut bench = Bench::new(host, 2, LinkOptions::lan().with_latency(latency));
        bench.send(0, 1, b"a");
        bench.send(0, 1, b"b");
        assert_eq!(bench.run(), [arrived(3 * MS, 1, b"a"), arrived(3 * MS, 1, b"b")]);
        assert_eq!(latency.least(), millis(3));
    }
}

#[test]
fn a_pair_draws_its_offset_once_and_all_its_packets_take_it() {
    let options = steady().with_offset(Duration::ZERO..=millis(100));
    let mut bench = Bench::new(Seeded::new(1), 3, options.clone());
    let mut offsets = BTreeSet::new();
    for (from, to) in [(0, 1), (1, 0), (0, 2)] {
        let start = bench.now();
        bench.send(from, to, b"a");
        let first = bench.run()[0].at - start;
        bench.network.set_links(options.clone());
        let start = bench.now();
        bench.send(from, to, b"b");
        assert_eq!(bench.run()[0].at - start, first, "the second one takes as long");
        offsets.insert(first - MS);
    }
    assert_eq!(offsets.len(), 3, "each direction has its own");
    assert!(offsets.iter().all(|nanos| *nanos <= 100 * MS));
    assert_eq!(bench.host.drawn.iter().filter(|draw| draw.1 == OFFSET.name()).count(), 3);
}

#[test]
fn an_offset_that_is_taken_away_is_not_added_any_more() {
    let host = Seeded::scripted(&[(OFFSET, 0, 5 * MS)]);
    let mut bench = Bench::new(host, 2, steady().with_offset(millis(1)..=millis(9)));
    bench.send(0, 1, b"a");
    assert_eq!(bench.run(), [arrived(6 * MS, 1, b"a")]);
    bench.network.set_links(steady());
    bench.send(0, 1, b"b");
    assert_eq!(bench.run(), [arrived(7 * MS, 1, b"b")]);
    bench.network.set_links(steady().with_offset(millis(1)..=millis(9)));
    bench.send(0, 1, b"c");
    assert_eq!(bench.run(), [arrived(13 * MS, 1, b"c")]);
}

#[test]
#[should_panic(expected = "the least latency is above the greatest")]
fn an_empty_range_of_latencies_is_refused() {
    let _ = Latency::uniform(millis(2), millis(1));
}

#[test]
#[should_panic(expected = "a tail with an alpha of 1 or below has no mean")]
fn a_tail_without_a_mean_is_refused() {
    let _ = Latency::pareto(millis(2), millis(1), 10);
}

const PACKETS: usize = 10_000;
