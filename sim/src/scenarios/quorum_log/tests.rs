//! What the log survives, and what sees that it does not get on.

use std::rc::Rc;
use std::time::Duration;

use parcae::explore::{Check, CheckReport, Shrink};
use parcae::fault::Budget;
use parcae::time::sleep;

use super::{Defect, Observer, VALUES, converge, run, store_under_chaos};

/// Enough for a fault that one seed in a hundred shows; 10,000 take a minute: `parcae hunt two-leaders --fixed --seeds 10000`.
const SEEDS: u64 = 500;

fn check<F: Future<Output = ()> + 'static>(program: fn() -> F) -> CheckReport {
    let shrink = Shrink { runs: 0, ..Shrink::default() };
    Check::new("quorum log").seeds(SEEDS).shrink(shrink).run(program)
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
        let chaos = store_under_chaos(Defect::Nothing, Budget::unlimited(), &observer).await;
        converge(&chaos.liveness(), &observer).await;
    });
    assert!(report.finding().is_some());
}

#[test]
fn a_log_that_does_not_get_on_is_seen_by_the_second_phase() {
    let failure = failure(&check(|| run(Defect::DeafLeader)));
    assert!(failure.contains("no progress within 60s after the faults"), "{failure}");
    assert!(failure.contains("of 10 values are stored"), "{failure}");
    assert!(failure.contains("outside of that, and left as it was: log-"), "{failure}");
}

#[test]
fn a_log_that_does_not_get_on_is_seen_by_no_check_of_what_it_has_done() {
    let report = check(|| async {
        let observer = Rc::new(Observer::default());
        let recovering = observer.clone();
        let budget = Budget::max_dead(1).absent_while(move |name| recovering.is_recovering(name));
        let chaos = store_under_chaos(Defect::DeafLeader, budget, &observer).await;
        let _core = chaos.liveness();
        sleep(Duration::from_secs(60)).await;
        observer.check();
    });
    assert_eq!(failure(&report), "");
}

#[test]
fn a_log_that_does_not_get_on_is_hidden_by_faults_that_heal() {
    let report = check(|| async {
        let observer = Rc::new(Observer::default());
        let recovering = observer.clone();
        let budget = Budget::max_dead(1).absent_while(move |name| recovering.is_recovering(name));
        drop(store_under_chaos(Defect::DeafLeader, budget, &observer).await);
        sleep(Duration::from_secs(60)).await;
        assert_eq!(observer.acknowledged.borrow().len() as u64, VALUES, "it does not get on");
        observer.check();
    });
    assert_eq!(failure(&report), "");
}
