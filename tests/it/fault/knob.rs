//! Limits and times that each run sets anew.

use std::collections::BTreeMap;
use std::time::Duration;

use parcae::explore::Check;
use parcae::kernel::Space;
use parcae::{Sim, knob, spawn};

const RUNS: u64 = 4_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mode {
    Fast,
    Safe,
    Slow,
}

fn values<T: Ord + 'static>(ask: fn() -> T) -> BTreeMap<T, usize> {
    let mut values = BTreeMap::new();
    for seed in 0..RUNS {
        let value = Sim::new(seed).run(move || async move { ask() }).unwrap();
        *values.entry(value).or_default() += 1;
    }
    values
}

fn share(count: usize) -> f64 {
    count as f64 / RUNS as f64
}

#[test]
fn a_range_has_its_usual_value_its_ends_and_any_other() {
    let seen = values(|| knob!("size", 64, 1..=4096));
    // In 20 % of the runs nothing is set, and in half of the others it is the usual value.
    assert!((0.57..0.63).contains(&share(seen[&64])), "{}", share(seen[&64]));
    for end in [1, 4096] {
        assert!((0.08..0.12).contains(&share(seen[&end])), "{}", share(seen[&end]));
    }
    let rest: Vec<i32> = seen.keys().copied().filter(|it| ![1, 64, 4096].contains(it)).collect();
    assert!(rest.len() > 600 && rest.iter().any(|it| *it > 3_900) && rest[0] < 200);
}

#[test]
fn a_list_has_its_first_value_most_often() {
    let seen = values(|| knob!("mode", Mode::Fast, [Mode::Safe, Mode::Slow]));
    assert!(share(seen[&Mode::Fast]) > 0.6);
    assert!(share(seen[&Mode::Safe]) > 0.05 && share(seen[&Mode::Slow]) > 0.1, "{seen:?}");
}

#[test]
fn ranges_are_of_signed_numbers_and_durations_too() {
    let signed = values(|| knob!("offset", -3, -10..=i8::MAX));
    assert!(signed.contains_key(&-10) && signed.contains_key(&127) && signed[&-3] > 2_000);
    let whole = values(|| knob!("all", i64::MAX, i64::MIN..=i64::MAX));
    assert!(whole.contains_key(&i64::MIN) && whole[&i64::MAX] > 2_000);
    let (low, high) = (Duration::from_millis(1), Duration::from_secs(60));
    let times = values(|| {
        knob!(
            "time-out",
            Duration::from_secs(1),
            Duration::from_millis(1)..=Duration::from_secs(60)
        )
    });
    assert!(times.contains_key(&low) && times.contains_key(&high));
    assert!(times.keys().all(|time| (low..=high).contains(time)));
}

#[test]
fn it_is_the_same_in_the_whole_run_and_wherever_it_is_asked_for() {
    for seed in 0..200 {
        Sim::new(seed)
            .run(|| async {
                let ask = || knob!("same", 5, 0..=1_000_000_u32);
                let first = ask();
                let task = spawn(async move { ask() });
                let other = knob!("same", 5, 0..=1_000_000_u32);
                assert_eq!((task.await, other, ask()), (first, first, first));
            })
            .unwrap();
    }
}

#[test]
fn a_failure_shrinks_to_the_value_nearest_to_the_usual_one() {
    let report = Check::new("small").seeds(300).run(|| async {
        let size = knob!("buffer", 64, 1..=4096);
        let _ = knob!("unused mode", Mode::Fast, [Mode::Safe, Mode::Slow]);
        assert!(size > 20, "{size} is too small");
    });
    let finding = report.finding().unwrap();
    let shown: Vec<String> = finding.knobs().iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["`buffer` is 20 (usually 64)", "`unused mode` is Fast"]);
    assert_eq!(finding.world().overrides.len(), 1);
}

#[test]
fn switched_off_it_has_its_usual_value_and_draws_nothing() {
    for seed in 0..100 {
        let run = |asks: bool| {
            let sim = Sim::builder().seed(seed).buggify(false).build().unwrap();
            sim.run(move || async move { if asks { knob!("off", 7, 0..=100) } else { 7 } })
        };
        let [with, without] = [true, false].map(run);
        assert_eq!((with.chain(), with.unwrap()), (without.chain(), 7));
    }
    assert_eq!(knob!("outside", 7, 0..=100), 7);
    assert_eq!(knob!("outside mode", Mode::Safe, [Mode::Slow]), Mode::Safe);
}

#[test]
#[should_panic(expected = "the usual value of the knob `wrong` is 7, outside of 10..=20")]
fn a_usual_value_outside_of_the_range_is_refused_everywhere() {
    let _ = knob!("wrong", 7, 10..=20);
}

#[test]
fn a_space_with_a_usual_value_holds_its_range() {
    let space = Space::Knob { low: 3, high: 9, default: 5 };
    assert_eq!(space.default_value(), 5);
    assert!(space.contains(3) && space.contains(9) && !space.contains(2) && !space.contains(10));
    assert_eq!((space.distance(3), space.distance(9), space.show(4).as_str()), (2, 4, "4"));
}
