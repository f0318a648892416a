//! What the log survives, and what sees that it does not get on.

use std::rc::Rc;
use std::time::Duration;

use parcae::explore::{Check, CheckReport, Shrink};
use parcae::fault::{Budget, ChaosBuilder};
use parcae::time::sleep;

use super::{
    Defect, Observer, VALUES, converge, plan_of_deafness, run, run_with_one_deaf, store_under,
};

/// 10,000 are run by the soak, optimized: `parcae hunt two-leaders --fixed --seeds 10000`.
const SEEDS: u64 = 120;

fn check<F: Future<Output = ()> + 'static>(program: fn() -> F) -> CheckReport {
    check_seeds(SEEDS, program)
}

fn check_seeds<F: Future<Output = ()> + 'static>(seeds: u64, program: fn() -> F) -> CheckReport {
    let mut shrink = Shrink::default();
    shrink.runs = 0;
    Check::new("quorum log").seeds(seeds).shrink(shrink).run(program)
}

fn failure(report: &CheckReport) -> String {
    report.finding().map(|finding| finding.failure().to_string()).unwrap_or_default()
}

#[test]
fn within_the_budget_nothing_is_lost_and_it_gets_on() {
    assert_eq!(failure(&check(|| run(Defect::Nothing))), "");
}

#[test]
fn with_the_budget_off_it_fails() {
    let report = check(|| async {
        let observer = Rc::new(Observer::default());
        let configure = |chaos: ChaosBuilder| chaos.budget(Budget::unlimited());
        let chaos = store_under(Defect::Nothing, configure, &observer).await;
        converge(&chaos.liveness(), &observer, Duration::from_secs(60)).await;
    });
    assert!(report.finding().is_some());
}

#[test]
fn a_log_that_does_not_get_on_is_seen_by_the_second_phase() {
    let failure = failure(&check_seeds(1_000, || run_with_one_deaf(Defect::DeafLeader)));
    assert!(failure.contains("no progress within 20s after the faults"), "{failure}");
    assert!(failure.contains("of 10 values are stored"), "{failure}");
    assert!(failure.contains("outside of that, and left as it was: log-"), "{failure}");
}

/// Stores values with a leader that may be deaf, as the scenario does; gives what was seen when a minute has gone
/// after the faults.
async fn see_a_minute_later(are_healed: bool) -> Rc<Observer> {
    let observer = Rc::new(Observer::default());
    let plan = plan_of_deafness();
    let chaos = store_under(Defect::DeafLeader, |chaos| chaos.plan(plan), &observer).await;
    if are_healed {
        chaos.end();
    } else {
        chaos.liveness();
    }
    sleep(Duration::from_secs(60)).await;
    observer
}

#[test]
fn a_log_that_does_not_get_on_is_seen_by_no_check_of_what_it_has_done() {
    let report = check(|| async { see_a_minute_later(false).await.check() });
    assert_eq!(failure(&report), "");
}

#[test]
fn a_log_that_does_not_get_on_is_hidden_by_faults_that_heal() {
    let report = check(|| async {
        let observer = see_a_minute_later(true).await;
        assert_eq!(observer.acknowledged.borrow().len() as u64, VALUES, "it does not get on");
        observer.check();
    });
    assert_eq!(failure(&report), "");
}
