//! What is easily lost: a wake in the middle of a poll, a cleanup at the end of a run.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use futures::future::select;
use futures::join;
use parcae::executor::DomainId;
use parcae::sync::Mutex;
use parcae::task::{Builder, ContextVar, finally, group, settle};
use parcae::time::{Instant, sleep, timeout};
use parcae::{Failure, Task, spawn};

use crate::runs::{Journal, discard, fifo, panicked, poll_once, secs};

#[test]
fn regression_a_killer_is_woken_by_the_destructors_of_its_victims() {
    fifo(|| async {
        let domain = DomainId::create("n", 0);
        let lock = Arc::new(Mutex::new(0));
        let held = lock.clone();
        let holder = Builder::new().domain(domain).spawn(async move {
            let _guard = held.lock().await;
            pending::<()>().await;
        });
        settle().await;
        join!(
            async {
                *lock.lock().await += 1;
            },
            async { domain.kill() }
        );
        drop(holder);
    })
    .unwrap();
}

#[test]
fn regression_a_killer_is_woken_by_the_end_of_what_it_joins() {
    fifo(|| async {
        let domain = DomainId::create("n", 0);
        let closing = Builder::new().domain(domain).spawn(async {
            let mut work = Box::pin(finally(pending::<()>(), pending::<()>));
            assert!(poll_once(&mut work).is_pending());
            7
        });
        settle().await;
        let (end, ()) = join!(closing.join(), async { domain.kill() });
        assert_eq!(end.unwrap(), 7);
    })
    .unwrap();
}

#[test]
fn regression_the_end_of_a_run_tells_a_cleanup_that_its_tasks_have_ended() {
    let journal = Journal::new();
    let entries = journal.clone();
    fifo(move || async move {
        let owner = spawn(async move {
            let group = group(async |group| {
                group.spawn(finally(pending::<()>(), async move || {
                    sleep(secs(1)).await;
                    entries.add("clean");
                }));
                pending::<Result<(), ()>>().await
            });
            group.await
        });
        settle().await;
        drop(owner);
        settle().await;
    })
    .unwrap();
    assert_eq!(journal.take(), ["clean"]);
}

#[test]
fn regression_a_run_may_end_while_a_machine_with_cleanups_is_paused() {
    fifo(|| async {
        let domain = DomainId::create("n", 0);
        Builder::new()
            .domain(domain)
            .spawn(finally(pending::<()>(), async || sleep(secs(1)).await))
            .background();
        settle().await;
        domain.pause();
    })
    .unwrap();
    // Its cleanup is open already.
    fifo(|| async {
        let domain = DomainId::create("n", 0);
        let task = Builder::new()
            .domain(domain)
            .spawn(finally(pending::<()>(), async || sleep(secs(1)).await));
        settle().await;
        drop(task);
        settle().await;
        domain.pause();
    })
    .unwrap();
    // A cleanup elsewhere waits for a child there.
    fifo(|| async {
        let domain = DomainId::create("n", 0);
        let task = spawn(async move {
            let group = group(async |group| {
                group.spawn_with(
                    Builder::new().domain(domain),
                    finally(pending::<()>(), async || sleep(secs(1)).await),
                );
                pending::<Result<(), ()>>().await
            });
            group.await
        });
        settle().await;
        domain.pause();
        drop(task);
        settle().await;
    })
    .unwrap();
}

/// Asks the run something when it is dropped.
#[derive(Clone)]
struct Asks(Rc<Cell<u32>>);

impl Drop for Asks {
    fn drop(&mut self) {
        discard(Instant::now());
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn regression_the_value_of_a_context_variable_is_dropped_unborrowed() {
    static VALUE: ContextVar<Option<Asks>> = ContextVar::new(|| None);
    fifo(|| async {
        let count = Rc::new(Cell::new(0));
        let of_child = || {
            let count = count.clone();
            async move {
                VALUE.set(Some(Asks(count)));
                pending::<()>().await;
            }
        };
        // Joined, let go and killed: each way frees the place of a task.
        let cancelled = spawn(of_child());
        spawn(of_child()).background();
        let left_alone = spawn(of_child());
        let domain = DomainId::create("n", 0);
        Builder::new().domain(domain).spawn(of_child()).detach();
        settle().await;
        assert_eq!(cancelled.cancel().await, None);
        assert_eq!(count.get(), 1);
        drop(left_alone);
        settle().await;
        assert_eq!(count.get(), 2);
        domain.kill();
        assert_eq!(count.get(), 3);
        VALUE.set(Some(Asks(count)));
    })
    .unwrap();
}

#[test]
fn regression_the_panic_of_a_task_that_waits_for_its_cleanup_is_not_lost_with_the_domain() {
    let outcome = fifo(|| async {
        let domain = DomainId::create("n", 0);
        let work = finally(async { panic!("out of cheese") }, pending::<()>);
        Builder::new().domain(domain).spawn(work).detach();
        settle().await;
        domain.kill();
    });
    panicked(&outcome, "out of cheese");
}

#[test]
fn regression_a_time_out_waits_for_its_own_cleanups_only() {
    fifo(|| async {
        let clean = || async { sleep(secs(2)).await };
        let start = Instant::now();
        let first = async {
            assert!(timeout(secs(1), finally(pending::<()>(), clean)).await.is_err());
            start.elapsed()
        };
        let second = async {
            for _ in 0..10 {
                let work = pin!(finally(pending::<()>(), clean));
                select(work, pin!(sleep(secs(1)))).await;
            }
        };
        let (took, ()) = join!(first, second);
        assert_eq!(took, secs(3));
    })
    .unwrap();
}

#[test]
fn regression_a_task_that_owns_its_handle_may_leave_a_cleanup_at_the_end() {
    let journal = Journal::new();
    let entries = journal.clone();
    fifo(move || async move {
        let place = Rc::new(RefCell::new(None::<Task<()>>));
        let own = place.clone();
        let task = spawn(async move {
            let later = finally(pending::<()>(), async move || {
                sleep(secs(1)).await;
                entries.add("clean");
            });
            let mut later = pin!(later);
            later.as_mut().await;
            drop(own);
        });
        *place.borrow_mut() = Some(task);
        drop(place);
        settle().await;
    })
    .unwrap();
    assert_eq!(journal.take(), ["clean"]);
}

#[test]
fn regression_a_task_that_a_last_cleanup_detaches_must_end_as_others_must() {
    let outcome = fifo(|| async {
        let leave = async || spawn(pending::<()>()).detach();
        spawn(finally(pending::<()>(), leave)).background();
        settle().await;
    });
    assert!(matches!(outcome.failure(), Some(Failure::Leak { tasks, .. }) if tasks.len() == 1));
    // One that ends in time does no harm, nor does its own cleanup.
    let journal = Journal::new();
    let entries = journal.clone();
    let outcome = fifo(move || async move {
        let leave = async move || {
            let note = async move || {
                sleep(secs(1)).await;
                entries.add("clean");
            };
            spawn(async move {
                let mut work = Box::pin(finally(pending::<()>(), note));
                assert!(poll_once(&mut work).is_pending());
            })
            .detach();
        };
        spawn(finally(pending::<()>(), leave)).background();
        settle().await;
    });
    outcome.unwrap();
    assert_eq!(journal.take(), ["clean"]);
}
