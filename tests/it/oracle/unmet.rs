//! What a check says of properties that no seed has met.

use std::time::Duration;

use parcae::explore::{Check, CheckReport, Stop, Unmet};

fn never(check: Check) -> CheckReport {
    check.run(|| async {
        let number = parcae::choose(0..10);
        parcae::sometimes!(number == 3, "three");
        parcae::sometimes!(number == 10, "ten");
    })
}

fn unmet(report: &CheckReport) -> Vec<&str> {
    report.unmet().iter().map(|summary| summary.property().message()).collect()
}

#[test]
fn a_condition_that_was_never_true_fails_a_check_of_enough_seeds() {
    let report = never(Check::new("never").seeds(100));
    assert_eq!((unmet(&report), report.is_ok()), (vec!["ten"], false));
    assert!(report.fails_for_unmet() && report.finding().is_none());

    let report = never(Check::new("never").seeds(99));
    assert_eq!((unmet(&report), report.is_ok()), (vec!["ten"], true));
    let report = never(Check::new("never").seeds(99).unmet(Unmet::FailAfter(99)));
    assert_eq!((unmet(&report), report.is_ok()), (vec!["ten"], false));
    let report = never(Check::new("never").seeds(1_000).unmet(Unmet::Report));
    assert_eq!((unmet(&report), report.is_ok()), (vec!["ten"], true));
}

#[test]
fn a_condition_that_was_true_once_is_met() {
    let report = Check::new("once").seeds(300).run(|| async {
        parcae::sometimes!(parcae::choose(0..100) == 42, "the answer");
    });
    assert_eq!((unmet(&report), report.is_ok()), (vec![], true));
    assert!(report.properties()[0].seeds_held() < 20);
}

#[test]
fn a_check_that_was_stopped_or_has_one_seed_is_not_judged() {
    let report = never(Check::new("never").seeds(200).time_limit(Duration::ZERO));
    assert_eq!(report.stop(), Some(Stop::TimeLimit));
    assert_eq!((unmet(&report), report.is_ok()), (vec![], true));
    let report = never(Check::new("never").only_seed(3));
    assert!(report.is_ok());
}

#[test]
fn a_check_in_which_a_seed_failed_says_only_that() {
    let report = Check::new("fails").seeds(200).run(|| async {
        parcae::sometimes!(false, "never");
        assert!(parcae::choose(0..100) < 95, "too large");
    });
    assert!(report.finding().is_some() && !report.is_ok());
    assert_eq!((unmet(&report), report.fails_for_unmet()), (vec![], false));
    assert_eq!(report.properties().len(), 1);
}

#[test]
fn a_test_fails_with_what_is_unmet_in_its_message() {
    let text = |check: Check| {
        let command = parcae::report::ReplayCommand::from_prefix("cargo test");
        let detail = parcae::report::Detail::default().with_times(false);
        parcae::report::text_with(&never(check), &command, detail, None)
    };
    let line = text(Check::new("never").seeds(100));
    assert!(line.starts_with("parcae: never failed: sometimes!(\"ten\") at "), "{line}");
    assert!(line.ends_with(" was evaluated 100 times, and never true in 100 seeds\n"), "{line}");
    let lines = text(Check::new("never").seeds(50));
    let (first, second) = lines.split_once('\n').unwrap();
    assert!(first.starts_with("parcae: never ok: 50 seeds"), "{lines}");
    assert!(second.starts_with("  unmet    sometimes!(\"ten\") at "), "{lines}");

    let panic = std::panic::catch_unwind(|| {
        parcae::check(100, || async { parcae::sometimes!(false, "always false") });
    });
    let message = panic.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("failed: sometimes!(\"always false\")"), "{message}");
    parcae::check(99, || async { parcae::sometimes!(false, "always false, too") });
}
