//! Equal seeds give equal runs, other seeds give other runs.

use std::collections::BTreeSet;
use std::future::pending;

use parcae::executor::DomainId;
use parcae::explore::Strategy;
use parcae::kernel::{Fill, Key, Overrides, Site, StreamId};
use parcae::task::{Builder, settle, yield_now};
use parcae::time::{Instant, call_after, interval, sleep, timeout};
use parcae::{Outcome, Sim, choose, spawn, spawn_named};

use crate::runs::{Journal, SEEDS, discard, fifo, millis, nanos, secs};

/// A program that does a little of everything that a seed can change.
pub(crate) async fn mixed_program() -> Vec<(u64, u64)> {
    let (start, journal) = (Instant::now(), Journal::new());
    let node = DomainId::create("node", 0);
    let tasks: Vec<_> = (0..6_u64)
        .map(|number| {
            let journal = journal.clone();
            let builder =
                if number.is_multiple_of(3) { Builder::new().domain(node) } else { Builder::new() };
            builder.name("worker").spawn(async move {
                for step in 0..choose(1..=4) {
                    sleep(nanos(parcae::rng::choose_for("pause", step, 0..=3))).await;
                    yield_now().await;
                    let elapsed = Instant::now().duration_since(start);
                    journal.add((number, u64::try_from(elapsed.as_nanos()).unwrap()));
                }
                parcae::rng().next_u64()
            })
        })
        .collect();
    let victim = spawn(async {
        let mut ticks = interval(millis(1));
        loop {
            ticks.tick().await;
        }
    });
    discard(timeout(millis(3), pending::<()>()).await);
    victim.cancel().await;
    node.busy_for(millis(2));
    node.set_clock_rate(100);
    call_after(millis(1), move || node.step_wall_clock(7));
    let failing = spawn_named("failing", async { panic!("seen") });
    assert!(failing.join().await.is_err());
    for task in tasks {
        journal.add((u64::MAX, task.await));
    }
    node.pause();
    settle().await;
    node.resume();
    node.kill();
    sleep(secs(1)).await;
    journal.take()
}

fn run(seed: u64, strategy: Strategy, is_logged: bool) -> Outcome<Vec<(u64, u64)>> {
    let sim = Sim::builder().seed(seed).strategy(strategy).log(is_logged).build().unwrap();
    sim.run(mixed_program)
}

#[test]
fn two_runs_of_a_seed_are_equal() {
    for strategy in Strategy::ALL {
        for seed in 0..SEEDS {
            let (first, second) = (run(seed, strategy, false), run(seed, strategy, false));
            assert_eq!(first.chain(), second.chain(), "{strategy}, seed {seed}");
            assert_eq!(first.event_count(), second.event_count());
            assert_eq!(first.steps(), second.steps());
            assert_eq!(first.elapsed(), second.elapsed());
            assert_eq!(first.unwrap(), second.unwrap());
        }
    }
}

#[test]
fn runs_of_two_seeds_differ() {
    for strategy in Strategy::ALL {
        let chains: BTreeSet<_> =
            (0..SEEDS).map(|seed| run(seed, strategy, false).chain()).collect();
        assert_eq!(u64::try_from(chains.len()), Ok(SEEDS), "{strategy}");
    }
}

#[test]
fn a_log_changes_nothing_in_a_run() {
    for strategy in Strategy::ALL {
        for seed in 0..SEEDS {
            let (plain, logged) = (run(seed, strategy, false), run(seed, strategy, true));
            assert_eq!(plain.chain(), logged.chain(), "{strategy}, seed {seed}");
            assert_eq!(plain.steps(), logged.steps());
            assert!(plain.log().is_none());
            let log = logged.log().expect("it was asked for");
            assert_eq!(log.dropped_count, 0);
            assert!(!log.draws.is_empty() && !log.decisions.is_empty() && log.tasks.len() >= 8);
        }
    }
}

#[test]
fn a_log_keeps_as_many_entries_as_its_limit_and_counts_the_rest() {
    let mut limits = parcae::executor::Limits::default();
    limits.logged_events = 10;
    let sim = Sim::builder().seed(1).limits(limits).log(true).build().unwrap();
    let outcome = sim.run(mixed_program);
    let log = outcome.log().unwrap();
    assert_eq!(log.entries.len(), 10);
    assert!(log.dropped_count > 10);
    assert_eq!(outcome.chain(), run(1, Strategy::Random, false).chain());
}

#[test]
fn the_chain_tells_apart_which_of_two_tasks_did_something() {
    let program = |is_first: bool| {
        fifo(move || async move {
            let nap = |is_asleep: bool| async move {
                if is_asleep {
                    sleep(nanos(1)).await;
                } else {
                    yield_now().await;
                }
            };
            let (a, b) = (spawn(nap(is_first)), spawn(nap(!is_first)));
            a.await;
            b.await;
        })
        .chain()
    };
    assert_ne!(program(true), program(false));
}

#[test]
fn the_chain_depends_on_names_draws_times_and_ends() {
    let chains = [
        fifo(|| async { spawn_named("a", async {}).await }).chain(),
        fifo(|| async { spawn_named("b", async {}).await }).chain(),
        fifo(|| async { drop(spawn_named("a", async {})) }).chain(),
        fifo(|| async { drop(spawn_named("a", async { panic!("a") }).join().await) }).chain(),
        fifo(|| async { discard(choose(0..=1)) }).chain(),
        fifo(|| async { discard(choose(5..=5)) }).chain(),
        fifo(|| async { sleep(nanos(1)).await }).chain(),
        fifo(|| async { sleep(nanos(2)).await }).chain(),
        fifo(|| async { discard(DomainId::create("n", 0)) }).chain(),
        fifo(|| async { DomainId::create("n", 0).busy_for(nanos(1)) }).chain(),
        fifo(|| async { DomainId::create("n", 0).busy_for(nanos(2)) }).chain(),
    ];
    assert_eq!(chains.iter().collect::<BTreeSet<_>>().len(), chains.len());
}

#[test]
fn what_one_task_draws_changes_nothing_in_another() {
    let draws = |count: u64| {
        fifo(move || async move {
            let greedy = spawn_named("greedy", async move {
                for _ in 0..count {
                    discard((choose(0..=9), parcae::rng().next_u64()));
                }
            });
            greedy.await;
            spawn_named("modest", async { (choose(0..=u64::MAX), parcae::rng().next_u64()) }).await
        })
        .unwrap()
    };
    assert_eq!(draws(0), draws(17));
}

#[test]
fn choices_are_overridden_by_key_and_default_otherwise() {
    let program =
        || async { (choose(1..=6), choose(1..=6), parcae::rng::choose_for("d", 9, 1..=6)) };
    let main = StreamId::ROOT.child("main", 0);
    for (d, drawn) in [(4, 4), (7, 1)] {
        let overrides = Overrides::from([
            (Key::new(main, Site::new("choose"), 1), 5),
            (Key::new(main, Site::label("d"), 9), d),
        ]);
        let sim = Sim::builder().seed(3).overrides(Fill::Default, overrides).build().unwrap();
        assert_eq!(sim.run(program).unwrap(), (1, 5, drawn), "7 is not on the die");
    }
}

#[test]
fn a_turn_for_a_task_that_cannot_go_on_is_given_as_by_default() {
    async fn program() {
        let tasks: Vec<_> = (0..3).map(|_| spawn_named("worker", yield_now())).collect();
        for task in tasks {
            task.await;
        }
    }
    let run = |overrides| {
        let sim = Sim::builder().overrides(Fill::Default, overrides).log(true).build().unwrap();
        sim.run(program)
    };
    let default = run(Overrides::new());
    let log = default.log().unwrap();
    assert!(!log.decisions.is_empty());
    let ended = StreamId::ROOT.child("main", 0).child("worker", 0);
    for decision in &log.decisions {
        for nobody in [StreamId::from_bits(1), StreamId::ROOT, ended] {
            let is_possible = decision.default == nobody || decision.alternatives.contains(&nobody);
            if !is_possible {
                let forced = run(Overrides::from([(decision.key, nobody.get())]));
                assert_eq!(forced.chain(), default.chain());
                let decision = forced.log().unwrap().decisions.iter().find(|it| it.is_stale);
                assert!(decision.is_some_and(|it| it.chosen == it.default));
            }
        }
    }
}

#[test]
fn the_generator_of_a_task_is_seeded_in_every_fill() {
    let run = |fill| {
        let sim = Sim::builder().seed(3).overrides(fill, Overrides::new()).build().unwrap();
        sim.run(|| async { parcae::rng().next_u64() }).unwrap()
    };
    assert_eq!(run(Fill::Default), run(Fill::Seeded));
}

#[test]
fn a_task_goes_on_drawing_where_it_stopped() {
    let outcome = fifo(|| async {
        let mut draws = BTreeSet::new();
        for _ in 0..100 {
            draws.insert(parcae::rng().next_u64());
            yield_now().await;
        }
        draws.len()
    });
    assert_eq!(outcome.unwrap(), 100);
}

#[test]
fn the_default_world_is_fifo_whatever_the_strategy_is() {
    let run = |strategy, seed| {
        let builder = Sim::builder().seed(seed).strategy(strategy);
        let sim = builder.overrides(Fill::Default, Overrides::new()).build().unwrap();
        sim.run(mixed_program).chain()
    };
    assert_eq!(run(Strategy::Random, 5), run(Strategy::Fifo, 5));
}

#[test]
fn the_decisions_of_a_random_run_replay_it_as_overrides() {
    for seed in 0..SEEDS {
        let recorded = run(seed, Strategy::Random, true);
        let decisions = &recorded.log().unwrap().decisions;
        let overrides: Overrides = decisions
            .iter()
            .filter(|decision| decision.chosen != decision.default)
            .map(|decision| (decision.key, decision.chosen.get()))
            .collect();
        let builder = Sim::builder().seed(seed).strategy(Strategy::Fifo);
        let replayed =
            builder.overrides(Fill::Seeded, overrides).build().unwrap().run(mixed_program);
        assert_eq!(replayed.chain(), recorded.chain(), "seed {seed}");
    }
}
