use std::cell::Cell;
use std::rc::Rc;

use parcae::sync::{Barrier, BarrierError, BarrierWaitResult};
use parcae::task::{Task, settle, yield_now};
use parcae::{Failure, Sim};

use super::{Hand, dropped_after, on_every_seed, ported, under_fifo};
use crate::runs::{Journal, panic_of};

type Waited = Result<BarrierWaitResult, BarrierError>;

fn waiter(barrier: &Rc<Barrier>) -> Task<Waited> {
    let barrier = barrier.clone();
    parcae::spawn(async move { barrier.wait().await })
}

async fn waiters(barrier: &Rc<Barrier>, count: usize) -> Vec<Task<Waited>> {
    let tasks = (0..count).map(|_| waiter(barrier)).collect();
    settle().await;
    tasks
}

async fn all(tasks: Vec<Task<Waited>>) -> Vec<Waited> {
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await);
    }
    results
}

fn indices(results: &[Waited]) -> Vec<usize> {
    let mut indices: Vec<_> = results.iter().map(|result| result.unwrap().index()).collect();
    indices.sort_unstable();
    indices
}

#[test]
fn those_who_wait_are_counted_until_the_last_comes_and_all_go_on() {
    ported(|| async {
        let barrier = Rc::new(Barrier::new(4));
        let mut tasks = Vec::new();
        for count in 0..3 {
            assert_eq!(barrier.n_waiting(), count);
            tasks.push(waiter(&barrier));
            settle().await;
        }
        assert!(tasks.iter().all(|task| !task.is_finished()));
        tasks.push(waiter(&barrier));
        settle().await;
        assert_eq!(barrier.n_waiting(), 0);
        assert!(tasks.iter().all(Task::is_finished));
        let results = all(tasks).await;
        assert!(results.iter().map(|result| result.unwrap().index()).eq(0..4), "by arrival");
        assert!(results[3].unwrap().is_leader(), "the last to come is the first to go on");
    });
}

#[test]
fn each_party_of_a_round_has_an_index_of_its_own_and_one_is_the_leader() {
    ported(|| async {
        let barrier = Rc::new(Barrier::new(5));
        let results = all(waiters(&barrier, 5).await).await;
        assert_eq!(indices(&results), [0, 1, 2, 3, 4]);
        assert_eq!(results.iter().filter(|result| result.unwrap().is_leader()).count(), 1);
    });
}

#[test]
fn a_barrier_works_round_after_round() {
    ported(|| async {
        let (barrier, journal) = (Rc::new(Barrier::new(3)), Journal::new());
        let tasks: Vec<_> = (0..3)
            .map(|_| {
                let (barrier, journal) = (barrier.clone(), journal.clone());
                parcae::spawn(async move {
                    for round in 0..3 {
                        barrier.wait().await.unwrap();
                        journal.add(round);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        assert_eq!(journal.take(), [0, 0, 0, 1, 1, 1, 2, 2, 2]);
    });
}

#[test]
fn who_comes_while_a_round_drains_waits_for_the_next() {
    ported(|| async {
        let barrier = Rc::new(Barrier::new(2));
        let mut first = Hand::waiting(barrier.wait());
        assert_eq!(Hand::new(barrier.wait()).ready().unwrap().index(), 1);
        // The first has not gone on; two more would be a round, but wait.
        let newcomers = waiters(&barrier, 2).await;
        assert_eq!(barrier.n_waiting(), 2);
        assert!(newcomers.iter().all(|task| !task.is_finished()));
        assert_eq!(first.ready().unwrap().index(), 0);
        settle().await;
        assert_eq!(barrier.n_waiting(), 0);
        let results = all(newcomers).await;
        assert_eq!(indices(&results), [0, 1]);
        assert_eq!(results.iter().filter(|result| result.unwrap().is_leader()).count(), 1);
    });

    let barrier = Barrier::new(2);
    let draining = Hand::waiting(barrier.wait());
    assert!(Hand::new(barrier.wait()).ready().is_ok());
    let mut next = [(); 3].map(|()| Hand::waiting(barrier.wait()));
    drop(draining);
    assert_eq!(next.each_ref().map(Hand::wake_count), [1, 1, 0], "a dropped one has gone on too");
    assert!(next[0].ready().unwrap().is_leader());
    assert!(next[2].poll().is_pending());
    assert!(!next[1].ready().unwrap().is_leader());
    assert_eq!(barrier.n_waiting(), 1);
}

#[test]
fn a_party_that_is_cancelled_while_the_round_fills_is_replaced() {
    ported(|| async {
        let barrier = Rc::new(Barrier::new(3));
        let mut tasks = waiters(&barrier, 2).await;
        tasks.remove(0).cancel().await;
        assert_eq!(barrier.n_waiting(), 1);
        tasks.extend(waiters(&barrier, 1).await);
        assert_eq!(barrier.n_waiting(), 2, "two of three are there");
        tasks.push(waiter(&barrier));
        assert_eq!(indices(&all(tasks).await), [0, 1, 2]);
    });
}

#[test]
fn a_reset_sends_away_all_who_wait_and_the_barrier_fills_anew() {
    ported(|| async {
        let barrier = Rc::new(Barrier::new(3));
        let tasks = waiters(&barrier, 2).await;
        barrier.reset();
        assert_eq!((barrier.n_waiting(), barrier.is_broken()), (0, false));
        let next = waiters(&barrier, 3).await;
        assert_eq!(all(tasks).await, [Err(BarrierError::Reset); 2]);
        assert_eq!(indices(&all(next).await), [0, 1, 2]);
    });
}

#[test]
fn under_fifo_a_reset_in_the_midst_of_a_round_sends_away_only_those_who_wait_for_the_next() {
    under_fifo(|| async {
        let (barrier, journal) = (Rc::new(Barrier::new(5)), Journal::new());
        let tasks: Vec<_> = (0..5)
            .map(|_| {
                let (barrier, journal) = (barrier.clone(), journal.clone());
                parcae::spawn(async move {
                    let first = barrier.wait().await;
                    journal.add(first.is_ok());
                    if journal.count() == 3 {
                        // Two of the round have not run; two that have wait for the next.
                        barrier.reset();
                    }
                    barrier.wait().await
                })
            })
            .collect();
        settle().await;
        assert_eq!(journal.take(), [true; 5], "a round that was full is complete");
        assert_eq!(barrier.n_waiting(), 3);
        let more = waiters(&barrier, 2).await;
        let results = all(tasks).await;
        let reset = results.iter().filter(|result| **result == Err(BarrierError::Reset));
        assert_eq!(reset.count(), 2);
        let mut passed: Vec<_> = results.into_iter().filter(Result::is_ok).collect();
        passed.extend(all(more).await);
        assert_eq!(indices(&passed), [0, 1, 2, 3, 4]);
    });
}

#[test]
fn under_fifo_a_reset_by_the_last_of_a_round_sends_away_those_who_wait_again() {
    under_fifo(|| async {
        let (barrier, passed) = (Rc::new(Barrier::new(4)), Rc::new(Cell::new(0)));
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (barrier, passed) = (barrier.clone(), passed.clone());
                parcae::spawn(async move {
                    barrier.wait().await.unwrap();
                    passed.set(passed.get() + 1);
                    if passed.get() == 4 {
                        barrier.reset();
                    } else {
                        assert_eq!(barrier.wait().await, Err(BarrierError::Reset));
                    }
                    barrier.wait().await
                })
            })
            .collect();
        assert_eq!(indices(&all(tasks).await), [0, 1, 2, 3]);
    });
}

#[test]
fn under_fifo_an_abort_in_the_midst_of_a_round_breaks_it_for_all_who_come_after() {
    under_fifo(|| async {
        let (barrier, journal) = (Rc::new(Barrier::new(5)), Journal::new());
        let tasks: Vec<_> = (0..5)
            .map(|_| {
                let (barrier, journal) = (barrier.clone(), journal.clone());
                parcae::spawn(async move {
                    journal.add(barrier.wait().await.is_ok());
                    if journal.count() == 3 {
                        barrier.abort();
                    }
                    barrier.wait().await
                })
            })
            .collect();
        assert_eq!(all(tasks).await, [Err(BarrierError::Broken); 5]);
        assert_eq!(journal.take(), [true; 5]);
        assert!(barrier.is_broken());
        assert_eq!(barrier.wait().await, Err(BarrierError::Broken));
    });
}

#[test]
fn a_party_that_fails_aborts_the_others_and_a_reset_repairs_it() {
    ported(|| async {
        let barrier = Rc::new(Barrier::new(3));
        let tasks = waiters(&barrier, 2).await;
        let failing = parcae::spawn({
            let barrier = barrier.clone();
            async move { barrier.abort() }
        });
        assert_eq!(all(tasks).await, [Err(BarrierError::Broken); 2]);
        failing.await;
        assert!(barrier.is_broken());
        assert_eq!((barrier.wait().await, barrier.n_waiting()), (Err(BarrierError::Broken), 0));
        barrier.reset();
        assert!(!barrier.is_broken());
        assert_eq!(indices(&all(waiters(&barrier, 3).await).await), [0, 1, 2]);
    });
}

#[test]
fn each_who_is_sent_away_learns_why_whenever_it_runs() {
    let barrier = Barrier::new(3);
    let mut reset = Hand::waiting(barrier.wait());
    barrier.reset();
    let mut broken = Hand::waiting(barrier.wait());
    barrier.abort();
    barrier.abort();
    barrier.reset();
    let mut fills = [(); 2].map(|()| Hand::waiting(barrier.wait()));
    assert_eq!((reset.wake_count(), broken.wake_count()), (1, 1));
    assert!(Hand::new(barrier.wait()).ready().is_ok());
    barrier.reset();
    assert_eq!(broken.ready(), Err(BarrierError::Broken));
    assert_eq!(reset.ready(), Err(BarrierError::Reset));
    assert_eq!(fills.each_mut().map(|fill| fill.ready().unwrap().index()), [0, 1]);
    assert_eq!(fills.each_ref().map(Hand::wake_count), [1, 1]);
    assert_eq!(format!("{barrier:?}"), "Barrier { parties: 3, n_waiting: 0, is_broken: false }");
}

#[test]
fn a_barrier_of_one_does_not_wait_and_of_none_is_refused() {
    let barrier = Barrier::new(1);
    let mut wait = Hand::new(barrier.wait());
    let result = wait.ready().unwrap();
    assert_eq!((result.index(), result.is_leader(), barrier.parties()), (0, true, 1));
    assert_eq!(wait.wake_count(), 0);
    assert!(panic_of(|| drop(Barrier::new(0))).contains("0 parties"));
}

#[test]
fn rounds_are_full_before_anybody_goes_on_whoever_is_dropped_where() {
    for polls in 0..5 {
        on_every_seed(move || async move {
            let barrier = Rc::new(Barrier::new(3));
            let (came, passed) = (Rc::new(Cell::new(0_usize)), Rc::new(Cell::new(0_usize)));
            let tasks: Vec<_> = (0..4)
                .map(|number| {
                    let counts = (came.clone(), passed.clone());
                    parcae::spawn(come_thrice(barrier.clone(), counts, number, polls))
                })
                .collect();
            loop {
                settle().await;
                if tasks.iter().all(Task::is_finished) {
                    break;
                }
                // In place of those that were dropped.
                let missing = 3 - barrier.n_waiting();
                assert!(missing < 3, "some wait, but not for the barrier");
                came.set(came.get() + missing);
                all((0..missing).map(|_| waiter(&barrier)).collect()).await;
                passed.set(passed.get() + missing);
            }
            for task in tasks {
                task.await;
            }
            assert_eq!(barrier.n_waiting(), 0);
        });
    }
}

/// Comes to three rounds. In the one of its number it is dropped after so many polls.
async fn come_thrice(
    barrier: Rc<Barrier>,
    (came, passed): (Rc<Cell<usize>>, Rc<Cell<usize>>),
    number: usize,
    polls: usize,
) {
    for round in 0..3 {
        came.set(came.get() + 1);
        if number == round {
            dropped_after(polls, barrier.wait()).await;
            continue;
        }
        barrier.wait().await.unwrap();
        passed.set(passed.get() + 1);
        let in_full_rounds = passed.get().next_multiple_of(3);
        assert!(came.get() >= in_full_rounds, "went on too early");
        yield_now().await;
    }
}

#[test]
fn a_party_that_does_not_come_is_a_deadlock_that_names_the_barrier() {
    let outcome = Sim::new(7).run(|| async {
        let barrier = Rc::new(Barrier::new(3).named("start"));
        let tasks = waiters(&barrier, 2).await;
        all(tasks).await;
    });
    let failure = outcome.into_result().unwrap_err();
    assert!(matches!(failure, Failure::Deadlock { .. }), "{failure}");
    let wait = failure.stalled_tasks()[1].wait.clone().unwrap();
    assert_eq!((wait.kind, wait.verb, wait.name.as_deref()), ("Barrier", "wait", Some("start")));
}
