//! Checks over many seeds, and shrinking.

mod exhaustive;
mod explaining;
mod regressions;
mod shrinking;
mod strategies;

use std::time::Duration;

use parcae::Failure;
use parcae::explore::{
    Check, CheckError, CheckReport, ConfigError, Control, Finding, Isolation, Shrink, Stop,
    Strategy,
};

use crate::scenarios::{self, Noise};

fn lost_update(check: Check) -> CheckReport {
    check.run(|| scenarios::lost_update(Noise::default()))
}

fn finding(report: &CheckReport) -> &Finding {
    report.finding().expect("a failure is found")
}

/// What must not depend on the machine.
fn facts(report: &CheckReport) -> String {
    let found = report.finding().map(|finding| {
        let shrink = finding.shrink().map(|shrink| (shrink.size, shrink.runs, shrink.is_minimal));
        let token = finding.token().map(ToString::to_string);
        (finding.seed(), finding.failure().to_string(), finding.found(), shrink, token)
    });
    format!("{} {} {found:?}", report.seeds_run(), report.steps())
}

#[test]
fn a_lost_update_is_found_and_shrunk_to_one_switch() {
    let report = lost_update(Check::new("lost update").seeds(1000));
    let finding = finding(&report);
    assert!(
        matches!(finding.failure(), Failure::Panic { message, .. } if message.contains("lost"))
    );
    let shrink = finding.shrink().unwrap();
    assert_eq!((shrink.size.choices, shrink.size.switches), (1, 1));
    assert!(shrink.is_minimal && !shrink.is_cut);
    assert_eq!(finding.world().overrides.len(), 1);
}

#[test]
fn a_deadlock_keeps_its_signature_while_it_is_shrunk() {
    let report = Check::new("inversion").seeds(1000).run(scenarios::lock_inversion);
    let finding = finding(&report);
    let Failure::Deadlock { tasks, .. } = finding.failure() else {
        panic!("{}", finding.failure())
    };
    let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
    assert_eq!(names, ["main", "transfer", "transfer#1"]);
    let locks: Vec<&str> =
        tasks[1..].iter().filter_map(|task| task.wait.as_ref()?.name.as_deref()).collect();
    assert_eq!(locks, ["right", "left"]);
    assert_eq!(finding.shrink().unwrap().size.choices, 1);
}

#[test]
fn one_deviation_takes_the_place_of_two() {
    // Leaving out single switches ends at 4 in two of three seeds.
    for first in [0, 10_000, 20_000] {
        let check = Check::new("philosophers").first_seed(first).seeds(1000);
        let report = check.run(scenarios::philosophers);
        let shrink = finding(&report).shrink().unwrap();
        assert!(shrink.size.switches <= 3 && shrink.is_minimal, "{shrink:?}");
    }
}

#[test]
fn drawn_numbers_are_lowered_to_the_edge() {
    let report = Check::new("numbers").seeds(1000).run(scenarios::needs_numbers);
    let finding = finding(&report);
    let mut values: Vec<u64> = finding.world().overrides.values().copied().collect();
    values.sort_unstable();
    // 7 + 13 = 20, or one number that is enough alone: nothing less fails.
    let is_least = values == [7, 13] || values == [20];
    assert!(is_least, "{values:?}");
    assert!(finding.found().choices > 5, "the noise was drawn too: {:?}", finding.found());
}

#[test]
fn the_fixed_program_passes() {
    let report = Check::new("fixed").seeds(2000).run(scenarios::lost_update_fixed);
    assert!(report.finding().is_none());
    assert_eq!((report.seeds_run(), report.stop()), (2000, None));
}

#[test]
fn the_report_is_the_same_for_one_thread_and_for_many() {
    let programs: [fn(Check) -> CheckReport; 3] = [
        lost_update,
        |check| check.run(scenarios::lock_inversion),
        |check| check.run(scenarios::needs_numbers),
    ];
    for program in programs {
        for first in [0, 1_000, 2_000] {
            let check = || Check::new("same").first_seed(first).seeds(500);
            let one = facts(&program(check().jobs(1)));
            assert_eq!(one, facts(&program(check().jobs(4))));
            assert_eq!(one, facts(&program(check().jobs(3).isolation(Isolation::Reuse))));
        }
    }
}

#[test]
fn regression_seeds_run_first() {
    let failing = finding(&lost_update(Check::new("first").seeds(1000))).seed();
    let report =
        lost_update(Check::new("first").first_seed(500_000).regression_seed(failing).seeds(10));
    assert_eq!((finding(&report).seed(), report.seeds_run()), (failing, 1));
}

#[test]
fn shrinking_can_be_switched_off() {
    let mut shrink = Shrink::default();
    shrink.runs = 0;
    let report = lost_update(Check::new("as found").seeds(1000).shrink(shrink));
    let finding = finding(&report);
    assert!(finding.shrink().is_none());
    assert!(finding.world().overrides.is_empty(), "the seed alone is the world");
}

#[test]
fn a_budget_that_is_used_up_is_said() {
    let mut shrink = Shrink::default();
    shrink.runs = 3;
    let report = Check::new("poor").seeds(1000).shrink(shrink).run(scenarios::needs_numbers);
    let summary = finding(&report).shrink().unwrap();
    assert!(!summary.is_minimal && !summary.is_cut);
    assert!(summary.runs <= 3);
}

#[test]
fn a_time_limit_ends_a_check_and_is_said() {
    let report = Check::new("late")
        .seeds(u64::MAX)
        .time_limit(Duration::from_millis(50))
        .run(scenarios::lost_update_fixed);
    assert_eq!(report.stop(), Some(Stop::TimeLimit));
    assert!(report.seeds_run() >= 1 && report.finding().is_none());
}

#[test]
fn a_stopped_check_reports_what_it_did() {
    let control = Control::new();
    control.stop();
    let report = Check::new("stopped").control(control).run(scenarios::lost_update_fixed);
    assert_eq!(report.stop(), Some(Stop::Interrupted));
    assert_eq!(report.seeds_run(), 1, "the first seed is always run");
}

#[test]
fn a_program_that_spins_costs_one_seed_its_limit() {
    async fn spin() {
        loop {
            parcae::task::yield_now().await;
        }
    }
    let report = Check::new("spin").seeds(3).max_steps(10_000).run(spin);
    assert!(matches!(finding(&report).failure(), Failure::StepLimit { steps: 10_000, .. }));
}

#[test]
fn an_error_of_the_program_is_a_failure() {
    let report = Check::new("error").seeds(3).run(|| async { Err::<(), _>("no luck") });
    let failure = finding(&report).failure();
    assert_eq!(failure.to_string(), "error from `main`: \"no luck\"");
}

#[test]
fn options_that_cannot_be_are_refused() {
    let check = |check: Check, error| {
        assert_eq!(check.try_run(|| async {}).unwrap_err(), CheckError::Config(error));
    };
    check(Check::new("none").seeds(0), ConfigError::NoSeeds);
    check(Check::new("none").jobs(0), ConfigError::NoJobs);
    check(Check::new("none").max_steps(0), ConfigError::ZeroLimit { limit: "steps" });
}

#[test]
fn a_panicking_program_does_not_end_the_other_seeds() {
    // Half of the seeds panic; the lowest of them is the one reported, whatever ran beside it.
    let program = || async {
        assert!(parcae::choose(0..10) < 9, "nine");
    };
    let one = facts(&Check::new("some").seeds(100).jobs(1).run(program));
    let four = facts(&Check::new("some").seeds(100).jobs(4).run(program));
    assert_eq!(one, four);
}

#[test]
fn strategies_have_names_and_unknown_ones_are_refused() {
    for strategy in Strategy::ALL {
        assert_eq!(strategy.name().parse(), Ok(strategy));
    }
    let error = "randon".parse::<Strategy>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"randon\" is not a strategy: expected one of `random`, `fifo`, `portfolio`, `pct`, `pct-mix`, \
         `pos`, `urw`, `surw`, `delay`"
    );
}
