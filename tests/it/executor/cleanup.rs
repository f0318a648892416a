//! Cleanup that awaits: when it runs, who waits for it, and what bounds it.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use parcae::executor::DomainId;
use parcae::task::{Builder, JoinError, finally, finally_within, scope, settle, yield_now};
use parcae::testing::Shared;
use parcae::time::{Instant, sleep, timeout};
use parcae::{Failure, Sim, spawn, spawn_named};

use crate::runs::{Journal, SEEDS, fifo, millis, nanos, panicked, random, secs};

/// A cleanup that takes a second and then writes into a journal.
fn noted(journal: &Journal<&'static str>) -> impl AsyncFnOnce() + use<> {
    let journal = journal.clone();
    async move || {
        sleep(secs(1)).await;
        journal.add("clean");
    }
}

#[test]
fn a_cleanup_runs_once_after_a_value_an_error_a_panic_and_a_cancellation() {
    for outcome in random(SEEDS, || async {
        let journal = Journal::new();
        assert_eq!(finally(async { 7 }, noted(&journal)).await, 7);
        assert_eq!(journal.take(), ["clean"]);

        let failing = finally(async { Err::<(), _>("no") }, noted(&journal));
        assert_eq!(failing.await, Err("no"));
        assert_eq!(journal.take(), ["clean"]);

        let panics = finally(async { panic!("out of cheese") }, noted(&journal));
        let end: Result<(), JoinError> = spawn(panics).join().await;
        assert!(end.unwrap_err().to_string().contains("out of cheese"));
        assert_eq!(journal.take(), ["clean"]);

        let cancelled = spawn(finally(pending::<()>(), noted(&journal)));
        settle().await;
        assert_eq!(cancelled.cancel().await, None);
        assert_eq!(journal.take(), ["clean"]);
    }) {
        assert_eq!(outcome.elapsed(), secs(4));
        outcome.unwrap();
    }
}

#[test]
fn the_output_comes_after_the_cleanup_also_without_settling() {
    for outcome in random(SEEDS, || async {
        let state = Rc::new(Shared::new(0));
        let users: Vec<_> = (0..3)
            .map(|_| {
                let state = state.clone();
                spawn(async move {
                    let during = state.clone();
                    let cleanup = async move || {
                        during.update(|open| *open -= 1).await;
                    };
                    state.update(|open| *open += 1).await;
                    finally(yield_now(), cleanup).await;
                })
            })
            .collect();
        for user in users {
            user.await;
        }
        assert_eq!(state.get().await, 0);
    }) {
        outcome.unwrap();
    }
}

// CPython's `wait_for` returned before the cancelled task had ended: bpo-32751.
#[test]
fn a_time_out_comes_after_the_cleanup_of_what_it_cancelled() {
    for outcome in random(300, || async {
        let journal = Journal::new();
        let start = Instant::now();
        let result = timeout(secs(2), finally(pending::<()>(), noted(&journal))).await;
        assert!(result.is_err());
        assert_eq!((journal.take(), start.elapsed()), (vec!["clean"], secs(3)));

        // A task ends in its own time: whoever wants to know waits for its cancellation.
        let mut task = spawn(finally(pending::<()>(), noted(&journal)));
        assert!(timeout(secs(2), &mut task).await.is_err());
        assert_eq!(task.cancel().await, None);
        assert_eq!((journal.take(), start.elapsed()), (vec!["clean"], secs(6)));
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_time_out_inside_of_a_cleanup_is_its_own() {
    for outcome in random(300, || async {
        let journal = Journal::new();
        let entries = journal.clone();
        let cleanup = async move || {
            assert!(timeout(millis(10), pending::<()>()).await.is_err());
            entries.add("clean");
        };
        assert!(timeout(millis(5), finally(pending::<()>(), cleanup)).await.is_err());
        assert_eq!(journal.take(), ["clean"]);
    }) {
        assert_eq!(outcome.elapsed(), millis(15));
        outcome.unwrap();
    }
}

#[test]
fn cleanups_that_are_nested_run_from_the_inside_out_or_at_once_when_cancelled() {
    for outcome in random(SEEDS, || async {
        let journal = Journal::new();
        let note = |what: &'static str| {
            let journal = journal.clone();
            async move || {
                sleep(secs(1)).await;
                journal.add(what);
            }
        };
        finally(finally(async {}, note("inner")), note("outer")).await;
        assert_eq!(journal.take(), ["inner", "outer"]);

        // Dropped together, they are two children of one task.
        let start = Instant::now();
        let both = finally(finally(pending::<()>(), note("inner")), note("outer"));
        assert!(timeout(secs(1), both).await.is_err());
        assert_eq!(start.elapsed(), secs(2));
        assert_eq!(journal.count(), 2);

        // The cleanup of a cleanup is waited for too.
        let (first, second) = (note("first"), note("second"));
        let deep = finally(pending::<()>(), async move || finally(first(), second).await);
        assert!(timeout(secs(1), deep).await.is_err());
        assert_eq!(journal.take()[2..], ["first", "second"]);
    }) {
        outcome.unwrap();
    }
}

// Impatience in asyncio: a second `cancel` interrupts the cleanup of the first.
#[test]
fn a_second_cancellation_does_not_interrupt_a_cleanup() {
    for outcome in random(SEEDS, || async {
        let journal = Journal::new();
        let worker = spawn(finally(async {}, noted(&journal)));
        // The body has ended, and the worker waits for its cleanup: the first cancellation.
        settle().await;
        sleep(millis(500)).await;
        let cancelling = spawn(async move { worker.cancel().await });
        settle().await;
        // The second one drops whoever waits.
        drop(cancelling);
        settle().await;
        assert_eq!(journal.count(), 0);
        sleep(millis(500) + nanos(1)).await;
        assert_eq!(journal.take(), ["clean"]);
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_cleanup_ends_when_its_grace_is_over() {
    for outcome in random(SEEDS, || async {
        let dropped_at = Rc::new(Cell::new(None));
        let at = dropped_at.clone();
        let start = Instant::now();
        let work = finally_within(secs(2), pending::<()>(), async move || {
            let _guard = crate::runs::OnDrop(move || at.set(Some(Instant::now())));
            sleep(secs(60)).await;
        });
        assert!(timeout(secs(1), work).await.is_err());
        assert_eq!(start.elapsed(), secs(3));
        assert_eq!(dropped_at.get(), Some(Instant::now()));
    }) {
        outcome.unwrap();
    }
}

#[test]
fn the_default_grace_is_five_seconds() {
    let outcome = fifo(|| async {
        let work = finally(pending::<()>(), async || pending::<()>().await);
        assert!(timeout(secs(1), work).await.is_err());
        Instant::now()
    });
    assert_eq!(outcome.elapsed(), secs(6));
    outcome.unwrap();
}

#[test]
fn the_end_of_a_run_waits_for_the_cleanups_of_what_is_left() {
    for seed in 0..SEEDS {
        let journal = Rc::new(RefCell::new(Vec::new()));
        let entries = journal.clone();
        let outcome = Sim::new(seed).run(move || async move {
            let server = finally(pending::<()>(), async move || {
                sleep(secs(1)).await;
                entries.borrow_mut().push("flushed");
                // What a cleanup spawns is not refused, and is gone at the end.
                let part = entries.clone();
                spawn(async move {
                    sleep(secs(1)).await;
                    part.borrow_mut().push("closed");
                })
                .await;
            });
            spawn_named("server", server).background();
            sleep(secs(3)).await;
        });
        assert_eq!(outcome.elapsed(), secs(5));
        outcome.unwrap();
        assert_eq!(*journal.borrow(), ["flushed", "closed"]);
    }
}

#[test]
fn a_run_with_and_without_cleanups_is_one_function_of_its_seed() {
    let program = || async {
        for delay in 1..4 {
            let cleanup = async move || sleep(secs(delay)).await;
            spawn(finally(sleep(secs(parcae::choose(1..9))), cleanup)).background();
        }
        sleep(secs(2)).await;
    };
    for seed in 0..50 {
        let [first, second] = [(), ()].map(|()| Sim::new(seed).run(program));
        assert_eq!(first.chain(), second.chain());
        first.unwrap();
    }
}

#[test]
fn the_program_itself_has_not_ended_before_its_cleanups() {
    for outcome in random(SEEDS, || async {
        // Dropped by hand, not awaited: the task `main` waits when it ends.
        let mut work = Box::pin(finally(pending::<()>(), async || sleep(secs(1)).await));
        assert!(crate::runs::poll_once(&mut work).is_pending());
        drop(work);
    }) {
        assert_eq!(outcome.elapsed(), secs(1));
        outcome.unwrap();
    }
}

#[test]
fn a_task_that_closes_is_no_leak_and_is_not_finished() {
    for outcome in random(SEEDS, || async {
        let task = spawn(async {
            let mut work = Box::pin(finally(pending::<()>(), async || sleep(secs(2)).await));
            let _ = crate::runs::poll_once(&mut work);
            "done"
        });
        sleep(secs(1)).await;
        assert!(!task.is_finished());
        // Cancelling it is too late: it has a value.
        assert_eq!(task.cancel().await, Some("done"));

        let detached = async {
            let mut work = Box::pin(finally(pending::<()>(), async || sleep(secs(2)).await));
            let _ = crate::runs::poll_once(&mut work);
        };
        spawn(detached).detach();
        settle().await;
    }) {
        assert_eq!(outcome.elapsed(), secs(4));
        outcome.unwrap();
    }
}

#[test]
fn a_panic_in_a_cleanup_fails_the_run() {
    for outcome in random(20, || async {
        let work = finally(pending::<()>(), async || panic!("broken pipe"));
        let _ = timeout(secs(1), work).await;
    }) {
        assert_eq!(panicked(&outcome, "broken pipe"), "cleanup");
    }
    // Also in one that the end of the run waits for.
    for outcome in random(20, || async {
        let work = finally(pending::<()>(), async || {
            sleep(secs(1)).await;
            panic!("broken pipe")
        });
        spawn_named("server", work).background();
        settle().await;
    }) {
        assert_eq!(panicked(&outcome, "broken pipe"), "server/cleanup");
    }
}

#[test]
fn a_machine_that_is_killed_cleans_up_nothing() {
    for outcome in random(SEEDS, || async {
        let journal = Journal::new();
        let machine = DomainId::create("db", 0);
        let ahead = finally(pending::<()>(), noted(&journal));
        let ahead = Builder::new().domain(machine).spawn(ahead);
        // This one is in its cleanup already.
        let within = finally(async {}, noted(&journal));
        let within = Builder::new().domain(machine).spawn(within);
        sleep(millis(500)).await;
        machine.kill();
        assert!(matches!(ahead.join().await, Err(JoinError::Gone)));
        assert!(matches!(within.join().await, Err(JoinError::Gone)));
        sleep(secs(10)).await;
        assert_eq!(journal.count(), 0);
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_run_that_has_failed_cleans_up_nothing() {
    let journal = Rc::new(Cell::new(0));
    let count = journal.clone();
    let outcome = Sim::new(3).run(move || async move {
        let work = finally(pending::<()>(), async move || count.set(count.get() + 1));
        spawn_named("server", work).background();
        settle().await;
        pending::<()>().await;
    });
    assert!(matches!(outcome.failure(), Some(Failure::Deadlock { .. })));
    assert_eq!(journal.get(), 0);
}

#[test]
fn a_body_that_never_began_leaves_nothing_to_clean_up() {
    let outcome = fifo(|| async {
        let journal = Journal::new();
        drop(finally(pending::<()>(), noted(&journal)));
        drop(spawn(finally(pending::<()>(), noted(&journal))));
        sleep(secs(5)).await;
        journal.count()
    });
    assert_eq!(outcome.unwrap(), 0);
}

#[test]
fn a_deadlock_in_which_a_task_waits_for_its_cleanup_says_so() {
    let outcome = fifo(|| async {
        let work = finally_within(Duration::MAX, async {}, async || pending::<()>().await);
        work.await;
    });
    let failure = outcome.failure().unwrap().to_string();
    assert!(failure.contains("`main` waits for Task cleanup of `cleanup`"), "{failure}");
}

// Scopes

#[test]
fn a_scope_opens_uses_and_closes_on_every_way_out() {
    for outcome in random(SEEDS, || async {
        let journal: Journal<&'static str> = Journal::new();
        let open = |journal: &Journal<&'static str>| {
            let journal = journal.clone();
            async move {
                sleep(millis(500)).await;
                journal.add("open");
                Ok::<_, &str>(journal)
            }
        };
        let close = async |journal: Journal<&'static str>| {
            sleep(millis(500)).await;
            journal.add("close");
        };
        let result = scope(open(&journal), close, async |journal| {
            journal.add("use");
            Ok(1)
        });
        assert_eq!(result.await, Ok(1));
        assert_eq!(journal.take(), ["open", "use", "close"]);

        let result = scope(open(&journal), close, async |journal| {
            journal.add("use");
            Err::<(), _>("broken")
        });
        assert_eq!(result.await, Err("broken"));
        assert_eq!(journal.take(), ["open", "use", "close"]);

        let cancelled = scope(open(&journal), close, async |journal| {
            journal.add("use");
            pending::<Result<(), _>>().await
        });
        assert!(timeout(secs(1), cancelled).await.is_err());
        assert_eq!(journal.take(), ["open", "use", "close"]);

        let refused = async { Err::<Journal<&'static str>, _>("refused") };
        let result = scope(refused, close, async |_| Ok(()));
        assert_eq!(result.await, Err("refused"));
        assert_eq!(journal.count(), 0);

        // Cancelled while it opens: there is nothing to close yet.
        assert!(
            timeout(millis(100), scope(open(&journal), close, async |_| Ok(()))).await.is_err()
        );
        sleep(secs(2)).await;
        assert_eq!(journal.count(), 0);
    }) {
        outcome.unwrap();
    }
}
