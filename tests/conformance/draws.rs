//! Chance: under one seed both backends draw the same.

use std::fmt::Debug;
use std::future::{Future, ready};
use std::time::Duration;

use parcae::real::{Options, Runtime};
use parcae::retry::{Backoff, Jitter};
use parcae::rng::choose_for;
use parcae::task::{Builder, ContextVar, group, race, yield_now};
use parcae::{Sim, choose, rng, spawn, spawn_named};

/// Checks that a program draws the same on both backends under the same seed, and not under others.
#[track_caller]
fn draws_alike<F>(program: fn() -> F)
where
    F: Future + 'static,
    F::Output: PartialEq + Debug + 'static,
{
    let outputs: Vec<_> = (0..20)
        .map(|seed| {
            let simulated = Sim::new(seed).run(program).unwrap();
            let runtime = Runtime::new(Options::default().with_seed(seed)).unwrap();
            let real = runtime.run(program()).unwrap();
            assert_eq!(simulated, real, "under seed {seed}");
            simulated
        })
        .collect();
    assert!(outputs.iter().any(|output| *output != outputs[0]), "seeds differ");
}

#[test]
fn the_generator_of_the_program_draws_the_same() {
    draws_alike(|| async {
        let mut bytes = [0; 33];
        let (one, two) = (rng().next_u64(), rng().next_u32());
        rng().fill_bytes(&mut bytes);
        (one, two, bytes.to_vec())
    });
}

#[test]
fn generators_of_tasks_draw_the_same_whatever_their_order() {
    draws_alike(|| async {
        let draw = async || {
            let first = rng().next_u64();
            yield_now().await;
            [first, rng().next_u64()]
        };
        let named = spawn_named("named", async move { draw().await });
        let unnamed = spawn(async move { draw().await });
        let twin = spawn_named("named", async move {
            let child = spawn(async move { draw().await });
            [draw().await, child.await].concat()
        });
        let eager = Builder::new().eager().spawn(async move { draw().await });
        [draw().await.to_vec(), named.await.to_vec(), unnamed.await.to_vec(), twin.await, {
            eager.await.to_vec()
        }]
    });
}

#[test]
fn children_of_groups_draw_the_same() {
    draws_alike(|| async {
        let sum = group(async |group| {
            let parts = [group.spawn(async { rng().next_u64() }), {
                group.spawn_named("part", async { choose(0..u64::MAX) })
            }];
            let mut sums = Vec::new();
            for part in parts {
                sums.push(part.await);
            }
            Ok::<_, std::convert::Infallible>(sums)
        });
        sum.await.unwrap()
    });
}

#[test]
fn choices_are_the_same() {
    draws_alike(|| async {
        let ours: Vec<_> = (1..20).map(|count| choose(0..count)).collect();
        let signed: Vec<_> = (0..20).map(|_| choose(-100..=100_i64)).collect();
        let theirs = spawn_named("child", async {
            (0..20_u64).map(|number| choose_for("size", number, 0..1_000_u32)).collect::<Vec<_>>()
        });
        (ours, signed, theirs.await)
    });
}

#[test]
fn races_and_selects_begin_with_the_same_branch() {
    draws_alike(|| async {
        let mut won = Vec::new();
        for _ in 0..20 {
            won.push(race((0..3).map(ready)).await);
            won.push(parcae::select! {
                () = ready(()) => 0,
                () = ready(()) => 1,
                () = ready(()) => 2,
            });
        }
        won
    });
}

#[test]
fn jitter_is_the_same() {
    draws_alike(|| async {
        let backoff = |jitter| Backoff::exponential(Duration::from_secs(1), 2).jitter(jitter);
        let draw = |jitter| backoff(jitter).delays().take(10).collect::<Vec<_>>();
        [draw(Jitter::Full), draw(Jitter::Equal), draw(Jitter::Decorrelated)]
    });
}

#[test]
fn what_other_tasks_draw_changes_nothing() {
    static OTHERS: ContextVar<u32> = ContextVar::new(|| 0);

    async fn draws() -> [u64; 2] {
        let others = OTHERS.get();
        let other = spawn_named("other", async move {
            for _ in 0..others {
                rng().next_u64();
                choose(0..1_000);
            }
        });
        let first = rng().next_u64();
        other.await;
        [first, rng().next_u64()]
    }

    draws_alike(draws);
    let simulated = Sim::new(7).run(|| async {
        OTHERS.set(100);
        draws().await
    });
    let real = Runtime::new(Options::default().with_seed(7)).unwrap().run(draws());
    assert_eq!(simulated.unwrap(), real.unwrap());
}

#[test]
fn without_a_seed_two_runs_draw_differently() {
    let draw = || parcae::real::run(async { rng().next_u64() });
    assert_ne!(draw(), draw());
}

#[test]
fn a_run_without_a_seed_says_which_it_had() {
    let outcome = Runtime::new(Options::default()).unwrap().run(async { rng().next_u64() });
    let (seed, drawn) = (outcome.seed, outcome.unwrap());
    let again = Runtime::new(Options::default().with_seed(seed)).unwrap();
    assert_eq!(again.run(async { rng().next_u64() }).unwrap(), drawn);
    assert_eq!(Sim::new(seed).run(|| async { rng().next_u64() }).unwrap(), drawn);
}
