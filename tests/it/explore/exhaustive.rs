//! All runs of small programs: the outcomes are those that every order gives, and no others.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex};

use parcae::explore::{
    Check, Exhaustion, Exhaustive, Independence, ReplayMode, ReplayVerdict, Strategy, Unexplored,
};
use parcae::sync::{Mutex, Queue};
use parcae::testing::Shared;
use parcae::{Failure, Sim, choose, spawn};

type Run = Pin<Box<dyn Future<Output = String>>>;

/// A program whose outcome is a text, and all of its outcomes, told by hand.
struct Subject {
    name: &'static str,
    run: fn() -> Run,
    outcomes: Vec<String>,
    commutes: Commutes,
}

/// What is known of the steps of its tasks.
#[derive(Clone, Copy, PartialEq)]
enum Commutes {
    /// One touches something without a point: `try_lock`.
    Unknown,
    Few,
    Many,
}

fn texts(outcomes: impl IntoIterator<Item = impl ToString>) -> Vec<String> {
    outcomes.into_iter().map(|outcome| outcome.to_string()).collect()
}

/// Two tasks add one to a counter, in two steps each.
async fn lost_update() -> String {
    let counter = Rc::new(Shared::new(0));
    let tasks = [0, 1].map(|_| {
        let counter = counter.clone();
        spawn(async move {
            let value = counter.get().await;
            counter.set(value + 1).await;
        })
    });
    for task in tasks {
        task.await;
    }
    counter.peek().to_string()
}

/// Two tasks shift a bit into a number, three times each: the number names the interleaving.
async fn shifts() -> String {
    let bits = Rc::new(Shared::new(1));
    let tasks = [0, 1].map(|bit| {
        let bits = bits.clone();
        spawn(async move {
            for _ in 0..3 {
                bits.update(|bits| *bits = *bits * 2 + bit).await;
            }
        })
    });
    for task in tasks {
        task.await;
    }
    bits.peek().to_string()
}

/// The numbers with three of each bit behind the first.
fn three_of_each() -> Vec<String> {
    texts((64..128).filter(|number: &u32| number.count_ones() == 4))
}

/// Two pairs of tasks, each pair about a cell of its own; which of a pair writes last stays.
async fn pairs() -> String {
    let cells = [0, 1].map(|_| Rc::new(Shared::new(0)));
    let tasks = [0, 1, 2, 3].map(|number| {
        let cell = cells[number / 2].clone();
        spawn(async move { cell.set(number).await })
    });
    for task in tasks {
        task.await;
    }
    format!("{} {}", cells[0].peek(), cells[1].peek())
}

/// Three tasks take turns under a lock.
async fn turns() -> String {
    let order = Rc::new(Mutex::new(String::new()));
    let tasks = ["a", "b", "c"].map(|name| {
        let order = order.clone();
        spawn(async move { order.lock().await.push_str(name) })
    });
    for task in tasks {
        task.await;
    }
    order.lock().await.clone()
}

/// A task holds a lock while it reads; another one does not wait for it, and reads before and after it tries.
async fn attempts() -> String {
    let (lock, cell) = (Rc::new(Mutex::new(())), Rc::new(Shared::new(0)));
    let (held, written) = (lock.clone(), cell.clone());
    let holder = spawn(async move {
        let guard = held.lock().await;
        written.set(1).await;
        drop(guard);
    });
    let other = spawn(async move {
        let before = cell.get().await;
        let is_free = lock.try_lock().is_some();
        let after = cell.get().await;
        format!("{before} {is_free} {after}")
    });
    holder.await;
    other.await
}

/// Two tasks send two items each; in which order do they come?
async fn senders() -> String {
    let queue = Rc::new(Queue::bounded(2));
    let tasks = ["a", "b"].map(|name| {
        let queue = queue.clone();
        spawn(async move {
            for _ in 0..2 {
                queue.put(name).await.unwrap();
            }
        })
    });
    let mut order = String::new();
    for _ in 0..4 {
        order.push_str(queue.get().await.unwrap());
    }
    for task in tasks {
        task.await;
    }
    order
}

/// What is drawn meets what is written.
async fn draws() -> String {
    let cell = Rc::new(Shared::new(0));
    let written = cell.clone();
    let writer = spawn(async move { written.set(10).await });
    let drawn = choose(0..=2);
    let value = cell.get().await;
    writer.await;
    (drawn + value).to_string()
}

fn subjects() -> Vec<Subject> {
    let turns_of_three = ["abc", "acb", "bac", "bca", "cab", "cba"];
    vec![
        Subject {
            name: "lost update",
            run: || Box::pin(lost_update()),
            outcomes: texts([1, 2]),
            commutes: Commutes::Few,
        },
        Subject {
            name: "shifts",
            run: || Box::pin(shifts()),
            outcomes: three_of_each(),
            commutes: Commutes::Few,
        },
        Subject {
            name: "pairs",
            run: || Box::pin(pairs()),
            outcomes: texts(["0 2", "0 3", "1 2", "1 3"]),
            commutes: Commutes::Many,
        },
        Subject {
            name: "turns",
            run: || Box::pin(turns()),
            outcomes: texts(turns_of_three),
            commutes: Commutes::Few,
        },
        Subject {
            name: "attempts",
            run: || Box::pin(attempts()),
            outcomes: texts(["0 true 0", "0 true 1", "0 false 0", "0 false 1", "1 true 1"]),
            commutes: Commutes::Unknown,
        },
        Subject {
            name: "senders",
            run: || Box::pin(senders()),
            outcomes: texts(["aabb", "abab", "abba", "baab", "baba", "bbaa"]),
            commutes: Commutes::Few,
        },
        Subject {
            name: "draws",
            run: || Box::pin(draws()),
            outcomes: texts([0, 1, 2, 10, 11, 12]),
            commutes: Commutes::Few,
        },
    ]
}

/// Runs all of a program and returns its outcomes.
fn outcomes(run: fn() -> Run, exhaustive: Exhaustive) -> (BTreeSet<String>, Exhaustion) {
    let outcomes = Arc::new(StdMutex::new(BTreeSet::new()));
    let seen = outcomes.clone();
    let report = Check::new("exhaustive").exhaustive(exhaustive).run(move || {
        let seen = seen.clone();
        async move {
            let outcome = run().await;
            seen.lock().unwrap().insert(outcome);
        }
    });
    assert!(report.finding().is_none(), "{:?}", report.finding());
    let outcomes = outcomes.lock().unwrap().clone();
    (outcomes, report.exhaustion().unwrap())
}

fn by_resource() -> Exhaustive {
    Exhaustive::default().with_independence(Independence::ByResource)
}

#[test]
fn all_runs_have_all_outcomes_with_and_without_sleep_sets() {
    for Subject { name, run, outcomes: by_hand, commutes } in subjects() {
        let by_hand: BTreeSet<String> = by_hand.into_iter().collect();
        let (plain, all) = outcomes(run, Exhaustive::default());
        assert!(all.is_complete() && all.repeated_runs == 0, "{name}: {all:?}");
        assert_eq!(plain, by_hand, "{name}");
        if commutes == Commutes::Unknown {
            continue;
        }
        let (sleeping, fewer) = outcomes(run, by_resource());
        assert!(fewer.is_complete(), "{name}: {fewer:?}");
        assert_eq!(sleeping, by_hand, "{name}");
        assert!(fewer.runs <= all.runs, "{name}: {fewer:?}, and {all:?} without");
        let is_enough = commutes == Commutes::Few || fewer.runs * 2 < all.runs;
        assert!(is_enough, "{name}: {fewer:?}, and {all:?} without");
    }
}

#[test]
fn no_seed_has_an_outcome_that_all_runs_do_not_have() {
    for Subject { name, run, .. } in subjects() {
        let (all, _) = outcomes(run, Exhaustive::default());
        for seed in 0..300 {
            let sim = Sim::builder().seed(seed).strategy(Strategy::Random).build().unwrap();
            let outcome = sim.run(run).unwrap();
            assert!(all.contains(&outcome), "{name}: {outcome} under seed {seed}");
        }
    }
}

#[test]
fn a_run_that_fails_is_shrunk_and_has_a_token_that_replays_it() {
    let program = || async { assert_eq!(lost_update().await, "2") };
    let report = Check::new("all").exhaustive(Exhaustive::default()).run(program);
    let finding = report.finding().expect("one of the runs loses an update");
    assert_eq!(finding.world().overrides.len(), 1, "one switch");
    let exhaustion = report.exhaustion().unwrap();
    assert_eq!(exhaustion.unexplored, Some(Unexplored::Failure));
    let replay = Check::new("all").replay(finding.token().unwrap(), ReplayMode::Strict, program);
    assert_eq!(replay.unwrap().verdict, ReplayVerdict::Reproduced);
}

#[test]
fn what_is_not_run_is_said() {
    let check = |run, exhaustive| outcomes(run, exhaustive).1;
    let all = Exhaustive::default();
    let few = check(|| Box::pin(shifts()), all.clone().with_runs(3));
    assert_eq!((few.runs, few.unexplored), (3, Some(Unexplored::Runs)));
    let shallow = check(|| Box::pin(shifts()), all.clone().with_depth(2));
    assert_eq!(shallow.unexplored, Some(Unexplored::Depth));
    let coarse = check(|| Box::pin(draws()), all.with_values(2));
    assert_eq!(coarse.unexplored, Some(Unexplored::Values));
}

#[test]
fn a_program_that_is_no_function_of_its_choices_is_reported() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    // The first run is made twice, and both are alike.
    let report = Check::new("leaks").exhaustive(Exhaustive::default()).run(|| async {
        if RUNS.fetch_add(1, Ordering::Relaxed) < 3 {
            lost_update().await;
        }
    });
    let failure = report.finding().expect("it is found").failure();
    assert!(matches!(failure, Failure::Nondeterminism { .. }), "{failure}");
    assert_eq!(report.exhaustion().unwrap().unexplored, Some(Unexplored::Failure));
}
