//! Cancelling: when a future is destroyed, where, and what its destructors can do.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use parcae::task::{JoinError, settle, yield_now};
use parcae::time::{Instant, sleep};
use parcae::{Task, spawn, spawn_named};

use crate::runs::{Journal, OnDrop, SEEDS, fifo, nanos, random, secs};

/// Journals in the context of which task it is dropped, and how long after it was made.
fn witness(journal: &Journal<(String, Duration)>) -> OnDrop<impl FnMut() + use<>> {
    let (journal, made_at) = (journal.clone(), Instant::now());
    OnDrop(move || {
        let probe = spawn_named("probe", async {});
        journal.add((probe.name(), made_at.elapsed()));
    })
}

#[test]
fn a_cancelled_task_is_destroyed_at_its_next_turn_in_its_own_context_before_time_moves() {
    for outcome in random(SEEDS, || async {
        let journal = Journal::new();
        let witness = witness(&journal);
        let victim = spawn_named("victim", async move {
            let _witness = witness;
            sleep(secs(3_600)).await;
        });
        sleep(secs(1)).await;
        drop(victim);
        assert_eq!(journal.count(), 0, "destroyed on the spot");
        sleep(nanos(1)).await;
        journal.take()
    }) {
        assert_eq!(outcome.unwrap(), [("victim/probe".to_owned(), secs(1))]);
    }
}

#[test]
fn a_task_that_is_cancelled_before_its_first_poll_is_never_polled() {
    for outcome in random(SEEDS, || async {
        let journal = Journal::new();
        let (witness, polled) = (witness(&journal), Rc::new(Cell::new(false)));
        let is_polled = polled.clone();
        drop(spawn_named("victim", async move {
            is_polled.set(true);
            drop(witness);
        }));
        assert_eq!(journal.count(), 0, "destroyed on the spot");
        settle().await;
        assert!(!polled.get());
        journal.take()
    }) {
        assert_eq!(outcome.unwrap(), [("victim/probe".to_owned(), Duration::ZERO)]);
    }
}

#[test]
fn waiting_for_a_cancellation_ends_after_the_future_is_destroyed() {
    for outcome in random(SEEDS, || async {
        let journal = Journal::new();
        let witness = witness(&journal);
        let victim = spawn_named("victim", async move {
            let _witness = witness;
            pending::<()>().await;
        });
        yield_now().await;
        assert_eq!(victim.cancel().await, None);
        assert_eq!(journal.count(), 1);
    }) {
        outcome.unwrap();
    }
}

#[test]
fn cancelling_a_task_that_has_ended_returns_its_output() {
    let outcome = fifo(|| async {
        let task = spawn(async { 42 });
        settle().await;
        task.cancel().await
    });
    assert_eq!(outcome.unwrap(), Some(42));
}

#[test]
fn a_task_that_is_woken_and_cancelled_at_once_does_not_run_on() {
    for outcome in random(SEEDS, || async {
        let went_on = Rc::new(Cell::new(false));
        let is_on = went_on.clone();
        let task = spawn(async move {
            sleep(secs(1)).await;
            is_on.set(true);
        });
        settle().await;
        let went_on_when_cancelled = {
            sleep(secs(1)).await;
            went_on.get()
        };
        drop(task);
        settle().await;
        assert_eq!(went_on.get(), went_on_when_cancelled);
        went_on_when_cancelled
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_task_that_cancels_itself_runs_to_its_next_wait_and_is_destroyed_there() {
    for outcome in random(SEEDS, || async {
        let journal = Journal::new();
        let (inner, witness) = (journal.clone(), witness(&journal));
        let handle = Rc::new(RefCell::new(None::<Task<()>>));
        let own = handle.clone();
        *handle.borrow_mut() = Some(spawn_named("self", async move {
            let _witness = witness;
            drop(own.take());
            inner.add(("still here".to_owned(), Duration::ZERO));
            yield_now().await;
            inner.add(("not here".to_owned(), Duration::ZERO));
        }));
        settle().await;
        journal.take()
    }) {
        let names: Vec<String> = outcome.unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["still here", "self/probe"]);
    }
}

#[test]
fn a_task_that_cancels_itself_and_ends_has_ended() {
    let outcome = fifo(|| async {
        let handle = Rc::new(RefCell::new(None::<Task<()>>));
        let own = handle.clone();
        *handle.borrow_mut() = Some(spawn(async move { drop(own.take()) }));
        settle().await;
    });
    outcome.unwrap();
}

#[test]
fn a_task_that_waits_for_its_own_cancellation_is_destroyed() {
    let outcome = fifo(|| async {
        let destroyed = Rc::new(Cell::new(false));
        let is_destroyed = destroyed.clone();
        let handle = Rc::new(RefCell::new(None::<Task<()>>));
        let own = handle.clone();
        *handle.borrow_mut() = Some(spawn(async move {
            let _guard = OnDrop(move || is_destroyed.set(true));
            let task = own.take().unwrap();
            task.cancel().await;
        }));
        settle().await;
        destroyed.get()
    });
    assert!(outcome.unwrap());
}

#[test]
fn the_tasks_that_a_cancelled_task_holds_are_cancelled_after_it() {
    let outcome = fifo(|| async {
        let journal = Journal::new();
        let (outer, inner) = (witness(&journal), witness(&journal));
        let task = spawn_named("outer", async move {
            let _outer = outer;
            let inner_task = spawn_named("inner", async move {
                let _inner = inner;
                pending::<()>().await;
            });
            inner_task.await;
        });
        settle().await;
        task.cancel().await;
        settle().await;
        journal.take()
    });
    let names: Vec<String> = outcome.unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["outer/probe", "outer/inner/probe"]);
}

#[test]
fn what_is_left_at_the_end_is_destroyed_in_its_own_context_in_order_of_making() {
    for outcome in random(SEEDS, || async {
        let journal = Journal::new();
        for name in ["first", "second", "third"] {
            let witness = witness(&journal);
            spawn_named(name, async move {
                let _witness = witness;
                pending::<()>().await;
            })
            .background();
        }
        settle().await;
        journal
    }) {
        let names: Vec<String> =
            outcome.unwrap().take().into_iter().map(|(name, _)| name).collect();
        // What a destructor spawns at the end is refused, so the probe has no parent.
        assert_eq!(names, ["probe"; 3]);
    }
}

#[test]
fn destructors_at_the_end_may_use_all_of_the_runtime() {
    let outcome = fifo(|| async {
        let journal = Journal::new();
        let inner = journal.clone();
        spawn_named("holder", async move {
            let child = spawn(pending::<()>());
            let waker = crate::runs::current_waker().await;
            let _guard = OnDrop(move || {
                waker.wake_by_ref();
                assert!(!child.is_finished());
                let mut sleeping = sleep(secs(1));
                assert!(crate::runs::poll_once(&mut sleeping).is_pending());
                let mut settling = settle();
                assert!(crate::runs::poll_once(&mut settling).is_pending());
                let mut joining = spawn(async {}).join();
                let joined = crate::runs::poll_once(&mut joining);
                let is_gone = matches!(joined, std::task::Poll::Ready(Err(JoinError::Gone)));
                inner.add((is_gone, parcae::rng().next_u64(), parcae::choose(0..1)));
                spawn(async {}).detach();
                spawn(async {}).background();
                drop(parcae::time::call_after(secs(1), || ()));
            });
            pending::<()>().await;
        })
        .background();
        settle().await;
        journal
    });
    assert_eq!(outcome.elapsed(), Duration::ZERO);
    let entries = outcome.unwrap().take();
    assert_eq!(entries.len(), 1);
    assert!(entries[0].0, "what is spawned at the end is gone");
}

#[test]
fn what_destructors_spawn_at_the_end_is_dropped_at_once_and_nothing_hangs() {
    let outcome = fifo(|| async {
        let journal = Journal::new();
        let inner = journal.clone();
        spawn(async move {
            let _guard = OnDrop(move || {
                let (ran, dropped) = (inner.clone(), inner.clone());
                let guard = OnDrop(move || dropped.add("dropped"));
                spawn(async move {
                    let _guard = guard;
                    ran.add("ran");
                })
                .detach();
                inner.add("spawned");
            });
            pending::<()>().await;
        })
        .background();
        settle().await;
        journal
    });
    assert_eq!(outcome.unwrap().take(), ["dropped", "spawned"]);
}
