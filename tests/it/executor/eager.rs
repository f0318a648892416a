//! Tasks that begin inside of the call that spawns them.

use std::cell::Cell;
use std::future::{Future as _, pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use parcae::executor::DomainId;
use parcae::sync::Event;
use parcae::task::{Builder, ContextVar, JoinError, settle, yield_now};
use parcae::testing::Shared;
use parcae::time::sleep;
use parcae::{Sim, spawn};

use crate::runs::{Journal, SEEDS, fifo, nanos, random, secs};

fn eager() -> Builder {
    Builder::new().eager()
}

#[test]
fn an_eager_task_that_never_waits_has_ended_when_it_is_spawned() {
    for outcome in random(SEEDS, || async {
        let task = eager().spawn(async { 42 });
        assert!(task.is_finished());
        assert_eq!(task.await, 42);
        let late = spawn(async { 42 });
        assert!(!late.is_finished(), "one that is not eager has not begun");
        assert_eq!(late.await, 42);
    }) {
        outcome.unwrap();
    }
}

#[test]
fn an_eager_task_runs_to_its_first_wait_and_its_maker_goes_on() {
    for outcome in random(SEEDS, || async {
        let journal = Journal::new();
        let entries = journal.clone();
        let task = eager().name("child").spawn(async move {
            entries.add("child begins");
            yield_now().await;
            entries.add("child goes on");
        });
        journal.add("maker goes on");
        task.await;
        journal.take()
    }) {
        assert_eq!(outcome.unwrap(), ["child begins", "maker goes on", "child goes on"]);
    }
}

#[test]
fn points_of_an_eager_task_do_not_preempt_before_its_first_wait() {
    for outcome in random(SEEDS, || async {
        let cell = Rc::new(Shared::new(0));
        let other = cell.clone();
        let rival = spawn(async move { other.set(7).await });
        let ours = cell.clone();
        let task = eager().spawn(async move {
            let before = ours.get().await;
            ours.set(before + 1).await;
            ours.get().await - before
        });
        assert!(task.is_finished());
        assert_eq!(task.await, 1);
        rival.await;
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_cancellation_after_the_first_wait_reaches_an_eager_task() {
    for outcome in random(SEEDS, || async {
        let task = eager().spawn(pending::<()>());
        assert!(!task.is_finished());
        assert_eq!(task.cancel().await, None);
        // One that has ended is not cancelled any more.
        assert_eq!(eager().spawn(async { 1 }).cancel().await, Some(1));
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_wake_of_the_maker_during_the_eager_poll_is_not_lost_and_is_not_the_childs() {
    for outcome in random(SEEDS, || async {
        let event = Rc::new(Event::new());
        let polls = Rc::new(Cell::new(0));
        let mut wait = Box::pin(event.wait());
        let mut child = None;
        let spawn_child = || {
            let (event, polls) = (event.clone(), polls.clone());
            eager().spawn(async move {
                event.set();
                poll_fn(move |_| {
                    polls.set(polls.get() + 1);
                    Poll::<()>::Pending
                })
                .await;
            })
        };
        poll_fn(|context| {
            let poll = wait.as_mut().poll(context);
            // The maker has registered with the event; the child sets it inside of this very poll.
            if poll.is_pending() {
                child.get_or_insert_with(spawn_child);
            }
            poll
        })
        .await;
        settle().await;
        assert_eq!(polls.get(), 1, "woken in place of its maker");
    }) {
        outcome.unwrap();
    }
}

#[test]
fn eager_tasks_may_nest_and_panic() {
    for outcome in random(SEEDS, || async {
        let outer = eager().name("outer").spawn(async {
            let inner = eager().name("inner").spawn(async { panic!("out of cheese") });
            assert!(inner.is_finished());
            let error: Result<(), JoinError> = inner.join().await;
            assert!(error.unwrap_err().to_string().contains("out of cheese"));
            "outer"
        });
        assert!(outer.is_finished());
        assert_eq!(outer.await, "outer");

        fn nested(depth: u32) -> parcae::Task<u32> {
            eager().spawn(async move { if depth == 0 { 0 } else { nested(depth - 1).await + 1 } })
        }
        assert_eq!(nested(200).await, 200, "deeper than what begins at once");
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_machine_that_may_not_run_begins_nothing_eagerly() {
    for outcome in random(SEEDS, || async {
        let machine = DomainId::create("db", 0);
        machine.pause();
        let began = Rc::new(Cell::new(false));
        let is_begun = began.clone();
        let task = eager().domain(machine).spawn(async move { is_begun.set(true) });
        assert!(!began.get());
        machine.resume();
        task.await;
        assert!(began.get());
        machine.kill();
        let task = eager().domain(machine).spawn(async { unreachable!("it is dead") });
        assert!(matches!(task.join().await, Err::<(), _>(JoinError::Gone)));
    }) {
        outcome.unwrap();
    }
}

#[test]
fn an_eager_task_inherits_context_variables() {
    static NAME: ContextVar<&str> = ContextVar::new(|| "nobody");
    let outcome = fifo(|| async {
        NAME.set("Nona");
        let seen = eager().spawn(async {
            let seen = NAME.get();
            NAME.set("Decima");
            seen
        });
        assert_eq!(NAME.get(), "Nona");
        seen.await
    });
    assert_eq!(outcome.unwrap(), "Nona");
}

#[test]
fn runs_with_eager_tasks_are_functions_of_their_seed() {
    let program = || async {
        let tasks: Vec<_> = (0..4)
            .map(|number| {
                eager().spawn(async move {
                    sleep(nanos(parcae::choose(1..3))).await;
                    number
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        sleep(secs(1)).await;
    };
    let mut chains: Vec<_> = (0..100)
        .map(|seed| {
            let [first, second] = [(), ()].map(|()| Sim::new(seed).run(program));
            assert_eq!(first.chain(), second.chain());
            first.chain()
        })
        .collect();
    chains.sort_unstable();
    chains.dedup();
    assert!(chains.len() > 10);
}
