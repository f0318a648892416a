//! Handles and wakers: what they are worth, and what they are not.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use futures::StreamExt as _;
use parcae::task::{settle, yield_now};
use parcae::time::{Sleep, Timeout, sleep};
use parcae::{Task, spawn, spawn_named};

use crate::runs::{Journal, SEEDS, current_waker, failure, fifo, millis, panicked, random, secs};

#[test]
fn leaves_are_send_and_sync_and_handles_are_if_the_output_is_send() {
    fn check<T: Send + Sync>() {}
    check::<Task<Cell<u8>>>();
    check::<parcae::task::Join<Cell<u8>>>();
    check::<parcae::task::Cancel<Cell<u8>>>();
    check::<Sleep>();
    check::<Timeout<Sleep>>();
    check::<parcae::time::Interval>();
    check::<parcae::time::Call>();
    check::<parcae::task::YieldNow>();
    check::<parcae::task::Settle>();
    check::<parcae::Rng>();
}

/// Runs a program that is given the handle of a task of an earlier run; a task of its own has the
/// same place in the table.
fn with_stale_handle<F: Future + 'static>(
    use_handle: impl FnOnce(Task<u32>) -> F + 'static,
) -> parcae::Outcome<u32> {
    let stale = fifo(|| async { spawn(async { 1 }) }).unwrap();
    fifo(move || async move {
        let own = spawn_named("own", async {
            sleep(secs(1)).await;
            2
        });
        use_handle(stale).await;
        own.await
    })
}

#[test]
fn a_handle_that_is_awaited_in_another_run_panics() {
    let message = "a task was awaited inside of another simulation than its own";
    panicked(&with_stale_handle(|stale| stale), message);
    panicked(&with_stale_handle(|stale| async { stale.join().await.unwrap() }), message);
    panicked(&with_stale_handle(|stale| async { stale.cancel().await.unwrap() }), message);
}

#[test]
fn a_handle_that_is_let_go_in_another_run_does_nothing() {
    assert_eq!(with_stale_handle(|stale| async { drop(stale) }).unwrap(), 2);
    assert_eq!(with_stale_handle(|stale| async { stale.detach() }).unwrap(), 2);
    assert_eq!(with_stale_handle(|stale| async { stale.background() }).unwrap(), 2);
    assert_eq!(with_stale_handle(|stale| async { drop(stale.cancel()) }).unwrap(), 2);
    assert_eq!(with_stale_handle(|stale| async { drop(stale.join()) }).unwrap(), 2);
}

#[test]
fn a_handle_shows_nothing_of_another_run() {
    let outcome = with_stale_handle(|stale| async move {
        assert!(stale.is_finished(), "its own run is over");
        assert_eq!(stale.name(), "");
    });
    outcome.unwrap();
}

#[test]
fn a_detached_task_of_another_run_is_no_leak_of_this_one() {
    let stale = fifo(|| async { spawn(pending::<()>()) }).unwrap();
    let outcome = fifo(move || async move {
        let own = spawn(pending::<()>());
        stale.detach();
        own
    });
    assert!(outcome.is_ok(), "{:?}", outcome.failure());
}

#[test]
fn a_handle_outside_of_a_run_does_nothing() {
    let handles = fifo(|| async { [(); 4].map(|()| spawn(async { 1 })) }).unwrap();
    let [dropped, detached, background, named] = handles;
    drop(dropped);
    detached.detach();
    background.background();
    assert_eq!((named.name().as_str(), named.is_finished()), ("", true));
}

#[test]
fn a_sleep_of_another_run_panics_when_polled_and_does_nothing_when_dropped() {
    let stale = || {
        fifo(|| async {
            let mut sleeping = sleep(secs(5));
            assert!(
                poll_fn(|context| Poll::Ready(Pin::new(&mut sleeping).poll(context)))
                    .await
                    .is_pending()
            );
            sleeping
        })
        .unwrap()
    };
    let (polled, dropped) = (stale(), stale());
    let outcome = fifo(|| polled);
    panicked(&outcome, "a timer was polled inside of another simulation than its own");
    let outcome = fifo(|| async {
        let own = spawn(sleep(secs(5)));
        settle().await;
        drop(dropped);
        own.await;
    });
    assert_eq!(outcome.elapsed(), secs(5));
}

#[test]
fn a_task_knows_its_name_and_the_names_of_its_parents() {
    let outcome = fifo(|| async {
        let name = || {
            let probe = spawn_named("probe", async {});
            probe.name()
        };
        let mut names = vec![name(), name()];
        names.push(spawn(async move { name() }).await);
        names.push(spawn(async move { name() }).await);
        names.push(
            spawn_named("a", async move { spawn_named("b", async move { name() }).await }).await,
        );
        names.push(
            parcae::task::Builder::new().name(String::from("c")).spawn(async move { name() }).await,
        );
        names
    });
    assert_eq!(
        outcome.unwrap(),
        ["probe", "probe#1", "task#0/probe", "task#1/probe", "a/b/probe", "c/probe"]
    );
}

#[test]
fn an_unnamed_task_and_one_that_is_named_task_differ() {
    let outcome = fifo(|| async {
        let draw = || async { parcae::rng().next_u64() };
        (spawn(draw()).await, spawn_named("task", draw()).await)
    });
    let (unnamed, named) = outcome.unwrap();
    assert_ne!(unnamed, named, "the two have one stream");
}

#[test]
fn joining_many_tasks_of_one_parent_wakes_it_once_each() {
    for outcome in random(SEEDS, || async {
        let tasks: Vec<_> = (0..10).map(|number| spawn(async move { number })).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await;
        }
        sum
    }) {
        assert_eq!(outcome.unwrap(), 45);
    }
}

#[test]
fn a_wake_of_a_task_that_has_ended_is_ignored_also_by_the_next_one_in_its_place() {
    for outcome in random(SEEDS, || async {
        let waker = spawn(current_waker()).await;
        waker.wake_by_ref();
        let polls = Rc::new(Cell::new(0));
        let counter = polls.clone();
        let next = spawn(poll_fn(move |_| {
            counter.set(counter.get() + 1);
            Poll::<()>::Pending
        }));
        settle().await;
        waker.wake_by_ref();
        waker.wake();
        settle().await;
        drop(next);
        polls.get()
    }) {
        assert_eq!(outcome.unwrap(), 1);
    }
}

#[test]
fn many_wakes_before_a_turn_are_one_poll() {
    let outcome = fifo(|| async {
        let (wakers, polls) = (Journal::new(), Rc::new(Cell::new(0)));
        let (keep, counter) = (wakers.clone(), polls.clone());
        let task = spawn(poll_fn(move |context| {
            keep.add(context.waker().clone());
            counter.set(counter.get() + 1);
            Poll::<()>::Pending
        }));
        settle().await;
        let waker = wakers.take().remove(0);
        for _ in 0..5 {
            waker.wake_by_ref();
        }
        settle().await;
        drop(task);
        polls.get()
    });
    assert_eq!(outcome.unwrap(), 2);
}

#[test]
fn a_wake_during_the_poll_is_one_more_poll() {
    let outcome = fifo(|| async {
        let polls = Cell::new(0);
        poll_fn(|context| {
            polls.set(polls.get() + 1);
            context.waker().wake_by_ref();
            context.waker().wake_by_ref();
            if polls.get() == 3 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        polls.get()
    });
    assert_eq!(outcome.unwrap(), 3);
}

#[test]
fn the_wakers_of_one_task_are_equal_and_those_of_two_are_not() {
    let outcome = fifo(|| async {
        let (mine, again) = (current_waker().await, current_waker().await);
        yield_now().await;
        let other = spawn(current_waker()).await;
        (mine.will_wake(&again), mine.will_wake(&current_waker().await), mine.will_wake(&other))
    });
    assert_eq!(outcome.unwrap(), (true, true, false));
}

#[test]
fn tasks_and_timers_complete_inside_of_combinators_that_wrap_wakers() {
    for outcome in random(SEEDS, || async {
        let number = |number: u64| async move {
            sleep(millis(number % 3)).await;
            spawn(async move { number }).await
        };
        let mut numbers = futures::future::join_all((0..50).map(number)).await;
        let mut set: futures::stream::FuturesUnordered<_> =
            (50..100).map(|index| Box::pin(number(index))).collect();
        while let Some(index) = set.next().await {
            numbers.push(index);
        }
        let first = futures::future::select(spawn(pending::<()>()), Box::pin(number(100))).await;
        let futures::future::Either::Right((last, _)) = first else { panic!("the wrong one") };
        numbers.push(last);
        numbers.sort_unstable();
        numbers
    }) {
        assert!(outcome.unwrap().into_iter().eq(0..=100));
    }
}

#[test]
fn a_task_that_is_moved_to_another_joiner_wakes_the_new_one() {
    for outcome in random(SEEDS, || async {
        let mut task = spawn(async {
            sleep(secs(1)).await;
            42
        });
        poll_fn(|context| {
            assert!(Pin::new(&mut task).poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        spawn(task).await
    }) {
        assert_eq!(outcome.unwrap(), 42);
    }
}

#[test]
fn the_output_is_dropped_with_the_handle_if_nobody_takes_it() {
    let outcome = fifo(|| async {
        let journal = Journal::new();
        let inner = journal.clone();
        let task = spawn(async { crate::runs::OnDrop(move || inner.add(())) });
        settle().await;
        assert_eq!(journal.count(), 0);
        drop(task);
        journal.count()
    });
    assert_eq!(outcome.unwrap(), 1);
}

#[test]
fn a_handle_that_is_polled_after_it_gave_its_output_panics() {
    let outcome = fifo(|| async {
        let mut task = spawn(async { 1 });
        (&mut task).await;
        (&mut task).await;
    });
    assert_eq!(failure(&outcome).kind(), "panic");
}

#[test]
fn a_task_can_be_waited_for_through_a_shared_handle() {
    let outcome = fifo(|| async {
        let handle = Rc::new(RefCell::new(spawn(async { 7 })));
        poll_fn(|context| Pin::new(&mut *handle.borrow_mut()).poll(context)).await
    });
    assert_eq!(outcome.unwrap(), 7);
}
