//! Checks that keep going, shards, coverage, and the stop when nothing is new.

use std::collections::BTreeSet;

use parcae::explore::{Check, CheckReport, Control, Determinism, Shard, Stop, Strategy};
use parcae::report::{self, Detail, ReplayCommand};

use crate::scenarios::{self, Noise};

async fn lost_update() {
    scenarios::lost_update(Noise::default()).await;
}

/// Fails in about a third of its seeds, in two ways.
async fn dice() {
    let dice: u32 = parcae::choose(1..=6);
    assert!(dice != 3, "a three");
    assert!(dice < 6, "a six");
}

fn sweep(seeds: u64) -> Check {
    Check::new("dice").seeds(seeds).strategy(Strategy::Random).keep_going(true)
}

fn failing(report: &CheckReport) -> Vec<(u64, String)> {
    let failing = report.failing().iter();
    failing.map(|it| (it.seed().get(), it.signature().to_owned())).collect()
}

#[test]
fn all_seeds_that_fail_are_listed_and_the_first_of_each_kind_is_shrunk() {
    let expected: Vec<u64> = (0..300)
        .filter(|seed| {
            let check = Check::new("dice").only_seed(*seed).strategy(Strategy::Random);
            !check.run(dice).is_ok()
        })
        .collect();
    for jobs in [1, 2, 7] {
        let control = Control::new();
        let report = sweep(300).jobs(jobs).control(control.clone()).run(dice);
        assert_eq!((report.seeds_run(), report.stop()), (300, None));
        let seeds: Vec<u64> = failing(&report).into_iter().map(|(seed, _)| seed).collect();
        assert_eq!(seeds, expected, "{jobs} jobs");
        let told: Vec<u64> = control.take_failing().iter().map(|it| it.seed().get()).collect();
        assert_eq!(told, expected, "as they are found");
        let firsts: Vec<u64> = ["a three", "a six"]
            .map(|text| {
                let is_first = |(_, signature): &&(u64, String)| signature.ends_with(text);
                failing(&report).iter().find(is_first).unwrap().0
            })
            .to_vec();
        let found: BTreeSet<u64> = report.findings().iter().map(|it| it.seed().get()).collect();
        assert_eq!(found, BTreeSet::from_iter(firsts));
        assert_eq!(report.findings()[0].seed().get(), expected[0]);
        assert!(report.findings().iter().all(|it| it.world().overrides.len() == 1));
    }
    // One that does not keep going ends at the first.
    let report = sweep(300).keep_going(false).run(dice);
    assert_eq!((report.failing().len(), report.findings().len()), (1, 1));
    assert_eq!(report.seeds_run(), expected[0] + 1);
}

#[test]
fn a_report_lists_the_failing_seeds_by_kind_with_a_line_that_replays_each() {
    let report = sweep(40).run(dice);
    let command = ReplayCommand::of_cli("parcae");
    let text = report::text_with(&report, &command, Detail::default().with_times(false), None);
    let count = report.failing().len();
    assert!(
        text.contains(&format!("  failing  {count} failing runs of 2 kinds in 40 seeds:")),
        "{text}"
    );
    assert_eq!(text.matches("parcae replay v1:").count(), 2, "{text}");
    let lines: Vec<&str> = text.lines().collect();
    let of_kind = |end: &str| {
        let at = lines.iter().rposition(|line| line.contains(&format!("{end}  ("))).unwrap();
        lines[at + 1].split_whitespace().map(|seed| seed.parse().unwrap()).collect::<Vec<u64>>()
    };
    let mut listed = [of_kind("a three"), of_kind("a six")].concat();
    listed.sort_unstable();
    assert_eq!(listed, failing(&report).into_iter().map(|(seed, _)| seed).collect::<Vec<_>>());
}

#[test]
fn shards_run_each_seed_once_and_fail_as_the_whole_does() {
    let whole = failing(&sweep(101).run(dice));
    for count in [1, 2, 4, 7, 200] {
        let (mut found, mut seeds_run) = (Vec::new(), 0);
        for number in 1..=count {
            let report = sweep(101).shard(Shard::new(number, count).unwrap()).run(dice);
            assert_eq!(report.seeds_planned(), report.seeds_run());
            seeds_run += report.seeds_run();
            found.extend(failing(&report));
        }
        found.sort();
        assert_eq!((found, seeds_run), (whole.clone(), 101), "{count} shards");
    }
}

#[test]
fn regression_seeds_are_cut_into_shards_too() {
    let seeds = |number| {
        let check = Check::new("seeds").regression_seed(1_000).regression_seed(1_001).seeds(3);
        let check = check.first_seed(5).keep_going(true).determinism(Determinism::Off);
        let report = check.shard(Shard::new(number, 2).unwrap()).run(|| async { panic!("always") });
        failing(&report).into_iter().map(|(seed, _)| seed).collect::<Vec<_>>()
    };
    assert_eq!((seeds(1), seeds(2)), (vec![1_000, 5, 7], vec![1_001, 6]));
}

#[test]
fn what_a_shard_has_not_met_another_may_have() {
    let never = || async { parcae::sometimes!(false, "never in a shard") };
    assert!(!Check::new("unmet").seeds(200).run(never).is_ok());
    let report = Check::new("unmet").seeds(400).shard("1/2".parse().unwrap()).run(never);
    assert!(report.is_ok() && report.unmet().is_empty(), "{report:?}");
}

/// Has six runs that differ, a property that is seen both ways, and a rare branch.
async fn covered() {
    let dice: u32 = parcae::choose(1..=6);
    parcae::sometimes!(dice == 6, "a six is thrown");
    parcae::always!(dice < 7, "no seven");
    if parcae::buggify!() {
        parcae::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

#[test]
fn coverage_counts_what_is_reached_and_is_the_same_for_any_number_of_threads() {
    let report = |jobs| Check::new("covered").seeds(400).jobs(jobs).run(covered);
    let coverage = report(1).coverage();
    assert_eq!(coverage.properties_held, 2);
    assert_eq!(coverage.properties_failed, 1);
    assert_eq!((coverage.branches, coverage.branches_fired), (1, 1));
    assert!(coverage.distinct_runs >= 12, "{coverage}");
    assert!(coverage.distinct_runs < 100, "{coverage}");
    assert!(coverage.seeds_since_new > 0, "{coverage}");
    assert_eq!(report(2).coverage(), coverage);
    assert_eq!(report(5).coverage(), coverage);
    let text = coverage.to_string();
    assert!(text.contains("properties: 2 seen true, 1 seen false"), "{text}");
    assert!(text.contains("rare branches: 1 of 1 fired"), "{text}");
}

#[test]
fn a_check_ends_when_nothing_is_new_at_the_same_seed_for_any_number_of_threads() {
    let report = |jobs| {
        let check = Check::new("covered").seeds(100_000).jobs(jobs).stop_after_nothing_new(60);
        check.run(covered)
    };
    let first = report(1);
    assert_eq!(first.stop(), Some(Stop::NothingNew));
    assert_eq!(first.coverage().seeds_since_new, 60);
    for jobs in [2, 4, 16] {
        let other = report(jobs);
        assert_eq!(other.seeds_run(), first.seeds_run(), "{jobs} jobs");
        assert_eq!(other.coverage(), first.coverage());
        assert_eq!(other.steps(), first.steps());
    }
    // One seed fewer would not have been enough.
    let shorter = Check::new("covered").seeds(first.seeds_run() - 1).stop_after_nothing_new(60);
    assert_eq!(shorter.run(covered).stop(), None);
}

#[test]
fn a_failure_behind_the_seed_that_ends_a_check_is_not_found() {
    let check = |jobs| Check::new("dice").seeds(10_000).jobs(jobs).strategy(Strategy::Random);
    // The same run in every seed, until one fails.
    let program = || async {
        let number: u32 = parcae::choose(0..=1_000);
        assert!(number != 0, "zero");
    };
    let found = check(1).run(program);
    let place = found.seeds_run();
    for jobs in [1, 4, 8] {
        let settled = check(jobs).stop_after_nothing_new(1).run(program);
        let expected = check(1).stop_after_nothing_new(1).run(program);
        assert!(expected.seeds_run() <= place);
        assert_eq!(settled.seeds_run(), expected.seeds_run(), "{jobs} jobs");
        assert_eq!(settled.is_ok(), expected.is_ok());
        assert_eq!(failing(&settled), failing(&expected));
    }
}

#[test]
fn a_settled_check_is_whole_so_what_is_unmet_is_judged() {
    let never = || async { parcae::sometimes!(false, "never at all") };
    let check = || Check::new("unmet").seeds(100_000);
    let report = check().stop_after_nothing_new(150).run(never);
    assert_eq!((report.seeds_run(), report.stop()), (151, Some(Stop::NothingNew)));
    assert!(report.fails_for_unmet());
    let report = check().stop_after_nothing_new(50).run(never);
    assert!(report.is_ok() && report.unmet().len() == 1, "it has too few seeds to fail");
}

#[test]
fn a_sweep_finds_the_seeds_of_an_order_that_is_wrong() {
    let check = || Check::new("orders").seeds(200).strategy(Strategy::Random).keep_going(true);
    let one = check().jobs(1).run(lost_update);
    let two = check().jobs(2).run(lost_update);
    assert!(one.failing().len() > 1);
    assert_eq!(one.failing(), two.failing());
    assert_eq!(one.finding().unwrap().token(), two.finding().unwrap().token());
}
