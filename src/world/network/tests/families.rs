//! How a run spreads latencies that are left open.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::Latency;
use super::super::sites::{FAMILY, LATENCY, LINKS};
use super::*;

/// What was drawn at a site, in order.
fn drawn(bench: &Bench, site: Site) -> Vec<u64> {
    let of_site = bench.host.drawn.iter().filter(|(key, _, _)| key.site == site.id());
    of_site.map(|(_, _, value)| *value).collect()
}

/// Latencies, by link.
type ByLink = BTreeMap<(u16, u16), Vec<u64>>;

/// Latencies of 60 packets on each of six links, by link, in the world of a seed in which the family is this one, if any.
fn latencies(seed: u64, family: Option<u64>) -> (Bench, ByLink) {
    let mut overrides = Overrides::new();
    if let Some(family) = family {
        overrides.insert(Key::new(LINKS, FAMILY, 0), 1);
        overrides.insert(Key::new(LINKS, FAMILY, 1), family);
    }
    let host = Seeded::with(Choices::new(Seed::new(seed), Fill::Seeded, overrides));
    let mut bench = Bench::new(host, 3, LinkOptions::lan());
    let mut latencies = ByLink::new();
    for (from, to) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
        for _ in 0..60 {
            let sent = bench.now();
            bench.send(from, to, b"some bytes");
            let at = bench.run()[0].at;
            latencies.entry((from, to)).or_default().push(at - sent);
        }
    }
    (bench, latencies)
}

#[test]
fn half_of_the_seeds_are_as_usual_and_each_family_has_its_share_of_the_rest() {
    let mut counts = [0; 5];
    for seed in 0..800 {
        let mut bench = Bench::new(Seeded::new(seed), 2, LinkOptions::lan());
        bench.send(0, 1, b"some bytes");
        bench.send(0, 1, b"some bytes");
        let place = match drawn(&bench, FAMILY)[..] {
            [0] => 0,
            [1, family] => 1 + usize::try_from(family).unwrap(),
            _ => panic!("a family is drawn once, and which one if it is not the usual"),
        };
        counts[place] += 1;
    }
    assert!((340..460).contains(&counts[0]), "{counts:?}");
    assert!(counts[1..].iter().all(|count| (60..140).contains(count)), "{counts:?}");
}

#[test]
fn usually_latencies_are_those_that_an_exact_link_has() {
    let exact = Latency::uniform(Duration::from_micros(50), Duration::from_millis(1));
    let usual = (0..40).filter(|seed| drawn(&latencies(*seed, None).0, FAMILY) == [0]);
    for seed in usual {
        let mut bench = Bench::new(Seeded::new(seed), 3, LinkOptions::lan().with_latency(exact));
        let sent = bench.now();
        bench.send(0, 1, b"some bytes");
        let at = bench.run()[0].at;
        assert_eq!(drawn(&bench, FAMILY), [], "an exact latency asks for no family");
        assert_eq!(latencies(seed, None).1[&(0, 1)][0], at - sent, "seed {seed}");
    }
}

#[test]
fn the_least_is_the_same_for_all_packets() {
    let (_, latencies) = latencies(3, Some(0));
    assert!(latencies.values().flatten().all(|nanos| *nanos == 50 * US));
}

#[test]
fn a_heavy_tail_makes_one_packet_in_seven_late() {
    let late = |nanos: &&u64| **nanos > MS;
    let counts = (0..20).map(|seed| {
        let (_, latencies) = latencies(seed, Some(1));
        assert!(latencies.values().flatten().all(|nanos| (50 * US..=64 * MS).contains(nanos)));
        latencies.values().flatten().filter(late).count()
    });
    // 7,200 packets.
    assert!((950..1_210).contains(&counts.sum::<usize>()), "15 in 100");
}

#[test]
fn a_slow_link_is_slow_for_all_packets() {
    let mut seen = BTreeMap::<u64, usize>::new();
    for seed in 0..20 {
        for link in latencies(seed, Some(2)).1.into_values() {
            let (least, most) = (*link.iter().min().unwrap(), *link.iter().max().unwrap());
            let factor = [1, 10, 60].into_iter().find(|factor| most <= factor * MS).unwrap();
            assert!(least >= factor * 50 * US, "{least} to {most}");
            *seen.entry(factor).or_default() += 1;
        }
    }
    assert!(seen[&1] > seen[&10] && seen[&10] > 10 && seen[&60] > 10, "{seen:?}");
}

#[test]
fn a_conversation_keeps_its_pace_until_it_changes() {
    let paces = [50, 200, 800, 3_200, 12_800, 51_200].map(|micros| micros * US);
    let (mut changes, mut seen) = (0, BTreeSet::new());
    for seed in 0..20 {
        for link in latencies(seed, Some(3)).1.into_values() {
            changes += link.windows(2).filter(|pair| pair[0] != pair[1]).count();
            seen.extend(link);
        }
    }
    assert_eq!(seen, BTreeSet::from(paces));
    // 59 chances of one in 16 on each of 120 links; of those that come, five of six are to another pace.
    assert!((290..450).contains(&changes), "{changes}");
}

#[test]
fn a_late_packet_of_any_family_can_be_in_the_default_world() {
    let late = 40 * MS;
    let mut bench = Bench::new(Seeded::scripted(&[(LATENCY, 1, late)]), 2, LinkOptions::lan());
    for _ in 0..3 {
        bench.send(0, 1, b"some bytes");
    }
    let at: Vec<u64> = bench.run().into_iter().map(|arrived| arrived.at).collect();
    assert_eq!(at, [50 * US, 50 * US, late]);
}

#[test]
fn latencies_of_other_kinds_can_be_left_open_too() {
    let open = Latency::exponential(Duration::from_millis(10), Duration::from_millis(2)).explored();
    assert_eq!(open.least(), Duration::from_millis(10));
    assert_eq!(open.explored(), open);
    for seed in 0..60 {
        let mut bench = Bench::new(Seeded::new(seed), 2, LinkOptions::lan().with_latency(open));
        for _ in 0..20 {
            bench.send(0, 1, b"some bytes");
        }
        let most = bench.run().into_iter().map(|arrived| arrived.at).max().unwrap();
        assert!((10 * MS..=250 * MS).contains(&most), "{most} under seed {seed}");
    }
}
