//! Points: tasks are preempted in front of operations, and nothing is lost by it.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::{self, Either};
use parcae::executor::{DomainId, Happening};
use parcae::explore::{Strategy, World};
use parcae::kernel::{Fill, Overrides};
use parcae::task::{Builder, JoinError, settle, yield_now};
use parcae::testing::Shared;
use parcae::time::{Instant, sleep, timeout};
use parcae::{Seed, Sim, Task, spawn};

use crate::runs::{Journal, OnDrop, SEEDS, discard, fifo, random, secs};

/// Keeps the ready queue full for a while, so that points have somebody to be preempted for.
fn crowd(cell: &Rc<Shared<u32>>) -> Vec<Task<()>> {
    let worker = |cell: Rc<Shared<u32>>| async move {
        for _ in 0..5 {
            let value = cell.get().await;
            cell.set(value).await;
        }
    };
    (0..3).map(|_| spawn(worker(cell.clone()))).collect()
}

async fn join(tasks: Vec<Task<()>>) {
    for task in tasks {
        task.await;
    }
}

/// Adds one to a cell in two steps, from three tasks.
async fn lost_update() -> u32 {
    let cell = Rc::new(Shared::new(0));
    let tasks = (0..3).map(|_| {
        let cell = cell.clone();
        spawn(async move {
            let value = cell.get().await;
            cell.set(value + 1).await;
        })
    });
    join(tasks.collect()).await;
    cell.peek()
}

#[test]
fn under_fifo_nothing_is_preempted() {
    assert_eq!(fifo(lost_update).unwrap(), 3);
    let sim = Sim::builder().strategy(Strategy::Fifo).log(true).build().unwrap();
    let outcome = sim.run(lost_update);
    let is_preempted = |what: &Happening| matches!(what, Happening::Preempted { .. });
    assert!(!outcome.log().unwrap().entries.iter().any(|entry| is_preempted(&entry.what)));
}

#[test]
fn random_reaches_every_result_of_a_race() {
    let results: BTreeSet<u32> =
        random(SEEDS, lost_update).map(|outcome| outcome.unwrap()).collect();
    assert!(results.into_iter().eq([1, 2, 3]));
}

#[test]
fn operations_that_were_preempted_complete_inside_of_combinators() {
    for outcome in random(SEEDS, || async {
        let cell = Rc::new(Shared::new(0));
        let crowd = crowd(&cell);
        // Few futures are all polled each time; of many only those that were woken.
        for count in [2, 3, 40] {
            let values = future::join_all((0..count).map(|_| cell.get())).await;
            assert_eq!(values.len(), count);
            let mut set: future::JoinAll<_> = future::join_all(vec![cell.get()]);
            assert_eq!((&mut set).await.len(), 1);
        }
        let mut set: futures::stream::FuturesUnordered<_> =
            (0..10).map(|_| cell.update(|value| *value += 1)).collect();
        let mut ended = 0;
        while set.next().await.is_some() {
            ended += 1;
        }
        assert_eq!(ended, 10);
        drop(set);
        match future::select(cell.get(), pin!(pending::<()>())).await {
            Either::Left(_) => {}
            Either::Right(_) => panic!("what is pending for ever ended"),
        }
        join(crowd).await;
    }) {
        outcome.unwrap();
    }
}

#[test]
fn an_operation_that_was_preempted_and_given_up_leaves_nothing_behind() {
    for outcome in random(SEEDS, || async {
        let cell = Rc::new(Shared::new(0));
        let crowd = crowd(&cell);
        let tasks = (0..5).map(|_| {
            let cell = cell.clone();
            spawn(async move {
                // The other branch is ready at once, whether or not this one is preempted.
                discard(future::select(cell.swap(1_000), future::ready(())).await);
            })
        });
        join(tasks.collect()).await;
        // Tasks in the places of those are polled as often as they are woken.
        let polls = Rc::new(Cell::new(0));
        let counted = (0..5).map(|_| {
            let polls = polls.clone();
            spawn(poll_fn(move |_| {
                polls.set(polls.get() + 1);
                Poll::<()>::Pending
            }))
        });
        let counted: Vec<_> = counted.collect();
        join(crowd).await;
        settle().await;
        drop(counted);
        polls.get()
    }) {
        assert_eq!(outcome.unwrap(), 5);
    }
}

#[test]
fn a_preemption_is_no_reason_for_a_time_out() {
    for outcome in random(SEEDS, || async {
        let cell = Rc::new(Shared::new(7));
        let crowd = crowd(&cell);
        for _ in 0..5 {
            assert_eq!(timeout(Duration::ZERO, cell.get()).await, Ok(7));
            assert_eq!(
                timeout(Duration::ZERO, timeout(Duration::ZERO, cell.get())).await,
                Ok(Ok(7))
            );
        }
        join(crowd).await;
    }) {
        assert!(outcome.elapsed().is_zero());
        outcome.unwrap();
    }
}

#[test]
fn a_time_out_beside_a_preempted_operation_still_ends() {
    for outcome in random(SEEDS, || async {
        let cell = Rc::new(Shared::new(7));
        let crowd = crowd(&cell);
        type Boxed<'a> = std::pin::Pin<Box<dyn Future<Output = bool> + 'a>>;
        let branches: [Boxed<'_>; 3] = [
            Box::pin(async { timeout(secs(1), pending::<()>()).await.is_err() }),
            Box::pin(async { cell.get().await == 7 }),
            Box::pin(async { timeout(secs(2), pending::<()>()).await.is_err() }),
        ];
        let mut set: futures::stream::FuturesUnordered<_> = branches.into_iter().collect();
        while let Some(is_right) = set.next().await {
            assert!(is_right);
        }
        drop(set);
        join(crowd).await;
    }) {
        assert_eq!(outcome.elapsed(), secs(2));
        outcome.unwrap();
    }
}

#[test]
fn a_preempted_task_goes_on_before_time_moves() {
    for outcome in random(SEEDS, || async {
        let cell = Rc::new(Shared::new(0));
        spawn(sleep(secs(1))).background();
        let (start, crowd) = (Instant::now(), crowd(&cell));
        join(crowd).await;
        start.elapsed()
    }) {
        assert!(outcome.unwrap().is_zero());
    }
}

#[test]
fn a_log_of_preemptions_changes_nothing_and_replays_them() {
    let mut preempted_count = 0;
    for seed in 0..SEEDS {
        let plain = Sim::new(seed).run(lost_update);
        let recorded = Sim::builder().seed(seed).log(true).build().unwrap().run(lost_update);
        assert_eq!(plain.chain(), recorded.chain(), "seed {seed}");
        let log = recorded.log().unwrap();
        let preempted =
            log.entries.iter().filter(|entry| matches!(entry.what, Happening::Preempted { .. }));
        preempted_count += preempted.count();
        let overrides: Overrides = log
            .decisions
            .iter()
            .filter(|decision| decision.chosen != decision.default)
            .map(|decision| (decision.key, decision.chosen.get()))
            .collect();
        let builder = Sim::builder().seed(seed).strategy(Strategy::Fifo);
        let sim = builder.overrides(Fill::Default, overrides).build().unwrap();
        assert_eq!(sim.run(lost_update).chain(), plain.chain(), "seed {seed}");
    }
    assert!(preempted_count > 100, "only {preempted_count} preemptions: the test tests little");
}

/// Runs a task in a domain that comes to a point and, in the same poll, does something to its own
/// domain.
fn at_a_point<R: 'static>(
    act: impl Fn(DomainId) + Copy + 'static,
    check: impl AsyncFn(DomainId, Task<()>, &Journal<&'static str>) -> R + Copy + 'static,
) -> impl Iterator<Item = parcae::Outcome<R>> {
    random(SEEDS, move || async move {
        let (cell, domain) = (Rc::new(Shared::new(0)), DomainId::create("node", 0));
        let (journal, crowd) = (Journal::new(), crowd(&cell));
        let (inner, own) = (journal.clone(), cell.clone());
        let task = Builder::new().domain(domain).spawn(async move {
            let guard = inner.clone();
            let _guard = OnDrop(move || guard.add("destroyed"));
            let acting = async { act(domain) };
            future::join(own.get(), acting).await;
            inner.add("passed");
            yield_now().await;
            inner.add("went on");
        });
        let result = check(domain, task, &journal).await;
        join(crowd).await;
        result
    })
}

#[test]
fn a_task_that_kills_its_domain_in_the_poll_in_which_it_was_preempted_is_destroyed_once() {
    let mut preempted = 0;
    for outcome in at_a_point(DomainId::kill, async |_, task, journal| {
        assert!(matches!(task.join().await, Err(JoinError::Gone)));
        sleep(secs(1)).await;
        journal.take()
    }) {
        let entries = outcome.unwrap();
        // When it was not preempted it passes the point and dies at its next wait.
        preempted += usize::from(entries == ["destroyed"]);
        assert!(entries == ["destroyed"] || entries == ["passed", "destroyed"], "{entries:?}");
    }
    assert!(preempted > 10, "only {preempted} preemptions: the test tests little");
}

#[test]
fn a_task_that_pauses_its_domain_in_the_poll_in_which_it_was_preempted_is_frozen() {
    let mut preempted = 0;
    for outcome in at_a_point(DomainId::pause, async |domain, task, journal| {
        sleep(secs(1)).await;
        let frozen = journal.take();
        domain.resume();
        task.await;
        assert_eq!(Instant::now().elapsed(), Duration::ZERO);
        (frozen, journal.take())
    }) {
        let (frozen, resumed) = outcome.unwrap();
        match frozen.as_slice() {
            [] => {
                preempted += 1;
                assert_eq!(resumed, ["passed", "went on", "destroyed"]);
            }
            ["passed"] => assert_eq!(resumed, ["went on", "destroyed"]),
            other => panic!("not frozen: {other:?}"),
        }
    }
    assert!(preempted > 10, "only {preempted} preemptions: the test tests little");
}

#[test]
fn a_task_of_a_domain_that_is_paused_after_it_was_chosen_to_go_on_is_frozen() {
    for outcome in random(SEEDS, || async {
        let (cell, domain) = (Rc::new(Shared::new(0)), DomainId::create("node", 0));
        let journal = Journal::new();
        let tasks: Vec<_> = (0..3)
            .map(|number| {
                let journal = journal.clone();
                Builder::new().domain(domain).spawn(async move { journal.add(number) })
            })
            .collect();
        let pausing = async {
            domain.pause();
            journal.count()
        };
        let (_, count) = future::join(cell.get(), pausing).await;
        sleep(secs(1)).await;
        assert_eq!(journal.count(), count, "polled while paused");
        domain.resume();
        join(tasks).await;
        assert_eq!(journal.count(), 3);
    }) {
        outcome.unwrap();
    }
}

#[test]
fn regression_a_decision_that_is_taken_anew_has_a_key_of_its_own() {
    // The task that was to go on after a preemption was paused or killed in the same poll; the next
    // decision then had the key of an earlier one, and the run could not be told as overrides.
    async fn program() {
        let domain = DomainId::create("node", 0);
        let cell = Rc::new(Shared::new(0));
        let inhabitants = [(); 2].map(|()| {
            let cell = cell.clone();
            Builder::new().domain(domain).spawn(async move { cell.get().await })
        });
        let crowd = crowd(&cell);
        // So that another task ran last, and a decision with its key is behind.
        yield_now().await;
        let killing = async { domain.kill() };
        future::join(cell.get(), killing).await;
        join(crowd).await;
        drop(inhabitants);
    }
    for seed in 0..SEEDS {
        let found = Sim::builder().seed(seed).log(true).build().unwrap().run(program);
        let World { overrides, .. } = World::of_log(Seed::new(seed), found.log().unwrap());
        let sim = Sim::builder().seed(seed).overrides(Fill::Default, overrides).build().unwrap();
        assert_eq!(sim.run(program).chain(), found.chain(), "seed {seed}");
        found.unwrap();
    }
}

#[test]
fn a_task_that_is_cancelled_after_it_was_chosen_to_go_on_does_not_run() {
    for outcome in random(SEEDS, || async {
        let cell = Rc::new(Shared::new(0));
        let journal = Journal::new();
        let inner = journal.clone();
        let task = spawn(async move { inner.add(()) });
        let is_cancelled = Cell::new(false);
        future::join(cell.get(), async {
            drop(task);
            is_cancelled.set(true);
        })
        .await;
        settle().await;
        assert!(is_cancelled.get());
        journal.count()
    }) {
        assert_eq!(outcome.unwrap(), 0);
    }
}

#[test]
fn a_step_over_the_limit_inside_of_a_poll_ends_the_run_too() {
    let outcome = crate::runs::limited(
        |limits| limits.steps_per_instant = 1_000,
        || async {
            let cell = Shared::new(0);
            loop {
                // Under any schedule this never blocks.
                cell.update(|value| *value += 1).await;
            }
        },
    );
    assert_eq!(crate::runs::failure(&outcome).kind(), "livelock");
    assert!(outcome.steps() <= 1_010, "{}", outcome.steps());
}
