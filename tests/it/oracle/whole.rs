//! Counts of runs and of checks, and that they change nothing.

use std::sync::Arc;

use parcae::explore::{Check, CheckReport, Strategy};
use parcae::oracle::invariant;
use parcae::task::yield_now;
use parcae::testing::Shared;
use parcae::{Outcome, Sim, spawn};

/// Two tasks that lose an update in some schedules, with or without properties along the way.
async fn program(has_properties: bool) {
    let counter = Arc::new(Shared::new(0));
    if has_properties {
        let seen = counter.clone();
        invariant("the counter is small", move || seen.peek() <= 2);
    }
    let tasks = [0, 1].map(|number| {
        let counter = counter.clone();
        spawn(async move {
            let value = counter.get().await;
            if has_properties {
                parcae::always!(value < 2, "nobody counts twice", number, value);
                parcae::sometimes!(value == 1, "one counts after the other");
                parcae::always_less_than!(value, 2, "the limit is kept");
            }
            yield_now().await;
            counter.set(value + 1).await;
        })
    });
    for task in tasks {
        task.await;
    }
}

fn outcome(seed: u64, strategy: Strategy, has_properties: bool) -> Outcome {
    let sim = Sim::builder().seed(seed).strategy(strategy).build().unwrap();
    sim.run(move || program(has_properties))
}

#[test]
fn properties_that_hold_change_no_chain() {
    for (seed, strategy) in
        (0..200).map(|seed| (seed, Strategy::Random)).chain([(0, Strategy::Fifo)])
    {
        let [with, without] = [true, false].map(|has| outcome(seed, strategy, has));
        assert_eq!(with.properties().len(), 3);
        assert_eq!(without.properties().len(), 0);
        assert_eq!(
            (with.chain(), with.event_count(), with.steps()),
            (without.chain(), without.event_count(), without.steps()),
            "seed {seed}, {strategy}"
        );
    }
}

#[test]
fn what_is_kept_for_reports_changes_no_chain() {
    let chains = [false, true].map(|are_kept| {
        let check = Check::new("kept").seeds(50).property_details(are_kept);
        let report = check.run(|| program(true));
        (report.steps(), counts(&report))
    });
    assert_eq!(chains[0], chains[1]);
}

#[test]
fn a_run_counts_what_holds_and_what_does_not() {
    let outcome = Sim::new(7).run(|| async {
        for number in 0..10 {
            parcae::sometimes!(number % 3 == 0, "a multiple of three");
        }
        if outside() {
            parcae::reachable!("never");
        }
        parcae::reachable!("the end");
    });
    let counts: Vec<_> = outcome
        .properties()
        .iter()
        .map(|count| (count.property().message(), count.held(), count.failed()))
        .collect();
    assert_eq!(counts, [("a multiple of three", 4, 6), ("the end", 1, 0)]);
}

#[inline(never)]
fn outside() -> bool {
    parcae::Backend::current().is_none()
}

#[test]
fn places_with_one_message_are_one_property() {
    let report = Check::new("one").seeds(10).run(|| async {
        let is_heads = parcae::choose(0..2) == 0;
        if is_heads {
            parcae::sometimes!(true, "thrown");
        } else {
            parcae::sometimes!(true, "thrown");
        }
        parcae::sometimes!(false, "thrown");
    });
    let [thrown] = report.properties() else { panic!("{:?}", report.properties()) };
    assert_eq!((thrown.held(), thrown.failed()), (10, 10));
    assert_eq!((thrown.seeds(), thrown.seeds_held(), thrown.seeds_failed()), (10, 10, 10));
    assert!(report.is_ok());
}

/// What a report says of its properties, but for places.
type Counts = Vec<(String, [u64; 5], Option<u64>)>;

fn counts(report: &CheckReport) -> Counts {
    let of = |summary: &parcae::oracle::PropertySummary| {
        let counts = [
            summary.held(),
            summary.failed(),
            summary.seeds(),
            summary.seeds_held(),
            summary.seeds_failed(),
        ];
        let first = summary.first_held().map(|example| example.seed.get());
        (summary.property().message().to_owned(), counts, first)
    };
    report.properties().iter().map(of).collect()
}

#[test]
fn counts_are_the_same_with_any_number_of_threads() {
    let run = |jobs, fails: bool| {
        let report = Check::new("counted").seeds(300).jobs(jobs).run(move || async move {
            let number = parcae::choose(0..1_000);
            parcae::sometimes!(number < 500, "a small number");
            if number < 100 {
                parcae::sometimes!(number % 2 == 0, "a small even number");
            }
            parcae::always!(!fails || number != 7 && number < 990, "nothing is wrong");
        });
        (counts(&report), report.seeds_run(), report.finding().map(parcae::explore::Finding::seed))
    };
    for fails in [false, true] {
        let alone = run(1, fails);
        assert_eq!(alone.2.is_some(), fails);
        for jobs in [2, 3, 8] {
            assert_eq!(run(jobs, fails), alone, "{jobs} threads");
        }
        let of = |message| alone.0.iter().find(|(text, ..)| text == message).unwrap().1;
        let seeds = alone.1;
        let [held, failed, ..] = of("a small number");
        assert_eq!(held + failed, seeds);
        assert_eq!(
            of("nothing is wrong"),
            [seeds - u64::from(fails), fails.into(), seeds, seeds - u64::from(fails), fails.into()]
        );
    }
}

#[test]
fn outside_of_a_runtime_conditions_are_evaluated_and_nothing_else_happens() {
    let mut evaluated = 0;
    parcae::always!(
        {
            evaluated += 1;
            false
        },
        "nobody listens"
    );
    parcae::unreachable!("nobody listens here");
    parcae::sometimes!(false, "nobody counts");
    assert_eq!(evaluated, 1);
}
