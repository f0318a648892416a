//! Gathering: order of values, errors, cancellation, panics.

use std::cell::Cell;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::task::Poll;

use futures::FutureExt as _;
use parcae::task::{JoinError, gather, gather_results, settle, shield, try_gather, yield_now};
use parcae::time::{Instant, sleep, timeout};
use parcae::{Failure, Task, spawn, spawn_named, spawn_try};

use super::{after, everywhere, on_seeds};
use crate::runs::{Journal, OnDrop, failure, fifo, millis, panicked, poll_once, random, secs};

#[test]
fn values_come_in_the_order_given_whoever_ends_first() {
    everywhere(|| async {
        let (start, journal) = (Instant::now(), Journal::new());
        let delays = [3, 1, 2, 0];
        let values = gather(delays.map(|delay| spawn(after(delay, delay, journal.clone()))));
        assert_eq!(values.await, delays);
        assert_eq!(start.elapsed(), millis(3), "they ran one after another");
        let results = try_gather(delays.map(|delay| {
            spawn(async move {
                yield_now().await;
                Ok::<_, ()>(delay)
            })
        }));
        assert_eq!(results.await, Ok(delays.to_vec()));
    });
}

#[test]
fn nothing_to_gather_is_ready_at_once() {
    let outcome = fifo(|| async {
        assert_eq!(poll_once(&mut gather(Vec::<Task<()>>::new())), Poll::Ready(Vec::new()));
        let mut none = try_gather(Vec::<Task<Result<(), ()>>>::new());
        assert_eq!(poll_once(&mut none), Poll::Ready(Ok(Vec::new())));
        assert!(poll_once(&mut gather_results(Vec::<Task<()>>::new())).is_ready());
    });
    outcome.unwrap();
}

#[test]
fn gathered_tasks_finish_in_every_order() {
    let mut orders: Vec<Vec<u32>> = on_seeds(|| async {
        let journal = Journal::new();
        gather((0..3).map(|number| {
            let journal = journal.clone();
            spawn(async move {
                yield_now().await;
                journal.add(number);
            })
        }))
        .await;
        journal.take()
    });
    orders.sort();
    orders.dedup();
    assert_eq!(orders.len(), 6);
}

#[test]
fn the_first_error_in_order_of_completion_cancels_the_rest_and_comes_after_their_ends() {
    everywhere(|| async {
        let (start, dropped) = (Instant::now(), Journal::new());
        let tasks = [
            spawn_try(after(20, Ok(20), dropped.clone())),
            spawn_try(after(10, Err("second to fail"), dropped.clone())),
            spawn_try(after(1, Ok(1), dropped.clone())),
            spawn_try(after(5, Err("first to fail"), dropped.clone())),
        ];
        assert_eq!(try_gather(tasks).await, Err("first to fail"));
        assert_eq!(start.elapsed(), millis(5));
        let mut dropped = dropped.take();
        dropped.sort_unstable();
        assert_eq!(dropped, [10, 20], "returned before the others had ended");
    });
}

#[test]
fn of_two_errors_at_one_instant_the_one_that_completes_first_is_returned() {
    let mut winners: Vec<(usize, usize)> = on_seeds(|| async {
        let order = Journal::new();
        let tasks = (0..2).map(|number| {
            let order = order.clone();
            spawn_try(async move {
                sleep(millis(1)).await;
                order.add(number);
                Err::<(), _>(number)
            })
        });
        let error = try_gather(tasks).await.unwrap_err();
        (error, order.take()[0])
    });
    assert!(winners.iter().all(|(error, first)| error == first));
    winners.sort_unstable();
    winners.dedup();
    assert_eq!(winners.len(), 2, "one of them always wins");
}

#[test]
fn tasks_that_are_detached_at_an_error_run_on() {
    everywhere(|| async {
        let (start, dropped) = (Instant::now(), Journal::new());
        let tasks = [
            spawn_try(after(20, Ok(()), dropped.clone())),
            spawn_try(after(1, Err("no"), dropped.clone())),
        ];
        assert_eq!(try_gather(tasks).detach_rest().await, Err("no"));
        assert_eq!(start.elapsed(), millis(1));
        sleep(millis(30)).await;
        assert_eq!(dropped.count(), 0);
    });
    let outcome = fifo(|| async {
        let slow = spawn_try(async {
            sleep(secs(1)).await;
            Err::<(), _>("unobserved")
        });
        let result = try_gather([slow, spawn_try(async { Err("no") })]).detach_rest().await;
        assert_eq!(result, Err("no"));
        sleep(secs(2)).await;
    });
    let message = failure(&outcome).to_string();
    assert!(message.contains("unobserved"), "{message}");
}

#[test]
fn a_cancelled_task_is_not_counted_as_a_success() {
    everywhere(|| async {
        let mut requests: Vec<_> = (0..100)
            .map(|number| {
                spawn(async move {
                    sleep(millis(number % 7 + 1)).await;
                    if number % 50 == 49 { Err(404) } else { Ok(200) }
                })
            })
            .collect();
        for request in requests.iter_mut().step_by(10) {
            request.cancel_handle().cancel();
        }
        let results = gather_results(requests).await;
        let [mut served, mut failed, mut cancelled] = [0; 3];
        for result in &results {
            match result {
                Ok(Ok(_)) => served += 1,
                Ok(Err(_)) => failed += 1,
                Err(error) => cancelled += i32::from(matches!(error, JoinError::Cancelled)),
            }
        }
        assert_eq!((served, failed, cancelled), (88, 2, 10));
        assert!(results.iter().step_by(10).all(Result::is_err), "not in the order given");
    });
}

#[test]
fn results_hold_panics_and_cancellations_beside_values() {
    everywhere(|| async {
        let tasks: Vec<Task<u32>> = vec![
            spawn(async { 1 }),
            spawn(async { panic!("two") }),
            spawn(pending()),
            spawn(async {
                sleep(secs(1)).await;
                4
            }),
        ];
        let third = tasks[2].cancel_handle();
        spawn(async move { third.cancel() }).detach();
        let results = gather_results(tasks).await;
        assert!(matches!(results[0], Ok(1)) && matches!(results[3], Ok(4)));
        assert!(
            matches!(&results[1], Err(JoinError::Panicked { message, .. }) if message == "two")
        );
        assert_eq!(results[2].as_ref().unwrap_err().to_string(), "the task was cancelled");
    });
}

#[test]
fn cancelling_one_gathered_task_cancels_no_other() {
    everywhere(|| async {
        let tasks = [spawn(async { sleep(secs(1)).await }), spawn(pending())];
        let handle = tasks[1].cancel_handle();
        let gathering = spawn(gather_results(tasks));
        settle().await;
        handle.cancel();
        settle().await;
        assert!(!gathering.is_finished(), "the other one was not waited for");
        let results = gathering.await;
        assert!(results[0].is_ok());
        assert!(matches!(results[1], Err(JoinError::Cancelled)));
    });
}

#[test]
fn a_cancelled_task_leaves_a_plain_gather_without_its_value() {
    let dropped = Journal::new();
    let journal = dropped.clone();
    let outcome = fifo(|| async move {
        let tasks = [spawn(after(1_000, (), journal.clone())), spawn(pending())];
        tasks[1].cancel_handle().cancel();
        gather(tasks).await;
    });
    panicked(&outcome, "a task that was gathered was cancelled");
    assert_eq!(dropped.take(), [1_000]);
}

#[test]
fn cancelling_a_gather_cancels_all_that_it_gathers() {
    everywhere(|| async {
        let dropped = Journal::new();
        let tasks = [1, 2, 3].map(|number| spawn(after(1_000 + number, (), dropped.clone())));
        let gathering = spawn(gather(tasks));
        settle().await;
        assert_eq!(gathering.cancel().await, None);
        assert_eq!(dropped.count(), 3, "it ended before what it gathers");
        // With results too: bpo-32684.
        let tasks = [1, 2, 3].map(|number| spawn(after(1_000 + number, (), dropped.clone())));
        let gathering = spawn(gather_results(tasks));
        settle().await;
        assert!(gathering.cancel().await.is_none(), "the cancellation became a value");
        assert_eq!(dropped.count(), 6);
        let tasks = [1, 2].map(|number| spawn(after(1_000 + number, (), dropped.clone())));
        assert!(timeout(millis(1), gather(tasks)).await.is_err());
        assert_eq!(dropped.count(), 8, "a time-out came before the end of what it cancelled");
    });
}

#[test]
fn cancelling_a_gather_that_is_complete_gives_its_values() {
    // bpo-26923
    everywhere(|| async {
        let gathering = spawn(gather([spawn(async { 1 }), spawn(async { 2 })]));
        settle().await;
        assert_eq!(gathering.cancel().await, Some(vec![1, 2]));
    });
}

#[test]
fn a_gather_that_is_dropped_leaves_shielded_tasks_alone() {
    everywhere(|| async {
        let dropped = Journal::new();
        let shielded = [1, 2].map(|delay| {
            let inner = spawn(after(delay, (), dropped.clone()));
            spawn(async move { shield(inner).await })
        });
        let gathering = spawn(gather(shielded));
        settle().await;
        gathering.cancel().await;
        sleep(millis(5)).await;
        assert_eq!(dropped.count(), 0);
        // The other way about: a gather behind a shield.
        let tasks = [1, 2].map(|delay| spawn(after(delay, delay, dropped.clone())));
        let (done, is_done) = (Journal::new(), Journal::clone);
        let journal = is_done(&done);
        let gathering = spawn(async move { journal.add(gather(tasks).await) });
        let waiting = spawn(shield(gathering));
        settle().await;
        waiting.cancel().await;
        sleep(millis(5)).await;
        assert_eq!(done.take(), [vec![1, 2]]);
    });
}

#[test]
fn a_panic_goes_on_after_the_others_were_cancelled_and_have_ended() {
    everywhere(|| async {
        let (start, dropped) = (Instant::now(), Journal::new());
        // The first never ends by itself: the panic does not wait for its turn.
        let tasks = [
            spawn(pending()),
            spawn(after(1_000, (), dropped.clone())),
            spawn(async {
                sleep(millis(1)).await;
                panic!("out of cheese");
            }),
        ];
        let payload = AssertUnwindSafe(gather(tasks)).catch_unwind().await.unwrap_err();
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"out of cheese"));
        assert_eq!((start.elapsed(), dropped.take()), (millis(1), vec![1_000]));
    });
    let outcome = fifo(|| gather([spawn_named("worker", async { panic!("out of bread") })]));
    panicked(&outcome, "out of bread");
    let Failure::Panic { place: Some(place), .. } = failure(&outcome) else { unreachable!() };
    assert!(place.to_string().contains("gather.rs"), "{place}");
}

#[test]
fn a_panic_is_not_lost_behind_an_error() {
    everywhere(|| async {
        let panics = spawn_try(async {
            let _guard = OnDrop(|| panic!("while ending"));
            pending::<Result<(), &str>>().await
        });
        let fails = spawn_try(async {
            settle().await;
            Err("no")
        });
        let result = AssertUnwindSafe(try_gather([panics, fails])).catch_unwind().await;
        assert_eq!(result.unwrap_err().downcast_ref::<&str>(), Some(&"while ending"));
    });
}

#[test]
fn a_gather_that_times_out_cancels_and_without_settling_nothing_is_left() {
    for outcome in random(300, || async {
        let dropped = Journal::new();
        let count: u64 = parcae::choose(0..5);
        let limit = parcae::choose(0..5);
        let tasks = (0..count).map(|number| spawn(after(number, number, dropped.clone())));
        let gathered = timeout(millis(limit), gather(tasks)).await;
        let is_late = gathered.is_err();
        if let Ok(values) = gathered {
            assert_eq!(values, (0..count).collect::<Vec<_>>());
        }
        assert!(is_late || dropped.count() == 0);
        let count = dropped.count();
        settle().await;
        assert_eq!(dropped.count(), count, "a task outlived its gather");
        assert!(Instant::now().elapsed() <= millis(5));
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_stuck_gather_is_a_deadlock_that_names_the_task() {
    let outcome = fifo(|| async {
        gather([spawn(async {}), spawn_named("stuck", pending()), spawn(async {})]).await;
    });
    assert!(matches!(failure(&outcome), Failure::Deadlock { .. }));
    let message = failure(&outcome).to_string();
    assert!(message.contains("`main` waits for Task join of `stuck`"), "{message}");
    assert!(message.contains("gather.rs"), "{message}");
}

#[test]
fn gathering_works_inside_of_combinators_that_wrap_wakers() {
    everywhere(|| async {
        let numbers = |base: u64| {
            gather([3, 1].map(|delay| {
                spawn(async move {
                    sleep(millis(base + delay)).await;
                    base + delay
                })
            }))
        };
        let (one, two) = futures::join!(numbers(10), numbers(20));
        assert_eq!((one, two), (vec![13, 11], vec![23, 21]));
    });
}

// Cancelling all that were left whenever one of them had ended took the square of their number.
#[test]
fn regression_many_tasks_are_cancelled_once_when_one_fails() {
    fifo(|| async {
        let dropped = Rc::new(Cell::new(0));
        let tasks = (0..50_000).map(|number| {
            let dropped = dropped.clone();
            spawn(async move {
                let _guard = OnDrop(|| dropped.set(dropped.get() + 1));
                match number {
                    0 => {
                        yield_now().await;
                        Err(())
                    }
                    _ => pending::<Result<(), ()>>().await,
                }
            })
        });
        assert_eq!(try_gather(tasks).await, Err(()));
        assert_eq!(dropped.get(), 50_000);
    })
    .unwrap();
}
