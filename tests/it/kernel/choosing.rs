//! `choose`, for all types of whole numbers.

use std::collections::BTreeSet;

use parcae::explore::Check;
use parcae::rng::choose_for;
use parcae::{Sim, choose};

use crate::runs::{fifo, panicked};

#[test]
fn every_type_of_whole_numbers_can_be_chosen() {
    let seen: BTreeSet<(u8, i8, usize, i64, u64)> = (0..300)
        .map(|seed| {
            let outcome = Sim::new(seed).run(|| async {
                let index = choose(0..3_usize);
                (choose(..), choose(-2..=2), index, choose(i64::MIN..), choose(u64::MAX..=u64::MAX))
            });
            outcome.unwrap()
        })
        .collect();
    assert!(seen.iter().all(|(_, small, index, _, same)| {
        (-2..=2).contains(small) && *index < 3 && *same == u64::MAX
    }));
    let smalls: BTreeSet<i8> = seen.iter().map(|chosen| chosen.1).collect();
    assert_eq!(smalls, BTreeSet::from([-2, -1, 0, 1, 2]));
    assert!(seen.iter().any(|chosen| chosen.0 < 32) && seen.iter().any(|chosen| chosen.0 > 223));
    assert!(seen.iter().any(|chosen| chosen.3 < 0) && seen.iter().any(|chosen| chosen.3 > 0));
}

#[test]
fn signed_choices_shrink_towards_zero_from_either_side() {
    let least = |program: fn()| {
        let report = Check::new("signed").seeds(500).run(move || async move { program() });
        let finding = report.finding().unwrap().clone();
        (finding.failure().to_string(), finding.world().overrides.values().copied().collect())
    };
    let (below, values): (String, Vec<u64>) = least(|| {
        let number = choose(-1000..1000);
        assert!(number > -300, "too small: {number}");
    });
    assert!(below.contains("too small: -300"), "{below}");
    assert_eq!(values, [(-300_i64).cast_unsigned()]);
    let (above, values) = least(|| {
        let number = choose_for("number", 0, -1000..1000_i64);
        assert!(number < 300, "too large: {number}");
    });
    assert!(above.contains("too large: 300"), "{above}");
    assert_eq!(values, [300]);
    let (nearest, _) = least(|| {
        let number = choose(-1000..=-7_i32);
        assert!(number > -7, "below zero: {number}");
    });
    assert!(nearest.contains("below zero: -7"), "{nearest}");
}

#[test]
fn signed_choices_are_told_with_their_sign() {
    let report = Check::new("told").seeds(100).run(|| async {
        assert!(choose(-9..=9) > -5);
    });
    let finding = report.finding().unwrap();
    let text = parcae::report::text(&report, &parcae::report::ReplayCommand::from_prefix("x"));
    assert!(text.contains("draws -5 for choose 0 (default 0)"), "{text}");
    let log = finding.log();
    let said: Vec<String> = log.entries.iter().map(|entry| log.describe(entry)).collect();
    assert!(said.iter().any(|line| line.contains("draws -5")), "{said:?}");
}

#[test]
fn an_empty_range_of_any_type_is_refused() {
    #[expect(clippy::reversed_empty_ranges, reason = "that is the mistake")]
    let outcome = fifo(|| async {
        let _ = choose(3..3_i8);
        let _ = choose(5..2_usize);
    });
    panicked(&outcome, "`parcae::choose` was given an empty range");
}
