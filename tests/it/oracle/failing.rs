//! Properties that are violated.

use std::fmt;

use parcae::explore::{Check, ReplayMode, ReplayVerdict};
use parcae::task::yield_now;
use parcae::{Failure, Sim};

fn violation(failure: Failure) -> (String, parcae::kernel::Violation) {
    match failure {
        Failure::Property { task, violation } => (task, *violation),
        other => panic!("{other}"),
    }
}

#[test]
fn a_violated_property_says_rule_message_place_task_and_details() {
    let line = line!() + 4;
    let outcome = Sim::new(7).run(|| async {
        let task = parcae::spawn_named("holder", async {
            let (holders, name) = (2, "lease");
            parcae::always!(holders < 2, "one holder", holders, name = %name, sum = holders + 1);
        });
        task.await;
    });
    let (task, violation) = violation(outcome.into_result().unwrap_err());
    assert_eq!(task, "holder");
    assert_eq!((violation.rule, violation.message.as_str()), ("always!", "one holder"));
    let place = violation.place.unwrap();
    assert_eq!((place.file.ends_with("failing.rs"), place.line), (true, line));
    let details = [("holders", "2"), ("name", "lease"), ("sum", "3")];
    assert_eq!(violation.details, details.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn every_kind_that_forbids_something_fails_the_run() {
    let rule = |choice: u32| {
        let outcome = Sim::new(7).run(move || async move {
            match choice {
                0 => parcae::always!(false, "a"),
                1 => parcae::always_or_unreached!(false, "b"),
                2 => parcae::unreachable!("c"),
                3 => parcae::sometimes!(false, "d"),
                _ => parcae::reachable!("e"),
            }
        });
        outcome.into_result().err().map(|failure| violation(failure).1.rule)
    };
    let rules = [0, 1, 2, 3, 4].map(rule);
    let forbidding = ["always!", "always_or_unreached!", "unreachable!"].map(Some);
    assert_eq!(rules, [forbidding[0], forbidding[1], forbidding[2], None, None]);
}

/// Must not be formatted.
struct Loud;

impl fmt::Debug for Loud {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("a detail was formatted that nobody asked for")
    }
}

#[test]
fn details_are_formatted_only_for_who_asks() {
    Sim::new(7)
        .run(|| async {
            parcae::always!(true, "it holds", loud = Loud);
            parcae::sometimes!(true, "it holds, too", loud = Loud);
            parcae::sometimes!(false, "it does not", loud = Loud);
        })
        .unwrap();
    parcae::always!(false, "outside", loud = Loud);
}

#[test]
fn the_run_ends_at_the_next_await_and_the_first_violation_is_the_failure() {
    for seed in 0..20 {
        let outcome = Sim::new(seed).run(|| async {
            parcae::always!(false, "the first");
            parcae::always!(false, "the second");
            yield_now().await;
            panic!("it went on");
        });
        let (_, violation) = violation(outcome.into_result().unwrap_err());
        assert_eq!(violation.message, "the first");
    }
}

/// Violates one of two properties, depending on a number.
async fn two_ways() {
    let number = parcae::choose(0..100);
    parcae::always!(number < 60, "the limit of 1 is kept", number);
    parcae::always!(!(20..=40).contains(&number), "the limit of 2 is kept", number);
}

#[test]
fn shrinking_keeps_the_property_that_was_violated() {
    let mut found = [0; 2];
    for seed in 0..40 {
        let report = Check::new("two ways").only_seed(seed).run(two_ways);
        let Some(finding) = report.finding() else { continue };
        let (_, violation) = violation(finding.failure().clone());
        let original = Sim::new(seed).run(two_ways).into_result().unwrap_err();
        assert_eq!(violation.message, self::violation(original).1.message, "seed {seed}");
        let (index, least) = match violation.message.as_str() {
            "the limit of 1 is kept" => (0, "60"),
            _ => (1, "20"),
        };
        found[index] += 1;
        assert_eq!(violation.details, [("number", least.to_owned())]);
    }
    assert!(found[0] > 3 && found[1] > 3, "{found:?}");
}

#[test]
fn a_violation_replays_by_its_token() {
    let report = Check::new("two ways").run(two_ways);
    let token = report.finding().unwrap().token().unwrap().clone();
    let replay = Check::new("two ways").replay(&token, ReplayMode::Strict, two_ways).unwrap();
    assert_eq!(replay.verdict, ReplayVerdict::Reproduced);
    let other = Check::new("two ways").replay(&token, ReplayMode::Lenient, || async {
        let number = parcae::choose(0..100);
        parcae::always!(number < 20, "another property", number);
    });
    assert_eq!(other.unwrap().verdict, ReplayVerdict::Diverged);
}
