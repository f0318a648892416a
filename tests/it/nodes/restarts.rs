//! Programs that are started again.

use std::time::Duration;

use parcae::explore::Check;
use parcae::kernel::Fill;
use parcae::time::{Instant, sleep};
use parcae::world::{self, Exit, Node, NodeStatus, RestartPolicy};
use parcae::{Sim, spawn};

use super::ticker;
use crate::runs::{Journal, SEEDS, fifo, millis, on_every_seed, random, secs};

/// Journals when each of its processes starts, and ends as that is told to.
fn phoenix(
    policy: RestartPolicy,
    ends: impl Fn(u32) -> Option<Result<(), &'static str>> + Clone + 'static,
) -> (Node, Journal<Duration>) {
    let (journal, start) = (Journal::new(), Instant::now());
    let node = world::node("db").restart(policy).start({
        let journal = journal.clone();
        move || {
            let (journal, ends) = (journal.clone(), ends.clone());
            async move {
                journal.add(start.elapsed());
                match ends(Node::current().incarnation()) {
                    Some(end) => end,
                    None => std::future::pending().await,
                }
            }
        }
    });
    (node, journal)
}

#[test]
fn a_program_is_made_again_at_each_start() {
    for found in on_every_seed(|| async {
        let journal = Journal::new();
        let node = world::node("db").start(ticker(&journal));
        sleep(millis(1500)).await;
        node.restart();
        sleep(millis(1500)).await;
        node.power_off();
        sleep(secs(9)).await;
        node.power_on();
        // It runs: nothing happens.
        node.power_on();
        sleep(millis(500)).await;
        journal.take()
    }) {
        assert_eq!(found, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]);
    }
}

#[test]
fn a_failure_is_followed_by_a_restart_and_a_good_end_is_not() {
    for found in on_every_seed(|| async {
        let ends = |incarnation| Some(if incarnation < 2 { Err("disk full") } else { Ok(()) });
        let (node, journal) = phoenix(RestartPolicy::on_failure(), ends);
        sleep(secs(60)).await;
        (journal.take(), node.incarnation(), node.state())
    }) {
        assert_eq!(found, (vec![secs(0), millis(100), millis(200)], 2, NodeStatus::Down));
    }
}

#[test]
fn what_is_killed_is_restarted_and_what_lost_its_power_or_was_stopped_is_not() {
    for found in on_every_seed(|| async {
        let (node, journal) = phoenix(RestartPolicy::always(), |_| None);
        sleep(secs(1)).await;
        node.kill();
        sleep(secs(1)).await;
        node.power_off();
        sleep(secs(1)).await;
        node.power_on();
        sleep(secs(1)).await;
        assert_eq!(node.stop().await, Exit::Killed);
        sleep(secs(60)).await;
        (journal.take(), node.state())
    }) {
        assert_eq!(found, (vec![secs(0), millis(1100), secs(3)], NodeStatus::Down));
    }
}

#[test]
fn a_restart_that_is_planned_is_called_off_by_any_verb_that_does_it_or_forbids_it() {
    for found in on_every_seed(|| async {
        let policy = RestartPolicy::always().delay(secs(5)..=secs(5));
        let (node, journal) = phoenix(policy, |_| None);
        node.kill();
        sleep(secs(1)).await;
        node.restart();
        sleep(secs(20)).await;
        node.kill();
        sleep(secs(1)).await;
        drop(node.stop());
        sleep(secs(20)).await;
        node.power_on();
        sleep(secs(1)).await;
        node.kill();
        node.power_off();
        sleep(secs(20)).await;
        (journal.take(), node.state())
    }) {
        // The first process was killed before it had begun.
        assert_eq!(found, (vec![secs(1), secs(42)], NodeStatus::Off));
    }
}

#[test]
fn a_restart_that_a_verb_has_done_does_not_come_again_for_the_next_death() {
    for found in on_every_seed(|| async {
        let policy = RestartPolicy::always().delay(secs(5)..=secs(5));
        let (node, journal) = phoenix(policy, |_| None);
        sleep(secs(1)).await;
        node.kill();
        node.power_on();
        sleep(secs(3)).await;
        // At 4 s; what was planned at 1 s would come at 6 s.
        node.kill();
        sleep(secs(20)).await;
        journal.take()
    }) {
        assert_eq!(found, [secs(0), secs(1), secs(9)]);
    }
}

#[test]
fn the_last_failure_that_a_policy_answers_fails_the_run_after_so_many_restarts() {
    for outcome in random(SEEDS, || async {
        let (_, journal) = phoenix(RestartPolicy::on_failure().most(2), |_| Some(Err("disk full")));
        let counted = journal.clone();
        spawn(async move {
            sleep(secs(60)).await;
            panic!("{} starts and no failure", counted.count());
        })
        .await;
    }) {
        let failure = outcome.into_result().unwrap_err().to_string();
        assert!(failure.contains("`db/main`") && failure.contains("disk full"), "{failure}");
    }
}

#[test]
fn a_restart_by_hand_is_none_of_those_that_a_policy_counts() {
    for found in on_every_seed(|| async {
        let policy = RestartPolicy::always().delay(secs(1)..=secs(1)).most(2);
        let (node, journal) = phoenix(policy, |_| None);
        for _ in 0..5 {
            sleep(secs(1)).await;
            node.restart();
        }
        for _ in 0..3 {
            sleep(secs(5)).await;
            node.kill();
        }
        sleep(secs(60)).await;
        (journal.take(), node.state())
    }) {
        let starts = [0, 1, 2, 3, 4, 5, 11, 16].map(secs).to_vec();
        assert_eq!(found, (starts, NodeStatus::Down));
    }
}

#[test]
fn a_restart_by_hand_draws_no_delay() {
    let outcome = Sim::builder().log(true).build().unwrap().run(|| async {
        let policy = RestartPolicy::always().delay(secs(1)..=secs(2));
        let (node, _) = phoenix(policy, |_| None);
        sleep(secs(1)).await;
        node.restart();
        sleep(secs(1)).await;
    });
    let drawn = outcome.log().unwrap().draws.iter().filter(|draw| draw.site == "restart delay");
    assert_eq!(drawn.count(), 0);
}

#[test]
fn delays_are_drawn_in_their_range_and_are_the_least_in_the_default_world() {
    let program = || async {
        let policy = RestartPolicy::always().delay(secs(1)..=secs(2)).most(3);
        let (_, journal) = phoenix(policy, |_| Some(Ok(())));
        sleep(secs(60)).await;
        journal.take()
    };
    let mut delays = Vec::new();
    for outcome in random(SEEDS, program) {
        let starts = outcome.unwrap();
        delays.extend(starts.windows(2).map(|pair| pair[1] - pair[0]));
    }
    assert_eq!(delays.len(), 3 * 200);
    assert!(delays.iter().all(|delay| (secs(1)..=secs(2)).contains(delay)));
    delays.sort();
    delays.dedup();
    assert!(delays.len() > 590, "{} different ones", delays.len());
    let sim = Sim::builder().overrides(Fill::Default, Default::default());
    let starts = sim.build().unwrap().run(program).unwrap();
    assert_eq!(starts, [secs(0), secs(1), secs(2), secs(3)]);
}

#[test]
fn a_delay_that_matters_is_told_in_words() {
    let report = Check::new("restarts").seeds(200).run(|| async {
        let policy = RestartPolicy::always().delay(secs(1)..=secs(5)).most(1);
        let (_, journal) = phoenix(policy, |_| Some(Ok(())));
        sleep(secs(60)).await;
        assert!(journal.take()[1] < secs(3), "too late");
    });
    let shrunk = report.finding().expect("half of the seeds");
    let text = format!("{}", shrunk.failure());
    assert!(text.contains("too late"), "{text}");
    let world = shrunk.world();
    assert_eq!(world.overrides.values().copied().collect::<Vec<_>>(), [3_000_000_000]);
    let outcome = Sim::builder().log(true).overrides(Fill::Default, world.overrides.clone());
    let outcome = outcome.build().unwrap().run(|| async {
        let policy = RestartPolicy::always().delay(secs(1)..=secs(5)).most(1);
        phoenix(policy, |_| Some(Ok(())));
        sleep(secs(60)).await;
    });
    let log = outcome.log().unwrap();
    let (key, value) = world.overrides.first_key_value().unwrap();
    assert_eq!(log.describe_override(*key, *value), "db: restart 0 comes after 3s");
    let told: Vec<String> = log.entries.iter().map(|entry| log.describe(entry)).collect();
    for line in ["at 0.000 s: `db` starts, incarnation 0", "at 3.000 s: `db` starts, incarnation 1"]
    {
        assert!(told.iter().any(|found| found == line), "{told:#?}");
    }
}

#[test]
fn what_an_incarnation_draws_is_its_own() {
    let drawn = fifo(|| async {
        let journal = Journal::new();
        let node = world::node("db").start({
            let journal = journal.clone();
            move || {
                let journal = journal.clone();
                async move { journal.add(parcae::choose(0..1_000_000_u64)) }
            }
        });
        node.exited().await;
        node.restart();
        node.exited().await;
        journal.take()
    })
    .unwrap();
    assert_ne!(drawn[0], drawn[1]);
}
