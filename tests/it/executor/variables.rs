//! Context variables, and work that keeps a machine busy.

use parcae::executor::DomainId;
use parcae::task::{Builder, ContextVar, burn, finally, settle, yield_now};
use parcae::time::{Instant, sleep, timeout};
use parcae::{spawn, spawn_named};

use crate::runs::{Journal, OnDrop, SEEDS, fifo, millis, panic_of, random, secs};

static TENANT: ContextVar<&'static str> = ContextVar::new(|| "nobody");
static DEPTH: ContextVar<u32> = ContextVar::new(|| 0);

// CPython's test_context_4 to 6.
#[test]
fn a_child_begins_with_its_makers_variables_and_neither_sees_what_the_other_sets_later() {
    for outcome in random(300, || async {
        TENANT.set("maker");
        let child = spawn(async {
            assert_eq!(TENANT.get(), "maker");
            TENANT.set("child");
            let grandchild = spawn(async { TENANT.get() });
            TENANT.set("child, later");
            yield_now().await;
            assert_eq!(TENANT.get(), "child, later");
            grandchild.await
        });
        TENANT.set("maker, later");
        let sibling = spawn(async { TENANT.get() });
        assert_eq!(child.await, "child");
        assert_eq!(sibling.await, "maker, later");
        assert_eq!(TENANT.get(), "maker, later");
        assert_eq!(DEPTH.get(), 0, "another variable");
    }) {
        outcome.unwrap();
    }
}

#[test]
fn no_run_sees_the_variables_of_another() {
    for outcome in random(3, || async {
        assert_eq!(TENANT.get(), "nobody");
        TENANT.set("somebody");
    }) {
        outcome.unwrap();
    }
    assert_eq!(TENANT.get(), "nobody");
    assert!(panic_of(|| TENANT.set("nowhere")).contains("`ContextVar::set` was called outside"));
}

#[test]
fn a_scope_holds_for_the_future_and_its_children_only() {
    for outcome in random(SEEDS, || async {
        let inside = DEPTH.scope(1, async {
            yield_now().await;
            let child = spawn(async { DEPTH.get() });
            DEPTH.set(DEPTH.get() + 1);
            let nested = DEPTH.scope(10, async { DEPTH.get() }).await;
            sleep(millis(1)).await;
            (DEPTH.get(), child.await, nested)
        });
        let beside = async {
            for _ in 0..3 {
                assert_eq!(DEPTH.get(), 0, "in the same task, outside of the scope");
                yield_now().await;
            }
        };
        let (seen, ()) = futures::join!(inside, beside);
        assert_eq!(seen, (2, 1, 10));
        assert_eq!(DEPTH.get(), 0);
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_panic_in_a_scope_puts_the_value_of_outside_back() {
    use futures::FutureExt as _;
    let outcome = fifo(|| async {
        let inside = DEPTH.scope(1, async { panic!("out of cheese") });
        let end: Result<(), _> = std::panic::AssertUnwindSafe(inside).catch_unwind().await;
        assert!(end.is_err());
        DEPTH.get()
    });
    assert_eq!(outcome.unwrap(), 0);
}

// Burning

#[test]
fn burning_delays_the_timers_of_its_machine_and_of_no_other() {
    for outcome in random(SEEDS, || async {
        let heartbeat = async || {
            let start = Instant::now();
            sleep(millis(10)).await;
            start.elapsed()
        };
        let (busy, idle) = (DomainId::create("busy", 0), DomainId::create("idle", 0));
        let late = Builder::new().domain(busy).spawn(async move { heartbeat().await });
        let punctual = Builder::new().domain(idle).spawn(async move { heartbeat().await });
        settle().await;
        let work = Builder::new().domain(busy).spawn(async {
            burn(secs(1)).await;
            Instant::now()
        });
        assert_eq!(punctual.await, millis(10));
        assert_eq!(late.await, secs(1));
        work.await;
    }) {
        assert_eq!(outcome.elapsed(), secs(1));
        outcome.unwrap();
    }
}

#[test]
fn what_two_tasks_burn_adds_up() {
    for outcome in random(SEEDS, || async {
        let tasks = ["a", "b"].map(|name| spawn_named(name, burn(secs(1))));
        for task in tasks {
            task.await;
        }
    }) {
        assert_eq!(outcome.elapsed(), secs(2));
        outcome.unwrap();
    }
}

// CPython's test_nested_timeouts_loop_busy: both deadlines have passed when the loop is free again.
#[test]
fn of_two_time_outs_that_passed_while_the_machine_was_busy_the_inner_one_is_seen() {
    for outcome in random(300, || async {
        let start = Instant::now();
        let result = timeout(millis(100), async {
            let inner = timeout(millis(50), async {
                burn(millis(200)).await;
                std::future::pending::<()>().await;
            });
            let result = inner.await;
            assert_eq!(start.elapsed(), millis(200));
            result
        });
        assert!(matches!(result.await, Ok(Err(_))));
        // A value that is there when the machine is free comes, however late.
        assert!(timeout(millis(50), burn(millis(200))).await.is_ok());
    }) {
        outcome.unwrap();
    }
}

#[test]
fn regression_what_is_dropped_in_a_scope_sees_its_value_and_so_does_its_cleanup() {
    fifo(|| async {
        let journal = Journal::new();
        let work = || {
            let (dropped, cleaned) = (journal.clone(), journal.clone());
            let guard = OnDrop(move || dropped.add(DEPTH.get()));
            finally(
                async move {
                    let _guard = guard;
                    sleep(secs(2)).await;
                },
                async move || cleaned.add(DEPTH.get()),
            )
        };
        DEPTH.scope(7, work()).await;
        assert_eq!(journal.take(), [7, 7]);
        assert!(timeout(secs(1), DEPTH.scope(7, work())).await.is_err());
        assert_eq!(journal.take(), [7, 7]);
        assert_eq!(DEPTH.get(), 0);
    })
    .unwrap();
}
