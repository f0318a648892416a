//! Waiting for several tasks.

use std::future::pending;
use std::rc::Rc;

use parcae::sync::Event;
use parcae::task::{
    JoinError, WaitUntil, as_completed, finally, gather, gather_results, settle, try_gather, wait,
};
use parcae::time::{Instant, sleep, sleep_until, timeout};
use parcae::{Task, spawn, spawn_try};

use crate::clock::{HOUR, Stopwatch, beats};
use crate::journal::Journal;

/// Spawns tasks that give their number after so many beats.
fn after<const N: usize>(counts: [u32; N]) -> [Task<u32>; N] {
    let start = Instant::now();
    counts.map(|count| {
        spawn(async move {
            sleep_until(start + beats(count)).await;
            count
        })
    })
}

/// Spawns a task that never ends, and writes down when it is destroyed.
fn endless<T: 'static>(journal: &Journal<&'static str>, name: &'static str) -> Task<T> {
    let guard = journal.on_drop(name);
    spawn(async move {
        let _guard = guard;
        pending().await
    })
}

conformance! {
    async fn values_are_gathered_in_the_order_given() {
        let watch = Stopwatch::start();
        assert_eq!(gather(after([3, 1, 2])).await, [3, 1, 2]);
        watch.took(beats(3));
        assert_eq!(gather(Vec::<Task<u32>>::new()).await, [0; 0]);
    }

    async fn a_panic_cancels_the_others_and_goes_on_when_all_have_ended() {
        let journal = Journal::new();
        let entries = journal.clone();
        let slow = spawn(finally(pending::<()>(), async move || {
            sleep(beats(1)).await;
            entries.add("clean");
        }));
        settle().await;
        let bomb = spawn(async { panic!("out of cheese") });
        let gathering = spawn(gather([slow, bomb]));
        match gathering.join().await {
            Err(JoinError::Panicked { message, .. }) => assert_eq!(message, "out of cheese"),
            end => panic!("another end: {end:?}"),
        }
        assert_eq!(journal.take(), ["clean"]);
    }

    async fn a_gathering_that_is_dropped_cancels_its_tasks() {
        let journal = Journal::new();
        let gathering = gather([endless::<()>(&journal, "one"), endless(&journal, "two")]);
        settle().await;
        drop(gathering);
        settle().await;
        let mut ends = journal.take();
        ends.sort_unstable();
        assert_eq!(ends, ["one", "two"]);
    }

    async fn a_time_out_that_drops_a_gathering_waits_for_the_cleanups_of_its_tasks() {
        let journal = Journal::new();
        let entries = journal.clone();
        let gathering = gather([spawn(finally(pending::<()>(), async move || {
            sleep(beats(1)).await;
            entries.add("clean");
        }))]);
        assert!(timeout(beats(1), gathering).await.is_err());
        assert_eq!(journal.take(), ["clean"]);
    }

    async fn the_first_error_cancels_the_others_and_is_returned() {
        let journal = Journal::new();
        let others = [endless(&journal, "one"), endless(&journal, "two")];
        settle().await;
        let failing = spawn(async { Err::<u32, _>("no") });
        let result = try_gather(others.into_iter().chain([failing])).await;
        assert_eq!(result, Err("no"));
        let mut ends = journal.take();
        ends.sort_unstable();
        assert_eq!(ends, ["one", "two"], "they have ended when the error comes");
    }

    async fn values_are_gathered_if_nothing_fails() {
        let parse = |text: &'static str| spawn_try(async move { text.parse::<u32>() });
        assert_eq!(try_gather(["1", "2"].map(parse)).await, Ok(vec![1, 2]));
    }

    async fn the_rest_of_a_gathering_goes_on_when_it_is_detached() {
        let journal = Journal::new();
        let entries = journal.clone();
        let gate = Rc::new(Event::new());
        let opened = gate.clone();
        let slow = spawn(async move {
            opened.wait().await;
            entries.add("went on");
            Ok(1)
        });
        let failing = spawn(async { Err::<u32, _>("no") });
        assert_eq!(try_gather([slow, failing]).detach_rest().await, Err("no"));
        gate.set();
        settle().await;
        assert_eq!(journal.take(), ["went on"]);
    }

    async fn results_tell_a_value_a_panic_and_a_cancellation_apart() {
        let tasks =
            [spawn(async { 1 }), spawn(async { panic!("out of cheese") }), spawn(pending())];
        tasks[2].cancel_handle().cancel();
        let results = gather_results(tasks).await;
        assert!(matches!(results[0], Ok(1)));
        assert!(matches!(results[1], Err(JoinError::Panicked { .. })));
        assert!(matches!(results[2], Err(JoinError::Cancelled)));
    }

    async fn waiting_for_the_first_leaves_the_others_alone() {
        let mut tasks: Vec<_> = after([2, 1]).into_iter().chain([spawn(pending())]).collect();
        let done = wait(&mut tasks, WaitUntil::FirstCompleted).await;
        // On real time the second may have ended too, when the thread was held up.
        assert!(!done.is_empty());
        assert_eq!(done.into_iter().next().unwrap().await, 1);
        assert!(!tasks.last().unwrap().is_finished());
        let last = tasks.pop().unwrap();
        for task in tasks {
            assert_eq!(task.await, 2);
        }
        assert_eq!(last.cancel().await, None);
    }

    async fn waiting_for_all_gives_them_in_the_order_in_which_they_ended() {
        let mut tasks = after([3, 1, 2]).into();
        let done = wait(&mut tasks, WaitUntil::All).await;
        assert!(tasks.is_empty());
        let mut values = Vec::new();
        for task in done {
            assert!(task.is_finished());
            values.push(task.await);
        }
        assert_eq!(values, [1, 2, 3]);
    }

    async fn waiting_for_the_first_failure_ends_at_a_panic() {
        let endless = spawn(pending::<()>());
        let bomb = spawn(async { panic!("out of cheese") });
        let mut tasks = vec![endless, spawn(async {}), bomb];
        let done = wait(&mut tasks, WaitUntil::FirstFailure).await;
        assert_eq!(tasks.len() + done.len(), 3);
        let mut panics = 0;
        for task in done {
            panics += u32::from(task.join().await.is_err());
        }
        assert_eq!(panics, 1);
        for task in tasks {
            task.cancel().await;
        }
    }

    async fn waiting_for_the_first_failure_ends_at_an_error() {
        let failing = spawn_try(async { Err::<(), _>("no") });
        let mut tasks = vec![spawn_try(pending::<Result<(), &str>>()), failing];
        let mut done = wait(&mut tasks, WaitUntil::FirstFailure).await;
        assert_eq!(done.pop().unwrap().await, Err("no"));
        assert!(done.is_empty());
        assert_eq!(tasks.pop().unwrap().cancel().await, None);
    }

    async fn a_cancelled_task_has_not_failed() {
        let mut tasks = vec![spawn(pending::<()>()), spawn(async {})];
        tasks[0].cancel_handle().cancel();
        let done = wait(&mut tasks, WaitUntil::FirstFailure).await;
        assert_eq!((done.len(), tasks.len()), (2, 0));
        assert_eq!(gather_results(done).await.iter().filter(|end| end.is_err()).count(), 1);
    }

    async fn a_time_limit_of_waiting_ends_nothing() {
        let watch = Stopwatch::start();
        let mut tasks = vec![spawn(pending::<()>())];
        let done = wait(&mut tasks, WaitUntil::All).timeout(beats(2)).await;
        watch.took(beats(2));
        assert_eq!((done.len(), tasks.len()), (0, 1));
        assert!(!tasks[0].is_finished());
        tasks.pop().unwrap().cancel().await;
    }

    async fn waiting_that_is_dropped_leaves_the_list_as_it_was() {
        let mut tasks = vec![spawn(async { 1 }), spawn(pending())];
        assert!(timeout(beats(2), wait(&mut tasks, WaitUntil::All)).await.is_err());
        assert_eq!(tasks.len(), 2);
        assert_eq!(tasks.remove(0).await, 1);
        tasks.remove(0).cancel().await;
    }

    async fn waiting_for_nothing_is_done_at_once() {
        let mut tasks: Vec<Task<()>> = Vec::new();
        let done = wait(&mut tasks, WaitUntil::FirstCompleted).timeout(HOUR).await;
        assert!(done.is_empty());
    }

    async fn tasks_are_given_back_as_they_end() {
        let mut tasks = as_completed(after([3, 1, 2]));
        let mut ended = Vec::new();
        while let Some((index, task)) = tasks.next().await {
            ended.push((index, task.await));
        }
        assert_eq!(ended, [(1, 1), (2, 2), (0, 3)]);
    }

    async fn a_time_out_around_the_next_task_loses_none() {
        let gate = Rc::new(Event::new());
        let opened = gate.clone();
        let mut tasks = as_completed([spawn(async move {
            opened.wait().await;
            7
        })]);
        assert!(timeout(beats(1), tasks.next()).await.is_err());
        gate.set();
        let (index, task) = tasks.next().await.unwrap();
        assert_eq!((index, task.await), (0, 7));
        assert!(tasks.next().await.is_none());
    }

    async fn tasks_that_were_not_given_back_are_cancelled_or_handed_out() {
        let journal = Journal::new();
        let tasks = as_completed([endless::<()>(&journal, "one")]);
        settle().await;
        drop(tasks);
        settle().await;
        assert_eq!(journal.take(), ["one"]);
        let mut tasks = as_completed([endless(&journal, "two"), spawn(async {})]);
        let (index, task) = tasks.next().await.unwrap();
        task.await;
        assert_eq!(index, 1);
        let mut rest = tasks.into_rest();
        settle().await;
        assert_eq!((rest.len(), journal.take().len()), (1, 0));
        rest.pop().unwrap().cancel().await;
    }
}
