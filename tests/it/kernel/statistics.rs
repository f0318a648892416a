//! Keyed draws are even and independent of their neighbours.
//!
//! All inputs are fixed, so a test here passes always or never; the bounds are those that a
//! good generator misses once in about a million.

use std::collections::BTreeSet;

use parcae::Seed;
use parcae::kernel::{Key, Site, StreamId, prf};

const SITE: Site = Site::new("statistics");

fn bits(seed: u64, stream: u64, site: u32, ordinal: u64) -> u64 {
    prf(Seed::new(seed), Key { stream: StreamId::from_bits(stream), site, ordinal })
}

#[test]
fn neighbouring_ordinals_are_independent() {
    check(|at| bits(7, 0, SITE.id(), at), &[]);
    check(|at| bits(0, 0, 0, at), &[]);
    check(|at| bits(u64::MAX, u64::MAX, u32::MAX, u64::MAX - at), &[]);
}

#[test]
fn neighbouring_seeds_are_independent() {
    check(|at| bits(at, 0, SITE.id(), 0), &[]);
    check(|at| bits(at << 40, 0, SITE.id(), 17), &[]);
}

#[test]
fn neighbouring_streams_are_independent() {
    let main = StreamId::ROOT.child("main", 0);
    let child = |at: u64| main.child("worker", u32::try_from(at).unwrap()).get();
    check(|at| bits(7, child(at), SITE.id(), 0), &[]);
    check(|at| bits(7, at, SITE.id(), 0), &[]);
}

#[test]
fn streams_of_a_large_tree_are_all_different() {
    let mut streams = BTreeSet::from([StreamId::ROOT]);
    for (name, ordinal) in ["main", "node", "task", ""].iter().zip(0..2_u32) {
        let parent = StreamId::ROOT.child(name, ordinal);
        streams.insert(parent);
        for ordinal in 0..400 {
            let child = parent.child("worker", ordinal);
            streams.insert(child);
            streams.extend((0..100).map(|ordinal| child.child("worker", ordinal)));
        }
    }
    assert_eq!(streams.len(), 1 + 2 * (1 + 400 * 101));
}

#[test]
fn neighbouring_sites_are_independent() {
    check(|at| bits(7, 0, u32::try_from(at).unwrap(), 0), &[]);
}

#[test]
fn one_flipped_bit_of_any_input_flips_half_of_the_output() {
    avalanche(|input, at| bits(input, 0, 1, at));
    avalanche(|input, at| bits(7, input, 1, at));
    avalanche(|input, at| bits(at, 3, 1, input));
}

#[test]
fn bad_generators_are_caught() {
    let (a, c) = (6_364_136_223_846_793_005_u64, 1_442_695_040_888_963_407_u64);
    // A linear congruential generator is even to excess in its low bits.
    let mut state = 1_u64;
    let steps: Vec<u64> = (0..COUNT)
        .map(|_| {
            state = state.wrapping_mul(a).wrapping_add(c);
            state
        })
        .collect();
    let problems = problems(|at| steps[usize::try_from(at).unwrap()]);
    assert!(problems.contains(&"low 8 bits"), "{problems:?}");
    assert!(!problems.contains(&"high 8 bits"), "{problems:?}");

    // Deaf to the ordinal, deaf to its last bit, no finish at all, one bit stuck, a slow drift.
    check(|_| bits(7, 0, 0, 0), &ALL);
    check(
        |at| bits(7, 0, 0, at / 2),
        &["low 8 bits", "high 8 bits", "correlation", "pairs of high bits", "pairs of low bits"],
    );
    check(|at| at, &ALL);
    let stuck = |at| bits(7, 0, 0, at) | 1 << 40;
    check(stuck, &["balance"]);
    check(
        |at| bits(7, 0, 0, at) / 2 + (at << 46),
        &["high 8 bits", "balance", "correlation", "pairs of high bits"],
    );
}

#[test]
#[should_panic(expected = "output bit")]
fn a_generator_without_avalanche_is_caught() {
    avalanche(|input, at| input.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ at);
}

// The statistics

const COUNT: u64 = 1 << 16;

const ALL: [&str; 6] = [
    "low 8 bits",
    "high 8 bits",
    "balance",
    "correlation",
    "pairs of high bits",
    "pairs of low bits",
];

#[track_caller]
fn check(generator: impl Fn(u64) -> u64, expected: &[&str]) {
    assert_eq!(problems(generator), expected);
}

/// Returns the statistics that are out of bounds for 65,536 values of a generator.
fn problems(generator: impl Fn(u64) -> u64) -> Vec<&'static str> {
    let values: Vec<u64> = (0..COUNT).map(generator).collect();
    let pairs = |shift: u32| {
        values.chunks(2).map(move |pair| ((pair[0] >> shift & 15) << 4) | (pair[1] >> shift & 15))
    };
    let found = [
        is_even(values.iter().map(|value| value & 255)),
        is_even(values.iter().map(|value| value >> 56)),
        (0..64)
            .all(|bit| is_balanced(values.iter().filter(|value| *value >> bit & 1 == 1).count())),
        is_uncorrelated(&values),
        is_even(pairs(60)),
        is_even(pairs(0)),
    ];
    ALL.into_iter().zip(found).filter(|(_, is_good)| !is_good).map(|(name, _)| name).collect()
}

/// The chi-square test over 256 classes, both ways: too even is not random either.
fn is_even(classes: impl Iterator<Item = u64>) -> bool {
    let mut counts = [0_u32; 256];
    for class in classes {
        counts[usize::try_from(class).unwrap()] += 1;
    }
    let expected = f64::from(counts.iter().sum::<u32>()) / 256.0;
    let square = |count: &u32| (f64::from(*count) - expected).powi(2) / expected;
    let statistic: f64 = counts.iter().map(square).sum();
    // 255 degrees of freedom, one in a million either way (Wilson and Hilferty).
    (161.0..378.0).contains(&statistic)
}

/// Half of the values, within 5.5 standard deviations: the bound holds for 64 bits at once.
fn is_balanced(ones: usize) -> bool {
    let half = COUNT / 2;
    (u64::try_from(ones).unwrap()).abs_diff(half) < 11 * 128 / 2
}

/// Correlation of the high halves of neighbours, within 4.9 standard deviations.
fn is_uncorrelated(values: &[u64]) -> bool {
    let high = |value: &u64| f64::from(u32::try_from(value >> 32).unwrap());
    let count = f64::from(u32::try_from(values.len()).unwrap());
    let mean = values.iter().map(high).sum::<f64>() / count;
    let variance: f64 = values.iter().map(|value| (high(value) - mean).powi(2)).sum();
    let product = |pair: &[u64]| (high(&pair[0]) - mean) * (high(&pair[1]) - mean);
    let covariance: f64 = values.windows(2).map(product).sum();
    (covariance / variance).abs() * count.sqrt() < 4.9
}

/// Each bit of the input flips each bit of the output for half of the values.
#[track_caller]
fn avalanche(generator: impl Fn(u64, u64) -> u64) {
    const SAMPLES: u64 = 4_096;
    for input_bit in 0..64 {
        let mut flips = [0_u64; 64];
        for at in 0..SAMPLES {
            let flipped = generator(at, at) ^ generator(at ^ 1 << input_bit, at);
            for (output_bit, count) in flips.iter_mut().enumerate() {
                *count += flipped >> output_bit & 1;
            }
        }
        for (output_bit, count) in flips.into_iter().enumerate() {
            // 6.2 standard deviations: the bound holds for 64 x 64 pairs of bits at once.
            let distance = count.abs_diff(SAMPLES / 2);
            assert!(distance < 200, "input bit {input_bit}, output bit {output_bit}: {count}");
        }
    }
}
