//! Making tasks, names, eager tasks, letting go.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use parcae::sync::{Event, oneshot};
use parcae::task::{Builder, settle, yield_now};
use parcae::time::timeout;
use parcae::{spawn, spawn_named, spawn_try};

use crate::clock::beats;
use crate::journal::Journal;

conformance! {
    async fn a_task_gives_its_output() {
        assert_eq!(spawn(async { 42 }).await, 42);
    }

    async fn a_task_does_not_begin_before_its_maker_awaits() {
        let journal = Journal::new();
        let tasks = ["one", "two"].map(|name| {
            let journal = journal.clone();
            spawn(async move { journal.add(name) })
        });
        journal.add("maker");
        assert_eq!(journal.take(), ["maker"]);
        assert!(tasks.iter().all(|task| !task.is_finished()));
        for task in tasks {
            task.await;
        }
        let mut entries = journal.take();
        entries.sort_unstable();
        assert_eq!(entries, ["one", "two"]);
    }

    async fn a_task_runs_at_the_next_await_though_nobody_joins_it() {
        let journal = Journal::new();
        let task = spawn({
            let journal = journal.clone();
            async move { journal.add("ran") }
        });
        settle().await;
        assert_eq!(journal.take(), ["ran"]);
        assert!(task.is_finished());
        task.await;
    }

    async fn a_task_may_hold_what_is_not_send_across_awaits() {
        let counter = Rc::new(Cell::new(0));
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let counter = counter.clone();
                spawn(async move {
                    yield_now().await;
                    counter.set(counter.get() + 1);
                    counter
                })
            })
            .collect();
        for task in tasks {
            drop(task.await);
        }
        assert_eq!((counter.get(), Rc::strong_count(&counter)), (10, 1));
    }

    async fn a_thousand_tasks_all_run() {
        let tasks: Vec<_> = (0..1_000_u64)
            .map(|number| {
                spawn(async move {
                    yield_now().await;
                    number
                })
            })
            .collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await;
        }
        assert_eq!(sum, 499_500);
    }

    async fn a_task_has_the_name_that_it_was_given() {
        let worker = spawn_named("worker", async {});
        assert_eq!(worker.name(), "worker");
        let flush = Builder::new().name(format!("flush {}", 7)).spawn(pending::<()>());
        assert_eq!(flush.name(), "flush 7");
        worker.await;
        assert_eq!(flush.cancel().await, None);
    }

    async fn tasks_without_a_name_are_numbered_by_their_maker() {
        let names = async || {
            let (one, two) = (spawn(async {}), spawn(async {}));
            let names = [one.name(), two.name()];
            one.await;
            two.await;
            names
        };
        let child = spawn_named("child", async move { names().await });
        let (ours, theirs) = (names().await, child.await);
        for names in [ours, theirs] {
            let numbers = names.map(|name| {
                let (_, number) = name.rsplit_once("task#").expect("a number");
                number.parse::<u64>().unwrap()
            });
            assert_eq!(numbers[1], numbers[0] + 1);
        }
    }

    async fn a_handle_is_debugged_with_its_name() {
        let task = spawn_named("worker", async {});
        assert_eq!(format!("{task:?}"), r#"Task("worker")"#);
        task.await;
    }

    async fn a_handle_that_is_awaited_by_reference_may_be_awaited_again() {
        let gate = Rc::new(Event::new());
        let mut task = spawn({
            let gate = gate.clone();
            async move {
                gate.wait().await;
                7
            }
        });
        assert!(timeout(beats(1), &mut task).await.is_err());
        gate.set();
        assert_eq!(task.await, 7);
    }

    async fn a_handle_may_be_awaited_by_another_task_than_its_maker() {
        let (sender, receiver) = oneshot::channel();
        let waiter = spawn(async move {
            let task: parcae::Task<u32> = receiver.await.unwrap();
            task.await + 1
        });
        drop(sender.send(spawn(async { 41 })));
        assert_eq!(waiter.await, 42);
    }

    async fn a_task_is_finished_when_it_has_ended_and_not_before() {
        let gate = Rc::new(Event::new());
        let task = spawn({
            let gate = gate.clone();
            async move { gate.wait().await }
        });
        settle().await;
        assert!(!task.is_finished());
        gate.set();
        settle().await;
        assert!(task.is_finished());
        task.await;
    }

    async fn a_detached_task_goes_on() {
        let (sender, receiver) = oneshot::channel();
        spawn(async move {
            parcae::time::sleep(beats(1)).await;
            sender.send("still here").unwrap();
        })
        .detach();
        assert_eq!(receiver.await, Ok("still here"));
    }

    async fn a_task_may_end_before_those_that_it_made() {
        let (sender, receiver) = oneshot::channel();
        let maker = spawn(async move {
            spawn(async move {
                yield_now().await;
                sender.send("orphan").unwrap();
            })
            .detach();
        });
        maker.await;
        assert_eq!(receiver.await, Ok("orphan"));
    }

    async fn an_error_of_a_task_that_is_awaited_is_a_value() {
        let task = spawn_try(async { "7x".parse::<u32>() });
        assert!(task.await.is_err());
        let task = spawn_try(async { "7".parse::<u32>() });
        assert_eq!(task.await, Ok(7));
    }

    async fn an_eager_task_that_never_waits_has_ended_when_it_is_spawned() {
        let journal = Journal::new();
        let entries = journal.clone();
        let task = Builder::new().eager().spawn(async move { entries.add("ran") });
        assert_eq!(journal.take(), ["ran"]);
        assert!(task.is_finished());
        task.await;
    }

    async fn an_eager_task_runs_to_its_first_wait_inside_of_the_call() {
        let journal = Journal::new();
        let entries = journal.clone();
        let gate = Rc::new(Event::new());
        let opened = gate.clone();
        let task = Builder::new().eager().spawn(async move {
            entries.add("begins");
            opened.wait().await;
            entries.add("goes on");
        });
        journal.add("maker");
        gate.set();
        assert_eq!(journal.take(), ["begins", "maker"]);
        task.await;
        assert_eq!(journal.take(), ["goes on"]);
    }

    async fn an_eager_task_that_fails_does_not_fail_its_maker() {
        let task = Builder::new().eager().spawn(async { panic!("out of cheese") });
        assert!(task.is_finished());
        let error: parcae::task::JoinError = task.join().await.unwrap_err();
        assert!(error.to_string().contains("out of cheese"));
    }

    async fn eager_tasks_may_spawn_eager_tasks() {
        let eager = || Builder::new().eager();
        let task = eager().spawn(async move {
            let inner = eager().spawn(async { 1 });
            assert!(inner.is_finished());
            inner.await + 1
        });
        assert_eq!(task.await, 2);
    }

    /// A foreign future wakes the task as leaves of parcae do.
    async fn a_task_is_polled_again_when_its_waker_is_called() {
        let mut polls = 0;
        let task = spawn(poll_fn(move |context| {
            polls += 1;
            if polls == 5 {
                return Poll::Ready(polls);
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }));
        assert_eq!(task.await, 5);
    }

    async fn a_task_that_nobody_wakes_is_not_polled() {
        let polls = Rc::new(Cell::new(0));
        let seen = polls.clone();
        let task = spawn(poll_fn(move |_| {
            seen.set(seen.get() + 1);
            Poll::<()>::Pending
        }));
        parcae::time::sleep(beats(1)).await;
        settle().await;
        assert_eq!(polls.get(), 1);
        assert_eq!(task.cancel().await, None);
    }

    async fn a_waker_may_be_called_by_another_task_and_after_the_end() {
        let (sender, receiver) = oneshot::channel();
        let mut sender = Some(sender);
        let is_awake = Rc::new(Cell::new(false));
        let seen = is_awake.clone();
        let task = spawn(poll_fn(move |context| {
            if let Some(sender) = sender.take() {
                sender.send(context.waker().clone()).unwrap();
            }
            if seen.get() { Poll::Ready("awake") } else { Poll::Pending }
        }));
        let waker = receiver.await.unwrap();
        settle().await;
        is_awake.set(true);
        waker.wake_by_ref();
        assert_eq!(task.await, "awake");
        waker.wake();
        settle().await;
    }
}
