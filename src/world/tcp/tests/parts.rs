//! Parts that are tested by themselves: ranges, the queue of a listener, sizes.

use std::collections::BTreeSet;

use super::super::scoreboard::Ranges;
use super::super::{Backlog, Connection, Flags, Segment};
use crate::kernel::{Key, Seed, Site, StreamId, prf};

fn number(seed: u64, count: u64) -> u64 {
    prf(Seed::new(seed), Key::new(StreamId::ROOT, Site::new("part"), count))
}

#[test]
fn ranges_are_as_sets_of_offsets() {
    for seed in 0..300 {
        let (mut ranges, mut set) = (Ranges::default(), BTreeSet::new());
        let mut next = 0;
        for count in 0..60 {
            let start = next + number(seed, 3 * count) % 60;
            let end = start + 1 + number(seed, 3 * count + 1) % 12;
            let fresh = (start..end).filter(|offset| set.insert(*offset)).count() as u64;
            assert_eq!(ranges.insert(start, end), fresh);
            match number(seed, 3 * count + 2) % 8 {
                0 => {
                    next += 7;
                    ranges.forget_below(next);
                    set.retain(|offset| *offset >= next);
                }
                1 => {
                    next += 9;
                    while set.contains(&next) {
                        next += 1;
                    }
                    let from = next.min(end.max(next));
                    assert_eq!(ranges.take_from(from), next, "seed {seed}");
                    set.retain(|offset| *offset >= next);
                }
                _ => {}
            }
            check_ranges(&ranges, &set, next);
        }
    }
}

fn check_ranges(ranges: &Ranges, set: &BTreeSet<u64>, next: u64) {
    let pairs = ranges.as_slice();
    assert!(pairs.windows(2).all(|pair| pair[0].1 < pair[1].0), "they touch: {pairs:?}");
    let offsets: BTreeSet<u64> = pairs.iter().flat_map(|&(start, end)| start..end).collect();
    assert_eq!(&offsets, set);
    assert_eq!(ranges.end(), set.last().map(|offset| offset + 1));
    let (from, to) = (next + 3, next + 40);
    let covered = set.range(from..to).count() as u64;
    assert_eq!((ranges.covered(from, to), ranges.missing(from, to)), (covered, 37 - covered));
    let gap = (from..to).find(|offset| !set.contains(offset));
    let gap_end = |start| (start..to).find(|offset| set.contains(offset)).unwrap_or(to);
    assert_eq!(ranges.next_gap(from, to), gap.map(|start| (start, gap_end(start))));
}

#[test]
fn three_ranges_or_more_than_two_segments_after_it_make_it_lost() {
    let mut ranges = Ranges::default();
    ranges.insert(1000, 1100);
    ranges.insert(2000, 2100);
    assert_eq!(ranges.lost_below(100), 0, "two segments are not more than two");
    assert_eq!(ranges.lost_below(99), 1000);
    ranges.insert(3000, 3010);
    assert_eq!(ranges.lost_below(1000), 1000);
    assert_eq!(ranges.lost_below(100), 1000);
    ranges.insert(3000, 3201);
    assert_eq!(ranges.lost_below(100), 3000);
}

#[test]
fn a_queue_holds_one_more_than_its_limit() {
    for limit in [0, 1, 2, 5] {
        let mut backlog = Backlog::new(limit);
        for _ in 0..=limit {
            assert!(backlog.on_syn());
            assert!(backlog.on_ack());
        }
        assert_eq!((backlog.complete(), backlog.half_open()), (limit + 1, 0));
        assert!(!backlog.on_syn(), "it is full");
        backlog.on_accept();
        assert!(backlog.on_syn() && backlog.on_syn(), "half-open ones do not count");
        assert!(backlog.on_ack());
        assert!(!backlog.on_ack(), "the second is ignored, its SYN+ACK is sent again");
        assert_eq!((backlog.complete(), backlog.half_open()), (limit + 1, 1));
        backlog.set_limit(limit + 1);
        assert!(backlog.on_ack());
        assert_eq!(backlog.half_open(), 0);
    }
}

#[test]
fn segments_and_connections_are_small() {
    assert!(size_of::<Segment>() <= 64 && size_of::<Connection>() <= 112);
    assert!((Flags::SYN | Flags::ACK).has(Flags::ACK) && !Flags::SYN.has(Flags::ACK));
}
