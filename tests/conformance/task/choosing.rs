//! The first of several futures, and tasks behind a shield.

use std::future::{Future, pending, ready};
use std::rc::Rc;

use parcae::spawn;
use parcae::sync::{Event, Queue};
use parcae::task::{JoinError, finally, race, settle, shield, yield_now};
use parcae::time::{sleep, timeout};

use crate::clock::{HOUR, Stopwatch, beats};
use crate::journal::{Journal, OnDrop};

/// Holds a value until a time that is never over.
async fn keep<T>(_value: T) {
    sleep(HOUR).await;
}

/// Gives a number after so many beats.
async fn after(count: u32) -> u32 {
    sleep(beats(count)).await;
    count
}

conformance! {
    async fn the_first_to_be_ready_wins_a_race() {
        let watch = Stopwatch::start();
        assert_eq!(race([1_000_000, 1, 2_000_000].map(after)).await, 1);
        watch.took(beats(1));
        assert_eq!(race([async { 7 }]).await, 7);
    }

    async fn losers_are_dropped_before_the_race_is_over() {
        let journal = Journal::new();
        let guards: Vec<OnDrop<_>> = ["one", "two"].map(|name| journal.on_drop(name)).into();
        let mut runners: Vec<std::pin::Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
        for guard in guards {
            runners.push(Box::pin(keep(guard)));
        }
        runners.push(Box::pin(sleep(beats(1))));
        race(runners).await;
        let mut ends = journal.take();
        ends.sort_unstable();
        assert_eq!(ends, ["one", "two"]);
    }

    async fn racers_may_borrow() {
        let numbers = [1, 2, 3];
        let sum = race([async { numbers.iter().sum::<i32>() }]).await;
        assert_eq!((sum, numbers.len()), (6, 3));
    }

    async fn the_branch_that_is_ready_is_selected() {
        let won = parcae::select! {
            () = pending::<()>() => "never",
            count = after(1) => if count == 1 { "after" } else { "not" },
        };
        assert_eq!(won, "after");
    }

    async fn a_biased_select_looks_at_its_branches_in_order() {
        for _ in 0..20 {
            let won = parcae::select! {
                biased;
                () = ready(()) => "first",
                () = ready(()) => "second",
            };
            assert_eq!(won, "first");
        }
    }

    async fn of_several_ready_branches_now_one_is_selected_and_now_another() {
        let (mut selected, mut raced) = ([0; 2], [0; 2]);
        for _ in 0..64 {
            parcae::select! {
                () = ready(()) => selected[0] += 1,
                () = ready(()) => selected[1] += 1,
            }
            raced[race([ready(0), ready(1)]).await] += 1;
        }
        assert!(selected[0] > 0 && selected[1] > 0, "{selected:?}");
        assert!(raced[0] > 0 && raced[1] > 0, "{raced:?}");
    }

    async fn branches_that_lose_are_dropped_before_the_code_of_the_winner_runs() {
        let journal = Journal::new();
        let guard = journal.on_drop("loser");
        parcae::select! {
            () = keep(guard) => unreachable!("an hour"),
            () = yield_now() => journal.add("winner"),
        }
        assert_eq!(journal.take(), ["loser", "winner"]);
    }

    async fn branches_are_left_out_by_conditions_and_patterns() {
        let is_open = false;
        let won = parcae::select! {
            () = ready(()), if is_open => "closed",
            Some(()) = ready(None::<()>) => "no match",
            else => "else",
        };
        assert_eq!(won, "else");
    }

    async fn a_select_in_a_loop_loses_no_item_and_keeps_its_deadline() {
        let queue = Queue::unbounded();
        let producer = spawn({
            let queue = queue.clone();
            async move {
                for item in 1..=10 {
                    queue.put(item).await.unwrap();
                    yield_now().await;
                }
                queue.close();
            }
        });
        let mut deadline = sleep(HOUR);
        let mut sum = 0;
        let is_drained = loop {
            parcae::select! {
                item = queue.get() => match item {
                    Ok(item) => sum += item,
                    Err(_) => break true,
                },
                () = &mut deadline => break false,
            }
        };
        producer.await;
        assert!(is_drained);
        assert_eq!(sum, 55);
    }

    async fn a_task_that_drops_a_branch_has_not_ended_before_its_cleanup() {
        let journal = Journal::new();
        let entries = journal.clone();
        let task = spawn(async move {
            let cleanup = entries.clone();
            let body = finally(pending::<()>(), async move || {
                sleep(beats(1)).await;
                cleanup.add("clean");
            });
            parcae::select! {
                () = body => unreachable!("it is pending"),
                () = settle() => entries.add("selected"),
            }
        });
        assert!(task.join().await.is_ok());
        assert_eq!(journal.take(), ["selected", "clean"]);
    }

    async fn a_task_behind_a_dropped_shield_goes_on() {
        let saved = Rc::new(Event::new());
        let gate = Rc::new(Event::new());
        let save = spawn({
            let (saved, gate) = (saved.clone(), gate.clone());
            async move {
                gate.wait().await;
                saved.set();
            }
        });
        assert!(timeout(beats(1), shield(save)).await.is_err());
        gate.set();
        saved.wait().await;
    }

    async fn a_shield_gives_what_the_task_gives() {
        assert_eq!(shield(spawn(async { 42 })).await.unwrap(), 42);
        let bomb = spawn(async { panic!("out of cheese") });
        let error: JoinError = shield(bomb).await.unwrap_err();
        assert!(error.to_string().contains("out of cheese"));
    }

    async fn a_shielded_task_is_cancelled_through_its_handle() {
        let task = spawn(pending::<()>());
        let handle = task.cancel_handle();
        let shield = shield(task);
        settle().await;
        handle.cancel();
        assert!(matches!(shield.await, Err(JoinError::Cancelled)));
    }
}
