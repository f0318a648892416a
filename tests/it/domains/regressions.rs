//! What once went wrong with domains.

use std::future::pending;
use std::time::Duration;

use parcae::Failure;
use parcae::executor::DomainId;
use parcae::task::settle;
use parcae::time::sleep;

use super::{sleeper, spawn_in};
use crate::runs::{Journal, SEEDS, fifo, millis, panicked, random, secs};

#[test]
fn regression_a_pause_does_not_shorten_a_busy_time() {
    // The busy time counts on while the domain is paused, and what is left of it stays.
    for (paused, ended) in [(millis(400), secs(2)), (secs(5), secs(6))] {
        for outcome in random(SEEDS, move || async move {
            let (domain, journal) = (DomainId::create("node", 0), Journal::new());
            let task = sleeper(domain, &journal, millis(10));
            settle().await;
            domain.busy_for(secs(2));
            sleep(secs(1)).await;
            domain.pause();
            sleep(paused).await;
            domain.resume();
            task.await;
            journal.take()
        }) {
            assert_eq!(outcome.unwrap(), [ended]);
        }
    }
}

#[test]
fn regression_a_killed_busy_domain_does_not_move_time() {
    for outcome in random(SEEDS, || async {
        let domain = DomainId::create("node", 0);
        domain.busy_for(secs(100));
        domain.kill();
        pending::<()>().await;
    }) {
        assert_eq!(outcome.elapsed(), Duration::ZERO);
        assert!(matches!(outcome.failure(), Some(Failure::Deadlock { .. })));
    }
}

#[test]
fn regression_a_timer_set_after_a_task_paused_its_own_domain_does_not_move_time() {
    for outcome in random(SEEDS, || async {
        let domain = DomainId::create("node", 0);
        spawn_in(domain, async move {
            domain.pause();
            sleep(secs(1)).await;
        })
        .await;
    }) {
        assert_eq!(outcome.elapsed(), Duration::ZERO);
        assert!(matches!(outcome.failure(), Some(Failure::Deadlock { .. })));
    }
}

#[test]
fn a_domain_is_not_named_like_another_nor_its_tasks_like_those_of_the_test() {
    let outcome = parcae::Sim::builder().log(true).build().unwrap().run(|| async {
        let main = DomainId::create("main", 0);
        let inhabitant = spawn_in(main, async {});
        let child = parcae::spawn_named("inhabitant", async {});
        inhabitant.await;
        child.await;
    });
    let log = outcome.log().unwrap();
    assert_eq!(log.tasks.len(), 3, "three tasks, three streams");
    let outcome = fifo(|| async {
        let _ = (DomainId::create("node", 3), DomainId::create("node", 3));
    });
    panicked(&outcome, "a domain \"node\" with incarnation 3 already");
}
