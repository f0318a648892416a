//! What strategies pick: by their distributions, and from what alone they depend.

use std::collections::BTreeMap;
use std::rc::Rc;

use parcae::explore::{Check, CheckReport, Profile, ReplayMode, ReplayVerdict, Strategy, World};
use parcae::kernel::{Fill, Seed};
use parcae::testing::Shared;
use parcae::{Sim, choose, spawn};

use super::{facts, finding, lost_update};
use crate::executor::mixed_program;

fn exploring() -> impl Iterator<Item = Strategy> {
    Strategy::ALL.into_iter().filter(|strategy| *strategy != Strategy::Fifo)
}

fn sim(strategy: Strategy, seed: u64, profile: &Profile) -> Sim {
    let builder = Sim::builder().strategy(strategy).seed(seed).profile(profile.clone());
    builder.log(true).build().unwrap()
}

/// Two tasks that shift a bit into a number, five times each: the number names the interleaving.
async fn shifts() -> u64 {
    let bits = Rc::new(Shared::new(1));
    let tasks = [0, 1].map(|bit| {
        let bits = bits.clone();
        spawn(async move {
            for _ in 0..5 {
                bits.update(|bits| *bits = *bits * 2 + bit).await;
            }
        })
    });
    for task in tasks {
        task.await;
    }
    bits.peek()
}

/// Returns how far interleavings are from equally likely: about 251 if they are.
fn chi_squared(strategy: Strategy) -> f64 {
    const RUNS: u32 = 252 * 40;
    let profile = Check::new("shifts").strategy(strategy).profile(|| async {
        shifts().await;
    });
    let profile = profile.unwrap();
    let mut counts = BTreeMap::<u64, u32>::new();
    for seed in 0..RUNS {
        let outcome = sim(strategy, seed.into(), &profile).run(shifts);
        *counts.entry(outcome.unwrap()).or_default() += 1;
    }
    let of = |count: u32| (f64::from(count) - 40.0).powi(2) / 40.0;
    let missing = 252 - u32::try_from(counts.len()).unwrap();
    counts.into_values().map(of).sum::<f64>() + f64::from(missing) * 40.0
}

#[test]
fn uniform_walks_reach_all_interleavings_alike() {
    // 251 degrees of freedom: the bound is five standard deviations away.
    for strategy in [Strategy::Urw, Strategy::Surw] {
        let chi_squared = chi_squared(strategy);
        assert!((140.0..363.0).contains(&chi_squared), "{strategy}: {chi_squared}");
    }
    assert!(chi_squared(Strategy::Random) > 1_000.0, "the test can tell");
}

#[test]
fn what_a_strategy_picks_is_told_as_overrides_of_the_default_world() {
    for strategy in exploring() {
        for seed in 0..50 {
            let run = sim(strategy, seed, &Profile::default()).run(mixed_program);
            let world = World::of_log(Seed::new(seed), run.log().unwrap());
            let builder = Sim::builder().seed(seed).strategy(strategy);
            let again = builder.overrides(Fill::Default, world.overrides).build().unwrap();
            let again = again.run(mixed_program);
            assert_eq!(again.chain(), run.chain(), "{strategy}, seed {seed}");
        }
    }
}

#[test]
fn draws_of_a_strategy_are_no_choices() {
    let program = || async {
        let tasks = [0, 1, 2].map(|_| spawn(async { choose(0..=u64::MAX) }));
        let mut drawn = Vec::new();
        for task in tasks {
            drawn.push(task.await);
        }
        drawn
    };
    for seed in 0..50 {
        let drawn = |strategy| sim(strategy, seed, &Profile::default()).run(program).unwrap();
        let by_fifo = drawn(Strategy::Fifo);
        assert!(exploring().all(|strategy| drawn(strategy) == by_fifo), "seed {seed}");
    }
}

#[test]
fn a_profile_depends_on_program_and_config_alone() {
    let profile = |name| {
        let check = Check::new(name).strategy(Strategy::Surw).seeds(7).jobs(2);
        check.profile(|| crate::scenarios::lost_update(crate::scenarios::Noise::default())).unwrap()
    };
    assert_eq!(profile("one"), profile("one"));
    assert_ne!(profile("one"), Profile::default());
}

#[test]
fn a_seed_alone_gives_the_run_that_it_gives_among_others() {
    for strategy in exploring() {
        let check = || Check::new("lost update").strategy(strategy).seeds(500);
        let [one, two] = [1, 2].map(|jobs| lost_update(check().jobs(jobs)));
        assert_eq!(facts(&one), facts(&two), "{strategy}");
        if one.seeds_run() == 0 {
            continue;
        }
        let among = finding(&one);
        let alone = lost_update(check().only_seed(among.seed()));
        let of = |report: &CheckReport| {
            let token = finding(report).token().map(ToString::to_string);
            (finding(report).found(), finding(report).seed(), token)
        };
        assert_eq!(of(&alone), of(&one), "{strategy}");
    }
}

#[test]
fn an_unshrunk_run_of_any_strategy_is_replayed_by_its_token() {
    for strategy in exploring() {
        let check = || Check::new("lost update").strategy(strategy).seeds(500);
        let mut shrink = parcae::explore::Shrink::default();
        shrink.runs = 0;
        let report = lost_update(check().shrink(shrink));
        let token = finding(&report).token().expect("it is no leak");
        assert_eq!(token.world.fill, Fill::Seeded);
        let program = || crate::scenarios::lost_update(crate::scenarios::Noise::default());
        let replay = Check::new("lost update").replay(token, ReplayMode::Strict, program).unwrap();
        assert_eq!(replay.verdict, ReplayVerdict::Reproduced, "{strategy}");
    }
}

#[test]
fn pilots_are_seeds_0_and_1_and_run_at_random() {
    let program = || async {
        shifts().await;
    };
    for strategy in exploring().filter(|strategy| *strategy != Strategy::Random) {
        let profile = Check::new("shifts").strategy(strategy).profile(program).unwrap();
        let chain = |strategy, seed| sim(strategy, seed, &profile).run(program).chain();
        for seed in [0, 1] {
            assert_eq!(chain(strategy, seed), chain(Strategy::Random, seed), "{strategy} {seed}");
        }
        let is_apart = |seed: &u64| chain(strategy, *seed) != chain(Strategy::Random, *seed);
        assert!((2..20).filter(is_apart).count() > 9, "{strategy}");
    }
}

#[test]
fn a_search_finds_its_own_seeds_whatever_became_of_the_pilots() {
    let check = || Check::new("fails").strategy(Strategy::Portfolio);
    for first in [0, 1, 1_000] {
        let report = check().first_seed(first).run(|| async { panic!("always") });
        assert_eq!((report.pilots_run(), report.seeds_run()), (2, 1), "from {first}");
        assert_eq!(finding(&report).seed(), Seed::new(first), "from {first}");
        assert_eq!(finding(&report).world().overrides.len(), 0, "from {first}");
    }
}

#[test]
fn a_task_that_spins_until_another_has_gone_on_starves_nobody() {
    let program = || async {
        let flag = Rc::new(Shared::new(false));
        let waiting = flag.clone();
        let spinner = spawn(async move { while !waiting.get().await {} });
        spawn(async move { flag.set(true).await }).await;
        spinner.await;
    };
    for strategy in exploring() {
        let profile = Check::new("spin").strategy(strategy).profile(program).unwrap();
        for profile in [profile, Profile::default()] {
            let outcomes = (0..200).map(|seed| sim(strategy, seed, &profile).run(program));
            let steps = outcomes.map(|outcome| (outcome.steps(), outcome.unwrap()).0).max();
            assert!(steps < Some(25_000), "{strategy}: {steps:?}");
        }
    }
}

#[test]
fn seeds_of_a_portfolio_run_as_its_members_do() {
    let program = || async {
        shifts().await;
    };
    let profile = Check::new("shifts").strategy(Strategy::Portfolio).profile(program).unwrap();
    let chain = |strategy, seed| sim(strategy, seed, &profile).run(program).chain();
    let members = [Strategy::Surw, Strategy::PctMix, Strategy::Pos, Strategy::Random];
    let mut counts = [0; 4];
    for seed in 0..200 {
        let run = chain(Strategy::Portfolio, seed);
        let alike: Vec<usize> = (0..4).filter(|at| chain(members[*at], seed) == run).collect();
        assert!(!alike.is_empty(), "seed {seed}");
        // Of 252 interleavings two strategies may pick the same one.
        if let [member] = alike[..] {
            counts[member] += 1;
        }
    }
    assert!(counts[..3].iter().all(|count| (40..=60).contains(count)), "{counts:?}");
    assert!((10..=20).contains(&counts[3]), "{counts:?}");
}
