//! Cancelling single tasks: who wins, what is left, what is told.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;

use parcae::sync::{Event, Mutex, Queue};
use parcae::task::{CancelHandle, JoinError, settle, yield_now};
use parcae::time::{Instant, sleep, timeout};
use parcae::{Failure, Task, spawn};

use super::{after, everywhere, on_seeds};
use crate::runs::{Journal, OnDrop, failure, fifo, millis, random, secs};

#[test]
fn a_time_out_leaves_no_cancellation_behind() {
    everywhere(|| async {
        let task = spawn(async {
            assert!(timeout(secs(1), pending::<()>()).await.is_err());
            sleep(secs(1)).await;
            assert!(timeout(secs(1), timeout(secs(2), pending::<()>())).await.is_err());
            yield_now().await;
            "went on"
        });
        assert_eq!(task.await, "went on");
    });
}

#[test]
fn cancelling_an_outer_task_cancels_the_chain_down_to_the_leaf() {
    everywhere(|| async {
        let dropped = Journal::new();
        let journal = dropped.clone();
        let outer = spawn(async move {
            let inner = spawn({
                let journal = journal.clone();
                async move { spawn(after(300, (), journal)).await }
            });
            let _guard = OnDrop(|| journal.add(100));
            inner.await;
        });
        settle().await;
        outer.cancel().await;
        settle().await;
        assert_eq!(dropped.take(), [100, 300]);
    });
}

#[test]
fn cancelling_what_a_task_awaits_is_told_to_the_task() {
    everywhere(|| async {
        let inner = spawn(pending::<()>());
        let handle = inner.cancel_handle();
        let outer = spawn(async move {
            let end = inner.join().await;
            assert!(matches!(end, Err(JoinError::Cancelled)));
            42
        });
        settle().await;
        handle.cancel();
        assert_eq!(outer.await, 42, "the outer task goes on");
        assert!(handle.is_finished());
    });
}

#[test]
fn cancelling_both_an_outer_and_its_inner_task_ends_both() {
    everywhere(|| async {
        let inner = spawn(pending::<()>());
        let inner_handle = inner.cancel_handle();
        let outer = spawn(async move {
            let _end = inner.join().await;
            pending::<()>().await;
        });
        settle().await;
        let outer_handle = outer.cancel_handle();
        if parcae::choose(0..2_u32) == 0 {
            inner_handle.cancel();
            outer_handle.cancel();
        } else {
            outer_handle.cancel();
            inner_handle.cancel();
        }
        assert!(matches!(outer.join().await, Err(JoinError::Cancelled)));
        settle().await;
        assert!(inner_handle.is_finished());
    });
}

#[test]
fn a_task_that_cancels_itself_goes_on_to_its_next_wait() {
    everywhere(|| async {
        let (own, journal) = (Rc::new(Cell::new(None::<CancelHandle>)), Journal::new());
        let (handle, steps) = (own.clone(), journal.clone());
        let task = spawn(async move {
            handle.take().unwrap().cancel();
            steps.add("cancelled");
            sleep(secs(100)).await;
            steps.add("never");
        });
        own.set(Some(task.cancel_handle()));
        assert!(matches!(task.join().await, Err(JoinError::Cancelled)));
        assert_eq!(journal.take(), ["cancelled"]);
    });
}

#[test]
fn a_task_that_cancels_itself_in_its_last_step_gives_its_value() {
    everywhere(|| async {
        let own = Rc::new(Cell::new(None::<CancelHandle>));
        let handle = own.clone();
        let task = spawn(async move {
            sleep(secs(1)).await;
            handle.take().unwrap().cancel();
            42
        });
        own.set(Some(task.cancel_handle()));
        assert_eq!(task.join().await.unwrap(), 42);
    });
}

#[test]
fn a_task_that_cancels_itself_and_awaits_another_cancels_that_too() {
    // bpo-34872
    everywhere(|| async {
        let (own, dropped) = (Rc::new(Cell::new(None::<CancelHandle>)), Journal::new());
        let (handle, journal) = (own.clone(), dropped.clone());
        let task = spawn(async move {
            handle.take().unwrap().cancel();
            spawn(after(3_600_000, (), journal)).await;
        });
        own.set(Some(task.cancel_handle()));
        assert!(matches!(task.join().await, Err(JoinError::Cancelled)));
        settle().await;
        assert!(dropped.count() <= 1);
        // Nothing is left that would move time.
        assert_eq!(Instant::now().elapsed(), secs(0));
    });
}

#[test]
fn cancelling_is_told_apart_from_dying_and_panicking() {
    everywhere(|| async {
        let cancelled = spawn(pending::<()>());
        cancelled.cancel_handle().cancel();
        assert!(matches!(cancelled.join().await, Err(JoinError::Cancelled)));
        let unwinding = spawn(async {
            let _guard = OnDrop(|| panic!("while ending"));
            pending::<()>().await;
        });
        settle().await;
        unwinding.cancel_handle().cancel();
        assert!(matches!(unwinding.join().await, Err(JoinError::Panicked { .. })));
        let domain = parcae::executor::DomainId::create("node", 0);
        let builder = parcae::task::Builder::new().name("inhabitant");
        let gone = builder.domain(domain).spawn(pending::<()>());
        domain.kill();
        assert!(matches!(gone.join().await, Err(JoinError::Gone)));
    });
}

#[test]
fn a_handle_to_cancel_does_nothing_to_a_task_that_has_ended_or_to_the_next_one_in_its_place() {
    everywhere(|| async {
        let ended = spawn(async { 1 });
        let handle = ended.cancel_handle();
        assert_eq!(ended.await, 1);
        let next = spawn(async {
            sleep(secs(1)).await;
            2
        });
        assert!(handle.is_finished());
        handle.cancel();
        assert_eq!(next.await, 2);
    });
    let outcome = fifo(|| async { spawn(async {}).cancel_handle() });
    let handle = outcome.unwrap();
    handle.cancel();
    assert!(handle.is_finished(), "outside of its run");
}

#[test]
fn a_result_of_the_step_in_which_its_waiter_is_cancelled_is_not_leaked() {
    // bpo-37658
    everywhere(|| async {
        let open = Rc::new(Cell::new(0));
        let count = open.clone();
        let connect = move || {
            let count = count.clone();
            async move {
                sleep(secs(1)).await;
                count.set(count.get() + 1);
                OnDrop(move || count.set(count.get() - 1))
            }
        };
        let waiting = spawn(timeout(secs(5), spawn(connect())));
        let handle = waiting.cancel_handle();
        spawn(async move {
            sleep(secs(1)).await;
            handle.cancel();
        })
        .detach();
        match waiting.join().await {
            Ok(connection) => assert!(connection.is_ok() && open.get() == 1),
            Err(error) => assert!(matches!(error, JoinError::Cancelled)),
        }
        settle().await;
        assert_eq!(open.get(), 0, "a connection is left open");
    });
}

#[test]
fn a_lock_that_is_acquired_in_the_step_of_the_time_out_is_not_leaked() {
    everywhere(|| async {
        let lock = Rc::new(Mutex::new(()));
        let held = lock.lock().await;
        let inner = lock.clone();
        let acquiring = spawn(async move { drop(inner.lock().await) });
        let waiting = spawn(timeout(secs(1), acquiring));
        let handle = waiting.cancel_handle();
        sleep(secs(1)).await;
        drop(held);
        if parcae::choose(0..2_u32) == 0 {
            handle.cancel();
        }
        drop(waiting.join().await);
        let relock = timeout(secs(1), lock.lock()).await;
        assert!(relock.is_ok(), "the lock is held by nobody");
    });
}

#[test]
fn an_outside_cancellation_of_a_bounded_wait_is_neither_swallowed_nor_does_it_lose_a_value() {
    // bpo-42130: the value and the cancellation come in one step.
    let went_on = on_seeds(|| async {
        let (event, journal) = (Rc::new(Event::new()), Journal::new());
        let (inner, steps) = (event.clone(), journal.clone());
        let task = spawn(async move {
            let is_set = timeout(secs(10), async { inner.wait().await }).await;
            assert!(is_set.is_ok());
            steps.add("value");
            pending::<()>().await;
            steps.add("swallowed");
        });
        settle().await;
        event.set();
        if parcae::choose(0..2_u32) == 0 {
            yield_now().await;
        }
        task.cancel_handle().cancel();
        assert!(matches!(task.join().await, Err(JoinError::Cancelled)));
        let steps = journal.take();
        assert!(!steps.contains(&"swallowed"));
        steps.len()
    });
    assert!(went_on.contains(&0) && went_on.contains(&1), "one order of the two is never tried");
}

#[test]
fn a_bounded_wait_for_a_task_ends_after_the_task_was_told() {
    // bpo-32751: the task is cancelled when the time-out is seen, and gone before time moves.
    everywhere(|| async {
        let dropped = Journal::new();
        let task = spawn(after(10_000, (), dropped.clone()));
        let handle = task.cancel_handle();
        assert!(timeout(secs(1), task).await.is_err());
        settle().await;
        assert!(handle.is_finished());
        assert_eq!(dropped.take(), [10_000]);
    });
}

#[test]
fn an_item_that_a_cancelled_task_was_about_to_get_is_not_lost() {
    everywhere(|| async {
        let queue = Queue::unbounded();
        let getter = |queue: Queue<u32>| spawn(async move { queue.get().await });
        let (one, two) = (getter(queue.clone()), getter(queue.clone()));
        settle().await;
        queue.try_put(1).unwrap();
        let handle = one.cancel_handle();
        handle.cancel();
        queue.try_put(2).unwrap();
        let mut seen = Vec::new();
        for task in [one, two] {
            if let Ok(item) = task.join().await {
                seen.push(item.unwrap());
            }
        }
        while let Ok(item) = queue.try_get() {
            seen.push(item);
        }
        seen.sort_unstable();
        assert_eq!(seen, [1, 2]);
    });
}

#[test]
fn a_task_that_nobody_awaits_is_a_leak_that_is_named() {
    let outcome = fifo(|| async {
        let keep: Rc<RefCell<Vec<Task<()>>>> = Rc::default();
        keep.borrow_mut().push(parcae::spawn_named("forgotten", pending()));
        keep.borrow_mut().drain(..).for_each(Task::detach);
    });
    let Failure::Leak { .. } = failure(&outcome) else { panic!("{:?}", outcome.failure()) };
    assert!(failure(&outcome).to_string().contains("`forgotten`"));
}

#[test]
fn without_settling_a_cancelled_task_is_cancelled_or_has_its_value() {
    let mut values = 0;
    for outcome in random(300, || async {
        let dropped = Journal::new();
        let task = spawn(after(0, 42, dropped.clone()));
        let handle = task.cancel_handle();
        for _ in 0..parcae::choose(0..3_u32) {
            yield_now().await;
        }
        handle.cancel();
        let end = task.join().await;
        match end {
            Ok(value) => value,
            Err(JoinError::Cancelled) => 0,
            Err(other) => panic!("{other}"),
        }
    }) {
        assert_eq!(outcome.elapsed(), millis(0));
        values += u32::from(outcome.unwrap() == 42);
    }
    assert!(values > 20 && values < 280, "{values} of 300 came to their value");
}
